# SPDX-License-Identifier: Apache-2.0
"""mmipc listen."""

import contextlib
import json
import os
import select
import signal
import socket
import stat
import struct
import subprocess
import sys
import unittest

from helpers import (
    IS_ROOT,
    OTHER_ID,
    TIMEOUT,
    Tool,
    ToolTest,
    children_of,
    client,
    connect_to,
    group_name,
    is_listening,
    peer_prefix,
    receive,
    unique_name,
    user_name,
    wait_for,
)

# Data that could harm a terminal or confuse a reader of lines.
HARMFUL = b'a\x1b[2J\0\xff\n"\\\t\r\xe2\x80\xae\xc3\xa9.'
ESCAPED = "a\\x1b[2J\\x00\\xff\\n\"\\\\\\t\\r\\xe2\\x80\\xae\u00e9."


class FormatTest(ToolTest):
    def test_a_message_cannot_look_like_a_note_or_another_client(self):
        process = self.tool.listen(self.name, "--count", "2")
        self.tool.run("send", self.name, '[descriptor 1: regular file "/etc/shadow", read-only]')
        self.client().send("\u061c\u202ehi".encode())
        self.assert_ended(process, 0)
        lines = process.out.decode().splitlines()
        self.assertIn(': \\x5bdescriptor 1: regular file "/etc/shadow", read-only]', lines[0])
        self.assertTrue(lines[1].endswith(": \\xd8\\x9c\\xe2\\x80\\xaehi"), lines[1])

    def test_the_name_of_a_program_is_escaped(self):
        process = self.tool.listen(self.name, "--count", "1")
        script = (
            "import socket, sys; open('/proc/self/comm', 'w').write('a[1] root: b'); "
            "s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); s.connect(b'\\0' + sys.argv[1].encode().ljust(107, b'\\0')); "
            "s.send(b'hi'); sys.stdin.read()"
        )
        with subprocess.Popen([sys.executable, "-c", script, self.name], stdin=subprocess.PIPE) as client:
            self.assert_ended(process, 0)
            client.communicate()
        self.assertRegex(process.out.decode(), r"\Aa\\x5b1\\x5d\\x20root\\x3a\\x20b\[\d+\] \S+: hi\n\Z")

    def printed(self, messages, *args):
        """What the tool prints for messages of this process."""
        process = self.tool.listen(self.name, "--count", str(len(messages)), *args)
        connection = self.client()
        for message in messages:
            connection.send(message)
        self.assert_ended(process, 0)
        return process.out

    def test_text_is_the_default(self):
        prefix = peer_prefix()
        expected = f"{prefix}hello\n{prefix}{ESCAPED}\n{prefix}\n".encode()
        self.assertEqual(self.printed([b"hello", HARMFUL, b""]), expected)
        self.assertEqual(self.printed([b"hello", HARMFUL, b""], "--format", "text"), expected)

    def test_quoted(self):
        prefix = peer_prefix()
        escaped = ESCAPED.replace('"', '\\"')
        self.assertEqual(
            self.printed([HARMFUL, b""], "--format", "quoted"), f'{prefix}"{escaped}"\n{prefix}""\n'.encode()
        )

    def test_hex(self):
        prefix = peer_prefix()
        self.assertEqual(
            self.printed([HARMFUL, b""], "--format=hex"), f"{prefix}{HARMFUL.hex()}\n{prefix}\n".encode()
        )

    def test_json(self):
        printed = self.printed([b"hello", b"", HARMFUL, "\u00e9\x1b\0\u202e\U0001f600".encode()], "--format", "json")
        self.assertTrue(printed.isascii())
        self.assertNotIn(b"\x1b", printed)
        documents = [json.loads(line) for line in printed.splitlines()]
        peer = {
            "pid": os.getpid(),
            "program": peer_prefix().partition("[")[0],
            "uid": os.geteuid(),
            "user": user_name(os.geteuid()),
            "gid": os.getegid(),
        }
        self.assertEqual(
            documents[0],
            {
                "connection": 1,
                "peer": peer,
                "size": 5,
                "text": "hello",
                "truncated": False,
                "descriptors_dropped": False,
                "descriptors": [],
            },
        )
        self.assertEqual((documents[1]["size"], documents[1]["text"]), (0, ""))
        self.assertEqual((documents[2]["size"], documents[2]["hex"]), (len(HARMFUL), HARMFUL.hex()))
        self.assertNotIn("text", documents[2])
        self.assertEqual(documents[3]["text"], "\u00e9\x1b\0\u202e\U0001f600")
        self.assertNotIn("hex", documents[3])

    def test_raw_prints_only_the_bytes(self):
        self.assertEqual(self.printed([b"one", HARMFUL, b"", b"two"], "--format", "raw"), b"one" + HARMFUL + b"two")

    def test_large_messages_are_complete(self):
        large = os.urandom(128 << 10)
        self.assertEqual(self.printed([b"x", large, large, b"y"], "--format", "raw"), b"x" + large + large + b"y")

    def test_largest_message(self):
        process = self.tool.listen(self.name, "--count", "1", "--format", "raw")
        connection = self.client()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        message = bytes(connection.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) - 32)
        connection.send(message)
        self.assert_ended(process, 0)
        self.assertEqual(process.out, message)

    def test_descriptors_are_described(self):
        path = self.write_file("file\n", b"content")
        reading, writing = os.pipe()
        fds = [os.open(path, os.O_RDWR), os.open(path, os.O_PATH), reading, os.open("/", 0), os.open("/dev/null", 0)]
        fds += [os.memfd_create("name"), self.closing(socket.socket()).fileno()]
        for fd in [*fds[:-1], writing]:
            self.addCleanup(os.close, fd)
        for output in ("text", "json", "raw"):
            with self.subTest(output):
                process = self.tool.listen(self.name, "--format", output, "--count", "1")
                socket.send_fds(self.client(), [b"data"], fds)
                self.assertEqual(process.wait(), 0)
                if output == "json":
                    descriptors = json.loads(process.out)["descriptors"]
                    self.assertEqual(
                        [entry["type"] for entry in descriptors],
                        ["regular", "regular", "fifo", "directory", "character", "memory", "socket"],
                    )
                    self.assertEqual(
                        descriptors[0], {"type": "regular", "target": path, "access": "read-write", "size": 7}
                    )
                    self.assertEqual(descriptors[1]["access"], "path only")
                    self.assertEqual((descriptors[2]["access"], descriptors[2]["size"]), ("read-only", None))
                    continue
                prefix = "mmipc: " if output == "raw" else f"{peer_prefix()}["
                text = process.err if output == "raw" else process.out.decode()
                shown = path.replace("\n", "\\n")
                self.assertIn(f'{prefix}descriptor 1: regular file "{shown}", read-write', text)
                self.assertIn(f'{prefix}descriptor 4: directory "/", read-only', text)
                self.assertIn(f'{prefix}descriptor 6: memory file "/memfd:name (deleted)", read-write', text)
                self.assertEqual(process.out.startswith(b"data"), output == "raw")

    def test_dropped_descriptors_are_reported(self):
        # The message has more descriptors than the tool can open.
        limits = 'ulimit -n 40; exec "$0" "$@"'
        self.tool.path, path = "/bin/sh", self.tool.path
        process = self.tool.start("-c", limits, path, "listen", self.name, "--format", "json", "--count", "2", "--echo")
        wait_for(lambda: self.try_client(), "the tool listens")
        socket.send_fds(self.connection, [b"many"], [0] * 60)
        self.assertEqual(receive(self.connection)[0], b"many")
        self.connection.send(b"after")
        self.assertEqual(process.wait(), 0, process.err)
        first, second = map(json.loads, process.out.splitlines())
        self.assertTrue(first["descriptors_dropped"])
        self.assertLess(len(first["descriptors"]), 60)
        self.assertEqual((second["text"], second["descriptors_dropped"]), ("after", False))

    def try_client(self):
        try:
            self.connection = self.client()
            return True
        except ConnectionRefusedError:
            return False


class ClientTest(ToolTest):
    def test_several_clients_at_once(self):
        process = self.tool.listen(self.name, "--format", "json", "--echo", "--count", "60")
        clients = [self.client() for _ in range(20)]
        for turn in range(3):
            for number, connection in enumerate(clients):
                connection.send(b"%d %d" % (turn, number))
            for number, connection in enumerate(clients):
                self.assertEqual(connection.recv(100), b"%d %d" % (turn, number))
        self.assert_ended(process, 0)
        documents = [json.loads(line) for line in process.out.splitlines()]
        self.assertEqual({document["connection"] for document in documents}, set(range(1, 21)))
        for number in range(1, 21):
            texts = [document["text"] for document in documents if document["connection"] == number]
            self.assertEqual(texts, [f"{turn} {texts[0].split()[1]}" for turn in range(3)])

    def test_a_client_that_does_not_read_does_not_stop_others(self):
        self.tool.listen(self.name, "--echo")
        lazy, other = self.client(), self.client()
        lazy.setblocking(False)
        message, sent = bytes(20000), 0
        while True:
            try:
                lazy.send(message)
                sent += 1
            except BlockingIOError:
                # Neither queue has space, when it is not writable for a while although the server runs.
                other.send(b"ping")
                self.assertEqual(other.recv(100), b"ping")
                if not select.select([], [lazy], [], 0.05)[1]:
                    break
        self.assertGreater(sent, 10)
        lazy.settimeout(TIMEOUT)
        for _ in range(sent):
            self.assertEqual(len(lazy.recv(1 << 20)), 20000)

    def test_clients_may_leave_at_any_time(self):
        process = self.tool.listen(self.name, "--reply", "x" * 1000)
        for sent in range(5):
            connection = self.client()
            # The server receives nothing from a client that does not read its answers.
            connection.setblocking(False)
            for _ in range(sent * 100):
                try:
                    connection.send(b"message")
                except BlockingIOError:
                    break
            connection.close()
        connection = self.client()
        connection.send(b"last")
        self.assertEqual(connection.recv(2000), b"x" * 1000)
        self.assertIsNone(process.popen.poll())
        self.assertEqual(process.err, "")

    def test_messages_before_the_end_of_a_connection_are_printed(self):
        process = self.tool.listen(self.name, "--once", "--format", "raw")
        connection = self.client()
        for number in range(50):
            connection.send(b"%d\n" % number)
        connection.close()
        self.assert_ended(process, 0)
        self.assertEqual(process.out, b"".join(b"%d\n" % number for number in range(50)))

    def test_messages_after_a_half_close_are_answered(self):
        self.tool.listen(self.name, "--echo")
        connection = self.client()
        for _ in range(5):
            connection.send(b"x")
        connection.shutdown(socket.SHUT_WR)
        self.assertEqual([connection.recv(10) for _ in range(6)], [b"x"] * 5 + [b""])


class ReplyTest(ToolTest):
    def answer(self, message, *args):
        self.tool.listen(self.name, *args)
        connection = self.client()
        connection.send(message)
        return connection.recv(1 << 20)

    def test_reply(self):
        self.assertEqual(self.answer(b"x", "--reply", "an answer"), b"an answer")

    def test_reply_with_any_bytes(self):
        self.assertEqual(self.answer(b"x", "--reply", b"\xff\n"), b"\xff\n")

    def test_reply_file(self):
        content = b"\0\xff\n" + os.urandom(100_000)
        self.assertEqual(self.answer(b"x", "--reply-file", self.write_file("reply", content)), content)

    def test_echo(self):
        message = HARMFUL + os.urandom(128 << 10)
        self.assertEqual(self.answer(message, "--echo"), message)

    def test_echo_of_an_empty_message(self):
        self.tool.listen(self.name, "--echo")
        connection = self.client()
        for message in (b"", b"x", b""):
            connection.send(message)
            self.assertEqual(connection.recv(10), message)

    def test_a_message_can_be_printed_without_an_answer(self):
        process = self.tool.listen(self.name, "--count", "1")
        connection = self.client()
        connection.send(b"x")
        self.assert_ended(process, 0)
        self.assertEqual(connection.recv(10), b"")

    def test_the_last_answer_is_sent_before_the_end(self):
        process = self.tool.listen(self.name, "--count", "3", "--reply", "r" * 60000)
        connection = self.client()
        for _ in range(3):
            connection.send(b"x")
        self.assertEqual([len(connection.recv(100_000)) for _ in range(4)], [60000] * 3 + [0])
        self.assert_ended(process, 0)

    def test_an_answer_that_is_too_large_is_reported(self):
        path = self.write_file("reply", bytes(1 << 23))
        process = self.tool.listen(self.name, "--reply-file", path)
        connection = self.client()
        connection.send(b"x")
        self.assertEqual(connection.recv(10), b"")
        process.wait_err("exceeds the limit")
        self.assertIsNone(process.popen.poll())

    def test_invalid_combinations(self):
        for args in (
            ["--reply", "a", "--echo"],
            ["--reply", "a", "--reply", "b"],
            ["--reply", "a", "--exec", "cat"],
            ["--exec", "cat", "--count", "2"],
            ["--exec", "cat", "--save-fds", "/"],
        ):
            with self.subTest(args):
                process = self.tool.run("listen", self.name, *args)
                self.assertEqual(process.wait(), 2)
                self.assertRegex(process.err, r"\Ammipc: [^\n]+\n\Z")

    def test_a_reply_file_must_exist(self):
        process = self.tool.run("listen", self.name, "--reply-file", self.path("missing\n"))
        self.assert_ended(process, 1, 'missing\\n": No such file or directory')


class ExecTest(ToolTest):
    def test_once_waits_for_its_own_program_only(self):
        """The tool has a child that it has not started, if it is executed by a shell."""
        marker = self.path("marker")
        shell = Tool()
        self.addCleanup(shell.close)
        shell.path = "/bin/sh"
        command = f"sleep 0.3; echo done >{marker}"
        process = shell.start("-c", 'sleep 0.1 & exec "$@"', "sh", self.tool.path, "listen", self.name, "--once", "--exec", command)
        wait_for(lambda: is_listening(self.name), "the tool listens")
        self.client()
        self.assert_ended(process, 0)
        self.assertTrue(os.path.exists(marker))

    def test_connection_is_standard_input_and_output(self):
        self.tool.listen(self.name, "--exec", "cat")
        connection = self.client()
        for message in (b"one", b"two"):
            connection.send(message)
            self.assertEqual(connection.recv(100), message)

    def test_environment_describes_the_peer(self):
        stale = {"MMIPC_PEER_PID": "stale", "OTHER_VARIABLE": "kept"}
        command = 'echo "$MMIPC_PEER_PID $MMIPC_PEER_UID $MMIPC_PEER_GID $OTHER_VARIABLE"'
        self.tool.listen(self.name, "--exec", command, environment=stale)
        expected = f"{os.getpid()} {os.geteuid()} {os.getegid()} kept\n"
        connection = self.client()
        self.assertEqual(connection.recv(1000), expected.encode())
        self.assertEqual(connection.recv(1000), b"")

    def test_several_clients_at_once(self):
        process = self.tool.listen(self.name, "--exec", "cat")
        clients = [self.client() for _ in range(5)]
        for number, connection in reversed(list(enumerate(clients))):
            connection.send(b"%d" % number)
            self.assertEqual(connection.recv(100), b"%d" % number)
        self.assertEqual(len(children_of(process.pid)), 5)
        for connection in clients:
            connection.close()
        wait_for(lambda: not children_of(process.pid), "the children have been reaped")
        self.assertIsNone(process.popen.poll())
        self.assertEqual(process.err, "")

    def test_programs_inherit_only_their_connection(self):
        process = self.tool.listen(self.name, "--exec", "exec cat")
        clients = [self.client() for _ in range(3)]
        for connection in clients:
            connection.send(b"x")
            self.assertEqual(connection.recv(10), b"x")
        inodes = set()
        for child in children_of(process.pid):
            self.assertEqual(sorted(os.listdir(f"/proc/{child}/fd")), ["0", "1", "2"])
            inodes.add(os.readlink(f"/proc/{child}/fd/0"))
            with open(f"/proc/{child}/status", encoding="utf-8") as status:
                fields = dict(line.split(":\t", 1) for line in status if ":\t" in line)
            self.assertEqual(int(fields["SigIgn"], 16) & 1 << (signal.SIGPIPE - 1), 0)
            self.assertEqual(int(fields["SigBlk"], 16), 0)
        self.assertEqual(len(inodes), 3)

    def test_once_waits_for_the_program(self):
        process = self.tool.listen(self.name, "--once", "--exec", "cat >/dev/null; exit 3")
        connection = self.client()
        connection.send(b"x")
        wait_for(lambda: children_of(process.pid), "the program runs")
        self.assertIsNone(process.popen.poll())
        connection.close()
        self.assert_ended(process, 0)

    def test_once_ends_if_the_tool_was_started_with_sigchld_ignored(self):
        process = self.tool.listen(
            self.name,
            "--once",
            "--exec",
            "echo hello",
            preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN),
        )
        connection = self.client()
        self.assertEqual(connection.recv(10), b"hello\n")
        connection.close()
        self.assert_ended(process, 0)


class EndTest(ToolTest):
    def test_many_new_clients_do_not_delay_a_signal(self):
        process = self.tool.listen(self.name, "--allow-uid", str(os.geteuid() + 1))
        script = (
            "import socket, sys\n"
            "while True:\n"
            "    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n"
            "    s.connect(b'\\0' + sys.argv[1].encode().ljust(107, b'\\0'))\n"
            "    s.close()\n"
        )
        with subprocess.Popen([sys.executable, "-c", script, self.name], stderr=subprocess.DEVNULL) as flood:
            process.wait_err("refused the client")
            process.kill(signal.SIGTERM)
            # Without the limit, the tool ends only after the flood, which ends when it is refused.
            self.assertEqual(process.wait(), -signal.SIGTERM)
            flood.wait(TIMEOUT)

    def test_a_socket_that_lingers_does_not_stop_the_server(self):
        process = self.tool.listen(self.name, "--count", "2")
        listener = self.closing(socket.create_server(("127.0.0.1", 0)))
        stream = socket.create_connection(listener.getsockname())
        peer, _ = listener.accept()
        self.closing(peer)
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 600))
        stream.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                stream.send(b"x" * 65536)
        client = self.client()
        # The tool gets the only file descriptor, so closing it would wait until the peer has read everything.
        process.kill(signal.SIGSTOP)
        socket.send_fds(client, [b"a socket"], [stream.fileno()])
        stream.close()
        process.kill(signal.SIGCONT)
        process.wait_out("a socket")
        client.send(b"another message")
        self.assert_ended(process, 0)

    def test_count(self):
        process = self.tool.listen(self.name, "--count", "3", "--format", "raw")
        for text in (b"a", b"b", b"c"):
            self.client().send(text)
        self.assert_ended(process, 0)
        self.assertEqual(sorted(process.out.decode()), ["a", "b", "c"])

    def test_no_message_after_the_last_one_is_printed(self):
        process = self.tool.listen(self.name, "--count", "2", "--format", "raw")
        connection = self.client()
        for _ in range(10):
            try:
                connection.send(b"x")
            except OSError:
                break
        self.assert_ended(process, 0)
        self.assertEqual(process.out, b"xx")

    def test_once_serves_one_client(self):
        process = self.tool.listen(self.name, "--once", "--echo")
        first = self.client()
        first.send(b"first")
        self.assertEqual(first.recv(10), b"first")
        with self.assertRaises(ConnectionRefusedError):
            wait_for(lambda: self.connect_and_close(), "refused")
        first.send(b"again")
        self.assertEqual(first.recv(10), b"again")
        first.close()
        self.assert_ended(process, 0)
        self.assertEqual(process.out.count(b"\n"), 2)

    def connect_and_close(self):
        with client(self.name):
            return False

    def test_signals(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number):
                process = self.tool.listen(self.name)
                process.kill(number)
                self.assert_ended(process, -number)
                self.assertEqual(process.out, b"")

    def test_a_signal_ends_a_server_with_clients(self):
        process = self.tool.listen(self.name, "--echo")
        connection = self.client()
        connection.send(b"x")
        self.assertEqual(connection.recv(10), b"x")
        process.kill(signal.SIGINT)
        self.assert_ended(process, -signal.SIGINT)
        self.assertEqual(connection.recv(10), b"")

    def test_an_ignored_signal_stays_ignored(self):
        process = self.tool.listen(
            self.name, "--echo", preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)
        )
        process.kill(signal.SIGHUP)
        connection = self.client()
        connection.send(b"x")
        self.assertEqual(connection.recv(10), b"x")
        self.assertIsNone(process.popen.poll())

    def test_closed_standard_output(self):
        reading, writing = os.pipe()
        process = self.tool.listen(self.name, stdout=writing)
        os.close(writing)
        os.close(reading)
        self.client().send(b"x")
        self.assert_ended(process, -signal.SIGPIPE)

    def test_full_device(self):
        with open("/dev/full", "wb") as full:
            process = self.tool.listen(self.name, stdout=full)
        self.client().send(b"x")
        self.assert_ended(process, 1, "cannot write to standard output: No space left on device")

    def test_invalid_values(self):
        for args in (
            ["--count", "0"],
            ["--count", "-1"],
            ["--count", "x"],
            ["--count", "99999999999999999999"],
            ["--format", "xml"],
            ["--mode", "8"],
            ["--mode", "1777"],
            ["--mode", "600"],
            ["--allow-uid", "no-such-user"],
            ["--allow-gid", "no-such-group"],
            ["--allow-uid", "-1"],
            ["--once=1"],
            ["--reply"],
            ["another-address"],
            ["-x"],
        ):
            with self.subTest(args):
                process = self.tool.run("listen", self.name, *args)
                self.assertEqual(process.wait(), 2)
                self.assertRegex(process.err, r"\Ammipc: [^\n]+\n\Z")


class SaveTest(ToolTest):
    def test_a_file_that_reports_no_size(self):
        process = self.tool.listen(self.name, "--count", "1", "--save-fds", self.directory)
        self.tool.run("send", self.name, "x", "--open", "/proc/version")
        self.assertEqual(process.wait(), 0)
        with open("/proc/version", "rb") as version, open(self.path("1"), "rb") as saved:
            self.assertEqual(saved.read(), version.read())

    def saved(self, fds, wait=True):
        """Sends file descriptors to a server that saves them in a directory."""
        directory = self.path("saved")
        os.makedirs(directory, exist_ok=True)
        process = self.tool.listen(self.name, "--save-fds", directory, "--once")
        connection = self.client()
        for fd in fds:
            socket.send_fds(connection, [b"x"], [fd])
        connection.close()
        if wait:
            process.wait()
        return process, directory

    def content(self, *names):
        with open(self.path(os.path.join("saved", *names)), "rb") as file:
            return file.read()

    def test_regular_files(self):
        content = os.urandom(200_000)
        with open(self.write_file("file", content), "rb") as file:
            file.seek(1234)
            process, directory = self.saved([file.fileno(), file.fileno()])
            self.assertEqual(file.tell(), 1234)
            self.assertEqual(os.lseek(file.fileno(), 0, os.SEEK_CUR), 1234)
        self.assertEqual(process.wait(), 0, process.err)
        self.assertEqual(sorted(os.listdir(directory)), ["1", "2"])
        self.assertEqual(self.content("1"), content)
        self.assertEqual(self.content("2"), content)
        self.assertEqual(stat.S_IMODE(os.stat(os.path.join(directory, "1")).st_mode), 0o600)
        self.assertEqual(process.err, f'mmipc: saved "{directory}/1"\nmmipc: saved "{directory}/2"\n')

    def test_memory_files(self):
        fd = os.memfd_create("memory")
        os.write(fd, b"content")
        process, _ = self.saved([fd])
        os.close(fd)
        self.assertEqual(process.wait(), 0, process.err)
        self.assertEqual(self.content("1"), b"content")

    def test_an_empty_file(self):
        with open(self.write_file("file", b""), "rb") as file:
            process, _ = self.saved([file.fileno()])
        self.assertEqual(process.wait(), 0, process.err)
        self.assertEqual(self.content("1"), b"")

    def test_other_files_are_not_saved(self):
        reading, writing = os.pipe()
        os.write(writing, b"content")
        null = os.open("/dev/zero", os.O_RDONLY)
        directory_fd = os.open("/", os.O_RDONLY)
        process, directory = self.saved([reading, null, directory_fd])
        self.assertEqual(os.read(reading, 100), b"content")
        for fd in (reading, writing, null, directory_fd):
            os.close(fd)
        self.assertEqual(process.wait(), 0)
        self.assertEqual(os.listdir(directory), [])
        self.assertEqual(process.err.count("was not saved"), 3)

    def test_existing_names_are_skipped(self):
        os.mkdir(self.path("saved"))
        self.write_file("saved/1", b"old")
        os.mkdir(self.path("saved/2"))
        os.symlink("target", self.path("saved/3"))
        with open(self.write_file("file", b"new"), "rb") as file:
            process, directory = self.saved([file.fileno()])
        self.assertEqual(process.wait(), 0, process.err)
        self.assertEqual(sorted(os.listdir(directory)), ["1", "2", "3", "4"])
        self.assertEqual((self.content("1"), self.content("4")), (b"old", b"new"))

    def test_a_file_that_is_too_large_is_refused(self):
        with open(self.write_file("file", b""), "r+b") as file:
            file.truncate(2 << 30)
            process, directory = self.saved([file.fileno()], wait=False)
            process.wait_err("File too large")
        self.assertEqual(os.listdir(directory), [])

    def test_a_file_that_cannot_be_saved_does_not_end_the_server(self):
        directory = self.path("saved")
        os.mkdir(directory)
        process = self.tool.listen(self.name, "--save-fds", directory, "--echo")
        connection = self.client()
        with open(self.write_file("large", b""), "r+b") as file:
            file.truncate(2 << 30)
            socket.send_fds(connection, [b"large"], [file.fileno()])
        with open(self.path("write-only"), "wb") as file:
            file.write(b"content")
            file.flush()
            socket.send_fds(connection, [b"write-only"], [file.fileno()])
        path_only = os.open(self.write_file("path-only", b"content"), os.O_PATH)
        socket.send_fds(connection, [b"path-only"], [path_only])
        os.close(path_only)
        with open(self.write_file("good", b"good"), "rb") as file:
            socket.send_fds(connection, [b"good"], [file.fileno()])
        answers = [connection.recv(100) for _ in range(4)]
        self.assertEqual(answers, [b"large", b"write-only", b"path-only", b"good"])
        process.wait_err("mmipc: saved ")
        self.assertIsNone(process.popen.poll())
        self.assertEqual([self.content(name) for name in os.listdir(directory)], [b"good"])

    def test_the_directory_must_exist(self):
        process = self.tool.run("listen", self.name, "--save-fds", self.path("missing"))
        self.assert_ended(process, 1, "No such file or directory")
        process = self.tool.run("listen", self.name, "--save-fds", self.write_file("file", b""))
        self.assert_ended(process, 1, "Not a directory")


class PathTest(ToolTest):
    def setUp(self):
        super().setUp()
        self.socket = self.path("socket")
        self.address = f"path:{self.socket}"

    def mode(self):
        return stat.S_IMODE(os.stat(self.socket).st_mode)

    def test_mode_does_not_depend_on_the_umask(self):
        for umask in (0, 0o077, 0o777):
            for mode in ("600", "0660", "666", "777", "000"):
                with self.subTest(umask=umask, mode=mode):
                    process = self.tool.listen(self.address, "--mode", mode, umask=umask)
                    self.assertEqual(self.mode(), int(mode, 8))
                    process.kill(signal.SIGTERM)
                    self.assert_ended(process, -signal.SIGTERM)

    def test_default_mode(self):
        for umask in (0, 0o777):
            process = self.tool.listen(self.address, umask=umask)
            self.assertEqual(self.mode(), 0o600)
            self.assertTrue(stat.S_ISSOCK(os.stat(self.socket).st_mode))
            process.kill(signal.SIGTERM)
            process.wait()

    def test_signals_remove_the_path(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number):
                process = self.tool.listen(self.address)
                process.kill(number)
                self.assert_ended(process, -number)
                self.assertEqual(os.listdir(self.directory), [])

    def test_closed_standard_output_removes_the_path(self):
        reading, writing = os.pipe()
        process = self.tool.listen(self.address, stdout=writing)
        os.close(writing)
        os.close(reading)
        self.closing(connect_to(self.socket)).send(b"x")
        self.assert_ended(process, -signal.SIGPIPE)
        self.assertEqual(os.listdir(self.directory), [])

    def test_a_signal_ends_a_server_whose_output_is_not_read(self):
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number):
                process = self.tool.listen(self.address, "--format", "raw", stdout=writing)
                connection = self.closing(connect_to(self.socket))
                connection.setblocking(False)
                # The tool blocks, and then receives nothing, when the pipe is full.
                while select.select([], [connection], [], 0.1)[1]:
                    connection.send(bytes(20000))
                process.kill(number)
                self.assert_ended(process, -number)
                self.assertEqual(os.listdir(self.directory), [])
        os.close(writing)

    def test_the_normal_end_removes_the_path(self):
        process = self.tool.listen(self.address, "--count", "1", "--format", "raw")
        self.closing(connect_to(self.socket)).send(b"x")
        self.assert_ended(process, 0)
        self.assertEqual(process.out, b"x")
        self.assertEqual(os.listdir(self.directory), [])

    def test_once_removes_the_path(self):
        process = self.tool.listen(self.address, "--once")
        connection = self.closing(connect_to(self.socket))
        wait_for(lambda: not os.listdir(self.directory), "the path is removed")
        connection.close()
        self.assert_ended(process, 0)

    def test_a_path_in_use(self):
        self.tool.listen(self.address)
        self.assert_ended(self.tool.run("listen", self.address), 1, "Address already in use")
        self.assertTrue(os.path.exists(self.socket))

    def test_a_stale_path_is_replaced(self):
        process = self.tool.listen(self.address)
        process.kill(signal.SIGKILL)
        process.wait()
        self.assertTrue(os.path.exists(self.socket))
        inode = os.stat(self.socket).st_ino
        process = self.tool.start("listen", self.address, "--count", "1")
        wait_for(lambda: os.stat(self.socket).st_ino != inode, "the path is replaced")
        self.closing(connect_to(self.socket)).send(b"x")
        self.assert_ended(process, 0)

    def test_another_file_is_not_replaced(self):
        self.write_file("socket", b"content")
        self.assertEqual(self.tool.run("listen", self.address).wait(), 1)
        with open(self.socket, "rb") as file:
            self.assertEqual(file.read(), b"content")

    def test_a_name_in_use(self):
        self.tool.listen(self.name)
        self.assert_ended(self.tool.run("listen", self.name), 1, "Address already in use")

    @unittest.skipUnless(IS_ROOT, "root is needed to run a server of another user")
    def test_a_directory_without_permission(self):
        os.chmod(self.directory, 0o755)
        self.assert_ended(self.other_tool().run("listen", self.address), 6, "Permission denied")


class AccessTest(ToolTest):
    def is_served(self, *args, tool=None, server_tool=None):
        """Whether a client of `tool` gets an answer from a server with these options."""
        name = unique_name()
        process = (server_tool or self.tool).listen(name, "--reply", "answer", *args)
        sender = (tool or self.tool).run("send", name, "x", "--wait-reply", "--timeout", "10")
        if sender.wait() == 0:
            self.assertEqual(sender.out, b"answer\n")
            self.assertEqual(process.err, "")
            return True
        self.assertEqual(sender.wait(), 5, sender.err)
        process.wait_err("mmipc: refused the client ")
        self.assertEqual(process.out, b"")
        self.assertIsNone(process.popen.poll())
        return False

    def test_own_user_and_group(self):
        uid, gid = os.geteuid(), os.getegid()
        self.assertTrue(self.is_served("--allow-uid", str(uid)))
        self.assertTrue(self.is_served("--allow-gid", str(gid)))
        self.assertFalse(self.is_served("--allow-uid", str(uid + 1)))
        self.assertFalse(self.is_served("--allow-gid", str(gid + 1)))
        self.assertFalse(self.is_served("--allow-uid", str(uid + 1), "--allow-gid", str(gid + 1)))
        self.assertTrue(self.is_served("--allow-uid", str(uid + 1), "--allow-uid", str(uid)))
        self.assertTrue(self.is_served("--allow-uid", str(uid + 1), "--allow-gid", str(gid)))

    def test_names_of_users_and_groups(self):
        if not user_name(os.geteuid()).isdigit():
            self.assertTrue(self.is_served("--allow-uid", user_name(os.geteuid())))
        if not group_name(os.getegid()).isdigit():
            self.assertTrue(self.is_served("--allow-gid", group_name(os.getegid())))

    def test_exec_is_not_run_for_a_refused_client(self):
        mark = self.path("mark")
        process = self.tool.listen(self.name, "--allow-uid", str(os.geteuid() + 1), "--exec", f"touch {mark}")
        self.assertEqual(self.client().recv(10), b"")
        process.wait_err("refused")
        self.assertFalse(os.path.exists(mark))

    def test_a_refused_client_is_not_the_client_of_once(self):
        process = self.tool.listen(self.name, "--once", "--allow-uid", str(os.geteuid() + 1))
        for _ in range(2):
            self.assertEqual(self.client().recv(10), b"")
        self.assertIsNone(process.popen.poll())

    @unittest.skipUnless(IS_ROOT, "root is needed to run a client of another user")
    def test_another_user(self):
        other = self.other_tool()
        self.assertTrue(self.is_served(tool=other))
        self.assertTrue(self.is_served("--allow-uid", str(OTHER_ID), tool=other))
        self.assertTrue(self.is_served("--allow-gid", str(OTHER_ID), tool=other))
        self.assertFalse(self.is_served("--allow-uid", "0", tool=other))
        self.assertFalse(self.is_served("--allow-gid", "0", tool=other))
        self.assertFalse(self.is_served("--allow-uid", str(OTHER_ID), server_tool=other))
        self.assertTrue(self.is_served("--allow-uid", "0", server_tool=other))

    @unittest.skipUnless(IS_ROOT, "root is needed to run a client of another user")
    def test_supplementary_groups_do_not_count(self):
        other = self.other_tool()
        other.options["extra_groups"] = [0]
        self.assertFalse(self.is_served("--allow-gid", "0", tool=other))

    @unittest.skipUnless(IS_ROOT, "root is needed to run a client of another user")
    def test_the_output_shows_the_other_user(self):
        other = self.other_tool()
        process = self.tool.listen(self.name, "--count", "1")
        sender = other.run("send", self.name, "hello")
        self.assert_ended(process, 0)
        # The program is not known if it has ended before its connection was accepted.
        expected = rf"\A(mmipc|\?)\[{sender.pid}\] {user_name(OTHER_ID)}: hello\n\Z"
        self.assertRegex(process.out.decode(), expected)


if __name__ == "__main__":
    unittest.main()
