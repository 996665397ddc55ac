#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The HTML manual, without a browser: each page is well formed, every link resolves, each exported function is in the
index and found by the search, with its title, and nothing outside the manual is referred to.

usage: check-html.py MANUAL MAP...
       check-html.py --self-test MANUAL MAP...     damages copies of the manual, and fails if a damage is not detected
"""
import json
import re
import shutil
import sys
import tempfile
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

VOID = {"br", "hr", "img", "input", "link", "meta"}
# Elements that cannot be nested in an element of the same name.
SINGLE = {"a", "p", "h1", "h2", "h3", "h4", "button", "form"}
ADDRESSES = {"href", "src", "action", "srcset", "poster", "data"}
EXTERNAL = re.compile(r"(?:\b[a-z][a-z0-9+.-]*:)?//|@import|\burl\(|\b(?:data|javascript|mailto):", re.I)


class Page(HTMLParser):
    def __init__(self, path):
        super().__init__(convert_charrefs=True)
        self.wrong, self.ids, self.links, self.open, self.meta = [], set(), [], [], {}
        self.definitions, self.kind = [], None
        text = path.read_text(encoding="utf-8")
        if not text.startswith("<!DOCTYPE html>\n"):
            self.wrong.append("has no document type")
        self.feed(text)
        self.close()
        if self.open:
            self.wrong.append(f"does not close <{self.open[-1]}>")
        if "width=device-width" not in self.meta.get("viewport", ""):
            self.wrong.append("has no viewport for phones")

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if len(attributes) != len(attrs):
            self.wrong.append(f"has an attribute of <{tag}> twice")
        if tag in SINGLE & set(self.open):
            self.wrong.append(f"has <{tag}> inside <{tag}>")
        if tag == "style" or any(name == "style" or name.startswith("on") for name in attributes):
            self.wrong.append(f"has a style or a script in <{tag}>")
        if tag == "script" and "src" not in attributes:
            self.wrong.append("has a script of its own")
        if "id" in attributes:
            if attributes["id"] in self.ids or not attributes["id"]:
                self.wrong.append(f"has the id '{attributes['id']}' twice, or empty")
            self.ids.add(attributes["id"])
        if tag == "a" and "href" not in attributes:
            self.wrong.append("has a link to nothing")
        self.links += [attributes[name] or "" for name in sorted(ADDRESSES & set(attributes))]
        if tag == "meta":
            self.meta[attributes.get("name", "")] = attributes.get("content", "")
        if tag in ("dt", "dd"):
            self.kind = tag
            if tag == "dt":
                self.definitions.append(["", "", None])
        if tag == "a" and self.kind == "dt":
            self.definitions[-1][2] = attributes.get("href")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.wrong.append(f"closes <{tag}>, which is not the last that is open")
        else:
            self.open.pop()
        if tag in ("dt", "dd"):
            self.kind = None

    def handle_data(self, data):
        if self.kind and self.definitions:
            self.definitions[-1][self.kind == "dd"] += data
        if data.strip() and not self.open:
            self.wrong.append("has text that is not in an element")


def check(manual, names):
    """All problems, one sentence each."""
    wrong = []
    pages = {path.name: Page(path) for path in sorted(manual.glob("*.html"))}
    files = {path.name for path in manual.iterdir()}

    def check_link(where, address):
        file, fragment = urldefrag(address)
        if EXTERNAL.search(address):
            wrong.append(f"{where} refers to something outside the manual: {address}")
        elif (file and file not in files) or not address:
            wrong.append(f"{where} links to '{address}', which does not exist")
        elif fragment:
            page = pages.get(file or where)
            if not page or unquote(fragment) not in page.ids:
                wrong.append(f"{where} links to '{address}', which has no such anchor")

    for name, page in pages.items():
        wrong += [f"{name} {what}" for what in page.wrong]
        for address in page.links:
            check_link(name, address)
    for name in ("style.css", "search.js"):
        code = re.sub(r"^\s*// .*$", "", (manual / name).read_text(encoding="utf-8"), flags=re.M)
        if found := EXTERNAL.search(code):
            wrong.append(f"{name} refers to something outside the manual: {found.group(0)}")
    index = (manual / "search-index.js").read_text(encoding="utf-8")
    rows = json.loads(index[index.index("["):index.rindex("]") + 1])
    for _, _, place in rows:
        check_link("search-index.js", place)
    if len({row[0] for row in rows}) != len(rows):
        wrong.append("search-index.js has a name twice")
    documented = {path.name: re.findall(r'class="Nm">(?:<a [^>]*>)?(\w+)<', path.read_text(encoding="utf-8"))
                  for path in manual.glob("*.html")}
    listed = {name: (title, place) for name, title, place in pages["index.html"].definitions}
    found = {name: (title, place) for name, title, place in rows}
    for name in names:
        for where, entries in (("the index", listed), ("the search index", found)):
            title, place = entries.get(f"{name}()", ("", None))
            if not title.strip() or not place:
                wrong.append(f"{where} has no {name}() with its title")
            elif name not in documented.get(urldefrag(place)[0], ()):
                wrong.append(f"{where} has another page for {name}()")
    if "int main(" not in (manual / "index.html").read_text(encoding="utf-8"):
        wrong.append("index.html has no program")
    return pages, wrong


def self_test(manual, names):
    """Damages copies of the manual. Each entry: file, text to replace, replacement, a part of the expected message."""
    link, code = 'href="mm_open.3.html"', '<a href="mm_open.3.html"><code>mm_open()</code></a>'
    damages = [
        ("index.html", link, 'href="mm_opened.3.html"', "does not exist"),
        ("index.html", 'href="mm_stat.3.html#mm_fstat"', 'href="mm_stat.3.html#mm_astat"', "no such anchor"),
        ("index.html", code, "<code>mm_open()</code>", "the index has no mm_open()"),
        ("index.html", code, '<a href="mm_close.3.html"><code>mm_open()</code></a>', "another page"),
        ("index.html", "<dd>open a file", "<dd>", "the index has no mm_open()"),
        ("index.html", 'href="style.css"', 'href="https://example.org/style.css"', "outside"),
        ("index.html", 'src="search.js"', 'src="//example.org/search.js"', "outside"),
        ("index.html", "int main(", "int entry(", "no program"),
        ("index.html", "</dl>", "", "not the last"),
        ("index.html", 'href="mm_getenv.3.html#mm_setenv"', 'href="mm_getenv.3.html#mm_putenv"', "no such anchor"),
        ("mm_open.3.html", "</body>\n</html>", "", "does not close"),
        ("mm_open.3.html", "<main>", '<main onclick="x()">', "script"),
        ("mm_open.3.html", 'name="viewport"', 'name="view"', "viewport"),
        ("mm_open.3.html", 'id="SYNOPSIS"', 'id="DESCRIPTION"', "twice"),
        ("style.css", "body {", "body { background: url(x.png);", "outside"),
        ("search.js", "var LIMIT", 'fetch("https://example.org"); var LIMIT', "outside"),
        ("search-index.js", '["mm_open()"', '["mm_opened()"', "the search index has no mm_open()"),
        ("search-index.js", '"mm_open.3.html"', '"mm_opened.3.html"', "does not exist"),
    ]
    missed = 0
    for file, old, new, word in damages:
        with tempfile.TemporaryDirectory() as scratch:
            copy = Path(scratch) / "html"
            shutil.copytree(manual, copy)
            text = (copy / file).read_text(encoding="utf-8")
            if old.startswith("<dd>"):
                old = re.search(r"mm_open\(\)</code></a></dt>(<dd>[^<]*)", text).group(1)
            if old not in text:
                sys.exit(f"html: self-test: {file} has no {old}")
            (copy / file).write_text(text.replace(old, new, 1), encoding="utf-8")
            if not any(word in sentence for sentence in check(copy, names)[1]):
                print(f"html: self-test: {file} with {new!r} for {old!r} is not detected")
                missed += 1
    if missed:
        sys.exit(1)


def main():
    arguments = sys.argv[1:]
    is_self_test = arguments[:1] == ["--self-test"]
    manual, *version_maps = map(Path, arguments[is_self_test:])
    names = [name for version_map in version_maps
             for name in re.findall(r"^ *(_?mm_\w+);$", version_map.read_text(encoding="utf-8"), re.M)]
    if is_self_test:
        return self_test(manual, names)
    pages, wrong = check(manual, names)
    for sentence in wrong:
        print(f"html: {sentence}")
    if wrong:
        sys.exit(1)
    print(f"html: {len(pages)} pages, {sum(len(page.links) for page in pages.values())} links, {len(names)} functions")


if __name__ == "__main__":
    main()
