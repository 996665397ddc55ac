# SPDX-License-Identifier: Apache-2.0
"""An independent peer: Python's socket module, over TCP and UDP on this machine.

usage: peer.py server|client inet|inet6 stream|datagram [PORT]

A server prints its port. Over a connection it sends back each line reversed, until the end of the stream; a datagram is
sent back reversed, and an empty one ends the server. A client sends matching requests, and checks the answers.
"""

import socket
import sys

MESSAGES = [b"hello", b"x" * 8192, b"\0\xff"]


def answer_stream(listener):
    connection, _ = listener.accept()
    with connection, connection.makefile("rwb") as lines:
        for line in lines:
            lines.write(line.rstrip(b"\n")[::-1] + b"\n")
            lines.flush()


def answer_datagrams(peer):
    while True:
        data, sender = peer.recvfrom(65536)
        peer.sendto(data[::-1], sender)
        if not data:
            return


def ask_stream(peer):
    with peer.makefile("rwb") as lines:
        for message in MESSAGES:
            lines.write(message + b"\n")
            lines.flush()
            assert lines.readline() == message[::-1] + b"\n"
        peer.shutdown(socket.SHUT_WR)
        assert lines.read() == b""


def ask_datagrams(peer):
    for message in [*MESSAGES, b""]:
        peer.send(message)
        assert peer.recv(65536) == message[::-1]


def main(role, family, kind, port="0"):
    is_stream = kind == "stream"
    peer = socket.socket(
        socket.AF_INET if family == "inet" else socket.AF_INET6,
        socket.SOCK_STREAM if is_stream else socket.SOCK_DGRAM,
    )
    peer.settimeout(20)
    address = ("127.0.0.1" if family == "inet" else "::1", int(port))
    if role == "client":
        peer.connect(address)
        (ask_stream if is_stream else ask_datagrams)(peer)
        return
    peer.bind(address)
    if is_stream:
        peer.listen(1)
    print(peer.getsockname()[1], flush=True)
    (answer_stream if is_stream else answer_datagrams)(peer)


main(*sys.argv[1:])
