#!/bin/sh
# Compiles each public header alone, as the C and C++ of its users: no warning is accepted.
# Usage: headers.sh HEADER...
set -eu

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$(dirname "$0")/.."

warnings="-Wall -Wextra -Wpedantic -Werror"
compiled=0
for header in "$@"; do
	# Twice, for the include guard.
	printf '#include <%s>\n#include <%s>\nint main(void) { return 0; }\n' "$header" "$header" >"$scratch/user"
	for compiler in gcc clang; do
		for standard in c99 c11 gnu17; do
			$compiler -x c -std=$standard $warnings -Wstrict-prototypes -Iinclude -fsyntax-only "$scratch/user"
			compiled=$((compiled + 1))
		done
		for standard in c++11 c++20; do
			$compiler -x c++ -std=$standard $warnings -Wold-style-cast -Iinclude -fsyntax-only "$scratch/user"
			compiled=$((compiled + 1))
		done
	done
done
echo "headers: $compiled compilations without a warning"
