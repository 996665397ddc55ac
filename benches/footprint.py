#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures the size of the library on disk and in memory, and the start-up time that it adds.

usage: footprint.py LIBRARY STARTER WITH WITHOUT TSV

LIBRARY is first copied and stripped. STARTER is benches/footprint.c, which starts WITH and WITHOUT, the same empty
program linked with and without the library. Prints Markdown, and writes tab-separated values.
"""
import os
import re
import statistics
import subprocess
import sys
import tempfile


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


def sections(library):
    """Names and sizes of the loaded sections, the largest first."""
    found = []
    for line in output("readelf", "--wide", "--section-headers", library).splitlines():
        match = re.match(r"\s*\[ *\d+\] (\.\S+)\s+(\S+)\s+\S+ \S+ (\S+) \S+\s+([A-Z]*)", line)
        if match and "A" in match[4]:
            found.append((match[1], match[2], int(match[3], 16)))
    return sorted(found, key=lambda section: -section[2])


def relocations(library):
    """Relocations by kind. Packed relocations (RELR) are counted as the number that readelf reports, not as table entries."""
    kinds = {}
    for line in output("readelf", "--wide", "--relocs", library).splitlines():
        match = re.match(r"[0-9a-f]{8,}\s+[0-9a-f]{8,}\s+(R_\S+)", line)
        if match:
            kinds[match[1]] = kinds.get(match[1], 0) + 1
    return sorted(kinds.items(), key=lambda kind: -kind[1])


def private_memory(program):
    """Private memory of the program in KiB; the median over several runs, since the memory layout varies."""
    return statistics.median(int(output(program, "report")) for _ in range(21))


def main():
    library, starter, with_it, without_it, tsv_path = sys.argv[1:]
    rows = []

    def row(what, value, unit):
        rows.append(f"{what}\t{value}\t{unit}")
        return f"| {what} | {value} {unit} |"

    with tempfile.TemporaryDirectory() as scratch:
        stripped = os.path.join(scratch, "library.so")
        subprocess.run(["strip", "--strip-unneeded", "-o", stripped, library], check=True)
        print("| on disk | |\n|---|---|")
        print(row("the library, stripped", f"{os.path.getsize(stripped) / 1024:.1f}", "KiB"))
        rest = 0
        for name, kind, size in sections(stripped):
            # .bss and .tbss take no space in the file.
            if size >= 1024 and kind != "NOBITS":
                print(row(f"of which {name}", f"{size / 1024:.1f}", "KiB"))
            elif kind != "NOBITS":
                rest += size
        print(row("of which smaller sections", f"{rest / 1024:.1f}", "KiB"))
        for kind, count in relocations(stripped):
            print(row(f"relocations {kind}", count, ""))
    memory = [private_memory(program) for program in (with_it, without_it)]
    print("\n| in an empty program | |\n|---|---|")
    print(row("private memory with the library", f"{memory[0]:g}", "KiB"))
    print(row("private memory without it", f"{memory[1]:g}", "KiB"))
    print(row("private memory added", f"{memory[0] - memory[1]:g}", "KiB"))
    slow, fast, ratio = output(starter, with_it, without_it).split()
    print(row("start to end with the library", slow, "ms"))
    print(row("start to end without it", fast, "ms"))
    print(row("start-up added", f"{float(slow) - float(fast):.4f}", "ms"))
    print(row("ratio of the two", ratio, ""))
    with open(tsv_path, "w", encoding="utf-8") as file:
        file.write("what\tvalue\tunit\n" + "\n".join(rows) + "\n")


main()
