#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Checks that a program linked against mmlib runs with this library, through LD_PRELOAD and with the library name in the
# program changed, and that the loader reports no version problem. A stub generated from the map, whose functions must
# not be called, takes the place of mmlib. Usage: mmlib.sh PRODUCT.so
set -eu
export LC_ALL=C

product=$(realpath "$1")
sources=$(dirname "$0")/../..
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cc=${CC:-cc}
names=$(sed -n '/^MMLIB_1.0 {/,/^}/s/^ *\(mm_[a-z0-9_]*\);$/\1/p' "$sources/src/mmsysio.map")

for name in $names; do
	echo "void $name(void) { __builtin_trap(); }"
done >"$scratch/stub.c"
mkdir "$scratch/stub" "$scratch/ours"
$cc -w -shared -fPIC -fuse-ld=bfd "$scratch/stub.c" -o "$scratch/stub/libmmlib.so.1" -Wl,-soname,libmmlib.so.1 \
	-Wl,--version-script="$sources/src/mmsysio.map"

# Refers to every name, so that each must be found under its version; calls a few.
{
	echo '#include <mmerrno.h>'
	echo '#include <mmsysio.h>'
	echo '#include <mmlog.h>'
	echo '#include <mmtime.h>'
	echo '#include <stdio.h>'
	echo 'static void (*const volatile all[])(void) = {'
	for name in $names; do echo "(void (*)(void))$name,"; done
	cat <<-'END'
	};
	int main(void)
	{
		char text[8] = "hello";
		struct iovec iov = {text, sizeof(text)};
		struct mm_ipc_msg msg = {.iov = &iov, .num_iov = 1};
		int fds[2];
		for (unsigned i = 0; i < sizeof(all) / sizeof(*all); i++)
			if (!all[i])
				return 2;
		if (mm_ipc_connected_pair(fds) || mm_ipc_sendmsg(fds[0], &msg) != 8 || mm_ipc_recvmsg(fds[1], &msg) != 8)
			return 3;
		mm_error_set_flags(MM_ERROR_SET, MM_ERROR_NOLOG);
		mm_raise_error(MM_ENOTFOUND, "not there");
		return mm_close(fds[0]) || mm_close(fds[1]) || mm_get_lasterror_number() != MM_ENOTFOUND || puts(text) < 0;
	}
	END
} >"$scratch/program.c"
$cc -std=c11 -Wall -Wextra -Wno-cast-function-type -I"$sources/include" "$scratch/program.c" \
	"$scratch/stub/libmmlib.so.1" -o "$scratch/program" -Wl,-z,now

runs() { # runs WHAT PROGRAM, with the environment as it is
	timeout 20 "$2" >"$scratch/out" 2>"$scratch/err" || { echo "mmlib: $1: exited with status $?:"; cat "$scratch/err"; exit 1; }
	[ "$(cat "$scratch/out")" = hello ] || { echo "mmlib: $1: printed $(cat "$scratch/out")"; exit 1; }
	[ ! -s "$scratch/err" ] || { echo "mmlib: $1: $(cat "$scratch/err")"; exit 1; }
}

# The stub does not implement mmlib: without our library the program must crash, or this test proves nothing.
if (LD_LIBRARY_PATH="$scratch/stub" "$scratch/program"; exit $?) >/dev/null 2>&1; then
	echo "mmlib: the program runs with the stub"
	exit 1
fi
(export LD_LIBRARY_PATH="$scratch/stub" LD_PRELOAD="$product" && runs "with LD_PRELOAD" "$scratch/program")

# With LD_PRELOAD, constructors of libraries linked against mmlib run before ours. The maximum log level of the
# environment also applies to their errors.
cat >"$scratch/early.c" <<-'END'
	#include <mmerrno.h>
	#include <mmlog.h>
	#include <errno.h>
	__attribute__((constructor)) static void raise(void)
	{
		mm_raise_error(EIO, "raised early");
	}
END
$cc -std=c11 -Wall -Wextra -shared -fPIC -I"$sources/include" "$scratch/early.c" "$scratch/stub/libmmlib.so.1" \
	-o "$scratch/early.so"
echo 'int main(void) { return 0; }' >"$scratch/main.c"
$cc "$scratch/main.c" -Wl,--no-as-needed "$scratch/early.so" "$scratch/stub/libmmlib.so.1" -o "$scratch/main"
lines_at() { # lines_at LEVEL
	LD_LIBRARY_PATH="$scratch/stub" LD_PRELOAD="$product" MM_LOG_MAXLEVEL=$1 "$scratch/main" 2>&1 | grep -c 'raised early'
}
[ "$(lines_at INFO)" = 1 ] || { echo "mmlib: an error of a constructor is not logged"; exit 1; }
[ "$(lines_at FATAL)" = 0 ] || { echo "mmlib: MM_LOG_MAXLEVEL does not apply to an error of a constructor"; exit 1; }

cp "$product" "$scratch/ours/libmmsysio.so.1"
ln -s libmmsysio.so.1 "$scratch/ours/libmmsysio.so"
ln -s libmmlib.so.1 "$scratch/stub/libmmlib.so"
cp "$scratch/program" "$scratch/changed"
patchelf --replace-needed libmmlib.so.1 libmmsysio.so.1 "$scratch/changed"
(export LD_LIBRARY_PATH="$scratch/ours" && runs "with the library name changed" "$scratch/changed")

# Link order, as README.md describes it. main.c itself calls no function of either library; early.so does.
calls_ours() { # calls_ours SOURCE LINKER-OPTIONS...: whether the program, linked so, runs without a call of the stub
	source=$1
	shift
	$cc -std=c11 -I"$sources/include" "$source" -L"$scratch/ours" -L"$scratch/stub" "$@" -o "$scratch/linked"
	(LD_LIBRARY_PATH="$scratch/ours:$scratch/stub" "$scratch/linked"; exit $?) >/dev/null 2>&1
}
order() { # order OURS|MMLIB SOURCE LINKER-OPTIONS...
	expected=$1
	shift
	if calls_ours "$@"; then called=OURS; else called=MMLIB; fi
	[ "$called" = "$expected" ] || { echo "mmlib: linked with ${*#"$scratch/"}: calls $called, not $expected"; exit 1; }
}
for needed in --no-as-needed --as-needed; do
	order OURS "$scratch/program.c" "-Wl,$needed" -lmmsysio -lmmlib
	order MMLIB "$scratch/program.c" "-Wl,$needed" -lmmlib -lmmsysio
done
order MMLIB "$scratch/main.c" -Wl,--as-needed -lmmsysio -Wl,--no-as-needed "$scratch/early.so" -lmmlib
order OURS "$scratch/main.c" -Wl,--no-as-needed -lmmsysio "$scratch/early.so" -lmmlib

echo "mmlib: a program linked against mmlib's $(echo "$names" | wc -w) names runs on ours, preloaded and renamed"
