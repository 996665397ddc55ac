/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dlfcn.c: the functions of mmdlfcn.h that run code of the loaded library
 *
 * They are in C, because the constructors and destructors of a library may end the thread: its frames are then unwound,
 * which those of Rust do not permit. A path with an extension leaks in this case: a cleanup handler in a function that
 * exceptions pass through would need libgcc_s.
 */
#include <dlfcn.h>
#include <stdlib.h>

#include "mmdlfcn.h"

#define HIDDEN __attribute__((visibility("hidden")))

/* In capi/dlopen.rs. The first sets *joined to the path if it has allocated it, the second frees it. Both raise errors. */
HIDDEN int mmlib_dlopen_arguments(const char *path, int flags, char **joined, int *mode);
HIDDEN void mmlib_dlopen_failed(const char *path, char *joined);

mm_dynlib_t *mm_dlopen(const char *path, int flags)
{
	char *joined = NULL;
	void *handle;
	int mode;

	if (mmlib_dlopen_arguments(path, flags, &joined, &mode) != 0)
		return NULL;
	handle = dlopen(joined != NULL ? joined : path, mode);
	if (handle == NULL)
		mmlib_dlopen_failed(path, joined);
	else
		free(joined);
	return handle;
}

void mm_dlclose(mm_dynlib_t *handle)
{
	if (handle != NULL)
		dlclose(handle);
}
