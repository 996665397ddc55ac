#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs client and server, the client first. Succeeds if both succeed and the answer is correct.
# usage: demo.sh DIRECTORY-OF-THE-PROGRAMS FILE
set -eu

programs=$1
file=$2
output=$(mktemp)
trap 'rm -f "$output"' EXIT

timeout 20 "$programs/client" "$file" >"$output" &
client=$!
# Long enough that the client finds no server and waits.
sleep 0.3
timeout 20 "$programs/server"
wait "$client"
cat "$output"
grep -q "\"it has $(wc -l <"$file") lines\"" "$output" || {
	echo "demo: wrong answer: $file has $(wc -l <"$file") lines"
	exit 1
}
