/* SPDX-License-Identifier: Apache-2.0 */
/*
 * placeholders.h: the files of programs/placeholders.c, which copy_fuse.c copies
 */
#ifndef PLACEHOLDERS_H
#define PLACEHOLDERS_H

#include <stdbool.h>
#include <sys/types.h>

static const struct placeholder {
	const char *name;
	/* The size that read() returns, and the reported one. */
	off_t length, size;
	blkcnt_t blocks;
	/* Reading a byte from this offset on fails, if it is not 0. */
	off_t fails_at;
	/* The kernel caches its content, which ends at the reported size. */
	bool is_cached;
	/* Reading fails while the file is non-blocking. */
	bool would_block;
} placeholders[] = {
	{.name = "true", .length = 300000, .size = 300000, .blocks = 586},
	{.name = "none", .length = 300000, .size = 0},
	{.name = "little", .length = 300000, .size = 100, .blocks = 1},
	{.name = "little-in-no-blocks", .length = 300000, .size = 100},
	{.name = "much", .length = 300000, .size = 1 << 20, .blocks = 2048},
	{.name = "much-in-no-blocks", .length = 300000, .size = 1 << 20},
	{.name = "much-cached", .length = 300000, .size = 1 << 20, .is_cached = true},
	{.name = "most-of-all", .length = 300000, .size = (off_t)1 << 40},
	{.name = "nothing-at-all", .length = 0, .size = 4096},
	{.name = "slow", .length = 300000, .size = 300000, .blocks = 586, .would_block = true},
	{.name = "broken", .length = 600000, .size = 600000, .blocks = 1172, .fails_at = 400000},
	{.name = "broken-cached",
         .length = 600000,
         .size = 600000,
         .blocks = 1172,
         .fails_at = 400000,
         .is_cached = true},
	{.name = "broken-without-size", .length = 600000, .size = 0, .fails_at = 400000},
	{.name = "broken-in-no-blocks", .length = 600000, .size = 600000, .fails_at = 400000},
};

/* Contains no NUL byte. */
static inline char placeholder_byte(off_t offset)
{
	return (char)('a' + (offset * 7 + offset / 26) % 26);
}

#endif
