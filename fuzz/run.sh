#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs the fuzz targets, one after the other. Usage: run.sh DIRECTORY fuzz|check|corpus SECONDS TARGET...
#
# fuzz      for that many seconds each, beginning with the corpus of the tree and what was found before
# check     the corpus of the tree, then that many seconds of fuzzing, which keep nothing
# corpus    makes the corpus of the tree anew
#
# It fails with the first input that does, which is kept as DIRECTORY/failures/TARGET-*, with DIRECTORY/TARGET.log.
set -eu

directory=$1 what=$2 seconds=$3
shift 3
mkdir -p "$directory/failures"

run() { # run TARGET ARGUMENT...
	target=$1
	shift
	dictionary=
	[ ! -e "fuzz/$target.dict" ] || dictionary=-dict=fuzz/$target.dict
	status=0
	"$directory/$target" $dictionary -max_len=4096 -print_final_stats=1 \
	    "-artifact_prefix=$directory/failures/$target-" "$@" >"$directory/$target.log" 2>&1 || status=$?
	case $status in
	0) ;;
	3) # No namespaces: see world/sandbox.c.
		cat "$directory/$target.log" >&2
		echo "fuzz: nothing was fuzzed" >&2
		exit 0
		;;
	*)
		grep -av '^#[0-9]' "$directory/$target.log" | tail -60 >&2
		echo "fuzz: $target failed: input $directory/failures/$target-..., report $directory/$target.log" >&2
		exit 1
		;;
	esac
}

tell() { # tell TARGET WHAT
	executed=$(sed -n 's/^stat::number_of_executed_units: *//p' "$directory/$1.log")
	covered=$(sed -n 's/.* cov: \([0-9]*\) ft: \([0-9]*\) .*/\1 edges, \2 features/p' "$directory/$1.log" |
		tail -n 1)
	echo "fuzz: $1: $2: $executed inputs, $covered, nothing found"
}

for name; do
	corpus=fuzz/corpus/$name
	found=$directory/corpus/$name
	case $what in
	fuzz)
		mkdir -p "$found"
		run "$name" "-max_total_time=$seconds" "$found" "$corpus"
		tell "$name" "$seconds s"
		;;
	check)
		# All inputs in their order; then at random, from a seed that is always the same.
		FUZZ_CALLS_ALL=1 run "$name" -runs=0 "$corpus"
		tell "$name" "corpus"
		rm -rf "$directory/passing"
		mkdir "$directory/passing"
		run "$name" "-max_total_time=$seconds" -seed=1 "$directory/passing" "$corpus"
		tell "$name" "$seconds s"
		;;
	corpus)
		mkdir -p "$found"
		rm -rf "$directory/merged"
		mkdir "$directory/merged"
		run "$name" -merge=1 -use_counters=0 "$directory/merged" "$corpus" "$found"
		cp "$corpus"/bug-* "$directory/merged" 2>/dev/null || true
		rm -rf "$corpus"
		mv "$directory/merged" "$corpus"
		echo "fuzz: $name: $(ls "$corpus" | wc -l) inputs of $(cat "$corpus"/* | wc -c) bytes"
		;;
	esac
done
