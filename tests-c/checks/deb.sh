#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the Debian packages, binary and source, from the tarball, in an empty network namespace if possible. Usage:
# deb.sh TARBALL DIRECTORY-FOR-THE-PACKAGES
set -eu

tarball=$(realpath "$1")
rm -rf "$2"
mkdir -p "$2"
out=$(realpath "$2")
wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
tar -xf "$tarball" -C "$out"
cd "$out/$(basename "$tarball" .tar.xz)"

enough() { # enough VERSION: is it new enough for the sources?
	dpkg --compare-versions "$1" ge "$wanted"
}

# A distribution's packaged Rust may be too old. A newer one on PATH, from rustup, can be used instead, but dpkg does
# not know it. Only in that case is dpkg-buildpackage told not to check the build dependencies, and the other
# dependencies are checked here.
nodeps=""
missing=$(dpkg-checkbuilddeps 2>&1 | sed -n 's/.*: Unmet build dependencies: //p')
if [ -n "$missing" ]; then
	others=$(echo "$missing" | sed 's/\(cargo\|rustc\)\(-web\)\{0,1\} ([^)]*)\( |\)\{0,1\}//g' | xargs)
	if [ -n "$others" ]; then
		echo "deb: missing build dependencies: $others" >&2
		exit 1
	fi
	found=$(rustc --version 2>/dev/null | cut -d' ' -f2)
	if [ -z "$found" ] || ! enough "$found"; then
		echo "deb: Rust $wanted is needed; dpkg has none, and PATH has ${found:-none}" >&2
		exit 1
	fi
	# The build uses a separate home directory, where rustup's proxies find no toolchain. Therefore the toolchain's
	# own directory is put on PATH.
	PATH=$(rustc --print sysroot)/bin:$PATH
	export PATH
	nodeps=-d
	echo "deb: using Rust $found on PATH: no packaged Rust is as new as $wanted (dpkg-buildpackage -d)"
fi

# shellcheck disable=SC2086
env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u CARGO_TARGET_DIR -u CFLAGS -u LDFLAGS -u RUSTFLAGS \
	tests-c/checks/offline.sh dpkg-buildpackage $nodeps -us -uc --jobs=auto >"$out/log" 2>&1 || {
	tail -40 "$out/log"
	exit 1
}
cd "$out"
rm -rf "$(basename "$tarball" .tar.xz)"
ls -- *.deb
