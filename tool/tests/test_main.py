# SPDX-License-Identifier: Apache-2.0
"""What all commands of mmipc have in common, and mmipc as an ordinary user."""

import os
import signal
import socket
import stat
import unittest

from helpers import IS_ROOT, OTHER_ID, ToolTest, receive, user_name

COMMANDS = ("list", "listen", "send", "connect", "wait", "pass", "bench")


class OptionTest(ToolTest):
    def test_version(self):
        for option in ("--version", "-V"):
            process = self.tool.run(option)
            self.assert_ended(process, 0)
            self.assertRegex(process.out, rb"\Ammipc \d+\.\d+\.\d+\n\Z")

    def test_help(self):
        overview = self.tool.run("--help")
        self.assert_ended(overview, 0)
        for option in ("-h", "help"):
            self.assertEqual(self.tool.run(option).out, overview.out)
        for command in COMMANDS:
            with self.subTest(command):
                self.assertRegex(overview.out, rb"\n  %s " % command.encode())
                process = self.tool.run(command, "--help")
                self.assert_ended(process, 0)
                self.assertRegex(process.out, rb"\AUsage: mmipc %s .*" % command.encode())
                self.assertEqual(self.tool.run(command, "-h").out, process.out)
                self.assertLessEqual(max(map(len, process.out.splitlines())), 80)

    def test_help_after_other_arguments(self):
        for args in (["listen", "x"], ["send", "x", "y"], ["connect", "x", "--format", "raw"], ["pass", "x"]):
            process = self.tool.run(*args, "--help")
            self.assert_ended(process, 0)
            self.assertIn(b"Usage: ", process.out)

    def test_help_to_a_closed_pipe(self):
        for args in (["--help"], ["listen", "--help"], ["--version"]):
            reading, writing = os.pipe()
            os.close(reading)
            process = self.tool.start(*args, stdout=writing)
            os.close(writing)
            self.assert_ended(process, -signal.SIGPIPE)

    def test_invalid_commands(self):
        for args in ([], ["unknown"], ["--unknown"], [b"\xff\x1b[2J"], [""], ["-z"]):
            with self.subTest(args):
                process = self.tool.run(*args)
                self.assertEqual(process.wait(), 2)
                self.assertRegex(process.err, r"\Ammipc: [^\n]+\n\Z")
                self.assertTrue(process.err.rstrip("\n").isprintable(), process.err)
                self.assertEqual(process.out, b"")


@unittest.skipUnless(IS_ROOT, "the other tests already run as an ordinary user")
class OrdinaryUserTest(ToolTest):
    def setUp(self):
        super().setUp()
        self.tool = self.other_tool()
        os.chown(self.directory, OTHER_ID, OTHER_ID)

    def test_listen_and_send(self):
        process = self.tool.listen(self.name, "--count", "2", "--echo")
        sender = self.tool.run("send", self.name, "one", "--wait-reply")
        self.assert_ended(sender, 0)
        self.assertEqual(sender.out, b"one\n")
        other = self.client()
        other.send(b"two")
        self.assert_ended(process, 0)
        lines = process.out.decode().splitlines()
        self.assertEqual(lines[0], f"mmipc[{sender.pid}] {user_name(OTHER_ID)}: one")
        self.assertRegex(lines[1], rf"\A[^[]+\[{os.getpid()}\] {user_name(0)}: two\Z")

    def test_connect(self):
        self.tool.listen(self.name, "--echo")
        process = self.tool.run("connect", self.name, stdin=b"one\ntwo\n")
        self.assert_ended(process, 0)
        self.assertEqual(process.out, b"one\ntwo\n")

    def test_path(self):
        path = self.path("socket")
        process = self.tool.listen(f"path:{path}", "--mode", "640", umask=0o777)
        status = os.stat(path)
        self.assertEqual((stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid), (0o640, OTHER_ID, OTHER_ID))
        self.assert_ended(self.tool.run("send", f"path:{path}", "x"), 0)
        process.wait_out(": x\n")
        process.kill(signal.SIGINT)
        self.assert_ended(process, -signal.SIGINT)
        self.assertFalse(os.path.exists(path))

    def test_path_in_use_by_another_user(self):
        path = self.path("socket")
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
            listener.bind(path)
            listener.listen()
            os.chmod(path, 0o600)
            process = self.tool.run("listen", f"path:{path}")
            self.assertIn(process.wait(), (1, 6))
            self.assertTrue(os.path.exists(path))

    def test_save_descriptors(self):
        process = self.tool.listen(self.name, "--save-fds", self.directory, "--count", "1")
        with open(__file__, "rb") as file:
            content = file.read()
            socket.send_fds(self.client(), [b"x"], [file.fileno()])
        self.assertEqual(process.wait(), 0, process.err)
        with open(self.path("1"), "rb") as file:
            self.assertEqual(file.read(), content)
        self.assertEqual(os.stat(self.path("1")).st_uid, OTHER_ID)

    def test_a_file_without_permission(self):
        path = self.write_file("file", b"content")
        os.chmod(path, 0o600)
        self.assert_ended(self.tool.run("send", self.name, "--open", path), 6, "Permission denied")
        self.assert_ended(self.tool.run("listen", self.name, "--reply-file", path), 6, "Permission denied")

    def test_a_descriptor_without_permission_to_open_its_file(self):
        path = self.write_file("file", b"content")
        os.chmod(path, 0o600)
        process = self.tool.listen(self.name, "--save-fds", self.directory, "--count", "1")
        with open(path, "rb") as file:
            socket.send_fds(self.client(), [b"x"], [file.fileno()])
        self.assertEqual(process.wait(), 0, process.err)
        with open(self.path("1"), "rb") as file:
            self.assertEqual(file.read(), b"content")

    def test_pass(self):
        listener = self.server()
        process = self.tool.start("pass", self.name, "--", "sh", "-c", "echo hello >&3; exit 3")
        self.assertEqual(self.accept(listener).recv(100), b"hello\n")
        self.assert_ended(process, 3)

    def test_exec(self):
        self.tool.listen(self.name, "--exec", 'echo "$MMIPC_PEER_PID $MMIPC_PEER_UID $(id -u)"')
        self.assertEqual(self.client().recv(100), f"{os.getpid()} 0 {OTHER_ID}\n".encode())

    def test_descriptors(self):
        listener = self.server()
        process = self.tool.start("send", self.name, "--open", "/dev/null:rw", "--fd", "0", "x")
        data, fds = receive(self.accept(listener))
        self.assertEqual((data, len(fds)), (b"x", 2))
        for fd in fds:
            os.close(fd)
        self.assert_ended(process, 0)


if __name__ == "__main__":
    unittest.main()
