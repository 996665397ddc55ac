#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs the C tests as the kernels of older distributions would: see tests-c/programs/old_kernel.c. Usage: old-kernel.sh
# (from the top of the sources)
set -eu

MAKE=${MAKE:-make}
tests-c/checks/install-packages.sh check
$MAKE build/tests-programs/old_kernel
program=$PWD/build/tests-programs/old_kernel

# Runs the tests, all of them or those of a subsystem, after the self-test of the filter.
run() { # run OPTIONS [TESTS]
	echo "old-kernel: $1"
	"$program" "$1" --self-test >build/old-kernel.tap || {
		grep -v '^ok' build/old-kernel.tap
		echo "old-kernel: the filter for $1 does not work" >&2
		exit 1
	}
	awk '/# SKIP/ { skipped++ } /^ok/ { passed++ }
	     END { printf "old-kernel: self-test of the filter: %d calls, %d of which it cannot show\n", passed, skipped }' \
		build/old-kernel.tap
	$MAKE check-c RUN_IN="$program $1" ${2:+"TESTS=$2"} || failures="$failures $1"
}

subsystems() { # subsystems DIRECTORY...
	for directory; do
		for file in "tests-c/$directory"/*.c; do
			echo "$directory/$(basename "$file" .c)"
		done
	done | tr '\n' ' '
}

failures=""
# The kernels of Debian 9 to 12.
run 4.9
run 4.19
run 5.10
run 6.1
# Before Linux 5.3, files on different filesystems cannot be copied by copy_file_range().
run 4.9,copy_file_range=EXDEV "$(subsystems fs)"
# Older container runtimes let calls that they do not know fail with EPERM.
run 4.9,new=EPERM

if [ -n "$failures" ]; then
	echo "old-kernel: tests have failed with$failures" >&2
	exit 1
fi
echo "old-kernel: all tests have passed"
