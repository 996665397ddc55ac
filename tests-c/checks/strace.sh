#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Counts system calls: the library must make no unnecessary ones. Usage: strace.sh PROGRAM (that of syscalls.c)
set -eu

program=$1
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Prints the calls of the program between its two marks, each with its count.
calls() { # calls CASE
	strace -f -o "$log" -e 'signal=none' "$program" "$1"
	sed -n '/chdir("begin"/,/chdir("end"/p' "$log" | grep -v chdir |
		sed -n "s/^$(sed -n '1s/ .*//p' "$log") *//p" | sed '/resumed>/d; s/(.*//' | sort | uniq -c |
		awk '{ printf "%s%s %s", (NR > 1 ? ", " : ""), $1, $2 }'
}

failures=0
expect() { # expect CASE CALLS
	found=$(calls "$1")
	if [ "$found" = "$2" ]; then
		echo "strace: $1: $found"
	else
		echo "strace: $1: made [$found], expected [$2]"
		failures=1
	fi
}

expect messages "1000 recvmsg, 1000 sendto"
expect descriptors "100 close, 100 recvmsg, 100 sendmsg"
expect sockets "100 recvfrom, 100 recvmmsg, 100 recvmsg, 100 sendmmsg, 100 sendmsg, 100 sendto"
expect connect "1 connect, 1 socket"
# The socket cookie of the listener shows that the descriptor still refers to it.
expect accept "1 accept, 1 getsockopt"
# Four datagrams test whether a client waits.
expect create "1 bind, 1 close, 1 getsockopt, 1 listen, 4 sendto, 2 socket"
# Before the listener is shut down, and before it is closed, which may be later.
expect destroy "1 close, 2 getsockopt, 1 shutdown"
# A stack for the child, with signals blocked until the child has executed its program; no descriptor.
expect spawn "1 clone, 1 mmap, 1 munmap, 2 rt_sigprocmask"
expect wait "1 wait4"
expect map "1 mmap"
expect unmap "1 munmap"
exit $failures
