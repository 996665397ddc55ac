#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Checks that builds in two directories, with two home directories and at two times, are identical, also with debug
# information. Usage: check-reproducible.sh TARBALL
set -eu

tarball=$(realpath "$1")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
toolchain=$(rustc --print sysroot)/bin

build() { # build DIRECTORY HOME CFLAGS RUSTFLAGS
	mkdir -p "$scratch/$1"
	tar -xf "$tarball" -C "$scratch/$1" --strip-components=1
	env -u CARGO_TARGET_DIR -u MAKEFLAGS -u MFLAGS CARGO_HOME="$scratch/$2" PATH="$toolchain:$PATH" \
		CFLAGS="$3" RUSTFLAGS="$4" make -C "$scratch/$1" CARGO_FLAGS=--frozen all mmlib >"$scratch/log" 2>&1 || {
		tail -30 "$scratch/log"
		exit 1
	}
}
same() { # same WHAT DIRECTORY DIRECTORY
	for file in libmmsysio.so libmmsysio.a libmmlib.so.1; do
		cmp "$scratch/$2/build/$file" "$scratch/$3/build/$file" || { echo "reproducible: $1: $file differs"; exit 1; }
	done
	if grep -aqF "$scratch" "$scratch/$2/build/libmmsysio.a" "$scratch/$2/build/libmmsysio.so" "$scratch/$2/build/libmmlib.so.1"; then
		echo "reproducible: $1: the library contains the name of the build directory"
		exit 1
	fi
}

build one home "" ""
build two/deeper another-home "" ""
same "default build" one two/deeper
build three home "-g" "-g"
build four/deeper another-home "-g" "-g"
same "with debug information" three four/deeper
readelf -SW "$scratch/three/build/libmmsysio.so" | grep -q '\.debug_info'
sums=$(sha256sum "$scratch/one/build/libmmsysio.so" "$scratch/one/build/libmmsysio.a" | cut -c1-16 | xargs)
echo "reproducible: $sums in both directories"
