# SPDX-License-Identifier: Apache-2.0
"""The completions of the shells."""

import grp
import os
import pwd
import re
import shutil
import socket
import subprocess
import unittest

from helpers import TOOL, ToolTest, padded
from test_manual import COMMANDS, options_of_help

COMPLETIONS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "completions")
BASH_SCRIPT = os.path.join(COMPLETIONS, "mmipc.bash")

# The characters at which bash splits words, besides blanks: those of COMP_WORDBREAKS that arguments here have.
BREAKS = ":=@"

# Prints the replies, one on each line. compopt works only in completions that readline has started.
DRIVER = """
source "$1" || exit
line=$2 breaks=$3
shift 3
compopt() { printf 'compopt %s\\n' "$*"; }
COMP_WORDBREAKS=$' \\t\\n"'"'"'><;|&('$breaks
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMP_LINE=$line COMP_POINT=${#line}
_mmipc "$1" "${!#}" ""
printf '%s\\n' "${COMPREPLY[@]}"
"""


def split_as_bash(line, breaks):
    """The words of a line, which is not quoted, as readline splits them for completions."""
    words = []
    for word in re.findall(r"[^ ]+", line):
        words += [part for part in re.split(f"([{breaks}]+)", word) if part] if breaks else [word]
    return words + ([""] if line.endswith(" ") else [])


class BashTest(ToolTest):
    def replies(self, line, breaks=BREAKS, setup="", path=TOOL, bash_options=("--norc", "--noprofile")):
        """What bash completes at the end of a line."""
        arguments = [BASH_SCRIPT, line, breaks, *split_as_bash(line, breaks)]
        environment = {**os.environ, "PATH": f"{os.path.dirname(path)}:{os.environ['PATH']}"}
        result = subprocess.run(
            ["bash", *bash_options, "-c", setup + DRIVER, "bash", *arguments],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            env=environment,
        )
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stderr, "")
        lines = result.stdout.splitlines()
        self.compopt = [text for text in lines if text.startswith("compopt ")]
        return sorted(text for text in lines if text and text not in self.compopt)

    def test_commands(self):
        self.assertEqual(self.replies("mmipc "), sorted([*COMMANDS, "help", "--help", "--version"]))
        self.assertEqual(self.replies("mmipc li"), ["list", "listen"])
        self.assertEqual(self.replies("mmipc --v"), ["--version"])
        self.assertEqual(self.replies("mmipc unknown "), [])

    def test_options_are_those_of_the_help(self):
        for command in COMMANDS:
            with self.subTest(command):
                actual = options_of_help(command)
                self.assertEqual(set(self.replies(f"mmipc {command} --")), actual | {"--help"})

    def test_options(self):
        self.assertEqual(self.replies("mmipc listen demo --reply"), ["--reply", "--reply-file"])
        self.assertEqual(self.replies("mmipc send demo data --in"), ["--interval"])
        self.assertEqual(self.replies("mmipc send demo -- --in"), [])

    def test_every_option_with_a_value_is_known(self):
        for command in COMMANDS:
            for option in (options_of_help(command) or set()) - {"--help"}:
                # The address follows an option without a value.
                error = self.tool.run(command, f"{option}=x").err
                is_flag = "unexpected argument" in error or option == "--wait-reply"
                with self.subTest(command=command, option=option, error=error):
                    is_address = "path:" in self.replies(f"mmipc {command} {option} ")
                    self.assertEqual(is_address, is_flag and option != "--self")

    def test_values(self):
        self.assertEqual(self.replies("mmipc listen demo --format "), ["hex", "json", "quoted", "raw", "text"])
        self.assertEqual(self.replies("mmipc send --format r"), ["raw"])
        self.assertEqual(self.replies("mmipc list --color a"), ["always", "auto"])
        self.assertEqual(self.replies("mmipc send demo --timeout "), [])

    def test_values_after_an_equals_sign(self):
        self.assertEqual(self.replies("mmipc listen demo --format=j"), ["json"])
        self.assertEqual(self.replies("mmipc list --color="), ["always", "auto", "never"])
        self.assertEqual(self.replies("mmipc list --color=n", breaks=""), ["--color=never"])
        self.write_file("reply", b"")
        self.assertEqual(self.replies("mmipc listen demo --reply-file=re"), ["reply"])

    def test_files(self):
        self.write_file("file-1", b"")
        self.write_file("file 2", b"")
        os.mkdir(self.path("file-directory"))
        for option in ("--reply-file", "--open"):
            command = "send" if option == "--open" else "listen"
            expected = ["file 2", "file-1", "file-directory"]
            self.assertEqual(self.replies(f"mmipc {command} demo {option} fi"), expected)
            self.assertEqual(self.compopt, ["compopt -o filenames"])
        self.assertEqual(self.replies("mmipc listen demo --save-fds fi"), ["file-directory"])

    def test_paths(self):
        self.write_file("socket", b"")
        for command in ("list", "listen", "send", "connect", "wait", "pass", "bench"):
            with self.subTest(command):
                self.assertEqual(self.replies(f"mmipc {command} path:so"), ["socket"])
                self.assertEqual(self.replies(f"mmipc {command} path:{self.directory}/so"), [self.path("socket")])
                self.assertEqual(self.replies(f"mmipc {command} path:so", breaks=""), ["path:socket"])
                self.assertIn("path:", self.replies(f"mmipc {command} pa"))
                self.assertIn("compopt -o nospace", self.compopt)

    def test_users_and_groups(self):
        user, group = pwd.getpwuid(0).pw_name, grp.getgrgid(0).gr_name
        self.assertIn(user, self.replies("mmipc listen demo --allow-uid "))
        self.assertIn(user, self.replies(f"mmipc listen demo --allow-uid={user}"))
        self.assertIn(group, self.replies("mmipc listen demo --allow-gid "))

    def test_programs(self):
        self.assertIn("true", self.replies("mmipc pass demo -- tru"))
        self.assertIn("true", self.replies("mmipc wait demo --timeout 5 -- tru"))
        self.assertIn("true", self.replies("mmipc listen demo --exec tru"))
        self.write_file("file", b"")
        self.assertEqual(self.replies("mmipc pass demo -- cat --format fi"), ["file"])

    def test_servers(self):
        name = f"{self.name}:with=breaks@and"
        others = f"@{self.name}", f'{self.name}"quoted', f"{self.name}\\", f"{self.name} blank"
        for address in (self.name, name, *others):
            self.listen(padded(address))
        self.listen(b"\0" + self.name.encode() + b"-not-padded")
        expected = sorted([self.name, name, f"{self.name}\\ blank"])
        for command in ("list", "send", "connect", "wait", "pass", "bench"):
            with self.subTest(command):
                self.assertEqual(self.replies(f"mmipc {command} {self.name}"), expected)
        self.assertEqual(self.replies(f"mmipc send {self.name}:wi"), ["with=breaks@and"])
        self.assertEqual(self.replies(f"mmipc send {self.name}:wi", breaks="="), [name])
        self.assertEqual(self.replies(f"mmipc send @@{self.name}"), [self.name])
        self.assertEqual(self.replies(f"mmipc listen {self.name}"), [])
        self.assertEqual(self.replies(f"mmipc send demo {self.name}"), [])
        self.assertEqual(self.replies(f"mmipc list demo {self.name}"), expected)
        self.assertEqual(self.replies(f"mmipc bench --self {self.name}"), [])

    def listen(self, address):
        listener = self.closing(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
        listener.bind(address)
        listener.listen()

    def test_a_tool_that_fails(self):
        fake = self.write_file("mmipc", b"#!/bin/sh\necho garbage; echo error >&2; exit 1\n")
        os.chmod(fake, 0o755)
        self.assertEqual(self.replies("mmipc send ", path=fake), ["path:"])
        self.assertEqual(self.replies("no-such-program-mmipc send "), ["path:"])

    def test_options_of_the_shell(self):
        for setup in ("set -u\n", "set -o posix\n", "shopt -s failglob nullglob\n", "IFS=x\n"):
            with self.subTest(setup):
                self.assertEqual(self.replies("mmipc li", setup=setup), ["list", "listen"])
                self.assertEqual(self.replies("mmipc listen demo --format=j", setup=setup), ["json"])

    def test_it_is_registered(self):
        output = subprocess.run(
            ["bash", "--norc", "-c", 'source "$1"; complete -p mmipc', "bash", BASH_SCRIPT],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        self.assertEqual(output, "complete -F _mmipc mmipc\n")


class OtherShellTest(unittest.TestCase):
    def read(self, name):
        with open(os.path.join(COMPLETIONS, name), encoding="utf-8") as file:
            return file.read()

    def check(self, find):
        for command in COMMANDS:
            with self.subTest(command):
                actual = options_of_help(command)
                self.assertEqual(find(command), actual - {"--help"})

    def test_options_of_zsh(self):
        def find(command):
            text = re.search(rf"^ +{command}\)\n(.*?);;", self.read("_mmipc").partition("options=(")[2], re.M | re.S)
            options = re.findall(r"""^ +["'](?:\([^)]*\)|\*)*(--[a-z][a-z-]*)""", text.group(1), re.M)
            return set(options + re.findall(r"\{-\w,(--[a-z-]+)\}", text.group(1)))

        self.check(find)

    def test_options_of_fish(self):
        def find(command):
            lines = re.findall(rf"^complete -c mmipc -n '__mmipc_command {command}' .*", self.read("mmipc.fish"), re.M)
            return {f"--{name}" for line in lines for name in re.findall(r" -l ([a-z-]+)", line)}

        self.check(find)

    def test_commands(self):
        fish = re.findall(r"-n __mmipc_no_command -a ([a-z]+)", self.read("mmipc.fish"))
        zsh = re.findall(r"^ +'([a-z]+):", self.read("_mmipc"), re.M)
        self.assertEqual(fish, [*COMMANDS, "help"])
        self.assertEqual(zsh, [*COMMANDS, "help"])

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
    def test_syntax_of_zsh(self):
        subprocess.run(["zsh", "-n", os.path.join(COMPLETIONS, "_mmipc")], check=True)

    @unittest.skipUnless(shutil.which("fish"), "fish is not installed")
    def test_syntax_of_fish(self):
        subprocess.run(["fish", "--no-execute", os.path.join(COMPLETIONS, "mmipc.fish")], check=True)


if __name__ == "__main__":
    unittest.main()
