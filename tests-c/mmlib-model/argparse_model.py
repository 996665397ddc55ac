# SPDX-License-Identifier: Apache-2.0
"""A model of the argument parser: what each call returns, stores and prints.

It is written from the documentation of mmargparse.h and shares nothing with the library. All texts are bytes.
"""

import os
import re
from dataclasses import dataclass, field
from errno import EINVAL, EACCES, ENOENT, ENOTDIR, ERANGE
from typing import Optional

NOVAL, OPTVAL, NEEDVAL, REQUIREMENT = 0, 1, 2, 3
STR, INT, LLONG, UINT, ULLONG, TYPE = 0x00, 0x10, 0x20, 0x90, 0xA0, 0xF0
FILEPATH, DIRPATH = 0x100, 0x200
ERROR, STOP, COMPLETE = -1, -2, -3
NOEXIT, COMPLETION = 1, 2

ERRNO_BEFORE = 77
BUILTIN = -1
USAGE = b"Use -h or --help to display usage.\n"
NAME = re.compile(rb"[A-Za-z](\|[a-z][a-z0-9-]+)?|[a-z][a-z0-9-]+")
LETTER = re.compile(rb"[A-Za-z]")
TYPE_NAMES = {INT: b"int", LLONG: b"long long", UINT: b"unsigned int", ULLONG: b"unsigned long long"}


@dataclass
class Option:
    name: Optional[bytes]
    flags: int = 0
    defval: Optional[bytes] = None
    desc: Optional[bytes] = None
    is_stored: int = 1
    result: int = 0  # of the callback, for a value
    completion: int = 0  # of the callback, for a word to complete; not 0: it has printed its own candidate

    @property
    def key(self):
        return self.name[:1] if self.name[1:2] in (b"", b"|") else None

    @property
    def long(self):
        if self.name[1:2] == b"|":
            return self.name[2:]
        return self.name if self.name[1:] else None

    @property
    def requirement(self):
        return OPTVAL if self.flags & REQUIREMENT == REQUIREMENT else self.flags & REQUIREMENT

    @property
    def type(self):
        return self.flags & TYPE


HELP = Option(b"h|help", NOVAL, None, b"print this message and exit", 0)


@dataclass
class Case:
    """A call: kind p is mm_arg_parse(), o mm_arg_optv_parse(), c mm_arg_parse_complete(), f mm_arg_complete_path()."""

    kind: str
    flags: int = NOEXIT
    execname: Optional[bytes] = b"tool"
    doc: Optional[bytes] = None
    args_doc: Optional[bytes] = None
    has_callback: int = 0
    help_completion: int = 0
    options: list = field(default_factory=list)
    argv: list = field(default_factory=list)
    argc: Optional[int] = None  # None: the length of argv
    num_opt: Optional[int] = None
    path: Optional[bytes] = None
    types: str = "rd"
    path_mode: int = 0


@dataclass
class Result:
    log: list = field(default_factory=list)
    stored: dict = field(default_factory=dict)
    out: bytes = b""
    err: bytes = b""
    returned: Optional[int] = None
    status: Optional[int] = None
    errno: Optional[int] = None  # None: not determined
    error: int = 0
    is_in_any_order: bool = False  # the lines of out


class End(Exception):
    """The end of a parse by a negative code."""


# --- help -------------------------------------------------------------------------------------------------------------


def wrap(text, first, indent):
    """The lines of a text, the first one with its own beginning."""
    width = 80 - indent
    lines, start = [], first
    while True:
        newline = text.find(b"\n")
        length = len(text) if newline < 0 else newline
        if length >= width:
            length = width
            while length > 0 and text[length : length + 1] != b" ":
                length -= 1
            length = length or width
        lines.append(start + text[:length] + b"\n")
        text = text[length:]
        if text.startswith(b"\n"):
            text = text[1:]
        text = text.lstrip(b" ")
        start = b" " * indent
        if not text:
            return b"".join(lines)


def value_name(desc):
    """The name of the value in a description, and the description without the @ in front of it."""
    name, parts, end = None, [], 0
    for match in re.finditer(rb"@", desc):
        at = match.start()
        if re.fullmatch(rb"[A-Za-z0-9]", desc[max(at - 1, 0) : at]):
            continue
        run = re.match(rb"[A-Z_-]*", desc[at + 1 :]).group()
        if name is None and 1 <= len(run) <= 15:
            name = run
        if name is not None and run == name:
            parts.append(desc[end:at])
            end = at + 1
    return name or b"VALUE", b"".join(parts) + desc[end:]


def option_help(option, key, long):
    name, text = value_name(option.desc or b"")
    suffixes = {NOVAL: (b"", b""), NEEDVAL: (b" " + name, b"=" + name), OPTVAL: (b" [" + name + b"]", b"[=" + name + b"]")}
    short_suffix, long_suffix = suffixes[option.requirement]
    forms = ([b"-" + key + short_suffix] if key else []) + ([b"--" + long + long_suffix] if long else [])
    synopsis = b"  " + b", ".join(forms)
    if option.type != STR and option.requirement != NOVAL:
        sign = b"a non negative" if option.type in (UINT, ULLONG) else b"an"
        text += (b" " if text else b"") + name + b" must be " + sign + b" integer."
    if len(synopsis) >= 30:
        return synopsis + b"\n" + wrap(text, b" " * 30, 30)
    return wrap(text, synopsis.ljust(30), 30)


# --- conversion -------------------------------------------------------------------------------------------------------

SPACE = b" \t\n\v\f\r"
NUMBER = re.compile(rb"[ \t\n\v\f\r]*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)")
LIMITS = {
    INT: (-(2**31), 2**31 - 1),
    UINT: (0, 2**32 - 1),
    LLONG: (-(2**63), 2**63 - 1),
    ULLONG: (0, 2**64 - 1),
}


def convert(kind, text):
    """The value, and the errno of a failure."""
    if kind == STR:
        return text, 0
    if not text:
        return None, EINVAL
    if kind == ULLONG and text.lstrip(SPACE).startswith(b"-"):
        return None, ERANGE
    match = NUMBER.match(text)
    if match is None or match.end() != len(text):
        return None, EINVAL
    digits = match.group(2).lower()
    base = 16 if digits.startswith(b"0x") else 8 if digits.startswith(b"0") else 10
    value = int(digits, base) * (-1 if match.group(1) == b"-" else 1)
    low, high = LIMITS[ULLONG if kind == ULLONG else LLONG]
    if not low <= value <= high:
        return None, ERANGE
    if kind not in LIMITS:
        return None, EINVAL
    low, high = LIMITS[kind]
    return (value, 0) if low <= value <= high else (None, ERANGE)


# --- parser -----------------------------------------------------------------------------------------------------------


def is_letter(text):
    return LETTER.match(text) is not None


def is_option_like(text):
    if text.startswith(b"--"):
        return re.fullmatch(rb"[a-z][a-z0-9-]+", text[2:].partition(b"=")[0]) is not None
    return text.startswith(b"-") and is_letter(text[1:])


class Model:
    def __init__(self, case):
        self.case = case
        self.options = list(enumerate(case.options)) + [(BUILTIN, HELP)]
        self.result = Result()
        self.errno = ERRNO_BEFORE
        argc = len(case.argv) if case.argc is None else case.argc
        self.argv = case.argv[: max(argc, 0)]
        if None in self.argv:
            self.argv = self.argv[: self.argv.index(None)]
        self.is_exiting = case.kind == "o" or not case.flags & NOEXIT
        self.is_completing = case.kind == "p" and bool(case.flags & COMPLETION)
        if case.kind == "o":
            self.execname, self.doc, self.args_doc, self.has_callback = (self.argv or [None])[0], None, None, 0
        else:
            self.execname, self.doc, self.args_doc = case.execname, case.doc, case.args_doc
            self.has_callback = case.has_callback

    def run(self):
        result = self.result
        try:
            self.check_table()
            result.returned = self.candidates_only() if self.case.kind == "c" else self.walk()
        except End as end:
            code = end.args[0]
            if code == ERROR:
                result.err += USAGE
            if self.is_exiting:
                result.status = 1 if code == ERROR else 0
            else:
                result.returned = code
        if result.returned is not None and self.is_exiting:
            result.status = 0
        # After output, errno is not determined, unless the parser has set it.
        is_silent = not result.out and not result.err
        result.errno = self.errno if is_silent or self.errno != ERRNO_BEFORE else None
        return result

    def check_table(self):
        for _, option in self.options[:-1]:
            if not option.name:
                self.fail(b"name in mm_arg_opt must be set\n")
            if not NAME.fullmatch(option.name):
                self.fail(b"invalid short or long name for option " + option.name + b"\n")

    def fail(self, line):
        self.result.err += line
        raise End(ERROR)

    def find(self, key=None, long=None):
        for index, option in self.options:
            if (key and option.key == key) or (long and option.long == long):
                return index, option
        return None

    def builtin_forms(self):
        """The forms of the help option that no option of the table has."""
        key = None if self.find(key=b"h")[1] is not HELP else b"h"
        long = None if self.find(long=b"help")[1] is not HELP else b"help"
        return key, long

    def walk(self):
        argv, index = self.argv, 1
        if len(argv) <= 1:
            return len(argv)
        while index < len(argv):
            arg, is_word = argv[index], self.is_completing and index == len(argv) - 1
            if arg == b"--" and not is_word:
                return index + 1
            if arg == b"-" and is_word or arg.startswith(b"-") and (is_letter(arg[1:]) or arg.startswith(b"--")):
                if is_word:
                    self.complete_word(arg)
                elif arg.startswith(b"--"):
                    self.parse_long(arg)
                elif self.parse_cluster(arg, index):
                    index += 1
                index += 1
            else:
                return index
        return index

    def parse_long(self, arg):
        name, has_value, value = arg[2:].partition(b"=")
        found = self.find(long=name)
        if found is None:
            self.fail(b"Unsupported option --" + name + b"\n")
        self.process(*found, value if has_value else None)

    def parse_cluster(self, arg, index):
        """Whether the next argument was the value."""
        for position in range(1, len(arg)):
            letter = arg[position : position + 1]
            found = self.find(key=letter)
            if found is None:
                self.fail(b"Unsupported option -" + letter + b"\n")
            is_last, following = position == len(arg) - 1, self.argv[index + 1 : index + 2]
            has_value = is_last and found[1].requirement != NOVAL and following and not is_option_like(following[0])
            if has_value and self.is_completing and index + 2 == len(self.argv):
                self.complete_value(*found, following[0])
            self.process(*found, following[0] if has_value else None)
        return has_value

    def process(self, index, option, value):
        if option is HELP:
            if self.is_completing:
                return
            self.print_help()
            raise End(STOP)
        if option.requirement == NOVAL and value is not None:
            self.option_error(option, b"does not accept any value.")
        if option.requirement == NEEDVAL and value is None:
            self.option_error(option, b"needs value.")
        text = option.defval if value is None else value
        value, number = convert(option.type, text)
        if number:
            self.errno = number
            self.option_error(
                option,
                b"accepting %s value type has received an invalid value \"%s\" (%s)"
                % (TYPE_NAMES.get(option.type, b"unknown"), b"(null)" if text is None else text, os.strerror(number).encode()),
            )
        if self.has_callback:
            self.result.log.append(("call", index, 0, value))
            if option.result < 0:
                raise End(option.result)
        if option.is_stored:
            self.result.stored[index] = value

    def option_error(self, option, message):
        forms = ([b"-" + option.key] if option.key else []) + ([b"--" + option.long] if option.long else [])
        self.fail(b"Option " + b"|".join(forms) + b" " + message + b"\n")

    def print_help(self):
        out = [b"Usage:\n"]
        execname = b"PROGRAM" if self.execname is None else self.execname
        rest = b"[options] args..." if self.args_doc is None else self.args_doc
        while rest:
            line, _, rest = rest.partition(b"\n")
            rest = rest.lstrip(b"\n")
            out.append(b"  " + execname + b" " + line + b"\n")
        if self.doc is not None:
            out += [b"\n", wrap(self.doc, b"", 0), b"\n"]
        out.append(b"\nOptions:\n")
        for _, option in self.options[:-1]:
            out.append(option_help(option, option.key, option.long))
        key, long = self.builtin_forms()
        if key or long:
            out.append(option_help(HELP, key, long))
        self.result.out += b"".join(out)

    # --- completion

    def add_long(self, text):
        for _, option in self.options:
            long = self.builtin_forms()[1] if option is HELP else option.long
            if not long or not long.startswith(text):
                continue
            if option.requirement != NOVAL:
                self.result.out += b"--" + long + b"=\n"
            if option.requirement != NEEDVAL:
                self.result.out += b"--" + long + b"\n"

    def add_all(self):
        for _, option in self.options:
            key = self.builtin_forms()[0] if option is HELP else option.key
            if key:
                self.result.out += b"-" + key + b"\n"
        self.add_long(b"")

    def add_cluster(self, arg):
        if all(self.find(key=arg[i : i + 1]) for i in range(1, len(arg))):
            self.result.out += arg + b"\n"

    def complete_word(self, arg):
        if arg == b"-":
            self.add_all()
        elif not arg.startswith(b"--"):
            self.add_cluster(arg)
        elif b"=" not in arg:
            self.add_long(arg[2:])
        else:
            name, _, text = arg[2:].partition(b"=")
            found = self.find(long=name)
            if found is not None:
                self.complete_value(*found, text)
        raise End(COMPLETE)

    def complete_value(self, index, option, text):
        if self.has_callback:
            self.result.log.append(("call", index, 1, text))
            completion = self.case.help_completion if option is HELP else option.completion
            if completion:
                self.result.out += b"from-callback\n"
                raise End(COMPLETE)
        if option.flags & (FILEPATH | DIRPATH):
            path = complete_path(text, "rd" if option.flags & FILEPATH else "d", 0)
            self.result.out += path.out
            self.result.is_in_any_order = True
            self.result.error = path.error
            if path.error:
                self.errno = path.error
        else:
            self.result.out += text + b"\n"
        raise End(COMPLETE)

    def candidates_only(self):
        arg = self.argv[0] if self.argv else None
        if arg in (b"", b"-"):
            self.add_all()
        elif arg is not None and arg.startswith(b"--"):
            self.add_long(arg[2:])
        elif arg is not None and arg.startswith(b"-"):
            self.add_cluster(arg)
        return 0


# --- paths ------------------------------------------------------------------------------------------------------------

MM_DT = {"r": 0x20, "d": 0x10, "l": 0x40, "f": 0x02}


def dirname(path):
    path = path.rstrip(b"/")
    head = path[: path.rfind(b"/") + 1].rstrip(b"/")
    return head if head else b"/" if path.startswith(b"/") else b"."


def type_of(path):
    if os.path.islink(path):
        return "l"
    return "d" if os.path.isdir(path) else "r" if os.path.isfile(path) else "f"


def complete_path(arg, types, mode):
    """The candidates in the order of their bytes; the library prints them in the order of the directory."""
    result = Result(returned=-1, is_in_any_order=True)
    if arg is None:
        result.errno = result.error = EINVAL
        return result
    prefix = arg[: arg.rfind(b"/") + 1]
    if not prefix:
        directory = b"./"
    elif prefix == arg:
        directory = arg
    else:
        directory = dirname(arg)
        directory += b"" if directory == b"/" else b"/"
    start = arg[len(prefix) :]
    try:
        names = os.listdir(directory)
    except OSError as error:
        assert error.errno in (ENOENT, ENOTDIR, EACCES)
        result.errno = result.error = error.errno
        return result
    result.returned, result.errno = 0, None
    lines = []
    for name in names:
        if not name.startswith(start):
            continue
        path = directory + name
        kind = type_of(path)
        if mode:
            result.log.append(("path", name, directory, MM_DT[kind]))
            if (mode == 4 and b"a" not in name) or mode in (1, 3):
                continue
        if kind == "l" and "l" not in types and os.path.exists(path):
            kind = type_of(os.path.realpath(path))
        if kind in types:
            lines.append(prefix + name + (b"/" if kind == "d" else b"") + b"\n")
    result.log.sort()
    result.out = b"".join(sorted(lines))
    return result


def predict(case):
    if case.kind == "f":
        return complete_path(case.path, case.types, case.path_mode)
    return Model(case).run()
