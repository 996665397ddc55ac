#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Prints Debian's symbols file for src/mmsysio.map, or for mmlib/src/mmlib.map. A name that the file already lists keeps
# its first version; a new name gets the version of the package. Usage: symbols.sh FILE
set -eu
export LC_ALL=C

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
case $1 in
*libmmlib1*)
	name=libmmlib map=mmlib/src/mmlib.map
	version=$(sed -n 's/^MMLIB_VERSION *:= *//p' mmlib/mmlib.mk)+mmsysio$version
	;;
*) name=libmmsysio map=src/mmsysio.map ;;
esac
echo "$name.so.1 ${name}1 #MINVER#"
echo "* Build-Depends-Package: $name-dev"
awk '/^[A-Z_0-9.]+ \{/ { node = $1; print node "@" node }
	/^ *_*mm_[a-z0-9_]*;/ { sub(/;.*/, "", $1); print $1 "@" node }' \
	$map | sort |
	awk -v known="$1" -v version="$version" '
		BEGIN { while ((getline line <known) > 0) { split(line, part, " "); since[part[1]] = part[2] } }
		{ print " " $1, ($1 in since) ? since[$1] : version }'
