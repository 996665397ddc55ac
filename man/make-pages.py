#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the manual pages of section 3 of the headers' comments and of the files in man/pages.

usage: make-pages.py HEADERS PAGES OUTPUT

The grammar of comments is that of headers.py: this file looks at labels only, never at what a sentence says.

A file NAME.page begins with lines 'key: text', ended by an empty line:
    functions:  what the page documents, in this order; what no header declares yet is left out
    name:       its line in the NAME section, if the page has several functions
    shows:      structures, and the first name of each group of constants, to be described; separated by commas
    see:        other pages, with their section unless that is 3
A line that begins with spaces goes on with the one before it.
Then come parts, each begun by a line with its name: DESCRIPTION and ERRORS are put before what the headers say,
ENVIRONMENT has lines '@NAME: text', and EXAMPLES is text, then a program from its first #include on. Text is written
as in the headers.
"""
import os
import re
import sys
import time
from pathlib import Path

from headers import PARAM_LINE, read_headers, tagged, unstarred
from mdoc import Text, code, escaped, list_of, quoted

# The date of the pages until CHANGELOG.md has a release.
FIRST_DATE = "2026-11-24"
PARTS = ("DESCRIPTION", "ENVIRONMENT", "ERRORS", "EXAMPLES")


class Source:
    """A file of man/pages."""

    def __init__(self, path):
        self.name = path.stem
        head, _, body = path.read_text().partition("\n\n")
        head = re.sub(r"\n +", " ", head)
        self.head = dict(re.fullmatch(r"(\w+): +(.*)", line).groups() for line in head.split("\n"))
        parts = re.split(rf"^({'|'.join(PARTS)})\n", body, flags=re.M)
        self.parts = {name: text.strip("\n") for name, text in zip(parts[1::2], parts[2::2])}
        self.functions = self.head["functions"].split()

    def paragraphs(self, part):
        return [text for text in re.split(r"\n\n+", self.parts.get(part, "")) if text]


class Page:
    """One page: the parts that its file and the headers give."""

    def __init__(self, source, headers, pages):
        self.source, self.headers, self.name = source, headers, source.name
        self.declared = {name: what for header in headers for name, what in (header.macros | header.functions).items()}
        self.members = [self.declared[name] for name in source.functions if name in self.declared]
        self.functions = [member for member in self.members if hasattr(member, "type")]
        self.pages = pages
        self.text = Text([member.name for member in self.members], pages)

    def names(self, members, last="and"):
        """'.Fn a ,', '.Fn b', 'and', '.Fn c' on lines of their own."""
        lines = [f".Fn {member.name} ," for member in members[:-2]] + [f".Fn {member.name}" for member in members[-2:]]
        return lines[:-1] + [last] + lines[-1:] if len(lines) > 1 else lines

    def render(self):
        one = self.functions[0] if len(self.members) == 1 else None
        lines = ['.\\" Made by make-pages.py of the headers and of man/pages: change it there, then run make man.',
                 f".Dd {date()}", f".Dt {self.name.upper()} 3", ".Os libmmsysio", ".Sh NAME"]
        lines += [f".Nm {member.name} ," for member in self.members[:-1]] + [f".Nm {self.members[-1].name}"]
        lines += [f".Nd {self.source.head.get('name') or one.title}", ".Sh LIBRARY", "libmmsysio",
                  "(\\-lmmsysio, or",
                  ".Ql pkg-config --cflags --libs mmsysio )"]
        for heading, section in (("SYNOPSIS", self.synopsis), ("DESCRIPTION", self.description),
                                 ("RETURN VALUES", self.return_values), ("ENVIRONMENT", self.environment),
                                 ("EXAMPLES", self.examples), ("COMPATIBILITY", self.compatibility),
                                 ("ERRORS", self.errors), ("ATTRIBUTES", self.attributes),
                                 ("SEE ALSO", self.see_also)):
            body = section()
            if body and body[0] == ".Pp":
                del body[0]
            if body:
                lines += [f".Sh {heading}", *body]
        return "\n".join(tidy(lines)) + "\n"

    def synopsis(self):
        lines, included = [], None
        for member in self.members:
            if member.header != included:
                included = member.header
                lines.append(f".In {included}")
            if not hasattr(member, "type"):
                lines.append(f'.Fd "#define {member.name}({member.arguments})"')
                continue
            lines += [f".Ft {quoted(member.type)}", f".Fo {member.name}",
                      *(f".Fa {quoted(argument)}" for argument in member.arguments), ".Fc"]
        return lines

    def description(self):
        lines = self.running(self.source.paragraphs("DESCRIPTION"))
        for member in self.functions:
            if member.title:
                if len(self.members) > 1:
                    lines += [f".Ss {member.name}() \\(en {member.title}"]
                else:
                    verb, _, rest = member.title.partition(" ")
                    lines += [".Pp", f".Fn {member.name}", *self.text.lines(f"{third_person(verb)} {rest}.")]
                if member.params:
                    items = [(f"Fa {name}", self.text.lines(text + ("" if text.endswith(".") else ".")))
                             for name, text in member.params]
                    lines += list_of(items)
                lines += self.running(member.text)
        lines += self.group_texts()
        shown = [what for what in re.split(r", *", self.source.head.get("shows", "")) if what]
        constants = [line for what in shown if not what.startswith("struct ") for line in self.shown_constants(what)]
        if constants:
            lines += [".Ss Constants", *constants]
        for what in shown:
            if what.startswith("struct "):
                lines += self.shown_structure(what)
        return lines

    def group_texts(self):
        """What one comment says of several macros or inline functions."""
        lines, mine = [], {member.name for member in self.members}
        for entries, paragraphs in (group for header in self.headers for group in header.groups):
            items = [(names, text) for names, text in entries if mine & set(names)]
            for names, text in items:
                lines += [".Ss " + ", ".join(f"{name}()" for name in names if name in mine),
                          *self.text.lines(capital(text))]
            if items:
                lines += self.running(paragraphs)
        return lines

    def shown(self, what):
        """The comment and the source of a structure or of constants."""
        for header in self.headers:
            if found := header.shown(what):
                return found
        raise SystemExit(f"man: {self.name}.page: shows: no header has {what}")

    def shown_constants(self, what):
        comment, source = self.shown(what)
        found = re.findall(r"^#define (\w+)\b[^\n]*?(?:/\* (.*?) \*/)?$", source, re.M)
        items = {name: text for name, text in reversed(found)}
        names = list(dict.fromkeys(name for name, _ in found))
        lines = [".Pp", *self.text.lines(comment)]
        if not any(items.values()):
            return lines + [".Pp", ".Bl -item -compact -offset indent",
                            *(line for name in names for line in (".It", f".Dv {name}")), ".El"]
        return lines + list_of([(f"Dv {name}", self.text.lines(items[name])) for name in names])

    def shown_structure(self, what):
        comment, source = self.shown(what)
        source = re.sub(r"#ifdef __cplusplus\n.*?#else\n(.*?)#endif\n", r"\1", source, flags=re.S)
        fields = re.findall(r"/\*\*((?:(?!\*/).)*)\*/\n\s*([^;]*);", source, re.S)
        plain = re.sub(r"\s*/\*\*(?:(?!\*/).)*\*/", "", source, flags=re.S)
        items = []
        for text, field in fields:
            name = re.search(r"(\w+)(?:\[\d*\])?$", field).group(1)
            text = unstarred(re.sub(r"^\t", "", text, flags=re.M))
            items.append((f"Va {name}", self.text.lines(" ".join(text.split()))))
        return [f".Ss {what}", *self.text.lines(comment), *code(plain), *(list_of(items) if items else [])]

    def return_values(self):
        returning = [function for function in self.functions if function.returns]
        if not returning:
            return ["Nothing is returned."] if all(f.type == "void" for f in self.functions) else []
        return self.by_function([(f, self.text.lines(capital(f.returns))) for f in returning])

    def by_function(self, items):
        """Texts of functions: bare if there is but one function, else in a list, with equal texts joined."""
        if len(self.members) == 1:
            return items[0][1]
        joined = {}
        for member, lines in items:
            joined.setdefault(tuple(lines), []).append(member)
        return list_of([(" , ".join(f"Fn {member.name}" for member in same), list(lines))
                        for lines, same in joined.items()])

    def environment(self):
        text = self.source.parts.get("ENVIRONMENT")
        if not text:
            return []
        items = tagged(text.split("\n"), PARAM_LINE, self.name)
        return list_of([(f"Ev {name}", self.text.lines(sentence(what))) for name, what in items])

    def examples(self):
        text = self.source.parts.get("EXAMPLES")
        if not text or "#include" not in text:
            raise SystemExit(f"man: {self.name}.page has no program in EXAMPLES")
        prose, program = re.split(r"(?=^#include)", text, maxsplit=1, flags=re.M)
        return self.running(re.split(r"\n\n+", prose.strip())) + code(program, indent=False)

    def errors(self):
        lines, silent, raising, groups = self.running(self.source.paragraphs("ERRORS")), [], [], {}
        for function in self.functions:
            if function.errors or function.like:
                key = (repr(function.like), repr(function.errors), function.notes)
                groups.setdefault(key, []).append(function)
            else:
                (raising if function.raises_given else silent).append(function)
        for members in groups.values():
            model = members[0]
            lines += [".Pp", *self.names(members), *self.text.lines(self.failing(members))]
            if model.errors:
                items = [(errno_tag(names), self.text.lines(sentence(when))) for names, when in model.errors]
                lines += list_of(items, "-tag -width Er")
            if model.notes:
                lines += [".Pp", *self.text.lines(model.notes)]
        if raising:
            lines += [".Pp", *self.names(raising), "raises the error that it is given, and none of its own."
                      if len(raising) == 1 else "raise the error that they are given, and none of their own."]
        if silent:
            lines += [".Pp", *self.names(silent), f"set{'s' if len(silent) == 1 else ''} no error state."]
        if not self.functions:
            lines += ["None."]
        return lines

    def failing(self, members):
        """What introduces the errnos of functions: which other functions have the same ones, and that a list follows."""
        verb = "fails" if len(members) == 1 else "fail"
        like = []
        for names, when in members[0].like:
            if unknown := [name for name in names if name not in self.declared]:
                raise SystemExit(f"man: {members[0].name}(): there is no {', '.join(unknown)}()")
            functions = " and ".join(f"{name}()" for name in names)
            like.append(f"with the errors of {functions}" + (f" {when}" if when else ""))
        if not like:
            return f"{verb} with:"
        return f"{verb} {', '.join(like)}" + (", and with:" if members[0].errors else ".")

    def attributes(self):
        items = []
        for function in self.functions:
            attributes = [("Thread safety", function.thread_safety), ("Signal safety", function.signal_safety),
                          ("Cancellation", function.cancellation)]
            rows = [(name, self.text.lines(sentence(text))) for name, text in attributes]
            items.append((function, list_of(rows, '-tag -width "Thread safety"', compact=True)))
        lines = self.by_function(items) if items else []
        if any(function.errors or function.like for function in self.functions):
            lines += [".Pp", "If a failure is logged, writing the line is a cancellation point."]
        return lines

    def compatibility(self):
        differing = [function for function in self.functions if function.differs]
        same = [function for function in self.functions if not function.differs]
        lines = []
        if differing and len(self.members) == 1:
            lines += self.text.lines("Differs from mmlib: " + differing[0].differs)
        elif differing:
            lines += ["Different from mmlib:"]
            lines += self.by_function([(f, self.text.lines(sentence(f.differs))) for f in differing])
        if same and len(self.members) == 1:
            lines += [f".Fn {same[0].name}", "is that of mmlib."]
        elif same:
            lines += [".Pp", *self.names(same), "are those of mmlib." if len(same) > 1 else "is that of mmlib."]
        return lines

    def see_also(self):
        wanted = {("3", name) for name in self.source.head.get("see", "").split() if "(" not in name}
        wanted |= {(section, name) for name, section in re.findall(r"(\w+)\((\d)\)", self.source.head.get("see", ""))}
        wanted |= {("3", "mm_error"), ("7", "mmsysio")}
        unknown = [name for section, name in wanted if name.startswith("mm_") and name not in self.pages]
        if unknown:
            raise SystemExit(f"man: {self.name}.page: see: there is no page {', '.join(unknown)}")
        wanted = sorted((section, name) for section, name in wanted if name != self.name and self.pages.get(name, True))
        lines = [f".Xr {name} {section} ," for section, name in wanted]
        return lines[:-1] + [lines[-1].removesuffix(" ,")]

    def running(self, paragraphs):
        lines = []
        for text in filter(None, paragraphs):
            lines += [".Pp"] * (text[0] != "\t") + self.text.paragraph(text)
        return lines


def capital(text):
    """With a capital letter, unless it begins with a name."""
    return text[0].upper() + text[1:] if re.match(r"[a-z]+\b(?!\()", text) else text


def sentence(text):
    return capital(text) + ("" if text.endswith(".") else ".")


def errno_tag(names):
    if names == "others":
        return names
    return "Bq Er " + names.replace("...", " ...").replace(", ", " , ").replace(" ...", " , ...")


def third_person(verb):
    if re.search(r"[^aeiou]y$", verb):
        return verb[:-1] + "ies"
    return verb + ("es" if re.search(r"(sh|ch|s|x|z|o)$", verb) else "s")


def tidy(lines):
    """No paragraph begins right behind a heading or twice."""
    kept = []
    for line in lines:
        if line == ".Pp" and (kept[-1] == ".Pp" or kept[-1].startswith((".Sh", ".Ss"))):
            continue
        if line.startswith((".Ss", ".Sh", ".Bl -tag -width Ds")) and kept[-1] == ".Pp":
            kept.pop()
        kept.append(line)
    return kept


def date():
    """That of SOURCE_DATE_EPOCH, or of the last release; never the clock's."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    released = re.search(r"^## .*?(\d{4}-\d\d-\d\d)", Path("CHANGELOG.md").read_text(), re.M)
    day = time.gmtime(int(epoch)) if epoch else time.strptime(released.group(1) if released else FIRST_DATE, "%Y-%m-%d")
    return time.strftime("%B ", day) + f"{day.tm_mday}, {day.tm_year}"


def main(headers, pages, output):
    headers = read_headers(headers)
    sources = [Source(path) for path in sorted(Path(pages).glob("*.page"))]
    declared = {name for header in headers for name in [*header.functions, *header.macros]}
    # Names of pages and functions: true if there is one now.
    known = {name: name in declared for source in sources for name in source.functions}
    known |= {source.name: bool(declared & set(source.functions)) for source in sources}
    output = Path(output)
    output.mkdir(parents=True, exist_ok=True)
    for old in output.glob("*.3"):
        old.unlink()
    for source in sources:
        page = Page(source, headers, known)
        if not page.members:
            continue
        (output / f"{source.name}.3").write_text(page.render())
        for member in page.members:
            if member.name != source.name:
                (output / f"{member.name}.3").write_text(f".so man3/{source.name}.3\n")


if __name__ == "__main__":
    os.environ["LC_ALL"] = "C"
    main(*sys.argv[1:])
