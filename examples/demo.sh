#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs client and server, the client first; succeeds if both do and the client was told the truth.
# Usage: demo.sh DIRECTORY-OF-THE-PROGRAMS FILE
set -eu

programs=$1
file=$2
output=$(mktemp)
trap 'rm -f "$output"' EXIT

timeout 20 "$programs/client" "$file" >"$output" &
client=$!
# Long enough for the client to find no server, and to wait.
sleep 0.3
timeout 20 "$programs/server"
wait "$client"
cat "$output"
grep -q "\"it has $(wc -l <"$file") lines\"" "$output" || {
	echo "demo: the answer is wrong: $file has $(wc -l <"$file") lines"
	exit 1
}
