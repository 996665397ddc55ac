#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the RPM packages, binary and source, from the tarball, in an empty network namespace if possible. Usage: rpm.sh
# TARBALL DIRECTORY-FOR-THE-PACKAGES
set -eu

tarball=$(realpath "$1")
rm -rf "$2"
mkdir -p "$2/SOURCES"
out=$(realpath "$2")
cp "$tarball" "$out/SOURCES"

# The build uses a separate home directory, where rustup's proxies find no toolchain. Therefore the toolchain's own
# directory is put on PATH.
PATH=$(rustc --print sysroot)/bin:$PATH
export PATH
nodeps=""
if ! rpm -q rpm >/dev/null 2>&1; then
	echo "rpm: the rpm database of this machine is empty, so build dependencies are not checked (--nodeps)"
	nodeps=--nodeps
fi
# shellcheck disable=SC2086
env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u CARGO_TARGET_DIR -u CFLAGS -u LDFLAGS -u RUSTFLAGS \
	tests-c/checks/offline.sh rpmbuild $nodeps -ba --define "_topdir $out" rpm/mmsysio.spec >"$out/log" 2>&1 || {
	tail -40 "$out/log"
	exit 1
}
find "$out/RPMS" "$out/SRPMS" -name '*.rpm' -exec basename {} \; | sort
