#!/bin/sh
# Installs what `make check` needs, as root on Debian or Ubuntu; elsewhere, or without the right, says what is missing.
set -eu

packages="gcc g++ clang make binutils pkg-config check valgrind strace perl python3 mandoc diffutils netbase"

missing=""
need() { # need COMMAND PACKAGE
	command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
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
# Names of services.
[ -e /etc/services ] || missing="$missing netbase"
pkg-config --exists check 2>/dev/null || missing="$missing check"
# The library of gcc's address sanitizer is a package of its own.
echo 'int main(void) { return 0; }' | gcc -fsanitize=address,undefined -x c - -o /dev/null 2>/dev/null ||
	missing="$missing libasan and libubsan of gcc"

if ! command -v cargo >/dev/null 2>&1; then
	echo "cargo is missing: Rust 1.88 or newer, from the distribution or rustup" >&2
	exit 1
fi

[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
	echo "The tests need:$missing" >&2
	echo "On Debian or Ubuntu, as root:  apt-get install $packages" >&2
	exit 1
fi
echo "Installing for the tests:$missing"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086
apt-get install -y -qq --no-install-recommends $packages >/dev/null
