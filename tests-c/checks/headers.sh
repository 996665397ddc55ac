#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Compiles each public header alone, as C and C++ with the usual options of users, and a program that uses everything
# but functions, and accepts no warning. The headers are not included as system headers, so compilers warn about them as
# about the program. Usage: headers.sh HEADER...
set -eu

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$(dirname "$0")/../.."

warnings="-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Werror"
compiled=0
compile() { # compile FILE OPTION...
	file=$1
	shift
	for compiler in gcc clang; do
		for standard in c99 c11 gnu17; do
			$compiler -x c -std=$standard $warnings -Wstrict-prototypes "$@" -Iinclude -fsyntax-only "$file"
			compiled=$((compiled + 1))
		done
		for standard in c++11 c++20; do
			$compiler -x c++ -std=$standard $warnings -Wold-style-cast "$@" -Iinclude -fsyntax-only "$file"
			compiled=$((compiled + 1))
		done
	done
}

for header in "$@"; do
	# Included twice, to test the include guard.
	printf '#include <%s>\n#include <%s>\nint main(void) { return 0; }\n' "$header" "$header" >"$scratch/user"
	compile "$scratch/user"
done

# Everything that is compiled as part of the program: macros, constants, inline functions.
cat >"$scratch/user" <<'END'
#include <mmsysio.h>
#include <mmipc.h>
#include <mmerrno.h>
#include <mmlog.h>

int use(int number, const char *text);
int use(int number, const char *text)
{
	int array[] = {MM_ERROR_SET, MM_ERROR_UNSET, MM_ERROR_ALL_ALTERNATE, MM_ERROR_IGNORE, MM_ERROR_NOLOG, MM_RECURSIVE,
	               MM_FAILONERROR, MM_NOFOLLOW, MM_NOCOW, MM_FORCECOW, MODE_DEF, MODE_EXEC, MODE_XDEF, MM_DT_ANY,
	               MM_MAP_RDWR, MM_SPAWN_KEEP_FDS, MM_WSTATUS_CODEMASK, MM_LOG_NONE, MM_PAGESZ,
	               MM_IPC_CLOEXEC | MM_IPC_NONBLOCK | MM_IPC_PATH};
	int flags = mm_error_set_flags(MM_ERROR_SET, MM_ERROR_NOLOG);
	struct mm_timespec time = {0, 0}, other = {1, 1};
	struct mm_stat stat;
	struct mm_ipc_peer peer = {0, 0, 0};

	number += peer.pid != 0 || peer.uid != 0 || peer.gid != 0;
	mm_error_set_flags(flags, MM_ERROR_ALL_ALTERNATE);
	mm_timeadd_ms(&time, 5);
	mm_timeadd_us(&time, 5);
	mm_timeadd_ns(&time, 5);
	if (mm_stat(text, &stat, 0) == 0 && mm_ino_equal(stat.ino, stat.ino))
		number = mm_remove(text, MM_DT_ANY | MM_RECURSIVE | MM_FAILONERROR);
	mm_log_fatal("%d", number);
	mm_log_error("%d", number);
	mm_log_warn("%d", number);
	mm_log_info("%d", number);
	mm_log_debug("%d", number);
	mm_check(number == 3);
	if (number == 4)
		mm_crash("number %d", number);
	if (MM_IS_POW2(number))
		return mm_raise_error(EIO, "%s", text);
	if (number == 5)
		return mm_raise_error_with_extid(EIO, "id", "%s", text);
	if (number == 6)
		return mm_raise_from_errno("%s", text);
	return MM_NELEM(array) + (mm_timediff_ms(&time, &other) + mm_timediff_us(&time, &other) > mm_timediff_ns(&time, &other));
}
END
compile "$scratch/user"
compile "$scratch/user" -DMM_LOG_MAXLEVEL=MM_LOG_NONE
compile "$scratch/user" -DMM_NO_SHORT_NAMES

# A program may define these names itself before the headers or, with MM_NO_SHORT_NAMES, after them.
cat >"$scratch/names" <<'END'
#define LIKELY "not this one"
#define UNLIKELY "not this one"
#define NOINLINE "not this one"
#define NONNULL "not this one"
#define NONNULL_ARGS "not this one"
#define NS_IN_SEC "not this one"
#define US_IN_SEC "not this one"
#define MS_IN_SEC "not this one"
END
cat "$scratch/names" "$scratch/user" >"$scratch/before"
compile "$scratch/before"
{ echo '#define MM_NO_SHORT_NAMES'; sed '/^$/q' "$scratch/user"; cat "$scratch/names"; sed '1,/^$/d' "$scratch/user"; } >"$scratch/after"
compile "$scratch/after"
# The names exist for programs written for mmlib, which do not define them.
cat >"$scratch/mmlib" <<'END'
#include <mmsysio.h>
NOINLINE NONNULL int use(const int *number);
NONNULL_ARGS(1) int use(const int *number)
{
	return LIKELY(*number > 1) && UNLIKELY(*number < NS_IN_SEC / US_IN_SEC / MS_IN_SEC);
}
END
compile "$scratch/mmlib"
echo "headers: $compiled compilations without a warning"
