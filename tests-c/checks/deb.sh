#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the Debian packages, binary and source, out of the tarball, in an empty network namespace if one can be had.
# Usage: deb.sh TARBALL DIRECTORY-FOR-THE-PACKAGES
set -eu

tarball=$(realpath "$1")
rm -rf "$2"
mkdir -p "$2"
out=$(realpath "$2")
wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
tar -xf "$tarball" -C "$out"
cd "$out/$(basename "$tarball" .tar.xz)"

enough() { # enough VERSION: is it what the sources want?
	dpkg --compare-versions "$1" ge "$wanted"
}

# The packaged Rust of a distribution may be too old. A newer one on PATH, from rustup, will do as well, but dpkg does
# not know of it: only then is dpkg-buildpackage told not to look, and the other dependencies are looked for here.
nodeps=""
missing=$(dpkg-checkbuilddeps 2>&1 | sed -n 's/.*: Unmet build dependencies: //p')
if [ -n "$missing" ]; then
	others=$(echo "$missing" | sed -e 's/cargo ([^)]*)//' -e 's/rustc ([^)]*)//' | xargs)
	if [ -n "$others" ]; then
		echo "deb: missing build dependencies: $others" >&2
		exit 1
	fi
	found=$(rustc --version 2>/dev/null | cut -d' ' -f2)
	if [ -z "$found" ] || ! enough "$found"; then
		echo "deb: Rust $wanted is needed; dpkg knows none, and PATH has ${found:-none}" >&2
		exit 1
	fi
	# A build has a home of its own, where rustup's proxies find no toolchain: name the toolchain itself.
	PATH=$(rustc --print sysroot)/bin:$PATH
	export PATH
	nodeps=-d
	echo "deb: Rust $found on PATH is taken: dpkg has none as new as $wanted (dpkg-buildpackage -d)"
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
