# SPDX-License-Identifier: Apache-2.0
"""mmipc bench. The environment variable MMIPC is the tool. Nothing is asserted about speed."""

import contextlib
import itertools
import json
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

from helpers import children_of, wait_for

TOOL = os.path.abspath(os.environ.get("MMIPC") or shutil.which("mmipc") or "mmipc")

# The limit for everything that happens at once on an idle machine.
TIMEOUT = 30

LARGEST = 1 << 20
TIMES = ["min_us", "p50_us", "p90_us", "p99_us", "p99_9_us", "max_us"]
COUNTER = itertools.count(1)

# A shell that runs the tests in the background lets them ignore signals, and the tool would inherit that.
for number in (signal.SIGINT, signal.SIGTERM):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)


def servers_of(pid):
    """The children that have executed the tool."""
    servers = []
    for child in children_of(pid):
        with contextlib.suppress(OSError), open(f"/proc/{child}/cmdline", "rb") as arguments:
            if b"\0--serve\0" in arguments.read():
                servers.append(child)
    return servers


def exists(pid):
    return os.path.exists(f"/proc/{pid}")


def is_running(pid):
    """Whether a process exists and has not terminated; nobody may wait for it."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as status:
            return status.read().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
    except OSError:
        return False


def is_blocked(pid):
    """Whether a process, after it has executed the tool, waits in a system call."""
    with contextlib.suppress(OSError, ValueError):
        with open(f"/proc/{pid}/cmdline", "rb") as arguments, open(f"/proc/{pid}/stat", "rb") as status:
            if b"bench\0" not in arguments.read():
                return False
            if status.read().rpartition(b")")[2].split()[0] != b"S":
                return False
        with open(f"/proc/{pid}/status", encoding="ascii") as status:
            text = status.read()
        with open(f"/proc/{pid}/wchan", encoding="ascii") as channel:
            return "State:\tS" in text and "vfork" not in channel.read()
    return False


class Process:
    """A running tool. Its output goes to files, so that it never blocks."""

    def __init__(self, args, **options):
        self.files = [tempfile.TemporaryFile(), tempfile.TemporaryFile()]
        options = {"stdout": self.files[0], "stderr": self.files[1], **options}
        environment = {**os.environ, "TERM": "dumb"}
        self.popen = subprocess.Popen(
            [TOOL, "bench", *args], stdin=subprocess.DEVNULL, start_new_session=True, env=environment, **options
        )
        self.pid = self.popen.pid

    @property
    def out(self):
        return os.pread(self.files[0].fileno(), 1 << 20, 0).decode()

    @property
    def err(self):
        return os.pread(self.files[1].fileno(), 1 << 20, 0).decode()

    def wait(self):
        """Waits until the process ends, and returns its status: negative if a signal has killed it."""
        return self.popen.wait(TIMEOUT)

    def close(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.popen.wait()
        for file in self.files:
            file.close()


class Server:
    """A server that calls a function for its client, in a thread."""

    def __init__(self, name, serve):
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.listener.bind(b"\0" + name.encode().ljust(107, b"\0"))
        self.listener.listen()
        self.listener.settimeout(TIMEOUT)
        self.serve = serve
        self.messages = 0
        self.client_has_ended = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        with contextlib.suppress(OSError):
            connection, _ = self.listener.accept()
            with connection:
                connection.settimeout(TIMEOUT)
                self.serve(self, connection)

    def receive(self, connection):
        data = connection.recv(LARGEST)
        self.messages += 1
        return data

    def close(self):
        self.client_has_ended.set()
        self.listener.close()
        self.thread.join(TIMEOUT)


def echo(server, connection):
    # An empty message cannot be distinguished from the end here: no test sends one to this server.
    while data := server.receive(connection):
        connection.send(data)


def sink(server, connection):
    while server.receive(connection):
        pass


def silent(server, _connection):
    server.client_has_ended.wait(TIMEOUT)


class BenchTest(unittest.TestCase):
    maxDiff = 4000

    def setUp(self):
        self.name = f"mmipc-bench-{os.getpid()}-{next(COUNTER)}"

    def start(self, *args, **options):
        process = Process(args, **options)
        self.addCleanup(process.close)
        return process

    def server(self, serve):
        server = Server(self.name, serve)
        self.addCleanup(server.close)
        return server

    def assert_ended(self, process, status, error=None):
        """Checks how a process ends, and what it writes to standard error: a line that contains a text, or nothing."""
        actual = process.wait()
        self.assertEqual(actual, status, process.err)
        if error is None:
            self.assertEqual(process.err, "")
        else:
            self.assertIn(error, process.err)
            self.assertRegex(process.err, r"\Ammipc: [^\n]+\n\Z")

    def run_tool(self, *args, status=0, error=None, **options):
        process = self.start(*args, **options)
        self.assert_ended(process, status, error)
        return process.out

    def document(self, text):
        """The JSON document, which is on one line. Its rows are checked."""
        self.assertRegex(text, r"\A\{[^\n]*\}\n\Z")
        document = json.loads(text, parse_constant=self.fail)
        self.assertLessEqual(set(document), {"address", "time_s", "round_trips", "one_way"})
        for row in document.get("round_trips", []):
            if "error" not in row:
                self.assertEqual(list(row), ["size", "count", "per_second", *TIMES])
                self.assert_consistent(row)
        for row in document.get("one_way", []):
            if "error" not in row:
                self.assertEqual(list(row), ["size", "count", "messages_per_second", "bytes_per_second"])
                self.assertIsInstance(row["count"], int)
                self.assertGreater(row["count"], 0)
                self.assertGreater(row["messages_per_second"], 0)
                expected = row["messages_per_second"] * row["size"]
                self.assertAlmostEqual(row["bytes_per_second"], expected, delta=row["size"] * 0.001 + 0.001)
        return document

    def assert_consistent(self, row):
        times = [row[name] for name in TIMES]
        self.assertEqual(times, sorted(times))
        self.assertGreater(times[0], 0)
        self.assertIsInstance(row["count"], int)
        self.assertGreater(row["count"], 0)
        # The round trips are within the time that was measured.
        elapsed_us = row["count"] / row["per_second"] * 1e6
        self.assertGreaterEqual(elapsed_us * 1.01, row["max_us"])
        self.assertGreaterEqual(elapsed_us * 1.01, row["min_us"] * row["count"])


class SelfTest(BenchTest):
    def test_both_directions(self):
        text = self.run_tool("--self", "--time", "50ms", "--size", "64,4K", "--json")
        document = self.document(text)
        self.assertEqual(list(document), ["address", "time_s", "round_trips", "one_way"])
        self.assertIsNone(document["address"])
        self.assertEqual(document["time_s"], 0.05)
        for direction in ("round_trips", "one_way"):
            self.assertEqual([row["size"] for row in document[direction]], [64, 4096])
        for row in document["round_trips"]:
            self.assertGreaterEqual(row["count"] / row["per_second"], 0.05 * 0.999)

    def test_one_way(self):
        document = self.document(self.run_tool("--self", "--one-way", "--time", "20ms", "--size", "1,0", "--json"))
        self.assertEqual(list(document), ["address", "time_s", "one_way"])
        self.assertEqual([row["size"] for row in document["one_way"]], [1, 0])

    def test_default_sizes(self):
        document = self.document(self.run_tool("--self", "--time", "1ms", "--json"))
        sizes = [64, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 128 << 10]
        for direction in ("round_trips", "one_way"):
            self.assertEqual([row["size"] for row in document[direction]], sizes)

    def test_a_time_that_is_shorter_than_a_round_trip(self):
        document = self.document(self.run_tool("--self", "--time", "0.000000001", "--size", "64,0", "--json"))
        self.assertEqual([row["count"] for row in document["round_trips"]], [1, 1])
        self.assertEqual([row["count"] for row in document["one_way"]], [1, 1])

    def test_a_size_that_is_too_large(self):
        text = self.run_tool("--self", "--time", "10ms", "--size", "16M,64,8M,0,8M", "--json")
        document = self.document(text)
        for direction in ("round_trips", "one_way"):
            rows = document[direction]
            self.assertEqual([row["size"] for row in rows], [16 << 20, 64, 8 << 20, 0, 8 << 20])
            self.assertEqual([list(row) == ["size", "error"] for row in rows], [True, False, True, False, True])
            self.assertEqual(rows[0]["error"], "exceeds the limit of the socket")

    def test_tables(self):
        text = self.run_tool("--self", "--time", "10ms", "--size", "64,4K,16M")
        first, second = text.split("\n\n")
        title, *lines = first.splitlines()
        self.assertEqual(title, "Round trips, times in microseconds")
        self.assertEqual(lines[0].split(), "SIZE ROUND TRIPS/S MIN P50 P90 P99 P99.9 MAX".split())
        self.assertEqual([line.split()[0] for line in lines[1:]], ["64", "4K", "16M"])
        self.assertEqual({len(line) for line in lines[:3]}, {len(lines[0])})
        for line in lines[1:3]:
            self.assertRegex(line, r"\A +\w+ +\d+( +\d+\.\d){6}\Z")
        self.assertEqual(lines[3].split(maxsplit=1)[1], "exceeds the limit of the socket")
        title, *lines = second.splitlines()
        self.assertEqual(title, "One way")
        self.assertEqual(lines[0].split(), ["SIZE", "MESSAGES/S", "MiB/S"])
        self.assertEqual([line.split()[0] for line in lines[1:]], ["64", "4K", "16M"])
        self.assertEqual({len(line) for line in lines[:3]}, {len(lines[0])})

    def test_colours(self):
        args = ("--self", "--one-way", "--time", "1ms", "--size", "64,16M", "--color")
        text = self.run_tool(*args, "always")
        self.assertIn("\x1b[1m", text)
        self.assertIn("\x1b[33mexceeds", text)
        for when in ("never", "auto"):
            self.assertNotIn("\x1b", self.run_tool(*args, when))

    def test_the_server_ends(self):
        process = self.start("--self", "--time", "100ms", "--size", "64")
        server = wait_for(lambda: servers_of(process.pid), "a child")[0]
        self.assert_ended(process, 0)
        self.assertFalse(exists(server))

    def test_the_server_ends_with_a_killed_tool(self):
        process = self.start("--self", "--time", "1m", "--size", "64")
        server = wait_for(lambda: servers_of(process.pid), "a child")[0]
        os.kill(process.pid, signal.SIGKILL)
        self.assert_ended(process, -signal.SIGKILL)
        wait_for(lambda: server not in children_of(os.getpid()) and not is_running(server), "the end of the server")

    def test_a_killed_server(self):
        process = self.start("--self", "--time", "1m", "--size", "64")
        os.kill(wait_for(lambda: servers_of(process.pid), "a child")[0], signal.SIGKILL)
        self.assert_ended(process, 5, "the server's process has ended early, with status 137")
        self.assertEqual(process.out, "")

    def test_an_ignored_sigchld(self):
        process = self.start(
            "--self", "--time", "1ms", "--json", preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        )
        self.assert_ended(process, 0)
        self.document(process.out)

    def test_a_closed_output(self):
        for args in ([], ["--json"]):
            reader, writer = os.pipe()
            os.close(reader)
            process = self.start("--self", "--time", "1ms", *args, stdout=writer)
            os.close(writer)
            self.assert_ended(process, -signal.SIGPIPE)

    def test_serve_is_internal(self):
        self.run_tool("--serve", "echo", status=2, error="--serve is internal")
        self.run_tool("--serve", "files", status=2, error="--serve")


class SignalTest(BenchTest):
    def interrupt(self, *args, number=signal.SIGINT, to_group=False):
        """Interrupts a run while it measures its second size, and returns what it has printed."""
        process = self.start("--self", "--time", "0.5s", "--size", ",".join(["64"] * 40), *args)
        servers = wait_for(lambda: servers_of(process.pid), "a child")
        time.sleep(0.8)
        (os.killpg if to_group else os.kill)(process.pid, number)
        self.assert_ended(process, -number)
        self.assertFalse(any(map(exists, servers)))
        return process.out

    def test_a_signal_ends_the_run(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            document = self.document(self.interrupt("--json", number=number))
            self.assertIn(len(document["round_trips"]), range(1, 40))
            self.assertNotIn("one_way", document)

    def test_a_signal_of_the_terminal(self):
        document = self.document(self.interrupt("--json", "--one-way", to_group=True))
        self.assertIn(len(document["one_way"]), range(1, 40))

    def test_a_signal_and_tables(self):
        self.assertIn("Round trips", self.interrupt(to_group=True))

    def test_a_signal_while_the_server_is_silent(self):
        for args in ([], ["--json"]):
            server = self.server(silent)
            process = self.start(self.name, *args)
            wait_for(lambda: is_blocked(process.pid), "a blocked process")
            process.popen.send_signal(signal.SIGINT)
            self.assert_ended(process, -signal.SIGINT)
            if args:
                self.assertEqual(self.document(process.out)["round_trips"], [])
            else:
                self.assertEqual(process.out, "")
            server.close()

    def test_a_signal_while_the_server_does_not_read(self):
        self.server(silent)
        process = self.start(self.name, "--one-way", "--json")
        wait_for(lambda: is_blocked(process.pid), "a blocked process")
        time.sleep(0.1)
        process.popen.send_signal(signal.SIGTERM)
        self.assert_ended(process, -signal.SIGTERM)
        self.assertLessEqual(len(self.document(process.out)["one_way"]), 1)

    def test_a_signal_while_there_is_no_server(self):
        process = self.start(self.name, "--json")
        wait_for(lambda: is_blocked(process.pid), "a blocked process")
        process.popen.send_signal(signal.SIGINT)
        self.assert_ended(process, -signal.SIGINT)

    def test_stopped_and_continued(self):
        self.server(echo)
        process = self.start(self.name, "--time", "0.3s", "--size", "64", "--json", "--timeout", "20s")
        for _ in range(5):
            time.sleep(0.02)
            process.popen.send_signal(signal.SIGSTOP)
            process.popen.send_signal(signal.SIGCONT)
        self.assert_ended(process, 0)
        self.document(process.out)


class ServerTest(BenchTest):
    def test_round_trips(self):
        server = self.server(echo)
        document = self.document(self.run_tool(self.name, "--time", "50ms", "--size", "64,64K,1,64", "--json"))
        self.assertEqual(list(document), ["address", "time_s", "round_trips"])
        self.assertEqual(document["address"], self.name)
        self.assertEqual([row["size"] for row in document["round_trips"]], [64, 64 << 10, 1, 64])
        # There is a warm-up, and recv() has returned the end of the connection.
        server.thread.join(TIMEOUT)
        measured = sum(row["count"] for row in document["round_trips"])
        self.assertGreaterEqual(server.messages - 1, measured + 4)

    def test_one_way(self):
        server = self.server(sink)
        text = self.run_tool(self.name, "--one-way", "--time", "50ms", "--size", "64,1K", "--json", "--timeout", "20s")
        document = self.document(text)
        self.assertEqual(list(document), ["address", "time_s", "one_way"])
        self.assertEqual([row["size"] for row in document["one_way"]], [64, 1024])
        server.thread.join(TIMEOUT)
        self.assertGreaterEqual(server.messages - 1, sum(row["count"] for row in document["one_way"]) + 2)

    def test_a_path(self):
        directory = tempfile.mkdtemp(prefix="mmipc-")
        self.addCleanup(shutil.rmtree, directory)
        path = os.path.join(directory, "socket")
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
            listener.bind(path)
            listener.listen()
            process = self.start(f"path:{path}", "--time", "1ms", "--size", "64", "--json")
            listener.settimeout(TIMEOUT)
            connection, _ = listener.accept()
            with connection:
                while data := connection.recv(LARGEST):
                    connection.send(data)
        self.assert_ended(process, 0)
        self.assertEqual(self.document(process.out)["address"], f"path:{path}")

    def test_a_size_that_is_too_large(self):
        self.server(echo)
        document = self.document(self.run_tool(self.name, "--time", "1ms", "--size", "16M,64", "--json"))
        self.assertEqual(["error" in row for row in document["round_trips"]], [True, False])

    def test_a_server_that_starts_later(self):
        process = self.start(self.name, "--time", "1ms", "--size", "64")
        time.sleep(0.1)
        self.server(echo)
        self.assert_ended(process, 0)

    def test_no_server(self):
        self.run_tool(self.name, "--timeout", "0", status=3, error=self.name)
        self.run_tool(self.name, "--timeout", "50ms", "--json", status=4, error=self.name)

    def test_a_timeout_of_0_does_not_concern_answers(self):
        self.server(echo)
        self.run_tool(self.name, "--timeout", "0", "--time", "1ms", "--size", "64")

    def test_a_server_that_closes_at_once(self):
        self.server(lambda server, connection: None)
        out = self.run_tool(self.name, "--json", status=5, error="the server has closed the connection")
        self.assertEqual(out, "")

    def test_a_server_that_closes_after_the_first_size(self):
        def serve(server, connection):
            while len(data := server.receive(connection)) == 64:
                connection.send(data)

        self.server(serve)
        process = self.start(self.name, "--time", "1ms", "--size", "64,128", "--json")
        self.assert_ended(process, 5, "the server has closed the connection")
        self.assertEqual([row["size"] for row in self.document(process.out)["round_trips"]], [64])

    def test_a_server_that_closes_in_one_direction(self):
        self.server(lambda server, connection: server.receive(connection))
        self.run_tool(self.name, "--one-way", status=5, error="the server has closed the connection")

    def test_a_silent_server(self):
        self.server(silent)
        begin = time.monotonic()
        out = self.run_tool(self.name, "--timeout", "0.7s", status=4, error="the server has not answered within 700ms")
        self.assertGreaterEqual(time.monotonic() - begin, 0.69)
        self.assertEqual(out, "")

    def test_a_server_that_does_not_read(self):
        self.server(silent)
        error = "the server has not read the messages within 50ms"
        self.run_tool(self.name, "--one-way", "--timeout", "50ms", status=4, error=error)

    def test_a_server_that_answers_in_one_direction(self):
        self.server(echo)
        error = "the server answers, but --one-way is for a server that only reads"
        self.run_tool(self.name, "--one-way", "--time", "1m", "--size", "64K", status=1, error=error)

    def test_answers_of_another_size(self):
        for answer, count in ((b"", 0), (b"short", 5), (b"long" * 100, 400), (b"x" * 65, 65)):

            def serve(server, connection, answer=answer):
                server.receive(connection)
                connection.send(answer)
                server.client_has_ended.wait(TIMEOUT)

            server = self.server(serve)
            error = f"the server's answer has {count} bytes instead of 64"
            self.run_tool(self.name, "--size", "64", status=1, error=error)
            server.close()

    def test_answers_with_descriptors(self):
        """They are closed: the tool does not reach its limit."""

        def serve(server, connection):
            while data := server.receive(connection):
                socket.send_fds(connection, [data], [0, 1, 2])

        self.server(serve)
        self.run_tool(self.name, "--size", "64", "--time", "0.2s")


class ProgressTest(BenchTest):
    def run_on_terminal(self, *args, number=None):
        """Runs the tool with a terminal as standard error, and returns what it has written there."""
        leader, follower = pty.openpty()
        self.addCleanup(os.close, leader)
        process = self.start("--self", "--time", "0.3s", "--size", "64,1K", *args, stderr=follower)
        os.close(follower)
        if number:
            wait_for(lambda: servers_of(process.pid), "a child")
            time.sleep(0.2)
            process.popen.send_signal(number)
        process.wait()
        written = b""
        with contextlib.suppress(OSError):
            while data := os.read(leader, 1 << 16):
                written += data
        return process, written.decode()

    def assert_removed(self, written):
        """What is left when each line has been written over the ones before."""
        self.assertNotIn("\n", written)
        width = max(map(len, written.split("\r")))
        self.assertLess(width, 80)
        self.assertRegex(written, rf"\r {{{width}}}\r\Z")

    def test_the_bar_is_removed(self):
        process, written = self.run_on_terminal("--json")
        self.assertEqual(process.popen.returncode, 0)
        self.document(process.out)
        self.assert_removed(written)
        for label in ("round trips, 64", "round trips, 1K", "one way, 64", "one way, 1K"):
            self.assertIn(f"\r{label} ", written)
        percentages = [int(number) for number in re.findall(r"(\d+) %", written)]
        self.assertEqual(percentages, sorted(percentages))
        self.assertEqual(percentages[0], 0)
        self.assertLessEqual(percentages[-1], 100)

    def test_the_bar_is_removed_after_a_signal(self):
        process, written = self.run_on_terminal(number=signal.SIGINT)
        self.assertEqual(process.popen.returncode, -signal.SIGINT)
        self.assert_removed(written)


class UsageTest(BenchTest):
    def test_help(self):
        for option in ("--help", "-h"):
            text = self.run_tool(option)
            self.assertIn("Usage: mmipc bench", text)
            self.assertNotIn("--serve", text)
            self.assertLessEqual(max(map(len, text.splitlines())), 80)

    def test_invalid_arguments(self):
        for args in (
            [],
            ["--json"],
            ["--one-way"],
            [self.name, "--self"],
            ["--self", self.name],
            [self.name, self.name],
            [""],
            ["path:"],
            ["--self=yes"],
            ["--self", "--unknown"],
            ["--self", "-x"],
            ["--self", "--size"],
            ["--self", "--size", ""],
            ["--self", "--size", "64,"],
            ["--self", "--size", "64 K"],
            ["--self", "--size", "-1"],
            ["--self", "--size", "16385K"],
            ["--self", "--size", "64,17M"],
            ["--self", "--size", "99999999999999999999"],
            ["--self", "--time", "0"],
            ["--self", "--time", "1d"],
            ["--self", "--timeout", "-1"],
            ["--self", "--color", "blue"],
        ):
            with self.subTest(args=args):
                self.assertEqual(self.run_tool(*args, status=2, error=""), "")


if __name__ == "__main__":
    unittest.main()
