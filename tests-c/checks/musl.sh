#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the library and the C tests with musl, in a chroot of Debian testing, and runs the tests. Each test that fails is
# listed in musl.known, with its cause. Requires root. Usage: musl.sh (from the top of the sources)
#
# Debian has no Rust libraries for musl. They are built from its package rust-src: cargo's option build-std does that, and
# is available in a stable compiler if RUSTC_BOOTSTRAP is set. The test framework, check, is built from Debian's source
# package.
set -eu
export LC_ALL=C
target=$(uname -m)-unknown-linux-musl
musl=$(uname -m)-linux-musl

fail() {
	echo "musl: $1" >&2
	exit 1
}

# --- in the chroot ----------------------------------------------------------------------------------------------------

# Downloads the source package, and builds the static library with musl. It is installed beside musl's own files, so that
# musl-gcc finds it.
build_check() {
	[ ! -e "/usr/lib/$musl/libcheck.a" ] || return 0
	sed 's/^deb /deb-src /' /etc/apt/sources.list >/etc/apt/sources.list.d/check.list
	rm -rf /srv/check
	mkdir /srv/check
	cd /srv/check
	apt-get -q update
	# The user _apt may not write there.
	apt-get -q source --download-only -o APT::Sandbox::User=root check
	tar -x --strip-components=1 -f check_*.orig.tar.gz
	./configure CC=musl-gcc --includedir="/usr/include/$musl" --libdir="/usr/lib/$musl" --disable-shared \
		--disable-subunit --disable-build-docs
	make -C lib
	make -C src
	# Headers of the kernel, which musl's package does not have.
	ln -sfn /usr/include/linux /usr/include/asm-generic "/usr/include/$(uname -m)-linux-gnu/asm" "/usr/include/$musl"
	mkdir -p "/usr/lib/$musl/pkgconfig"
	cp check.pc "/usr/lib/$musl/pkgconfig"
	cp check_stdint.h src/check.h "/usr/include/$musl"
	cp src/.libs/libcheck.a "/usr/lib/$musl"
}

# The library, and all test programs. The crates of Rust's own library are in Debian's package too.
build() {
	for crate in /usr/lib/rustlib/src/rust/library/vendor/*; do
		ln -sfn "$crate" "vendor/std-${crate##*/}"
	done
	export RUSTC_BOOTSTRAP=1 CARGO_UNSTABLE_BUILD_STD=core,alloc CARGO_BUILD_TARGET="$target"
	export PKG_CONFIG_LIBDIR="/usr/lib/$musl/pkgconfig"
	# There is no libfuse for musl.
	tests=$(find tests-c -mindepth 2 -name '*.c' | sed 's|^tests-c/||; s|\.c$||' |
		grep -vE '^(suite|programs|faults|torture)/|^fs/copy_fuse$' | sort)
	# shellcheck disable=SC2046,SC2086
	make CARGO_FLAGS=--frozen CC=musl-gcc all $(printf 'build/tests/%s\n' $tests)
	# Static programs that use the static library.
	for test in error/state ipc/connect process/spawn; do
		mkdir -p "build/tests-static/${test%/*}"
		musl-gcc -static -std=c11 -D_GNU_SOURCE -pthread -Itests-c/suite -Iinclude -DSOURCE_DIR="\"$PWD\"" \
			-DPROGRAMS_DIR="\"$PWD/build/tests-programs\"" "tests-c/$test.c" tests-c/suite/suite.c \
			build/libmmsysio.a -lcheck -o "build/tests-static/$test"
	done
	! readelf -d build/libmmsysio.so.1 | grep NEEDED | grep -v '\[libc\.so\]'
}

# Prints "PROGRAM: passed NUMBER" and "PROGRAM: failed TEST". A program that does not end has failed.
run() {
	export LD_LIBRARY_PATH="$PWD/build/stage/lib"
	find build/tests build/tests-static -type f -perm -1 | sort | while read -r program; do
		name=${program#build/}
		timeout 300 "$program" >/tmp/output 2>&1 </dev/null || echo "$name: status $?"
		echo "$name: passed $(grep -ac '^ok ' /tmp/output)"
		sed -n "s|^not ok [0-9]* - [^:]*:[^:]*:\([a-z0-9_]*\): .*|$name: failed \1|p" /tmp/output
		grep -a '^not ok' /tmp/output >&2 || :
	done
}

case ${1:-} in
build-check)
	build_check
	exit
	;;
build | run)
	"$1"
	exit
	;;
esac

# --- outside ----------------------------------------------------------------------------------------------------------

[ "$(id -u)" -eq 0 ] || fail "root is required to create a chroot"
tests-c/checks/install-packages.sh chroot
tests-c/checks/install-packages.sh dist
# shellcheck source-path=SCRIPTDIR/../..
. tests-c/checks/chroot.sh
known="tests-c/checks/musl.known"
mkdir -p "$CHROOTS" build
log=$CHROOTS/musl.build.log
show() { # show WHAT: the end of the log, after a failure
	tail -n 40 "$log" >&2
	fail "$1; the whole output is in $log"
}

chroot_create musl testing rustc cargo rust-src musl-tools gcc libc6-dev linux-libc-dev make binutils xz-utils \
	pkg-config python3 netbase
tests-c/checks/dist.sh build/musl.sources.tar.xz >/dev/null
sources=/srv/libmmsysio
rm -rf "$CHROOTS/musl$sources"
mkdir "$CHROOTS/musl$sources"
tar -x -f build/musl.sources.tar.xz -C "$CHROOTS/musl$sources" --strip-components=1
rm build/musl.sources.tar.xz
inside() { # inside COMMAND
	# shellcheck disable=SC2016
	chroot_run musl sh -c 'cd "$1" && exec tests-c/checks/musl.sh "$2"' sh "$sources" "$1"
}

inside build-check >"$log" 2>&1 || show "check does not build with musl"
# shellcheck disable=SC2016
chroot_run musl sh -c 'rustc --version; musl-gcc --version | head -n 1
	dpkg-query -W -f "musl \${Version}\n" musl' | sed 's/^/musl: /'
CHROOT_OFFLINE=yes inside build >"$log" 2>&1 || show "the library or its tests do not build with musl"
CHROOT_OFFLINE=yes inside run >build/musl.results 2>build/musl.failures || fail "the tests could not be run"

# --- results ----------------------------------------------------------------------------------------------------------

# Lines of musl.known are comments, or: PROGRAM TEST CAUSE.
awk -v known="$known" '
	BEGIN {
		while ((getline line <known) > 0) {
			if (line ~ /^#/ || split(line, word, " ") < 3)
				continue
			is_known[word[1] ": failed " word[2]] = 1
			has_known[word[1]] = 1
		}
	}
	/: passed / { programs++; passed += $3 }
	/: failed / { failures++; if (!is_known[$0]) { print "musl: " $0; bad = 1 } delete is_known[$0] }
	/: status / { program = $1; sub(":", "", program)
		if ($3 != 1 || !has_known[program]) { print "musl: " $0; bad = 1 } }
	END {
		for (line in is_known)
			if (is_known[line]) { print "musl: " line ": in " known ", but has passed or was not run"; bad = 1 }
		if (programs == 0 || passed == 0) { print "musl: no test was run"; bad = 1 }
		printf "musl: %d tests of %d programs have passed, %d have failed\n", passed, programs, failures
		exit bad
	}' build/musl.results || {
	cat build/musl.failures >&2
	fail "there are failures that are not in $known"
}
