#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints the error numbers that the comments of the headers list for each function: a line "FUNCTION NUMBER" for each,
and "FUNCTION others" if other system errors, which no comment can foresee, are possible. If a function refers to the
errors of another function, these are included.

Usage: errors.py INCLUDE-DIRECTORY...
"""
import errno
import re
import sys

from headers import read_headers

OWN = re.compile(r"#define (MM_E[A-Z]+)\s+(\d+)")


def main(*directories):
    headers = [header for directory in directories for header in read_headers(directory)]
    functions = {name: function for header in headers for name, function in header.functions.items()}
    numbers = {name: int(number) for header in headers for name, number in OWN.findall(header.source)}

    def number_of(name, where):
        number = numbers.get(name, getattr(errno, name, None))
        if number is None:
            raise SystemExit(f"errors: {where}: {name} is not an errno value")
        return number

    def listed_for(function, seen):
        found = set()
        for names, _ in function.errors:
            for name in names.split(", "):
                found.add(name if name == "others" else number_of(name.rstrip("."), function.name))
        for others, _ in function.like:
            for other in others:
                if other not in functions:
                    raise SystemExit(f"errors: {function.name}: {other}() does not exist")
                if other not in seen:
                    found |= listed_for(functions[other], seen | {other})
        return found

    for name, function in sorted(functions.items()):
        for number in sorted(listed_for(function, {name}), key=str):
            print(name, number)


main(*sys.argv[1:])
