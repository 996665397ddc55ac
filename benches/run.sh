#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs all benchmarks in sequence and collects their tables: as Markdown for benches/README.md in DIRECTORY/tables.md,
# and each as tab-separated values. Usage: run.sh MAKE DIRECTORY
set -eu

make=$1
directory=$2
mkdir -p "$directory"
: >"$directory/tables.md"

bench() { # bench NAME TITLE
	echo "== $2" >&2
	"$make" --no-print-directory -s "bench-$1" >"$directory/$1.md"
	cat "$directory/$1.md"
	printf '## %s: `make bench-%s`\n\n' "$2" "$1" | cat - "$directory/$1.md" >>"$directory/tables.md"
	echo >>"$directory/tables.md"
	case $1 in
	# These write their own values, which contain more than the tables.
	peers | instructions | footprint) ;;
	*) sed -n '/^|-/d; /^|/{s/^| *//; s/ *|$//; s/ *| */\t/g; p}' "$directory/$1.md" >"$directory/$1.tsv" ;;
	esac
}

bench ipc_thread "Messages in one thread"
bench peers "Two processes"
bench ipc_connect "Connections"
bench ipc_errors "Calls that fail"
bench connect "Waiting for a server"
bench tuning "Larger buffers and batches"
bench timeouts "Timeouts"
bench sockets "Sockets"
bench spawn "Spawning"
bench files "Files"
bench instructions "Instructions"
bench footprint "Footprint"
bench tool "The command-line tool"
