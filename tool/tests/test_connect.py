# SPDX-License-Identifier: Apache-2.0
"""mmipc connect."""

import json
import os
import pty
import select
import signal
import socket
import subprocess
import termios
import unittest

from helpers import TIMEOUT, ToolTest, accept, wait_for


class TalkTest(ToolTest):
    def test_lines_that_are_not_received_are_a_failure(self):
        listener = self.server()
        connection = None
        reading, writing = os.pipe()
        with open(reading, "rb") as source, open(writing, "wb", buffering=0) as sink:
            process = self.tool.start("connect", self.name, stdin=source)
            connection = accept(listener)
            process.kill(signal.SIGSTOP)
            for number in range(50):
                connection.send(b"%d" % number)
            connection.close()
            sink.write(b"one\ntwo\n")
        process.kill(signal.SIGCONT)
        self.assert_ended(process, 5, "closed the connection")
        self.assertEqual(process.out.count(b"\n"), 50)

    def connect(self, *args, stdin=subprocess.PIPE):
        """Starts the tool, and returns it and the server's end of its connection."""
        listener = self.server()
        process = self.tool.start("connect", self.name, *args, stdin=stdin)
        connection = self.accept(listener)
        listener.close()
        return process, connection

    def write(self, process, data):
        process.stdin.write(data)
        process.stdin.flush()

    def test_lines_and_messages(self):
        process, connection = self.connect()
        for line, shown in (b"one", "one"), (b"", ""), (b"\0\xff\t", "\\x00\\xff\\t"):
            self.write(process, line + b"\n")
            self.assertEqual(connection.recv(100), line)
            self.assertIsNone(process.popen.poll())
            connection.send(line)
            process.wait_out(f"{shown}\n")
        process.stdin.close()
        self.assertEqual(connection.recv(100), b"")
        connection.send(b"\x1bafter the end of input")
        process.wait_out("\\x1bafter the end of input\n")
        connection.close()
        self.assert_ended(process, 0)
        self.assertEqual(process.out, b"one\n\n\\x00\\xff\\t\n\\x1bafter the end of input\n")

    def test_a_line_in_parts(self):
        process, connection = self.connect()
        for part in (b"one", b" and", b" two\nth", b"ree\nrest"):
            self.write(process, part)
        self.assertEqual([connection.recv(100), connection.recv(100)], [b"one and two", b"three"])
        process.stdin.close()
        self.assertEqual([connection.recv(100), connection.recv(100)], [b"rest", b""])
        connection.close()
        self.assert_ended(process, 0)

    def test_a_long_line(self):
        line = b"x" * (128 << 10)
        process, connection = self.connect(stdin=line + b"\nlast")
        self.assertEqual([connection.recv(1 << 20), connection.recv(100), connection.recv(100)], [line, b"last", b""])
        connection.close()
        self.assert_ended(process, 0)

    def test_a_line_that_is_too_long(self):
        process, _ = self.connect(stdin=b"x" * (1 << 23))
        self.assert_ended(process, 1, "exceeds the limit")

    def test_empty_input(self):
        process, connection = self.connect(stdin=b"")
        self.assertEqual(connection.recv(100), b"")
        connection.send(b"x")
        connection.close()
        self.assert_ended(process, 0)
        self.assertEqual(process.out, b"x\n")

    def test_closed_input(self):
        listener = self.server()
        process = self.tool.start("connect", self.name, preexec_fn=lambda: os.close(0))
        connection = self.accept(listener)
        self.assertEqual(connection.recv(100), b"")
        connection.close()
        self.assert_ended(process, 0)

    def test_an_empty_message_is_not_the_end(self):
        process, connection = self.connect()
        connection.send(b"")
        connection.send(b"x")
        process.wait_out("\nx\n")
        process.stdin.close()
        self.assertEqual(connection.recv(10), b"")
        connection.close()
        self.assert_ended(process, 0)

    def test_formats(self):
        for output, expected in {
            "text": b'\\x1b"\\xff\n',
            "quoted": b'"\\x1b\\"\\xff"\n',
            "hex": b"1b22ff\n",
            "raw": b'\x1b"\xff',
            "json": None,
        }.items():
            with self.subTest(output):
                process, connection = self.connect("--format", output, stdin=b"")
                connection.send(b'\x1b"\xff')
                connection.close()
                self.assert_ended(process, 0)
                if expected is None:
                    document = json.loads(process.out)
                    self.assertEqual((document["hex"], document["size"]), ("1b22ff", 3))
                    self.assertNotIn("peer", document)
                else:
                    self.assertEqual(process.out, expected)

    def test_a_large_message(self):
        message = os.urandom(128 << 10)
        process, connection = self.connect("--format", "raw", stdin=b"")
        connection.send(message)
        connection.close()
        self.assert_ended(process, 0)
        self.assertEqual(process.out, message)

    def test_descriptors_are_described(self):
        process, connection = self.connect(stdin=b"")
        with open("/dev/null", "rb") as null:
            socket.send_fds(connection, [b"x"], [null.fileno()])
        connection.close()
        self.assert_ended(process, 0)
        self.assertEqual(process.out, b'x\n[descriptor 1: character device "/dev/null", read-only]\n')

    def test_the_server_closes_first(self):
        process, connection = self.connect()
        self.write(process, b"x\n")
        self.assertEqual(connection.recv(10), b"x")
        connection.send(b"last")
        connection.close()
        self.assert_ended(process, 5, "the server closed the connection")
        self.assertEqual(process.out, b"last\n")

    def test_the_server_closes_with_messages_in_its_queue(self):
        process, connection = self.connect()
        self.write(process, b"x\n")
        wait_for(lambda: connection.recv(10, socket.MSG_PEEK), "a message")
        connection.close()
        self.assert_ended(process, 5, "the server closed the connection")

    def test_a_slow_server_loses_nothing(self):
        lines = [b"%d " % number + b"x" * 1000 for number in range(2000)]
        process, connection = self.connect()
        os.set_blocking(process.stdin.fileno(), False)
        left = memoryview(b"\n".join(lines) + b"\n")
        # The server receives nothing until the tool reads no more.
        while select.select([], [process.stdin], [], 0.1)[1]:
            left = left[os.write(process.stdin.fileno(), left[:4096]) :]
        self.assertGreater(len(left), 1 << 20)
        received = []
        while left or len(received) < len(lines):
            if left and select.select([], [process.stdin], [], 0)[1]:
                left = left[os.write(process.stdin.fileno(), left[:4096]) :]
            if select.select([connection], [], [], 0 if left else TIMEOUT)[0]:
                received.append(connection.recv(10000))
        self.assertEqual(received, lines)
        process.stdin.close()
        self.assertEqual(connection.recv(10), b"")
        connection.close()
        self.assert_ended(process, 0)

    def test_much_input_to_a_server_that_answers(self):
        lines = b"".join(b"%d " % number + b"x" * 3000 + b"\n" for number in range(500))
        server = self.tool.listen(self.name, "--echo", "--once")
        process = self.tool.run("connect", self.name, stdin=lines)
        self.assert_ended(process, 0)
        self.assertEqual(process.out, lines)
        self.assert_ended(server, 0)

    def test_closed_standard_output(self):
        listener = self.server()
        reading, writing = os.pipe()
        process = self.tool.start("connect", self.name, stdin=subprocess.PIPE, stdout=writing)
        os.close(writing)
        os.close(reading)
        self.accept(listener).send(b"x")
        self.assert_ended(process, -signal.SIGPIPE)

    def test_interrupted(self):
        process, _ = self.connect()
        process.kill(signal.SIGINT)
        self.assert_ended(process, -signal.SIGINT)

    def test_a_path(self):
        address = f"path:{self.path('socket')}"
        server = self.tool.listen(address, "--once", "--echo")
        process = self.tool.run("connect", address, stdin=b"x\n")
        self.assert_ended(process, 0)
        self.assertEqual(process.out, b"x\n")
        self.assert_ended(server, 0)

    def test_no_server(self):
        self.assert_ended(self.tool.run("connect", self.name, "--timeout", "0"), 3, "no server is listening")
        self.assert_ended(self.tool.run("connect", self.name, "--timeout", "20ms"), 4, "no server is listening")

    def test_invalid_arguments(self):
        for args in ([], [self.name, "x"], [self.name, "--format", "x"], [self.name, "--timeout"], ["--echo"]):
            with self.subTest(args):
                process = self.tool.run("connect", *args)
                self.assertEqual(process.wait(), 2)
                self.assertRegex(process.err, r"\Ammipc: [^\n]+\n\Z")


class TerminalTest(ToolTest):
    def setUp(self):
        super().setUp()
        self.terminal, self.child_end = pty.openpty()
        self.addCleanup(os.close, self.terminal)
        self.shown = b""

    def wait_shown(self, text):
        """Waits until the terminal shows a text, and removes it."""
        while text not in self.shown:
            if not select.select([self.terminal], [], [], TIMEOUT)[0]:
                raise AssertionError(f"no {text!r} in {self.shown!r}")
            self.shown += os.read(self.terminal, 10000)
        self.shown = self.shown.partition(text)[2]

    def start(self):
        attributes = termios.tcgetattr(self.child_end)
        attributes[3] &= ~termios.ECHO
        termios.tcsetattr(self.child_end, termios.TCSANOW, attributes)
        process = self.tool.start("connect", self.name, stdin=self.child_end, stdout=self.child_end)
        os.close(self.child_end)
        return process

    def test_lines_and_end_of_input(self):
        self.tool.listen(self.name, "--echo")
        process = self.start()
        for text in (b"one", b"two words"):
            os.write(self.terminal, text + b"\n")
            self.wait_shown(text + b"\r\n")
        self.assertIsNone(process.popen.poll())
        os.write(self.terminal, b"\x04")
        self.assert_ended(process, 0)

    def test_messages_cannot_control_the_terminal(self):
        listener = self.server()
        process = self.start()
        connection = self.accept(listener)
        connection.send(b"\x1b]0;title\x07\r\x9b")
        self.wait_shown(b"\\x1b]0;title\\x07\\r\\x9b\r\n")
        connection.close()
        self.assert_ended(process, 5, "the server closed the connection")

    def test_closed_terminal(self):
        listener = self.server()
        process = self.start()
        connection = self.accept(listener)
        os.dup2(connection.fileno(), self.terminal)
        self.addCleanup(process.wait)
        # The end of the terminal is the end of input, or an error.
        connection.recv(10)
        connection.shutdown(socket.SHUT_RDWR)
        self.assertIn(process.wait(), (0, 1))


if __name__ == "__main__":
    unittest.main()
