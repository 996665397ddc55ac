/* SPDX-License-Identifier: Apache-2.0 */
/*
 * copy_special.c: which files can be copied, the mode of the copy, and copies for which the kernel refuses to copy
 */
#include "suite.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

static const int all_flags[] = {0, MM_NOFOLLOW, MM_NOCOW, MM_FORCECOW};

/* A file of that many bytes, all different from zero. */
static void write_long_file(const char *path, size_t size)
{
	uint32_t state = 54321;
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	for (size_t i = 0; i < size; i++)
		putc((int)(next_random(&state) % 255 + 1), file);
	ck_assert_int_eq(fclose(file), 0);
}

static bool have_same_content(const char *a, const char *b)
{
	char command[300];

	/* Through a pipe, since cmp would rely on the size that the file reports. */
	snprintf(command, sizeof(command), "cat '%s' | cmp -s - '%s'", a, b);
	return system(command) == 0;
}

/* --- which files can be copied ------------------------------------------------------------------------------------ */

/* Ends only if a reader opens the FIFO. */
static int write_to_fifo(void *path)
{
	return open(path, O_WRONLY) < 0;
}

START_TEST(fifo_is_rejected_without_being_opened)
{
	enter_scratch_directory();
	ck_assert_int_eq(mkfifo("fifo", 0666), 0);
	ck_assert_int_eq(symlink("fifo", "link"), 0);
	pid_t writer = start_child(write_to_fifo, "fifo");

	wait_until_asleep(writer);
	for (int f = 0; f < MM_NELEM(all_flags); f++) {
		assert_fails(mm_copy("fifo", "copy", all_flags[f], MODE_DEF), EINVAL);
		ck_assert(!exists("copy"));
	}
	assert_fails(mm_copy("link", "copy", 0, MODE_DEF), EINVAL);
	/* The process that waits for a reader is still waiting. */
	wait_until_asleep(writer);
	ck_assert_int_eq(waitpid(writer, NULL, WNOHANG), 0);
	kill(writer, SIGKILL);
	waitpid(writer, NULL, 0);
	leave_scratch_directory();
}
END_TEST

START_TEST(only_regular_files_are_copied_whatever_the_destination)
{
	static const char *const destinations[] = {"copy",        "exists", "missing/copy", "directory",
	                                           "exists/copy", "",       "/proc/copy"};
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "socket"};
	const char *sources[] = {"fifo", "socket", "/dev/null", "/dev/zero", "block", "character"};
	int count = 4;

	enter_scratch_directory();
	write_file("exists", "kept");
	ck_assert_int_eq(mkdir("directory", 0755), 0);
	ck_assert_int_eq(mkfifo("fifo", 0666), 0);
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);

	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	/* Devices without a driver, which only root can create. */
	if (mknod("block", S_IFBLK | 0600, makedev(4095, 1)) == 0 &&
	    mknod("character", S_IFCHR | 0600, makedev(4095, 1)) == 0)
		count = MM_NELEM(sources);
	for (int d = 0; d < MM_NELEM(destinations); d++) {
		for (int f = 0; f < MM_NELEM(all_flags); f++) {
			for (int s = 0; s < count; s++)
				assert_fails(mm_copy(sources[s], destinations[d], all_flags[f], MODE_DEF), EINVAL);
			assert_fails(mm_copy("directory", destinations[d], all_flags[f], MODE_DEF), EISDIR);
			assert_fails(mm_copy("/", destinations[d], all_flags[f], MODE_DEF), EISDIR);
		}
	}
	ck_assert(!exists("copy"));
	ck_assert(has_text("exists", "kept"));
	close_all(1, &listener);
	leave_scratch_directory();
}
END_TEST

static void copy_an_unreadable_directory(void)
{
	ck_assert_int_eq(mkdir("unreadable", 0), 0);
	assert_fails(mm_copy("unreadable", "copy", 0, MODE_DEF), EISDIR);
	write_file("unreadable-file", "");
	ck_assert_int_eq(chmod("unreadable-file", 0), 0);
	assert_fails(mm_copy("unreadable-file", "copy", 0, MODE_DEF), EACCES);
	ck_assert(!exists("copy"));
}

START_TEST(unreadable_directory_is_reported_as_a_directory)
{
	enter_scratch_directory();
	as_ordinary_user(copy_an_unreadable_directory);
	leave_scratch_directory();
}
END_TEST

static int copy_a_terminal(void *arg)
{
	int controlling, terminal = posix_openpt(O_RDWR | O_NOCTTY);

	(void)arg;
	if (setsid() == -1 || terminal < 0 || grantpt(terminal) != 0 || unlockpt(terminal) != 0)
		return 1;
	if (mm_copy(ptsname(terminal), "copy", 0, MODE_DEF) != -1 || errno != EINVAL)
		return 2;
	controlling = open("/dev/tty", O_RDWR);
	return controlling < 0 && errno == ENXIO ? 0 : 3;
}

START_TEST(terminal_does_not_become_controlling)
{
	enter_scratch_directory();
	assert_child_succeeds(start_child(copy_a_terminal, NULL));
	leave_scratch_directory();
}
END_TEST

START_TEST(files_of_proc_and_sys_have_the_content_that_read_returns)
{
	static const char *const sources[] = {"/sys/kernel/mm/transparent_hugepage/enabled",
	                                      "/sys/class/net/lo/mtu",
	                                      "/sys/kernel/notes",
	                                      "/proc/version",
	                                      "/proc/sys/kernel/osrelease",
	                                      "/proc/self/maps"};

	enter_scratch_directory();
	for (int s = 0; s < MM_NELEM(sources); s++) {
		if (access(sources[s], R_OK) != 0)
			continue;
		for (int f = 0; f < 3; f++) {
			ck_assert_msg(mm_copy(sources[s], "copy", all_flags[f], MODE_DEF) == 0, "%s",
			              mm_get_lasterror_desc());
			/* The maps of another process. */
			ck_assert_msg(strcmp(sources[s], "/proc/self/maps") == 0 ||
			                      have_same_content(sources[s], "copy"),
			              "%s has changed", sources[s]);
			/* These are text, except for one. */
			ck_assert(strcmp(sources[s], "/sys/kernel/notes") == 0 ||
			          system("tr -d '\\0' <copy | cmp -s - copy") == 0);
			ck_assert_int_eq(mm_unlink("copy"), 0);
		}
	}
	leave_scratch_directory();
}
END_TEST

START_TEST(files_are_copied_between_filesystems)
{
	char other[] = "/dev/shm/mmsysio-test-XXXXXX", path[64];
	struct stat here, there;

	if (mkdtemp(other) == NULL)
		return;
	enter_scratch_directory();
	ck_assert_int_eq(stat(".", &here), 0);
	ck_assert_int_eq(stat(other, &there), 0);
	if (here.st_dev == there.st_dev)
		printf("# skipped, since /tmp and /dev/shm are the same filesystem: copies between filesystems\n");
	snprintf(path, sizeof(path), "%s/file", other);
	write_long_file("file", 300000);
	ck_assert_int_eq(truncate("file", 600000), 0);
	for (int f = 0; f < 3; f++) {
		ck_assert_int_eq(mm_copy("file", path, all_flags[f], MODE_DEF), 0);
		ck_assert(have_same_content("file", path));
		ck_assert_int_eq(mm_copy(path, "back", all_flags[f], MODE_DEF), 0);
		ck_assert(have_same_content("file", "back"));
		ck_assert_int_eq(mm_unlink("back"), 0);
		ck_assert_int_eq(mm_unlink(path), 0);
	}
	if (here.st_dev != there.st_dev) {
		assert_fails(mm_copy("file", path, MM_FORCECOW, MODE_DEF), EXDEV);
		ck_assert(!exists(path));
	}
	ck_assert_int_eq(rmdir(other), 0);
	leave_scratch_directory();
}
END_TEST

/* --- a lease ------------------------------------------------------------------------------------------------------ */

static int lease_ready[2];
static int leased = -1;

static void give_up_lease(int signum)
{
	(void)signum;
	sleep_ms(100);
	fcntl(leased, F_SETLEASE, F_UNLCK);
}

/* Takes a lease on the file until another process opens it. Exits with 77 if the filesystem does not support leases. */
static int hold_lease(void *path)
{
	struct sigaction action = {.sa_handler = give_up_lease};
	sigset_t none;

	sigaction(SIGIO, &action, NULL);
	leased = open(path, O_RDWR);
	char answer = fcntl(leased, F_SETLEASE, F_WRLCK) == 0 ? 'y' : 'n';

	if (write(lease_ready[1], &answer, 1) != 1)
		return 1;
	sigemptyset(&none);
	if (answer == 'y')
		sigsuspend(&none);
	return 0;
}

START_TEST(lease_on_the_source_is_waited_for)
{
	char answer;
	sigset_t signals;

	enter_scratch_directory();
	write_file("file", "text");
	ck_assert_int_eq(pipe(lease_ready), 0);
	/* The signal arrives when the child waits for it. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGIO);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	pid_t owner = start_child(hold_lease, "file");

	ck_assert_int_eq(read(lease_ready[0], &answer, 1), 1);
	if (answer == 'y') {
		ck_assert_msg(mm_copy("file", "copy", 0, MODE_DEF) == 0, "%s", mm_get_lasterror_desc());
		ck_assert(has_text("copy", "text"));
	} else {
		printf("# skipped, since the filesystem does not support them: leases\n");
	}
	assert_child_succeeds(owner);
	close_all(2, lease_ready);
	leave_scratch_directory();
}
END_TEST

/* --- the mode ----------------------------------------------------------------------------------------------------- */

static mode_t mode_of(const char *path)
{
	struct stat status;

	ck_assert_int_eq(lstat(path, &status), 0);
	return status.st_mode & 07777;
}

/* The copy has the mode of an empty file that is created with the requested mode. */
static void copy_with_all_modes(void)
{
	static const int modes[] = {0755,  04755, 02755, 06755, 07777, 01644,    02644,
	                            04000, 02010, 07000, 0444,  0,     MODE_DEF, MODE_XDEF};
	static const mode_t masks[] = {0, 022, 077, 0111, 0777};
	static const char *const sources[] = {"empty", "short", "sparse"};

	for (int m = 0; m < MM_NELEM(modes); m++) {
		for (int u = 0; u < MM_NELEM(masks); u++) {
			for (int s = 0; s < MM_NELEM(sources); s++) {
				for (int f = 0; f < 3; f++) {
					umask(masks[u]);
					int fd = mm_open("created", O_CREAT | O_EXCL | O_WRONLY, modes[m]);

					close_all(1, &fd);
					ck_assert_msg(mm_copy(sources[s], "copy", all_flags[f], modes[m]) == 0, "%s",
					              mm_get_lasterror_desc());
					ck_assert_uint_eq(umask(masks[u]), masks[u]);
					ck_assert_uint_eq(mode_of("copy"), mode_of("created"));
					if (modes[m] <= 07777)
						ck_assert_uint_eq(mode_of("copy"), (mode_t)modes[m] & ~masks[u]);
					ck_assert_int_eq(mm_unlink("copy"), 0);
					ck_assert_int_eq(mm_unlink("created"), 0);
				}
			}
		}
	}
}

static void make_sources(void)
{
	write_file("empty", "");
	write_file("short", "text");
	write_file("sparse", "text");
	ck_assert_int_eq(truncate("sparse", 1 << 20), 0);
}

START_TEST(mode_is_the_requested_mode_without_the_umask)
{
	enter_scratch_directory();
	make_sources();
	copy_with_all_modes();
	as_ordinary_user(copy_with_all_modes);
	leave_scratch_directory();
}
END_TEST

/* In a directory whose files belong to a group of which the user is not a member. */
static void copy_with_a_foreign_group(void)
{
	umask(022);
	for (int f = 0; f < 3; f++) {
		assert_fails(mm_copy("short", "directory/copy", all_flags[f], 02755), EPERM);
		ck_assert(!exists("directory/copy"));
		ck_assert_int_eq(mm_copy("short", "directory/copy", all_flags[f], 04755), 0);
		ck_assert_uint_eq(mode_of("directory/copy"), 04755);
		ck_assert_int_eq(mm_unlink("directory/copy"), 0);
	}
}

START_TEST(mode_bit_that_cannot_be_set_is_an_error)
{
	if (geteuid() != 0) {
		printf("# skipped, since it requires root: directories of another group\n");
		return;
	}
	enter_scratch_directory();
	make_sources();
	ck_assert_int_eq(mkdir("directory", 0755), 0);
	ck_assert_int_eq(chown("directory", 0, 4321), 0);
	ck_assert_int_eq(chmod("directory", 02777), 0);
	as_ordinary_user(copy_with_a_foreign_group);
	leave_scratch_directory();
}
END_TEST

/* --- where the kernel does not copy ------------------------------------------------------------------------------- */

/* From now on the system call fails with that error. */
static void deny(int number, int error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {MM_NELEM(code), code};

	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

static int copy_without_kernel(void *error)
{
	deny(SYS_copy_file_range, *(int *)error);
	/* valgrind itself detects that the descriptors are invalid. */
	if (!is_under_valgrind() &&
	    (syscall(SYS_copy_file_range, -1, NULL, -1, NULL, 1, 0) != -1 || errno != *(int *)error))
		return 1;
	errno = EBUSY;
	if (mm_copy("file", "copy", 0, MODE_DEF) != 0 || errno != EBUSY || mm_get_lasterror_number() != 0)
		return 2;
	if (mm_copy("sparse", "copy-of-sparse", 0, MODE_DEF) != 0)
		return 3;
	return 0;
}

START_TEST(file_is_read_and_written_whatever_error_the_kernel_copy_returns)
{
	enter_scratch_directory();
	write_long_file("file", 300001);
	write_long_file("sparse", 10000);
	ck_assert_int_eq(truncate("sparse", 1 << 20), 0);
	for (int error = 1; error < 134; error++) {
		/* Interrupted calls are repeated. */
		if (error == EINTR || (is_instrumented() && error % 4 != 2))
			continue;
		assert_child_succeeds(start_child(copy_without_kernel, &error));
		ck_assert_msg(have_same_content("file", "copy"), "after %s", strerror(error));
		ck_assert_msg(have_same_content("sparse", "copy-of-sparse"), "after %s", strerror(error));
		ck_assert_int_eq(unlink("copy"), 0);
		ck_assert_int_eq(unlink("copy-of-sparse"), 0);
	}
	leave_scratch_directory();
}
END_TEST

SUITE(fifo_is_rejected_without_being_opened, only_regular_files_are_copied_whatever_the_destination,
      unreadable_directory_is_reported_as_a_directory, terminal_does_not_become_controlling,
      files_of_proc_and_sys_have_the_content_that_read_returns, files_are_copied_between_filesystems,
      lease_on_the_source_is_waited_for, mode_is_the_requested_mode_without_the_umask,
      mode_bit_that_cannot_be_set_is_an_error, file_is_read_and_written_whatever_error_the_kernel_copy_returns)
