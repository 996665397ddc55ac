#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Inspects libmmlib, and checks that programs linked against mmlib start with it and libmmsysio: a stub, whose functions
# must not be called, takes the place of mmlib. Usage: mmlib-abi.sh BUILD (from the top of the sources)
set -eu
export LC_ALL=C

build=$(realpath "$1")
sources=$(pwd)
product=$build/libmmlib.so.1
below=$build/libmmsysio.so.1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cc=${CC:-cc}
failures=0

fail() {
	echo "mmlib-abi: $1"
	failures=$((failures + 1))
}

same() { # same WHAT EXPECTED-FILE FOUND-FILE
	diff -u "$2" "$3" >"$scratch/diff" || fail "$1: $(cat "$scratch/diff")"
}

# --- names: those of the map, and together with libmmsysio mmlib's 133, all in mmlib's node.
names_of() { sed -n '/^MMLIB_1.0 {/,/^}/s/^ *\(_*mm_[a-z0-9_]*\);$/\1/p' "$1" | sort; }
exports_of() { nm -D --defined-only "$1" | sed -n 's/.* [^A] \(.*@@MMLIB_1.0\)$/\1/p' | sort; }
names_of "$sources/mmlib/src/mmlib.map" >"$scratch/names"
[ "$(wc -l <"$scratch/names")" -eq 44 ] || fail "the map has $(wc -l <"$scratch/names") names, not 44"
sed 's/$/@@MMLIB_1.0/' "$scratch/names" >"$scratch/expected"
nm -D --defined-only "$product" | awk '$2 != "A" { print $3 }' | sort >"$scratch/exported"
same "exports of $product" "$scratch/expected" "$scratch/exported"
{
	exports_of "$product"
	exports_of "$below"
} | sort >"$scratch/all"
[ "$(sort -u "$scratch/all" | wc -l)" -eq 133 ] && [ "$(wc -l <"$scratch/all")" -eq 133 ] ||
	fail "the libraries have $(wc -l <"$scratch/all") names in MMLIB_1.0, not mmlib's 133"
for header in "$sources"/mmlib/include/*.h; do
	tr '\n' ' ' <"$header" | grep -oE 'MMLIB_API [^;]*;' | grep -oE '_*mm_[a-z0-9_]+ *\(' | tr -d ' ('
done | sort >"$scratch/declared"
same "functions of the headers" "$scratch/names" "$scratch/declared"

# --- the file.
dynamic=$(readelf -dW "$product")
headers=$(readelf -lW "$product")
expect() { # expect TEXT PATTERN MESSAGE
	printf '%s\n' "$1" | grep -qE "$2" || fail "$3"
}
expect "$dynamic" 'SONAME.*\[libmmlib\.so\.1\]' "SONAME is not libmmlib.so.1"
expect "$dynamic" 'NEEDED.*\[libmmsysio\.so\.1\]' "does not need libmmsysio.so.1"
expect "$dynamic" '\(FLAGS\).*BIND_NOW' "not bound at load (-z now)"
expect "$dynamic" 'FLAGS_1.*NODELETE' "can be unloaded (-z nodelete)"
expect "$headers" 'GNU_RELRO' "RELRO is missing"
expect "$headers" 'GNU_STACK +[^ ]+ +[^ ]+ +[^ ]+ +[^ ]+ +[^ ]+ +RW ' "executable stack"
printf '%s\n' "$dynamic" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
	grep -vE '^(libmmsysio\.so\.1|libc\.(so|musl)|libpthread|libdl|ld-|ld64)' >"$scratch/needed" || true
[ ! -s "$scratch/needed" ] || fail "needs more libraries: $(tr '\n' ' ' <"$scratch/needed")"
if printf '%s\n' "$dynamic" | grep -q TEXTREL; then fail "has text relocations"; fi
if printf '%s\n' "$dynamic" | grep -qE 'RPATH|RUNPATH'; then fail "has a run path"; fi
if printf '%s\n' "$headers" | grep -qE 'LOAD.* RWE '; then fail "has writable and executable memory"; fi
case $(readelf -hW "$product") in
*X86-64*)
	strip --strip-unneeded -o "$scratch/stripped" "$product"
	size=$(($(wc -c <"$scratch/stripped") / 1024))
	[ "$size" -le 72 ] || fail "the stripped library has $size KiB, more than 72 KiB"
	;;
esac

# --- programs that were linked against mmlib, and programs that are linked with -lmmlib.
mkdir -p "$scratch/stub" "$scratch/ours" "$scratch/root/usr"
ln -s ../../ours "$scratch/root/usr/lib"
sed 's/@@.*//' "$scratch/all" >"$scratch/133"
sed 's/.*/void &(void) { __builtin_trap(); }/' "$scratch/133" >"$scratch/stub.c"
{
	echo 'MMLIB_1.0 { global:'
	sed 's/$/;/' "$scratch/133"
	echo 'local: *; };'
} >"$scratch/stub.map"
$cc -w -shared -fPIC -fuse-ld=bfd "$scratch/stub.c" -o "$scratch/stub/libmmlib.so.1" -Wl,-soname,libmmlib.so.1 \
	-Wl,--version-script="$scratch/stub.map"
cp "$build/libmmlib.so" "$scratch/ours"
cp "$product" "$scratch/ours/libmmlib.so.1"
cp "$below" "$scratch/ours/libmmsysio.so.1"
ln -s libmmsysio.so.1 "$scratch/ours/libmmsysio.so"

# Refers to every name, finds each through the handle of the library too, and calls functions of both libraries. An error
# raised by one of them is read through the other.
{
	for header in mmargparse mmdlfcn mmerrno mmlib mmlog mmprofile mmsysio mmthread mmtime; do
		echo "#include <$header.h>"
	done
	echo '#include <dlfcn.h>'
	echo '#include <stdio.h>'
	echo 'static const struct { const char *name; void (*function)(void); } all[] = {'
	sed 's/.*/{"&", (void (*)(void))&},/' "$scratch/133"
	cat <<-'END'
	};
	int main(void)
	{
		void *handle = dlopen("libmmlib.so.1", RTLD_NOW);
		for (unsigned i = 0; i < sizeof(all) / sizeof(*all); i++)
			if (!all[i].function || !handle || !dlsym(handle, all[i].name))
				return puts(all[i].name), 2;
		mm_error_set_flags(MM_ERROR_SET, MM_ERROR_NOLOG);
		if (mm_dlopen("/does/not/exist", MM_LD_NOW) || mm_get_lasterror_number() != ELIBEXEC)
			return 3;
		mm_raise_error(MM_ENOTFOUND, "not there");
		return mm_get_lasterror_number() != MM_ENOTFOUND || !mm_path_from_basedir(MM_HOME, "x") || puts("hello") < 0;
	}
	END
} >"$scratch/program.c"
compile() { # compile OUTPUT SOURCE OPTION...: as a user does
	output=$1
	shift
	$cc -std=gnu11 -w "-I$sources/include" "-I$sources/mmlib/include" "$@" -o "$output"
}
compile "$scratch/old" "$scratch/program.c" "$scratch/stub/libmmlib.so.1" -ldl

runs() { # runs WHAT PROGRAM, with the environment as it is
	timeout 20 "$2" >"$scratch/out" 2>"$scratch/err" || { fail "$1: exited with status $?: $(cat "$scratch/out" "$scratch/err")"; return; }
	[ "$(cat "$scratch/out")" = hello ] || fail "$1: printed $(cat "$scratch/out")"
	[ ! -s "$scratch/err" ] || fail "$1: $(cat "$scratch/err")"
}
if (LD_LIBRARY_PATH="$scratch/stub" "$scratch/old"; exit $?) >/dev/null 2>&1; then
	fail "the program runs with the stub, so this test proves nothing"
fi
export LD_LIBRARY_PATH="$scratch/ours" HOME=/home
runs "a program that was linked against mmlib" "$scratch/old"
LD_BIND_NOW=1 runs "the same, bound at once" "$scratch/old"
(export LD_LIBRARY_PATH="$scratch/stub" LD_PRELOAD="$product $below" && runs "the same, preloaded" "$scratch/old" && exit "$failures") || failures=1

linkers=bfd
for linker in gold lld; do
	if command -v "ld.$linker" >/dev/null; then linkers="$linkers $linker"; fi
done
needed_by() { readelf -dW "$1" | sed -n 's/.*(NEEDED).*\[\(libmm.*\)\]/\1/p' | tr '\n' ' '; }
cat >"$scratch/below.c" <<'END'
#include <mmsysio.h>
#include <stdio.h>
int main(void) { return mm_close(1000) != -1 || puts("hello") < 0; }
END
cat >"$scratch/above.c" <<'END'
#include <mmlib.h>
#include <stdio.h>
int main(void) { return mm_basename(NULL, "a") != 1 || puts("hello") < 0; }
END
for linker in $linkers; do
	for needed in --as-needed --no-as-needed; do
		flags="-fuse-ld=$linker -L$scratch/ours -Wl,$needed"
		for libraries in -lmmlib '-lmmlib -lmmsysio' '-lmmsysio -lmmlib'; do
			# shellcheck disable=SC2086
			compile "$scratch/new" "$scratch/program.c" $flags $libraries -ldl
			runs "linked by $linker with $needed $libraries" "$scratch/new"
		done
		for user in below above; do
			# shellcheck disable=SC2086
			compile "$scratch/new" "$scratch/$user.c" $flags -lmmlib
			MM_LOG_MAXLEVEL=NONE runs "$user.c, linked by $linker with $needed -lmmlib" "$scratch/new"
			case $needed$user in
			--as-neededbelow) expected="libmmsysio.so.1 " ;;
			--as-neededabove) expected="libmmlib.so.1 " ;;
			*) continue ;;
			esac
			found=$(needed_by "$scratch/new")
			[ "$found" = "$expected" ] || fail "$user.c, linked by $linker with --as-needed, needs $found"
		done
	done
	# The library as a path, as CMake's find_library() gives it, and in a system root.
	compile "$scratch/new" "$scratch/program.c" -fuse-ld="$linker" "$scratch/ours/libmmlib.so" -ldl
	runs "linked by $linker with the path of libmmlib.so" "$scratch/new"
	compile "$scratch/new" "$scratch/program.c" -fuse-ld="$linker" -Wl,--sysroot="$scratch/root" -Wl,-L=/usr/lib -lmmlib -ldl
	runs "linked by $linker with --sysroot" "$scratch/new"
	compile "$scratch/new" "$scratch/below.c" -fuse-ld="$linker" -L"$scratch/ours" -lmmsysio
	[ "$(needed_by "$scratch/new")" = "libmmsysio.so.1 " ] || fail "a program for mmsysio.h needs $(needed_by "$scratch/new")"
done

[ "$failures" -eq 0 ] || exit 1
echo "mmlib-abi: 44 names, with libmmsysio mmlib's 133; its programs start, and link with $linkers"
