/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory.c: aligned blocks, and blocks on the stack or the heap
 */
#include "suite.h"

#include <mmlib.h>

#define IS_ALIGNED(pointer, alignment) (((uintptr_t)(pointer) & ((uintptr_t)(alignment)-1)) == 0)

/* What the library adds to a block of mm_malloca(): MM_STK_ALIGN of the default options, twice. */
#define OVERHEAD (2 * (size_t)(MM_STK_ALIGN < 16 ? MM_STK_ALIGN : 16))

/* A success must change neither errno nor the error state. */
static void forget_failures(void)
{
	suite_forget_error();
	errno = ENOENT;
}

static void assert_no_failure(void)
{
	int errno_now = errno;

	ck_assert_int_eq(errno_now, ENOENT);
	ck_assert_int_eq(mm_get_lasterror_number(), 0);
}

/* A size that the compiler does not know: it would warn of sizes that no block can have. */
static volatile size_t unknown_size;

static size_t unknown(size_t size)
{
	unknown_size = size;
	return unknown_size;
}

/* --- aligned blocks ----------------------------------------------------------------------------------------------- */

START_TEST(aligned_blocks_have_every_power_of_two_as_alignment)
{
	static const size_t sizes[] = {0, 1, 7, 8, 63, 64, 1000, 4096, 100000};

	for (size_t alignment = sizeof(void *); alignment <= page_size(); alignment *= 2) {
		for (int i = 0; i < MM_NELEM(sizes); i++) {
			forget_failures();
			unsigned char *block = mm_aligned_alloc(alignment, sizes[i]);

			ck_assert_ptr_nonnull(block);
			assert_no_failure();
			ck_assert(IS_ALIGNED(block, alignment));
			memset(block, 0xA5, sizes[i]);
			mm_aligned_free(block);
		}
	}
}
END_TEST

START_TEST(aligned_blocks_of_size_0_are_different)
{
	void *first = mm_aligned_alloc(16, 0), *second = mm_aligned_alloc(16, 0);

	ck_assert(first != NULL && second != NULL && first != second);
	mm_aligned_free(first);
	mm_aligned_free(second);
}
END_TEST

START_TEST(aligned_blocks_can_be_released_with_free)
{
	free(mm_aligned_alloc(4096, 100));
	mm_aligned_free(malloc(100));
}
END_TEST

START_TEST(other_alignments_are_invalid)
{
	/* The allocators of valgrind and of the sanitizer report them. */
	for (size_t alignment = 0; alignment < page_size() && !is_instrumented(); alignment++) {
		if (alignment >= sizeof(void *) && MM_IS_POW2(alignment))
			continue;
		assert_fails_with_null(mm_aligned_alloc(unknown(alignment), 10), EINVAL);
	}
}
END_TEST

START_TEST(aligned_blocks_that_are_too_large_are_refused)
{
	if (is_instrumented())
		return;
	assert_fails_with_null(mm_aligned_alloc(16, unknown(SIZE_MAX)), ENOMEM);
	assert_fails_with_null(mm_aligned_alloc(16, unknown(SIZE_MAX - 15)), ENOMEM);
	assert_fails_with_null(mm_aligned_alloc(page_size(), unknown(SIZE_MAX - page_size())), ENOMEM);
	assert_fails_with_null(mm_aligned_alloc(16, unknown(SIZE_MAX / 2)), ENOMEM);
}
END_TEST

START_TEST(aligned_free_accepts_null)
{
	forget_failures();
	mm_aligned_free(NULL);
	assert_no_failure();
}
END_TEST

/* --- blocks on the stack ------------------------------------------------------------------------------------------ */

START_TEST(stack_blocks_are_aligned_and_writable)
{
	for (size_t alignment = 1; alignment <= page_size() / 2; alignment *= 2) {
		for (size_t size = 0; size <= 4096; size = size * 3 + 1) {
			unsigned char *block = mm_aligned_alloca(alignment, size);

			ck_assert_ptr_nonnull(block);
			ck_assert(IS_ALIGNED(block, alignment));
			memset(block, 0x5A, size);
		}
	}
}
END_TEST

START_TEST(stack_blocks_do_not_overlap)
{
	unsigned char *blocks[20];

	for (int i = 0; i < MM_NELEM(blocks); i++) {
		blocks[i] = mm_aligned_alloca(64, 100);
		memset(blocks[i], i, 100);
	}
	for (int i = 0; i < MM_NELEM(blocks); i++)
		for (int k = 0; k < 100; k++)
			ck_assert_int_eq(blocks[i][k], i);
}
END_TEST

START_TEST(stack_blocks_with_other_alignments_are_null)
{
	for (size_t alignment = 0; alignment < 100; alignment++)
		if (alignment == 0 || !MM_IS_POW2(alignment))
			ck_assert_ptr_null(mm_aligned_alloca(alignment, 10));
	/* Nothing is taken from the stack. */
	ck_assert_ptr_null(mm_aligned_alloca(0, unknown(SIZE_MAX / 2)));
	ck_assert_ptr_null(mm_aligned_alloca(3, unknown(SIZE_MAX / 2)));
}
END_TEST

START_TEST(stack_macros_accept_any_expression)
{
	int is_large = (int)unknown(1), alignment = 128;
	void *block = mm_aligned_alloca(is_large ? 256 : 64, is_large ? 10 : 20);

	ck_assert(block != NULL && IS_ALIGNED(block, 256));
	block = mm_aligned_alloca(alignment | 0, 1 + 1);
	ck_assert(block != NULL && IS_ALIGNED(block, 128));
	block = mm_malloca(is_large ? 10 : 20000);
	ck_assert(block != NULL && IS_ALIGNED(block, 2 * MM_STK_ALIGN));
	block = mm_malloca(is_large ? 20000 : 10);
	ck_assert(block != NULL && !IS_ALIGNED(block, 2 * MM_STK_ALIGN));
	mm_freea(block);
}
END_TEST

/* --- blocks on the stack or the heap ------------------------------------------------------------------------------ */

START_TEST(malloca_uses_the_stack_up_to_the_threshold)
{
	static const size_t sizes[] = {0, 1, 2, 100, 2047, 2048};

	ck_assert_int_eq(MM_STACK_ALLOC_THRESHOLD, 2048);
	for (int i = 0; i < MM_NELEM(sizes); i++) {
		forget_failures();
		unsigned char *block = mm_malloca(sizes[i]);

		ck_assert_ptr_nonnull(block);
		ck_assert(IS_ALIGNED(block, 2 * MM_STK_ALIGN));
		memset(block, 0x3C, sizes[i]);
		mm_freea(block);
		assert_no_failure();
	}
}
END_TEST

START_TEST(malloca_uses_the_heap_above_the_threshold)
{
	static const size_t sizes[] = {2049, 2052, 4096, 100001, 1 << 24};

	for (int i = 0; i < MM_NELEM(sizes); i++) {
		forget_failures();
		unsigned char *block = mm_malloca(sizes[i]);

		ck_assert_ptr_nonnull(block);
		ck_assert_uint_eq((uintptr_t)block % OVERHEAD, OVERHEAD / 2);
		memset(block, 0x3C, sizes[i]);
		mm_freea(block);
		assert_no_failure();
	}
}
END_TEST

START_TEST(heap_blocks_are_recognized_by_their_address)
{
	/* Programs that were compiled with mmlib's header contain this rule. */
	for (size_t size = 0; size < 300; size++) {
		void *block = _mm_malloca_on_heap(size);

		ck_assert_ptr_nonnull(block);
		ck_assert_uint_eq((uintptr_t)block % OVERHEAD, OVERHEAD / 2);
		memset(block, 1, size);
		_mm_freea_on_heap(block);
	}
}
END_TEST

START_TEST(freea_releases_heap_blocks)
{
	struct rlimit before, limit;

	/* The memory of these blocks, if they were not released, is 10 times the limit. */
	if (is_instrumented())
		return;
	ck_assert_int_eq(getrlimit(RLIMIT_AS, &before), 0);
	limit = before;
	limit.rlim_cur = 1 << 30;
	ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
	for (int i = 0; i < 10240; i++) {
		void *block = mm_malloca(1 << 20);

		ck_assert_ptr_nonnull(block);
		mm_freea(block);
	}
	ck_assert_int_eq(setrlimit(RLIMIT_AS, &before), 0);
}
END_TEST

START_TEST(malloca_refuses_sizes_that_are_too_large)
{
	if (is_instrumented())
		return;
	/* With what is added to the block, the first sizes exceed the range of a size. */
	for (size_t less = 0; less < 4 * OVERHEAD; less++) {
		assert_fails_with_null(_mm_malloca_on_heap(unknown(SIZE_MAX - less)), ENOMEM);
		suite_forget_error();
		ck_assert_ptr_null(mm_malloca(unknown(SIZE_MAX - less)));
		ck_assert_int_eq(mm_get_lasterror_number(), ENOMEM);
	}
	assert_fails_with_null(_mm_malloca_on_heap(unknown(SIZE_MAX / 2)), ENOMEM);
}
END_TEST

START_TEST(malloca_takes_a_negative_size_for_a_large_one)
{
	if (is_instrumented())
		return;
	int size = (int)unknown((size_t)-1);

	suite_forget_error();
	ck_assert_ptr_null(mm_malloca(size));
	ck_assert_int_eq(mm_get_lasterror_number(), ENOMEM);
}
END_TEST

START_TEST(freea_accepts_null)
{
	forget_failures();
	mm_freea(NULL);
	_mm_freea_on_heap(NULL);
	assert_no_failure();
}
END_TEST

SUITE(aligned_blocks_have_every_power_of_two_as_alignment, aligned_blocks_of_size_0_are_different,
      aligned_blocks_can_be_released_with_free, other_alignments_are_invalid,
      aligned_blocks_that_are_too_large_are_refused, aligned_free_accepts_null, stack_blocks_are_aligned_and_writable,
      stack_blocks_do_not_overlap, stack_blocks_with_other_alignments_are_null, stack_macros_accept_any_expression,
      malloca_uses_the_stack_up_to_the_threshold, malloca_uses_the_heap_above_the_threshold,
      heap_blocks_are_recognized_by_their_address, freea_releases_heap_blocks, malloca_refuses_sizes_that_are_too_large,
      malloca_takes_a_negative_size_for_a_large_one, freea_accepts_null)
