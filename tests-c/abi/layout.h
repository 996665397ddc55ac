/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layout.h: the layout of the structures of the headers, on every architecture and whatever _FILE_OFFSET_BITS and
 * _TIME_BITS are. src/capi/types.rs asserts the same for the library.
 */
#ifndef LAYOUT_H
#define LAYOUT_H

#include <mmerrno.h>
#include <mmsysio.h>
#include <stdalign.h>
#include <time.h>

#define LAYOUT(condition) _Static_assert(condition, #condition)
#define AT(type, member, offset) LAYOUT(offsetof(struct type, member) == (offset))

/* Types with a size of their own. */
LAYOUT(sizeof(mm_off_t) == 8 && (mm_off_t)-1 < 0);
LAYOUT(sizeof(mm_ino_t) == 8 && (mm_ino_t)-1 > 0);
LAYOUT(sizeof(mm_dev_t) == 8);
LAYOUT(sizeof(mm_pid_t) == sizeof(pid_t));
LAYOUT(sizeof(mode_t) == 4 && sizeof(uid_t) == 4 && sizeof(gid_t) == 4 && sizeof(int) == 4);
LAYOUT(sizeof(time_t) == 8 || (sizeof(time_t) == 4 && sizeof(void *) == 4));
#if defined(__LP64__) || defined(_FILE_OFFSET_BITS) && _FILE_OFFSET_BITS == 64
LAYOUT(sizeof(mm_off_t) == sizeof(off_t) && sizeof(mm_ino_t) == sizeof(ino_t));
#endif

LAYOUT(sizeof(struct mm_error_state) == 1024);
LAYOUT(_Alignof(struct mm_error_state) == 1);

LAYOUT(sizeof(struct mm_timespec) == sizeof(struct timespec));
LAYOUT(sizeof(struct mm_timespec) == 2 * sizeof(time_t));
AT(mm_timespec, tv_sec, 0);
LAYOUT(sizeof(((struct mm_timespec *)NULL)->tv_nsec) == sizeof(((struct timespec *)NULL)->tv_nsec));
LAYOUT(offsetof(struct mm_timespec, tv_nsec) == offsetof(struct timespec, tv_nsec));

LAYOUT(sizeof(struct mm_remap_fd) == 8);
AT(mm_remap_fd, child_fd, 0);
AT(mm_remap_fd, parent_fd, 4);

LAYOUT(sizeof(struct mm_pollfd) == 8 && sizeof(struct mm_pollfd) == sizeof(struct pollfd));
AT(mm_pollfd, fd, 0);
AT(mm_pollfd, events, 4);
AT(mm_pollfd, revents, 6);

/* Two pointers, four ints, a pointer. */
#define PTR sizeof(void *)
LAYOUT(sizeof(struct mm_ipc_msg) == 3 * PTR + 16);
AT(mm_ipc_msg, iov, 0);
AT(mm_ipc_msg, fds, PTR);
AT(mm_ipc_msg, num_iov, 2 * PTR);
AT(mm_ipc_msg, num_fds, 2 * PTR + 4);
AT(mm_ipc_msg, flags, 2 * PTR + 8);
AT(mm_ipc_msg, num_fds_max, 2 * PTR + 12);
AT(mm_ipc_msg, reserved, 2 * PTR + 16);

LAYOUT(sizeof(struct mm_dirent) == PTR + 8);
AT(mm_dirent, reclen, 0);
AT(mm_dirent, type, PTR);
AT(mm_dirent, id, PTR + 4);
AT(mm_dirent, name, PTR + 8);

LAYOUT(sizeof(struct mm_sock_multimsg) == 8 * PTR);
LAYOUT(sizeof(struct mm_sock_multimsg) == sizeof(struct mmsghdr));
AT(mm_sock_multimsg, msg, 0);
AT(mm_sock_multimsg, datalen, 7 * PTR);
LAYOUT(offsetof(struct mm_sock_multimsg, datalen) == offsetof(struct mmsghdr, msg_len));

/* The last four members follow each other, aligned to the size of their type; on x86, at most to 4. */
struct eight {
	char byte;
	int64_t value;
};
#define ALIGN_8 offsetof(struct eight, value)
#define ALIGN_TIME (sizeof(time_t) < ALIGN_8 ? sizeof(time_t) : ALIGN_8)
#define ROUND_UP(offset, alignment) (((offset) + (alignment)-1) / (alignment) * (alignment))
#define MTIME_AT ROUND_UP(40 + sizeof(time_t) + PTR, ALIGN_TIME)
AT(mm_stat, dev, 0);
AT(mm_stat, ino, 8);
AT(mm_stat, mode, 16);
AT(mm_stat, nlink, 20);
AT(mm_stat, uid, 24);
AT(mm_stat, gid, 28);
AT(mm_stat, size, 32);
AT(mm_stat, atime, 40);
AT(mm_stat, nblocks, 40 + sizeof(time_t));
AT(mm_stat, mtime, MTIME_AT);
AT(mm_stat, ctime, MTIME_AT + sizeof(time_t));
LAYOUT(sizeof(struct mm_stat) == ROUND_UP(MTIME_AT + 2 * sizeof(time_t), ALIGN_8));
#ifdef __LP64__
LAYOUT(sizeof(struct mm_stat) == 72 && sizeof(struct mm_ipc_msg) == 40 && sizeof(struct mm_timespec) == 16);
#endif

#endif
