/* SPDX-License-Identifier: Apache-2.0 */
/*
 * copy_fuse.c: copies from and to a filesystem whose sizes are placeholders, which has no truncate(), and which fails
 *
 * programs/placeholders.c implements that filesystem. It is mounted in a private mount namespace, so that a test that
 * is killed leaves nothing mounted.
 */
#include "placeholders.h"
#include "suite.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#define PLACE "mounted"

static pid_t server;

static void write_id_map(const char *path, unsigned id)
{
	char map[32];

	snprintf(map, sizeof(map), "0 %u 1", id);
	write_file(path, map);
}

/* Creates a mount namespace: as root, or in a user namespace in which the user is root. */
static bool enter_namespace(void)
{
	unsigned uid = geteuid(), gid = getegid();

	if (unshare(CLONE_NEWNS) != 0) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
			return false;
		write_file("/proc/self/setgroups", "deny");
		write_id_map("/proc/self/uid_map", uid);
		write_id_map("/proc/self/gid_map", gid);
	}
	return mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0;
}

/* False if no FUSE filesystem can be mounted. */
static bool mount_placeholders(void)
{
	struct stat above, mounted;
	int device = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	if (device < 0 || !enter_namespace()) {
		printf("# skipped, since there is no /dev/fuse or no right to mount: filesystems in user space\n");
		if (device >= 0)
			close(device);
		return false;
	}
	close(device);
	enter_scratch_directory();
	ck_assert_int_eq(mkdir(PLACE, 0777), 0);
	ck_assert_int_eq(stat(".", &above), 0);
	server = fork();
	ck_assert_int_ne(server, -1);
	if (server == 0) {
		/* Also run if the test fails. */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl(PROGRAMS_DIR "/placeholders", "placeholders", PLACE, (char *)NULL);
		_exit(127);
	}
	do {
		ck_assert_int_eq(waitpid(server, NULL, WNOHANG), 0);
		sleep_ms(5);
		ck_assert_int_eq(stat(PLACE, &mounted), 0);
	} while (mounted.st_dev == above.st_dev);
	return true;
}

static void unmount_placeholders(void)
{
	ck_assert_int_eq(umount2(PLACE, MNT_DETACH), 0);
	ck_assert_int_eq(waitpid(server, NULL, 0), server);
	leave_scratch_directory();
}

/* The content of the file must be the first length bytes of each placeholder's content. */
static void assert_has_bytes(const char *path, off_t length)
{
	static char bytes[1 << 20];
	off_t offset = 0;
	ssize_t size;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
	while ((size = read(fd, bytes, sizeof(bytes))) > 0) {
		for (ssize_t i = 0; i < size; i++, offset++)
			if (bytes[i] != placeholder_byte(offset))
				ck_abort_msg("%s: byte %jd differs from the source", path, (intmax_t)offset);
	}
	close(fd);
	ck_assert_int_eq(size, 0);
	ck_assert_msg(offset == length, "%s: %jd bytes, expected %jd", path, (intmax_t)offset, (intmax_t)length);
}

static const int all_flags[] = {0, MM_NOCOW, MM_NOFOLLOW, MM_NOFOLLOW | MM_NOCOW};
static const char *const destinations[] = {"copy", PLACE "/copy"};

START_TEST(copy_has_the_content_that_read_returns_whatever_the_size)
{
	if (!mount_placeholders())
		return;
	for (int i = 0; i < MM_NELEM(placeholders); i++) {
		char path[64];

		if (placeholders[i].fails_at != 0)
			continue;
		snprintf(path, sizeof(path), PLACE "/%s", placeholders[i].name);
		for (int f = 0; f < MM_NELEM(all_flags); f++) {
			for (int d = 0; d < MM_NELEM(destinations); d++) {
				ck_assert_msg(mm_copy(path, destinations[d], all_flags[f], MODE_DEF) == 0,
				              "%s with %#x: %s", path, all_flags[f], mm_get_lasterror_desc());
				assert_has_bytes(destinations[d], placeholders[i].length);
				ck_assert_int_eq(mm_unlink(destinations[d]), 0);
			}
		}
	}
	unmount_placeholders();
}
END_TEST

START_TEST(read_error_in_the_middle_is_reported_and_leaves_nothing_behind)
{
	if (!mount_placeholders())
		return;
	for (int i = 0; i < MM_NELEM(placeholders); i++) {
		char path[64];

		if (placeholders[i].fails_at == 0)
			continue;
		snprintf(path, sizeof(path), PLACE "/%s", placeholders[i].name);
		for (int f = 0; f < MM_NELEM(all_flags); f++) {
			for (int d = 0; d < MM_NELEM(destinations); d++) {
				assert_fails(mm_copy(path, destinations[d], all_flags[f], MODE_DEF), EIO);
				ck_assert(!exists(destinations[d]));
			}
		}
	}
	unmount_placeholders();
}
END_TEST

START_TEST(error_of_closing_the_copy_is_reported_and_leaves_nothing_behind)
{
	if (!mount_placeholders())
		return;
	write_file("file", "text");
	for (int f = 0; f < MM_NELEM(all_flags); f++) {
		assert_fails(mm_copy("file", PLACE "/lost", all_flags[f], MODE_DEF), EIO);
		ck_assert(!exists(PLACE "/lost"));
	}
	unmount_placeholders();
}
END_TEST

/* The text at these offsets, in a file of that size. */
static void make_sparse_file(const char *path, const off_t *offsets, int count, off_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	ck_assert_int_ge(fd, 0);
	for (int i = 0; i < count; i++)
		ck_assert_int_eq(pwrite(fd, "text", 4, offsets[i]), 4);
	ck_assert_int_eq(ftruncate(fd, size), 0);
	close(fd);
}

START_TEST(holes_are_copied_to_a_filesystem_without_truncate)
{
	static const off_t offsets[] = {1 << 20, 2 << 20};

	if (!mount_placeholders())
		return;
	int fd = open(PLACE "/other", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	ck_assert_int_eq(ftruncate(fd, 1), -1);
	ck_assert_int_eq(errno, ENOSYS);
	close(fd);
	for (int f = 0; f < MM_NELEM(all_flags); f++) {
		for (int count = 0; count <= MM_NELEM(offsets); count++) {
			for (int has_end = 0; has_end <= (count > 0); has_end++) {
				off_t size = has_end ? offsets[count - 1] + 4 : 3 << 20;

				make_sparse_file("sparse", offsets, count, size);
				ck_assert_msg(mm_copy("sparse", PLACE "/copy", all_flags[f], MODE_DEF) == 0, "%s",
				              mm_get_lasterror_desc());
				ck_assert_int_eq(system("cmp sparse " PLACE "/copy"), 0);
				ck_assert_int_eq(mm_unlink(PLACE "/copy"), 0);
			}
		}
	}
	unmount_placeholders();
}
END_TEST

SUITE(copy_has_the_content_that_read_returns_whatever_the_size,
      read_error_in_the_middle_is_reported_and_leaves_nothing_behind,
      error_of_closing_the_copy_is_reported_and_leaves_nothing_behind,
      holes_are_copied_to_a_filesystem_without_truncate)
