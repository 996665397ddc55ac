# SPDX-License-Identifier: Apache-2.0
"""Random definitions and command lines of the argument parser, and words to complete."""

from argparse_model import COMPLETION, DIRPATH, FILEPATH, NAME, NEEDVAL, NOEXIT, NOVAL, OPTVAL, STR, Case, Option

TYPES = [0x00, 0x10, 0x20, 0x90, 0xA0]
NAMES = (
    b"a b c V Z h n|number v|verbose o|output s|str f|file d|dir i|int u|uint x|xy Q|no-op h|hello k|help help file "
    b"verbose verb number-of-things ab ab- a-b9 h|help str-a-very-very-long-name-of-an-option z|it-is-31-bytes-long-12345"
).split()
BAD_NAMES = [None, b"", b"1", b"x|", b"x|y", b"xy|z", b"A|Bc", b"a|b_c", b"-", b"|ab", b"a|2b", b"a||b", b"\xc3\xa9", b"Ab"]
NUMBERS = (
    b"0 1 -1 42 010 08 0x1F 0x 0xg +5 --5 -0 +-1 1e3 2147483647 2147483648 -2147483648 -2147483649 4294967295 4294967296 "
    b"9223372036854775807 9223372036854775808 -9223372036854775808 -9223372036854775809 18446744073709551615 "
    b"18446744073709551616 99999999999999999999 99999999999999999999x -99999999999999999999 07777777777777777777777 "
    b"0xffffffffffffffff 0xfffffffffffffffff"
).split() + [b" 7", b"7 ", b"\t\n\v\f\r 7", b" ", b" -", b" -x", b" -0", b"- 1", b"-", b"+", b"\xa07", b"1\n"]
WORDS = [b"", b"-", b"--", b"x", b"foo", b"Foo", b"-5", b"-=", b"--Foo", b"---a", b"--x", b"--=x", b"a=b", b"\xc3\xa9t\xc3\xa9",
         b"-\xc3\xa9", b"with blank", b"%s%n", b"a" * 300]
PATHS = [b"", b".", b"..", b"./", b"a", b"ad", b"adir", b"adir/", b"adir//", b"adir//s", b"adir/s", b".h", b"./a", b"../",
         b"adir/../a", b"none/", b"none/x", b"file", b"file/", b"file/x", b"/", b"/us", b"//us", b"///us", b"/usr", b"/usr/s",
         b"adir/sub/", b"link-to-dir/", b"link", b"\xff", b"with", b"with blank", b"//", b"adir/sub/../s", b"/usr//b"]
PIECES = [b"@NAME", b"@FILE-A", b"@N", b"@name", b"@N_N.", b"@", b"@@A", b"@ABCDEFGHIJKLMNO", b"@ABCDEFGHIJKLMNOP", b"user@HOST",
          b"9@X", b"@NAMES", b"-@-", b"\xc3\xa9@E", b" ", b"  ", b" ", b" ", b"\n", b"\n\n", b"word", b"word ", b"sentence. ",
          b"\t", b"%d", b"x" * 49, b"x" * 50, b"x" * 51, b"y" * 80, b"\xc3\xa9" * 30, b"is a longer text that needs a second line "]


class Drawer:
    def __init__(self, random):
        self.random = random

    def chance(self, one_in):
        return self.random.randrange(one_in) == 0

    def text(self, most=12):
        """A documentation or description."""
        return b"".join(self.random.choice(PIECES) for _ in range(self.random.randrange(most)))

    def number(self):
        if self.chance(3):
            bits = self.random.choice([8, 31, 32, 33, 63, 64, 65])
            return str((1 << bits) * self.random.choice([1, -1]) + self.random.randint(-2, 2)).encode()
        return self.random.choice(NUMBERS)

    def value(self, option=None):
        if option is not None and option.flags & (FILEPATH | DIRPATH) and not self.chance(5):
            return self.random.choice(PATHS)
        if option is not None and option.type != STR and not self.chance(6):
            return self.number()
        if self.chance(4):
            return self.number()
        return self.random.choice(WORDS) if not self.chance(5) else self.random.choice(PATHS)

    def flags(self):
        flags = self.random.choice([NOVAL, OPTVAL, NEEDVAL, NEEDVAL, 3 if self.chance(4) else OPTVAL])
        if self.chance(3):
            return flags | self.random.choice([FILEPATH, DIRPATH, FILEPATH | DIRPATH])
        kind = self.random.choice(TYPES) if not self.chance(2) else STR
        return flags | (kind if not self.chance(60) else self.random.choice([0x30, 0xF0, 0x80]))

    def option(self):
        option = Option(self.random.choice(NAMES), self.flags())
        if self.chance(150):
            option.name = self.random.choice(BAD_NAMES)
        elif self.chance(12):
            letters = b"abcxyzAZ019-_|"
            option.name = bytes(self.random.choice(letters) for _ in range(self.random.randrange(1, 6)))
            option.name = option.name if self.chance(8) or self.is_valid(option) else b"e"
        if not self.chance(3):
            option.defval = b"1" if self.chance(2) else self.value(option)
        if not self.chance(5):
            option.desc = self.text()
        option.is_stored = 0 if self.chance(5) else 1
        option.result = self.random.choice([-1, -2, -3, -7, 1, 5]) if self.chance(6) else 0
        option.completion = self.random.choice([-3, -1, -2, 1, -9]) if self.chance(4) else 0
        return option

    @staticmethod
    def is_valid(option):
        return NAME.fullmatch(option.name) is not None

    def argument(self, options):
        """An argument, which may need the next one as its value."""
        known = [option for option in options if option.name]
        option = self.random.choice(known) if known and not self.chance(25) else Option(b"h|help" if self.chance(3) else b"w|what")
        key = option.key or self.random.choice([b"a", b"h", b"v", b"5"])
        long = option.long or self.random.choice([b"help", b"str", b"x", b""])
        kind = self.random.randrange(20)
        if kind < 6:
            return [b"-" + key] + ([self.value(option)] if option.requirement != NOVAL and not self.chance(4) else [])
        if kind < 8:
            keys = [o.key for o in known if o.key] + [b"h", b"5"] * self.chance(8) or [b"v"]
            return [b"-" + b"".join(self.random.choice(keys) for _ in range(self.random.randrange(4))) + key]
        if kind < 14:
            has_value = option.requirement != NOVAL if not self.chance(6) else option.requirement == NOVAL
            return [b"--" + long + (b"=" + self.value(option) if has_value else b"")]
        if kind < 15 and self.chance(3):
            return [b"--" + long[: self.random.randrange(len(long) + 2)]]
        if kind < 16 and self.chance(3):
            return [b"-" + key + self.random.choice([b"5", b"=", b"\xc3\xa9", b"-", key])]
        if kind < 17 and self.chance(3):
            return [b"--" + long[:1].upper() + long[1:]]
        if kind < 19:
            return [b"-" + key, b"-" + key]
        return [self.random.choice(WORDS)]

    def word(self, options):
        """The last arguments in completion mode."""
        known = [option for option in options if option.name]
        option = self.random.choice(known) if known else Option(b"h|help")
        key, long, kind = option.key, option.long, self.random.randrange(8)
        if kind == 0:
            return [self.random.choice([b"", b"-", b"--", b"foo"])]
        if long and kind < 4:
            return [b"--" + long + b"=" + self.value(option)]
        if long and kind < 6:
            return [b"--" + long[: self.random.randrange(len(long) + 1)]]
        return [b"-" + (key or b"h"), self.value(option)] if kind < 7 else [b"-" + (key or b"h")]

    def path_case(self):
        types = "".join(letter for letter in "rdlf" if not self.chance(3))
        path = None if self.chance(40) else self.random.choice(PATHS)
        return Case("f", path=path, types=types or "-", path_mode=self.random.choice([0, 0, 1, 2, 2, 3, 4]))

    def case(self):
        if self.chance(10):
            return self.path_case()
        case = Case(self.random.choice("ppppppppoc"))
        case.options = [self.option() for _ in range(self.random.randrange(7))]
        case.has_callback = 0 if self.chance(3) else 1
        case.help_completion = self.random.choice([-3, 1]) if self.chance(3) else 0
        case.flags = (0 if self.chance(8) else NOEXIT) | (COMPLETION if self.chance(2) else 0)
        case.flags |= 0x40 if self.chance(20) else 0
        case.execname = self.random.choice([None, b"tool", b"", b"/usr/bin/a tool"])
        case.doc = None if self.chance(3) else self.text(20)
        case.args_doc = self.random.choice(
            [None, b"", b"[options] FILE\n--list", b"\na", b"a\n", b"a\n\n\nb", b"\n", b"\n\n", self.text(4)]
        )
        case.argv = [b"tool"]
        if case.kind == "c":
            argument = self.random.choice([None, b"", b"-", b"--", b"--=", self.argument(case.options)[0]])
            case.argv = [argument]
            return case
        for _ in range(self.random.randrange(5)):
            case.argv += self.argument(case.options)
        if self.chance(8):
            case.argv.append(b"--help" if self.chance(2) else b"-h")
        if case.flags & COMPLETION and not self.chance(4):
            case.argv += self.word(case.options)
        if self.chance(30):
            case.argc = self.random.randrange(-1, len(case.argv) + 1)
            if case.argc <= 0:
                case.execname = b"tool"
        elif self.chance(30) and len(case.argv) > 1:
            case.argv.insert(self.random.randrange(1, len(case.argv)), None)
        if not case.options and self.chance(3):
            case.num_opt = self.random.choice([-1, -100])
        return case
