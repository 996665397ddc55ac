#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Inspects the built libraries, where a mistake would go unnoticed by other tests. Usage: abi.sh PRODUCT.so PRODUCT.a
# CARGO.so
set -eu
export LC_ALL=C

product=$1
archive=$2
cdylib=$3
sources=$(dirname "$0")/../..
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0

fail() {
	echo "abi: $1"
	failures=$((failures + 1))
}

same() { # same WHAT EXPECTED-FILE FOUND-FILE
	diff -u "$2" "$3" >"$scratch/diff" || fail "$1: $(cat "$scratch/diff")"
}

# The version map, as lines 'name@node'.
awk '/^[A-Z_0-9.]+ \{/ { node = $1 } /^ *mm_[a-z0-9_]*;/ { sub(/;.*/, "", $1); print $1 "@@" node }' \
	"$sources/src/mmsysio.map" | sort >"$scratch/map"
sed 's/@@.*//' "$scratch/map" | sort >"$scratch/names"
[ -s "$scratch/names" ] || fail "src/mmsysio.map lists no name"

# mmlib's names are in mmlib's node, and the names that it does not have in nodes that inherit from it.
nodes=$(readelf -VW "$product" | awk '/^Version / { inside = /definition/ }
	inside && / Name: / { sub(/.* Name: /, ""); printf "%s%s", separator, $1; separator = " " }
	inside && / Parent 1: / { printf ":%s", $NF }')
[ "$nodes" = "libmmsysio.so.1 MMLIB_1.0 MMSYSIO_1.1:MMLIB_1.0" ] || fail "the version nodes are $nodes"
count_of() { grep -c "@@$1\$" "$scratch/map"; }
[ "$(count_of MMLIB_1.0)" -eq 89 ] || fail "$(count_of MMLIB_1.0) names are in MMLIB_1.0, not mmlib's 89"
for name in $(sed -n 's/@@MMSYSIO_.*//p' "$scratch/map"); do
	grep -q "^MMLIB_API .*\b$name(" "$sources/include/mmipc.h" || fail "$name is in a node of libmmsysio, but not in mmipc.h"
	! grep -q "\b$name(" "$sources/include/mmsysio.h" || fail "$name is in mmsysio.h, but not in mmlib's node"
done

nm -D --defined-only "$product" | awk '$2 != "A" { print $3 }' | sort >"$scratch/product"
same "exports of $product" "$scratch/map" "$scratch/product"

rust=$(${RUSTC:-rustc} --version | sed 's/^rustc 1\.\([0-9]*\).*/\1/')
machine=$(readelf -hW "$product" | sed -n 's/^ *Machine: *//p')

# Where src/capi/jumps.rs cannot be compiled, the library that cargo links lacks the functions with variable arguments,
# and exports the functions that variadic.c calls.
variadic='^mm_(raise_error_v?full|raise_from_errno_full|print_lasterror|log)$|^mmsysio_'
case $machine in
*X86-64 | AArch64) [ "$rust" -lt 88 ] || variadic='^$' ;;
esac
grep -vE "$variadic" "$scratch/names" >"$scratch/expected" || true
nm -D --defined-only "$cdylib" | awk '{ print $3 }' | grep -vE "$variadic" | sort >"$scratch/cdylib"
same "exports of $cdylib" "$scratch/expected" "$scratch/cdylib"

nm --defined-only --extern-only "$archive" | awk 'NF == 3 { print $3 }' | sort >"$scratch/archive"
same "globals of $archive" "$scratch/names" "$scratch/archive"

for header in "$sources"/include/*.h; do
	tr '\n' ' ' <"$header" | grep -oE 'MMLIB_API [^;]*;' | grep -oE 'mm_[a-z0-9_]+ *\(' | tr -d ' ('
done | sort >"$scratch/declared"
same "functions of the headers" "$scratch/names" "$scratch/declared"

dynamic=$(readelf -dW "$product")
segments=$(readelf -lW "$product")
expect() { # expect TEXT PATTERN MESSAGE
	printf '%s\n' "$1" | grep -qE "$2" || fail "$3"
}
expect "$dynamic" 'SONAME.*\[libmmsysio\.so\.1\]' "SONAME is not libmmsysio.so.1"
expect "$dynamic" '\(FLAGS\).*BIND_NOW' "not bound at load (-z now)"
expect "$dynamic" 'FLAGS_1.*NODELETE' "can be unloaded (-z nodelete)"
expect "$segments" 'GNU_RELRO' "no RELRO segment"
expect "$segments" 'GNU_STACK +[^ ]+ +[^ ]+ +[^ ]+ +[^ ]+ +[^ ]+ +RW ' "executable stack"

# Only the C library, and the dynamic linker for thread-local variables. Every program would load any other library.
printf '%s\n' "$dynamic" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -vE '^(libc\.(so|musl)|ld-|ld64)' >"$scratch/needed" || true
[ ! -s "$scratch/needed" ] || fail "needs more than the C library: $(tr '\n' ' ' <"$scratch/needed")"

# On x86-64. The size with Rust 1.95 is 170 KiB; older compilers produce more, 1.85 about 15 % more.
case $machine in
*X86-64)
	limit=178
	[ "$rust" -ge 95 ] || limit=206
	strip --strip-unneeded -o "$scratch/stripped" "$product"
	size=$(($(wc -c <"$scratch/stripped") / 1024))
	[ "$size" -le "$limit" ] || fail "the stripped library has $size KiB, more than $limit KiB, the limit for Rust 1.$rust"
	;;
esac

# The file name is the SONAME followed by minor and patch version, of any number of digits.
for version in 1.0.0 1.0.1 1.1.0 1.1.1 1.1.11 1.11.0 1.11.1 1.10.1 1.21.1; do
	name=$(${MAKE:-make} -s --no-print-directory -C "$sources" --eval='real-name: ; @echo $(REALNAME)' \
		VERSION=$version real-name)
	[ "$name" = "libmmsysio.so.1.${version#*.}" ] || fail "version $version would have the file name $name"
done

if printf '%s\n' "$dynamic" | grep -q TEXTREL; then fail "has text relocations"; fi
if printf '%s\n' "$dynamic" | grep -qE 'RPATH|RUNPATH'; then fail "has a run path"; fi
if printf '%s\n' "$segments" | grep -qE 'LOAD.* RWE '; then fail "has writable and executable memory"; fi

[ "$failures" -eq 0 ] || exit 1
echo "abi: $(wc -l <"$scratch/names") names, each with its version node, and no other exports: ${nodes#* }"
