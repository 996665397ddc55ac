#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that texts, comments and names use the standard terms of the field.

usage: check-words.py                checks the files that git lists
       check-words.py FILE...        checks these files
       check-words.py --self-test    checks small examples of each rule

RULES lists words and phrases, each with what to write instead. They are searched for as whole words, regardless of case,
also where a phrase is broken at the end of a line. Underscores belong to words, so that the parts of an identifier are
not words. Not checked are generated files, inputs of the fuzzer, legal texts and released sections of CHANGELOG.md.

EXCEPTIONS lists the justified uses. An exception that is not needed is reported, when all files are checked.

Each violation is printed as file:line: word: what to write instead. The exit status is 1 if there are any.
"""

import os
import re
import subprocess
import sys
import tempfile

RULES = [
    # Time.
    (r"meanwhile", '"while waiting", "before it completed", "at the same time"'),
    (r"for want of", '"because there is no ..."'),
    # What a function returns or a peer sends.
    (r"(?:tell(?:s|ing)?|told) of", "is notified of, reports"),
    (r"tells(?! of)", "reports, returns, shows; for two things: distinguishes"),
    (r"(?:is|are|was|were) told(?! of)", "is returned, is reported; for a program: is notified"),
    (r"told (?:apart|from|by|in)", "distinguished, reported"),
    (r"there is to tell", "what is reported"),
    (r"hand(?:s|ed|ing)? out", "returns"),
    (r"giv(?:e|es|ing|en) up|gave up", 'releases, destroys, stops; for a timeout: "fails when the timeout expires"'),
    (r"giv(?:e|es|ing|en) back|gave back", "releases, returns"),
    # What something is.
    (r"(?<!there )(?:is|are|was|were) (?-i:none)(?! of)", '"does not exist", "is not a ..."'),
    (r"(?<!there )(?:is|are|was|were) no (?!longer\b|more\b|less\b|better\b|other\b|different\b)\w+", '"is not a ..."'),
    (r"tak(?:e|es|ing|en) for", "treats as, assumes to be"),
    (r"stands? for", "is, means"),
    (r"lies", "is; for data: is wrong"),
    (r"(?<=, )be it|so is it", "also, or, whether"),
    (r"goes with", "is deleted with, belongs to"),
    (r"whoever", "a process that ..., a caller that ..."),
    (r"save that", "except that"),
    # Corrections.
    (r"mend(?:s|ed|ing)?", "fix"),
    # The source layout.
    (r"doors?", "entry point"),
    (r"floors?", "system call wrappers, layer"),
    (r"houses?", "layers, source layout"),
    # Memory, descriptors and processes.
    (r"rooms?", "capacity, space, buffer; for the core: the name of the subsystem"),
    (r"segments?", "buffer, iovec element"),
    (r"company|com(?:es?|ing) along|came along", "ancillary data; is received with"),
    (r"(?:a|an|the|its|no|each|every|last) holds?(?= of\b| on\b|[.,;:)]|$)", "reference"),
    (r"holders?", "reference, reference count"),
    (r"tenants?", "the thread ID of the grandchild"),
    (r"births?|born", "the vfork child; creation"),
    (r"patience|patient", "timeout"),
    (r"judge(?:s|d|ment)?|judging", "check, compare, decide"),
]

# File, expression that the line matches, reason.
EXCEPTIONS = [
    ("benches/plot.py", r"math\.floor", "the function floor()"),
    ("src/os/fork_lock.rs", r"holder", "the holder of a lock is the usual term"),
    ("src/os/readable.rs", r"segment\b", "segments of an ELF file"),
    ("tests-c/checks/abi.sh", r"segments?", "segments of an ELF file"),
    ("tests-c/faults/shim.c", r"segment\b", "segments of an ELF file"),
]

UNCHECKED = re.compile(
    r"fuzz/corpus/|man/man3/|.*\.(?:svg|png|tar|xz)$|LICENSE$|Cargo\.lock$|debian/copyright$|tools/check-words\.py$"
)

# What begins a line of a comment or of a table, and is not part of its text.
LEADER = re.compile(r'\s*(?:///?!?|/?\*+|#+!?|\.\\"|\|)?\s*')
PATTERNS = [(re.compile(rf"(?<![\w-])(?:{pattern})(?![\w-])", re.IGNORECASE), advice) for pattern, advice in RULES]


def lines_to_check(name, text):
    """The lines of a file with their numbers, without the sections of CHANGELOG.md for released versions."""
    is_released = False
    for number, line in enumerate(text.split("\n"), 1):
        if name.endswith("CHANGELOG.md") and line.startswith("## "):
            is_released = re.search(r"\d{4}-\d\d-\d\d", line) is not None
        if not is_released:
            yield number, line


def find(name, text):
    """Yields the number and the text of each line with a violation, the word and the advice."""
    joined, starts = "", []
    for number, line in lines_to_check(name, text):
        starts.append((len(joined), number, line))
        joined += LEADER.sub("", line, count=1).rstrip() + " "
    for pattern, advice in PATTERNS:
        for match in pattern.finditer(joined):
            start = [entry for entry in starts if entry[0] <= match.start()][-1]
            yield start[1], start[2], match.group(0), advice


def check(names, exceptions=(), root="."):
    """Returns the violations in the files, and the exceptions that were needed."""
    violations, needed = [], set()
    for name in names:
        try:
            with open(os.path.join(root, name), encoding="utf-8") as source:
                text = source.read()
        except UnicodeDecodeError:
            continue
        for number, line, word, advice in sorted(find(name, text)):
            for exception in exceptions:
                if exception[0] == name and re.search(exception[1], line):
                    needed.add(exception)
                    break
            else:
                violations.append((name, number, f"{word}: write {advice}"))
    return violations, needed


# --- self-test --------------------------------------------------------------------------------------------------------

# A text, and the words that are found in it.
CASES = [
    ("There is no server. It is no longer there, and there is none. if x is None", []),
    ("take_room(bedrooms, outdoor, Mendel), recommend, household", []),
    ("holds the lock; a file that holds 3 bytes; it is told_by() none of us", []),
    (" * there\n * is no server", []),
    ("/* a signal handler was called meanwhile */", ["meanwhile"]),
    ("It is mended.", ["mended"]),
    ("the path is no directory", ["is no directory"]),
    ("a component is none", ["is none"]),
    ("// who is told\n// of it", ["told of"]),
    ("what it tells", ["tells"]),
    ("The size is told.", ["is told"]),
    ("Room for 253", ["Room"]),
    ("the rooms behind a door, two doors", ["rooms", "door", "doors"]),
    ("one segment", ["segment"]),
    ("without patience", ["patience"]),
    ("a tenant, since its birth", ["tenant", "birth"]),
    ("drops its hold of the server", ["its hold"]),
    ("a holder", ["holder"]),
    ("the company of a message", ["company"]),
    ("what\n# comes along", ["comes along"]),
    ("on every floor of the house", ["floor", "house"]),
    ("is taken for a directory", ["taken for"]),
    ("gives up, hands out", ["gives up", "hands out"]),
    ("whoever judges it", ["whoever", "judges"]),
]


def self_test():
    failures = 0
    for text, expected in CASES:
        found = sorted(word.replace("\n", " ") for _, _, word, _ in find("file.c", text))
        if found != sorted(expected):
            print(f"self-test: {text!r}: expected {expected}, found {found}", file=sys.stderr)
            failures += 1
    exception = ("CHANGELOG.md", "a door", "a test")
    for heading in ("## [Unreleased]", "## [1.1.0] - unreleased"):
        changelog = f"{heading}\na door\n## [1.0.0] - 2000-01-01\na room\n"
        with tempfile.TemporaryDirectory() as directory:
            with open(os.path.join(directory, "CHANGELOG.md"), "w", encoding="utf-8") as output:
                output.write(changelog)
            for exceptions, expected in ((), [("CHANGELOG.md", 2)]), ((exception,), []):
                violations, needed = check(["CHANGELOG.md"], exceptions, directory)
                if [violation[:2] for violation in violations] != expected or needed != set(exceptions):
                    print(f"self-test: {changelog!r} with {exceptions}: found {violations}", file=sys.stderr)
                    failures += 1
    total = len(CASES) + 4
    print(f"check-words.py: self-test: {total - failures} of {total} examples as expected")
    return failures == 0


def main():
    arguments = sys.argv[1:]
    if arguments == ["--self-test"]:
        return 0 if self_test() else 1
    if arguments and arguments[0].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    names = arguments
    if not arguments:
        os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
        listed = subprocess.run(["git", "ls-files", "-z"], stdout=subprocess.PIPE, check=False).stdout.decode()
        names = [name for name in listed.split("\0") if name and os.path.isfile(name) and not UNCHECKED.match(name)]
        if not names:
            print("check-words.py: git lists no files", file=sys.stderr)
            return 2
    violations, needed = check(names, EXCEPTIONS)
    if not arguments:
        violations += [
            ("tools/check-words.py", 0, f"exception not needed: {name}: {pattern}")
            for name, pattern, _ in EXCEPTIONS
            if not any(entry[:2] == (name, pattern) for entry in needed)
        ]
    for name, number, text in violations:
        print(f"{name}:{number}: {text}")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
