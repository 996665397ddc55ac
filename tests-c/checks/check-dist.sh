#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Checks that the tarball is the same when it is created again, also from the unpacked tarball; and that it builds and
# passes check-abi in a network namespace without interfaces, with an empty cargo home. Usage: check-dist.sh TARBALL
set -eu

tarball=$(realpath "$1")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
toolchain=$(rustc --print sysroot)/bin
tar -xf "$tarball" -C "$scratch"
tree=$scratch/$(basename "$tarball" .tar.xz)

mkdir "$scratch/second" "$scratch/third"
tests-c/checks/dist.sh "$scratch/second/$(basename "$tarball")" >/dev/null
cmp "$tarball" "$scratch/second/$(basename "$tarball")"
(cd "$tree" && tests-c/checks/dist.sh "$scratch/third/$(basename "$tarball")" >/dev/null)
cmp "$tarball" "$scratch/third/$(basename "$tarball")"

unshare=unshare
[ "$(id -u)" -eq 0 ] || unshare="unshare -r"
# Make sure that the namespace has no network interface but the loopback.
[ "$($unshare -n sh -c 'tail -n +3 /proc/net/dev | grep -vc "lo:"' || :)" = 0 ]
cd "$tree"
# shellcheck disable=SC2086
env -u CARGO_TARGET_DIR -u MAKEFLAGS -u MFLAGS CARGO_HOME="$scratch/cargo-home" PATH="$toolchain:$PATH" \
	$unshare -n make CARGO_FLAGS=--frozen all check-abi >"$scratch/log" 2>&1 || { tail -30 "$scratch/log"; exit 1; }
grep -E '^(abi|mmlib|mmlib-abi):' "$scratch/log"
[ ! -e "$scratch/cargo-home/registry" ] || { echo "dist: cargo downloaded files"; exit 1; }
echo "dist: reproducible, and builds without network"
