/* SPDX-License-Identifier: Apache-2.0 */
/*
 * map.c: calls of the functions for memory maps and shared memory
 */
#include "calls.h"

#include <fcntl.h>

static void *maps[KEPT];

void unmap_all(void)
{
	for (int i = 0; i < KEPT; i++) {
		mm_unmap(maps[i]);
		maps[i] = NULL;
	}
}

void call_mm_mapfile(struct input *in)
{
	int fd = any_descriptor(in);
	int64_t offset = take_chance(in, 4) ? take_int64(in) : 4096 * take_below(in, 3);
	size_t size = take_chance(in, 4) ? (size_t)take_int64(in) : take_size(in);
	void **place = &maps[next_place()];

	mm_unmap(*place);
	*place = CALL_FAILING(NULL, mm_mapfile, fd, offset, size, (int)take_byte(in));
}

void call_mm_unmap(struct input *in)
{
	void **place = &maps[take_below(in, KEPT)];
	void *address = *place;

	if (take_chance(in, 4)) {
		CALL(mm_unmap, (void *)((uintptr_t)address + 1 + take_byte(in)));
		return;
	}
	*place = NULL;
	CALL(mm_unmap, address);
}

static char *take_shared_name(struct input *in)
{
	static const char *const names[] = {"/one", "two", "/", "", "..", "/a/b", "/.", "//one", "/li\nne"};

	return take_name(in, names, MM_NELEM(names));
}

void call_mm_shm_open(struct input *in)
{
	static const int flags[] = {O_RDWR | O_CREAT, O_RDONLY, O_RDWR | O_CREAT | O_EXCL,
	                            O_RDWR | O_TRUNC, O_WRONLY, -1};
	char *name = take_shared_name(in);
	int oflag = TAKE_ONE(in, flags) & ~O_ASYNC;

	world_has_changed();
	adopt(CALL(mm_shm_open, name, oflag, take_mode(in)));
}

void call_mm_anon_shm(struct input *in)
{
	(void)in;
	adopt(CALL(mm_anon_shm));
}

void call_mm_shm_unlink(struct input *in)
{
	world_has_changed();
	CALL(mm_shm_unlink, take_shared_name(in));
}
