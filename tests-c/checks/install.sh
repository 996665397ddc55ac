#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs as a packager does, builds a user's program against the installed tree, in C and C++, shared and static, runs
# it, relocates the tree, and uninstalls: no file may remain. Usage: install.sh (from the top of the sources)
set -eu

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

${MAKE:-make} -s install install-mmlib install-html DESTDIR="$scratch/package" PREFIX=/opt/mm LIBDIR=/opt/mm/lib64 \
	INCLUDEDIR=/opt/mm/include/mm >/dev/null
(cd "$scratch/package" && find . ! -type d | sort) >"$scratch/installed"
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml)
cat >"$scratch/expected" <<END
./opt/mm/include/mm/mmerrno.h
./opt/mm/include/mm/mmipc.h
./opt/mm/include/mm/mmlog.h
./opt/mm/include/mm/mmpredefs.h
./opt/mm/include/mm/mmsysio.h
./opt/mm/include/mm/mmtime.h
./opt/mm/lib64/cmake/mmsysio/mmsysioConfig.cmake
./opt/mm/lib64/cmake/mmsysio/mmsysioConfigVersion.cmake
./opt/mm/lib64/libmmsysio.a
./opt/mm/lib64/libmmsysio.so
./opt/mm/lib64/libmmsysio.so.1
./opt/mm/lib64/libmmsysio.so.1.${version#*.}
./opt/mm/lib64/pkgconfig/mmsysio.pc
END
mmlib_version=$(sed -n 's/^MMLIB_VERSION *:= *//p' mmlib/mmlib.mk)
for header in mmargparse mmdlfcn mmlib mmprofile mmthread; do
	echo "./opt/mm/include/mm/$header.h"
done >>"$scratch/expected"
cat >>"$scratch/expected" <<END
./opt/mm/lib64/cmake/mmlib/mmlibConfig.cmake
./opt/mm/lib64/cmake/mmlib/mmlibConfigVersion.cmake
./opt/mm/lib64/libmmlib.so
./opt/mm/lib64/libmmlib.so.1
./opt/mm/lib64/libmmlib.so.$mmlib_version
./opt/mm/lib64/pkgconfig/mmlib.pc
./opt/mm/share/doc/libmmlib/examples/arguments.c
./opt/mm/share/mmlib/mmlib.bash
END
(cd mmlib/man && find man3 man7 -type f | sed 's|^|./opt/mm/share/man/|') >>"$scratch/expected"
(cd man && find man3 man7 -type f | sed 's|^|./opt/mm/share/man/|') >>"$scratch/expected"
(cd build/html && find . -type f | sed 's|^\.|./opt/mm/share/doc/libmmsysio/html|') >>"$scratch/expected"
sort -o "$scratch/expected" "$scratch/expected"
diff -u "$scratch/expected" "$scratch/installed"

# The tree can be relocated: the pkg-config file uses directories relative to each other.
mv "$scratch/package/opt/mm" "$scratch/moved"
export PKG_CONFIG_PATH="$scratch/moved/lib64/pkgconfig"
config() { pkg-config --define-variable=prefix="$scratch/moved" "$@" mmsysio; }
[ "$(pkg-config --modversion mmsysio)" = "$version" ]

# The README's program, built as the README describes.
sed -n '/^```c$/,/^```$/p' README.md | sed '1d;$d' >"$scratch/hello.c"
sed 's/struct mm_ipc_msg msg = .*/struct mm_ipc_msg msg = {}; msg.iov = \&iov; msg.num_iov = 1;/' "$scratch/hello.c" >"$scratch/hello.cc"
# shellcheck disable=SC2046
{
	gcc -Wall -Wextra -Werror "$scratch/hello.c" $(config --cflags --libs) -o "$scratch/shared"
	g++ -Wall -Wextra -Werror "$scratch/hello.cc" $(config --cflags --libs) -o "$scratch/shared-c++"
	gcc -static "$scratch/hello.c" $(config --static --cflags --libs) -o "$scratch/static" 2>"$scratch/warnings"
}
# A program of mmlib's, which needs no other flags than mmlib's own.
cat >"$scratch/mmlib.c" <<'END'
#include <mmlib.h>
#include <mmsysio.h>
#include <mmthread.h>
int main(void)
{
	return mm_basename(NULL, "/a/bc") != 2 || mm_close(mm_anon_shm()) || mm_thr_join(mm_thr_self(), NULL) != EDEADLK;
}
END
# shellcheck disable=SC2046
gcc -Wall -Wextra -Werror "$scratch/mmlib.c" $(pkg-config --define-variable=prefix="$scratch/moved" --cflags --libs mmlib) \
	-o "$scratch/mmlib"
LD_LIBRARY_PATH="$scratch/moved/lib64" MM_LOG_MAXLEVEL=NONE "$scratch/mmlib"

for program in shared shared-c++ static; do
	export LD_LIBRARY_PATH="$scratch/moved/lib64"
	timeout 20 "$scratch/$program" client >"$scratch/sent" &
	[ "$(timeout 20 "$scratch/$program")" = "received: hello" ]
	wait $!
	[ "$(cat "$scratch/sent")" = "sent: hello" ]
done

mkdir -p "$scratch/package/opt"
mv "$scratch/moved" "$scratch/package/opt/mm"
${MAKE:-make} -s uninstall uninstall-mmlib DESTDIR="$scratch/package" PREFIX=/opt/mm LIBDIR=/opt/mm/lib64 INCLUDEDIR=/opt/mm/include/mm >/dev/null
left=$(find "$scratch/package" ! -type d)
[ -z "$left" ] || { echo "install: not removed by uninstall: $left"; exit 1; }
if [ -e "$scratch/package/opt/mm/share/doc/libmmsysio" ]; then
	echo "install: HTMLDIR is not removed by uninstall"
	exit 1
fi

${MAKE:-make} -s install STATIC=no DESTDIR="$scratch/no-static" >/dev/null
[ ! -e "$scratch/no-static/usr/local/lib/libmmsysio.a" ]
[ -e "$scratch/no-static/usr/local/lib/libmmsysio.so.1" ]
echo "install: $(wc -l <"$scratch/expected") files, used in C and C++, shared and static, and removed again"
