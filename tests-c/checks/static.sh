#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Checks that the static library links alone, together with another archive built by rustc, in both orders, and into a
# fully static program. Usage: static.sh ARCHIVE, with the directory of mmsysio.pc in PKG_CONFIG_PATH
set -eu
export LC_ALL=C

archive=$(realpath "$1")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cc=${CC:-cc}
# shellcheck disable=SC2046
set -- $(pkg-config --cflags mmsysio)
libs=$(pkg-config --static --libs-only-l mmsysio | sed 's/-lmmsysio//')

# Another archive that contains Rust's standard library, like any C library written in Rust.
cat >"$scratch/other.rs" <<'END'
#[unsafe(no_mangle)]
pub extern "C" fn other_length(n: i32) -> usize {
    std::panic::catch_unwind(|| (0..n).map(|i| i.to_string()).collect::<Vec<_>>().concat().len()).unwrap_or(0)
}
END
"${RUSTC:-rustc}" --edition 2024 --crate-type staticlib -O -o "$scratch/libother.a" "$scratch/other.rs"

cat >"$scratch/program.c" <<'END'
#include <mmerrno.h>
#include <mmsysio.h>
#ifdef OTHER
size_t other_length(int n);
#else
#define other_length(n) 10
#endif
int main(void)
{
	int fds[2];
	if (mm_ipc_connected_pair(fds) || mm_close(fds[0]) || mm_close(fds[1]))
		return 1;
	return mm_close(-2) != -1 || !mm_get_lasterror_number() || other_length(10) != 10;
}
END

try() { # try WHAT, arguments of the compiler
	what=$1
	shift
	# The linker warns about static programs that may resolve names through glibc; this is not tested here.
	$cc "$@" -o "$scratch/program" 2>"$scratch/err" || { echo "static: $what: does not link"; cat "$scratch/err"; exit 1; }
	timeout 20 "$scratch/program" 2>"$scratch/err" || { echo "static: $what: the program exited with status $?"; exit 1; }
}
# shellcheck disable=SC2086
{
	try "alone" "$@" "$scratch/program.c" "$archive" $libs
	try "before another" "$@" -DOTHER "$scratch/program.c" "$archive" "$scratch/libother.a" -lgcc_s $libs
	try "after another" "$@" -DOTHER "$scratch/program.c" "$scratch/libother.a" "$archive" -lgcc_s $libs
	try "whole archive, with another" "$@" -DOTHER "$scratch/program.c" -Wl,--whole-archive "$archive" -Wl,--no-whole-archive \
		"$scratch/libother.a" -lgcc_s $libs
	try "fully static" -static "$@" "$scratch/program.c" $(pkg-config --static --libs mmsysio)
	try "fully static, with another" -static "$@" -DOTHER "$scratch/program.c" "$scratch/libother.a" \
		$(pkg-config --static --libs mmsysio) -lgcc_eh
}
if readelf -lW "$scratch/program" | grep -q INTERP; then
	echo "static: the static program has a dynamic loader"
	exit 1
fi

globals=$(nm --defined-only --extern-only "$archive" | awk 'NF == 3 && $3 !~ /^mm_/ { print $3 }')
[ -z "$globals" ] || { echo "static: global names other than mm_*: $globals"; exit 1; }
echo "static: links alone, with another Rust archive in both orders, and fully static; only mm_* is global"
