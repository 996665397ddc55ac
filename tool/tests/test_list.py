#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of `mmipc list` with sockets of this process.

The environment variable MMIPC is the path of the tool. Other sockets of the network namespace do not matter: the names
contain the ID of this process.
"""

import contextlib
import itertools
import json
import os
import pty
import pwd
import resource
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

MMIPC = os.environ.get("MMIPC", "mmipc")
NOBODY = 65534
HEADER = ["ADDRESS", "PID", "PROGRAM", "USER", "BACKLOG", "CONNECTIONS"]
NUMBERS = itertools.count()


def unique(text="s"):
    return f"mmipc-test-{os.getpid()}-{next(NUMBERS)}-{text}"


def padded(name):
    return b"\0" + os.fsencode(name).ljust(107, b"\0")


def slot_name(name, slot):
    value = 0xCBF29CE484222325
    for byte in padded(name):
        value = (value ^ byte) * 0x100000001B3 & (1 << 64) - 1
    return f"mmsysio-waiting/{value:016x}/{slot:02x}", f"{value:016x}"


def environment(**changes):
    result = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    result.update(changes)
    return result


def inode_of(sock):
    return os.fstat(sock.fileno()).st_ino


class Case(unittest.TestCase):
    maxDiff = None

    def closing(self, item):
        self.addCleanup(item.close)
        return item

    def socket(self, kind=socket.SOCK_SEQPACKET):
        return self.closing(socket.socket(socket.AF_UNIX, kind))

    def server(self, address, backlog=5):
        """Listens at a padded name, or at the address as it is."""
        server = self.socket()
        server.bind(padded(address) if isinstance(address, str) else address)
        server.listen(backlog)
        return server

    def client(self, address):
        client = self.socket()
        client.connect(padded(address) if isinstance(address, str) else address)
        return client

    def directory(self):
        path = tempfile.mkdtemp(prefix="mmipc-test-")
        self.addCleanup(shutil.rmtree, path)
        return path

    def child(self, *sockets, code="", cwd=None):
        """Starts a process that has copies of the sockets, and runs until the end of the test."""
        code += "\nimport sys; print(flush=True); sys.stdin.read()"
        child = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=[sock.fileno() for sock in sockets],
            cwd=cwd,
        )

        def stop():
            child.communicate()

        self.addCleanup(stop)
        self.assertEqual(child.stdout.readline(), b"\n")
        return child

    def run_tool(self, *arguments, status=0, **options):
        options.setdefault("env", environment())
        result = subprocess.run(
            [MMIPC, "list", *arguments], capture_output=True, timeout=60, check=False, **options
        )
        self.assertEqual(result.returncode, status, result)
        return result

    def text(self, *arguments, **options):
        result = self.run_tool(*arguments, **options)
        self.assertEqual(result.stderr, b"")
        return result.stdout.decode()

    def lines(self, *arguments, **options):
        return [line.split() for line in self.text(*arguments, **options).splitlines()]

    def document(self, *arguments, **options):
        text = self.run_tool("--json", *arguments, **options).stdout.decode("ascii")
        self.assertEqual(text.count("\n"), 1)
        self.assertTrue(text.endswith("\n"))
        return json.loads(text)

    def server_of(self, address, **options):
        servers = self.document(address, **options)["servers"]
        self.assertEqual(len(servers), 1)
        return servers[0]

    def this_process(self):
        with open("/proc/self/comm", encoding="utf-8") as file:
            return [str(os.getpid()), file.read().rstrip("\n"), self.user()]

    def user(self):
        with contextlib.suppress(KeyError):
            return pwd.getpwuid(os.geteuid()).pw_name
        return str(os.geteuid())


class Servers(Case):
    def test_a_server_is_listed(self):
        name = unique()
        self.server(name, 7)
        self.assertEqual(self.lines(name), [HEADER, [name, *self.this_process(), "0/7", "0"]])
        self.assertIn([name, *self.this_process(), "0/7", "0"], self.lines())

    def test_the_document_describes_a_server(self):
        name = unique()
        server = self.server(name, 7)
        found = self.server_of(name)
        processes = found.pop("processes")
        self.assertEqual(processes[0].pop("uid"), os.geteuid())
        self.assertIn(processes[0].pop("user"), [self.user(), None])
        self.assertEqual(processes, [{"pid": os.getpid(), "program": self.this_process()[1]}])
        self.assertIn(found.pop("user"), [self.user(), None])
        self.assertEqual(
            found,
            {
                "address": name,
                "kind": "abstract",
                "name": name,
                "padded": True,
                "found": None,
                "type": "seqpacket",
                "inode": inode_of(server),
                "uid": os.geteuid(),
                "backlog": {"pending": 0, "maximum": 7, "clients": []},
                "connections": [],
            },
        )

    def test_servers_are_sorted(self):
        names = sorted(unique(text) for text in "bca")
        for name in reversed(names):
            self.server(name)
        found = [server["address"] for server in self.document()["servers"]]
        self.assertEqual([name for name in found if name in names], names)
        self.assertEqual([line[0] for line in self.lines(*names)[1:]], names)

    def test_other_sockets_are_not_servers(self):
        name = unique()
        stream = self.socket(socket.SOCK_STREAM)
        stream.bind(padded(name + "-stream"))
        stream.listen()
        self.socket().bind(padded(name + "-bound"))
        self.socket(socket.SOCK_DGRAM).bind(padded(name + "-datagram"))
        self.assertNotIn(name, self.text())

    def test_a_forked_server_has_several_processes(self):
        name = unique()
        server = self.server(name)
        child = self.child(server)
        pids = [process["pid"] for process in self.server_of(name)["processes"]]
        self.assertEqual(pids, sorted([os.getpid(), child.pid]))
        rows = self.lines(name)[1:]
        self.assertEqual(rows[0][:2], [name, str(pids[0])])
        self.assertEqual(rows[1][0], str(pids[1]))
        self.assertEqual(len(rows), 2)

    def test_several_descriptors_are_one_process(self):
        name = unique()
        server = self.server(name)
        self.closing(server.dup())
        self.assertEqual(len(self.server_of(name)["processes"]), 1)

    def test_unpadded_names_are_marked(self):
        name = unique()
        self.server(b"\0" + name.encode())
        lines = self.text(name).splitlines()
        self.assertEqual(lines[2], "  not padded: libmmsysio cannot connect")
        self.assertIs(self.server_of(name)["padded"], False)
        # A padded one with the same name is another server.
        self.server(name)
        self.assertEqual(sorted(server["padded"] for server in self.document(name)["servers"]), [False, True])

    def test_columns_are_aligned(self):
        names = [unique(), unique("longer-name")]
        for name in names:
            self.server(name)
        lines = self.text(*names).splitlines()
        for column, text in (("PROGRAM", self.this_process()[1]), ("BACKLOG", "0/5")):
            self.assertEqual({line.index(text) for line in lines[1:]}, {lines[0].index(column)})
        self.assertNotIn("\t", "".join(lines))
        self.assertTrue(all(line == line.rstrip() for line in lines))


class Names(Case):
    """What a stranger has chosen must not harm a terminal."""

    def listed(self, name):
        self.server(padded(name))
        servers = self.document()["servers"]
        return [server for server in servers if str(os.getpid()) in server["name"]]

    def test_control_characters_are_escaped(self):
        name = unique("a\n\x1b[2J\t\\\u202e")
        (server,) = self.listed(name)
        shown = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")
        shown = shown.replace("\x1b", "\\x1b").replace("\u202e", "\\xe2\\x80\\xae")
        self.assertEqual((server["address"], server["name"]), (name, shown))
        text = self.text(server["address"])
        self.assertTrue(text.splitlines()[1].startswith(shown + " "), text)
        self.assertEqual([character for character in text if ord(character) < 32 and character != "\n"], [])

    def test_invalid_utf8_is_escaped(self):
        name = unique().encode() + b"\xff\xc3"
        (server,) = self.listed(name)
        self.assertEqual(server["address"], os.fsdecode(name[:-2]) + "\\xff\\xc3")
        self.assertIn(server["name"], self.text(name))

    def test_nul_bytes_are_marked(self):
        name = unique().encode() + b"\0x"
        (server,) = self.listed(name)
        self.assertEqual(server["address"], os.fsdecode(name[:-2]) + "\\x00x")
        lines = self.text().splitlines()
        index = next(index for index, line in enumerate(lines) if line.startswith(server["name"]))
        self.assertEqual(lines[index + 1], "  contains a NUL byte: libmmsysio cannot connect")

    def test_an_address_can_be_given_again(self):
        for start in ("@", "path:", "@@", "/"):
            name = start + unique("\u00e9 x")
            self.server(name)
            (server,) = [one for one in self.document()["servers"] if one["name"] == name]
            prefix = "" if start == "/" else "@"
            self.assertEqual(server["address"], prefix + name)
            self.assertEqual(self.server_of(server["address"]), server)

    def test_the_longest_name(self):
        name = unique().ljust(107, "x")
        self.server(name)
        self.assertIs(self.server_of(name)["padded"], True)
        self.assertEqual(self.lines(name)[1][:2], [name, str(os.getpid())])

    def test_a_program_name_is_escaped(self):
        name = unique()
        server = self.server(name)
        self.child(server, code=r"open('/proc/self/comm', 'wb').write(b'a\x1b[2J\n\xff')")
        server.close()
        self.assertEqual(self.server_of(name)["processes"][0]["program"], "a\\x1b[2J\\n\\xff")
        self.assertEqual(self.lines(name)[1][2], "a\\x1b[2J\\n\\xff")


class Paths(Case):
    def test_a_path_is_listed(self):
        path = os.path.join(self.directory(), "demo")
        server = self.server(path.encode())
        self.client(path.encode())
        connection, _ = server.accept()
        self.closing(connection)
        found = self.server_of("path:" + path)
        self.assertEqual((found["address"], found["kind"], found["name"]), ("path:" + path, "path", path))
        self.assertEqual((found["padded"], found["found"]), (None, True))
        self.assertEqual([one["inode"] for one in found["connections"]], [inode_of(connection)])
        self.assertEqual(self.lines("path:" + path)[1], ["path:" + path, *self.this_process(), "0/5", "1"])
        self.run_tool(path, status=3)

    def test_a_renamed_socket_is_found(self):
        """The library binds a temporary name."""
        directory = self.directory()
        path = os.path.join(directory, "demo")
        temporary = os.path.join(directory, ".demo.new")
        self.server(temporary.encode())
        os.rename(temporary, path)
        self.assertEqual(self.server_of("path:" + path)["address"], "path:" + path)

    def test_a_relative_path_is_found_in_the_directory_of_the_process(self):
        directory = self.directory()
        code = "import socket; s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); s.bind('demo'); s.listen()"
        self.child(code=code, cwd=directory)
        address = "path:" + os.path.join(directory, "demo")
        self.assertEqual(self.server_of(address)["address"], address)
        found = self.document("path:demo", cwd=directory)["servers"]
        self.assertEqual([server["address"] for server in found], [address])

    def test_a_path_through_an_open_directory_is_found(self):
        """The library binds long paths in this way."""
        directory = os.path.join(self.directory(), "x" * 100)
        os.mkdir(directory)
        fd = os.open(directory, os.O_PATH)
        self.addCleanup(os.close, fd)
        self.server(f"/proc/self/fd/{fd}/.demo.new".encode())
        os.rename(os.path.join(directory, ".demo.new"), os.path.join(directory, "demo"))
        address = f"path:{directory}/demo"
        self.assertEqual(self.server_of(address)["address"], address)

    def test_links_are_followed(self):
        directory = self.directory()
        path = os.path.join(directory, "demo")
        self.server(path.encode())
        os.symlink("demo", os.path.join(directory, "link"))
        self.assertEqual(self.server_of(f"path:{directory}/link")["address"], "path:" + path)

    def test_a_removed_path_is_marked(self):
        path = os.path.join(self.directory(), "demo")
        server = self.server(path.encode())
        os.unlink(path)
        self.run_tool("path:" + path, status=3)
        (found,) = [one for one in self.document()["servers"] if one["inode"] == inode_of(server)]
        self.assertEqual((found["address"], found["found"]), ("path:" + path, False))
        lines = self.text().splitlines()
        index = next(index for index, line in enumerate(lines) if line.startswith("path:" + path))
        self.assertEqual(lines[index + 1], "  not found at this path")


class Connections(Case):
    def test_connections_have_peers(self):
        name = unique()
        server = self.server(name)
        client = self.client(name)
        connection = self.closing(server.accept()[0])
        inode = inode_of(client)
        child = self.child(client)
        client.close()
        (found,) = self.server_of(name)["connections"]
        self.assertEqual(found["inode"], inode_of(connection))
        self.assertEqual([process["pid"] for process in found["processes"]], [os.getpid()])
        self.assertEqual(found["peer"]["inode"], inode)
        self.assertEqual([process["pid"] for process in found["peer"]["processes"]], [child.pid])
        lines = self.text(name).splitlines()
        self.assertEqual(lines[1].split()[4:], ["0/5", "1"])
        self.assertEqual(lines[2].split()[:2], ["connection", str(child.pid)])
        self.assertTrue(lines[2].startswith("  connection "))

    def test_a_closed_connection_is_shown(self):
        name = unique()
        server = self.server(name)
        client = self.client(name)
        self.closing(server.accept()[0])
        client.close()
        (found,) = self.server_of(name)["connections"]
        self.assertEqual(found["peer"], {"inode": None, "uid": None, "user": None, "processes": []})
        self.assertEqual(self.lines(name)[2], ["closed", "-", "-", "-"])

    def test_pending_connections_are_counted(self):
        name = unique()
        server = self.server(name, 9)
        clients = [self.client(name) for _ in range(3)]
        backlog = self.server_of(name)["backlog"]
        self.assertEqual((backlog["pending"], backlog["maximum"]), (3, 9))
        self.assertEqual({client["inode"] for client in backlog["clients"]}, {inode_of(one) for one in clients})
        lines = self.lines(name)
        self.assertEqual(lines[1][4:], ["3/9", "0"])
        self.assertEqual(lines[2:], [["pending", *self.this_process()]] * 3)
        self.closing(server.accept()[0])
        self.assertEqual(self.lines(name)[1][4:], ["2/9", "1"])

    def test_a_long_backlog_hides_nothing(self):
        """The kernel ends a listing without an error if one socket exceeds its buffer."""
        name = unique()
        self.server(name, 4096)
        count = 0
        with contextlib.suppress(BlockingIOError):
            for count in range(1, 1501):
                client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                client.setblocking(False)
                with client:
                    client.connect(padded(name))
        self.assertEqual(self.server_of(name)["backlog"]["pending"], count)


class WaitingCase(Case):
    def waiting(self, name, slot=0):
        text, value = slot_name(name, slot)
        client = self.socket(socket.SOCK_DGRAM)
        client.bind(padded(text))
        return client, value

    def anchor(self, name, number=0):
        anchor = self.socket(socket.SOCK_STREAM)
        anchor.bind(padded(slot_name(name, number)[0]))
        anchor.listen(4096)
        return anchor

    def attached(self, name, number=0):
        client = self.socket(socket.SOCK_STREAM)
        client.connect(padded(slot_name(name, number)[0]))
        return client

    def clients(self, name, **options):
        return self.document(name, status=3, **options)["waiting"]

    def slots_and_inodes(self, name):
        return [(client["slot"], client["inode"]) for client in self.clients(name)]


class WaitingClients(WaitingCase):

    def test_the_hash_is_that_of_the_library(self):
        self.assertEqual(slot_name("demo", 254)[0], "mmsysio-waiting/f68bac12fd23e11c/fe")

    def test_a_waiting_client_of_an_address_is_known(self):
        name = unique()
        client, value = self.waiting(name, 17)
        result = self.run_tool(name, status=3)
        lines = [line.split() for line in result.stdout.decode().splitlines()]
        self.assertEqual(lines, [["WAITING", "FOR", "PID", "PROGRAM", "USER"], [name, *self.this_process()]])
        document = self.document(name, status=3)
        self.assertEqual(document["servers"], [])
        (found,) = document["waiting"]
        self.assertEqual((found["address"], found["hash"], found["slot"]), (name, value, 17))
        self.assertEqual(found["inode"], inode_of(client))
        self.assertEqual([process["pid"] for process in found["processes"]], [os.getpid()])

    def test_a_waiting_client_of_a_server_is_known(self):
        name = unique()
        self.server(name)
        client, _ = self.waiting(name)
        found = [one for one in self.document()["waiting"] if one["inode"] == inode_of(client)]
        self.assertEqual([one["address"] for one in found], [name])
        lines = self.text(name).splitlines()
        self.assertEqual(lines[2], "")
        self.assertEqual(lines[4].split(), [name, *self.this_process()])

    def test_another_waiting_client_is_unknown(self):
        client, value = self.waiting(unique())
        found = [one for one in self.document()["waiting"] if one["inode"] == inode_of(client)]
        self.assertEqual([(one["address"], one["hash"]) for one in found], [(None, value)])
        self.assertIn(["?" + value, *self.this_process()], self.lines())
        name = unique()
        self.server(name)
        self.assertEqual(self.document(name)["waiting"], [])


class AttachedClients(WaitingCase):
    """Clients with an anchor, and those that are attached to it. An anchor accepts no connection."""

    def moved(self, *sockets):
        """Moves the sockets to another process. Returns its ID and their inodes."""
        child = self.child(*sockets)
        inodes = [inode_of(sock) for sock in sockets]
        for sock in sockets:
            sock.close()
        return child.pid, inodes

    def rows(self, name):
        return [line.split() for line in self.run_tool(name, status=3).stdout.decode().splitlines()[1:]]

    def test_a_client_with_an_anchor_and_a_slot_is_listed_once(self):
        name = unique()
        self.anchor(name, 3)
        slot, _ = self.waiting(name)
        self.assertEqual(self.slots_and_inodes(name), [(0, inode_of(slot))])
        self.assertEqual(self.rows(name), [[name, *self.this_process()]])

    def test_a_client_with_a_slot_and_a_connection_is_listed_once(self):
        name = unique()
        self.anchor(name)
        front, _ = self.waiting(name)
        pid, inodes = self.moved(self.waiting(name, 77)[0], self.attached(name))
        self.assertEqual(self.slots_and_inodes(name), [(0, inode_of(front)), (77, inodes[0])])
        self.assertEqual([process["pid"] for process in self.clients(name)[1]["processes"]], [pid])

    def test_a_client_with_a_connection_only_is_listed(self):
        name = unique()
        self.anchor(name, 2)
        front, value = self.waiting(name, 2)
        pid, inodes = self.moved(self.attached(name, 2))
        first, second = self.clients(name)
        self.assertEqual((first["slot"], first["inode"]), (2, inode_of(front)))
        self.assertEqual([process["pid"] for process in second.pop("processes")], [pid])
        self.assertIn(second.pop("user"), [self.user(), None])
        expected = {"address": name, "hash": value, "slot": None, "inode": inodes[0], "uid": os.geteuid()}
        self.assertEqual(second, expected)
        self.assertEqual([row[:2] for row in self.rows(name)], [[name, str(os.getpid())], [name, str(pid)]])

    def test_a_client_with_an_anchor_only_is_listed(self):
        name = unique()
        anchor = self.anchor(name)
        self.assertEqual(self.slots_and_inodes(name), [(None, inode_of(anchor))])
        # It is not a server.
        self.assertNotIn("mmsysio-waiting", self.text())

    def test_threads_of_a_process_are_several_clients(self):
        name = unique()
        anchors = [self.anchor(name, number) for number in range(2)]
        slots = [self.waiting(name, number)[0] for number in (0, 1, 2, 4, 254)]
        attached = [self.attached(name, number % 2) for number in range(5)]
        found = self.slots_and_inodes(name)
        # Two of the front slots are those of the clients with anchors, and the other one may be that of a watch.
        expected = [0, 1, 2, 4, 254, None, None, None]
        self.assertEqual([slot for slot, _ in found], expected)
        self.assertEqual([inode for _, inode in found[:5]], [inode_of(slot) for slot in slots])
        self.assertLess({inode for _, inode in found[5:]}, {inode_of(client) for client in attached})
        self.moved(*anchors, *slots, *attached)
        self.assertEqual(self.slots_and_inodes(name), found)

    def test_a_client_that_has_ended_is_not_listed(self):
        name = unique()
        anchor = self.anchor(name)
        clients = [self.attached(name) for _ in range(3)]
        clients.pop(0).close()
        expected = [(None, inode_of(sock)) for sock in [anchor, *sorted(clients, key=inode_of)]]
        self.assertEqual(self.slots_and_inodes(name), expected)
        anchor.close()
        self.assertEqual(self.clients(name), [])

    def test_addresses_are_told_apart(self):
        name, other = unique(), unique()
        anchor = self.anchor(name)
        self.waiting(other, 9)
        client = self.attached(name)
        self.assertEqual(self.slots_and_inodes(name), [(None, inode_of(anchor)), (None, inode_of(client))])
        self.assertEqual([client["slot"] for client in self.clients(other)], [9])

    def test_three_hundred_attached_clients(self):
        name = unique()
        for number in range(4):
            self.anchor(name, number)
            self.waiting(name, number)
        clients = [self.attached(name, number % 4) for number in range(300)]
        found = self.slots_and_inodes(name)
        self.assertEqual([slot for slot, _ in found[:4]], [0, 1, 2, 3])
        self.assertEqual(found[4:], [(None, inode) for inode in sorted(map(inode_of, clients))])
        self.assertEqual(self.rows(name), [[name, *self.this_process()]] * 304)


class Arguments(Case):
    def test_no_server(self):
        name = unique("a\nb")
        shown = name.replace("\n", "\\n")
        result = self.run_tool(name, status=3)
        self.assertEqual(result.stdout, b"")
        self.assertEqual(result.stderr.decode(), f"mmipc: no server listens on {shown}\n")
        self.assertEqual(self.document(name, status=3), {"servers": [], "waiting": []})

    def test_one_of_several_servers_is_missing(self):
        name, missing = unique(), "path:/nonexistent/" + unique()
        self.server(name)
        result = self.run_tool(missing, name, status=3)
        self.assertEqual(result.stderr.decode(), f"mmipc: no server listens on {missing}\n")
        self.assertIn(name, result.stdout.decode())

    def test_usage_errors(self):
        for arguments in (["--unknown"], ["-x"], ["--color"], ["--color", "blue"], [""], ["path:"], ["--json=x"]):
            result = self.run_tool(*arguments, status=2)
            self.assertEqual(result.stdout, b"")
            self.assertRegex(result.stderr, rb"\Ammipc: [^\n]+\n\Z")

    def test_help(self):
        self.assertTrue(self.text("--help").startswith("Usage: mmipc list "))
        self.assertEqual(self.text("-h"), self.text("--help"))

    def test_short_options_and_the_end_of_options(self):
        name = "-" + unique()
        self.server(name)
        document = json.loads(self.text("-j", "--", name))
        self.assertEqual([server["address"] for server in document["servers"]], [name])


class Output(Case):
    def test_colors_are_optional(self):
        name = unique()
        self.server(name)
        plain = self.text(name)
        self.assertNotIn("\x1b", plain)
        for arguments, variables, is_colored in (
            (["--color", "always"], {}, True),
            (["--color=always"], {"NO_COLOR": "1"}, True),
            (["--color=never"], {}, False),
            (["--color=auto"], {}, False),
        ):
            text = self.text(name, *arguments, env=environment(**variables))
            self.assertEqual(f"\x1b[36m{name}\x1b[0m" in text, is_colored, arguments)
            self.assertEqual("\x1b" in text, is_colored)

    def on_terminal(self, *arguments, **variables):
        terminal, slave = pty.openpty()
        self.addCleanup(os.close, terminal)
        with open(slave, "wb") as output:
            command = [MMIPC, "list", *arguments]
            subprocess.run(command, stdout=output, env=environment(**variables), timeout=60, check=True)
        return os.read(terminal, 1 << 16).decode()

    def test_colors_on_a_terminal(self):
        name = unique()
        self.server(name)
        self.assertIn("\x1b[1mADDRESS\x1b[0m", self.on_terminal(name, TERM="xterm"))
        self.assertNotIn("\x1b", self.on_terminal(name, TERM="xterm", NO_COLOR="1"))
        self.assertNotIn("\x1b", self.on_terminal(name, TERM="dumb"))

    def test_a_closed_output(self):
        for arguments in ([], ["--json"], ["--help"], ["--watch"]):
            reader, writer = os.pipe()
            os.close(reader)
            with open(writer, "wb") as output:
                result = subprocess.run(
                    [MMIPC, "list", *arguments], stdout=output, stderr=subprocess.PIPE, timeout=60, check=False
                )
            self.assertEqual((result.returncode, result.stderr), (-signal.SIGPIPE, b""))

    def test_a_full_output(self):
        with open("/dev/full", "wb") as output:
            result = subprocess.run([MMIPC, "list"], stdout=output, stderr=subprocess.PIPE, timeout=60, check=False)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stderr, b"mmipc: cannot write to standard output: No space left on device\n")


class Watch(WaitingCase):
    def watch(self, *arguments, stdout=subprocess.PIPE, **variables):
        watch = subprocess.Popen(
            [MMIPC, "list", "--watch", *arguments],
            stdout=stdout,
            stderr=subprocess.PIPE,
            env=environment(**variables),
        )

        def stop():
            watch.kill()
            watch.wait()
            watch.stderr.close()
            if watch.stdout:
                watch.stdout.close()

        self.addCleanup(stop)
        return watch

    def read_until(self, fd, end):
        deadline = time.monotonic() + 20
        text = ""
        while not end(text):
            ready, _, _ = select.select([fd], [], [], max(0, deadline - time.monotonic()))
            self.assertTrue(ready, f"no more output after {text!r}")
            more = os.read(fd, 1 << 16)
            self.assertTrue(more, text)
            text += more.decode()
        return text

    def stop(self, watch, number):
        watch.send_signal(number)
        self.assertEqual(watch.wait(20), -number)
        self.assertEqual(watch.stderr.read(), b"")

    def test_a_block_is_printed_at_each_change(self):
        name = unique()
        watch = self.watch(name)
        fd = watch.stdout.fileno()
        header = self.read_until(fd, lambda text: text.endswith("\n"))
        self.assertEqual(header.split(), HEADER)
        self.server(name)
        block = self.read_until(fd, lambda text: text.count("\n") >= 3)
        self.assertTrue(block.startswith("\nADDRESS "), block)
        self.assertEqual(block.splitlines()[2].split()[0], name)
        # Without a change, nothing is printed.
        self.assertEqual(select.select([fd], [], [], 1.2)[0], [])
        self.client(name)
        block = self.read_until(fd, lambda text: text.count("\n") >= 4)
        self.assertIn("  pending", block)
        self.stop(watch, signal.SIGINT)
        self.assertEqual(watch.stdout.read(), b"")

    def test_documents_are_lines(self):
        name = unique()
        watch = self.watch("--json", name)
        fd = watch.stdout.fileno()
        empty = self.read_until(fd, lambda text: text.endswith("\n"))
        self.assertEqual(json.loads(empty), {"servers": [], "waiting": []})
        self.server(name)
        line = self.read_until(fd, lambda text: text.endswith("\n"))
        self.assertEqual(line.count("\n"), 1)
        self.assertEqual([server["address"] for server in json.loads(line)["servers"]], [name])
        self.stop(watch, signal.SIGTERM)

    def test_attached_clients_are_followed(self):
        name = unique()
        watch = self.watch(name)
        fd = watch.stdout.fileno()
        self.read_until(fd, lambda text: text.endswith("\n"))
        self.anchor(name)
        # After an empty line and two headers.
        block = self.read_until(fd, lambda text: text.count("\n") >= 5)
        self.assertEqual(block.count(name), 1)
        client = self.attached(name)
        block = self.read_until(fd, lambda text: text.count("\n") >= 6)
        self.assertEqual(block.count(name), 2)
        client.close()
        block = self.read_until(fd, lambda text: text.count("\n") >= 5)
        self.assertEqual(block.count(name), 1)
        self.stop(watch, signal.SIGINT)

    def test_a_terminal_is_cleared(self):
        terminal, slave = pty.openpty()
        self.addCleanup(os.close, terminal)
        watch = self.watch(unique(), stdout=slave, TERM="xterm")
        os.close(slave)
        text = self.read_until(terminal, lambda text: text.endswith("\n"))
        self.assertTrue(text.startswith("\x1b[H\x1b[2J\x1b[1mADDRESS"), repr(text))
        self.stop(watch, signal.SIGINT)

    def test_it_ends_when_the_reader_closes_the_pipe(self):
        watch = self.watch(unique())
        self.read_until(watch.stdout.fileno(), lambda text: text.endswith("\n"))
        watch.stdout.close()
        self.assertEqual(watch.wait(20), -signal.SIGPIPE)
        self.assertEqual(watch.stderr.read(), b"")

    def test_a_file_gets_the_blocks(self):
        with tempfile.TemporaryFile() as file:
            watch = self.watch(unique(), stdout=file)
            deadline = time.monotonic() + 20
            while os.fstat(file.fileno()).st_size == 0 and time.monotonic() < deadline:
                time.sleep(0.05)
            self.stop(watch, signal.SIGINT)
            file.seek(0)
            self.assertEqual(file.read().split(), [word.encode() for word in HEADER])


@unittest.skipIf(os.geteuid() != 0, "only root can become another user")
class OrdinaryUser(WaitingCase):
    def setUp(self):
        self.options = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        try:
            subprocess.run([MMIPC, "--version"], stdout=subprocess.DEVNULL, check=True, **self.options)
        except (PermissionError, subprocess.CalledProcessError):
            self.skipTest("another user cannot execute the tool")

    def test_processes_of_root_are_hidden(self):
        name = unique()
        server = self.server(name)
        self.client(name)
        self.closing(server.accept()[0])
        self.client(name)
        found = self.server_of(name, **self.options)
        self.assertEqual((found["uid"], found["processes"]), (0, []))
        lines = self.lines(name, **self.options)
        user = self.user()
        self.assertEqual(lines[1], [name, "-", "-", user, "1/5", "1"])
        self.assertEqual(lines[2:], [["connection", "-", "-", user], ["pending", "-", "-", user]])

    def test_waiting_clients_of_root_are_counted_like_those_of_a_process(self):
        name = unique()
        self.anchor(name)
        self.waiting(name)
        # That this slot is of another process is not known.
        self.child(self.waiting(name, 4)[0])
        for _ in range(3):
            self.attached(name)
        found = self.clients(name, **self.options)
        self.assertEqual([client["slot"] for client in found], [0, 4, None, None])
        self.assertEqual([(client["uid"], client["processes"]) for client in found], [(0, [])] * 4)

    def test_a_path_without_access(self):
        directory = self.directory()
        self.server(os.path.join(directory, "demo").encode())
        address = f"path:{directory}/demo"
        result = self.run_tool(address, status=6, **self.options)
        self.assertEqual(result.stderr.decode(), f"mmipc: cannot access {address}: Permission denied\n")


class ManySockets(WaitingCase):
    def need_descriptors(self, needed):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if hard != resource.RLIM_INFINITY and hard < needed:
            self.skipTest("the limit of file descriptors is too low")
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed) if soft >= 0 else soft, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))

    def test_four_thousand_waiting_clients(self):
        self.need_descriptors(4400)
        name = unique()
        for number in range(4):
            self.anchor(name, number)
        for number in range(255):
            self.waiting(name, number)
        count = 0
        # EAGAIN: the backlog is limited, and the anchors are full.
        with contextlib.suppress(BlockingIOError):
            for number in range(4000):
                client = self.socket(socket.SOCK_STREAM)
                client.setblocking(False)
                client.connect(padded(slot_name(name, number % 4)[0]))
                count += 1
        begin = time.monotonic()
        found = self.clients(name)
        duration = time.monotonic() - begin
        self.assertEqual([client["slot"] for client in found[:255]], list(range(255)))
        self.assertEqual([client["slot"] for client in found[255:]], [None] * (count - 251))
        self.assertEqual({client["processes"][0]["pid"] for client in found}, {os.getpid()})
        self.assertLess(duration, 2)

    def test_two_thousand_sockets(self):
        self.need_descriptors(2100)
        name = unique()
        server = self.server(name, 4)
        for _ in range(500):
            self.client(name)
            self.closing(server.accept()[0])
        for number in range(1000):
            self.server(f"{name}-{number}")
        begin = time.monotonic()
        document = self.document()
        duration = time.monotonic() - begin
        servers = [one for one in document["servers"] if one["address"].startswith(name)]
        self.assertEqual(len(servers), 1001)
        (first,) = [one for one in servers if one["address"] == name]
        self.assertEqual(len(first["connections"]), 500)
        for one in first["connections"]:
            self.assertEqual([process["pid"] for process in one["peer"]["processes"]], [os.getpid()])
        self.assertLess(duration, 2)


if __name__ == "__main__":
    unittest.main()
