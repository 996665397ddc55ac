/* SPDX-License-Identifier: Apache-2.0 */
/*
 * directory.c: calls of the functions for directory streams
 */
#include "calls.h"

#include <errno.h>

static MM_DIR *directories[KEPT];

void close_directories(void)
{
	for (int i = 0; i < KEPT; i++) {
		mm_closedir(directories[i]);
		directories[i] = NULL;
	}
}

void call_mm_opendir(struct input *in)
{
	MM_DIR **place = &directories[next_place()];

	mm_closedir(*place);
	*place = CALL_FAILING(NULL, mm_opendir, take_path(in));
}

void call_mm_closedir(struct input *in)
{
	MM_DIR **place = &directories[take_below(in, KEPT)];

	CALL_VOID(mm_closedir, *place);
	*place = NULL;
}

void call_mm_rewinddir(struct input *in)
{
	MM_DIR *dir = directories[take_below(in, KEPT)];
	struct call call;

	begin_call(&call, "mm_rewinddir");
	mm_rewinddir(dir);
	end_call(&call, dir == NULL);
	was_success(dir != NULL);
}

void call_mm_readdir(struct input *in)
{
	MM_DIR *dir = directories[take_below(in, KEPT)];
	int *status = take_output(in, sizeof(*status));
	struct call call;

	begin_call(&call, "mm_readdir");
	const struct mm_dirent *entry = mm_readdir(dir, status);
	bool has_failed = status != NULL ? *status != 0 : dir == NULL || (entry == NULL && errno != 0);

	end_call(&call, has_failed);
	if (was_success(entry != NULL)) {
		CHECK(!has_failed, "mm_readdir returned an entry and a failure");
		CHECK(entry->reclen == offsetof(struct mm_dirent, name) + strlen(entry->name) + 1,
		      "mm_readdir: %zu bytes for %s", entry->reclen, entry->name);
	}
}
