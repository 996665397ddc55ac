/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile.c: measuring the time of pieces of code
 */
#include "stderr.h"

#include <limits.h>
#include <locale.h>

#include <mmprofile.h>

#define ALL (PROF_CURR | PROF_MIN | PROF_MAX | PROF_MEAN | PROF_MEDIAN)

/* A millisecond in nanoseconds. */
#define MS 1000000

/* In the order of the columns. */
static const int statistics[] = {PROF_CURR, PROF_MEAN, PROF_MIN, PROF_MAX, PROF_MEDIAN};

/* --- mm_write(), which the library calls -------------------------------------------------------------------------- */

enum write_mode { WHOLE, PARTIAL, INTERRUPTED, EMPTY, REAL };

static enum write_mode write_mode;
static char written[1 << 16];
static size_t written_size;
static int write_calls;

/* Collects the text, unless it is requested to call the system. */
ssize_t mm_write(int fd, const void *buf, size_t nbyte)
{
	write_calls++;
	switch (write_mode) {
	case REAL: {
		ssize_t size = write(fd, buf, nbyte);

		return size >= 0 ? size : mm_raise_from_errno("write() failed");
	}
	case INTERRUPTED:
		if (write_calls % 3 != 0) {
			errno = EINTR;
			return mm_raise_error(EINTR, "interrupted");
		}
		break;
	case EMPTY:
		if (write_calls == 3)
			return 0;
		break;
	case PARTIAL:
		nbyte = nbyte < 7 ? nbyte : 7;
		break;
	default:
		break;
	}
	ck_assert_uint_lt(written_size + nbyte, sizeof(written));
	memcpy(written + written_size, buf, nbyte);
	written_size += nbyte;
	return (ssize_t)nbyte;
}

/* The table. */
static const char *printed(int mask)
{
	written_size = 0;
	write_calls = 0;
	suite_forget_error();
	errno = 12345;
	int result = mm_profile_print(mask, -1), number = errno;

	ck_assert_int_eq(result, 0);
	ck_assert_int_eq(number, 12345);
	ck_assert_int_eq(mm_get_lasterror_number(), 0);
	written[written_size] = '\0';
	return written;
}

/* A line of the table. */
static const char *line(const char *table, int number)
{
	static char lines[4][512];
	static int next;
	char *copy = lines[next++ % 4];

	for (int i = 0; i < number; i++) {
		table = strchr(table, '\n');
		ck_assert_ptr_nonnull(table);
		table++;
	}
	snprintf(copy, sizeof(lines[0]), "%.*s", (int)strcspn(table, "\n"), table);
	return copy;
}

static int count_lines(const char *table)
{
	int count = 0;

	for (; *table != '\0'; table++)
		count += *table == '\n';
	return count;
}

/* --- before and after a reset ------------------------------------------------------------------------------------- */

START_TEST(without_reset_the_overhead_is_0)
{
	ck_assert_str_eq(printed(PROF_DEFAULT), "toc overhead = 0 ns\n");
	mm_tic();
	mm_toc();
	/* The minimum is a sample: the interval itself. */
	for (int i = 0; i < MM_NELEM(statistics); i++)
		ck_assert_int_eq(mm_profile_get_data(0, statistics[i]), mm_profile_get_data(0, PROF_CURR));
	ck_assert_int_ge(mm_profile_get_data(0, PROF_CURR), 0);
	ck_assert_int_lt(mm_profile_get_data(0, PROF_CURR), 1000 * MS);
}
END_TEST

START_TEST(a_table_without_points_has_no_lines)
{
	mm_profile_reset(0);
	ck_assert_int_eq(count_lines(printed(PROF_DEFAULT)), 1);
	mm_tic();
	ck_assert_str_eq(line(printed(PROF_CURR | PROF_MAX), 0), " | current    |     max    |");
	ck_assert_str_eq(line(written, 1), "----------------------------");
	ck_assert_int_eq(count_lines(written), 3);
	ck_assert_str_eq(line(printed(0), 0), " |");
	ck_assert_int_eq(strncmp(line(written, 2), "toc overhead = ", 15), 0);
	mm_profile_reset(0);
	ck_assert_int_eq(count_lines(printed(PROF_DEFAULT)), 1);
}
END_TEST

START_TEST(the_overhead_is_measured)
{
	static const int flags[] = {0, PROF_RESET_CPUCLOCK, ~PROF_RESET_CPUCLOCK};
	int overhead = -1;
	char end;

	for (int i = 0; i < MM_NELEM(flags); i++) {
		mm_profile_reset(flags[i]);
		ck_assert_int_eq(sscanf(printed(ALL), "toc overhead = %d ns%c", &overhead, &end), 2);
		ck_assert_int_eq(end, '\n');
		ck_assert_int_ge(overhead, 0);
		ck_assert_int_lt(overhead, 1000000);
	}
}
END_TEST

START_TEST(the_clock_is_selected_by_the_reset)
{
	mm_profile_reset(0);
	mm_tic();
	sleep_ms(50);
	mm_toc();
	ck_assert_int_ge(mm_profile_get_data(0, PROF_CURR), 45 * MS);
	mm_profile_reset(PROF_RESET_CPUCLOCK);
	mm_tic();
	sleep_ms(300);
	mm_toc();
	ck_assert_int_lt(mm_profile_get_data(0, PROF_CURR), 150 * MS);
	mm_profile_reset(0);
	mm_tic();
	sleep_ms(50);
	mm_toc();
	ck_assert_int_ge(mm_profile_get_data(0, PROF_CURR), 45 * MS);
}
END_TEST

/* --- statistics --------------------------------------------------------------------------------------------------- */

START_TEST(invalid_points_and_types_are_minus_1)
{
	static const int types[] = {0, PROF_MIN | PROF_MAX, PROF_DEFAULT, 0x20, 0x101, -1, INT_MIN};

	mm_profile_reset(0);
	ck_assert_int_eq(mm_profile_get_data(0, PROF_MAX), -1);
	mm_tic();
	ck_assert_int_eq(mm_profile_get_data(0, PROF_MAX), -1);
	sleep_ms(1);
	mm_toc();
	suite_forget_error();
	ck_assert_int_gt(mm_profile_get_data(0, PROF_MAX), 0);
	ck_assert_int_eq(mm_profile_get_data(1, PROF_MAX), -1);
	ck_assert_int_eq(mm_profile_get_data(-1, PROF_MAX), -1);
	ck_assert_int_eq(mm_profile_get_data(INT_MIN, PROF_MAX), -1);
	ck_assert_int_eq(mm_profile_get_data(INT_MAX, PROF_MAX), -1);
	for (int i = 0; i < MM_NELEM(types); i++)
		ck_assert_int_eq(mm_profile_get_data(0, types[i]), -1);
	ck_assert_int_eq(mm_get_lasterror_number(), 0);
}
END_TEST

START_TEST(an_iteration_has_at_most_14_points)
{
	mm_profile_reset(0);
	mm_tic();
	for (int i = 0; i < 14; i++) {
		sleep_ms(1);
		mm_toc();
	}
	sleep_ms(1);
	int64_t last = mm_profile_get_data(13, PROF_CURR);

	mm_toc();
	mm_toc_label("ignored");
	for (int i = 0; i < 14; i++)
		ck_assert_int_gt(mm_profile_get_data(i, PROF_MAX), MS / 2);
	ck_assert_int_eq(mm_profile_get_data(13, PROF_CURR), last);
	ck_assert_int_eq(mm_profile_get_data(14, PROF_MAX), -1);
	ck_assert_int_eq(count_lines(printed(ALL)), 2 + 14 + 1);
	ck_assert_ptr_null(strstr(written, "ignored"));
	ck_assert_int_eq(strncmp(line(written, 15), "14 |", 4), 0);
}
END_TEST

START_TEST(printing_does_not_change_the_statistics)
{
	int64_t before[MM_NELEM(statistics)];
	char first[4096];

	mm_profile_reset(0);
	for (int i = 0; i < 3; i++) {
		mm_tic();
		sleep_ms(2 + i);
		mm_toc();
	}
	for (int i = 0; i < MM_NELEM(statistics); i++)
		before[i] = mm_profile_get_data(0, statistics[i]);
	snprintf(first, sizeof(first), "%s", printed(ALL));
	ck_assert_str_eq(printed(ALL), first);
	for (int i = 0; i < MM_NELEM(statistics); i++)
		ck_assert_int_eq(mm_profile_get_data(0, statistics[i]), before[i]);
	/* Current, mean, minimum and maximum. */
	ck_assert_int_ge(before[0], before[2]);
	ck_assert(before[1] >= before[2] && before[1] <= before[3]);
}
END_TEST

START_TEST(points_that_are_not_reached_are_not_averaged)
{
	mm_profile_reset(0);
	mm_tic();
	mm_toc();
	sleep_ms(20);
	mm_toc();
	int64_t once = mm_profile_get_data(1, PROF_CURR);

	for (int i = 0; i < 9; i++) {
		mm_tic();
		mm_toc();
	}
	ck_assert_int_eq(mm_profile_get_data(1, PROF_MEAN), once);
	ck_assert_int_eq(mm_profile_get_data(1, PROF_CURR), 0);
	ck_assert_int_lt(mm_profile_get_data(0, PROF_MEAN), once);
}
END_TEST

/* --- the table ---------------------------------------------------------------------------------------------------- */

START_TEST(values_are_in_the_requested_unit)
{
	static const struct {
		int mask;
		const char *name;
		double length;
	} units[] = {{PROF_FORCE_NSEC, "ns", 1},
	             {PROF_FORCE_USEC, "us", 1e3},
	             {PROF_FORCE_MSEC, "ms", 1e6},
	             {PROF_FORCE_SEC, "s", 1e9}};

	mm_profile_reset(0);
	mm_tic();
	sleep_ms(3);
	mm_toc_label("sleep");
	mm_toc();
	for (int i = 0; i < MM_NELEM(units); i++) {
		/* One sample, so that the mean is an integer too. */
		for (int mask = 0; mask <= ALL; mask++) {
			const char *table = printed(mask | units[i].mask);
			static const char *const titles[] = {" current    |", "    mean    |", "     min    |",
			                                     "     max    |", "  median    |"};
			char header[512] = "      |", rows[2][512] = {"sleep |", "    2 |"};

			for (int n = 0; n < MM_NELEM(statistics); n++) {
				if (!(mask & statistics[n]))
					continue;
				strcat(header, titles[n]);
				for (int point = 0; point < 2; point++) {
					double value = (double)mm_profile_get_data(point, statistics[n]);

					sprintf(rows[point] + strlen(rows[point]), "%8.2f %2s |",
					        value / units[i].length, units[i].name);
				}
			}
			ck_assert_str_eq(line(table, 0), header);
			ck_assert_uint_eq(strspn(line(table, 1), "-"), strlen(header));
			ck_assert_uint_eq(strlen(line(table, 1)), strlen(header));
			ck_assert_str_eq(line(table, 2), rows[0]);
			ck_assert_str_eq(line(table, 3), rows[1]);
			ck_assert_int_eq(count_lines(table), 5);
			/* A write for the header, each point, and the last line. */
			ck_assert_int_eq(write_calls, 4);
		}
	}
}
END_TEST

START_TEST(a_single_value_is_in_nanoseconds)
{
	char expected[64];

	mm_profile_reset(0);
	mm_tic();
	sleep_ms(20);
	mm_toc();
	snprintf(expected, sizeof(expected), " 1 |%8.2f ns |", (double)mm_profile_get_data(0, PROF_MAX));
	ck_assert_str_eq(line(printed(PROF_MAX), 2), expected);
	mm_toc();
	ck_assert_ptr_nonnull(strstr(line(printed(PROF_MAX), 2), " ms |"));
	/* These are not units. */
	ck_assert_ptr_nonnull(strstr(line(printed(PROF_MAX | 0x500), 2), " ms |"));
	ck_assert_ptr_nonnull(strstr(line(printed(PROF_MAX | 0x700), 2), " ms |"));
}
END_TEST

START_TEST(the_first_label_of_a_point_is_kept)
{
	char label[] = "first";

	mm_profile_reset(0);
	for (int i = 0; i < 2; i++) {
		mm_tic();
		mm_toc_label(label);
		mm_toc_label(NULL);
		mm_toc_label("");
		/* The label was copied. */
		strcpy(label, "later");
	}
	ck_assert_str_eq(line(printed(0), 2), "first |");
	ck_assert_str_eq(line(written, 3), "    2 |");
	ck_assert_str_eq(line(written, 4), "      |");
	mm_tic();
	mm_toc_label("another");
	mm_toc_label("the second");
	ck_assert_str_eq(line(printed(0), 2), "     first |");
	ck_assert_str_eq(line(written, 3), "the second |");
}
END_TEST

START_TEST(labels_are_truncated_to_63_bytes)
{
	char label[101], expected[68];

	memset(label, 'x', 100);
	label[100] = '\0';
	snprintf(expected, sizeof(expected), "%.63s |", label);
	mm_profile_reset(0);
	mm_tic();
	mm_toc_label(label);
	ck_assert_str_eq(line(printed(0), 2), expected);
}
END_TEST

START_TEST(resets_keep_labels_if_requested)
{
	mm_profile_reset(0);
	mm_tic();
	mm_toc();
	mm_toc_label("kept");
	mm_profile_reset(PROF_RESET_KEEPLABEL);
	mm_tic();
	/* The overhead is measured without labels: this point still accepts one. */
	mm_toc_label("new");
	mm_toc();
	ck_assert_str_eq(line(printed(0), 2), " new |");
	ck_assert_str_eq(line(written, 3), "kept |");
	mm_profile_reset(0);
	mm_tic();
	mm_toc();
	mm_toc();
	ck_assert_str_eq(line(printed(0), 2), " 1 |");
	ck_assert_str_eq(line(written, 3), " 2 |");
}
END_TEST

START_TEST(a_label_of_the_first_time_stamp_is_ignored)
{
	mm_profile_reset(0);
	mm_toc_label("no point");
	mm_toc();
	ck_assert_str_eq(line(printed(0), 2), " 1 |");
}
END_TEST

START_TEST(the_decimal_mark_is_that_of_the_locale)
{
	static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "it_IT.UTF-8"};
	int i = 0;

	while (i < MM_NELEM(names) && setlocale(LC_NUMERIC, names[i]) == NULL)
		i++;
	mm_profile_reset(0);
	mm_tic();
	mm_toc();
	const char *row = line(printed(PROF_CURR | PROF_FORCE_SEC), 2);

	/* If no such locale is installed, it is a dot. */
	ck_assert_ptr_nonnull(strstr(row, i < MM_NELEM(names) ? "0,00 " : "0.00 "));
}
END_TEST

/* --- writing ------------------------------------------------------------------------------------------------------ */

static void measure_labelled(void)
{
	mm_profile_reset(0);
	mm_tic();
	mm_toc_label("the first point");
	mm_toc();
}

START_TEST(partial_and_interrupted_writes_are_continued)
{
	char expected[4096];

	measure_labelled();
	snprintf(expected, sizeof(expected), "%s", printed(ALL));
	write_mode = PARTIAL;
	ck_assert_str_eq(printed(ALL), expected);
	ck_assert_int_gt(write_calls, 20);
	write_mode = INTERRUPTED;
	ck_assert_str_eq(printed(ALL), expected);
	ck_assert_int_eq(write_calls, 12);
}
END_TEST

START_TEST(a_write_of_0_bytes_is_an_error)
{
	measure_labelled();
	write_mode = EMPTY;
	assert_fails(mm_profile_print(ALL, -1), EIO);
	ck_assert_int_eq(write_calls, 3);
}
END_TEST

/* The call must fail with an error of mm_write(). */
static void assert_write_fails(int fd, int error)
{
	suite_forget_error();
	int result = mm_profile_print(ALL, fd), number = errno;

	ck_assert_int_eq(result, -1);
	ck_assert_int_eq(number, error);
	ck_assert_int_eq(mm_get_lasterror_number(), error);
}

START_TEST(errors_of_writing_are_returned)
{
	int ends[2];

	measure_labelled();
	write_mode = REAL;
	assert_write_fails(-1, EBADF);
	ck_assert_int_eq(write_calls, 1);
	ck_assert_int_eq(mm_pipe(ends), 0);
	assert_write_fails(ends[0], EBADF);
	close_all(1, &ends[0]);
	signal(SIGPIPE, SIG_IGN);
	assert_write_fails(ends[1], EPIPE);
	close_all(1, &ends[1]);
	assert_write_fails(ends[1], EBADF);
}
END_TEST

static volatile pid_t printer_id;

static void *print(void *fd)
{
	printer_id = thread_id();
	mm_profile_print(ALL, *(int *)fd);
	return NULL;
}

START_TEST(a_thread_that_writes_is_cancelled)
{
	char block[4096] = "";
	int ends[2];

	measure_labelled();
	write_mode = REAL;
	ck_assert_int_eq(pipe2(ends, O_NONBLOCK), 0);
	while (write(ends[1], block, sizeof(block)) > 0)
		;
	ck_assert_int_eq(fcntl(ends[1], F_SETFL, 0), 0);
	pthread_t thread = start_thread(print, &ends[1]);

	while (printer_id == 0)
		sched_yield();
	wait_until_asleep(printer_id);
	ck_assert_int_eq(pthread_cancel(thread), 0);
	ck_assert_ptr_eq(join_thread(thread), PTHREAD_CANCELED);
	close_all(2, ends);
	write_mode = WHOLE;
	ck_assert_int_eq(count_lines(printed(ALL)), 5);
}
END_TEST

/* --- misuse ------------------------------------------------------------------------------------------------------- */

static void *measure_without_lock(void *arg)
{
	(void)arg;
	for (int i = 0; i < 20000; i++) {
		mm_tic();
		mm_toc_label("label");
		mm_toc();
		mm_profile_get_data(i % 20, PROF_MEDIAN);
	}
	return NULL;
}

START_TEST(calls_that_are_not_serialized_do_not_crash)
{
	pthread_t threads[4];

	mm_profile_reset(0);
	for (int i = 0; i < MM_NELEM(threads); i++)
		threads[i] = start_thread(measure_without_lock, NULL);
	for (int i = 0; i < 100; i++) {
		written_size = 0;
		ck_assert_int_eq(mm_profile_print(ALL, -1), 0);
	}
	for (int i = 0; i < MM_NELEM(threads); i++)
		join_thread(threads[i]);
	mm_profile_reset(0);
	mm_tic();
	mm_toc();
	ck_assert_int_eq(count_lines(printed(ALL)), 4);
}
END_TEST

SUITE(without_reset_the_overhead_is_0, a_table_without_points_has_no_lines, the_overhead_is_measured,
      the_clock_is_selected_by_the_reset, invalid_points_and_types_are_minus_1, an_iteration_has_at_most_14_points,
      printing_does_not_change_the_statistics, points_that_are_not_reached_are_not_averaged,
      values_are_in_the_requested_unit, a_single_value_is_in_nanoseconds, the_first_label_of_a_point_is_kept,
      labels_are_truncated_to_63_bytes, resets_keep_labels_if_requested, a_label_of_the_first_time_stamp_is_ignored,
      the_decimal_mark_is_that_of_the_locale, partial_and_interrupted_writes_are_continued,
      a_write_of_0_bytes_is_an_error, errors_of_writing_are_returned, a_thread_that_writes_is_cancelled,
      calls_that_are_not_serialized_do_not_crash)
