#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs the packages that a part of the tests needs, as root on Debian or Ubuntu; otherwise prints what is missing.
# Usage: install-packages.sh check|lint|html|bench|deb|rpm|dist
set -eu

missing=""
need() { # need COMMAND PACKAGE
	command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}

need cargo "Rust 1.85 or newer, from the distribution or rustup"
if [ -n "$missing" ]; then
	echo "Missing:$missing" >&2
	exit 1
fi

case ${1:-check} in
check)
	packages="gcc g++ clang make binutils pkg-config check libfuse3-dev valgrind strace perl python3 mandoc diffutils netbase patchelf cmake libclang-rt-dev"
	need gcc gcc
	need g++ g++
	need clang clang
	need ld.bfd binutils
	need pkg-config pkg-config
	need valgrind valgrind
	need strace strace
	need prove perl
	need python3 python3
	need mandoc mandoc
	need diff diffutils
	need patchelf patchelf
	need cmake cmake
	# Names of services.
	[ -e /etc/services ] || missing="$missing netbase"
	pkg-config --exists check 2>/dev/null || missing="$missing check"
	pkg-config --exists fuse3 2>/dev/null || missing="$missing libfuse3-dev"
	# libFuzzer is part of clang's runtime, which is not a separate package in every distribution.
	echo 'int LLVMFuzzerTestOneInput(void); int LLVMFuzzerTestOneInput(void) { return 0; }' |
		clang -fsanitize=fuzzer,address -x c - -o /dev/null 2>/dev/null || missing="$missing libFuzzer of clang"
	# The library of gcc's address sanitizer is in a separate package.
	echo 'int main(void) { return 0; }' | gcc -fsanitize=address,undefined -x c - -o /dev/null 2>/dev/null ||
		missing="$missing libasan and libubsan of gcc"
	;;
lint)
	packages="clang-format python3 git"
	need clang-format clang-format
	need python3 python3
	need git git
	;;
html)
	# The test of the HTML manual. Any Chromium will do, whatever the name of the program.
	packages="chromium mandoc python3"
	need mandoc mandoc
	need python3 python3
	command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 ||
		command -v google-chrome >/dev/null 2>&1 || missing="$missing chromium"
	;;
bench)
	# The other libraries that the benchmarks measure, and the tool that counts instructions.
	packages="gcc make binutils pkg-config valgrind python3 libqb-dev libnng-dev libzmq3-dev libsystemd-dev"
	need gcc gcc
	need pkg-config pkg-config
	need valgrind valgrind
	need python3 python3
	need readelf binutils
	for peer in libqb libzmq libsystemd; do
		pkg-config --exists "$peer" 2>/dev/null || missing="$missing $peer"
	done
	# Debian's nng has no pkg-config file.
	echo '#include <nng/nng.h>' | gcc -E -x c - -o /dev/null 2>/dev/null || missing="$missing libnng-dev"
	;;
dist)
	packages="git xz-utils util-linux patchelf"
	need xz xz-utils
	need unshare util-linux
	need patchelf patchelf
	;;
deb)
	# The build dependencies of debian/control, without cargo and rustc, which may come from rustup.
	packages="build-essential dpkg-dev debhelper fakeroot lintian autopkgtest check libfuse3-dev mandoc patchelf pkg-config perl python3 netbase xz-utils iproute2"
	need dpkg-buildpackage dpkg-dev
	need dh debhelper
	need fakeroot fakeroot
	need lintian lintian
	need autopkgtest autopkgtest
	need mandoc mandoc
	need prove perl
	need patchelf patchelf
	need xz xz-utils
	need python3 python3
	need ip iproute2
	[ -e /etc/services ] || missing="$missing netbase"
	[ -e /usr/share/doc/build-essential ] || missing="$missing build-essential"
	pkg-config --exists check 2>/dev/null || missing="$missing check"
	pkg-config --exists fuse3 2>/dev/null || missing="$missing libfuse3-dev"
	;;
rpm)
	packages="rpm xz-utils cpio gcc make binutils check libfuse3-dev mandoc patchelf perl python3 netbase pkg-config iproute2"
	need gcc gcc
	need prove perl
	need patchelf patchelf
	pkg-config --exists check 2>/dev/null || missing="$missing check pkg-config"
	pkg-config --exists fuse3 2>/dev/null || missing="$missing libfuse3-dev"
	need rpmbuild rpm
	need mandoc mandoc
	need python3 python3
	need ip iproute2
	[ -e /etc/services ] || missing="$missing netbase"
	need rpm2cpio rpm
	need cpio cpio
	need xz xz-utils
	;;
*)
	echo "install-packages.sh: unknown part $1" >&2
	exit 2
	;;
esac

[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
	echo "Needed:$missing" >&2
	echo "On Debian or Ubuntu, as root:  apt-get install $packages" >&2
	exit 1
fi
echo "Installing:$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086
apt-get install -y -qq --no-install-recommends $packages >/dev/null
