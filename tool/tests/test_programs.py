# SPDX-License-Identifier: Apache-2.0
"""mmipc with C programs that are linked with the library: the examples, in the directory that EXAMPLES names."""

import json
import os
import signal
import unittest

from helpers import Tool, ToolTest, is_listening, wait_for

EXAMPLES = os.environ.get("EXAMPLES")


@unittest.skipUnless(EXAMPLES, "EXAMPLES does not name the directory of the examples")
class ProgramTest(ToolTest):
    def program(self, name):
        program = Tool()
        program.path = os.path.join(EXAMPLES, name)
        self.addCleanup(program.close)
        return program

    def listed(self):
        (server,) = json.loads(self.tool.run("list", "--json", self.name).out)["servers"]
        return server

    def test_a_server(self):
        server = self.program("epoll_server").start(self.name)
        wait_for(lambda: is_listening(self.name) or server.popen.poll() is not None, "the server listens")
        client = self.tool.run("send", self.name, "hello", "again", "--wait-reply")
        self.assert_ended(client, 0)
        self.assertEqual(client.out.decode(), f"{server.pid}: hello\n{server.pid}: again\n")
        (process,) = self.listed()["processes"]
        self.assertEqual((process["pid"], process["program"]), (server.pid, "epoll_server"))
        server.kill(signal.SIGTERM)
        self.assertEqual(server.wait(), 0)

    def test_a_client_that_waits_for_the_server(self):
        client = self.program("reconnecting_client").start(self.name, "2", "1")

        def waiting():
            return json.loads(self.tool.run("list", "--json", self.name).out)["waiting"]

        wait_for(waiting, "the client watches the name")
        (entry,) = waiting()
        self.assertEqual((entry["address"], entry["processes"][0]["pid"]), (self.name, client.pid))
        server = self.tool.listen(self.name, "--reply", "answer", "--count", "2")
        self.assert_ended(server, 0)
        self.assertEqual(client.wait(), 0)
        self.assertIn(b"answer", client.out)

    def test_a_client_of_the_drop_in_header(self):
        path = self.write_file("lines", b"1\n2\n")
        server = self.tool.listen("mmsysio-demo", "--reply", "2 lines", "--once", "--format", "quoted")
        client = self.program("client").run(path)
        self.assertEqual(client.popen.returncode, 0)
        self.assertIn(b"2 lines", client.out)
        self.assert_ended(server, 0)
        self.assertIn(f'[descriptor 1: regular file "{path}", read-only]'.encode(), server.out)


if __name__ == "__main__":
    unittest.main()
