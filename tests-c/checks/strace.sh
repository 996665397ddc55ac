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
		sed -n "s/^$(sed -n '1s/ .*//p' "$log") *//p" | sed '/resumed>/d; s/(.*//; s/^newfstatat$/fstat/' | sort | uniq -c |
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
# Four connects of a datagram socket test whether a client waits.
expect create "1 bind, 1 close, 4 connect, 1 getsockopt, 1 listen, 2 socket"
# Before the listener is shut down, and before it is closed, which may be later.
expect destroy "1 close, 2 getsockopt, 1 shutdown"
# A stack for the child, with signals blocked until the child has executed its program; no descriptor.
expect spawn "1 clone, 1 mmap, 1 munmap, 2 rt_sigprocmask"
expect wait "1 wait4"
expect map "1 mmap"
expect unmap "1 munmap"

# The functions of mmipc.h. For a name, they make the same calls as those of mmsysio.h.
expect name_create2 "1 bind, 1 close, 4 connect, 1 getsockopt, 1 listen, 2 socket"
expect name_destroy2 "1 close, 2 getsockopt, 1 shutdown"
# The directory; the lock, which must be the file that has the name; whether the path exists; an old temporary name; the
# permissions before bind(), and whether the umask has removed some; the rename; the end of the lock.
expect path_create2 "1 bind, 2 close, 1 fchmod, 1 flock, 5 fstat, 1 getsockopt, 1 listen, 3 openat, 1 renameat2, 1 socket, 2 unlinkat"
# Whether somebody listens at a path that exists is tested by a connect: before, and after the new socket and the
# leftover have exchanged their names.
expect path_leftover_create2 "1 bind, 4 close, 2 connect, 1 fchmod, 1 flock, 6 fstat, 1 getsockopt, 1 listen, 3 openat, 1 renameat2, 3 socket, 3 unlinkat"
# Also: whether the descriptor of the directory still refers to it, twice; the lock; whether the path is still that of
# the server.
expect path_destroy2 "3 close, 2 fcntl, 1 flock, 5 fstat, 2 getsockopt, 1 openat, 1 shutdown, 2 unlinkat"
for kind in name path; do
	expect ${kind}_connect2 "1 connect, 1 socket"
	expect ${kind}_connect2_non_blocking "1 connect, 1 socket"
	# The socket is non-blocking while it connects.
	expect ${kind}_connect2_at_once "1 connect, 1 fcntl, 1 socket"
	expect ${kind}_connect2_in_time "1 connect, 1 fcntl, 1 socket"
	expect ${kind}_accept2 "1 accept4, 1 getsockopt"
	expect ${kind}_accept2_at_once "1 accept4, 1 getsockopt"
	expect ${kind}_accept2_in_time "1 accept4, 1 getsockopt"
	# If there is no client, the server may have been shut down.
	expect ${kind}_accept2_none "1 accept, 1 getsockopt, 1 poll"
	# The descriptor is identified, and non-blocking already.
	expect ${kind}_fd "1 getsockopt"
	# Three properties of the socket; the socket that ends waits; the identities of both.
	expect ${kind}_from_fd "1 fcntl, 5 getsockopt, 1 socket"
	# The listener may be blocking, so the call waits for a client, and again when no other thread may accept it.
	expect ${kind}_adopted_accept2 "1 accept4, 3 getsockopt, 2 poll"
	expect ${kind}_adopted_destroy2 "2 close, 2 getsockopt"
done
# The first call makes the listener non-blocking. That of a path is created so.
expect name_accept2_first "1 accept4, 1 fcntl, 1 getsockopt"
expect path_accept2_first "1 accept4, 1 getsockopt"
expect name_release "1 getsockopt"
# The descriptor of the directory, which must still be that.
expect path_release "1 close, 1 fcntl, 1 fstat, 1 getsockopt"
expect name_connect2_refused "1 close, 1 connect, 1 socket"
# Whether the directory exists.
expect path_connect2_refused "1 close, 1 connect, 1 fstat, 1 socket"
expect name_watch "1 bind, 1 socket"
expect path_watch "1 inotify_add_watch, 1 inotify_init1"
expect peer_pair2 "1 socketpair"
# The credentials of a listener are those of its own process.
expect peer_peer "2 getsockopt"
expect peer_pidfd "3 getsockopt"
exit $failures
