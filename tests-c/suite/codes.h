/* SPDX-License-Identifier: Apache-2.0 */
/*
 * codes.h: the functions of mmthread.h, which return positive error numbers
 */
#ifndef CODES_H
#define CODES_H

#include "stderr.h"

#include <mmthread.h>

/* An errno value that no function sets. */
#define UNTOUCHED 12345

/* The call must return that error number, and raise it. */
#define assert_raises(call, error)                                                             \
	do {                                                                                   \
		suite_forget_error();                                                          \
		int codes_result = (call), codes_errno = errno;                                \
		ck_assert_msg(codes_result == (error), "%s returned %d", #call, codes_result); \
		errno = codes_errno;                                                           \
		suite_assert_error(#call, error);                                              \
	} while (0)

/* The call must return that error number or 0, and change neither the error state nor errno. */
#define assert_returns(call, number)                                                               \
	do {                                                                                       \
		suite_forget_error();                                                              \
		errno = UNTOUCHED;                                                                 \
		int codes_result = (call), codes_errno = errno;                                    \
		ck_assert_msg(codes_result == (number), "%s returned %d", #call, codes_result);    \
		ck_assert_msg(codes_errno == UNTOUCHED, "%s set errno to %d", #call, codes_errno); \
		ck_assert_msg(mm_get_lasterror_number() == 0, "%s raised an error", #call);        \
	} while (0)

/* Memory of that size that this process shares with its children. It is released when the test ends. */
static inline void *shared_memory(size_t size)
{
	int fd = mm_anon_shm();

	ck_assert_int_eq(mm_ftruncate(fd, (mm_off_t)size), 0);
	void *memory = mm_mapfile(fd, 0, size, MM_MAP_RDWR | MM_MAP_SHARED);

	ck_assert_ptr_nonnull(memory);
	close_all(1, &fd);
	return memory;
}

#endif
