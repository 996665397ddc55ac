/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state.c: the error state of mmerrno.h
 */
#include "suite.h"

#include <limits.h>
#include <locale.h>
#include <wchar.h>

static int raise_vfull(int errnum, const char *desc, ...)
{
	va_list args;
	int result;

	va_start(args, desc);
	result = mm_raise_error_vfull(errnum, "mod", "fn", "file.c", 7, NULL, desc, args);
	va_end(args);
	return result;
}

static void assert_nothing_raised(void)
{
	ck_assert_int_eq(mm_get_lasterror_number(), 0);
	ck_assert_str_eq(mm_get_lasterror_desc(), "");
	ck_assert_str_eq(mm_get_lasterror_location(), "");
	ck_assert_str_eq(mm_get_lasterror_module(), "");
	ck_assert_ptr_null(mm_get_lasterror_extid());
}

START_TEST(thread_starts_without_error)
{
	assert_nothing_raised();
}
END_TEST

START_TEST(raise_error_sets_the_error_state_and_errno)
{
	errno = 0;
	int result = mm_raise_error(MM_ENOTFOUND, "no %s in %d places", "thing", 3);
	int line = __LINE__ - 1;
	char location[300];

	ck_assert_int_eq(result, -1);
	ck_assert_int_eq(errno, MM_ENOTFOUND);
	ck_assert_int_eq(mm_get_lasterror_number(), MM_ENOTFOUND);
	ck_assert_str_eq(mm_get_lasterror_desc(), "no thing in 3 places");
	ck_assert_str_eq(mm_get_lasterror_module(), "unknown");
	ck_assert_ptr_null(mm_get_lasterror_extid());
	snprintf(location, sizeof(location), "%s() in %s:%d", __func__, __FILE__, line);
	ck_assert_str_eq(mm_get_lasterror_location(), location);
}
END_TEST

START_TEST(raise_error_uses_the_module_name_at_the_call)
{
#undef MM_LOG_MODULE_NAME
#define MM_LOG_MODULE_NAME "first"
	mm_raise_error(EIO, "x");
	ck_assert_str_eq(mm_get_lasterror_module(), "first");
#undef MM_LOG_MODULE_NAME
#define MM_LOG_MODULE_NAME "second"
	mm_raise_error(EIO, "x");
	ck_assert_str_eq(mm_get_lasterror_module(), "second");
}
END_TEST

START_TEST(raise_error_with_extid_stores_the_identifier)
{
	ck_assert_int_eq(mm_raise_error_with_extid(MM_EBADFMT, "my-id", "x"), -1);
	ck_assert_str_eq(mm_get_lasterror_extid(), "my-id");
	mm_raise_error_with_extid(MM_EBADFMT, "", "x");
	ck_assert_ptr_null(mm_get_lasterror_extid());
}
END_TEST

START_TEST(raise_error_formats_every_kind_of_argument)
{
	mm_raise_error(EIO, "%d %s %c %.2f %lld %zu %p %x %5s|%-5s| %Lf %%", 1, "two", '3', 4.5, 6LL, (size_t)7,
	               (void *)0x8, 9, "a", "b", 1.5L);
	ck_assert_str_eq(mm_get_lasterror_desc(), "1 two 3 4.50 6 7 0x8 9     a|b    | 1.500000 %");
	mm_raise_error(EIO, "%f %f %f %f %f %f %f %f %f %d %d %d %d %d %d", 1., 2., 3., 4., 5., 6., 7., 8., 9., 1, 2, 3,
	               4, 5, 6);
	ck_assert_str_eq(
		mm_get_lasterror_desc(),
		"1.000000 2.000000 3.000000 4.000000 5.000000 6.000000 7.000000 8.000000 9.000000 1 2 3 4 5 6");
}
END_TEST

START_TEST(raise_error_vfull_takes_a_va_list)
{
	ck_assert_int_eq(raise_vfull(ENOENT, "%s-%d-%.1f", "a", 2, 3.5), -1);
	ck_assert_str_eq(mm_get_lasterror_desc(), "a-2-3.5");
	ck_assert_str_eq(mm_get_lasterror_module(), "mod");
	ck_assert_str_eq(mm_get_lasterror_location(), "fn() in file.c:7");
	ck_assert_int_eq(errno, ENOENT);
}
END_TEST

START_TEST(raise_error_replaces_null_by_unknown)
{
	mm_raise_error_full(EIO, NULL, NULL, NULL, -3, NULL, "x");
	ck_assert_str_eq(mm_get_lasterror_location(), "unknown() in unknown:-3");
	ck_assert_str_eq(mm_get_lasterror_module(), "unknown");
	mm_raise_error_full(EIO, "", "", "", 0, "", "");
	ck_assert_str_eq(mm_get_lasterror_location(), "() in :0");
	ck_assert_str_eq(mm_get_lasterror_module(), "");
	ck_assert_str_eq(mm_get_lasterror_desc(), "");
}
END_TEST

START_TEST(raise_error_treats_a_null_description_as_empty)
{
	const char *no_format = NULL;

	ck_assert_int_eq(mm_raise_error_full(EIO, "m", "f", "s", 1, NULL, no_format), -1);
	ck_assert_str_eq(mm_get_lasterror_desc(), "");
	ck_assert_int_eq(mm_get_lasterror_number(), EIO);
}
END_TEST

START_TEST(raise_error_truncates_each_string_to_its_field)
{
	char text[2000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	mm_raise_error_full(EIO, text, text, text, 1, text, "%s", text);
	ck_assert_uint_eq(strlen(mm_get_lasterror_module()), 31);
	ck_assert_uint_eq(strlen(mm_get_lasterror_extid()), 63);
	ck_assert_uint_eq(strlen(mm_get_lasterror_location()), 255);
	ck_assert_uint_eq(strlen(mm_get_lasterror_desc()), 255);
	mm_raise_error_full(EIO, "m", "f", "s", 1, "e", "d");
	ck_assert_str_eq(mm_get_lasterror_module(), "m");
	ck_assert_str_eq(mm_get_lasterror_extid(), "e");
	ck_assert_str_eq(mm_get_lasterror_location(), "f() in s:1");
	ck_assert_str_eq(mm_get_lasterror_desc(), "d");
}
END_TEST

START_TEST(raise_error_of_number_zero_replaces_the_error_and_keeps_errno)
{
	mm_raise_error(ENOENT, "first");
	errno = EBUSY;
	ck_assert_int_eq(mm_raise_error(0, "second"), -1);
	ck_assert_int_eq(errno, EBUSY);
	ck_assert_int_eq(mm_get_lasterror_number(), 0);
	ck_assert_str_eq(mm_get_lasterror_desc(), "second");
}
END_TEST

START_TEST(raise_error_can_extend_the_last_error)
{
	mm_raise_error_full(EIO, "module", "f", "s", 1, "identifier", "cause");
	mm_raise_error_full(EIO, mm_get_lasterror_module(), mm_get_lasterror_location(), mm_get_lasterror_desc(), 2,
	                    mm_get_lasterror_extid(), "context: %s (%s)", mm_get_lasterror_desc(),
	                    mm_get_lasterror_location());
	ck_assert_str_eq(mm_get_lasterror_desc(), "context: cause (f() in s:1)");
	ck_assert_str_eq(mm_get_lasterror_module(), "module");
	ck_assert_str_eq(mm_get_lasterror_extid(), "identifier");
	ck_assert_str_eq(mm_get_lasterror_location(), "f() in s:1() in cause:2");
}
END_TEST

START_TEST(raise_error_format_can_use_errno)
{
	errno = ENOSPC;
	mm_raise_error(EIO, "%m");
	ck_assert_str_eq(mm_get_lasterror_desc(), strerror(ENOSPC));
	ck_assert_int_eq(errno, EIO);
}
END_TEST

START_TEST(raise_error_handles_a_format_that_fails)
{
	static const wchar_t invalid[] = {(wchar_t)0x80, 0};

	setlocale(LC_ALL, "C");
	ck_assert_int_eq(mm_raise_error(EIO, "bad %ls", invalid), -1);
	ck_assert_int_eq(errno, EIO);
	ck_assert_str_eq(mm_get_lasterror_desc(), "");
}
END_TEST

/* The text, followed by the message of the C library. */
static const char *with_message(const char *text, int error)
{
	static char whole[128];

	snprintf(whole, sizeof(whole), "%s%s", text, strerror(error));
	return whole;
}

START_TEST(raise_from_errno_appends_the_message_of_errno)
{
	errno = EAFNOSUPPORT;
	ck_assert_int_eq(mm_raise_from_errno("socket(%d) failed", -1), -1);
	ck_assert_int_eq(errno, EAFNOSUPPORT);
	ck_assert_int_eq(mm_get_lasterror_number(), EAFNOSUPPORT);
	ck_assert_str_eq(mm_get_lasterror_desc(), "socket(-1) failed ; Address family not supported by protocol");

	errno = MM_ENOTFOUND;
	mm_raise_from_errno("x");
	ck_assert_str_eq(mm_get_lasterror_desc(), with_message("x ; ", MM_ENOTFOUND));

	errno = 0;
	mm_raise_from_errno("x");
	ck_assert_str_eq(mm_get_lasterror_desc(), with_message("x ; ", 0));
	ck_assert_int_eq(mm_get_lasterror_number(), 0);
}
END_TEST

START_TEST(raise_from_errno_does_not_truncate_a_long_format_before_formatting)
{
	char fmt[400] = "start ";

	/* The last conversion is after byte 254 of a format whose result is short. */
	for (int i = 0; i < 60; i++)
		strcat(fmt, "%1$.0s");
	strcat(fmt, "%2$d");
	errno = EIO;
	mm_raise_from_errno_full("m", "f", "s", 1, NULL, fmt, "", 42);
	ck_assert_str_eq(mm_get_lasterror_desc(), with_message("start 42 ; ", EIO));
}
END_TEST

START_TEST(ignored_errors_do_not_change_the_error_state)
{
	mm_raise_error(ENOENT, "kept");
	errno = EBUSY;
	int flags = mm_error_set_flags(MM_ERROR_SET, MM_ERROR_IGNORE);

	ck_assert_int_eq(mm_raise_error(EIO, "lost"), -1);
	ck_assert_int_eq(mm_raise_from_errno("lost"), -1);
	ck_assert_int_eq(raise_vfull(EIO, "lost"), -1);
	ck_assert_int_eq(errno, EBUSY);
	ck_assert_int_eq(mm_ipc_srv_accept(NULL), -1);
	ck_assert_int_eq(errno, EINVAL);
	mm_error_set_flags(flags, MM_ERROR_IGNORE);
	ck_assert_int_eq(mm_get_lasterror_number(), ENOENT);
	ck_assert_str_eq(mm_get_lasterror_desc(), "kept");
}
END_TEST

START_TEST(error_flags_change_only_under_the_mask)
{
	ck_assert_int_eq(mm_error_set_flags(MM_ERROR_SET, MM_ERROR_NOLOG), 0);
	ck_assert_int_eq(mm_error_set_flags(0, 0), MM_ERROR_NOLOG);
	ck_assert_int_eq(mm_error_set_flags(MM_ERROR_SET, MM_ERROR_IGNORE), MM_ERROR_NOLOG);
	ck_assert_int_eq(mm_error_set_flags(MM_ERROR_UNSET, MM_ERROR_NOLOG), MM_ERROR_NOLOG | MM_ERROR_IGNORE);
	ck_assert_int_eq(mm_error_set_flags(MM_ERROR_UNSET, MM_ERROR_ALL_ALTERNATE), MM_ERROR_IGNORE);
	ck_assert_int_eq(mm_error_set_flags(0x40, 0x40), 0);
	ck_assert_int_eq(mm_error_set_flags(0, 0), 0x40);
}
END_TEST

static void *raise_in_thread(void *state)
{
	assert_nothing_raised();
	ck_assert_int_eq(mm_error_set_flags(0, 0), 0);
	mm_raise_error_with_extid(MM_EWRONGSTATE, "thread", "in a thread");
	mm_save_errorstate(state);
	return NULL;
}

START_TEST(each_thread_has_its_own_error_state)
{
	struct mm_error_state of_thread;

	mm_error_set_flags(MM_ERROR_SET, MM_ERROR_NOLOG);
	mm_raise_error(EIO, "in main");
	join_thread(start_thread(raise_in_thread, &of_thread));
	ck_assert_str_eq(mm_get_lasterror_desc(), "in main");

	ck_assert_int_eq(mm_set_errorstate(&of_thread), 0);
	ck_assert_int_eq(mm_get_lasterror_number(), MM_EWRONGSTATE);
	ck_assert_int_eq(errno, MM_EWRONGSTATE);
	ck_assert_str_eq(mm_get_lasterror_desc(), "in a thread");
	ck_assert_str_eq(mm_get_lasterror_extid(), "thread");
	ck_assert_ptr_nonnull(strstr(mm_get_lasterror_location(), "raise_in_thread() in "));
	/* The flags are saved with the error state. */
	ck_assert_int_eq(mm_error_set_flags(0, 0), 0);
}
END_TEST

static int send_error_state(void *pipe_end)
{
	struct mm_error_state state;

	mm_raise_error_with_extid(ENOTTY, "child", "raised by %d", (int)getpid());
	mm_save_errorstate(&state);
	return mm_write(*(int *)pipe_end, state.data, sizeof(state.data)) == sizeof(state.data) ? 0 : 1;
}

START_TEST(saved_error_state_can_be_sent_to_another_process)
{
	struct mm_error_state state;
	char desc[64];
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	pid_t child = start_child(send_error_state, &fds[1]);

	ck_assert_int_eq(mm_read(fds[0], state.data, sizeof(state.data)), sizeof(state.data));
	assert_child_succeeds(child);
	ck_assert_int_eq(mm_set_errorstate(&state), 0);
	snprintf(desc, sizeof(desc), "raised by %d", (int)child);
	ck_assert_int_eq(mm_get_lasterror_number(), ENOTTY);
	ck_assert_str_eq(mm_get_lasterror_desc(), desc);
	ck_assert_str_eq(mm_get_lasterror_extid(), "child");
	close_all(2, fds);
}
END_TEST

START_TEST(saved_error_state_has_the_layout_of_mmlib)
{
	struct mm_error_state state;
	int number;

	memset(&state, 'x', sizeof(state));
	mm_raise_error_full(ERANGE, "module", "function", "file.c", 9, "extid", "description");
	ck_assert_int_eq(mm_save_errorstate(&state), 0);
	memcpy(&number, state.data + 4, sizeof(number));
	ck_assert_int_eq(number, ERANGE);
	ck_assert_str_eq(state.data + 8, "extid");
	ck_assert_str_eq(state.data + 72, "module");
	ck_assert_str_eq(state.data + 104, "function() in file.c:9");
	ck_assert_str_eq(state.data + 360, "description");
	for (size_t i = 616; i < sizeof(state.data); i++)
		ck_assert_int_eq(state.data[i], 0);
}
END_TEST

START_TEST(buffer_for_an_error_state_need_not_be_aligned)
{
	char bytes[sizeof(struct mm_error_state) + 1];
	struct mm_error_state *state = (struct mm_error_state *)(bytes + 1);

	mm_raise_error(EIO, "odd");
	ck_assert_int_eq(mm_save_errorstate(state), 0);
	suite_forget_error();
	ck_assert_int_eq(mm_set_errorstate(state), 0);
	ck_assert_str_eq(mm_get_lasterror_desc(), "odd");
}
END_TEST

START_TEST(restored_error_state_is_terminated_whatever_its_bytes)
{
	struct mm_error_state state;

	memset(&state, 'x', sizeof(state));
	memset(state.data, 0, 8);
	ck_assert_int_eq(mm_set_errorstate(&state), 0);
	ck_assert_uint_eq(strlen(mm_get_lasterror_extid()), 63);
	ck_assert_uint_eq(strlen(mm_get_lasterror_module()), 31);
	ck_assert_uint_eq(strlen(mm_get_lasterror_location()), 255);
	ck_assert_uint_eq(strlen(mm_get_lasterror_desc()), 255);
}
END_TEST

START_TEST(restoring_an_empty_error_state_clears_errno)
{
	struct mm_error_state state;

	mm_save_errorstate(&state);
	mm_raise_error(EIO, "x");
	mm_set_errorstate(&state);
	ck_assert_int_eq(errno, 0);
	assert_nothing_raised();
}
END_TEST

START_TEST(save_and_set_reject_null)
{
	assert_fails(mm_save_errorstate(NULL), EFAULT);
	assert_fails(mm_set_errorstate(NULL), EFAULT);
}
END_TEST

static void assert_is_message_of_system(int error)
{
	char message[128];

	/* strerror() may free the message that it has returned before. */
	snprintf(message, sizeof(message), "%s", mm_strerror(error));
	ck_assert_str_eq(message, strerror(error));
}

START_TEST(strerror_knows_its_own_codes_and_those_of_the_system)
{
	ck_assert_str_eq(mm_strerror(MM_EDISCONNECTED), "The device has been disconnected.");
	ck_assert_str_eq(mm_strerror(MM_EWRONGSTATE), "Object in wrong state");
	ck_assert_str_eq(mm_strerror(MM_ENOTFOUND), "Object not found");
	ck_assert_str_eq(mm_strerror(MM_EBADFMT), "Bad format");
	ck_assert_str_eq(mm_strerror(MM_ENONAME), "Specified hostname cannot be resolved");
	assert_is_message_of_system(ENOENT);
	assert_is_message_of_system(0);
	assert_is_message_of_system(1001);
	assert_is_message_of_system(-1);
}
END_TEST

START_TEST(strerror_r_of_an_own_code_truncates_and_reports_erange)
{
	char text[64] = "untouched";

	errno = EBUSY;
	ck_assert_int_eq(mm_strerror_r(MM_ENOTFOUND, text, 17), 0);
	ck_assert_str_eq(text, "Object not found");
	ck_assert_int_eq(errno, EBUSY);

	ck_assert_int_eq(mm_strerror_r(MM_ENOTFOUND, text, 16), -1);
	ck_assert_str_eq(text, "Object not foun");
	ck_assert_int_eq(errno, ERANGE);

	strcpy(text, "untouched");
	errno = 0;
	ck_assert_int_eq(mm_strerror_r(MM_ENOTFOUND, text, 0), -1);
	ck_assert_int_eq(errno, ERANGE);
	ck_assert_str_eq(text, "untouched");
	ck_assert_int_eq(mm_strerror_r(MM_ENOTFOUND, text, 1), -1);
	ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(strerror_r_of_a_system_code_follows_posix)
{
	char text[64] = "untouched";

	errno = 0;
	ck_assert_int_eq(mm_strerror_r(ENOENT, text, sizeof(text)), 0);
	ck_assert_str_eq(text, strerror(ENOENT));
	ck_assert_int_eq(mm_strerror_r(ENOENT, text, 3), ERANGE);
	ck_assert_str_eq(text, "No");
	/* The caller may pass any size. */
	ck_assert_int_eq(mm_strerror_r(ENOENT, text, SIZE_MAX), 0);
	ck_assert_str_eq(text, strerror(ENOENT));
#ifdef __GLIBC__
	ck_assert_int_eq(mm_strerror_r(1001, text, sizeof(text)), EINVAL);
#else /* musl knows no invalid numbers */
	ck_assert_int_eq(mm_strerror_r(1001, text, sizeof(text)), 0);
#endif
	ck_assert_str_eq(text, with_message("", 1001));
	ck_assert_int_eq(errno, 0);
	ck_assert_int_eq(mm_strerror_r(ENOENT, NULL, 10), -1);
	ck_assert_int_eq(errno, EFAULT);
}
END_TEST

/* Returns what a function prints on stdout. */
static const char *printed_by(void (*print)(void))
{
	static char text[2048];
	int fds[2], saved = dup(STDOUT_FILENO);

	fflush(stdout);
	ck_assert_int_eq(pipe(fds), 0);
	dup2(fds[1], STDOUT_FILENO);
	close(fds[1]);
	print();
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	ssize_t size = read(fds[0], text, sizeof(text) - 1);

	ck_assert_int_ge(size, 0);
	text[size] = '\0';
	close(fds[0]);
	return text;
}

static void print_without_error(void)
{
	suite_forget_error();
	mm_print_lasterror(NULL);
}

static void print_errno_alone(void)
{
	suite_forget_error();
	errno = ENOENT;
	mm_print_lasterror("%s %d", "info", 1);
}

static void print_error(void)
{
	printf("before\n");
	mm_raise_error_full(MM_ENOTFOUND, "mmlib", "bar", "file.c", 25, "some-id", "some text");
	mm_print_lasterror(NULL);
	mm_raise_error_full(MM_ENOTFOUND, "mmlib", "bar", "file.c", 25, NULL, "some text");
	mm_print_lasterror(NULL);
	printf("after\n");
}

START_TEST(strerror_r_writes_no_byte_beyond_the_message)
{
	static const int numbers[] = {0, ENOENT, E2BIG, MM_ENOTFOUND, MM_ENONAME, MM_EBADFMT, 1001, -1, INT_MIN};
	static const size_t sizes[] = {SIZE_MAX, SIZE_MAX / 2 + 1, SIZE_MAX / 2, SIZE_MAX - 4096, INT_MAX};
	char whole[64], guarded[64];

	for (int i = 0; i < MM_NELEM(numbers); i++) {
		int expected = mm_strerror_r(numbers[i], whole, sizeof(whole));
		size_t length = strlen(whole) + 1;

		for (int k = 0; k < MM_NELEM(sizes); k++) {
			/*
			 * The buffer has exactly the size of the message, whatever size the caller passes: the
			 * sanitizer and valgrind check its end.
			 */
			char *exact = malloc(length);

			ck_assert_ptr_nonnull(exact);
			ck_assert_int_eq(mm_strerror_r(numbers[i], exact, sizes[k]), expected);
			ck_assert_str_eq(exact, whole);
			free(exact);
		}
		for (size_t size = 0; size < sizeof(guarded); size++) {
			size_t written = size < length ? size : length;
			int too_small = numbers[i] >= 1000 && numbers[i] != 1001 ? -1 : ERANGE;

			memset(guarded, 'x', sizeof(guarded));
			ck_assert_int_eq(mm_strerror_r(numbers[i], guarded, size),
			                 expected != 0 || size >= length ? expected : too_small);
			for (size_t at = 0; at < sizeof(guarded); at++)
				ck_assert_int_eq(guarded[at], at >= written       ? 'x'
				                              : at + 1 == written ? '\0'
				                                                  : whole[at]);
		}
	}
}
END_TEST

START_TEST(print_lasterror_prints_through_stdio)
{
	ck_assert_str_eq(printed_by(print_without_error), "No error found in the state\n");
	ck_assert_str_eq(printed_by(print_errno_alone),
	                 "info 1\nError only found in errno: 2, No such file or directory\n");
	ck_assert_str_eq(printed_by(print_error), "before\n"
	                                          "Last error reported:\n"
	                                          "\terrnum=1005 : Object not found\n"
	                                          "\tmodule: mmlib\n"
	                                          "\tlocation: bar() in file.c:25\n"
	                                          "\tdescription: some text\n"
	                                          "\textented_id: some-id\n"
	                                          "Last error reported:\n"
	                                          "\terrnum=1005 : Object not found\n"
	                                          "\tmodule: mmlib\n"
	                                          "\tlocation: bar() in file.c:25\n"
	                                          "\tdescription: some text\n"
	                                          "\textented_id: \n"
	                                          "after\n");
}
END_TEST

/* The text of an error that is not logged is made when it is asked for. */
START_TEST(description_is_that_of_the_last_failure_whenever_it_is_asked_for)
{
	struct mm_error_state state;
	/* The kernel checks whether the buffer could have the size, which it cannot close to the end of the stack. */
	static char text[8];
	char expected[128];
	const char *description;
	/* valgrind reports sizes that exceed the buffer. */
	size_t size = is_under_valgrind() ? sizeof(text) : SIZE_MAX;

	ck_assert_int_eq(mm_read(1000, text, sizeof(text)), -1);
	description = mm_get_lasterror_desc();
	ck_assert_str_eq(description, "cannot read 8 bytes from file descriptor 1000 ; Bad file descriptor");
	ck_assert_int_eq(mm_recv(-5, text, size, 0), -1);
	/* Other calls that succeed or are ignored do not change it. */
	ck_assert_int_eq(mm_close(mm_dup(0)), 0);
	mm_error_set_flags(MM_ERROR_SET, MM_ERROR_IGNORE);
	ck_assert_int_eq(mm_read(2000, text, 1), -1);
	mm_error_set_flags(MM_ERROR_UNSET, MM_ERROR_IGNORE);
	errno = ENOTTY;
	ck_assert_int_eq(mm_save_errorstate(&state), 0);
	ck_assert_int_eq(mm_raise_error(EIO, "another"), -1);
	ck_assert_str_eq(mm_get_lasterror_desc(), "another");
	ck_assert_int_eq(mm_set_errorstate(&state), 0);
	snprintf(expected, sizeof(expected), "cannot receive %zu bytes from file descriptor -5 ; Bad file descriptor",
	         size);
	ck_assert_str_eq(mm_get_lasterror_desc(), expected);
	ck_assert_str_eq(mm_get_lasterror_module(), "mmlib");
	ck_assert_ptr_null(mm_get_lasterror_extid());
	ck_assert(strncmp(mm_get_lasterror_location(), "mm_recv() in src/capi/socket.rs:", 32) == 0);
	ck_assert_int_eq(mm_get_lasterror_number(), EBADF);
}
END_TEST

START_TEST(asking_for_the_text_preserves_errno)
{
	char text[8];

	ck_assert_int_eq(mm_read(1000, text, sizeof(text)), -1);
	errno = ENOTTY;
	ck_assert_str_ne(mm_get_lasterror_location(), "");
	ck_assert_int_eq(errno, ENOTTY);
	ck_assert_int_eq(mm_raise_error_with_extid(EIO, "id", "mine"), -1);
	ck_assert_int_eq(mm_read(1000, text, sizeof(text)), -1);
	ck_assert_ptr_null(mm_get_lasterror_extid());
}
END_TEST

SUITE(description_is_that_of_the_last_failure_whenever_it_is_asked_for, asking_for_the_text_preserves_errno,
      thread_starts_without_error, raise_error_sets_the_error_state_and_errno,
      raise_error_uses_the_module_name_at_the_call, raise_error_with_extid_stores_the_identifier,
      raise_error_formats_every_kind_of_argument, raise_error_vfull_takes_a_va_list,
      raise_error_replaces_null_by_unknown, raise_error_treats_a_null_description_as_empty,
      raise_error_truncates_each_string_to_its_field, raise_error_of_number_zero_replaces_the_error_and_keeps_errno,
      raise_error_can_extend_the_last_error, raise_error_format_can_use_errno, raise_error_handles_a_format_that_fails,
      raise_from_errno_appends_the_message_of_errno, raise_from_errno_does_not_truncate_a_long_format_before_formatting,
      ignored_errors_do_not_change_the_error_state, error_flags_change_only_under_the_mask,
      each_thread_has_its_own_error_state, saved_error_state_can_be_sent_to_another_process,
      saved_error_state_has_the_layout_of_mmlib, buffer_for_an_error_state_need_not_be_aligned,
      restored_error_state_is_terminated_whatever_its_bytes, restoring_an_empty_error_state_clears_errno,
      save_and_set_reject_null, strerror_knows_its_own_codes_and_those_of_the_system,
      strerror_r_of_an_own_code_truncates_and_reports_erange, strerror_r_of_a_system_code_follows_posix,
      strerror_r_writes_no_byte_beyond_the_message, print_lasterror_prints_through_stdio)
