#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts the instructions of one mm_ipc_sendmsg and one mm_ipc_recvmsg in user space, by function.

usage: instructions.py PROGRAM TSV

Runs benches/instructions.c under valgrind's callgrind, which counts from the first instruction of the function to
its return, including all functions that it calls and excluding its caller. The results of two runs with different
numbers of messages are subtracted, which removes one-time costs such as symbol lookup. Prints a Markdown table for each
function, and one of the sums for other kinds of messages, and writes the same as tab-separated values.
"""
import os
import subprocess
import sys
import tempfile
from collections import Counter

ENTRY_POINTS = ("mm_ipc_sendmsg", "mm_ipc_recvmsg")
FEW, MANY = 100, 1100
USUAL_KIND = "stack"
KINDS = {
    USUAL_KIND: "one buffer, array on the stack",
    "static": "one buffer, static array",
    "buffers": "8 buffers",
    "descriptor": "one descriptor",
}


def count(program, entry_point, threads, kind, messages):
    """Instructions of all calls of the entry point in one run, by object and function."""
    with tempfile.TemporaryDirectory() as scratch:
        out = os.path.join(scratch, "callgrind.out")
        command = ["valgrind", "--tool=callgrind", "-q", "--collect-atstart=no", "--toggle-collect=" + entry_point,
                   "--skip-plt=no", "--compress-strings=no", "--compress-pos=no", "--callgrind-out-file=" + out,
                   program, str(messages), str(threads), kind]
        subprocess.run(command, check=True, timeout=120, env={**os.environ, "LD_BIND_NOW": "1"})
        with open(out, encoding="utf-8") as file:
            return parse(file)


def parse(lines):
    """Adds up the self cost of each function; the line after `calls=` contains the cost of the callee and is skipped."""
    costs = Counter()
    library = function = ""
    is_call = False
    for line in lines:
        line = line.rstrip("\n")
        key, equals, value = line.partition("=")
        if key == "ob" and equals:
            library = os.path.basename(value)
        elif key == "fn" and equals:
            function = value
        elif key == "calls" and equals:
            is_call = True
        elif line[:1].isdigit():
            if not is_call:
                costs[library, function] += int(line.split()[-1])
            is_call = False
    return costs


def per_message(program, entry_point, threads, kind):
    few, many = (count(program, entry_point, threads, kind, messages) for messages in (FEW, MANY))
    many.subtract(few)
    return {place: cost / (MANY - FEW) for place, cost in many.items() if cost}


def short(library, function):
    """A name for the table. callgrind identifies code without a symbol, such as a PLT, by its address."""
    if library.startswith("libc.so"):
        return "glibc: " + function.split("'")[0]
    function = function.split("'")[0]
    if function.startswith("0x"):
        return f"PLT of {library}"
    return function


def main():
    program, tsv_path = sys.argv[1:]
    rows = ["entry_point\tkind\tthreads\tfunction\tinstructions"]
    for entry_point in ENTRY_POINTS:
        one, two = ({}, {})
        for found, threads in ((one, 1), (two, 2)):
            for (library, function), cost in per_message(program, entry_point, threads, USUAL_KIND).items():
                name = short(library, function)
                found[name] = found.get(name, 0) + cost
        # callgrind would count nothing if it did not find the entry point.
        if not one or not two:
            sys.exit(f"no instruction of {entry_point} was counted")
        names = sorted({*one, *two}, key=lambda name: (name != entry_point, name.startswith("glibc"), -one.get(name, 0)))
        print(f"| {entry_point} | one thread | two threads |\n|---|---|---|")
        for name in names:
            print(f"| {name} | {one.get(name, 0):g} | {two.get(name, 0):g} |")
        print(f"| **all** | **{sum(one.values()):g}** | **{sum(two.values()):g}** |\n")
        for threads, found in ((1, one), (2, two)):
            rows += [f"{entry_point}\t{USUAL_KIND}\t{threads}\t{name}\t{found.get(name, 0):g}" for name in names]
            rows.append(f"{entry_point}\t{USUAL_KIND}\t{threads}\tall\t{sum(found.values()):g}")
    print("| one thread | " + " | ".join(ENTRY_POINTS) + " |\n|---|---|---|")
    for kind, description in KINDS.items():
        sums = [sum(per_message(program, entry_point, 1, kind).values()) for entry_point in ENTRY_POINTS]
        print(f"| {description} | " + " | ".join(f"{total:g}" for total in sums) + " |")
        if kind != USUAL_KIND:
            rows += [f"{entry_point}\t{kind}\t1\tall\t{total:g}" for entry_point, total in zip(ENTRY_POINTS, sums)]
    with open(tsv_path, "w", encoding="utf-8") as file:
        file.write("\n".join(rows) + "\n")


main()
