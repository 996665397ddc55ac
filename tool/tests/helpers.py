# SPDX-License-Identifier: Apache-2.0
"""What the tests of mmipc share.

The environment variable MMIPC is the path of the tool. Run all tests with
    MMIPC=target/debug/mmipc python3 -B -m unittest discover -s tool/tests
"""

import grp
import itertools
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

TOOL = os.path.abspath(os.environ.get("MMIPC") or shutil.which("mmipc") or "mmipc")

# The limit for everything that happens at once on an idle machine.
TIMEOUT = 10

# An ordinary user, who needs no entry in /etc/passwd.
OTHER_ID = 65534

IS_ROOT = os.geteuid() == 0

# A shell that runs the tests in the background lets them ignore signals, and the tool would inherit that.
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)

COUNTER = itertools.count(1)


def unique_name():
    """A name that no other test uses."""
    return f"mmipc-test-{os.getpid()}-{next(COUNTER)}"


def padded(name):
    """The socket address of an abstract name."""
    return b"\0" + os.fsencode(name).ljust(107, b"\0")


def wait_for(condition, what):
    """Waits until the condition is true, and returns its value."""
    deadline = time.monotonic() + TIMEOUT
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {TIMEOUT} s: {what() if callable(what) else what}")
        time.sleep(0.003)


def is_listening(name):
    """Whether a server listens at an abstract name, whose form in /proc/net/unix has @ for NUL."""
    wanted = b"@" + os.fsencode(name).ljust(107, b"@")
    with open("/proc/net/unix", "rb") as sockets:
        for line in sockets:
            # The flag __SO_ACCEPTCON.
            fields = line.rstrip(b"\n").split(b" ", 7)
            if len(fields) == 8 and fields[3] == b"00010000" and fields[7].split(b" ", 1)[-1] == wanted:
                return True
    return False


def children_of(pid):
    """The children of a process, including those that have not been waited for."""
    children = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat", "rb") as status:
                fields = status.read().rpartition(b")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            children.append(int(entry))
    return children


def user_name(uid):
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def group_name(gid):
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def peer_prefix(pid=None, uid=None):
    """How `mmipc listen` shows a peer; by default this process."""
    pid = os.getpid() if pid is None else pid
    with open(f"/proc/{pid}/comm", encoding="utf-8") as comm:
        return f"{comm.read().rstrip()}[{pid}] {user_name(os.geteuid() if uid is None else uid)}: "


def server(name, backlog=16):
    """A server at an abstract name, as a program without the library makes it."""
    return listen_at(padded(name), backlog)


def listen_at(address, backlog=16):
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.settimeout(TIMEOUT)
    listener.bind(address)
    listener.listen(backlog)
    return listener


def accept(listener):
    connection, _ = listener.accept()
    connection.settimeout(TIMEOUT)
    return connection


def client(name):
    """A client of an abstract name, as a program without the library makes it."""
    return connect_to(padded(name))


def connect_to(address):
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    connection.settimeout(TIMEOUT)
    try:
        connection.connect(address)
    except OSError:
        connection.close()
        raise
    return connection


def receive(connection, size=1 << 20):
    """Receives a message and its file descriptors; the caller closes them."""
    data, fds, _, _ = socket.recv_fds(connection, size, 253)
    return data, fds


class Process:
    """A running tool. Its output goes to files, so that it never blocks."""

    def __init__(self, tool, args, stdin, stdout, options):
        self.args = args
        self.files = [tempfile.TemporaryFile(), tempfile.TemporaryFile()]
        if stdin is None:
            stdin = subprocess.DEVNULL
        elif isinstance(stdin, bytes):
            source = tempfile.TemporaryFile()
            self.files.append(source)
            source.write(stdin)
            source.seek(0)
            stdin = source
        self.popen = subprocess.Popen(
            [tool.path, *args],
            stdin=stdin,
            stdout=self.files[0] if stdout is None else stdout,
            stderr=self.files[1],
            start_new_session=True,
            **options,
        )

    @property
    def pid(self):
        return self.popen.pid

    @property
    def stdin(self):
        return self.popen.stdin

    def _content(self, file):
        return os.pread(file.fileno(), 1 << 28, 0)

    @property
    def out(self):
        return self._content(self.files[0])

    @property
    def err(self):
        return self._content(self.files[1]).decode()

    def wait_out(self, text):
        """Waits until standard output contains a text."""
        text = text.encode() if isinstance(text, str) else text
        wait_for(lambda: text in self.out, lambda: f"{text!r} in {self.out!r}; {self.err!r}")

    def wait_echo(self, text):
        """Sends a text to a program that returns it, such as cat, and waits for it.

        After that, the dynamic linker has closed the descriptors of the libraries.
        """
        self.stdin.write(text.encode())
        self.stdin.flush()
        self.wait_out(text)

    def wait_err(self, text):
        """Waits until standard error contains a text."""
        wait_for(lambda: text in self.err, lambda: f"{text!r} in {self.err!r}")

    def wait(self):
        """Waits until the process ends, and returns its status: negative if a signal has killed it."""
        try:
            return self.popen.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.args} is still running; {self.out!r}; {self.err!r}") from None

    def kill(self, number):
        self.popen.send_signal(number)

    def close(self):
        """Ends the process and its children."""
        try:
            os.killpg(self.popen.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        self.popen.wait()
        if self.popen.stdin:
            try:
                self.popen.stdin.close()
            except BrokenPipeError:
                pass
        for file in self.files:
            file.close()


class Tool:
    """Starts the tool, as this user or as another one."""

    def __init__(self, user=None):
        self.path = TOOL
        self.options = {"cwd": "/"}
        self.environment = {**os.environ, "TERM": "dumb"}
        self.processes = []
        if user is not None:
            self.options.update(user=user, group=user, extra_groups=[])

    def start(self, *args, stdin=None, stdout=None, environment=None, **options):
        """Starts the tool. stdin can be bytes; without it, standard input is empty."""
        environment = {**self.environment, **(environment or {})}
        process = Process(self, args, stdin, stdout, {**self.options, "env": environment, **options})
        self.processes.append(process)
        return process

    def run(self, *args, **options):
        """Runs the tool until it ends."""
        process = self.start(*args, **options)
        process.wait()
        return process

    def listen(self, address, *args, **options):
        """Starts `mmipc listen`, and waits until it listens."""
        process = self.start("listen", address, *args, **options)
        if address.startswith("path:"):
            path = address[5:]
            wait_for(lambda: os.path.exists(path) or process.popen.poll() is not None, f"no {path}")
        else:
            wait_for(lambda: is_listening(address) or process.popen.poll() is not None, "the tool does not listen")
        if process.popen.poll() is not None and process.popen.returncode != 0:
            raise AssertionError(f"the server has ended: {process.err}")
        return process

    def close(self):
        for process in self.processes:
            process.close()


class ToolTest(unittest.TestCase):
    """A test with a tool, an unused name and an empty directory, which are cleaned up."""

    maxDiff = 4000

    def setUp(self):
        self.name = unique_name()
        self.directory = tempfile.mkdtemp(prefix="mmipc-")
        self.addCleanup(shutil.rmtree, self.directory)
        # Cleanups run in reverse order: first the processes end.
        self.tool = Tool()
        self.addCleanup(self.tool.close)

    def path(self, name):
        return os.path.join(self.directory, name)

    def closing(self, resource):
        """Closes a resource at the end of the test."""
        self.addCleanup(resource.close)
        return resource

    def write_file(self, name, content):
        path = self.path(name)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def server(self, backlog=16):
        return self.closing(server(self.name, backlog))

    def accept(self, listener):
        return self.closing(accept(listener))

    def client(self, name=None):
        return self.closing(client(name or self.name))

    def assert_ended(self, process, status, error=""):
        """Checks how a process ends, and what it writes to standard error: a line that contains a text, or nothing."""
        actual = process.wait()
        self.assertEqual(actual, status, f"{process.args}: {process.err}")
        if error:
            self.assertIn(error, process.err)
            self.assertRegex(process.err, r"\Ammipc: [^\n]+\n\Z")
        else:
            self.assertEqual(process.err, "")

    def other_tool(self, user=OTHER_ID):
        """The tool as an ordinary user, in a directory that this user can read."""
        tool = Tool(user)
        self.addCleanup(tool.close)
        directory = tempfile.mkdtemp(prefix="mmipc-")
        self.addCleanup(shutil.rmtree, directory)
        os.chmod(directory, 0o755)
        tool.path = os.path.join(directory, "mmipc")
        shutil.copy(TOOL, tool.path)
        libraries = subprocess.run(["ldd", TOOL], capture_output=True, text=True, check=True).stdout.splitlines()
        for line in libraries:
            name, _, rest = line.strip().partition(" => ")
            if name.startswith("libmmsysio"):
                shutil.copy(rest.split(" (")[0], os.path.join(directory, name))
                tool.environment["LD_LIBRARY_PATH"] = directory
        try:
            tool.run("--version")
        except PermissionError:
            self.skipTest(f"user {user} cannot execute programs in {directory}")
        return tool
