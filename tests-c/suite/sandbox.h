/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox.h: restricts the test's own process: system calls, and mounts that are visible to others
 */
#ifndef SANDBOX_H
#define SANDBOX_H

#include "suite.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/*
 * Makes a system call fail with an error (SECCOMP_RET_ERRNO
 *
 * error) in this process and its children, or kill them.
 */
static inline void forbid(long number, unsigned action)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {MM_NELEM(code), code};

	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

static inline void write_proc_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	/* An old kernel may not have this file. */
	if (fd != -1 && write(fd, text, strlen(text)) == -1)
		printf("# cannot write %s\n", path);
	if (fd != -1)
		close(fd);
}

/* After this call the process can mount filesystems, invisibly to others. False if an ordinary user may not. */
static inline bool enter_private_mounts(void)
{
	uid_t user = geteuid();
	gid_t group = getegid();
	char map[64];

	if (user != 0) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
			return false;
		write_proc_file("/proc/self/setgroups", "deny");
		snprintf(map, sizeof(map), "0 %ld 1", (long)user);
		write_proc_file("/proc/self/uid_map", map);
		snprintf(map, sizeof(map), "0 %ld 1", (long)group);
		write_proc_file("/proc/self/gid_map", map);
	} else if (unshare(CLONE_NEWNS) != 0) {
		return false;
	}
	return mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0;
}

#endif
