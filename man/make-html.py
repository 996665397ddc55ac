#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the manual as HTML: a page for each manual page, an index by header, and a search box.

usage: make-html.py SOURCES OUTPUT

mandoc formats the pages. Its output is read into a tree and changed there: references to pages of this manual
become links, others become plain text, and each function, structure, constant and environment variable gets an anchor
with its name. The index lists the functions of both libraries in the order of the headers, under their banners. A
banner is a comment of three lines with text in the second. Pages that only link to another page (.so) have no file.

The first page shows the first paragraph of README.md, its program (the first block of C) and the commands that follow.

The output depends on the sources and on mandoc alone, not on the time, the locale or the names of directories.
"""
import html
import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

from headers import joined, read_headers, unstarred

# The directories of each library, and its headers.
LIBRARIES = {
    "libmmsysio": ("man", "include", ("mmsysio.h", "mmipc.h", "mmerrno.h", "mmlog.h", "mmtime.h", "mmpredefs.h")),
    "libmmlib": ("mmlib/man", "mmlib/include", ("mmlib.h", "mmthread.h", "mmargparse.h", "mmdlfcn.h", "mmprofile.h")),
}
HEADERS = [name for _, _, names in LIBRARIES.values() for name in names]
VOID = {"br", "hr", "img", "input", "link", "meta"}
NAME = re.compile(r"_?mm_\w+")


class Node:
    """An element. Its children are elements and strings, which are not escaped yet."""

    def __init__(self, tag, attributes=(), children=()):
        self.tag, self.attributes, self.children = tag, dict(attributes), list(children)

    @property
    def classes(self):
        return (self.attributes.get("class") or "").split()

    def elements(self):
        """All elements below this one, in order."""
        for child in self.children:
            if isinstance(child, Node):
                yield child
                yield from child.elements()

    def text(self):
        return "".join(child if isinstance(child, str) else child.text() for child in self.children)

    def render(self):
        inner = "".join(html.escape(child, quote=False) if isinstance(child, str) else child.render()
                        for child in self.children)
        if not self.tag:
            return inner
        attributes = "".join(f' {name}="{html.escape(value or "")}"' for name, value in self.attributes.items())
        return f"<{self.tag}{attributes}>" + ("" if self.tag in VOID else f"{inner}</{self.tag}>")


class Reader(HTMLParser):
    """Reads HTML into a tree."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.root = Node("")
        self.open = [self.root]
        self.feed(text)
        self.close()
        if len(self.open) != 1:
            raise SystemExit(f"html: mandoc does not close <{self.open[-1].tag}>")

    def handle_starttag(self, tag, attrs):
        node = Node(tag, attrs)
        self.open[-1].children.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_startendtag(self, tag, attrs):
        self.open[-1].children.append(Node(tag, attrs))

    def handle_endtag(self, tag):
        if tag not in VOID and self.open.pop().tag != tag:
            raise SystemExit(f"html: mandoc closes <{tag}>, which is not open")

    def handle_data(self, data):
        self.open[-1].children.append(data)


class Page:
    """A manual page: the output of mandoc, the names that it documents, and its anchors."""

    def __init__(self, path):
        self.name, self.section = path.stem, path.suffix[1:]
        self.file = f"{path.name}.html"
        output = subprocess.run(["mandoc", "-Thtml", "-O", "fragment", str(path)], check=True, capture_output=True)
        self.tree = Reader(output.stdout.decode("utf-8")).root
        self.tree.children = [child for child in self.tree.children if "manual-text" in getattr(child, "classes", ())]
        if not self.tree.children:
            raise SystemExit(f"html: mandoc prints no text for {path.name}")
        nodes = list(self.tree.elements())
        self.names = [joined(node.text()) for node in nodes if node.tag == "code" and "Nm" in node.classes]
        self.names = list(dict.fromkeys(self.names))
        self.title = next(joined(node.text()) for node in nodes if "Nd" in node.classes)
        # Anchors, and (name, description, anchor) of the search entries other than functions.
        self.anchors, self.found = set(), []
        self.tree = self.cleaned(self.tree)[0]
        for node in self.tree.elements():
            if node.tag in ("h2", "h3"):
                self.name_heading(node)
        self.name_terms()

    def cleaned(self, node):
        """The nodes that replace a node: without mandoc's anchors, empty elements and line breaks of the source."""
        if isinstance(node, str):
            return [node]
        if node.tag == "pre":
            return [Node("pre", {}, [node.text()])]
        children = [new for child in node.children for new in self.cleaned(child)]
        if "permalink" in node.classes:
            return children
        if node.tag in ("p", "dd") and not node.text().strip():
            return []
        node.children = [re.sub(r"\s+", " ", child) if isinstance(child, str) else child for child in children]
        node.attributes.pop("id", None)
        # mandoc begins with <h1> for each section; here that is the title of the page.
        node.tag = {"h1": "h2", "h2": "h3"}.get(node.tag, node.tag)
        return [node]

    def anchor(self, node, name):
        if name in self.anchors:
            return False
        self.anchors.add(name)
        node.attributes["id"] = name
        return True

    def name_heading(self, node):
        text = joined(node.text())
        functions = re.match(r"(?:_?mm_\w+\(\)(?:, )?)*", text).group(0)
        names = NAME.findall(functions)
        if names:
            self.anchor(node, names[0])
            node.children = [Node("span", {"id": name}) for name in names[1:]] + node.children
            self.anchors.update(names[1:])
            return
        slug = re.sub(r"\W+", "_", text).strip("_")
        self.anchor(node, slug)
        if node.tag == "h3" and text.startswith(("struct ", "union ", "enum ", "mm_")):
            self.found.append((text, "", slug))
        elif node.tag == "h3" and self.section == "7":
            self.found.append((text, self.reference(), slug))

    def name_terms(self):
        """Anchors of constants and environment variables that a list describes."""
        for parent in list(self.tree.elements()):
            for i, node in enumerate(parent.children):
                if getattr(node, "tag", "") not in ("dt", "li"):
                    continue
                first = next(node.elements(), None)
                if first is None or not {"Dv", "Ev"} & set(first.classes):
                    continue
                name = joined(first.text())
                if not re.fullmatch(r"[A-Z]+_[A-Z0-9_]+", name) or not joined(node.text()).startswith(name):
                    continue
                if self.anchor(node, name):
                    after = next((other for other in parent.children[i + 1:] if isinstance(other, Node)), None)
                    text = first_sentence(joined(after.text())) if getattr(after, "tag", "") == "dd" else ""
                    self.found.append((name, text, name))

    def reference(self):
        return f"{self.name}({self.section})"

    def place(self, name):
        """The link to the description of a name: the page alone, if it has no anchor for the name."""
        return self.file + (f"#{name}" if name in self.anchors else "")


class Manual:
    def __init__(self, sources):
        self.sources = sources
        cargo = (sources / "Cargo.toml").read_text(encoding="utf-8")
        self.version = re.search(r'^version = "(.*)"', cargo, re.M).group(1)
        paths = [path for directory, _, _ in LIBRARIES.values() for section in ("man3", "man7")
                 for path in sorted((sources / directory / section).iterdir())]
        self.pages = [Page(path) for path in paths if not path.read_text(encoding="utf-8").startswith(".so ")]
        self.page_of = {name: page for page in self.pages for name in [page.name, *page.names]}
        headers = {header.name: header for _, directory, _ in LIBRARIES.values()
                   for header in read_headers(sources / directory)}
        self.headers = [headers.pop(name) for name in HEADERS]
        if headers:
            raise SystemExit(f"html: the index does not know {', '.join(headers)}")
        # The descriptions of functions and macros, one line each.
        self.titles = {}
        for header in self.headers:
            self.titles |= {name: function.title for name, function in header.functions.items() if function.title}
            for entries, _ in header.groups:
                self.titles |= {name: first_sentence(text) for names, text in entries for name in names}

    def resolve(self, page):
        """Links the names and references of a page."""
        for node in page.tree.elements():
            name = joined(node.text()) if node.tag in ("a", "code") else ""
            if node.tag == "a" and "Xr" in node.classes:
                self.resolve_reference(page, node, name)
            elif node.tag == "a" and "In" in node.classes:
                node.attributes = {"href": f"index.html#{name}"} if name in HEADERS else {}
            elif node.tag == "a" and "Sx" in node.classes:
                node.attributes = {"href": "#" + re.sub(r"\W+", "_", name).strip("_")}
            elif node.tag == "code" and {"Fn", "Nm"} & set(node.classes) and name in page.anchors:
                node.children = [Node("a", {"href": f"#{name}"}, node.children)]
            elif node.tag == "code" and "Li" in node.classes:
                # An option is not broken after its hyphens.
                node.children = [Node("span", {"class": "option"}, [part]) if part.startswith("-") else part
                                 for part in re.split(r"(?<=\s)(-\S+)", joined(node.text()))]
            elif node.tag == "pre":
                node.children = self.linked(node.text(), page)
            elif node.tag == "section" and joined(next(node.elements()).text()) == "SYNOPSIS":
                node.children = node.children[:2] + [Node("div", {"class": "synopsis"}, node.children[2:])]
            elif node.tag == "table":
                node.attributes["class"] += " scrolls"
        for node in [page.tree, *page.tree.elements()]:
            node.children = [new for child in node.children for new in plain_link(child)]

    def resolve_reference(self, page, node, name):
        name, section = re.fullmatch(r"(\S+)\((\w+)\)", name).groups()
        target = self.page_of.get(name)
        if not target or target.section != section:
            node.attributes = {}
        elif name == target.name and target is not page:
            node.attributes = {"href": target.file}
        else:
            node.attributes = {"href": target.place(name) if target is not page else f"#{name}"}

    def linked(self, program, page=None):
        """The text of a program, with links from functions to their pages."""
        children = []
        for part in re.split(r"(\b_?mm_\w+)(?=\()", program):
            target = self.page_of.get(part)
            if target and target is not page:
                children.append(Node("a", {"href": target.place(part)}, [part]))
            else:
                children.append(part)
        return children

    def page_text(self, page):
        tree = page.tree
        self.resolve(page)
        # The title replaces the heading NAME.
        first = next(node for node in tree.elements() if node.tag == "section")
        first.children = [child for child in first.children if getattr(child, "tag", "") != "h2"]
        first.attributes["class"] = "lead"
        title = f'<h1>{html.escape(page.name)}<span class="section">({page.section})</span></h1>\n'
        return self.framed(f"{page.name}({page.section})", title + broken(tree.render()))

    def framed(self, title, body):
        return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{html.escape(title)} - libmmsysio</title>
<link rel="stylesheet" href="style.css">
<script src="search-index.js" defer></script>
<script src="search.js" defer></script>
</head>
<body>
<header>
<a class="home" href="index.html">libmmsysio</a>
<form id="search" role="search" hidden>
<input id="query" type="search" placeholder="Search" aria-label="Search the manual" autocomplete="off"
 autocapitalize="none" spellcheck="false" role="combobox" aria-expanded="false" aria-autocomplete="list"
 aria-controls="results">
<ul id="results" role="listbox" aria-label="Results" hidden></ul>
</form>
</header>
<main>
{body}
</main>
<footer>libmmsysio {html.escape(self.version)}</footer>
</body>
</html>
"""

    def index_text(self):
        readme = (self.sources / "README.md").read_text(encoding="utf-8")
        overview = next(page for page in self.pages if page.name == "mmsysio")
        intro = re.search(r"^# .*\n+((?:.+\n)+)", readme).group(1)
        program = re.search(r"^```c\n(.*?)^```\n", readme, re.S | re.M)
        if not program or "int main" not in program.group(1):
            raise SystemExit("html: the first block of C in README.md is not a program")
        commands = re.search(r"^```\w*\n(.*?)^```\n|((?:^    [^\n]*\n)+)", readme[program.end():], re.S | re.M)
        if not commands:
            raise SystemExit("html: README.md has no commands after its program")
        commands = commands.group(1) or re.sub(r"^    ", "", commands.group(2), flags=re.M)
        source = re.search(r"\b\w+\.c\b", commands)
        source = source.group(0) if source else "hello.c"
        lines = ["<h1>libmmsysio</h1>", f"<p>{markdown(intro)}</p>",
                 f'<p>Begin with the overview, <a href="{overview.file}">mmsysio(7)</a>. The '
                 '<a href="#functions">functions</a> are listed below by header.</p>',
                 '<h2 id="program">A first program</h2>',
                 f"<p>A server and its client, <code>{source}</code>:</p>",
                 Node("pre", {}, self.linked(program.group(1).expandtabs(4).rstrip("\n"))).render(),
                 "<p>Compile it, and run both:</p>",
                 Node("pre", {}, [commands.rstrip("\n")]).render(),
                 '<h2 id="functions">Functions by header</h2>']
        for library, (_, _, names) in LIBRARIES.items():
            if library == "libmmlib":
                lines += [f'<h2 id="{library}">Functions of {library}</h2>',
                          '<p>The rest of mmlib is a library of its own: see '
                          '<a href="mmlib_functions.7.html">mmlib_functions(7)</a>.</p>']
            for header in self.headers:
                if header.name in names:
                    lines += self.header_lines(header)
        return self.framed("Manual", "\n".join(lines))

    def header_lines(self, header):
        about = re.search(rf"^/\*\n( \* {re.escape(header.name)}: (?:.+\n)+?) \*/?\n", header.source, re.M)
        if not about:
            raise SystemExit(f"html: {header.name} has no comment '{header.name}: description'")
        about = joined(unstarred(about.group(1))).partition(": ")[2]
        lines = [f'<section class="header" id="{header.name}">', f"<h3><code>{header.name}</code></h3>",
                 f"<p>{html.escape(capital(first_sentence(about)))}.</p>"]
        positions = {name: re.search(rf"^(?:MMLIB_API|static inline)\s[^;{{(]*\b{name}\(", header.source, re.M).start()
                     for name in header.functions}
        positions |= {name: re.search(rf"^#define {name}\b", header.source, re.M).start() for name in header.macros}
        entries = [(position, name) for name, position in positions.items()]
        for found in re.finditer(r"^/\*\n \* ([^\n]*[^.\n])\n \*/\n", header.source, re.M):
            banner = found.group(1)
            if not banner.startswith(header.name) and not NAME.match(banner):
                entries.append((found.start(), capital(banner)))
        is_open = False
        for _, entry in sorted(entries):
            if not NAME.match(entry):
                slug = re.sub(r"\W+", "-", entry.lower())
                lines += ["</dl>"] * is_open + [f'<h4 id="{slug}">{html.escape(entry)}</h4>', '<dl class="functions">']
            else:
                lines += ['<dl class="functions">'] * (not is_open)
                lines.append(f'<dt><a href="{self.page_of[entry].place(entry)}"><code>{entry}()</code></a></dt>'
                             f"<dd>{html.escape(self.titles[entry])}</dd>")
            is_open = True
        for names, text in macros_of(header) if not positions else []:
            lines += ['<dl class="functions macros">'] * (not is_open)
            lines += [f'<dt id="{name}"><code>{html.escape(name + arguments)}</code></dt>' for name, arguments in names]
            lines.append(f"<dd>{html.escape(text)}</dd>")
            is_open = True
        return lines + ["</dl>"] * is_open + ["</section>"]

    def search_index(self):
        """(name, description, link) of each search entry, functions first."""
        rows = [(f"{name}()", self.titles[name], self.page_of[name].place(name))
                for header in self.headers for name in [*header.functions, *header.macros]]
        rows += [(page.reference(), page.title, page.file) for page in self.pages if page.name not in self.titles]
        found = {}
        for page in self.pages:
            for name, text, anchor in page.found:
                found.setdefault(name, []).append((text, page, anchor))
        for name, places in found.items():
            # Several pages may describe a constant.
            text, page, anchor = next((place for place in places if place[0]), places[0])
            rows.append((name, text or "see " + ", ".join(other.reference() for _, other, _ in places),
                         f"{page.file}#{anchor}"))
        for header in self.headers:
            if not header.functions and not header.macros:
                rows += [(name, first_sentence(text), f"index.html#{name}")
                         for names, text in macros_of(header) for name, _ in names]
        return "var mmsysioIndex = [\n" + ",\n".join(json.dumps(row) for row in dict.fromkeys(rows)) + "\n];\n"

    def write(self, output):
        output.mkdir(parents=True, exist_ok=True)
        for old in output.glob("*.html"):
            old.unlink()
        for page in self.pages:
            (output / page.file).write_text(self.page_text(page), encoding="utf-8")
        (output / "index.html").write_text(self.index_text(), encoding="utf-8")
        (output / "search-index.js").write_text(self.search_index(), encoding="utf-8")
        for name in ("style.css", "search.js"):
            shutil.copyfile(self.sources / "man" / "html" / name, output / name)


def plain_link(node):
    """Replaces a link without an address by its text."""
    return node.children if isinstance(node, Node) and node.tag == "a" and not node.attributes else [node]


def broken(text):
    """Starts each block of a page on a new line."""
    return re.sub(r" *(<(?:section|h[1-6]|p|dl|dt|dd|ul|li|div|pre|table|tr)\b|</(?:section|dl|ul|table)>)", r"\n\1",
                  text).strip()


def markdown(text):
    """A paragraph of Markdown. Code is marked; links are reduced to their text."""
    text = html.escape(re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", joined(text)), quote=False)
    text = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", text)
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", text)


def macros_of(header):
    """The macros of a header: lists of (name, arguments), each with the text of its comment."""
    for found in re.finditer(r"^/\*((?:(?!\*/).)*)\*/\n", header.source, re.S | re.M):
        rest = header.source[found.end():]
        first = re.search(r"^#define ", rest, re.M)
        other = re.search(r"^/\*", rest, re.M)
        if not first or (other and other.start() < first.start()) or "#ifndef " + guard(header) in rest:
            continue
        block = rest[:rest.index("\n\n", first.start())]
        names = dict(re.findall(r"^#define (\w+)(\([^)]*\))?", block, re.M))
        yield list(names.items()), joined(unstarred(found.group(1)))


def guard(header):
    return header.name.upper().replace(".", "_")


def first_sentence(text):
    return re.split(r"(?<=[^.]{2})[.;]\s|\.$", text, maxsplit=1)[0]


def capital(text):
    return text[0].upper() + text[1:]


if __name__ == "__main__":
    Manual(Path(sys.argv[1])).write(Path(sys.argv[2]))
