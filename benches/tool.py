#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures `mmipc list` in a network namespace with many sockets, and prints a table.

usage: tool.py MMIPC

The sockets belong to this process. Those that exist already are counted too.
"""
import os
import resource
import socket
import statistics
import subprocess
import sys
import time

ROUNDS = 21
SERVERS = 500


def seqpacket():
    return socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def sockets():
    """500 servers, with one connection each, and 500 other sockets: 2,000."""
    made = []
    for number in range(SERVERS):
        name = f"bench-{os.getpid()}-{number}".encode()
        address = b"\0" + name.ljust(107, b"\0")
        server, client = seqpacket(), seqpacket()
        server.bind(address)
        server.listen()
        client.connect(address)
        connection, _ = server.accept()
        other = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        other.bind(b"\0" + name)
        made += [server, client, connection, other]
    return made


def median_ms(command):
    times = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        times.append((time.perf_counter() - begin) * 1000)
    return statistics.median(times)


def namespace_size():
    with open("/proc/net/unix", encoding="ascii", errors="replace") as file:
        return sum(1 for _ in file) - 1


def main():
    (tool,) = sys.argv[1:]
    # 2,000 descriptors, and those that this process has already.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    print("| command | sockets in the namespace | time (ms) |")
    print("|---|---|---|")
    print(f"| `mmipc --version` | {namespace_size()} | {median_ms([tool, '--version']):.1f} |")
    print(f"| `mmipc list` | {namespace_size()} | {median_ms([tool, 'list']):.1f} |")
    made = sockets()
    print(f"| `mmipc list` | {namespace_size()} | {median_ms([tool, 'list']):.1f} |")
    print(f"| `mmipc list --json` | {namespace_size()} | {median_ms([tool, 'list', '--json']):.1f} |")
    for each in made:
        each.close()


main()
