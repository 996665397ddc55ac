# SPDX-License-Identifier: Apache-2.0
"""mmipc wait."""

import os
import select
import shutil
import socket
import subprocess
import time
import unittest

from helpers import IS_ROOT, OTHER_ID, TIMEOUT, ToolTest, listen_at, padded


class WaitTest(ToolTest):
    def wait_for_server(self, address, start, *args):
        """Waits for a server that is started a little later, and returns the tool."""
        process = self.tool.start("wait", address, "--timeout", str(TIMEOUT), *args)
        time.sleep(0.1)
        self.assertIsNone(process.popen.poll())
        start()
        return process

    def assert_unseen(self, listener):
        self.assertEqual(select.select([listener], [], [], 0.05)[0], [], "the server has a client")

    def test_a_server_that_listens(self):
        listener = self.server()
        self.assert_ended(self.tool.run("wait", self.name, "--timeout", "0"), 0)
        self.assert_unseen(listener)

    def test_a_server_that_starts(self):
        process = self.wait_for_server(self.name, lambda: self.tool.listen(self.name))
        self.assert_ended(process, 0)

    def test_a_server_that_notifies_nobody(self):
        listeners = []
        process = self.wait_for_server(self.name, lambda: listeners.append(self.server()))
        self.assert_ended(process, 0)
        self.assert_unseen(listeners[0])

    def test_a_full_queue(self):
        self.server(backlog=0)
        self.client()
        self.assert_ended(self.tool.run("wait", self.name, "--timeout", "0"), 0)

    def test_a_name_that_is_bound_or_not_padded(self):
        bound = self.closing(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
        bound.bind(padded(self.name))
        other = self.name + "-other"
        self.closing(listen_at(b"\0" + other.encode()))
        for name in (self.name, other):
            self.assert_ended(self.tool.run("wait", name, "--timeout", "0"), 3, f"no server listens on {name}")

    def test_a_path(self):
        path = self.path("socket")
        process = self.wait_for_server(f"path:{path}", lambda: self.tool.listen(f"path:{path}"))
        self.assert_ended(process, 0)
        listener = self.closing(listen_at(self.path("plain")))
        self.assert_ended(self.tool.run("wait", f"path:{self.path('plain')}", "--timeout", "0"), 0)
        self.assert_unseen(listener)

    def test_paths_without_server(self):
        bound = self.closing(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
        bound.bind(self.path("bound"))
        listen_at(self.path("leftover")).close()
        self.write_file("file", b"")
        for name in ("bound", "leftover", "file", "none"):
            process = self.tool.run("wait", f"path:{self.path(name)}", "--timeout", "0")
            self.assert_ended(process, 3, "no server listens on path:")
        process = self.tool.run("wait", f"path:{self.path('none/socket')}", "--timeout", "0")
        self.assert_ended(process, 1, "No such file or directory")

    @unittest.skipUnless(IS_ROOT and shutil.which("unshare"), "a network namespace needs root and unshare")
    def test_a_path_of_another_network_namespace(self):
        path = self.path("socket")
        program = "import socket, sys; s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); s.bind(sys.argv[1]); s.listen(); print(flush=True); sys.stdin.read()"
        with subprocess.Popen(
            ["unshare", "--net", shutil.which("python3"), "-c", program, path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as server:
            server.stdout.readline()
            process = self.tool.run("wait", f"path:{path}", "--timeout", "0")
            server.communicate()
        self.assert_ended(process, 0)

    @unittest.skipUnless(IS_ROOT, "another user needs root")
    def test_a_directory_that_denies_access(self):
        os.chmod(self.directory, 0o700)
        self.closing(listen_at(self.path("socket")))
        process = self.other_tool(OTHER_ID).run("wait", f"path:{self.path('socket')}", "--timeout", str(TIMEOUT))
        self.assert_ended(process, 6, "Permission denied")

    def test_timeouts(self):
        begin = time.monotonic()
        process = self.tool.run("wait", self.name, "--timeout", "0.2")
        self.assertGreaterEqual(time.monotonic() - begin, 0.2)
        self.assert_ended(process, 4, f"no server listens on {self.name} within 200ms")

    def test_a_command(self):
        self.server()
        process = self.tool.run("wait", self.name, "--", "sh", "-c", 'echo "$1"; exit 7', "sh", "--timeout")
        self.assert_ended(process, 7)
        self.assertEqual(process.out, b"--timeout\n")
        self.assert_ended(self.tool.run("wait", self.name, "--", "/nonexistent"), 127, "No such file")
        self.assert_ended(self.tool.run("wait", self.name, "--", "/dev/null"), 126, "Permission denied")
        process = self.tool.run("wait", self.name, "--", "cat", "/proc/self/status")
        ignored = [line for line in process.out.decode().splitlines() if line.startswith("SigIgn")]
        self.assertEqual(int(ignored[0].split()[1], 16) & 1 << 12, 0, "SIGPIPE is ignored")

    def test_usage(self):
        self.assert_ended(self.tool.run("wait"), 2, "no address")
        self.assert_ended(self.tool.run("wait", self.name, "--"), 2, "no command")
        self.assert_ended(self.tool.run("wait", self.name, "--timeout", "soon"), 2, "invalid value")


if __name__ == "__main__":
    unittest.main()
