"""Reads the doc comments of the public headers: the contract of every function, written there once.

The grammar of a doc comment:

    mm_name() - what it does
    @param:      text
    paragraphs; lines that begin with a tab are code
    Return: text that may end with "set to", then
      ERRNO, ERRNO    when
    and notes, not indented, that belong to the errors
    MT-Safe ...                 threads, cancellation, signals
    Differs from mmlib: ...     compatibility
"""
import re
from pathlib import Path

ERRNO_LINE = re.compile(r" {1,2}((?:[A-Z][A-Z0-9_]+(?:\.\.\.)?, )*[A-Z][A-Z0-9_]+(?:\.\.\.)?|others)\s+(\S.*)")
PARAM_LINE = re.compile(r"@(\w+):\s+(.*)")


class Function:
    """A function, inline or exported, and what its comment says."""

    def __init__(self, header, prototype, comment):
        self.header = header
        self.type, self.name, arguments = re.fullmatch(r"(.*?[ *])(mm_\w+)\((.*)\)", prototype).groups()
        self.type = self.type.strip()
        self.arguments = re.split(r", ", arguments)
        self.title, self.params, self.text, self.after = "", [], [], []
        self.returns, self.errors, self.notes = "", [], ""
        self.safety, self.differs = "", ""
        if comment:
            self.read(comment)

    def read(self, comment):
        paragraphs = re.split(r"\n[ ]*\n", comment.strip("\n"))
        lines = paragraphs.pop(0).split("\n")
        self.title = re.fullmatch(r"mm_\w+\(\) - (.*)", lines.pop(0)).group(1)
        self.params = tagged(lines, PARAM_LINE, self.name)
        for paragraph in paragraphs:
            if paragraph.startswith("Return: "):
                self.read_return(paragraph[len("Return: "):].split("\n"))
            elif paragraph.startswith("MT-Safe"):
                self.safety = joined(paragraph)
            elif paragraph.startswith("Differs from mmlib: "):
                self.differs = joined(paragraph[len("Differs from mmlib: "):])
            else:
                (self.after if self.returns else self.text).append(paragraph)

    def read_return(self, lines):
        first = next((i for i, line in enumerate(lines) if line.startswith(" ")), len(lines))
        last = next((i for i in range(first, len(lines)) if not lines[i].startswith(" ")), len(lines))
        self.returns = joined("\n".join(lines[:first]))
        self.errors = tagged(lines[first:last], ERRNO_LINE, self.name)
        self.notes = joined("\n".join(lines[last:]))


class Macro:
    """A macro that is used as a function: its arguments have no types."""

    def __init__(self, header, name, arguments):
        self.header, self.name, self.arguments = header, name, arguments


class Header:
    def __init__(self, path):
        self.name = path.name
        self.source = path.read_text()
        self.functions, self.macros, self.groups = {}, {}, []
        for comment, prototype in re.findall(
                r"(?:/\*\*((?:(?!\*/).)*)\*/\n)?^((?:MMLIB_API|static inline)\s[^;{]*)[;{]", self.source, re.S | re.M):
            prototype = re.sub(r"^(MMLIB_API|static inline) ", "", joined(prototype))
            function = Function(self.name, prototype, unstarred(comment))
            self.functions[function.name] = function
        for comment in re.findall(r"^/\*[ \n]((?:(?!\*/).)*)\*/", self.source, re.S | re.M):
            self.read_group(unstarred(comment))

    def read_group(self, comment):
        """A comment that tells of several macros or inline functions: 'mm_a(x), mm_b(): text'."""
        if not re.match(r"mm_\w+\(.*\)[,:]", comment):
            return
        entries, paragraphs = [], re.split(r"\n[ ]*\n", comment)
        for entry in re.split(r"\n(?=mm_\w+\([^)]*\):)", paragraphs[0]):
            heads, text = re.match(r"((?:mm_\w+\([^)]*\)(?:, )?)+): (.*)", joined(entry)).groups()
            heads = re.findall(r"(mm_\w+)\(([^)]*)\)", heads)
            names = [name for name, _ in heads]
            for name in names:
                if name not in self.functions:
                    self.macros[name] = Macro(self.name, name, heads[0][1])
            entries.append((names, text))
        self.groups.append((entries, [joined(paragraph) for paragraph in paragraphs[1:]]))

    def shown(self, what):
        """The comment above a structure, or above the first of a group of constants, and its lines."""
        start = rf"{re.escape(what)} \{{" if what.startswith("struct ") else rf"#define {what}\b"
        found = re.search(rf"/\*\*?((?:(?!\*/).)*)\*/\n(?={start})", self.source, re.S)
        if not found:
            return None
        end = "\n};\n" if what.startswith("struct ") else "\n\n"
        last = self.source.index(end, found.end())
        return unstarred(found.group(1)).strip(), self.source[found.end():last] + end.rstrip()


def read_headers(directory):
    return [Header(path) for path in sorted(Path(directory).glob("*.h"))]


def unstarred(comment):
    """A comment without the stars at its left side."""
    if "\n" not in comment:
        return comment.strip()
    return "\n".join(re.sub(r"^ \* ?", "", line).rstrip() for line in comment.split("\n")).strip("\n")


def joined(text):
    return " ".join(text.split())


def tagged(lines, pattern, where):
    """Lines 'TAG text', each with lines that go on with it, as pairs."""
    pairs = []
    for line in lines:
        if found := pattern.fullmatch(line):
            pairs.append([found.group(1), found.group(2)])
        elif pairs and line.startswith("    "):
            pairs[-1][1] += " " + line.strip()
        else:
            raise SystemExit(f"man: {where}: not understood in its comment: {line!r}")
    return pairs
