#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds version 1.0.0 of the library from the history of the sources, and installs it in DIRECTORY/stage.
# Usage: build-1.0.sh DIRECTORY (from the top of the sources)
set -eu
export LC_ALL=C

# The last commit before version 1.1 added mmipc.h.
COMMIT=38c339cb4c33cb8865c67f6720ff1d0c09094df4

# Not a commit of another repository, into which a tarball was unpacked.
if [ ! -e .git ] || ! git cat-file -e "$COMMIT^{commit}" 2>/dev/null; then
	echo "check-mixed needs a git clone with the history up to $COMMIT" >&2
	exit 1
fi

mkdir -p "$1"
directory=$(realpath "$1")
source=$directory/source
stage=$directory/stage
log=$directory/build.log

rm -rf "$source" "$stage"
mkdir "$source"
git archive --format=tar --output="$directory/source.tar" "$COMMIT"
tar -x -f "$directory/source.tar" -C "$source"
rm "$directory/source.tar"
# Its directory is below today's workspace, which does not contain this crate: cargo would fail.
printf '\n[workspace]\n' >>"$source/Cargo.toml"

# Variables on the command line of today's make, for example PREFIX, are not meant for this one.
unset MAKEFLAGS MFLAGS MAKEOVERRIDES DESTDIR
if ! CARGO_TARGET_DIR=$source/target "${MAKE:-make}" -C "$source" install STATIC=no PREFIX="$stage" \
	LIBDIR="$stage/lib" INCLUDEDIR="$stage/include" MANDIR="$stage/share/man" >"$log" 2>&1; then
	cat "$log" >&2
	echo "build-1.0.sh: version 1.0.0 does not build" >&2
	exit 1
fi
echo "build-1.0.sh: $(find "$stage/lib" -name 'libmmsysio.so.*' -type f)"
