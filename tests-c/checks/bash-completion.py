#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the completion of mmlib.bash: what an interactive bash makes of a command line when TAB is typed.

The program is mmlib/examples/arguments.c. Usage: bash-completion.py SCRIPT PROGRAM
"""

import os
import pty
import re
import select
import shutil
import signal
import sys
import tempfile
import termios
import time
import unittest

TIMEOUT = 20
PROGRAM = "arguments"
SCRIPT = BINARY = None

# Shown by C-x C-k: the command line, and the position of the cursor.
BOUND = r"""
show_line() { printf '\n<%s|%s>\n' "$READLINE_LINE" "$READLINE_POINT"; }
bind -x '"\C-x\C-k": show_line'
bind 'set bell-style none'
bind 'set page-completions off'
bind 'set completion-query-items 0'
bind 'set enable-bracketed-paste off'
"""


class Shell:
    """An interactive bash in a terminal of its own."""

    def __init__(self, directory, setup=""):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(directory)
            home = os.path.join(directory, "home")
            environment = {**os.environ, "HOME": home, "PS1": "", "TERM": "dumb", "INPUTRC": "/dev/null", "HISTFILE": ""}
            environment.update(LC_ALL="C.UTF-8", PATH=f"{directory}/bin:{os.environ['PATH']}")
            environment.pop("MMLIB_CMD_COMPLETION", None)
            os.execvpe("bash", ["bash", "--norc", "--noprofile", "-i"], environment)
        attributes = termios.tcgetattr(self.terminal)
        attributes[3] &= ~termios.ECHO
        termios.tcsetattr(self.terminal, termios.TCSANOW, attributes)
        self.output = ""
        commands = os.path.join(directory, "setup")
        with open(commands, "w", encoding="utf-8") as file:
            file.write(f". '{SCRIPT}'\nmmlib_complete {PROGRAM} other no-such-program\n{BOUND}{setup}\necho rea''dy\n")
        self.write(f". {commands}\n")
        self.wait_for("ready\r\n")

    def write(self, text):
        os.write(self.terminal, text.encode())

    def wait_for(self, pattern):
        """Reads up to a pattern, and returns the match and the text in front of it."""
        deadline = time.monotonic() + TIMEOUT
        while True:
            match = re.search(pattern, self.output)
            if match is not None:
                before, self.output = self.output[: match.start()], self.output[match.end() :]
                return match, before
            if not select.select([self.terminal], [], [], max(deadline - time.monotonic(), 0))[0]:
                raise AssertionError(f"not within {TIMEOUT} s: {pattern}, but: {self.output}")
            self.output += os.read(self.terminal, 65536).decode(errors="replace")

    def press(self, keys):
        """The command line after these keys, and what was displayed."""
        self.write(keys + "\x18\x0b")
        match, before = self.wait_for(r"\n<([^\n]*)\|(\d+)>\r\n")
        self.write("\x05\x15")
        return match.group(1), before

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)


class CompletionTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = os.path.realpath(tempfile.mkdtemp(prefix="mmlib-completion-"))
        for name in ("bin", "home", "home/music", "work", "work/my dir", "work/docs", "work/docs/deep", "work/always"):
            os.mkdir(os.path.join(cls.directory, name))
        for name in ("file-1", "file-2", "my dir/in it", "docs/read=me", "price$5", "docs/deep/down", "a:b"):
            with open(os.path.join(cls.directory, "work", name), "x", encoding="ascii"):
                pass
        for name in ("bin/arguments", "work/docs/arguments", "home/arguments", "bin/other"):
            shutil.copy(BINARY, os.path.join(cls.directory, name))
        cls.shell = cls.start()

    @classmethod
    def start(cls, setup=""):
        shell = Shell(cls.directory, f"cd {cls.directory}/work\n{setup}")
        return shell

    @classmethod
    def tearDownClass(cls):
        cls.shell.close()
        shutil.rmtree(cls.directory)

    def complete(self, line, keys="\t", shell=None):
        return (shell or self.shell).press(line + keys)[0]

    def candidates(self, line):
        """What is listed: the first TAB may insert what the candidates have in common, and the next one does not list."""
        lines = self.shell.press(line + "\t\t\t")[1].splitlines()
        words = {word for text in lines for word in re.split(r"\s{2,}|\t", text.strip())}
        return sorted(word for word in words if word and not word.startswith(PROGRAM))

    def assert_completes(self, cases, shell=None):
        for line, expected in cases:
            with self.subTest(line):
                self.assertEqual(self.complete(line, shell=shell), expected)

    def test_names_of_options(self):
        self.assert_completes(
            [
                ("arguments --v", "arguments --verbose "),
                ("arguments --inp", "arguments --input="),
                ("arguments --he", "arguments --help "),
                ("arguments --lev", "arguments --level"),
                ("arguments --x", "arguments --x"),
                ("arguments -vn", "arguments -vn "),
                ("arguments -vx", "arguments -vx"),
                ("arguments -v --dir", "arguments -v --directory="),
                ("arguments file-1 --dir", "arguments file-1 --dir"),
                ("arguments --unknown --dir", "arguments --unknown --dir"),
            ]
        )
        self.assertIn("--verbose", self.candidates("arguments -"))
        self.assertIn("--level=", self.candidates("arguments --lev"))

    def test_values_of_a_callback(self):
        self.assert_completes(
            [
                ("arguments --color=n", "arguments --color=never "),
                ("arguments -c n", "arguments -c never "),
                # There is a directory of that name.
                ("arguments --color=al", "arguments --color=always "),
                ("arguments --color=x", "arguments --color=x"),
                ('arguments --color="n', 'arguments --color="never" '),
            ]
        )
        self.assertEqual(self.candidates("arguments --color="), ["always", "auto", "never"])
        self.assertEqual(self.candidates("arguments -c a"), ["always", "auto"])

    def test_values_of_any_text(self):
        # The parser proposes the text itself, which is empty in the first case.
        self.assert_completes(
            [
                ("arguments --label=", "arguments --label="),
                ("arguments --label=text", "arguments --label=text "),
                ("arguments --label=a=b", "arguments --label=a=b "),
            ]
        )

    def test_errors_are_not_displayed(self):
        displayed = self.shell.press("arguments --unknown --dir\t\t\t")[1]
        self.assertNotIn("Unsupported", displayed)
        self.assertNotIn("--help", displayed)

    def test_files(self):
        self.assert_completes(
            [
                ("arguments --input=fi", "arguments --input=file-"),
                ("arguments --input=do", "arguments --input=docs/"),
                ("arguments --input=docs/d", "arguments --input=docs/deep/"),
                ("arguments --input=docs/r", "arguments --input=docs/read\\=me "),
                ("arguments -i fi", "arguments -i file-"),
                ("arguments --directory=fi", "arguments --directory=fi"),
                ("arguments --directory=do", "arguments --directory=docs/"),
                ("arguments -d do", "arguments -d docs/"),
                ("arguments --input=~/mu", "arguments --input=~/mu"),
                ("arguments -d ~/mu", "arguments -d ~/music/"),
                ("arguments -d $HOME/mu", f"arguments -d {self.directory}/home/music/"),
                ("arguments -i a:", "arguments -i a:b "),
                ("arguments do", "arguments docs/"),
                ("arguments -- do", "arguments -- docs/"),
            ]
        )
        self.assertEqual(self.candidates("arguments --input=file"), ["file-1", "file-2"])

    def test_names_with_special_characters(self):
        self.assert_completes(
            [
                ("arguments --input=my", "arguments --input=my\\ dir/"),
                ("arguments --input=my\\ dir/", "arguments --input=my\\ dir/in\\ it "),
                ('arguments --input="my dir/i', 'arguments --input="my dir/in it" '),
                ("arguments '--input=my dir/i", "arguments '--input=my dir/in it' "),
                ('arguments "my dir/"', "arguments my\\ dir/in\\ it "),
                ("arguments -i 'my dir'/i", "arguments -i my\\ dir/in\\ it "),
                ("arguments -i $'my dir/i", "arguments -i $'my dir/in it' "),
                ("arguments -i pri", "arguments -i price\\$5 "),
                ("arguments -i 'pri", "arguments -i 'price$5' "),
                ("arguments --label='a b' --inp", "arguments --label='a b' --input="),
            ]
        )

    def test_a_quoted_directory_stays_usable(self):
        line = self.complete('arguments --input="my')
        self.assertTrue(line.endswith("/"), line)
        self.assertEqual(self.complete(line + "i").replace('"', "").replace("\\", ""), "arguments --input=my dir/in it ")

    def test_word_breaks_do_not_matter(self):
        shell = self.start("COMP_WORDBREAKS=${COMP_WORDBREAKS//[=:]}\n")
        try:
            self.assert_completes(
                [
                    ("arguments --inp", "arguments --input="),
                    ("arguments --color=n", "arguments --color=never "),
                    ("arguments -i a:", "arguments -i a:b "),
                ],
                shell,
            )
            # bash quotes the = here, which does not change the word.
            line = self.complete("arguments --input=do", shell=shell)
            self.assertEqual(line.replace("\\", ""), "arguments --input=docs/")
            self.assertEqual(self.complete(line + "d", shell=shell).replace("\\", ""), "arguments --input=docs/deep/")
        finally:
            shell.close()

    def test_options_of_the_shell(self):
        for setup in ("set -u", "set -o posix", "shopt -s failglob", "shopt -s nullglob", "IFS=lrn", "set -f"):
            with self.subTest(setup):
                shell = self.start(setup + "\n")
                try:
                    self.assert_completes(
                        [
                            ("arguments --color=n", "arguments --color=never "),
                            ("arguments --input=my", "arguments --input=my\\ dir/"),
                        ],
                        shell,
                    )
                finally:
                    shell.close()

    def test_the_cursor_inside_a_line(self):
        back = "\x1b[D" * len(" file-1")
        self.assertEqual(self.complete("arguments --verb file-1", back + "\t"), "arguments --verbose file-1")

    def test_several_commands_and_redirections(self):
        self.assert_completes(
            [
                ("true; arguments --v", "true; arguments --verbose "),
                ("X=1 arguments --v", "X=1 arguments --verbose "),
                ("arguments 2>/dev/null --v", "arguments 2>/dev/null --verbose "),
                ("arguments >out --v", "arguments >out --verbose "),
                ("arguments >file-1 <do", "arguments >file-1 <docs/"),
                ("arguments --v >do", "arguments --v >docs/"),
            ]
        )

    def test_programs_given_by_path(self):
        self.assert_completes(
            [
                ("docs/arguments --v", "docs/arguments --verbose "),
                (f"{self.directory}/bin/arguments --v", f"{self.directory}/bin/arguments --verbose "),
                ("~/arguments --v", "~/arguments --verbose "),
                ("$HOME/arguments --v", "$HOME/arguments --verbose "),
                ("other --v", "other --verbose "),
                ("no-such-program --v", "no-such-program --v"),
            ]
        )

    def test_nothing_on_the_line_is_executed(self):
        for word in ("$(touch made)", "`touch made`", '"$(touch made)'):
            self.complete(f"arguments {word} --v")
        self.assertFalse(os.path.exists(os.path.join(self.directory, "work", "made")))

    def test_registration(self):
        self.shell.write(f"complete -p {PROGRAM} other; printf 'do''ne\\n'\n")
        self.assertIn("complete -F _mmlib_complete arguments\r\n", self.shell.wait_for("done\r\n")[1])


if __name__ == "__main__":
    SCRIPT, BINARY = map(os.path.abspath, sys.argv[1:3])
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
