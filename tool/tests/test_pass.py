# SPDX-License-Identifier: Apache-2.0
"""mmipc pass."""

import os
import signal
import stat
import subprocess
import sys
import unittest

from helpers import ToolTest, connect_to, receive

# Takes a listening socket as described in sd_listen_fds(3), and answers a message with the variables.
ACTIVATED = """
import os, socket
assert int(os.environ["LISTEN_PID"]) == os.getpid()
listener = socket.socket(fileno=3)
listener.settimeout(10)
connection, _ = listener.accept()
message = connection.recv(100)
variables = [os.environ[name] for name in ("LISTEN_FDS", "LISTEN_FDNAMES", "OTHER")]
connection.send(message + b" " + " ".join(variables).encode())
"""


class ConnectionTest(ToolTest):
    def start(self, *command, **options):
        """Runs a program with a connection, and returns it and the server's end."""
        listener = self.server()
        process = self.tool.start("pass", self.name, "--", *command, **options)
        return process, self.accept(listener)

    def test_descriptor_3_is_the_connection(self):
        script = "import socket; c = socket.socket(fileno=3); c.send(c.recv(100).upper())"
        process, connection = self.start(sys.executable, "-c", script)
        connection.send(b"message")
        self.assertEqual(connection.recv(100), b"MESSAGE")
        self.assertEqual(connection.recv(100), b"")
        self.assert_ended(process, 0)

    def test_the_connection_is_blocking(self):
        process, connection = self.start("sh", "-c", "cat <&3")
        connection.send(b"one")
        process.wait_out("one")
        connection.send(b"two")
        process.wait_out("onetwo")
        connection.close()
        self.assert_ended(process, 0)

    def test_the_program_replaces_the_tool(self):
        process, connection = self.start("sh", "-c", "echo $$ >&3")
        self.assertEqual(connection.recv(100), b"%d\n" % process.pid)
        self.assert_ended(process, 0)

    def test_standard_streams_and_arguments(self):
        process, _ = self.start("sh", "-c", 'cat; echo "$@" >&2', "sh", "--timeout", "--", "-x", stdin=b"input")
        self.assertEqual(process.wait(), 0)
        self.assertEqual((process.out, process.err), (b"input", "--timeout -- -x\n"))

    def test_what_the_program_inherits(self):
        with open("/dev/null", "rb") as null:
            number = os.dup2(null.fileno(), 9)
            process, connection = self.start("cat", stdin=subprocess.PIPE, pass_fds=[number])
            os.close(number)
        process.wait_echo("started")
        self.assertEqual(sorted(os.listdir(f"/proc/{process.pid}/fd")), ["0", "1", "2", "3"])
        self.assertTrue(os.readlink(f"/proc/{process.pid}/fd/3").startswith("socket:"))
        status = dict(line.split(":\t", 1) for line in self.proc(process, "status").splitlines() if ":\t" in line)
        self.assertEqual(int(status["SigBlk"], 16), 0)
        self.assertEqual(int(status["SigIgn"], 16) & 1 << (signal.SIGPIPE - 1), 0)
        self.assertEqual(int(status["SigCgt"], 16) & 1 << (signal.SIGPIPE - 1), 0)
        process.stdin.close()
        self.assert_ended(process, 0)
        self.assertEqual(connection.recv(10), b"")

    def proc(self, process, name):
        with open(f"/proc/{process.pid}/{name}", encoding="utf-8") as file:
            return file.read()

    def test_a_broken_pipe_ends_the_program(self):
        reading, writing = os.pipe()
        os.close(reading)
        process, _ = self.start("sh", "-c", "echo x; echo y", stdout=writing)
        os.close(writing)
        self.assertEqual(process.wait(), -signal.SIGPIPE)

    def test_statuses(self):
        for status in (0, 1, 3, 42, 255):
            with self.subTest(status):
                self.name += "x"
                process, _ = self.start("sh", "-c", f"exit {status}")
                self.assert_ended(process, status)

    def test_a_signal(self):
        process, _ = self.start("sh", "-c", "kill -USR1 $$")
        self.assert_ended(process, -signal.SIGUSR1)

    def test_a_program_that_cannot_be_executed(self):
        process, connection = self.start(self.write_file("program", b"content"))
        self.assert_ended(process, 126, "Permission denied")
        self.assertEqual(connection.recv(10), b"")

    def test_a_program_of_an_unknown_format(self):
        path = self.write_file("program", b"\0\1\2")
        os.chmod(path, 0o755)
        process, _ = self.start(path)
        self.assert_ended(process, 126, "Exec format error")

    def test_a_program_that_does_not_exist(self):
        for program in ("no-such-program\n", self.path("missing")):
            with self.subTest(program):
                self.name += "x"
                process, connection = self.start(program, environment={"PATH": "/usr/bin:/bin"})
                self.assert_ended(process, 127, "No such file or directory")
                self.assertEqual(connection.recv(10), b"")

    def test_programs_are_found_in_path(self):
        path = self.write_file("a-program", b"#!/bin/sh\necho found\n")
        os.chmod(path, 0o755)
        process, _ = self.start("a-program", environment={"PATH": f"{self.directory}:/usr/bin:/bin"})
        self.assert_ended(process, 0)
        self.assertEqual(process.out, b"found\n")

    def test_no_server(self):
        mark = self.path("mark")
        for timeout, status in ("0", 3), ("20ms", 4):
            process = self.tool.run("pass", self.name, "--timeout", timeout, "--", "touch", mark)
            self.assert_ended(process, status, "no server is listening")
        self.assertFalse(os.path.exists(mark))

    def test_it_waits_for_the_server(self):
        process = self.tool.start("pass", self.name, "--timeout", "10", "--", "sh", "-c", "echo hello >&3")
        server = self.tool.listen(self.name, "--count", "1", "--format", "raw")
        self.assert_ended(process, 0)
        self.assert_ended(server, 0)
        self.assertEqual(server.out, b"hello\n")

    def test_a_descriptor_can_be_sent(self):
        script = "import socket; c = socket.socket(fileno=3); socket.send_fds(c, [b'x'], [0])"
        process, connection = self.start(sys.executable, "-c", script, stdin=b"content")
        data, (fd,) = receive(connection)
        self.assertEqual((data, os.pread(fd, 10, 0)), (b"x", b"content"))
        os.close(fd)
        self.assert_ended(process, 0)

    def test_invalid_arguments(self):
        for args in (
            [],
            ["--", "true"],
            [self.name],
            [self.name, "--"],
            [self.name, "true"],
            [self.name, "--mode", "600", "--", "true"],
            [self.name, "--listen", "--mode", "600", "--", "true"],
            [f"path:{self.path('socket')}", "--listen", "--mode", "999", "--", "true"],
            [self.name, "--timeout", "x", "--", "true"],
        ):
            with self.subTest(args):
                process = self.tool.run("pass", *args)
                self.assertEqual(process.wait(), 2)
                self.assertRegex(process.err, r"\Ammipc: [^\n]+\n\Z")


class ListenTest(ToolTest):
    def setUp(self):
        super().setUp()
        self.socket = self.path("socket")
        self.address = f"path:{self.socket}"

    def test_a_server_takes_over_the_socket(self):
        environment = {"LISTEN_PID": "1", "LISTEN_FDS": "9", "LISTEN_FDNAMES": "x", "OTHER": "kept"}
        for address in (self.name, self.address):
            with self.subTest(address):
                process = self.tool.start(
                    "pass", address, "--listen", "--", sys.executable, "-c", ACTIVATED, environment=environment
                )
                sender = self.tool.run("send", address, "hello", "--wait-reply", "--timeout", "10")
                self.assert_ended(sender, 0)
                self.assertEqual(sender.out, b"hello 1 mmipc kept\n")
                self.assert_ended(process, 0)

    def test_what_the_program_inherits(self):
        process = self.tool.start("pass", self.name, "--listen", "--", "cat", stdin=subprocess.PIPE)
        process.wait_echo("started")
        self.assertEqual(sorted(os.listdir(f"/proc/{process.pid}/fd")), ["0", "1", "2", "3"])
        process.stdin.close()
        self.assert_ended(process, 0)

    def test_the_path_remains(self):
        process = self.tool.run("pass", self.address, "--listen", "--", "true")
        self.assert_ended(process, 0)
        self.assertTrue(stat.S_ISSOCK(os.stat(self.socket).st_mode))
        process = self.tool.run("pass", self.address, "--listen", "--", "sh", "-c", "exit 3")
        self.assert_ended(process, 3)

    def test_mode(self):
        for umask in (0, 0o777):
            for args, mode in ([], 0o600), (["--mode", "660"], 0o660), (["--mode=777"], 0o777):
                with self.subTest(umask=umask, mode=mode):
                    self.assert_ended(
                        self.tool.run("pass", self.address, "--listen", *args, "--", "true", umask=umask), 0
                    )
                    self.assertEqual(stat.S_IMODE(os.stat(self.socket).st_mode), mode)

    def test_the_path_is_removed_if_the_program_cannot_be_executed(self):
        for program, status in (self.path("missing"), 127), ("/", 126):
            self.assertEqual(self.tool.run("pass", self.address, "--listen", "--", program).wait(), status)
            self.assertEqual(os.listdir(self.directory), [])

    def test_an_address_in_use(self):
        for address in (self.name, self.address):
            self.tool.listen(address)
            process = self.tool.run("pass", address, "--listen", "--", "true")
            self.assert_ended(process, 1, "Address already in use")
        self.closing(connect_to(self.socket))


if __name__ == "__main__":
    unittest.main()
