# SPDX-License-Identifier: Apache-2.0
"""Reads the doc comments of the public headers, which define the contract of every function.

The grammar of a doc comment:

    mm_name() - what it does
    @param:      text
    paragraphs; lines that begin with a tab are code

followed by labels, in this order. Each is at the start of a line; its text is on the same line and on indented lines
after it. Empty lines may separate them.

    Return: text                    for every function that returns something, and only for these
    Errors: none                    it does not set the error state
    Errors: none of its own         it raises the error that it is given
    Errors:                         a list of
      ERRNO, ERRNO    when          errnos; "others" are those that no list can foresee
      as mm_name()                  all that this function lists
      as mm_name(), mm_name()  when
    Error notes: text               applies to several errnos; optional
    Thread safety: text
    Signal safety: text
    Cancellation: text
    Compatibility: as mmlib         or "not in mmlib", or "differs from mmlib: ", followed by the difference

An inline function without labels other than 'Return:' is thread-safe and async-signal-safe, sets no error, and is
identical to mmlib's.

A comment on several macros or inline functions begins with 'mm_a(x), mm_b(): text'.
"""
import re
from pathlib import Path

ERRNO_LINE = re.compile(r"  ((?:[A-Z][A-Z0-9_]+(?:\.\.\.)?, )*[A-Z][A-Z0-9_]+(?:\.\.\.)?|others) +(\S.*)")
LIKE_LINE = re.compile(r"  as ((?:mm_\w+\(\), )*mm_\w+\(\))(?: +(\S.*))?")
PARAM_LINE = re.compile(r"@(\w+):\s+(.*)")
LABELS = ("Return", "Errors", "Error notes", "Thread safety", "Signal safety", "Cancellation", "Compatibility")
OPTIONAL = {"Error notes"}
LABEL_LINE = re.compile(rf"({'|'.join(LABELS)}):(?: (.*))?")
NO_ERRORS, ERRORS_OF_CALLER = "none", "none of its own"
BLOCKS = ("struct ", "union ", "enum ")
SAME, NEW, DIFFERENT = "as mmlib", "not in mmlib", "differs from mmlib: "


class Function:
    """A function, inline or exported, and the content of its comment."""

    def __init__(self, header, prototype, comment):
        self.header = header
        self.is_inline = prototype.startswith("static inline ")
        prototype = prototype.removeprefix("static inline ").removeprefix("MMLIB_API ")
        self.type, self.name, arguments = re.fullmatch(r"(.*?[ *])(_?mm_\w+)\((.*)\)", prototype).groups()
        self.type = self.type.strip()
        self.arguments = re.split(r", ", arguments)
        self.title, self.params, self.text = "", [], []
        self.returns, self.notes, self.differs = "", "", ""
        # Pairs of errnos and causes, and pairs of function names and conditions.
        self.errors, self.like = [], []
        self.raises_given = self.is_new = False
        self.thread_safety, self.signal_safety = "MT-Safe", "async-signal-safe"
        self.cancellation = "not a cancellation point"
        if comment:
            self.read(comment)
        elif not self.is_inline:
            raise self.wrong("it has no comment")

    def wrong(self, what):
        return SystemExit(f"man: {self.header}: {self.name}(): {what}")

    def read(self, comment):
        lines = comment.strip("\n").split("\n")
        first, _, self.title = lines[0].partition(" - ")
        if first != f"{self.name}()" or not self.title:
            raise self.wrong(f"its comment does not begin with '{self.name}() - '")
        begin = next((i for i, line in enumerate(lines) if line.partition(":")[0] in LABELS), len(lines))
        prose = re.split(r"\n[ ]*\n", "\n".join(lines[1:begin]).strip("\n"))
        if prose[0].startswith("@"):
            self.params = tagged(prose.pop(0).split("\n"), PARAM_LINE, self.name)
        self.text = [paragraph for paragraph in prose if paragraph]
        if not self.is_inline or lines[begin:]:
            self.read_labels(lines[begin:])

    def read_labels(self, lines):
        labels = {}
        for line in filter(None, lines):
            found = LABEL_LINE.fullmatch(line)
            if found:
                if found.group(1) in labels:
                    raise self.wrong(f"its comment has '{found.group(1)}:' twice")
                labels[found.group(1)] = [found.group(2) or ""]
            elif line.startswith("  "):
                list(labels.values())[-1].append(line)
            else:
                raise self.wrong(f"neither a label nor indented: {line!r}")
        if self.is_inline and list(labels) == ["Return"]:
            self.returns = joined("\n".join(labels["Return"]))
            return
        expected = [label for label in LABELS if label not in OPTIONAL or label in labels]
        if self.type == "void":
            expected.remove("Return")
        if list(labels) != expected:
            raise self.wrong(f"its comment has the labels {', '.join(labels) or '(none)'}; not {', '.join(expected)}")
        self.read_errors(*labels.pop("Errors"))
        values = {label: joined("\n".join(text)) for label, text in labels.items()}
        for label, value in values.items():
            if not value:
                raise self.wrong(f"'{label}:' has no text")
        self.returns, self.notes = values.get("Return", ""), values.get("Error notes", "")
        self.thread_safety, self.signal_safety = values["Thread safety"], values["Signal safety"]
        self.cancellation = values["Cancellation"]
        compatibility = values["Compatibility"]
        self.differs = compatibility.removeprefix(DIFFERENT)
        self.is_new = compatibility == NEW
        if compatibility in (SAME, NEW):
            self.differs = ""
        elif self.differs == compatibility:
            raise self.wrong(f"'Compatibility:' must be '{SAME}', '{NEW}' or '{DIFFERENT}...'")

    def read_errors(self, keyword, *lines):
        if keyword and (lines or keyword not in (NO_ERRORS, ERRORS_OF_CALLER)):
            raise self.wrong(f"'Errors:' is neither a list, '{NO_ERRORS}' nor '{ERRORS_OF_CALLER}'")
        if not keyword and not lines:
            raise self.wrong("'Errors:' has no list")
        self.raises_given = keyword == ERRORS_OF_CALLER
        current = None
        for line in lines:
            if found := LIKE_LINE.fullmatch(line):
                names = [name.removesuffix("()") for name in found.group(1).split(", ")]
                current = [names, found.group(2) or ""]
                self.like.append(current)
            elif found := ERRNO_LINE.fullmatch(line):
                current = list(found.groups())
                self.errors.append(current)
            elif current and line.startswith("    "):
                current[1] = f"{current[1]} {line.strip()}".strip()
            else:
                raise self.wrong(f"neither errnos nor 'as mm_name()': {line!r}")
        listed = [name for names, _ in self.errors for name in names.split(", ")]
        if twice := {name for name in listed if listed.count(name) > 1}:
            raise self.wrong(f"its comment lists {', '.join(sorted(twice))} twice")


class Macro:
    """A macro that is used like a function: its arguments have no types. It may be a name for another function."""

    def __init__(self, header, name, arguments, other):
        self.header, self.name, self.arguments, self.other = header, name, arguments, other

    def definition(self):
        return f"#define {self.name} {self.other}" if self.other else f"#define {self.name}({self.arguments})"


class Header:
    def __init__(self, path):
        self.name = path.name
        self.source = path.read_text()
        self.functions, self.macros, self.groups = {}, {}, []
        for comment, prototype in re.findall(
                r"(?:/\*\*((?:(?!\*/).)*)\*/\n)?^((?:MMLIB_API|static inline)\s[^;{]*)[;{]", self.source, re.S | re.M):
            function = Function(self.name, joined(prototype), unstarred(comment))
            self.functions[function.name] = function
        for comment in re.findall(r"^/\*[ \n]((?:(?!\*/).)*)\*/", self.source, re.S | re.M):
            self.read_group(unstarred(comment))

    def read_group(self, comment):
        """A comment on several macros or inline functions: 'mm_a(x), mm_b(): text'."""
        if not re.match(r"mm_\w+\(.*\)[,:]", comment):
            return
        entries, paragraphs = [], re.split(r"\n[ ]*\n", comment)
        for entry in re.split(r"\n(?=mm_\w+\([^)]*\):)", paragraphs[0]):
            heads, text = re.match(r"((?:mm_\w+\([^)]*\)(?:, )?)+): (.*)", joined(entry)).groups()
            heads = re.findall(r"(mm_\w+)\(([^)]*)\)", heads)
            names = [name for name, _ in heads]
            for name in names:
                if name not in self.functions:
                    other = re.search(rf"^#define {name} (\w+)$", self.source, re.M)
                    self.macros[name] = Macro(self.name, name, heads[0][1], other and other.group(1))
            entries.append((names, text))
        self.groups.append((entries, [joined(paragraph) for paragraph in paragraphs[1:]]))

    def shown(self, what):
        """The comment above a type, or above the first constant of a group, and the lines that it documents."""
        is_block = what.startswith(BLOCKS)
        if is_block:
            start = rf"{re.escape(what)} \{{"
        elif what.startswith("typedef "):
            start = rf"typedef [^;]*\b{what.removeprefix('typedef ')}\b"
        else:
            start = rf"#define {what}\b"
        found = re.search(rf"/\*\*?((?:(?!\*/).)*)\*/\n(?={start})", self.source, re.S)
        if not found:
            return None
        end = "\n};\n" if is_block else "\n\n"
        last = self.source.index(end, found.end())
        return unstarred(found.group(1)).strip(), self.source[found.end():last] + end.rstrip()


def read_headers(*directories):
    return [Header(path) for directory in directories for path in sorted(Path(directory).glob("*.h"))]


def unstarred(comment):
    """A comment without the stars at the left."""
    if "\n" not in comment:
        return comment.strip()
    return "\n".join(re.sub(r"^ \* ?", "", line).rstrip() for line in comment.split("\n")).strip("\n")


def joined(text):
    return " ".join(text.split())


def tagged(lines, pattern, where):
    """Lines 'TAG text', each with its continuation lines, as pairs."""
    pairs = []
    for line in lines:
        if found := pattern.fullmatch(line):
            pairs.append([found.group(1), found.group(2)])
        elif pairs and line.startswith("    "):
            pairs[-1][1] += " " + line.strip()
        else:
            raise SystemExit(f"man: {where}: cannot parse this line of its comment: {line!r}")
    return pairs
