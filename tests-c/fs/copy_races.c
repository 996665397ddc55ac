/* SPDX-License-Identifier: Apache-2.0 */
/*
 * copy_races.c: copies while the source, or the file with the name of the copy, is changed
 *
 * The C library functions that the library calls are defined here; they forward to the C library. Before one of the
 * calls the files are changed: each scenario is repeated for each of the calls. Some calls are made to fail.
 */
#include "interpose.h"

#include "suite.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>

/* --- the calls ---------------------------------------------------------------------------------------------------- */

static struct {
	/* Calls are counted while this is true. */
	bool is_watching;
	int calls;
	/*
	 * The event, and the number of the call before which it happens; if act_often is not 0, it happens before each
	 * call with probability 1/act_often.
	 */
	void (*act)(void);
	int act_at, act_often;
	uint32_t random;
	/*
	 * The call that fails, the number of calls before it that succeed, the number of calls that fail if not 0, and
	 * the error.
	 */
	const char *failing;
	int good_calls, bad_calls, error;
} watch;

static void begin_watching(void)
{
	watch.calls = 0;
	watch.is_watching = true;
}

static void end_watching(void)
{
	watch.is_watching = false;
}

/* Runs before a call: true if the call is to fail. */
static bool comes_before(const char *name)
{
	int number = watch.calls;

	if (!watch.is_watching)
		return false;
	watch.calls++;
	watch.is_watching = false;
	if (watch.act != NULL && (watch.act_often != 0 ? next_random(&watch.random) % (uint32_t)watch.act_often == 0
	                                               : number == watch.act_at))
		watch.act();
	watch.is_watching = true;
	if (watch.failing == NULL || strcmp(watch.failing, name) != 0 || watch.good_calls-- > 0)
		return false;
	if (watch.bad_calls != 0 && --watch.bad_calls == 0)
		watch.failing = NULL;
	errno = watch.error;
	return true;
}

#define WATCHED(type, name, symbol, parameters, arguments)              \
	type name parameters                                            \
	{                                                               \
		static __typeof__(name) *next;                          \
		if (next == NULL)                                       \
			*(void **)&next = dlsym(RTLD_NEXT, symbol);     \
		return comes_before(#name) ? (type)-1 : next arguments; \
	}

WATCHED(off_t, lseek, OFFSET_SYMBOL(lseek), (int fd, off_t offset, int whence), (fd, offset, whence))
WATCHED(int, stat, STATUS_SYMBOL(stat), (const char *path, struct stat *status), (path, status))
WATCHED(int, lstat, STATUS_SYMBOL(lstat), (const char *path, struct stat *status), (path, status))
WATCHED(int, fstat, STATUS_SYMBOL(fstat), (int fd, struct stat *status), (fd, status))
WATCHED(ssize_t, read, "read", (int fd, void *bytes, size_t size), (fd, bytes, size))
WATCHED(ssize_t, write, "write", (int fd, const void *bytes, size_t size), (fd, bytes, size))
WATCHED(int, ftruncate, OFFSET_SYMBOL(ftruncate), (int fd, off_t size), (fd, size))
WATCHED(int, fchmod, "fchmod", (int fd, mode_t mode), (fd, mode))

/* At most one page per call, so that there are several calls. */
ssize_t copy_file_range(int from, off_t *from_at, int to, off_t *to_at, size_t size, unsigned flags)
{
	static __typeof__(copy_file_range) *next;

	if (next == NULL)
		*(void **)&next = dlsym(RTLD_NEXT, "copy_file_range");
	if (comes_before("copy_file_range"))
		return -1;
	return next(from, from_at, to, to_at, size > 4096 ? 4096 : size, flags);
}

int open(const char *path, int flags, ...)
{
	static int (*next)(const char *, int, ...);
	va_list arguments;
	mode_t mode;

	va_start(arguments, flags);
	mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
	va_end(arguments);
	if (next == NULL)
		*(void **)&next = dlsym(RTLD_NEXT, OFFSET_SYMBOL(open));
	if (comes_before(strncmp(path, "/proc/self/fd/", 14) == 0 ? "open by descriptor" : "open"))
		return -1;
	return next(path, flags, mode);
}

/* The descriptor is closed whatever result is reported. */
int close(int fd)
{
	static int (*next)(int);
	bool is_failing;
	int result;

	if (next == NULL)
		*(void **)&next = dlsym(RTLD_NEXT, "close");
	is_failing = comes_before("close");
	result = next(fd);
	if (is_failing)
		errno = watch.error;
	return is_failing ? -1 : result;
}

/* --- a source that changes ---------------------------------------------------------------------------------------- */

#define MOST_BYTES (1 << 20)
#define MOST_VERSIONS 8

/* The content of the source: initially, and after each change. */
static struct version {
	size_t size;
	char bytes[MOST_BYTES];
} versions[MOST_VERSIONS];
static int version_count;

static void note_version(void)
{
	int fd = open("source", O_RDONLY | O_CLOEXEC);
	struct version *version = &versions[version_count++];
	ssize_t size;

	ck_assert_int_le(version_count, MOST_VERSIONS);
	version->size = 0;
	while ((size = read(fd, version->bytes + version->size, MOST_BYTES - version->size)) > 0)
		version->size += (size_t)size;
	close(fd);
}

/* Text without NUL bytes, with different letters for each change. */
static void put_text(off_t offset, size_t size)
{
	static char text[MOST_BYTES];
	int fd = open("source", O_WRONLY | O_CLOEXEC);

	memset(text, 'a' + version_count, size);
	ck_assert_int_eq(pwrite(fd, text, size, offset), (ssize_t)size);
	close(fd);
}

static off_t size_of_source(void)
{
	struct stat status;

	ck_assert_int_eq(stat("source", &status), 0);
	return status.st_size;
}

static void grow(void)
{
	put_text(size_of_source(), 27);
	note_version();
}

static void grow_by_a_hole(void)
{
	ck_assert_int_eq(truncate("source", size_of_source() + 20000), 0);
	note_version();
}

static void grow_behind_a_hole(void)
{
	put_text(size_of_source() + 20000, 5000);
	note_version();
}

static void grow_before_a_hole(void)
{
	off_t size = size_of_source();

	put_text(size, 5000);
	ck_assert_int_eq(truncate("source", size + 25000), 0);
	note_version();
}

static void shrink_by_half(void)
{
	ck_assert_int_eq(truncate("source", size_of_source() / 2), 0);
	note_version();
}

static void shrink_by_a_byte(void)
{
	off_t size = size_of_source();

	ck_assert_int_eq(truncate("source", size > 0 ? size - 1 : 0), 0);
	note_version();
}

static void empty(void)
{
	ck_assert_int_eq(truncate("source", 0), 0);
	note_version();
}

/* As some programs save a file. */
static void write_anew(void)
{
	off_t size = size_of_source();

	ck_assert_int_eq(truncate("source", 0), 0);
	put_text(0, (size_t)size + 3000 < MOST_BYTES / 2 ? (size_t)size + 3000 : (size_t)size);
	note_version();
}

static void fill_a_hole(void)
{
	if (size_of_source() > 70000)
		put_text(66000, 3000);
	note_version();
}

static void (*const changes[])(void) = {
	grow,  grow_by_a_hole, grow_behind_a_hole, grow_before_a_hole, shrink_by_half, shrink_by_a_byte,
	empty, write_anew,     fill_a_hole};

/* Up to four of them. */
static void change_at_random(void)
{
	if (version_count < 5)
		changes[next_random(&watch.random) % MM_NELEM(changes)]();
}

/* The text ranges, as pairs of offset and size; and the size of the file. */
static const struct shape {
	off_t parts[3][2];
	off_t size;
} shapes[] = {
	{{{131072, 6}}, 131078},              /* a hole, then text */
	{{{0, 6}}, 131072},                   /* text, then a hole */
	{{{0, 0}}, 131072},                   /* a hole */
	{{{0, 5000}, {65536, 5000}}, 131072}, /* text and holes alternating */
	{{{40000, 5000}, {80000, 12000}, {130000, 5}}, 200000},
	{{{0, 300000}}, 300000}, /* text */
	{{{0, 10}}, 10},
};

static void make_source(const struct shape *shape)
{
	int fd = open("source", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	version_count = 0;
	close(fd);
	for (int i = 0; i < MM_NELEM(shape->parts); i++)
		put_text(shape->parts[i][0], (size_t)shape->parts[i][1]);
	ck_assert_int_eq(truncate("source", shape->size), 0);
	note_version();
}

/* Each byte of the copy is that of a version of the source, and every byte that all versions have is present. */
static void assert_is_copy_of_versions(const char *what)
{
	static char copy[MOST_BYTES];
	int fd = open("copy", O_RDONLY | O_CLOEXEC);
	size_t size = 0, least = MOST_BYTES;
	ssize_t part;

	while ((part = read(fd, copy + size, sizeof(copy) - size)) > 0)
		size += (size_t)part;
	close(fd);
	for (int v = 0; v < version_count; v++)
		least = versions[v].size < least ? versions[v].size : least;
	ck_assert_msg(size >= least, "%s: %zu bytes were copied of %zu", what, size, least);
	for (size_t i = 0; i < size; i++) {
		int v = 0;

		while (v < version_count && (i >= versions[v].size || versions[v].bytes[i] != copy[i]))
			v++;
		if (v == version_count)
			ck_abort_msg("%s: byte %zu, %#x, is in no version of the source", what, i, copy[i]);
	}
}

static void copy_source(const char *what, int flags, int mode)
{
	int result;

	unlink("copy");
	begin_watching();
	result = mm_copy("source", "copy", flags, mode);
	end_watching();
	ck_assert_msg(result == 0, "%s: %s", what, mm_get_lasterror_desc());
	assert_is_copy_of_versions(what);
}

static const int data_flags[] = {0, MM_NOCOW};

START_TEST(source_may_change_before_any_call)
{
	char what[64];

	enter_scratch_directory();
	for (int c = 0; c < MM_NELEM(changes); c++) {
		for (int s = 0; s < MM_NELEM(shapes); s++) {
			for (int f = 0; f < MM_NELEM(data_flags); f++) {
				watch.act = changes[c];
				watch.act_at = 0;
				do {
					make_source(&shapes[s]);
					snprintf(what, sizeof(what), "change %d, shape %d, call %d, flags %#x", c, s,
					         watch.act_at, data_flags[f]);
					copy_source(what, data_flags[f], MODE_DEF);
					watch.act_at += is_instrumented() ? 5 : watch.act_at > 25 ? 9 : 1;
				} while (watch.act_at < watch.calls);
				ck_assert_int_gt(watch.calls, 5);
			}
		}
	}
	leave_scratch_directory();
}
END_TEST

START_TEST(source_may_change_repeatedly)
{
	int rounds = is_instrumented() ? 20 : 400;
	char what[64];

	enter_scratch_directory();
	watch.random = 20261126;
	watch.act = change_at_random;
	for (int round = 0; round < rounds; round++) {
		make_source(&shapes[round % MM_NELEM(shapes)]);
		watch.act_often = 2 + round % 7;
		snprintf(what, sizeof(what), "round %d", round);
		copy_source(what, data_flags[round % 2], MODE_DEF);
	}
	leave_scratch_directory();
}
END_TEST

/* --- which files are opened --------------------------------------------------------------------------------------- */

static void become_fifo(void)
{
	ck_assert_int_eq(unlink("source"), 0);
	ck_assert_int_eq(mkfifo("source", 0666), 0);
}

static void become_directory(void)
{
	ck_assert_int_eq(unlink("source"), 0);
	ck_assert_int_eq(mkdir("source", 0755), 0);
}

static void become_link(void)
{
	ck_assert_int_eq(unlink("source"), 0);
	ck_assert_int_eq(symlink("target", "source"), 0);
}

/* The first call examines the source, the second opens it. */
static void assert_becoming(void (*become)(void), int flags, int error)
{
	int result;

	write_file("source", "text");
	watch.act = become;
	watch.act_at = 1;
	suite_forget_error();
	begin_watching();
	result = mm_copy("source", "copy", flags, MODE_DEF);
	end_watching();
	ck_assert_int_eq(result, error == 0 ? 0 : -1);
	ck_assert_int_eq(mm_get_lasterror_number(), error);
	ck_assert(exists("copy") == (error == 0));
	ck_assert_int_eq(remove("source"), 0);
}

START_TEST(source_replaced_before_it_is_opened_does_not_block)
{
	char target[16];

	enter_scratch_directory();
	write_file("target", "text of the target");
	for (int f = 0; f < MM_NELEM(data_flags); f++) {
		assert_becoming(become_fifo, data_flags[f], EINVAL);
		assert_becoming(become_fifo, data_flags[f] | MM_NOFOLLOW, EINVAL);
		assert_becoming(become_directory, data_flags[f], EISDIR);
		assert_becoming(become_link, data_flags[f], 0);
		ck_assert(has_text("copy", "text of the target"));
		ck_assert_int_eq(unlink("copy"), 0);
		assert_becoming(become_link, data_flags[f] | MM_NOFOLLOW, 0);
		ck_assert_int_eq(mm_readlink("copy", target, sizeof(target)), 0);
		ck_assert_str_eq(target, "target");
		ck_assert_int_eq(unlink("copy"), 0);
	}
	leave_scratch_directory();
}
END_TEST

static char terminal_name[64];

static void become_terminal(void)
{
	ck_assert_int_eq(unlink("source"), 0);
	ck_assert_int_eq(symlink(terminal_name, "source"), 0);
}

static int copy_what_becomes_a_terminal(void *arg)
{
	int terminal = posix_openpt(O_RDWR | O_NOCTTY);

	(void)arg;
	ck_assert(setsid() != -1 && terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0);
	ck_assert_int_eq(ptsname_r(terminal, terminal_name, sizeof(terminal_name)), 0);
	assert_becoming(become_terminal, 0, EINVAL);
	ck_assert_int_eq(open("/dev/tty", O_RDWR), -1);
	ck_assert_int_eq(errno, ENXIO);
	return 0;
}

START_TEST(terminal_that_replaces_the_source_does_not_become_controlling)
{
	enter_scratch_directory();
	assert_child_succeeds(start_child(copy_what_becomes_a_terminal, NULL));
	leave_scratch_directory();
}
END_TEST

/* As if another process had a lease when the file is opened by name. */
static int copy_leased(void (*act)(void), int act_at)
{
	int result;

	unlink("source");
	unlink("copy");
	write_file("source", "text");
	watch.failing = "open";
	watch.bad_calls = 1;
	watch.error = EAGAIN;
	watch.act = act;
	watch.act_at = act_at;
	suite_forget_error();
	begin_watching();
	result = mm_copy("source", "copy", 0, MODE_DEF);
	end_watching();
	return result;
}

static void lose_proc(void)
{
	watch.failing = "open by descriptor";
	watch.bad_calls = 1;
	watch.error = ENOENT;
}

START_TEST(lease_is_not_waited_for_by_name)
{
	enter_scratch_directory();
	ck_assert_int_eq(copy_leased(NULL, 0), 0);
	ck_assert(has_text("copy", "text"));
	/* The calls examine, open, open with O_PATH, examine again, and wait for the lease. */
	ck_assert_int_eq(copy_leased(become_fifo, 4), 0);
	ck_assert(has_text("copy", "text"));
	for (int call = 2; call < 4; call++) {
		int result = copy_leased(become_fifo, call);

		ck_assert_int_eq(result, call == 2 ? -1 : 0);
		ck_assert_int_eq(mm_get_lasterror_number(), call == 2 ? EAGAIN : 0);
		ck_assert(exists("copy") == (result == 0));
	}
	ck_assert_int_eq(copy_leased(lose_proc, 4), -1);
	ck_assert_int_eq(mm_get_lasterror_number(), EAGAIN);
	ck_assert(!exists("copy"));
	leave_scratch_directory();
}
END_TEST

/* --- failures ----------------------------------------------------------------------------------------------------- */

static void replace_by_file(void)
{
	ck_assert_int_eq(rename("theirs", "copy"), 0);
}

static void replace_by_directory(void)
{
	ck_assert_int_eq(unlink("copy"), 0);
	ck_assert_int_eq(mkdir("copy", 0755), 0);
}

static void replace_by_link(void)
{
	ck_assert_int_eq(unlink("copy"), 0);
	ck_assert_int_eq(symlink("theirs", "copy"), 0);
}

static void replace_by_nothing(void)
{
	ck_assert_int_eq(unlink("copy"), 0);
}

static void replace_nothing(void)
{
}

static void (*replace)(void);
static bool is_replaced;

/* As soon as the copy exists. */
static void replace_the_copy(void)
{
	if (!is_replaced && exists("copy")) {
		is_replaced = true;
		replace();
	}
}

static void fail_to_copy(const char *call, int good_calls, int error, int flags, int mode)
{
	int result;

	watch.failing = call;
	watch.good_calls = good_calls;
	watch.error = error;
	watch.act = replace_the_copy;
	watch.act_often = 1;
	is_replaced = false;
	suite_forget_error();
	begin_watching();
	result = mm_copy("source", "copy", flags, mode);
	end_watching();
	ck_assert_int_eq(result, -1);
	suite_assert_error("mm_copy(source)", error);
	ck_assert(is_replaced);
}

START_TEST(only_the_copy_is_removed_after_a_failure)
{
	static void (*const replacements[])(void) = {replace_nothing, replace_by_nothing, replace_by_file,
	                                             replace_by_directory, replace_by_link};
	static const struct {
		const char *call;
		int good_calls, error, flags, mode;
	} failures[] = {
		{"write", 0, ENOSPC, MM_NOCOW, 0644}, {"write", 1, EDQUOT, MM_NOCOW, 0644},
		{"read", 1, EIO, MM_NOCOW, 0644},     {"read", 0, EIO, 0, 0644},
		{"close", 0, EIO, 0, 0644},           {"close", 0, ENOSPC, MM_NOCOW, 0644},
	};

	enter_scratch_directory();
	make_source(&shapes[5]);
	for (int r = 0; r < MM_NELEM(replacements); r++) {
		for (int i = 0; i < MM_NELEM(failures); i++) {
			replace = replacements[r];
			write_file("theirs", "theirs");
			fail_to_copy(failures[i].call, failures[i].good_calls, failures[i].error, failures[i].flags,
			             failures[i].mode);
			ck_assert(exists("copy") == (r >= 2));
			if (replace == replace_by_file || replace == replace_by_link)
				ck_assert(has_text("copy", "theirs"));
			ck_assert(exists("theirs") == (replace != replace_by_file));
			remove("copy");
		}
	}
	leave_scratch_directory();
}
END_TEST

static void fail_to_set_the_mode(void)
{
	write_file("source", "text");
	replace = replace_nothing;
	fail_to_copy("fchmod", 0, EPERM, 0, 04755);
	ck_assert(!exists("copy"));
	fail_to_copy("fchmod", 0, EIO, MM_NOCOW, 06755);
	ck_assert(!exists("copy"));
}

START_TEST(copy_whose_mode_cannot_be_set_is_removed)
{
	enter_scratch_directory();
	as_ordinary_user(fail_to_set_the_mode);
	leave_scratch_directory();
}
END_TEST

START_TEST(data_that_the_kernel_stops_copying_is_read_and_written)
{
	static const int errors[] = {EIO,   EBADF,  ENOENT, ETXTBSY, EACCES, ENOSYS,
	                             EXDEV, ENOSPC, EFBIG,  EINVAL,  EPERM,  ENOMEM};
	char what[64];

	enter_scratch_directory();
	for (int s = 0; s < MM_NELEM(shapes); s++) {
		make_source(&shapes[s]);
		for (int e = 0; e < MM_NELEM(errors); e++) {
			for (int good_calls = 0; good_calls < 4; good_calls++) {
				watch.failing = "copy_file_range";
				watch.good_calls = good_calls;
				watch.error = errors[e];
				snprintf(what, sizeof(what), "shape %d, %s after %d calls", s, strerror(errors[e]),
				         good_calls);
				copy_source(what, 0, MODE_DEF);
			}
		}
	}
	leave_scratch_directory();
}
END_TEST

static void copy_with_a_signal_at_each_call(void)
{
	static const char *const calls[] = {"stat",      "open",   "fstat", "read", "write", "copy_file_range",
	                                    "ftruncate", "fchmod", "close"};
	char what[64];

	for (int s = 0; s < MM_NELEM(shapes); s++) {
		make_source(&shapes[s]);
		for (int c = 0; c < MM_NELEM(calls); c++) {
			for (int good_calls = 0; good_calls < 3; good_calls++) {
				for (int f = 0; f < MM_NELEM(data_flags); f++) {
					watch.failing = calls[c];
					watch.good_calls = good_calls;
					watch.bad_calls = 1;
					watch.error = EINTR;
					snprintf(what, sizeof(what), "shape %d, %s() after %d calls", s, calls[c],
					         good_calls);
					copy_source(what, data_flags[f], 04755);
				}
			}
		}
	}
}

START_TEST(signal_during_any_call_does_not_interrupt_a_copy)
{
	enter_scratch_directory();
	as_ordinary_user(copy_with_a_signal_at_each_call);
	leave_scratch_directory();
}
END_TEST

START_TEST(holes_are_copied_if_the_filesystem_rejects_ftruncate)
{
	static const int errors[] = {ENOSYS, EOPNOTSUPP, EINVAL, EPERM, EACCES, EBADF, EIO};
	char what[64];

	enter_scratch_directory();
	for (int s = 0; s < MM_NELEM(shapes); s++) {
		make_source(&shapes[s]);
		for (int e = 0; e < MM_NELEM(errors); e++) {
			watch.failing = "ftruncate";
			watch.good_calls = 0;
			watch.error = errors[e];
			snprintf(what, sizeof(what), "shape %d, %s", s, strerror(errors[e]));
			copy_source(what, data_flags[e % 2], MODE_DEF);
		}
	}
	leave_scratch_directory();
}
END_TEST

START_TEST(source_is_read_if_the_filesystem_cannot_seek_holes)
{
	static const int errors[] = {EINVAL, EOPNOTSUPP, ENOSYS, ESPIPE, EIO};
	char what[64];

	enter_scratch_directory();
	for (int s = 0; s < MM_NELEM(shapes); s++) {
		make_source(&shapes[s]);
		for (int e = 0; e < MM_NELEM(errors); e++) {
			watch.failing = "lseek";
			watch.good_calls = 0;
			watch.error = errors[e];
			snprintf(what, sizeof(what), "shape %d, %s", s, strerror(errors[e]));
			copy_source(what, data_flags[e % 2], MODE_DEF);
		}
	}
	leave_scratch_directory();
}
END_TEST

SUITE(source_may_change_before_any_call, source_may_change_repeatedly,
      source_replaced_before_it_is_opened_does_not_block, terminal_that_replaces_the_source_does_not_become_controlling,
      lease_is_not_waited_for_by_name, only_the_copy_is_removed_after_a_failure,
      copy_whose_mode_cannot_be_set_is_removed, data_that_the_kernel_stops_copying_is_read_and_written,
      signal_during_any_call_does_not_interrupt_a_copy, holes_are_copied_if_the_filesystem_rejects_ftruncate,
      source_is_read_if_the_filesystem_cannot_seek_holes)
