# SPDX-License-Identifier: Apache-2.0
"""mmipc with socat, a program without the library, as a peer."""

import shutil
import signal
import subprocess
import unittest

from helpers import TIMEOUT, Tool, ToolTest, is_listening, wait_for

SOCAT = shutil.which("socat")


@unittest.skipUnless(SOCAT, "socat is not installed")
class SocatTest(ToolTest):
    def setUp(self):
        super().setUp()
        self.socat = Tool()
        self.socat.path = SOCAT
        self.addCleanup(self.socat.close)

    def address(self, kind):
        return f"ABSTRACT-{kind}:{self.name},type=5,unix-tightsocklen=0"

    def test_socat_as_client(self):
        process = self.tool.listen(self.name, "--echo", "--count", "1")
        client = self.socat.run("-t", "10", "-", self.address("CONNECT"), stdin=b"hello\n")
        self.assert_ended(client, 0)
        self.assertEqual(client.out, b"hello\n")
        self.assert_ended(process, 0)
        self.assertIn(b": hello\\n\n", process.out)

    def test_socat_as_client_of_a_path(self):
        path = self.path("socket")
        process = self.tool.listen(f"path:{path}", "--reply", "answer", "--once")
        client = self.socat.run("-t", "10", "-", f"UNIX-CONNECT:{path},type=5", stdin=b"hello")
        self.assert_ended(client, 0)
        self.assertEqual(client.out, b"answer")
        self.assert_ended(process, 0)

    def test_socat_as_server(self):
        server = self.socat.start(self.address("LISTEN"), "EXEC:cat", stdin=subprocess.DEVNULL)
        wait_for(lambda: is_listening(self.name) or server.popen.poll() is not None, "socat listens")
        sender = self.tool.run("send", self.name, "hello", "--wait-reply", "--timeout", str(TIMEOUT))
        self.assert_ended(sender, 0)
        self.assertEqual(sender.out, b"hello\n")
        server.kill(signal.SIGTERM)


if __name__ == "__main__":
    unittest.main()
