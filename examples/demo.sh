#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs the examples and checks what they print.
# usage: demo.sh DIRECTORY-OF-THE-PROGRAMS FILE
set -eu

programs=$1
file=$2
scratch=$(mktemp -d)
chmod 755 "$scratch"
started=""
cleanup() {
	for process in $started; do
		kill "$process" 2>/dev/null || :
	done
	rm -rf "$scratch"
}
trap cleanup EXIT

fail() {
	echo "demo: $1"
	exit 1
}
start() { # start PROGRAM ARGUMENT...: in the background; $! is the process group of the program
	timeout 20 "$@" &
	started="$started $!"
}
await() { # await TEXT FILE: waits until the file contains a line with the text
	for _ in $(seq 100); do
		! grep -q "$1" "$2" || return 0
		sleep 0.1
	done
	fail "no line \"$1\" within 10 seconds: $(cat "$2")"
}

echo "--- client.c and server.c: a message with a file descriptor; the client is started first"
start "$programs/client" "$file" >"$scratch/client"
client=$!
# Long enough that the client finds no server and waits.
sleep 0.3
timeout 20 "$programs/server"
wait "$client"
cat "$scratch/client"
grep -q "\"it has $(wc -l <"$file") lines\"" "$scratch/client" || fail "wrong answer: $file has $(wc -l <"$file") lines"

echo "--- reconnecting_client.c and epoll_server.c: the server is restarted"
for address in "mmsysio-demo-$$" "$scratch/socket"; do
	start "$programs/reconnecting_client" "$address" 6 200 >"$scratch/client"
	client=$!
	start "$programs/epoll_server" "$address"
	server=$!
	await "question 5" "$scratch/client"
	kill -STOP "-$client" # so that some questions are left
	kill "$server"
	wait "$server" || fail "the first server exits with status $?"
	kill -CONT "-$client"
	await "disconnected" "$scratch/client"
	start "$programs/epoll_server" "$address"
	server=$!
	wait "$client" || fail "the client exits with status $?"
	kill "$server"
	wait "$server" || fail "the second server exits with status $?"
	cat "$scratch/client"
	[ "$(grep -c '^connected' "$scratch/client")" -eq 2 ] || fail "the client did not connect twice"
	[ "$(grep -c '^received: .*question' "$scratch/client")" -eq 6 ] || fail "the client did not receive 6 answers"
	[ ! -e "$scratch/socket" ] || fail "the server did not remove its path"
done

echo "--- activated_server.c: started when a client connects"
address=$scratch/activated
if command -v systemd-socket-activate >/dev/null 2>&1; then
	echo "(by systemd-socket-activate)"
	start systemd-socket-activate ${LD_LIBRARY_PATH:+-E LD_LIBRARY_PATH} --seqpacket --listen="$address" \
		"$programs/activated_server" 2>"$scratch/activation"
else
	echo "(by a program that does what systemd-socket-activate does)"
	cat >"$scratch/activate.py" <<-'END'
		import os, select, socket, sys
		listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
		listener.bind(sys.argv[1])
		listener.listen()
		select.select([listener], [], [])
		if listener.fileno() != 3:
		    os.dup2(listener.fileno(), 3)
		os.set_inheritable(3, True)
		os.environ |= {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())}
		os.execv(sys.argv[2], sys.argv[2:])
	END
	start python3 "$scratch/activate.py" "$address" "$programs/activated_server"
fi
server=$!
timeout 20 "$programs/reconnecting_client" "$address" 2 20 >"$scratch/client" || fail "the client exits with status $?"
wait "$server" || fail "the server exits with status $?"
cat "$scratch/client"
[ "$(grep -c '^received: welcome' "$scratch/client")" -eq 2 ] || fail "the server did not welcome the client twice"

echo "--- group_server.c: only members of a group"
group=$(id -g)
[ "$(id -u)" -ne 0 ] || group=23456
install -d -m 2755 -g "$group" "$scratch/group"
start "$programs/group_server" "$scratch/group/socket" 1 >"$scratch/server"
server=$!
cat >"$scratch/visit.py" <<-'END'
	# Prints what the server says to a process with these IDs: usage: visit.py PATH [USER GROUP SUPPLEMENTARY-GROUP...]
	import os, socket, sys
	if len(sys.argv) > 2:
	    user, group, *others = map(int, sys.argv[2:])
	    os.setgroups(others)
	    os.setgid(group)
	    os.setuid(user)
	client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
	try:
	    client.connect(sys.argv[1])
	    print(client.recv(100).decode() or "nothing")
	except PermissionError:
	    print("no permission")
END
visit() { # visit EXPECTED USER-AND-GROUPS...
	expected=$1
	shift
	found=$(timeout 20 python3 "$scratch/visit.py" "$scratch/group/socket" "$@")
	echo "a process of ${*:-this user and group}: $found"
	[ "$found" = "$expected" ] || fail "expected: $expected"
}
for _ in $(seq 100); do
	[ ! -e "$scratch/group/socket" ] || break
	sleep 0.1
done
[ "$(stat -c %a:%g "$scratch/group/socket")" = "660:$group" ] || fail "the socket does not have the mode and the group"
if [ "$(id -u)" -eq 0 ]; then
	visit "no permission" 65534 65534 65533
	visit nothing 0 0
	visit welcome 65534 65534 "$group"
else
	visit welcome
fi
wait "$server" || fail "the server exits with status $?"
cat "$scratch/server"

echo "--- frames.c: images in shared memory"
start "$programs/frames" receive "mmsysio-frames-$$" >"$scratch/received"
receiver=$!
timeout 20 "$programs/frames" send "mmsysio-frames-$$" 40 >"$scratch/sent"
wait "$receiver" || fail "the receiver exits with status $?"
cat "$scratch/sent" "$scratch/received"
[ "$(sed 's/sent//' "$scratch/sent")" = "$(sed 's/received//' "$scratch/received")" ] || fail "the checksums differ"
