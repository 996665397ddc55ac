# SPDX-License-Identifier: Apache-2.0
"""mmipc send."""

import fcntl
import json
import os
import select
import signal
import socket
import time
import unittest

from helpers import IS_ROOT, ToolTest, accept, is_listening, listen_at, receive, unique_name, wait_for


class DataTest(ToolTest):
    def received(self, *args, stdin=None):
        """The messages that the tool sends with these arguments."""
        self.name = unique_name()
        listener = self.server()
        process = self.tool.start("send", self.name, *args, stdin=stdin)
        connection = self.accept(listener)
        messages = []
        # An empty message and the end look alike, except to poll().
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        while True:
            data, ancillary, _, _ = connection.recvmsg(1 << 20, 1000)
            if not ancillary:
                break
            messages.append(data)
        self.assert_ended(process, 0)
        self.assertEqual(process.out, b"")
        return messages

    def test_arguments(self):
        self.assertEqual(self.received("one", b"\xff\n", "", "two words"), [b"one", b"\xff\n", b"", b"two words"])

    def test_arguments_that_look_like_options(self):
        self.assertEqual(self.received("--", "--lines", "-x"), [b"--lines", b"-x"])

    def test_lines_are_the_default(self):
        self.assertEqual(self.received(stdin=b"one\n\ntwo\0\xff\nrest"), [b"one", b"", b"two\0\xff", b"rest"])
        self.assertEqual(self.received("--lines", stdin=b"one\n"), [b"one"])
        self.assertEqual(self.received("--lines", stdin=b"\n"), [b""])
        self.assertEqual(self.received(stdin=b""), [])

    def test_an_empty_message_at_the_end_is_not_lost(self):
        listener = self.server()
        process = self.tool.start("send", self.name, "")
        connection = self.accept(listener)
        # The end of the connection would hide the message, so the tool does not close it before.
        time.sleep(0.1)
        self.assertIsNone(process.popen.poll())
        self.assertEqual(connection.recv(100), b"")
        self.assert_ended(process, 0)
        process = self.tool.run("send", self.name, "", "--timeout", "0.1")
        self.assert_ended(process, 4, "did not receive a message within 100ms")

    def test_input_that_does_not_block(self):
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        with open(reading, "rb") as source, open(writing, "wb", buffering=0) as sink:
            listener = self.server()
            process = self.tool.start("send", self.name, stdin=source)
            connection = self.accept(listener)
            sink.write(b"one\ntw")
            self.assertEqual(connection.recv(100), b"one")
            sink.write(b"o\n")
            self.assertEqual(connection.recv(100), b"two")
        self.assert_ended(process, 0)

    def test_records(self):
        self.assertEqual(self.received("--null", stdin=b"one\0\0two\n\0rest"), [b"one", b"", b"two\n", b"rest"])

    def test_whole_input(self):
        data = b"one\n\0" + os.urandom(128 << 10)
        self.assertEqual(self.received("--whole", stdin=data), [data])
        self.assertEqual(self.received("--whole", stdin=b""), [b""])

    def test_a_line_is_sent_when_it_has_been_read(self):
        listener = self.server()
        reading, writing = os.pipe()
        with open(reading, "rb") as source, open(writing, "wb", buffering=0) as sink:
            process = self.tool.start("send", self.name, stdin=source)
            connection = self.accept(listener)
            for line in (b"first", b"second"):
                sink.write(line + b"\n")
                self.assertEqual(connection.recv(100), line)
            sink.write(b"unfinished")
        self.assertEqual(connection.recv(100), b"unfinished")
        self.assert_ended(process, 0)

    def test_count(self):
        self.assertEqual(self.received("a", "b", "--count", "3"), [b"a", b"b"] * 3)
        self.assertEqual(self.received("--count", "2", stdin=b"a\nb\n"), [b"a", b"b"] * 2)
        self.assertEqual(self.received("--count", "2", "--null", stdin=b"a\0b"), [b"a", b"b"] * 2)
        self.assertEqual(self.received("--count=2", "--whole", stdin=b"a\nb\n"), [b"a\nb\n"] * 2)

    def test_interval(self):
        start = time.monotonic()
        self.assertEqual(self.received("a", "b", "--count", "2", "--interval", "50ms"), [b"a", b"b"] * 2)
        self.assertGreaterEqual(time.monotonic() - start, 0.15)

    def test_a_large_message(self):
        data = os.urandom(128 << 10)
        self.assertEqual(self.received("--whole", stdin=data), [data])

    def test_a_message_that_is_too_large(self):
        self.server()
        process = self.tool.run("send", self.name, "--whole", stdin=bytes(1 << 23))
        self.assert_ended(process, 1, "exceeds the limit")

    def test_forms_of_addresses(self):
        for address in (f"@{self.name}", f"@path:{self.name}", f"@@{self.name}", f"/run/{self.name}"):
            with self.subTest(address):
                process = self.tool.start("listen", address, "--count", "1", "--format", "raw")
                name = address[1:] if address.startswith("@") else address
                wait_for(lambda name=name: is_listening(name), "the tool listens")
                self.assert_ended(self.tool.run("send", address, "x"), 0)
                self.assert_ended(process, 0)
                self.assertEqual(process.out, b"x")

    def test_a_path(self):
        listener = self.closing(listen_at(self.path("socket")))
        self.assert_ended(self.tool.run("send", f"path:{self.path('socket')}", "x"), 0)
        self.assertEqual(self.accept(listener).recv(10), b"x")

    def test_a_relative_path(self):
        listener = self.closing(listen_at(self.path("socket")))
        self.assert_ended(self.tool.run("send", "path:socket", "x", cwd=self.directory), 0)
        self.assertEqual(self.accept(listener).recv(10), b"x")


class DescriptorTest(ToolTest):
    def test_only_an_inherited_descriptor_is_sent(self):
        self.server()
        for options in (["--open", "/etc/passwd", "--fd", "3"], ["--fd", "0", "--fd", "3"]):
            process = self.tool.run("send", self.name, "x", *options)
            self.assert_ended(process, 1, "cannot send file descriptor 3: Bad file descriptor")

    def received(self, *args, **options):
        """The messages and the file descriptors that the tool sends with these arguments."""
        listener = self.server()
        process = self.tool.start("send", self.name, *args, **options)
        connection = self.accept(listener)
        self.assert_ended(process, 0)
        messages = []
        while True:
            data, fds = receive(connection)
            for fd in fds:
                self.addCleanup(os.close, fd)
            if not data and not fds:
                return messages
            messages.append((data, fds))

    def test_an_open_descriptor(self):
        reading, writing = os.pipe()
        ((data, (fd,)),) = self.received("--fd", str(writing), "data", pass_fds=[writing])
        os.close(writing)
        self.assertEqual(data, b"data")
        os.write(fd, b"content")
        self.assertEqual(os.read(reading, 100), b"content")
        os.close(reading)

    def test_descriptors_without_data_are_an_empty_message(self):
        ((data, fds),) = self.received("--fd", "0", "--fd=1", stdin=b"not sent")
        self.assertEqual((data, len(fds)), (b"", 2))
        self.assertEqual(os.pread(fds[0], 100, 0), b"not sent")

    def test_only_the_first_message_has_the_descriptors(self):
        path = self.write_file("file", b"content")
        messages = self.received("a", "b", "--open", path, "--count", "2")
        self.assertEqual([(data, len(fds)) for data, fds in messages], [(b"a", 1), (b"b", 0), (b"a", 0), (b"b", 0)])

    def test_descriptors_with_lines(self):
        messages = self.received("--lines", "--open", "/dev/null", stdin=b"a\nb\n")
        self.assertEqual([(data, len(fds)) for data, fds in messages], [(b"a", 1), (b"b", 0)])

    def test_open_for_reading(self):
        path = self.write_file("file", b"content")
        ((_, (fd,)),) = self.received("--open", path)
        self.assertEqual(os.read(fd, 100), b"content")
        self.assertEqual(fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE, os.O_RDONLY)
        with self.assertRaises(OSError):
            os.write(fd, b"x")

    def test_open_for_reading_and_writing(self):
        path = self.write_file("file", b"content")
        ((_, (fd,)),) = self.received("--open", f"{path}:rw")
        self.assertEqual(os.read(fd, 100), b"content")
        os.pwrite(fd, b"CON", 0)
        with open(path, "rb") as file:
            self.assertEqual(file.read(), b"CONtent")

    def test_the_order_of_descriptors(self):
        one, two = self.write_file("one", b"1"), self.write_file("two", b"2")
        with open(self.write_file("three", b"3"), "rb") as three:
            number = three.fileno()
            args = ("--open", two, "--fd", str(number), "--open", one)
            ((_, fds),) = self.received(*args, "x", pass_fds=[number])
        self.assertEqual([os.read(fd, 10) for fd in fds], [b"2", b"3", b"1"])

    def test_the_most_descriptors(self):
        ((_, fds),) = self.received("x", *["--open", "/dev/null"] * 253)
        self.assertEqual(len(fds), 253)

    def test_too_many_descriptors(self):
        process = self.tool.run("send", self.name, "x", *["--fd", "0"] * 254)
        self.assert_ended(process, 2, "at most 253 descriptors")

    def test_descriptors_that_cannot_be_opened(self):
        self.assert_ended(self.tool.run("send", self.name, "--open", self.path("missing")), 1, "No such file")
        self.assert_ended(self.tool.run("send", self.name, "--open", "/:rw"), 1, "Is a directory")
        self.assert_ended(self.tool.run("send", self.name, "--fd", "77"), 1, "Bad file descriptor")

    def test_a_descriptor_of_the_tool_cannot_be_sent(self):
        self.server()
        for number in range(3, 8):
            self.assertEqual(self.tool.run("send", self.name, "--fd", str(number)).wait(), 1)


class ReplyTest(ToolTest):
    def test_answers_before_an_early_end_are_complete(self):
        listener = self.server()
        process = self.tool.start("send", self.name, "hello", "--wait-reply=2", "--format", "json")
        # Without having received the message, so that the kernel reports ECONNRESET first.
        connection = accept(listener)
        wait_for(lambda: select.select([connection], [], [], 0)[0], "a message is here")
        connection.send(b"x" * 20000)
        connection.send(b"y" * 30000)
        connection.close()
        self.assert_ended(process, 0)
        answers = [json.loads(line) for line in process.out.splitlines()]
        self.assertEqual([(answer["size"], answer["truncated"]) for answer in answers], [(20000, False), (30000, False)])

    def test_a_signal_is_not_a_timeout(self):
        listener = self.server()
        process = self.tool.start("send", self.name, "hello", "--wait-reply", "--timeout", "60")
        connection = self.accept(listener)
        self.assertEqual(connection.recv(100), b"hello")
        for _ in range(3):
            process.kill(signal.SIGPIPE)
            time.sleep(0.02)
        connection.send(b"answer")
        self.assert_ended(process, 0)
        self.assertEqual(process.out, b"answer\n")

    def serve(self, *args, answers=(b"answer",), status=0, error=""):
        """Runs the tool against a server that answers each message with these messages."""
        self.name = unique_name()
        listener = self.server()
        process = self.tool.start("send", self.name, *args)
        connection = self.accept(listener)
        while True:
            data = connection.recv(1 << 20)
            if not data:
                break
            for answer in answers:
                connection.send(answer)
        self.assert_ended(process, status, error)
        return process.out

    def test_an_answer_to_each_message(self):
        self.assertEqual(self.serve("a", "b", "--wait-reply"), b"answer\nanswer\n")

    def test_several_answers(self):
        self.assertEqual(self.serve("a", "b", "--wait-reply=2", answers=[b"x", b"y"]), b"x\ny\n" * 2)

    def test_answers_with_lines(self):
        self.tool.listen(self.name, "--echo")
        process = self.tool.run("send", self.name, "--wait-reply", stdin=b"one\n\ntwo\n")
        self.assert_ended(process, 0)
        self.assertEqual(process.out, b"one\n\ntwo\n")

    def test_formats(self):
        answer = [b'\x1b"\xff\n']
        for output, expected in {
            "text": b'\\x1b"\\xff\\n\n',
            "quoted": b'"\\x1b\\"\\xff\\n"\n',
            "hex": b"1b22ff0a\n",
            "raw": b'\x1b"\xff\n',
        }.items():
            with self.subTest(output):
                self.assertEqual(self.serve("a", "--wait-reply", "--format", output, answers=answer), expected)
        document = json.loads(self.serve("a", "--wait-reply", "--format", "json"))
        self.assertEqual(
            document,
            {"size": 6, "text": "answer", "truncated": False, "descriptors_dropped": False, "descriptors": []},
        )

    def test_a_large_answer(self):
        large = os.urandom(128 << 10)
        for args in ([], ["--timeout", "10"]):
            with self.subTest(args):
                self.name = unique_name()
                listener = self.server()
                process = self.tool.start("send", self.name, "x", "--wait-reply", "--format", "raw", *args)
                connection = self.accept(listener)
                self.assertEqual(connection.recv(10), b"x")
                # The tool is already waiting when the answer arrives.
                wait_for(lambda pid=process.pid: self.is_sleeping(pid), "the tool waits")
                connection.send(large)
                self.assert_ended(process, 0)
                self.assertEqual(process.out, large)

    def is_sleeping(self, pid):
        with open(f"/proc/{pid}/stat", "rb") as status:
            return status.read().rpartition(b") ")[2].startswith(b"S")

    def test_an_answer_with_a_descriptor(self):
        listener = self.server()
        process = self.tool.start("send", self.name, "x", "--wait-reply")
        connection = self.accept(listener)
        with open("/dev/null", "rb") as null:
            socket.send_fds(connection, [b"answer"], [null.fileno()])
        self.assert_ended(process, 0)
        self.assertEqual(process.out, b'answer\n[descriptor 1: character device "/dev/null", read-only]\n')

    def test_a_server_that_closes_before_the_answers(self):
        listener = self.server()
        process = self.tool.start("send", self.name, "x", "--wait-reply=3")
        connection = self.accept(listener)
        connection.recv(10)
        connection.send(b"one")
        connection.close()
        self.assert_ended(process, 5, "after 1 of 3 answers")
        self.assertEqual(process.out, b"one\n")

    def test_a_server_that_closes_without_receiving(self):
        listener = self.server()
        process = self.tool.start("send", self.name, "x", "--wait-reply")
        connection = self.accept(listener)
        wait_for(lambda: len(connection.recv(10, socket.MSG_PEEK)) == 1, "a message")
        connection.close()
        self.assert_ended(process, 5, "closed the connection")

    def test_a_server_that_closes_before_the_messages(self):
        listener = self.server()
        reading, writing = os.pipe()
        with open(reading, "rb") as source, open(writing, "wb", buffering=0) as sink:
            process = self.tool.start("send", self.name, stdin=source)
            self.accept(listener).close()
            sink.write(b"x\n")
            self.assert_ended(process, 5, "Broken pipe")

    def test_closed_standard_output(self):
        self.tool.listen(self.name, "--echo")
        reading, writing = os.pipe()
        os.close(reading)
        process = self.tool.start("send", self.name, "x", "--wait-reply", stdout=writing)
        os.close(writing)
        self.assert_ended(process, -signal.SIGPIPE)

    def test_interrupted(self):
        listener = self.server()
        process = self.tool.start("send", self.name, "x", "--wait-reply")
        self.assertEqual(self.accept(listener).recv(10), b"x")
        process.kill(signal.SIGINT)
        self.assert_ended(process, -signal.SIGINT)


class TimeoutTest(ToolTest):
    def test_no_server(self):
        self.assert_ended(self.tool.run("send", self.name, "x", "--timeout", "0"), 3, "no server is listening")
        self.assert_ended(self.tool.run("send", self.name, "x", "--timeout", "20ms"), 4, "no server is listening")
        address = f"path:{self.path('socket')}"
        self.assert_ended(self.tool.run("send", address, "x", "--timeout", "0"), 3, "no server is listening")
        self.assert_ended(self.tool.run("send", address, "x", "--timeout", "0.02"), 4, "no server is listening")

    def test_without_timeout_it_waits_for_the_server(self):
        for address in (self.name, f"path:{self.path('socket')}"):
            with self.subTest(address):
                process = self.tool.start("send", address, "x")
                wait_for(lambda pid=process.pid: self.is_waiting(pid), "the client waits")
                server = self.tool.listen(address, "--count", "1", "--format", "raw")
                self.assert_ended(process, 0)
                self.assert_ended(server, 0)
                self.assertEqual(server.out, b"x")

    def is_waiting(self, pid):
        with open(f"/proc/{pid}/wchan", encoding="utf-8") as channel:
            return "poll" in channel.read()

    def test_a_stopped_server(self):
        process = self.tool.listen(self.name, "--echo")
        process.kill(signal.SIGSTOP)
        sender = self.tool.run("send", self.name, "x", "--wait-reply", "--timeout", "50ms")
        self.assert_ended(sender, 4, "the server did not answer within 50ms")
        process.kill(signal.SIGCONT)

    def test_a_server_that_does_not_accept(self):
        self.server(backlog=0)
        waiting = self.client()
        process = self.tool.run("send", self.name, "x", "--timeout", "50ms")
        self.assert_ended(process, 4, "within 50 ms")
        self.assert_ended(self.tool.run("send", self.name, "x", "--timeout", "0"), 4, "queue of pending connections")
        waiting.close()

    def test_a_server_that_does_not_receive(self):
        listener = self.server()
        process = self.tool.start("send", self.name, "x" * 20000, "--count", "1000", "--timeout", "50ms")
        self.accept(listener)
        self.assert_ended(process, 4, "the server did not receive a message within 50ms")

    @unittest.skipUnless(IS_ROOT, "root is needed to run a client of another user")
    def test_a_path_without_permission(self):
        os.chmod(self.directory, 0o755)
        self.closing(listen_at(self.path("socket")))
        os.chmod(self.path("socket"), 0o600)
        address = f"path:{self.path('socket')}"
        self.assert_ended(self.other_tool().run("send", address, "x", "--timeout", "5"), 6, "Permission denied")

    def test_forms_of_durations(self):
        self.server()
        for text in ("1", "0.5", "500ms", "2s", "1.5m", "1h", ".5"):
            with self.subTest(text):
                self.assert_ended(self.tool.run("send", self.name, "x", "--timeout", text), 0)
        for text in ("", "-1", "1d", "ms", "1 s", "inf", "nan", "1e3"):
            with self.subTest(text):
                self.assert_ended(self.tool.run("send", self.name, "x", f"--timeout={text}"), 2, "--timeout")

    def test_invalid_arguments(self):
        for args in (
            [],
            [""],
            ["@"],
            ["path:"],
            [self.name, "x", "--lines"],
            [self.name, "x", "--null"],
            [self.name, "x", "--whole"],
            [self.name, "x", "--wait-reply=0"],
            [self.name, "x", "--wait-reply="],
            [self.name, "x", "--count", "0"],
            [self.name, "x", "--fd", "-1"],
            [self.name, "x", "--fd", "99999999999"],
            [self.name, "x", "--interval", "x"],
            [self.name, "x", "--format", "yaml"],
            [self.name, "x", "--unknown"],
        ):
            with self.subTest(args):
                process = self.tool.run("send", *args)
                self.assertEqual(process.wait(), 2)
                self.assertRegex(process.err, r"\Ammipc: [^\n]+\n\Z")

    def test_an_address_that_is_too_long(self):
        self.assert_ended(self.tool.run("send", "n" * 108, "x", "--timeout", "0"), 1, "107 bytes")
        self.assert_ended(self.tool.run("send", f"path:/{'n' * 108}", "x", "--timeout", "0"), 1, "too long")

    def test_a_name_of_107_bytes(self):
        name = self.name.ljust(107, "n")
        process = self.tool.listen(name, "--count", "1")
        self.assert_ended(self.tool.run("send", name, "x"), 0)
        self.assert_ended(process, 0)

    def test_names_in_messages_are_escaped(self):
        process = self.tool.run("send", b"a\x1b[2J\n\xff" + self.name.encode(), "x", "--timeout", "0")
        self.assert_ended(process, 3, "[2J\\n\\xff")
        self.assertTrue(process.err.rstrip("\n").isprintable())


if __name__ == "__main__":
    unittest.main()
