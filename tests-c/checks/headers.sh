#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Compiles each public header alone, as C and C++ with the usual options of users, and a program that uses everything
# but functions, and accepts no warning. The headers are not included as system headers, so compilers warn about them as
# about the program. Usage: headers.sh HEADER...
set -eu

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$(dirname "$0")/../.."

include="-Iinclude -Immlib/include"
warnings="-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Werror"
compiled=0
compile() { # compile FILE OPTION...
	file=$1
	shift
	for compiler in gcc clang; do
		for standard in c99 c11 gnu17 c2x; do
			$compiler -x c -std=$standard $warnings -Wstrict-prototypes "$@" $include -fsyntax-only "$file"
			compiled=$((compiled + 1))
		done
		for standard in c++11 c++17 c++20; do
			$compiler -x c++ -std=$standard $warnings -Wold-style-cast "$@" $include -fsyntax-only "$file"
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

# The same for the headers of libmmlib, after all headers in an order that differs from run to run.
for header in $(printf '%s\n' "$@" | shuf); do
	echo "#include <$header>"
done >"$scratch/user"
cat >>"$scratch/user" <<'END'
#include <strings.h>

int call(const struct mm_arg_opt *opt, union mm_arg_val value, void *data, int state);
int call(const struct mm_arg_opt *opt, union mm_arg_val value, void *data, int state)
{
	return state == MM_ARG_OPT_COMPLETION && data == NULL && opt->defval == value.str ? MM_ARGPARSE_STOP : 0;
}

int use(int number, size_t size);
int use(int number, size_t size)
{
	static mm_thr_mutex_t mutex = MM_THR_MUTEX_INITIALIZER, other = MM_THR_MTX_INITIALIZER;
	static mm_thr_cond_t cond = MM_THR_COND_INITIALIZER;
	static mm_thr_once_t once = MM_THR_ONCE_INIT;
	static const char *text = "value";
	static const struct mm_arg_opt options[] = {
		{"n|number", MM_OPT_NEEDINT, "1", {NULL}, "a @NUM"},
		{"file", MM_OPT_OPTFILE | MM_OPT_NEEDDIR | MM_OPT_OPTULLONG, NULL, {&text}, NULL},
	};
	struct mm_arg_parser parser = {MM_ARG_PARSER_NOEXIT | MM_ARG_PARSER_COMPLETION, MM_NELEM(options), options,
	                               "doc", "args", "name", NULL, call};
	enum mm_known_dir dirs[] = {MM_HOME, MM_DATA_HOME, MM_CONFIG_HOME, MM_CACHE_HOME, MM_RUNTIME_DIR, MM_NUM_DIRTYPE};
	enum mm_env_action actions[] = {MM_ENV_PRESERVE, MM_ENV_OVERWRITE, MM_ENV_PREPEND, MM_ENV_APPEND, MM_ENV_MAX};
	int constants[] = {MM_THR_PSHARED, MM_THR_WAIT_MONOTONIC, MM_LD_LAZY, MM_LD_NOW, MM_LD_APPEND_EXT, PROF_DEFAULT,
	                   PROF_FORCE_NSEC, PROF_RESET_CPUCLOCK, PROF_RESET_KEEPLABEL, EOWNERDEAD, ENOTRECOVERABLE};
	void *blocks[] = {mm_malloca(size), mm_malloca(number), mm_aligned_alloca(number ? 32 : 64, size)};

	mm_freea(blocks[0]);
	mm_freea(blocks[1]);
	mm_thr_mutex_lock(&mutex);
	mm_thr_mutex_lock(&other);
	mm_thr_cond_signal(&cond);
	number += mm_arg_opt_get_key(options) + mm_arg_opt_get_type(options) + mm_strcasecmp(text, "VALUE");
	number += mm_arg_parse(&parser, 0, NULL) + MM_NELEM(dirs) + MM_NELEM(actions) + MM_NELEM(constants);
	return mm_arg_opt_get_name(options) == text && mm_thr_once(&once, mm_tic) && blocks[2] != NULL ? number : 0;
}
END
compile "$scratch/user"
echo "headers: $compiled compilations without a warning"
