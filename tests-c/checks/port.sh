#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# One architecture of check-ports. Usage:
#   port.sh packages PORT     prints the Debian packages that the port needs
#   port.sh run PORT TARBALL  in the chroot: builds the tarball in /srv/ports/PORT, and runs the C tests
#   port.sh test PORT PROGRAM in /srv/ports/PORT: runs one test program
# Beside TARBALL are the files expected-failures and tests-without-end, with the names of tests.
#
# PORT is an architecture of Debian, or one of two others: native is the machine itself, control is the machine itself
# with each test program emulated. The results are lines "ok PROGRAM:TEST" and "failed PROGRAM:TEST reason" in
# /srv/ports/PORT.results; the versions of the compilers are in PORT.versions.
set -eu

port=$2
emulator="" bits=2 order=1
case $port in
native) gnu=x86_64-linux-gnu rust="" machine="" ;;
control) gnu=x86_64-linux-gnu rust="" emulator=x86_64 machine='\x3e\x00' ;;
i386) gnu=i686-linux-gnu rust=i686-unknown-linux-gnu machine="" ;;
arm64) gnu=aarch64-linux-gnu rust=aarch64-unknown-linux-gnu emulator=aarch64 machine='\xb7\x00' ;;
armhf) gnu=arm-linux-gnueabihf rust=armv7-unknown-linux-gnueabihf emulator=arm machine='\x28\x00' bits=1 ;;
ppc64el) gnu=powerpc64le-linux-gnu rust=powerpc64le-unknown-linux-gnu emulator=ppc64le machine='\x15\x00' ;;
riscv64) gnu=riscv64-linux-gnu rust=riscv64gc-unknown-linux-gnu emulator=riscv64 machine='\xf3\x00' ;;
s390x) gnu=s390x-linux-gnu rust=s390x-unknown-linux-gnu emulator=s390x machine='\x00\x16' order=2 ;;
loong64) gnu=loongarch64-linux-gnu rust=loongarch64-unknown-linux-gnu emulator=loongarch64 machine='\x02\x01' ;;
*)
	echo "port.sh: unknown port $port" >&2
	exit 2
	;;
esac

if [ "$1" = packages ]; then
	case $port in
	native) echo rustc cargo gcc libc6-dev make pkg-config check libfuse3-dev perl python3 netbase xz-utils iproute2 ;;
	control) echo qemu-user ;;
	*) echo "gcc-$gnu libc6-dev:$port check:$port libfuse3-dev:$port libstd-rust-dev:$port" ;;
	esac
	exit
fi

work=/srv/ports/$port
if [ "$1" = test ]; then
	# A program of which a test fails unexpectedly is run again: a test has failed if it does so each time. A test
	# that did not end has no result; ports.sh knows its name from the native run.
	name=${3#build/tests/}
	results=$work/results/$(echo "$name" | tr / -)
	: >"$results"
	for attempt in 1 2 3; do
		status=0
		timeout -k 5 "$PORT_TIMEOUT" "$3" >"$results.output$attempt" 2>&1 </dev/null || status=$?
		sed -n -e 's/^ok [0-9]* - [^:]*:[^:]*:\([^:]*\): .*/ok \1/p' \
			-e 's/^not ok [0-9]* - [^:]*:[^:]*:\([^:]*\):\(.*\)/failed \1 \2/p' "$results.output$attempt" |
			sed "s|^\([a-z]*\) |\1 $name:|" >"$results.now"
		if [ "$status" -eq 0 ] || grep -q '^failed' "$results.now"; then
			echo "ok $name:(end)" >>"$results.now"
		else
			echo "failed $name:(end) exit status $status; $(grep '^#' "$results.output$attempt" | tail -1)" >>"$results.now"
		fi
		# What passed once has passed.
		cat "$results.now" "$results" | awk '!($2 in result) || $1 == "ok" { result[$2] = $0 }
			END { for (test in result) print result[test] }' >"$results.all"
		mv "$results.all" "$results"
		sed -n 's/^failed \([^ ]*\).*/\1/p' "$results" | grep -qvxFf /host/expected-failures || break
		# The emulator makes some tests wait forever, each time.
		[ "$port" != control ] || ! grep -q 'Test timeout expired' "$results.now" || break
	done
	exit
fi

rm -rf "$work" "$work".*
mkdir -p "$work"
tar -xf "$3" -C "$work" --strip-components=1
cd "$work"
export HOME=/root CARGO_FLAGS=--frozen

# --- build ---------------------------------------------------------------------------------------------------------

compiler=gcc
if [ -n "$rust" ]; then
	compiler=$gnu-gcc
	export CARGO_BUILD_TARGET="$rust" LD=$gnu-ld AR=$gnu-ar OBJCOPY=$gnu-objcopy STRIP=$gnu-strip
	multiarch=$($compiler -print-multiarch)
	export PKG_CONFIG_LIBDIR="/usr/lib/$multiarch/pkgconfig:/usr/share/pkgconfig"
fi
versions="gcc $($compiler -dumpfullversion), rustc $(rustc --version | cut -d' ' -f2)"
[ -z "$emulator" ] || versions="$versions, qemu $("qemu-$emulator" --version | sed -n '1s/.* version \([0-9.]*\).*/\1/p')"
echo "$versions" >"$work.versions"

# With another value of RUN_TESTS, check-c prints its programs instead of running them.
make -j"$(nproc)" CC="$compiler" RUN_TESTS=echo check-c >"$work.build" 2>&1
programs=$(sed -n 's/^--exec env //p' "$work.build")
[ -n "$programs" ]

# --- emulation -----------------------------------------------------------------------------------------------------

# The kernel starts the emulator for each program of the port, also for those that a test executes. The marked header
# of the control's programs distinguishes them from all other programs of the machine, the emulator included.
mark='\x00'
if [ "$port" = control ]; then
	mark='Q'
	find build/tests build/tests-programs build/examples -type f -perm -100 -exec sh -c '
		for program; do printf Q | dd of="$program" bs=1 seek=15 conv=notrunc status=none; done' sh {} +
fi
if [ -n "$emulator" ]; then
	type='\x02\x00' any_type='\xfe\xff'
	[ "$order" -eq 1 ] || type='\x00\x02' any_type='\xff\xfe'
	magic="\\x7fELF\\x0$bits\\x0$order\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00$mark$type$machine"
	mask="\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff$any_type\\xff\\xff"
	printf '%s' ":$port:M::$magic:$mask:/usr/bin/qemu-$emulator:POCF" >/proc/sys/fs/binfmt_misc/register
fi

# Whether a program of the port runs, and is emulated if it has to be.
cat >pause.c <<-'END'
	#include <unistd.h>
	int main(void) { return write(1, "runs\n", 5) != 5 || pause(); }
END
$compiler pause.c -o pause
[ "$port" != control ] || printf Q | dd of=pause bs=1 seek=15 conv=notrunc status=none
mkfifo pause.output
./pause >pause.output &
read -r line <pause.output || line=""
interpreter=$(readlink /proc/$!/exe || :)
kill $! 2>/dev/null || :
case $line,$interpreter in
runs,*"${emulator:+/qemu-$emulator}") ;;
*)
	echo "a program of $port does not run as expected: \"$line\", $interpreter" >&2
	exit 1
	;;
esac

# --- tests ---------------------------------------------------------------------------------------------------------

export LD_LIBRARY_PATH="$work/build/stage/lib" PORT_TIMEOUT=1800
if [ -n "$emulator" ] && [ "$port" != control ]; then
	# What never ends is not started, so that everything else may take its time.
	MMSYSIO_TESTS_WITHOUT_END=" $(tr '\n' ' ' </host/tests-without-end)"
	export CK_TIMEOUT_MULTIPLIER=4 MMSYSIO_TESTS_WITHOUT_END
fi
mkdir results
echo "$programs" | tr ' ' '\n' | xargs -n 1 -P 2 "$0" test "$port"
find results -type f ! -name '*.*' -exec cat {} + | sort -k2 >"$work.results"
