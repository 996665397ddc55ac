#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares the argument parser with its model, for random definitions and command lines.

Usage: check.py DRIVER [CASES [SEED]]. Prints the first case that differs, reduced, and its seed.
"""

import collections
import copy
import dataclasses
import os
import random
import re
import subprocess
import sys
import tempfile

from argparse_model import COMPLETE, INT, NEEDVAL, NOVAL, OPTVAL, UINT, Case, Option, predict
from random_cases import Drawer

CHUNK = 500  # cases of one run of the driver


def encoded(text):
    if text is None:
        return "~"
    return "=" + "".join(chr(b) if 0x20 < b < 0x7F and b != 0x25 else f"%{b:02x}" for b in text)


def decoded(text):
    if text == "~":
        return None
    assert text.startswith("="), text
    return re.sub(rb"%(..)", lambda match: bytes([int(match.group(1), 16)]), text[1:].encode())


def request(case):
    """A case as a line of the driver's input."""
    if case.kind == "f":
        return f"f {encoded(case.path)} {case.types} {case.path_mode}"
    fields = [case.kind, case.flags, encoded(case.execname), encoded(case.doc), encoded(case.args_doc)]
    fields += [case.has_callback, case.help_completion, len(case.options) if case.num_opt is None else case.num_opt]
    for option in case.options:
        fields += [encoded(option.name), option.flags, encoded(option.defval), encoded(option.desc), option.is_stored]
        fields += [option.result, option.completion]
    fields += [len(case.argv) if case.argc is None else case.argc, len(case.argv), *map(encoded, case.argv)]
    return " ".join(map(str, fields))


def in_order(result, out):
    return b"".join(sorted(out.splitlines(keepends=True))) if result.is_in_any_order else out


def expected(case):
    """What the driver must answer; a list of lines, one for each fact."""
    result = predict(case)
    kinds = {i: option.type for i, option in enumerate(case.options)}

    def show(value, kind):
        return encoded(value) if kind == 0 else str(value)

    facts = []
    for entry in result.log:  # either all are paths, or none
        if entry[0] == "path":
            facts.append(f"path {encoded(entry[1])} {encoded(entry[2])} {entry[3]}")
        else:
            _, index, state, value = entry
            facts.append(f"call {index} {state} {show(value, 0 if state else kinds.get(index, 0))}")
    facts = sorted(facts) if case.kind == "f" else facts
    facts += [f"stored {index} {show(value, kinds[index])}" for index, value in sorted(result.stored.items())]
    how = f"end return {result.returned}" if result.returned is not None else "end exit 0"
    facts.append(f"{how} {result.errno} {result.error}")
    if result.status is not None:
        facts.append(f"status {result.status}")
    return facts + [f"out {in_order(result, result.out)}", f"err {result.err}"], result


def found(reply, result):
    """The same of a line of the driver's output."""
    fields = reply.split(" ")[1:]
    facts, lengths = [], {"path": 4, "call": 4, "stored": 3, "end": 5, "status": 2, "out": 2, "err": 2}
    while fields:
        length = lengths[fields[0]]
        fact, fields = fields[:length], fields[length:]
        if fact[0] == "end" and result.errno is None:
            fact[3] = "None"
        if fact[0] == "out":
            fact[1] = str(in_order(result, decoded(fact[1])))
        if fact[0] == "err":
            fact[1] = str(decoded(fact[1]))
        facts.append(" ".join(fact))
    count = sum(fact.startswith("path ") for fact in facts)
    return sorted(facts[:count]) + facts[count:]


class Runner:
    def __init__(self, driver):
        self.driver = os.path.abspath(driver)
        self.environment = {k: v for k, v in os.environ.items() if k != "MMLIB_CMD_COMPLETION"}
        self.environment["LC_ALL"] = "C"
        self.kinds = collections.Counter()

    def run(self, cases):
        """The first case that differs, what is expected, and what was found."""
        text = "".join(request(case) + "\n" for case in cases)
        run = subprocess.run([self.driver], input=text.encode(), stdout=subprocess.PIPE, env=self.environment, check=False)
        replies = run.stdout.decode().splitlines()
        for i, case in enumerate(cases):
            facts, result = expected(case)
            actual = found(replies[i], result) if i < len(replies) else [f"the driver ended with status {run.returncode}"]
            self.kinds[kind_of(case, result)] += 1
            if facts != actual:
                return case, facts, actual
        return None


def smaller(case):
    """Cases that are a little smaller."""
    for name in ("options", "argv"):
        for i in range(len(getattr(case, name))):
            if name == "argv" and i == 0:
                continue
            other = copy.deepcopy(case)
            del getattr(other, name)[i]
            yield other
    for target in [case, *case.options, None]:
        if target is None:
            break
        position = None if target is case else case.options.index(target)
        for attribute in dataclasses.fields(target):
            value = getattr(target, attribute.name)
            default = attribute.default
            candidates = [default] if default is not dataclasses.MISSING and attribute.name != "kind" else []
            if isinstance(value, bytes) and attribute.name != "name":
                candidates += [value[: len(value) // 2], value[len(value) // 2 :], value[1:], value[:-1]]
            for candidate in candidates:
                if candidate == value:
                    continue
                other = copy.deepcopy(case)
                setattr(other if position is None else other.options[position], attribute.name, candidate)
                yield other


def size_of(case):
    """What reduction must decrease."""
    text = 0
    for target in [case, *case.options]:
        for attribute in dataclasses.fields(target):
            value = getattr(target, attribute.name)
            text += len(value) if isinstance(value, bytes) else value != attribute.default
    return (len(case.options) + len(case.argv), text)


def reduce(runner, difference):
    is_smaller = True
    while is_smaller:
        is_smaller = False
        for other in smaller(difference[0]):
            if size_of(other) < size_of(difference[0]):
                result = runner.run([other])
                if result is not None:
                    difference, is_smaller = result, True
                    break
    return difference


def check_model():
    """The model gives the output that mmlib is known to print."""
    options = [
        Option(b"n|count", NEEDVAL | UINT, desc=b"Run @NUM times."),
        Option(b"quiet", NOVAL, desc=b"No output"),
        Option(b"o|output", OPTVAL, desc=b"Write the result to @FILE, which is replaced when it exists already."),
        Option(b"size-of-the-cache", NEEDVAL | INT),
        Option(b"k", NOVAL),
        Option(b"mail", NEEDVAL, desc=b"mail user@HOST, see @HOST-A. @HOST-A is @HOST"),
    ]
    case = Case("p", doc=b"Does the work.", args_doc=b"[options] FILE\n--list", options=options, argv=[b"tool", b"-h"])
    known = (
        "Usage:\n  tool [options] FILE\n  tool --list\n\nDoes the work.\n\n\nOptions:\n"
        "  -n NUM, --count=NUM         Run NUM times. NUM must be a non negative\n"
        "                              integer.\n"
        "  --quiet                     No output\n"
        "  -o [FILE], --output[=FILE]  Write the result to FILE, which is replaced when\n"
        "                              it exists already.\n"
        "  --size-of-the-cache=VALUE   VALUE must be an integer.\n"
        "  -k                          \n"
        "  --mail=HOST-A               mail user@HOST, see HOST-A. HOST-A is @HOST\n"
        "  -h, --help                  print this message and exit\n"
    )
    assert predict(case).out.decode() == known, predict(case).out.decode()


def kind_of(case, result):
    """What a case tests, for the summary."""
    if case.kind == "f":
        return "paths"
    if result.status is not None and result.returned is None:
        return "exits"
    if result.returned == COMPLETE:
        return "completions"
    return "help" if b"Options:" in result.out else "errors" if (result.returned or 0) < 0 else "parses"


def make_tree():
    """The files of the current directory, whose parent is not shared with other programs."""
    os.mkdir("tree")
    os.chdir("tree")
    os.makedirs("adir/sub")
    os.mkdir("adir/sub-2")
    os.mkdir(".hidden-dir")
    for name in ("adir/same", "adir/.hidden", "adir/sub/x", "file", "afile", ".hidden", "with blank", b"\xff-byte", "a"):
        with open(name, "x", encoding="ascii"):
            pass
    os.mkfifo("a-fifo")
    os.symlink("adir", "link-to-dir")
    os.symlink("file", "link-to-file")
    os.symlink("nothing", "link-to-nothing")
    os.symlink("a-fifo", "link-to-fifo")
    os.symlink("link-loop", "link-loop")


def main():
    driver = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 2000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.SystemRandom().randrange(1 << 32)
    print(f"argparse: {count} cases, seed {seed}", flush=True)
    check_model()
    drawer = Drawer(random.Random(seed))
    runner = Runner(driver)
    with tempfile.TemporaryDirectory(prefix="mmlib-model-") as directory:
        os.chdir(directory)
        make_tree()
        for first in range(0, count, CHUNK):
            difference = runner.run([drawer.case() for _ in range(min(CHUNK, count - first))])
            if difference is None:
                continue
            case, facts, actual = reduce(runner, difference)
            print(f"{case}\ninput of the driver: {request(case)}")
            print("expected:", *facts, sep="\n    ")
            print("found:", *actual, sep="\n    ")
            os.chdir("/")
            sys.exit(1)
        os.chdir("/")
    summary = ", ".join(f"{number} {kind}" for kind, number in sorted(runner.kinds.items()))
    print(f"argparse: as the model predicts: {summary}")


if __name__ == "__main__":
    main()
