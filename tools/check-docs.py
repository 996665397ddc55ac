#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that the files and functions named in the documentation of the sources exist.

usage: check-docs.py                checks docs/ARCHITECTURE.md and the first section of CONTRIBUTING.md
       check-docs.py --self-test    checks small examples of each violation

The following rules apply to text in code font (`...`):
- a path to a file or directory, relative to the top of the tree, exists; so does the target of a link;
- in "`name` in `file`", the name occurs in that file;
- any other name occurs in one of the files named in the same block (a paragraph, a list item or a row of a table), or
  in src/ if the block names no file. For a::b(), both a and b occur in the file.
In an indented map of the sources, the path at the beginning of each line exists, and the file names after it exist in
its directory.

Names in comments of Rust and C are ignored. Functions that are not defined in this tree are not written in code font.

Each violation is printed as file:line: text. The exit status is 1 if there are any.
"""

import functools
import os
import re
import sys
import tempfile

CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
NAME = re.compile(r"[A-Za-z_]\w*(?:::\w+)*(?:\(\)|!)?")
PATH = re.compile(r"[\w.-]+(?:/[\w.-]*)+|Makefile|[\w-]+\.(?:md|rs|toml|map|mk)")
NAMES_IN_FILE = re.compile(r"`([^`\n]+)`(?:,? (?:and|or) `([^`\n]+)`)? in\s+`([^`\n]+)`")
MAP_LINE = re.compile(r"    (\S+)(?:\s+(.*))?")
FILE_IN_MAP = re.compile(r"\b[\w-]+\.(?:rs|c|h|py|sh|mk|map|txt)\b")


class Docs:
    def __init__(self, top):
        self.top = top
        self.violations = []
        self.map_path = None  # the directory of the last line of a map; None outside of maps

    def report(self, document, line, text):
        if (document, line, text) not in self.violations:
            self.violations.append((document, line, text))

    def exists(self, path):
        return os.path.exists(os.path.join(self.top, path))

    @functools.lru_cache(maxsize=None)
    def words(self, path):
        """The words of a file, or of all files below a directory."""
        path = os.path.join(self.top, path)
        if os.path.isdir(path):
            files = [os.path.join(root, file) for root, _, files in os.walk(path) for file in files]
        else:
            files = [path]
        words = set()
        for file in files:
            with open(file, encoding="utf-8", errors="replace") as source:
                text = source.read()
            if file.endswith((".rs", ".c", ".h")):
                text = re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.DOTALL)
            words.update(re.findall(r"\w+", text))
        return words

    def occurs(self, name, path):
        return set(re.findall(r"\w+", name)) <= self.words(path)

    def check_block(self, document, line, block):
        codes = [match.group(1) for match in CODE.finditer(block)]
        paths = [code for code in codes if PATH.fullmatch(code)]
        for path in paths:
            if not self.exists(path):
                self.report(document, line, f"{path} does not exist")
        for link in LINK.findall(block):
            if not self.exists(os.path.join(os.path.dirname(document), link)):
                self.report(document, line, f"{link} does not exist")
        files = [path for path in paths if self.exists(path)]
        for first, second, file in NAMES_IN_FILE.findall(block):
            for name in (first, second):
                if file in files and name not in paths and NAME.fullmatch(name) and not self.occurs(name, file):
                    self.report(document, line, f"{name} does not occur in {file}")
        places = files or ([] if paths else ["src"])
        for name in codes:
            if name not in paths and NAME.fullmatch(name) and places:
                if not any(self.occurs(name, place) for place in places):
                    self.report(document, line, f"{name} does not occur in {', '.join(places)}")

    def check_map(self, document, line, text):
        match = MAP_LINE.fullmatch(text)
        if match is None:  # A continued description.
            path, description = self.map_path, text
        else:
            path, description = match.group(1), match.group(2) or ""
            self.map_path = path
            if not self.exists(path):
                self.report(document, line, f"{path} does not exist")
        directory = path if path.endswith("/") else os.path.dirname(path)
        for file in FILE_IN_MAP.findall(description):
            if not self.exists(os.path.join(directory, file)):
                self.report(document, line, f"{os.path.join(directory, file)} does not exist")

    def check(self, document, only_first_section=False):
        with open(os.path.join(self.top, document), encoding="utf-8") as file:
            lines = file.read().split("\n")
        block, start = [], 1
        sections = 0

        def end_of_block():
            if block:
                # A line break may separate a path from its name.
                self.check_block(document, start, "\n".join(block))
                block.clear()

        for number, line in enumerate(lines, 1):
            sections += line.startswith("## ")
            if only_first_section and sections > 1:
                break
            is_map = line.startswith("    ") and (self.map_path is not None or not block)
            if not line.strip():
                end_of_block()
                self.map_path = None
            elif is_map:
                end_of_block()
                self.check_map(document, number, line)
            else:
                if re.match(r"\s*(?:[-*] |\d+\. )|\||#", line):
                    end_of_block()
                if not block:
                    start = number
                block.append(line)
        end_of_block()


# --- self-test --------------------------------------------------------------------------------------------------------

SOURCES = {
    "src/a.rs": "// ghost\nfn first() {}\nstruct Type;\nimpl Type { fn method() {} }\n",
    "src/b/mod.rs": "fn second() {}\nmacro_rules! make { () => {} }\n",
    "docs/picture.svg": "",
}

# A text, and the violations in it.
CASES = [
    ("`first()` and `Type` in `src/a.rs`, `second()` in\n`src/b/mod.rs`, `make!`; `first` of all `make check` calls", []),
    ("- `src/a.rs`: `Type::method()`\n- `src/b/`: `second()`\n\n`second()` of some file, ![text](docs/picture.svg)", []),
    ("| `src/a.rs` | `first()` |\n|---|---|\n| `src/b/mod.rs` | `second()` |", []),
    ("`src/c.rs`", ["src/c.rs does not exist"]),
    ("`src/c/`", ["src/c/ does not exist"]),
    ("[text](docs/missing.svg)", ["docs/missing.svg does not exist"]),
    ("`second()` in `src/a.rs`", ["second() does not occur in src/a.rs"]),
    ("`first()` in `src/b/mod.rs`, and `src/a.rs`", ["first() does not occur in src/b/mod.rs"]),
    ("`first()` and `second()` in\n`src/a.rs` beside `src/b/`", ["second() does not occur in src/a.rs"]),
    ("`src/a.rs`: `third()`", ["third() does not occur in src/a.rs"]),
    ("`src/a.rs`: `Type::other()`", ["Type::other() does not occur in src/a.rs"]),
    ("- `src/a.rs`\n- `src/b/`: `first()`", ["first() does not occur in src/b/"]),
    ("`ghost` in no code", ["ghost does not occur in src"]),
    ("Map:\n\n    src/a.rs    all\n    src/b/      mod.rs has\n                the rest\n", []),
    ("    src/c.rs    all", ["src/c.rs does not exist"]),
    ("    src/b/      mod.rs and\n                other.rs", ["src/b/other.rs does not exist"]),
]


def self_test():
    failures = 0
    for text, expected in CASES:
        with tempfile.TemporaryDirectory() as top:
            for name, source in {**SOURCES, "page.md": text}.items():
                os.makedirs(os.path.dirname(os.path.join(top, name)), exist_ok=True)
                with open(os.path.join(top, name), "w", encoding="utf-8") as output:
                    output.write(source)
            docs = Docs(top)
            docs.check("page.md")
            found = [violation for _, _, violation in docs.violations]
        if found != expected:
            print(f"self-test: {text!r}: expected {expected}, found {found}", file=sys.stderr)
            failures += 1
    print(f"check-docs.py: self-test: {len(CASES) - failures} of {len(CASES)} examples as expected")
    return failures == 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return 0 if self_test() else 1
    if len(sys.argv) > 1:
        print(__doc__, file=sys.stderr)
        return 2
    docs = Docs(os.path.relpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")))
    docs.check("docs/ARCHITECTURE.md")
    docs.check("CONTRIBUTING.md", only_first_section=True)
    for document, line, text in docs.violations:
        print(f"{document}:{line}: {text}")
    return 1 if docs.violations else 0


if __name__ == "__main__":
    sys.exit(main())
