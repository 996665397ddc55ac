# SPDX-License-Identifier: Apache-2.0
"""Converts the plain text of comments to mdoc."""
import re
import textwrap

# Sections of the system functions that the texts name. A function that is missing here gets no section.
SYSTEM = {
    "2": "bind connect execve fcntl fork fsync getsockopt link listen lseek mkdir mlockall mmap open pipe poll"
         " read readlink recv recvmmsg recvmsg rename send sendmmsg sendmsg setsockopt socket"
         " stat umask unlink waitpid write",
    "3": "abort free getaddrinfo getnameinfo posix_spawn printf pthread_atfork strerror strerror_r sysconf va_end",
}
SYSTEM = {name: section for section, names in SYSTEM.items() for name in names.split()}

# The start of a word, and the macro for it.
WORDS = [
    (re.compile(r"@(\w+(?:->\w+)*)"), "Fa"),
    (re.compile(r"(_?[a-z]\w*)\(([^\s()]*)\)"), "function"),
    (re.compile(r"((?:MM_)?E(?!OF\b)[A-Z0-9]{2,})\b(?!_)"), "Er"),
    (re.compile(r"(MMSYSIO_CONNECT_TIMEOUT_MS|PATH)\b"), "Ev"),
    (re.compile(r"([A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9]|NULL|SIG[A-Z]{3,}|POLL[A-Z]{2,})\b"), "Dv"),
    (re.compile(r"(errno)\b"), "Va"),
    (re.compile(r"(/(?:[a-z]+(?:/[a-z]+)*)?)(?![\w<])"), "Pa"),
]


class Text:
    """Formats texts for a page: functions of that page are named, other functions are cross-referenced."""

    def __init__(self, here, pages):
        self.here, self.pages = here, pages

    def word(self, word):
        """The word as a line of mdoc with a macro, or None if it is plain."""
        opening, word = re.fullmatch(r"([(\[]*)(.*)", word).groups()
        for pattern, macro in WORDS:
            if found := pattern.match(word):
                break
        else:
            return None
        rest, closing = re.fullmatch(r"(.*?)((?<!\.)[.,;:)\]?!]*)", word[found.end():]).groups()
        if re.match(r"\w", rest):
            return None
        call = self.function(*found.groups()) if macro == "function" else f"{macro} {found.group(1)}"
        # Delimiters are separate arguments: .Fa ( name ) .
        name, arguments = call.split(" ", 1)
        parts = ["." + name, *opening, arguments]
        # groff 1.24 does not accept an opening delimiter as an argument of Xr.
        if opening and name == "Xr":
            parts = [".Pf", opening, name, arguments]
        if rest:
            parts += ["Ns", escaped(rest)]
        return " ".join(parts + list(closing))

    def function(self, name, arguments):
        if re.fullmatch(r"[1-9]", arguments):
            return f"Xr {name} {arguments}"
        if name not in self.here and not arguments:
            if name in self.pages:
                return f"Xr {name} 3"
            if name in SYSTEM:
                return f"Xr {name} {SYSTEM[name]}"
        arguments = [quoted(argument.replace("@", "")) for argument in arguments.split(",") if argument]
        return " ".join([f"Fn {name}", *arguments])

    def lines(self, text):
        """Lines of mdoc: a new one for each sentence and each macro."""
        lines, plain = [], []

        def flush():
            lines.extend(textwrap.wrap(" ".join(plain), 76, break_on_hyphens=False, break_long_words=False))
            plain.clear()

        words = text.split()
        for i, word in enumerate(words):
            marked = self.word(word)
            if marked:
                flush()
                lines.append(marked)
            else:
                plain.append(escaped(word))
                ends = re.search(r"(?<![.\s])[.?!][\")]?$", word) and word not in ("e.g.", "i.e.")
                if ends and i + 1 < len(words) and re.match(r"[\"(]?[A-Z@a-z]", words[i + 1]):
                    flush()
        flush()
        return [re.sub(r"^(?=')", r"\\&", line) for line in lines]

    def paragraph(self, text):
        """A paragraph; lines that begin with a tab are code."""
        if not text.startswith("\t"):
            return self.lines(text)
        return code(re.sub(r"^\t", "", text, flags=re.M))


def code(text, indent=True):
    lines = text.strip("\n").expandtabs(4).replace("\\", "\\e").split("\n")
    lines = [re.sub(r"^(?=[.'])", r"\\&", line) for line in lines]
    return [".Bd -literal" + (" -offset indent" if indent else ""), *lines, ".Ed"]


def escaped(word):
    word = re.sub(r"^-(?=\d)", r"\\-", word.replace("\\", "\\e"))
    return re.sub(r"^(?=\.)|(?<=^\.\.)$|(?<=^\.)$", r"\\&", word)


def quoted(argument):
    return f'"{argument}"' if " " in argument else argument


def list_of(items, kind="-tag -width Ds", compact=False):
    """A list of (tag, lines)."""
    lines = [f".Bl {kind}" + (" -compact" if compact else "")]
    for tag, text in items:
        lines += [f".It {tag}".rstrip(), *text]
    return lines + [".El"]
