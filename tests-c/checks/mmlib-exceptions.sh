#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Checks that exceptions of C++, longjmp() and the cancellation of threads pass through libmmlib: a program whose callbacks
# do this, compiled by g++ and clang++ with and without optimisation. Usage: mmlib-exceptions.sh STAGE
set -eu

stage=$1
sources=$(dirname "$0")/../..
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
flags=$(PKG_CONFIG_PATH="$stage/lib/pkgconfig" ${PKG_CONFIG:-pkg-config} --cflags --libs mmlib)
warnings="-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wold-style-cast -Werror"
programs=0

mkdir "$scratch/directory"
: >"$scratch/directory/entry"
for compiler in g++ clang++; do
	if ! command -v "$compiler" >/dev/null; then
		echo "mmlib-exceptions: $compiler is not installed, skipped"
		continue
	fi
	for optimisation in -O0 -O2; do
		# shellcheck disable=SC2086 # lists of options
		$compiler -std=c++11 $optimisation -pthread $warnings "$sources/tests-c/programs/exceptions.cc" \
			-o "$scratch/exceptions" $flags
		LD_LIBRARY_PATH="$stage/lib" timeout 60 "$scratch/exceptions" "$scratch/directory" >"$scratch/output"
		if [ -s "$scratch/output" ]; then
			echo "mmlib-exceptions: the program printed candidates that its callbacks have not accepted" >&2
			exit 1
		fi
		programs=$((programs + 1))
	done
done
[ "$programs" -gt 0 ] || exit 1
echo "mmlib-exceptions: $programs programs"
