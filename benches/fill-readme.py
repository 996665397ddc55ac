#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Inserts the tables of the last `make bench` into a document.

usage: fill-readme.py DOCUMENT DIRECTORY

The text between `<!-- bench NAME -->` and `<!-- end -->` is replaced by DIRECTORY/NAME.md.
"""
import os
import re
import sys


def main():
    document, directory = sys.argv[1:]
    with open(document, encoding="utf-8") as file:
        text = file.read()

    def fill(mark):
        with open(os.path.join(directory, mark[1] + ".md"), encoding="utf-8") as file:
            return f"<!-- bench {mark[1]} -->\n{file.read().strip()}\n<!-- end -->"

    text = re.sub(r"<!-- bench (\w+) -->\n.*?<!-- end -->", fill, text, flags=re.DOTALL)
    with open(document, "w", encoding="utf-8") as file:
        file.write(text)


main()
