#!/usr/bin/env python3
"""Prints which error numbers the comments of the headers name for each function: a line "FUNCTION NUMBER" for each, and
"FUNCTION others" where a number of the system that no comment can foresee is possible.

"as by mm_other()", in the text behind "Return:" or in that of "others", stands for what is named for that function.

Usage: errors.py INCLUDE-DIRECTORY
"""
import errno
import re
import sys

from headers import read_headers

OWN = re.compile(r"#define (MM_E[A-Z]+)\s+(\d+)")
REFERENCE = re.compile(r"\bas(?: by| in)? (mm_\w+\(\)(?:(?:,| and|, and) mm_\w+\(\))*)")


def main(directory):
    headers = read_headers(directory)
    functions = {name: function for header in headers for name, function in header.functions.items()}
    numbers = {name: int(number) for header in headers for name, number in OWN.findall(header.source)}

    def number_of(name, where):
        number = numbers.get(name, getattr(errno, name, None))
        if number is None:
            raise SystemExit(f"errors: {where}: {name} is not an error")
        return number

    def named_for(function, seen):
        found = set()
        texts = [function.returns, function.notes]
        for names, text in function.errors:
            if names != "others":
                found |= {number_of(name.rstrip("."), function.name) for name in names.split(", ")}
            elif REFERENCE.search(text) or "mm_" in text:
                texts.append(text.replace(", or by ", ", ").replace(" or by ", ", "))
            else:
                found.add("others")
        for text in texts:
            for references in REFERENCE.findall(text):
                for name in re.findall(r"mm_\w+", references):
                    if name not in seen:
                        found |= named_for(functions[name], seen | {name})
        return found

    for name, function in sorted(functions.items()):
        for number in sorted(named_for(function, {name}), key=str):
            print(name, number)


main(sys.argv[1])
