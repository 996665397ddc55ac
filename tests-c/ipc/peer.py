# SPDX-License-Identifier: Apache-2.0
"""An independent peer: uses Python's socket module and the address as mmlib forms it.

usage: peer.py server|client NAME

A peer receives one message with one descriptor, and answers with the reversed message and a descriptor of a pipe into
which it has written the data read from the received descriptor.
"""

import os
import socket
import sys


def address(name):
    return b"\0" + name.encode().ljust(107, b"\0")


def answer(connection):
    data, fds, flags, _ = socket.recv_fds(connection, 1000, 4)
    assert len(fds) == 1 and flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC) == 0, (fds, flags)
    reader, writer = os.pipe()
    os.write(writer, os.pread(fds[0], 1000, 0))
    os.close(writer)
    socket.send_fds(connection, [data[::-1]], [reader])
    # An empty message, and one that is longer than the receiver's buffer.
    connection.send(b"")
    connection.send(b"x" * 100)
    assert connection.recv(10) == b"bye"


def main(role, name):
    peer = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if role == "client":
        peer.connect(address(name))
        answer(peer)
        return
    peer.bind(address(name))
    peer.listen(1)
    connection, _ = peer.accept()
    answer(connection)


main(*sys.argv[1:])
