/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arguments.c: arguments of every kind, derived from the input
 */
#include "calls.h"

char *take_bytes_as_string(struct input *in, size_t size)
{
	char bytes[256];
	size_t length = 0;

	while (length < size && length < sizeof(bytes) && in->size > 0) {
		bytes[length] = (char)take_byte(in);
		if (bytes[length] == '\0')
			break;
		length++;
	}
	return exact_string(bytes, length);
}

char *take_repeated(struct input *in, const char *part, const unsigned *lengths, unsigned count)
{
	char text[5000];
	unsigned length = lengths[take_below(in, count)];

	for (unsigned i = 0; i < length; i++)
		text[i] = part[i % strlen(part)];
	return exact_string(text, length);
}

char *take_path(struct input *in)
{
	static const char *const names[] = {
		"a",
		"x",
		"d",
		"d/f",
		"l",
		"loop",
		"y",
		"x/y",
		"d/x",
		"..",
		".",
		"",
		"/",
		"/w",
		"/w/d/",
		"x/y/z/",
		"a/b",
		"/etc/hosts",
		"d/../x",
		"line\nbreak\033[2J",
		"\xff\xfe\x80",
		"d//f",
		"/bin/true",
		"./x/./y",
		"l/x",
		"x/../..",
	};
	static const unsigned lengths[] = {255, 256, 4095, 4096, 300, 4999};
	char joined[600];
	const char *name;

	switch (take_below(in, 16)) {
	default:
		name = TAKE_ONE(in, names);
		return exact_string(name, strlen(name));
	case 11:
	case 12:
		name = TAKE_ONE(in, names);
		snprintf(joined, sizeof(joined), "%s/%s", name, TAKE_ONE(in, names));
		return exact_string(joined, strlen(joined));
	case 13:
		return take_bytes_as_string(in, 1 + take_below(in, 64));
	case 14:
		return take_repeated(in, take_chance(in, 2) ? "long" : "a-name-of-a-directory-among-many/", lengths,
		                     MM_NELEM(lengths));
	case 15:
		return take_chance(in, 2) ? no_memory() : NULL;
	}
}

char *take_name(struct input *in, const char *const *names, unsigned count)
{
	static const unsigned lengths[] = {107, 108, 254, 255, 256, 1000};
	const char *name;

	switch (take_below(in, 8)) {
	default:
		name = names[take_below(in, count)];
		return exact_string(name, strlen(name));
	case 5:
		return take_bytes_as_string(in, 1 + take_below(in, 120));
	case 6:
		return take_repeated(in, "name", lengths, MM_NELEM(lengths));
	case 7:
		return NULL;
	}
}

size_t take_size(struct input *in)
{
	static const unsigned sizes[] = {0, 1, 2, 8, 16, 100, 256, 1024, 4096, 65535, 3, 5, 64, 300};

	return TAKE_ONE(in, sizes);
}

void *take_memory(struct input *in, size_t size)
{
	uint8_t *memory = exact_memory(size);

	for (size_t i = 0; i < size; i++)
		memory[i] = i < 64 ? take_byte(in) : (uint8_t)i;
	return memory;
}

void *take_kernels_memory(struct input *in, size_t size)
{
	switch (take_below(in, 12)) {
	default:
		return take_memory(in, size);
	case 10:
		return no_memory();
	case 11:
		return NULL;
	}
}

void *take_output(struct input *in, size_t size)
{
	return take_chance(in, 12) ? NULL : exact_memory(size);
}

int take_mode(struct input *in)
{
	static const int modes[] = {0666, 0777, 0, 0400, MODE_DEF, MODE_EXEC, MODE_XDEF, 01777, 07777, -1};

	return TAKE_ONE(in, modes);
}

int take_flags(struct input *in)
{
	static const int flags[] = {
		0,
		MM_RECURSIVE,
		MM_NOFOLLOW,
		MM_FAILONERROR,
		MM_NOCOW,
		MM_FORCECOW,
		MM_DT_ANY,
		MM_DT_REG,
		MM_DT_DIR,
		MM_DT_LNK,
		MM_DT_ANY | MM_RECURSIVE,
		MM_DT_REG | MM_RECURSIVE,
		MM_DT_ANY | MM_RECURSIVE | MM_FAILONERROR,
		MM_NOFOLLOW | MM_NOCOW,
		MM_NOCOW | MM_FORCECOW,
		-1,
	};

	return take_chance(in, 8) ? take_int(in) : TAKE_ONE(in, flags);
}

struct iovec *take_iov(struct input *in, int *count)
{
	int buffers = (int)take_below(in, 5);
	struct iovec *iov = exact_memory((size_t)buffers * sizeof(*iov));

	for (int i = 0; i < buffers; i++) {
		size_t size = take_size(in);
		void *base = take_kernels_memory(in, size);

		iov[i] = (struct iovec){base, take_chance(in, 24) ? SIZE_MAX : size};
	}
	*count = buffers;
	switch (take_below(in, 24)) {
	case 20:
		*count = -1;
		break;
	case 21:
		*count = 1025;
		break;
	case 22:
		*count = INT32_MAX;
		break;
	case 23:
		return take_chance(in, 2) ? NULL : no_memory();
	}
	return iov;
}
