#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Adds the licence line to each source file that lacks it. With --check, changes nothing, and fails if the first three
# lines of a file do not contain it. Usage: spdx.sh [--check]
set -eu
cd "$(dirname "$0")/.."

# Split in two, so that this line does not match.
TAG="SPDX-License-Identifier:"" Apache-2.0"

# The source files, one per line: by extension, and the scripts and makefiles without one. The parts of the generated
# header are excluded: the line of the whole header is in cbindgen.toml.
list_sources() {
	git ls-files '*.rs' '*.c' '*.h' '*.S' '*.sh' '*.py' '*.mk' Makefile '*/Makefile' debian/rules debian/tests .ci tool/completions mmlib/completions |
		grep -vxE -e '(mmlib/)?src/capi/.*\.h' -e '.*/control'
}

has_line() { # has_line FILE
	head -n 3 "$1" | grep -qF "$TAG"
}

# Puts the line first, or after a line that must be first, and removes an existing one further down in a comment.
add_line() { # add_line FILE
	case $1 in
	*.rs) line="// $TAG" ;;
	*.c | *.h | *.S) line="/* $TAG */" ;;
	*) line="# $TAG" ;;
	esac
	copy=$(mktemp)
	if head -n 1 "$1" | grep -q '^#!/'; then
		{ head -n 1 "$1" && printf '%s\n' "$line" && tail -n +2 "$1"; } >"$copy"
	else
		{ printf '%s\n' "$line" && sed -e '/^ \*$/{' -e N -e "/\\n \\* $TAG\$/d" -e '}' "$1"; } >"$copy"
	fi
	# Written in place, not moved, to keep the file mode.
	cat "$copy" >"$1"
	rm -f "$copy"
}

case ${1:-} in
"" | --check) ;;
*)
	echo "usage: spdx.sh [--check]" >&2
	exit 2
	;;
esac

sources=$(list_sources)
if [ -z "$sources" ]; then
	echo "spdx.sh: git lists no sources" >&2
	exit 1
fi

missing=""
for file in $sources; do
	has_line "$file" || missing="$missing $file"
done
if [ "${1:-}" != --check ]; then
	for file in $missing; do
		add_line "$file"
	done
elif [ -n "$missing" ]; then
	echo "No line \"$TAG\" among the first three of:" >&2
	# shellcheck disable=SC2086
	printf '    %s\n' $missing >&2
	echo "Run: tools/spdx.sh" >&2
	exit 1
fi
