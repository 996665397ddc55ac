#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks that the sources in src/ follow the layering.

usage: check-layers.py [DIRECTORY]    checks DIRECTORY, src by default
       check-layers.py --self-test    checks small examples of each violation

The rules:
- a file uses only modules of the layers that LAYERS permits; rt uses only the crates in RT_CRATES;
- functions of the C library are called as libc::name() only in the layers in LIBC_LAYERS;
- modules do not depend on each other in a cycle;
- no file has more than MAX_LINES lines of code;
- each file of the core has #![forbid(unsafe_code)], and `unsafe` is written only in the layers in UNSAFE_LAYERS.

The sources are split into tokens, not parsed. A dependency is a path to an item of another module, in a `use` or in an
expression; re-exports are followed to the defining module where possible. Declaring children or re-exporting their
items is not a dependency. Code for tests only, #[cfg(test)], is ignored, and so are names that a macro constructs.

Each violation is printed as file:line: text. The exit status is 1 if there are any, 2 if there is nothing to check.
"""

import os
import re
import sys
import tempfile

# The subsystems of the core, which use the error module but not each other.
SUBSYSTEMS = ("ipc", "net", "fs", "process", "mem", "time")
CORE = SUBSYSTEMS + ("error",)

# The layers that the core may use.
BELOW_CORE = ("os", "sys", "rt")

# The layers that each layer may use besides itself.
LAYERS = {
    "capi": CORE + ("os", "sys", "rt"),
    **{subsystem: ("error",) + BELOW_CORE for subsystem in SUBSYSTEMS},
    "error": BELOW_CORE,
    "os": ("sys", "rt"),
    "sys": ("rt",),
    "rt": (),
}

# The layers that may call functions of the C library; all may use its types and constants.
LIBC_LAYERS = ("sys", "rt")
RT_CRATES = ("alloc", "core", "errno", "libc", "once_cell")
UNSAFE_LAYERS = ("capi", "os", "sys", "rt")
MAX_LINES = 400

TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<line_comment>//[^\n]*)
  | (?P<block_comment>/\*)
  | (?P<raw>(?:br|cr|r)(?P<hashes>\#*)")
  | (?P<string>(?:b|c)?"(?:[^"\\]|\\.)*")
  | (?P<char>b?'(?:[^'\\\n]|\\(?:x[0-9a-fA-F]{2}|u\{[^}]*\}|.))')
  | (?P<lifetime>'\w+)
  | (?P<ident>(?:r\#)?[A-Za-z_]\w*)
  | (?P<number>\d\w*)
  | (?P<colons>::)
  | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)


class Token:
    """A word, `::` or another character of the source; literals are all called '""'."""

    def __init__(self, text, kind, first, last):
        self.text = text
        self.kind = kind
        self.line = first
        self.last = last


def tokenise(source):
    tokens = []
    position, line = 0, 1
    while position < len(source):
        match = TOKEN.match(source, position)
        kind, end = match.lastgroup, match.end()
        if match.group("block_comment"):
            kind, depth = "space", 1
            while depth > 0:
                # Comments can be nested in Rust, and may be unterminated at the end of the file.
                edge = re.compile(r"/\*|\*/").search(source, end)
                if edge is None:
                    end = len(source)
                    break
                depth += 1 if edge.group() == "/*" else -1
                end = edge.end()
        elif match.group("raw"):
            kind = "string"
            closed = source.find('"' + match.group("hashes"), end)
            end = len(source) if closed < 0 else closed + 1 + len(match.group("hashes"))
        text = source[position:end]
        last = line + text.count("\n")
        if kind == "ident":
            tokens.append(Token(text.removeprefix("r#"), kind, line, last))
        elif kind in ("string", "char", "number"):
            tokens.append(Token('""', "literal", line, last))
        elif kind in ("colons", "other", "lifetime"):
            tokens.append(Token(text, kind, line, last))
        position, line = end, last
    return tokens


def text_of(tokens, start, count):
    return [token.text for token in tokens[start : start + count]]


def end_of_group(tokens, start):
    """The index after the bracket that closes the one at start."""
    depth = 0
    for place in range(start, len(tokens)):
        if tokens[place].text in ("(", "[", "{"):
            depth += 1
        elif tokens[place].text in (")", "]", "}"):
            depth -= 1
            if depth == 0:
                return place + 1
    return len(tokens)


def end_of_item(tokens, start):
    """The index after the item, field or statement that begins at start."""
    place = start
    while place < len(tokens):
        text = tokens[place].text
        if text == "{":
            place = end_of_group(tokens, place)
            # The tree of a `use` and the initial value of a constant continue after their braces.
            if tokens[start].text == "use" or text_of(tokens, place, 1) == [";"]:
                return place + 1
            return place
        if text in ("(", "["):
            place = end_of_group(tokens, place)
        elif text in (";", ","):
            return place + 1
        elif text in (")", "]", "}"):
            return place
        else:
            place += 1
    return place


def is_for_tests(attribute):
    """True for the tokens of [cfg(test)] and [cfg(all(test, ...))]."""
    return attribute[:5] == ["[", "cfg", "(", "test", ")"] or attribute[:6] == ["[", "cfg", "(", "all", "(", "test"]


class TestsOnly(Exception):
    """The whole file is compiled for tests only."""


def without_tests(tokens):
    """Removes test-only code. Returns the remaining tokens, and the removed declarations `mod x;`."""
    kept, declared = [], []
    place = 0
    while place < len(tokens):
        if text_of(tokens, place, 3) == ["#", "!", "["]:
            end = end_of_group(tokens, place + 2)
            if is_for_tests([token.text for token in tokens[place + 2 : end]]):
                raise TestsOnly
        elif text_of(tokens, place, 2) == ["#", "["]:
            end = end_of_group(tokens, place + 1)
            if is_for_tests([token.text for token in tokens[place + 1 : end]]):
                while text_of(tokens, end, 2) == ["#", "["]:
                    end = end_of_group(tokens, end + 1)
                item = end
                end = end_of_item(tokens, item)
                words = text_of(tokens, item, end - item)
                if "mod" in words[:5] and words[-1] == ";":
                    declared.append(words[words.index("mod") + 1])
                place = end
                continue
        else:
            end = place + 1
        kept.extend(tokens[place:end])
        place = end
    return kept, declared


def lines_of(tokens):
    lines = set()
    for token in tokens:
        lines.update(range(token.line, token.last + 1))
    return len(lines)


def without_last_test_module(tokens):
    """The tokens without the test module, if it is the last item."""
    for place in range(len(tokens) - 1, -1, -1):
        if text_of(tokens, place, 2) != ["#", "["]:
            continue
        end = end_of_group(tokens, place + 1)
        if not is_for_tests([token.text for token in tokens[place + 1 : end]]):
            continue
        while text_of(tokens, end, 2) == ["#", "["]:
            end = end_of_group(tokens, end + 1)
        if text_of(tokens, end, 1) == ["mod"] and end_of_item(tokens, end) == len(tokens):
            return tokens[:place]
    return tokens


class Module:
    """A file or a module inside a file."""

    def __init__(self, path, file, is_test):
        self.path = path
        self.file = file
        self.is_test = is_test
        self.items = set()  # names that it defines
        self.names = {}  # names imported by a `use`, with their paths as written
        self.globs = []  # paths of `use path::*`
        self.exports = set()  # those that are visible to others
        self.uses = []  # (path, line, what): what is "use", "export", "glob", "path", "call" or "macro"


DEFINES = ("fn", "struct", "enum", "union", "trait", "type", "const", "static", "mod", "macro")


class Tree:
    def __init__(self, directory):
        self.directory = directory
        self.modules = {}
        self.violations = []
        self.macros = {}  # those of macro_rules!, with the module that defines each
        self.edges = {}  # file -> {other file: line}
        self.sources = []
        for root, directories, files in os.walk(directory):
            directories.sort()
            self.sources += [os.path.join(root, file) for file in sorted(files)]
        rust = [file for file in self.sources if file.endswith(".rs")]
        # Directories before their contents, so that a test-only module is known before its children.
        self.test_modules = set()
        for file in sorted(rust, key=lambda file: (file.count(os.sep), not file.endswith("/mod.rs"), file)):
            self.read(file)
        self.has_rust = bool(rust)

    def report(self, file, line, text):
        self.violations.append((file, line, text))

    def path_of(self, file):
        parts = os.path.relpath(file, self.directory)[: -len(".rs")].split(os.sep)
        if parts[-1] == "mod" or parts == ["lib"]:
            parts.pop()
        return tuple(parts)

    def read(self, file):
        with open(file, encoding="utf-8") as source:
            tokens = tokenise(source.read())
        path = self.path_of(file)
        layer = path[0] if path else "lib"
        if path and layer not in LAYERS:
            self.report(file, 1, f"{layer} is not a layer")
        self.check_length(file, lines_of(without_last_test_module(tokens)))
        self.check_unsafe(file, layer, tokens)
        is_test = any(path[:length] in self.test_modules for length in range(1, len(path) + 1))
        try:
            tokens, declared = without_tests(tokens)
        except TestsOnly:
            is_test, declared = True, []
        self.test_modules.update(path + (name,) for name in declared)
        if is_test:
            self.test_modules.add(path)
        self.modules[path] = Module(path, file, is_test)
        if not is_test:
            self.read_items(self.modules[path], tokens, 0, len(tokens))

    def check_length(self, file, lines):
        if lines > MAX_LINES:
            self.report(file, 1, f"{lines} lines of code, more than {MAX_LINES}")

    def check_unsafe(self, file, layer, tokens):
        if layer in CORE:
            words = " ".join(token.text for token in tokens)
            if not re.search(r"# ! \[ forbid \( (\w+ , )*unsafe_code\b", words):
                self.report(file, 1, "a file of the core lacks #![forbid(unsafe_code)]")
        if layer not in UNSAFE_LAYERS:
            for token in tokens:
                if token.text == "unsafe":
                    self.report(file, token.line, f"unsafe code in {layer}")

    def read_items(self, module, tokens, start, end):
        """Collects the definitions and uses of a module; depth distinguishes its items from those inside functions."""
        place, depth = start, 0
        while place < end:
            token = tokens[place]
            before = tokens[place - 1].text if place > 0 else ""
            if token.text in ("{", "}"):
                depth += 1 if token.text == "{" else -1
            elif token.text == "path" and before == "[" and text_of(tokens, place + 1, 1) == ["="]:
                self.report(module.file, token.line, "#[path] hides which module a file is")
            elif token.text == "mod" and text_of(tokens, place + 2, 1) == ["{"]:
                inner_path = module.path + (tokens[place + 1].text,)
                self.modules[inner_path] = inner = Module(inner_path, module.file, module.is_test)
                inner_end = end_of_group(tokens, place + 2)
                self.read_items(inner, tokens, place + 3, inner_end - 1)
                place = inner_end
                continue
            elif token.text == "use" and before != "<" and text_of(tokens, place + 1, 1) != ["<"]:
                is_public = before == "pub" or (before == ")" and "pub" in text_of(tokens, max(place - 6, 0), 6))
                place = self.read_use(module, tokens, place + 1, (), is_public) + 1
                continue
            elif token.text == "macro_rules" and text_of(tokens, place + 1, 1) == ["!"]:
                name = tokens[place + 2].text
                self.macros[name] = module
                module.items.add(name)
                place += 3
                continue
            elif token.text in DEFINES and depth == 0 and place + 1 < end and tokens[place + 1].kind == "ident":
                # In `const fn name` and the like, the last of the words precedes the name.
                if tokens[place + 1].text not in DEFINES + ("unsafe", "extern", "mut"):
                    module.items.add(tokens[place + 1].text)
            elif token.text == "mut" and before == "static" and depth == 0:
                module.items.add(tokens[place + 1].text)
            elif token.kind == "ident" and before not in ("::", "."):
                place = self.read_path(module, tokens, place)
                continue
            elif token.kind == "colons" and place + 1 < end and tokens[place + 1].kind == "ident":
                # `::libc::open` names a crate; `<T>::open` does not.
                if before not in (">", "]", ")", "::") and (place == 0 or tokens[place - 1].kind != "ident"):
                    place = self.read_path(module, tokens, place + 1, ("::",))
                    continue
            place += 1

    def read_path(self, module, tokens, place, root=()):
        line, path = tokens[place].line, [*root, tokens[place].text]
        place += 1
        while text_of(tokens, place, 1) == ["::"] and place + 1 < len(tokens) and tokens[place + 1].kind == "ident":
            path.append(tokens[place + 1].text)
            place += 2
        if len(path) > 1:
            what = {"!": "macro", "(": "call"}.get("".join(text_of(tokens, place, 1)), "path")
            module.uses.append((tuple(path), line, what))
        return place

    def read_use(self, module, tokens, place, prefix, is_public):
        """Reads one tree of a `use`; returns the index after it."""
        path, line = list(prefix), tokens[place].line
        while place < len(tokens):
            text = tokens[place].text
            if text == "::" and path == list(prefix) and not prefix:
                path.append("::")
            elif text == "{":
                place += 1
                while tokens[place].text != "}":
                    place = self.read_use(module, tokens, place, tuple(path), is_public)
                    if tokens[place].text == ",":
                        place += 1
                return place + 1
            elif text == "*":
                module.uses.append((tuple(path), line, "glob"))
                module.globs.append((tuple(path), is_public))
                return place + 1
            elif tokens[place].kind == "ident":
                path.append(text)
                if tokens[place + 1].text != "::":
                    break
            place += 1
        place += 1
        if path[-1] == "self" and len(path) > 1:
            path.pop()
        name = path[-1]
        if tokens[place].text == "as":
            name = tokens[place + 1].text
            place += 2
        module.uses.append((tuple(path), line, "export" if is_public else "use"))
        if name != "_":
            module.names[name] = tuple(path)
            if is_public:
                module.exports.add(name)
        return place

    # --- which module a path leads to ---------------------------------------------------------------------------------

    def absolute(self, module, path, follow=8):
        """The path from the root of the crate, or None if it refers to another crate or cannot be determined."""
        if path[0] == "crate":
            return path[1:]
        if path[0] in ("self", "super"):
            where = module.path
            for count, part in enumerate(path):
                if part == "super":
                    where = where[:-1]
                elif part != "self":
                    return where + path[count:]
            return where
        if path[0] in module.names and follow > 0 and module.names[path[0]] != path:
            start = self.absolute(module, module.names[path[0]], follow - 1)
            return None if start is None else start + path[1:]
        if module.path + path[:1] in self.modules or path[0] in module.items:
            return module.path + path
        for glob, _ in module.globs:
            where = self.absolute(module, glob, 0) if glob[0] in ("crate", "self", "super") else None
            if where is not None and self.knows(where, path[0]):
                return where + path
        return None

    def knows(self, where, name):
        module = self.modules.get(where)
        return where + (name,) in self.modules or (
            module is not None and (name in module.items or name in module.exports)
        )

    def find(self, path, is_macro, follow=8):
        """The module that defines the item, and whether the path names the module itself."""
        where = ()
        for count, part in enumerate(path):
            module = self.modules.get(where)
            if where + (part,) in self.modules:
                where += (part,)
                continue
            if is_macro and where == () and part in self.macros:
                return self.macros[part], False
            if module is not None and follow > 0 and part not in module.items:
                target = None
                if part in module.exports:
                    target = self.absolute(module, module.names[part], follow - 1)
                else:
                    for glob, is_public in module.globs:
                        start = self.absolute(module, glob, 0) if is_public else None
                        if start is not None and self.knows(start, part):
                            target = start + (part,)
                if target is not None:
                    return self.find(target + path[count + 1 :], is_macro, follow - 1)
            return module, False
        return self.modules.get(where), True

    # --- the checks ---------------------------------------------------------------------------------------------------

    def check_uses(self):
        for module in list(self.modules.values()):
            seen = set()
            for path, line, what in module.uses:
                if (path, line) not in seen:
                    seen.add((path, line))
                    self.check_use(module, path, line, what)

    def check_use(self, module, path, line, what):
        layer = module.path[0] if module.path else "lib"
        target = self.absolute(module, path) if path[0] != "::" else None
        if target is None:
            self.check_crate(module, layer, path, line, what)
            return
        found, is_module = self.find(target, what == "macro" or what in ("use", "export"))
        if found is None or found.is_test:
            return
        written = target[0] if target and target[0] in LAYERS else None
        found_layer = found.path[0] if found.path else "lib"
        for other in dict.fromkeys((written or found_layer, found_layer)):
            if layer not in LAYERS or other == layer:
                continue
            if other == "lib" and is_module and what == "use":
                continue
            # A permitted layer may re-export items of a lower one.
            if other != written and written is not None and (written == layer or written in LAYERS[layer]):
                continue
            if other not in LAYERS[layer]:
                self.report(module.file, line, f"{layer} uses {other}: {'::'.join(path)}")
        if found.file == module.file:
            return
        # The name of a module is used by the paths that begin with it; re-exports of a module's own children are part
        # of its interface.
        if (is_module and what != "glob") or (what in ("export", "glob") and found.path[:-1] == module.path):
            return
        self.edges.setdefault(module.file, {}).setdefault(found.file, line)

    def check_crate(self, module, layer, path, line, what):
        is_rooted = path[0] == "::"
        path = path[1:] if is_rooted else path
        crate, written = path[0], ("::" if is_rooted else "") + "::".join(path)
        if what == "call" and crate == "libc" and len(path) == 2 and path[1].islower() and layer not in LIBC_LAYERS:
            self.report(module.file, line, f"{layer} calls the C library: {written}")
        if layer != "rt":
            return
        is_import = what in ("use", "export", "glob")
        if crate in RT_CRATES or (crate in module.names and not is_rooted):
            return
        # In an expression, only names of known crates can be distinguished from types and enumerations.
        if crate == "std" or is_rooted or (is_import and crate.islower()):
            self.report(module.file, line, f"rt uses the crate {crate}: {written}")

    def check_cycles(self):
        """Reports each group of mutually dependent files, by Tarjan's algorithm."""
        index, low, stack, groups = {}, {}, [], []

        def visit(file):
            index[file] = low[file] = len(index)
            stack.append(file)
            for other in sorted(self.edges.get(file, {})):
                if other not in index:
                    visit(other)
                    low[file] = min(low[file], low[other])
                elif other in stack:
                    low[file] = min(low[file], index[other])
            if low[file] == index[file]:
                place = stack.index(file)
                groups.append(stack[place:])
                del stack[place:]

        for file in sorted(self.edges):
            if file not in index:
                visit(file)
        for group in groups:
            if len(group) > 1:
                cycle = self.cycle_in(group)
                names = " -> ".join(os.path.relpath(file, self.directory) for file in cycle)
                self.report(cycle[0], self.edges[cycle[0]][cycle[1]], f"cycle: {names}")

    def cycle_in(self, group):
        """A shortest path from the first file of the group back to it."""
        start = min(group)
        ways = [[start]]
        seen = set()
        while ways:
            way = ways.pop(0)
            for other in sorted(self.edges.get(way[-1], {})):
                if other == start:
                    return way + [start]
                if other in group and other not in seen:
                    seen.add(other)
                    ways.append(way + [other])
        raise AssertionError("a group without a cycle")

    def check_c(self):
        for file in self.sources:
            if file.endswith((".c", ".h", ".S")):
                with open(file, encoding="utf-8") as source:
                    code = re.sub(r"/\*.*?\*/|//[^\n]*", "", source.read(), flags=re.DOTALL)
                self.check_length(file, len([line for line in code.split("\n") if line.strip()]))

    def check(self):
        self.check_uses()
        self.check_cycles()
        self.check_c()
        return sorted(set(self.violations))


# --- self-test --------------------------------------------------------------------------------------------------------

FORBID = "#![forbid(unsafe_code)]\n"

# A tree without violations, including code that resembles one.
GOOD = {
    "lib.rs": "#![no_std]\nextern crate alloc;\nmod capi;\nmod error;\nmod ipc;\nmod fs;\nmod os;\nmod sys;\nmod rt;\n",
    "capi/mod.rs": "mod file;\npub mod ret;\n",
    "capi/ret.rs": "use crate::error::Error;\npub fn ret(error: Error) { crate::sys::file::close(1) }\n",
    "capi/file.rs": "use super::ret::ret;\nuse crate::{fs::{self, copy as duplicate}, os, rt::*};\n"
    "fn f() { ret(fs::copy(os::fork::mark())); unsafe { duplicate() } }\n",
    "error/mod.rs": FORBID + "mod record;\npub use record::{Error, raise};\n"
    "macro_rules! fail { () => { $crate::error::Error } }\n",
    "error/record.rs": FORBID + "use crate::os::fork::mark;\npub struct Error;\npub fn raise() { mark() }\n",
    # Two children that use each other's sibling through their parent, and the parent's re-export.
    "ipc/mod.rs": FORBID + "pub mod server;\nmod slot;\npub use self::server::Server;\n",
    "ipc/server.rs": FORBID + "//! See crate::net::x, unsafe.\nuse super::slot;\npub struct Server(slot::Slot);\n"
    '/* crate::fs::x /* nested */ unsafe */\nconst TEXT: &str = "crate::fs::y unsafe";\n'
    "const RAW: &str = r#\"\" crate::fs::z unsafe\"#;\nfn f<'a>(c: &'a char) -> bool { *c == '\"' || *c == '\\'' }\n"
    "#[cfg(test)]\nmod tests {\n use crate::fs::copy;\n use crate::sys;\n}\n",
    "ipc/slot.rs": FORBID + "use crate::error::{self, Error};\npub struct Slot;\nfn f() -> Error { error::raise() }\n",
    "fs/mod.rs": FORBID + "use crate::error;\npub fn copy() -> error::Error { crate::fail!() }\n",
    "os/mod.rs": "pub mod fork;\npub mod child;\npub(crate) use child::*;\n",
    "os/child.rs": "use crate::{os::fork, sys::{self, file}};\n"
    "pub fn spawn() { fork::mark(); unsafe { file::close(0) } }\n",
    "os/fork.rs": "use crate::sys::file::close;\npub fn mark() {}\n",
    "sys/mod.rs": "pub mod file;\n",
    "sys/file.rs": "use crate::rt::Fd;\npub fn close(fd: i32) { unsafe { libc::close(fd) } }\n",
    "rt/mod.rs": "mod fd;\npub use fd::Fd;\n",
    "rt/fd.rs": "use core::fmt::{self, Write as _};\nuse libc::c_int;\nuse Kind::Open;\n"
    "pub struct Fd(c_int);\nenum Kind { Open }\n"
    "#[cfg(test)]\nuse std::fs;\n",
}

# A change of that tree, and the resulting violation.
BAD = [
    ("ipc/slot.rs", "use crate::fs::copy;\n", "ipc uses fs: crate::fs::copy"),
    ("ipc/slot.rs", "fn g() { crate::fs::copy() }\n", "ipc uses fs: crate::fs::copy"),
    ("ipc/slot.rs", "use super::super::fs;\n", "ipc uses fs: super::super::fs"),
    ("ipc/slot.rs", "use crate::{error::raise, fs::{self}};\n", "ipc uses fs: crate::fs"),
    ("ipc/slot.rs", "use crate::sys::file;\n", None),
    ("ipc/slot.rs", "use crate::capi::ret;\n", "ipc uses capi: crate::capi::ret"),
    ("error/record.rs", "use crate::ipc::Server;\n", "error uses ipc: crate::ipc::Server"),
    ("error/record.rs", "type T = Vec<crate::fs::Copy>;\n", "error uses fs: crate::fs::Copy"),
    ("os/fork.rs", "mod inner { use crate::error::Error; }\n", "os uses error: crate::error::Error"),
    ("os/fork.rs", "fn f() { crate::fail!() }\n", "os uses error: crate::fail"),
    ("sys/file.rs", "use crate::os::fork;\n", "sys uses os: crate::os::fork"),
    ("rt/fd.rs", "use crate::sys::file::close;\n", "rt uses sys: crate::sys::file::close"),
    ("rt/fd.rs", "use std::io;\n", "rt uses the crate std: std::io"),
    ("rt/fd.rs", "fn f() { ::std::process::abort() }\n", "rt uses the crate std: ::std::process::abort"),
    ("rt/fd.rs", "fn f() { std::process::abort() }\n", "rt uses the crate std: std::process::abort"),
    ("rt/fd.rs", "use rustix::fd;\n", "rt uses the crate rustix: rustix::fd"),
    ("os/fork.rs", "use super::child::spawn;\n", "cycle: os/child.rs -> os/fork.rs -> os/child.rs"),
    ("os/fork.rs", "fn f() { super::spawn() }\n", "cycle: os/child.rs -> os/fork.rs -> os/child.rs"),
    ("os/fork.rs", "use crate::os::*;\n", None),
    ("ipc/slot.rs", "use super::Server;\n", "cycle: ipc/server.rs -> ipc/slot.rs -> ipc/server.rs"),
    ("ipc/slot.rs", "use super::LIMIT;\n", None),
    ("error/record.rs", "use super::LIMIT;\n", "cycle: error/mod.rs -> error/record.rs -> error/mod.rs"),
    ("os/fork.rs", "fn f() -> libc::pid_t { unsafe { libc::fork() } }\n", "os calls the C library: libc::fork"),
    ("os/fork.rs", "fn f() { unsafe { ::libc::fork() } }\n", "os calls the C library: ::libc::fork"),
    ("fs/mod.rs", "fn f() {\n unsafe { g() }\n}\n", "unsafe code in fs"),
    ("lib.rs", "unsafe extern \"C\" {}\n", "unsafe code in lib"),
    ("sys/file.rs", "fn f() {}\n" * 399, "401 lines of code, more than 400"),
    ("sys/file.rs", "fn f() {}\n" * 398, None),
    ("sys/file.rs", "// no code\n\n" * 400, None),
    ("sys/file.rs", "#[cfg(test)]\nmod tests {\n" + "fn f() {}\n" * 400 + "}\n", None),
    ("sys/file.rs", "#[path = \"other.rs\"]\nmod x;\n", "#[path] hides which module a file is"),
    ("net/mod.rs", "", "a file of the core lacks #![forbid(unsafe_code)]"),
    ("net/mod.rs", "// #![forbid(unsafe_code)]\n", "a file of the core lacks #![forbid(unsafe_code)]"),
    ("text.rs", "", "text is not a layer"),
    ("sys/glue.c", "int a;\n" * 401, "401 lines of code, more than 400"),
    ("sys/glue.c", "/*\n" + "int a;\n" * 401 + "*/\n", None),
]


def violations_in(files):
    with tempfile.TemporaryDirectory() as directory:
        for name, source in files.items():
            file = os.path.join(directory, name)
            os.makedirs(os.path.dirname(file), exist_ok=True)
            with open(file, "w", encoding="utf-8") as output:
                output.write(source)
        return [text for _, _, text in Tree(directory).check()]


def self_test():
    failures = 0
    cases = [(GOOD, "the tree without violations", [])]
    for name, addition, violation in BAD:
        changed = {**GOOD, name: GOOD.get(name, "") + addition}
        cases.append((changed, f"{name} with {addition[:60]!r}", [violation] if violation else []))
    for files, title, expected in cases:
        found = violations_in(files)
        # A violation of the layering may also close a cycle.
        others = [text for text in found if text not in expected and not (expected and text.startswith("cycle: "))]
        if others or not set(expected).issubset(found):
            print(f"self-test: {title}: expected {expected}, found {found}", file=sys.stderr)
            failures += 1
    print(f"check-layers.py: self-test: {len(cases) - failures} of {len(cases)} examples as expected")
    return failures == 0


def main():
    arguments = sys.argv[1:]
    if arguments == ["--self-test"]:
        return 0 if self_test() else 1
    if len(arguments) > 1 or (arguments and arguments[0].startswith("-")):
        print(__doc__, file=sys.stderr)
        return 2
    directory = arguments[0] if arguments else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "src")
    directory = os.path.relpath(directory)
    tree = Tree(directory)
    if not tree.has_rust:
        print(f"check-layers.py: no Rust source in {directory}", file=sys.stderr)
        return 2
    violations = tree.check()
    for file, line, text in violations:
        print(f"{file}:{line}: {text}")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
