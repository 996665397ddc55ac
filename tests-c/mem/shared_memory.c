/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shared_memory.c: shared memory, anonymous and named
 */
#include "sandbox.h"

#include <sys/mman.h>
#include <sys/stat.h>

START_TEST(anonymous_memory_is_private_and_sealable)
{
	struct stat status;
	int fd = mm_anon_shm();

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	ck_assert_int_eq(fstat(fd, &status), 0);
	ck_assert_int_eq(status.st_size, 0);
	ck_assert_int_eq(status.st_nlink, 0);
	ck_assert_int_eq(mm_write(fd, "data", 4), 4);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
	assert_fails(mm_ftruncate(fd, 5), EPERM);
	assert_fails(mm_ftruncate(fd, 3), EPERM);
	close_all(1, &fd);
}
END_TEST

START_TEST(maps_can_be_created_until_descriptors_run_out)
{
	enum { LIMIT = 1024 };
	static int fds[LIMIT];
	static void *memory[LIMIT];
	struct rlimit limit, low;
	int count = 0;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	low = limit;
	low.rlim_cur = limit.rlim_cur < LIMIT ? limit.rlim_cur : LIMIT;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
	while ((fds[count] = mm_anon_shm()) != -1) {
		ck_assert_int_eq(mm_ftruncate(fds[count], 1), 0);
		memory[count] = mm_mapfile(fds[count], 0, 1, MM_MAP_RDWR | MM_MAP_SHARED);
		ck_assert_ptr_nonnull(memory[count]);
		*(char *)memory[count] = (char)count;
		count++;
	}
	ck_assert_int_eq(mm_get_lasterror_number(), EMFILE);
	const char *name = unique_name();

	assert_fails(mm_shm_open(name, O_RDWR | O_CREAT, MODE_DEF), EMFILE);
	/* valgrind enforces the limit after the kernel has created the file. */
	if (is_under_valgrind())
		mm_shm_unlink(name);
	ck_assert_int_gt(count, (int)low.rlim_cur / 2);
	for (int i = 0; i < count; i++) {
		ck_assert_int_eq(*(char *)memory[i], (char)i);
		ck_assert_int_eq(mm_unmap(memory[i]), 0);
	}
	close_all(count, fds);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}
END_TEST

START_TEST(named_memory_is_found_by_its_name)
{
	const char *name = unique_name();
	char slashed[100];
	struct mm_stat one, other;

	snprintf(slashed, sizeof(slashed), "//%s", name);
	umask(022);
	int fd = mm_shm_open(name, O_RDWR | O_CREAT | O_EXCL, MODE_DEF);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_fails(mm_shm_open(name, O_RDWR | O_CREAT | O_EXCL, MODE_DEF), EEXIST);
	ck_assert_int_eq(mm_write(fd, "data", 4), 4);
	int again = mm_shm_open(slashed, O_RDONLY, 0);

	ck_assert_int_eq(mm_fstat(fd, &one) | mm_fstat(again, &other), 0);
	ck_assert(mm_ino_equal(one.ino, other.ino));
	ck_assert_uint_eq(one.mode & 0777, 0644);
	ck_assert_int_eq(other.size, 4);
	assert_fails(mm_write(again, "data", 4), EBADF);
	assert_fails_with_null(mm_mapfile(again, 0, 4, MM_MAP_WRITE | MM_MAP_SHARED), EACCES);
	close_all(1, &again);
	again = mm_shm_open(name, O_RDWR | O_TRUNC, 0);
	ck_assert_int_eq(mm_fstat(fd, &one), 0);
	ck_assert_int_eq(one.size, 0);

	ck_assert_int_eq(mm_shm_unlink(slashed), 0);
	assert_fails(mm_shm_unlink(name), ENOENT);
	assert_fails(mm_shm_open(name, O_RDWR, 0), ENOENT);
	/* It continues to exist for processes that have it open. */
	ck_assert_int_eq(mm_write(fd, "more", 4), 4);
	close_all(2, (int[]){fd, again});
}
END_TEST

START_TEST(named_memory_can_be_created_read_only)
{
	const char *name = unique_name();
	int fd = mm_shm_open(name, O_CREAT, 0);

	ck_assert_int_gt(fd, 0);
	assert_fails(mm_write(fd, "x", 1), EBADF);
	close_all(1, &fd);
	ck_assert_int_eq(mm_shm_unlink(name), 0);
}
END_TEST

START_TEST(invalid_names_are_rejected)
{
	char name[300] = "", path[400];

	for (int size = 256; size < 270; size++) {
		memset(name, 'x', size);
		assert_fails(mm_shm_open(name, O_RDWR | O_CREAT, MODE_DEF), EINVAL);
		assert_fails(mm_shm_unlink(name), ENOENT);
	}
	assert_fails(mm_shm_open("", O_RDWR | O_CREAT, MODE_DEF), EINVAL);
	assert_fails(mm_shm_open("/", O_RDWR | O_CREAT, MODE_DEF), EINVAL);
	assert_fails(mm_shm_open("a/b", O_RDWR | O_CREAT, MODE_DEF), EINVAL);
	assert_fails(mm_shm_open(".", O_RDONLY, 0), EINVAL);
	assert_fails(mm_shm_open("/..", O_RDONLY, 0), EINVAL);
	assert_fails(mm_shm_open(NULL, O_RDWR | O_CREAT, MODE_DEF), EFAULT);
	assert_fails(mm_shm_unlink(NULL), EFAULT);
	assert_fails(mm_shm_unlink(""), ENOENT);
	assert_fails(mm_shm_unlink("a/b"), ENOENT);
	assert_fails(mm_shm_unlink(name), ENOENT);

	/* The longest possible name, and a link to it. */
	memcpy(name, unique_name(), strlen(unique_name()));
	name[255] = '\0';
	int fd = mm_shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);

	ck_assert_int_ge(fd, 0);
	const char *link = unique_name();

	snprintf(path, sizeof(path), "/dev/shm/%s", link);
	ck_assert_int_eq(symlink(name, path), 0);
	assert_fails(mm_shm_open(link, O_RDWR, 0), ELOOP);
	ck_assert_int_eq(mm_shm_unlink(link), 0);
	ck_assert_int_eq(mm_shm_unlink(name), 0);
	close_all(1, &fd);
}
END_TEST

static const char *denied_name;

static void open_what_is_denied(void)
{
	assert_fails(mm_shm_open(denied_name, O_RDWR, 0), EACCES);
}

START_TEST(permissions_of_named_memory_apply)
{
	denied_name = unique_name();
	int fd = mm_shm_open(denied_name, O_RDWR | O_CREAT | O_EXCL, 0400);

	ck_assert_int_ge(fd, 0);
	as_ordinary_user(open_what_is_denied);
	ck_assert_int_eq(mm_shm_unlink(denied_name), 0);
	close_all(1, &fd);
}
END_TEST

SUITE(anonymous_memory_is_private_and_sealable, maps_can_be_created_until_descriptors_run_out,
      named_memory_is_found_by_its_name, named_memory_can_be_created_read_only, invalid_names_are_rejected,
      permissions_of_named_memory_apply)
