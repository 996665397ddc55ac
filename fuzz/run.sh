#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs the fuzz targets in sequence. Usage: run.sh DIRECTORY fuzz|check|corpus SECONDS TARGET...
#
# fuzz      fuzzes each target for that many seconds, starting from the corpus and the inputs found earlier
# check     replays the corpus, then fuzzes each target for that many seconds; keeps no new inputs
# corpus    rebuilds the corpus
#
# Stops at the first input that fails. It is kept as DIRECTORY/failures/TARGET-*, with DIRECTORY/TARGET.log.
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
	3) # Namespaces are not available: see world/sandbox.c.
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

report() { # report TARGET WHAT
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
		report "$name" "$seconds s"
		;;
	check)
		# Replays all inputs in order, then fuzzes with a fixed seed.
		FUZZ_CALLS_ALL=1 run "$name" -runs=0 "$corpus"
		report "$name" "corpus"
		rm -rf "$directory/passing"
		mkdir "$directory/passing"
		run "$name" "-max_total_time=$seconds" -seed=1 "$directory/passing" "$corpus"
		report "$name" "$seconds s"
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
