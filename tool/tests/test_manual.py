# SPDX-License-Identifier: Apache-2.0
"""The manual page: its examples are executed, and it lists the options and the exit statuses of the tool."""

import json
import os
import pwd
import re
import signal
import subprocess
import tempfile
import unittest

from helpers import TOOL, Tool, ToolTest, wait_for

DIRECTORY = os.path.dirname(os.path.abspath(__file__))
PAGE = os.path.join(DIRECTORY, "..", "man", "mmipc.1")
README = os.path.join(DIRECTORY, "..", "..", "README.md")
STATUSES = os.path.join(DIRECTORY, "..", "src", "failure.rs")
COMMANDS = ("list", "listen", "send", "connect", "wait", "pass", "bench")

# A network namespace of its own, in which the names of the examples are not in use; for root, and for other users.
NAMESPACES = (["unshare", "--net"], ["unshare", "--user", "--map-current-user", "--net"])


def page():
    with open(PAGE, encoding="utf-8") as file:
        return file.read()


def section(title):
    return re.search(rf'^\.Sh {title}\n(.*?)(?=^\.Sh |\Z)', page(), re.MULTILINE | re.DOTALL).group(1)


def examples():
    """Yields the examples: a title, and a list of commands with the lines that they print."""
    for title, block in re.findall(
        r"([^\n]+):\n\.Bd -literal\n(.*?)^\.Ed", section("EXAMPLES"), re.MULTILINE | re.DOTALL
    ):
        steps = []
        for line in block.replace("\\(dq", '"').replace("\\e", "\\").splitlines():
            if line.startswith("$ "):
                steps.append((line[2:], []))
            else:
                steps[-1][1].append(line)
        yield title, steps


def options_of_help(command):
    """The options in the help of a command."""
    tool = Tool()
    try:
        process = tool.run(command, "--help")
        text = process.out.decode()
    finally:
        tool.close()
    usage = " ".join(re.findall(r"^Usage:.*$", text, re.MULTILINE))
    return set(re.findall(r"^ +(?:-\w, )?(--[a-z][a-z-]*)", text, re.MULTILINE)) | set(
        re.findall(r"--[a-z][a-z-]*", usage)
    )


class OptionTest(unittest.TestCase):
    def options_of_synopsis(self, command):
        text = re.search(
            rf"^\.Cm {command}\n(.*?)(?=^\.Nm|\Z)", section("SYNOPSIS"), re.MULTILINE | re.DOTALL
        ).group(1)
        return {f"-{option}" for option in re.findall(r"Fl (-[a-z][a-z-]*)", text)}

    def options_of_section(self, command):
        text = re.search(rf"^\.Ss {command}\n(.*?)(?=^\.Ss |\Z)", section("COMMANDS"), re.MULTILINE | re.DOTALL)
        return {f"-{option}" for option in re.findall(r"^\.It Fl (-[a-z][a-z-]*)", text.group(1), re.MULTILINE)}

    def test_options(self):
        for command in COMMANDS:
            with self.subTest(command):
                documented = self.options_of_section(command)
                self.assertEqual(self.options_of_synopsis(command), documented)
                actual = options_of_help(command)
                # The page describes --help once, for all commands.
                self.assertEqual(documented, actual - {"--help"})

    def test_every_documented_option_is_accepted(self):
        tool = Tool()
        self.addCleanup(tool.close)
        for command in COMMANDS:
            for option in sorted(self.options_of_section(command)):
                with self.subTest(command=command, option=option):
                    # The help is printed before the missing address is noticed, unless an option is not known.
                    error = tool.run(command, option, "--help", "--help").err
                    self.assertNotIn("invalid option", error)
                    error = tool.run(command, f"{option}-unknown", "--help").err
                    self.assertIn("invalid option", error)


class MemberTest(ToolTest):
    def members(self, value):
        """The names of the members of a JSON document."""
        if isinstance(value, dict):
            return set(value).union(*map(self.members, value.values()))
        return set().union(*map(self.members, value)) if isinstance(value, list) else set()

    def check(self, start, end, *documents):
        """Checks that a part of the page lists the members of these documents, and no others."""
        text = section("FORMATS")
        text = text[text.index(start) : text.index(end) if end else None]
        documented = set(re.findall(r"^\.(?:It )?Va (\w+)", text, re.MULTILINE))
        self.assertEqual(documented, set().union(*map(self.members, map(json.loads, documents))))

    def test_messages(self):
        process = self.tool.listen(self.name, "--format", "json", "--count", "2")
        for data in ("text", b"\xff"):
            self.tool.run("send", self.name, data, "--open", "/dev/null")
        self.assertEqual(process.wait(), 0)
        self.check("A message has these members", "The document of\n.Cm list", *process.out.splitlines())

    def test_list(self):
        self.tool.listen(self.name)
        self.client()
        waiting = self.name + "-waiting"
        self.tool.start("connect", waiting)
        wait_for(lambda: waiting.encode() in self.tool.run("list", "--json", waiting).out, "a client waits")
        document = self.tool.run("list", "--json", self.name, waiting).out
        self.check("The document of\n.Cm list", "The document of\n.Cm bench", document)

    def test_bench(self):
        document = self.tool.run("bench", "--self", "--size", "1,16M", "--time", "10ms", "--json").out
        self.check("The document of\n.Cm bench", None, document)


class StatusTest(unittest.TestCase):
    def documented(self):
        return {int(number) for number in re.findall(r"^\.It (\d+)$", section("EXIT STATUS"), re.MULTILINE)}

    @unittest.skipUnless(os.path.exists(STATUSES), "the sources of the tool are not here")
    def test_statuses(self):
        with open(STATUSES, encoding="utf-8") as file:
            statuses = re.search(r"enum Status \{(.*?)\}", file.read(), re.DOTALL).group(1)
        self.assertEqual(self.documented(), {int(number) for number in re.findall(r"= (\d+),", statuses)})

    def test_the_help_lists_the_commands_of_the_page(self):
        tool = Tool()
        self.addCleanup(tool.close)
        overview = tool.run("--help").out.decode()
        commands = re.search(r"Commands:\n(.*?)\n\n", overview, re.DOTALL).group(1)
        self.assertEqual(set(re.findall(r"^  ([a-z]+) ", commands, re.MULTILINE)), set(COMMANDS))
        subsections = re.findall(r"^\.Ss ([a-z]+)$", section("COMMANDS"), re.MULTILINE)
        self.assertEqual(subsections, list(COMMANDS))


class Session:
    """A shell that executes the commands of an example in a directory of its own."""

    def __init__(self, directory):
        self.directory = os.path.realpath(directory)
        os.mkdir(f"{self.directory}/bin")
        os.symlink(TOOL, f"{self.directory}/bin/mmipc")
        os.mkdir(f"{self.directory}/work")
        self.output = tempfile.TemporaryFile()
        self.marks = 0
        self.shell = subprocess.Popen(
            [*self.namespace(), "bash", "--norc"],
            stdin=subprocess.PIPE,
            stdout=self.output,
            stderr=subprocess.STDOUT,
            cwd=f"{self.directory}/work",
            env={**os.environ, "PATH": f"{self.directory}/bin:{os.environ['PATH']}", "LC_ALL": "C"},
            start_new_session=True,
        )

    @staticmethod
    def namespace():
        for command in NAMESPACES:
            try:
                if subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0:
                    return command
            except FileNotFoundError:
                pass
        return []

    def execute(self, command):
        """Executes a command, and waits until the shell is ready for the next one."""
        mark = f"{self.directory}/mark{self.marks}"
        self.marks += 1
        self.shell.stdin.write(f"{command}\n: >{mark}\n".encode())
        self.shell.stdin.flush()
        wait_for(
            lambda: os.path.exists(mark) or self.shell.poll() is not None, lambda: f"end of {command}: {self.lines()}"
        )

    def lines(self):
        """What has been printed, with the process IDs and names of the page."""
        text = os.pread(self.output.fileno(), 1 << 20, 0).decode()
        text = text.replace(f"{self.directory}/work/", "/tmp/")
        user = re.escape(pwd.getpwuid(os.geteuid()).pw_name)
        # The program is not known if the client has ended before its connection was accepted.
        text = re.sub(rf"^(?:mmipc|\?)\[\d+\] {user}: ", "mmipc[4711] alice: ", text, flags=re.MULTILINE)
        text = re.sub(rf"\buser {os.geteuid()}\b", "user 1000", text)
        # The widths of columns depend on the process IDs and names.
        text = re.sub(
            rf"^( *\S+) +\d+ +(\S+) +{user}(?: +(\d+)/\d+ +(\d+))?$", self.table_line, text, flags=re.MULTILINE
        )
        return [self.squeezed(line) for line in text.splitlines()]

    @staticmethod
    def table_line(match):
        address, program, pending, connections = match.groups()
        return f"{address} 4711 {program} alice" + (f" {pending}/4096 {connections}" if pending else "")

    @staticmethod
    def squeezed(line):
        # Results of measurements, after the size of the messages.
        line = re.sub(r"^  64 [ \d.]+$", lambda match: re.sub(r"[\d.]+", "N", match.group()), line)
        return re.sub(r"(?<=\S)  +", " ", line)

    def close(self):
        os.killpg(self.shell.pid, signal.SIGKILL)
        self.shell.wait()
        self.shell.stdin.close()
        self.output.close()


class ExampleTest(ToolTest):
    def test_there_are_examples(self):
        self.assertGreaterEqual(len(list(examples())), 8)
        # Whatever looks like an example is one.
        self.assertEqual(page().count("\n$ "), sum(len(steps) for _, steps in examples()))

    @unittest.skipUnless(os.path.exists(README), "the README is not here")
    def test_the_readme_shows_examples_of_the_page(self):
        of_page = [[line for command, lines in steps for line in (f"$ {command}", *lines)] for _, steps in examples()]
        with open(README, encoding="utf-8") as file:
            text = re.search(r"^## The command-line tool\n(.*?)^## ", file.read(), re.MULTILINE | re.DOTALL).group(1)
        blocks = re.findall(r"(?:^    .*\n)+", text, re.MULTILINE)
        self.assertEqual(len(blocks), 3)
        for block in blocks:
            self.assertIn([line[4:] for line in block.splitlines()], of_page)

    def test_examples(self):
        try:
            pwd.getpwuid(os.geteuid())
        except KeyError:
            self.skipTest("the user has no name")
        for title, steps in examples():
            with self.subTest(title):
                self.check(steps)

    def check(self, steps):
        with tempfile.TemporaryDirectory(prefix="mmipc-") as directory:
            session = Session(directory)
            try:
                expected = []
                for command, lines in steps:
                    session.execute(command)
                    expected += map(session.squeezed, lines)
                    # A server in the background may print a little later.
                    wait_for(
                        lambda: len(session.lines()) >= len(expected),
                        lambda: f"{expected} in {session.lines()} after {command}",
                    )
                    self.assertEqual(session.lines(), expected, f"after {command}")
            finally:
                session.close()


if __name__ == "__main__":
    unittest.main()
