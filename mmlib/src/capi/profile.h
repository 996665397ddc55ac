/* Statistics: bits of the mask of mm_profile_print(), and types of mm_profile_get_data(). */
#define PROF_CURR 0x01   /* the interval of the current iteration */
#define PROF_MIN 0x02    /* the shortest interval */
#define PROF_MAX 0x04    /* the longest interval */
#define PROF_MEAN 0x08   /* the mean of all intervals */
#define PROF_MEDIAN 0x10 /* an estimate of the median */
#define PROF_DEFAULT (PROF_MIN | PROF_MAX | PROF_MEAN | PROF_MEDIAN)

/* Units in the mask of mm_profile_print(). */
#define PROF_FORCE_NSEC 0x100 /* nanoseconds */
#define PROF_FORCE_USEC 0x200 /* microseconds */
#define PROF_FORCE_MSEC 0x300 /* milliseconds */
#define PROF_FORCE_SEC 0x400  /* seconds */

/* Flags of mm_profile_reset(). */
#define PROF_RESET_CPUCLOCK 0x01  /* measure CPU time of the process, not elapsed time */
#define PROF_RESET_KEEPLABEL 0x02 /* keep the labels of mm_toc_label() */

/**
 * mm_profile_print() - write a table of the statistics
 * @mask:       a bitwise OR of any of PROF_CURR, PROF_MIN, PROF_MAX, PROF_MEAN and PROF_MEDIAN (the columns of the
 *              table), and at most one of PROF_FORCE_NSEC, PROF_FORCE_USEC, PROF_FORCE_MSEC and PROF_FORCE_SEC (its
 *              unit); other bits are ignored
 * @fd:         file descriptor to which the table is written; standard I/O streams are not used
 *
 * The table has a line for each measure point, with its label, or its number, which begins with 1. The columns have a
 * fixed order: current, mean, min, max, median. A value of the column "current" is 0 if the current iteration has not
 * reached the point. The last line is the overhead that was subtracted from each interval. If there was no mm_tic() and
 * no mm_toc() since the last reset, only the last line is written.
 *
 * Without a unit in @mask, the first of nanoseconds, microseconds, milliseconds and seconds is used in which the least
 * value is less than 100 and the greatest is less than 10000, or in which their difference is less than 1. The decimal
 * mark is that of the locale (LC_NUMERIC).
 *
 * Each line is written by a call of mm_write(), the first two by one call. An interrupted or partial write is continued.
 *
 * Return: 0 on success; -1 on failure, and the error state is set. Part of the table may have been written.
 *
 * Errors:
 *   EIO              a write of 0 bytes
 *   as mm_write()    except EINTR
 *
 * Thread safety: MT-Unsafe: the calls of the functions of this header must be serialized
 * Signal safety: not async-signal-safe
 * Cancellation: cancellation point
 * Compatibility: differs from mmlib: an interval is counted once, however often the table is written; the mean counts
 *   the intervals of each point, not the iterations; an interrupted write is continued, and a write of 0 bytes fails.
 */
MMLIB_API int mm_profile_print(int mask, int fd);
