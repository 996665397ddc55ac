/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile.c: mm_profile_print(), which writes: a thread that is cancelled then leaves this frame, which has nothing to
 * clean up
 */
#include <errno.h>
#include <stddef.h>
#include <sys/types.h>

#include "mmerrno.h"
#include "mmprofile.h"
#include "mmsysio.h"

#define HIDDEN __attribute__((visibility("hidden")))

/* Defined in src/capi/profile_part.rs. */
HIDDEN size_t mmlib_profile_part(int mask, size_t part, char *text, size_t size);

/* PART_SIZE of src/profile/table.rs. */
#define PART_SIZE 512

/* Writes the whole text. A write that was interrupted is repeated, and leaves no trace in the error state. */
static int write_all(int fd, const char *text, size_t length, const struct mm_error_state *initial_state)
{
	int initial_errno = errno;

	while (length > 0) {
		ssize_t written = mm_write(fd, text, length);

		if (written > 0) {
			text += written;
			length -= (size_t)written;
		} else if (written == 0) {
			errno = EIO;
			return mm_raise_error_full(EIO, "mmlib", "mm_profile_print", "mmlib/src/profile.c", __LINE__,
			                           NULL, "cannot write to file descriptor %d: 0 bytes written", fd);
		} else if (errno == EINTR) {
			mm_set_errorstate(initial_state);
			errno = initial_errno;
		} else {
			return -1;
		}
	}
	return 0;
}

int mm_profile_print(int mask, int fd)
{
	struct mm_error_state initial_state;
	char text[PART_SIZE];
	size_t length;

	mm_save_errorstate(&initial_state);
	for (size_t part = 0; (length = mmlib_profile_part(mask, part, text, sizeof(text))) > 0; part++)
		if (write_all(fd, text, length, &initial_state) != 0)
			return -1;
	return 0;
}
