#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Prints Debian's symbols file for src/mmsysio.map. A name that the file already lists keeps its first version; a new
# name gets the version in Cargo.toml. Usage: symbols.sh FILE
set -eu
export LC_ALL=C

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
echo "libmmsysio.so.1 libmmsysio1 #MINVER#"
echo "* Build-Depends-Package: libmmsysio-dev"
awk '/^[A-Z_0-9.]+ \{/ { node = $1; print node "@" node }
	/^ *mm_[a-z0-9_]*;/ { sub(/;.*/, "", $1); print $1 "@" node }' \
	src/mmsysio.map | sort |
	awk -v known="$1" -v version="$version" '
		BEGIN { while ((getline line <known) > 0) { split(line, part, " "); since[part[1]] = part[2] } }
		{ print " " $1, ($1 in since) ? since[$1] : version }'
