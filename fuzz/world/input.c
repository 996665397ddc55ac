/* SPDX-License-Identifier: Apache-2.0 */
/*
 * input.c: values derived from the bytes of an input: numbers, memory for values, and descriptors
 */
#include "internal.h"

#include <sys/mman.h>
#include <unistd.h>

/* --- numbers ------------------------------------------------------------------------------------------------------ */

uint8_t take_byte(struct input *in)
{
	if (in->size == 0)
		return 0;
	in->size--;
	return *in->data++;
}

uint32_t take_u32(struct input *in)
{
	uint32_t value = 0;

	for (int i = 0; i < 4; i++)
		value = value << 8 | take_byte(in);
	return value;
}

uint64_t take_u64(struct input *in)
{
	uint64_t high = take_u32(in);

	return high << 32 | take_u32(in);
}

unsigned take_below(struct input *in, unsigned limit)
{
	return take_byte(in) % limit;
}

bool take_chance(struct input *in, unsigned one_in)
{
	return take_byte(in) % one_in == one_in - 1;
}

int64_t take_int64(struct input *in)
{
	static const int64_t edges[] = {
		0,          1,         -1,        2,    INT32_MAX, INT32_MIN,  (int64_t)INT32_MAX + 1,
		UINT32_MAX, INT64_MAX, INT64_MIN, 4096, 65536,     1000000000, 999999999,
		1024,       1025,      -2,        255,  256,
	};
	uint8_t kind = take_byte(in);

	if (kind < 128)
		return kind;
	if (kind < 240)
		return edges[kind % MM_NELEM(edges)];
	return (int64_t)take_u64(in);
}

int take_int(struct input *in)
{
	return (int)take_int64(in);
}

/* --- memory ------------------------------------------------------------------------------------------------------- */

/* Blocks of memory, each followed by an inaccessible page. */
#define SLOTS 160
#define SLOT_SIZE 65536
static char *slots;
static unsigned next_slot;
static size_t slot_stride;

void make_memory(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	slot_stride = SLOT_SIZE + page;
	slots = mmap(NULL, SLOTS * slot_stride, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (slots == MAP_FAILED)
		die("mapping memory");
	for (size_t i = 0; i < SLOTS; i++) {
		if (mprotect(slots + i * slot_stride, SLOT_SIZE, PROT_READ | PROT_WRITE) != 0)
			die("protecting memory");
	}
}

void reuse_memory(void)
{
	next_slot = 0;
}

void *exact_memory(size_t size)
{
	char *slot = slots + (next_slot++ % SLOTS) * slot_stride;

	return slot + SLOT_SIZE - (size < SLOT_SIZE ? size : SLOT_SIZE);
}

char *exact_string(const void *bytes, size_t size)
{
	char *string;

	if (size > SLOT_SIZE - 1)
		size = SLOT_SIZE - 1;
	string = exact_memory(size + 1);
	memcpy(string, bytes, size);
	string[size] = '\0';
	return string;
}

void *no_memory(void)
{
	return slots + SLOT_SIZE;
}

/* --- descriptors -------------------------------------------------------------------------------------------------- */

int owned_descriptor(struct input *in)
{
	int start = take_byte(in) % 24;

	for (int i = 0; i < WORLD_DESCRIPTORS; i++) {
		int fd = (start + i) % WORLD_DESCRIPTORS;

		if (fd > 2 && is_owned(fd))
			return fd;
	}
	return -1;
}

int any_descriptor(struct input *in)
{
	static const int others[] = {-1, 0, 1, 100, WORLD_DESCRIPTORS, INT32_MAX, INT32_MIN, -100};

	return take_chance(in, 8) ? TAKE_ONE(in, others) : owned_descriptor(in);
}
