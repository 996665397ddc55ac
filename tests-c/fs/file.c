/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file.c: opening, describing, naming and positioning files
 */
#include "suite.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <termios.h>

#define ROUND_TRIP "caf\xc3\xa9 \n \xff\xfe"

START_TEST(open_creates_reads_and_writes)
{
	enter_scratch_directory();
	int spare = dup(0);

	close(spare);
	int fd = mm_open(ROUND_TRIP, O_RDWR | O_CREAT | O_EXCL, 0640);
	char text[8];

	ck_assert_int_eq(fd, spare);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(mm_write(fd, "hello", 5), 5);
	ck_assert_int_eq(mm_seek(fd, -4, SEEK_CUR), 1);
	ck_assert_int_eq(mm_read(fd, text, sizeof(text)), 4);
	ck_assert_int_eq(mm_read(fd, text, sizeof(text)), 0);
	ck_assert_int_eq(mm_fsync(fd), 0);
	assert_fails(mm_open(ROUND_TRIP, O_RDWR | O_CREAT | O_EXCL, 0640), EEXIST);
	close_all(1, &fd);
	leave_scratch_directory();
}
END_TEST

static mode_t mode_of(const char *path)
{
	struct mm_stat status;

	ck_assert_int_eq(mm_stat(path, &status, MM_NOFOLLOW), 0);
	return status.mode & 07777;
}

START_TEST(modes_are_translated_and_masked)
{
	static const struct {
		int mode;
		mode_t expected;
	} cases[] = {{0, 0},
	             {0400, 0400},
	             {0700, 0700},
	             {MODE_DEF, 0644},
	             {MODE_XDEF, 0755},
	             {MODE_XDEF | 01000, 0755},
	             {MODE_EXEC | 0700, 0700},
	             {0666, 0644}};

	enter_scratch_directory();
	umask(022);
	for (int i = 0; i < MM_NELEM(cases); i++) {
		int fd = mm_open("file", O_WRONLY | O_CREAT | O_EXCL, cases[i].mode);

		ck_assert_int_ge(fd, 0);
		ck_assert_int_eq(mm_write(fd, "x", 1), 1);
		close_all(1, &fd);
		ck_assert_uint_eq(mode_of("file"), cases[i].expected);
		ck_assert_int_eq(mm_unlink("file"), 0);
		ck_assert_int_eq(mm_mkdir("dir", cases[i].mode, O_CREAT), 0);
		ck_assert_uint_eq(mode_of("dir"), cases[i].expected);
		ck_assert_int_eq(mm_rmdir("dir"), 0);
	}
	leave_scratch_directory();
}
END_TEST

START_TEST(open_reports_its_errors)
{
	char too_long[300], path[4098];

	enter_scratch_directory();
	memset(too_long, 'n', sizeof(too_long) - 1);
	too_long[sizeof(too_long) - 1] = '\0';
	memset(path, '/', sizeof(path));
	path[4096] = '\0';
	write_file("file", "");
	ck_assert_int_eq(symlink("loop", "loop"), 0);
	ck_assert_int_eq(symlink("nowhere", "dangling"), 0);
	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	assert_fails(mm_open("missing", O_RDONLY, 0), ENOENT);
	assert_fails(mm_open("", O_RDONLY, 0), ENOENT);
	assert_fails(mm_open("dangling", O_RDONLY, 0), ENOENT);
	assert_fails(mm_open("file/x", O_RDONLY, 0), ENOTDIR);
	assert_fails(mm_open(".", O_WRONLY, 0), EISDIR);
	assert_fails(mm_open("loop", O_RDONLY, 0), ELOOP);
	assert_fails(mm_open("dangling", O_RDONLY | O_NOFOLLOW, 0), ELOOP);
	assert_fails(mm_open(too_long, O_RDONLY, 0), ENAMETOOLONG);
	assert_fails(mm_open(path, O_RDONLY, 0), ENAMETOOLONG);
	path[4095] = '\0';
	int fd = mm_open(path, O_RDONLY, 0);

	ck_assert_int_ge(fd, 0);
	close_all(1, &fd);
	assert_fails(mm_open("fifo", O_WRONLY | O_NONBLOCK, 0), ENXIO);
	assert_fails_on_bad_memory(mm_open(NULL, O_RDONLY, 0), EFAULT);
	assert_fails_on_bad_memory(mm_open((char *)8, O_RDONLY, 0), EFAULT);
	leave_scratch_directory();
}
END_TEST

START_TEST(open_of_a_fifo_is_interrupted_by_a_signal)
{
	enter_scratch_directory();
	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	pthread_t interrupter = start_interrupting();

	assert_fails(mm_open("fifo", O_RDONLY, 0), EINTR);
	stop_interrupting(interrupter);
	leave_scratch_directory();
}
END_TEST

static void meet_permissions(void)
{
	assert_fails(mm_open("secret", O_RDONLY, 0), EACCES);
	assert_fails(mm_open("closed/file", O_RDONLY, 0), EACCES);
	assert_fails(mm_unlink("read-only/file"), EACCES);
	assert_fails(mm_mkdir("read-only/dir", 0700, 0), EACCES);
	assert_fails(mm_mkdir("read-only/dir/dir", 0700, MM_RECURSIVE), EACCES);
	assert_fails(mm_rename("read-only/file", "file"), EACCES);
	assert_fails(mm_symlink("x", "read-only/link"), EACCES);
	assert_fails(mm_copy("secret", "copy", 0, MODE_DEF), EACCES);
	assert_fails(mm_copy("readable", "read-only/copy", 0, MODE_DEF), EACCES);
	assert_fails(mm_chdir("closed"), EACCES);
	assert_fails_with_null(mm_opendir("closed"), EACCES);
	errno = EBUSY;
	ck_assert_int_eq(mm_check_access("secret", R_OK), EACCES);
	ck_assert_int_eq(mm_check_access("secret", F_OK), 0);
	ck_assert_int_eq(mm_check_access("closed/file", F_OK), EACCES);
	ck_assert_int_eq(mm_check_access("readable", R_OK), 0);
	ck_assert_int_eq(errno, EBUSY);
	ck_assert_int_eq(mm_check_access("readable", X_OK), EACCES);
}

START_TEST(permissions_apply_to_ordinary_users)
{
	enter_scratch_directory();
	write_file("secret", "x");
	write_file("readable", "x");
	ck_assert_int_eq(mkdir("closed", 0755), 0);
	ck_assert_int_eq(mkdir("read-only", 0755), 0);
	write_file("closed/file", "x");
	write_file("read-only/file", "x");
	ck_assert_int_eq(chmod("secret", 0), 0);
	ck_assert_int_eq(chmod("readable", 0444), 0);
	ck_assert_int_eq(chmod("closed", 0), 0);
	ck_assert_int_eq(chmod("read-only", 0555), 0);
	as_ordinary_user(meet_permissions);
	ck_assert_int_eq(chmod("closed", 0755), 0);
	ck_assert_int_eq(chmod("read-only", 0755), 0);
	leave_scratch_directory();
}
END_TEST

START_TEST(check_access_reports_inaccessible_files_without_an_error)
{
	enter_scratch_directory();
	ck_assert_int_eq(symlink("nowhere", "dangling"), 0);
	write_file("file", "");
	errno = EBUSY;
	ck_assert_int_eq(mm_check_access("missing", F_OK), ENOENT);
	ck_assert_int_eq(mm_check_access("dangling", F_OK), ENOENT);
	ck_assert_int_eq(mm_check_access("", F_OK), ENOENT);
	ck_assert_int_eq(mm_check_access("file", R_OK | W_OK), 0);
	ck_assert_int_eq(errno, EBUSY);
	ck_assert_int_eq(mm_get_lasterror_number(), 0);
	assert_fails(mm_check_access("file/x", F_OK), ENOTDIR);
	assert_fails(mm_check_access("file", 0x100), EINVAL);
	assert_fails_on_bad_memory(mm_check_access(NULL, F_OK), EFAULT);
	leave_scratch_directory();
}
END_TEST

START_TEST(unreadable_path_is_not_accessed_for_the_message_of_another_error)
{
	char path[5000];

	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_fails_on_bad_memory(mm_check_access((char *)8, 0x100), EINVAL);
	assert_fails_on_bad_memory(mm_rename(path, (char *)8), ENAMETOOLONG);
}
END_TEST

START_TEST(stat_and_fstat_fill_every_field)
{
	struct mm_stat by_name, by_fd;
	struct stat expected;

	enter_scratch_directory();
	write_file("file", "12345");
	ck_assert_int_eq(link("file", "other"), 0);
	int fd = mm_open("file", O_RDONLY, 0);

	memset(&by_name, 0x55, sizeof(by_name));
	memset(&by_fd, 0x55, sizeof(by_fd));
	ck_assert_int_eq(mm_stat("file", &by_name, 0), 0);
	ck_assert_int_eq(mm_fstat(fd, &by_fd), 0);
	ck_assert_int_eq(fstat(fd, &expected), 0);
	struct mm_stat *both[] = {&by_name, &by_fd};

	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(both[i]->dev, expected.st_dev);
		ck_assert(mm_ino_equal(both[i]->ino, expected.st_ino));
		ck_assert_uint_eq(both[i]->mode, expected.st_mode);
		ck_assert_int_eq(both[i]->nlink, 2);
		ck_assert_uint_eq(both[i]->uid, expected.st_uid);
		ck_assert_uint_eq(both[i]->gid, expected.st_gid);
		ck_assert_int_eq(both[i]->size, 5);
		ck_assert_uint_eq(both[i]->nblocks, (size_t)expected.st_blocks);
		ck_assert_int_eq(both[i]->atime, expected.st_atime);
		ck_assert_int_eq(both[i]->mtime, expected.st_mtime);
		ck_assert_int_eq(both[i]->ctime, expected.st_ctime);
	}
	close_all(1, &fd);
	leave_scratch_directory();
}
END_TEST

START_TEST(stat_of_a_link_reports_the_size_that_readlink_needs)
{
	struct mm_stat status;
	char target[16];

	enter_scratch_directory();
	ck_assert_int_eq(mm_symlink("target", "link"), 0);
	ck_assert_int_eq(mm_stat("link", &status, MM_NOFOLLOW | 1), 0);
	ck_assert_int_eq(status.size, 7);
	ck_assert_uint_eq(status.mode & S_IFMT, S_IFLNK);
	assert_fails(mm_stat("link", &status, 0), ENOENT);
	int fd = mm_open("link", O_PATH | O_NOFOLLOW, 0);

	ck_assert_int_eq(mm_fstat(fd, &status), 0);
	ck_assert_int_eq(status.size, 7);
	close_all(1, &fd);

	ck_assert_int_eq(mm_readlink("link", target, 7), 0);
	ck_assert_str_eq(target, "target");
	/* Valgrind would check the whole buffer, and a sanitizer the path. */
	if (!is_instrumented()) {
		ck_assert_int_eq(mm_readlink("link", target, SIZE_MAX / 2 + 1), 0);
		assert_fails(mm_readlink(NULL, target, sizeof(target)), EFAULT);
	}
	assert_fails(mm_readlink("link", target, 6), EOVERFLOW);
	ck_assert_str_eq(target, "targe");
	assert_fails(mm_readlink("link", target, 0), EINVAL);
	assert_fails(mm_readlink(".", target, sizeof(target)), EINVAL);
	assert_fails(mm_readlink("missing", target, sizeof(target)), ENOENT);
	assert_fails_on_bad_memory(mm_readlink("link", (char *)8, 16), EFAULT);
	leave_scratch_directory();
}
END_TEST

START_TEST(stat_reports_its_errors_and_leaves_the_structure)
{
	struct mm_stat status, untouched;

	memset(&status, 0x55, sizeof(status));
	untouched = status;
	assert_fails(mm_stat("/missing", &status, 0), ENOENT);
	assert_fails(mm_fstat(-1, &status), EBADF);
	assert_fails_on_bad_memory(mm_stat(NULL, &status, 0), EFAULT);
	assert_fails(mm_stat("/", NULL, 0), EFAULT);
	assert_fails(mm_fstat(0, NULL), EFAULT);
	/* Errors of the file are reported first. */
	assert_fails(mm_stat("/missing", NULL, 0), ENOENT);
	assert_fails(mm_fstat(-1, NULL), EBADF);
	ck_assert_mem_eq(&status, &untouched, sizeof(status));
}
END_TEST

START_TEST(times_keep_every_nanosecond)
{
	struct mm_timespec times[2] = {{1000000001, 123456789}, {1000000002, 987654321}};
	struct stat status;

	enter_scratch_directory();
	write_file("file", "");
	ck_assert_int_eq(symlink("file", "link"), 0);
	int fd = mm_open("file", O_RDONLY, 0);

	for (int way = 0; way < 3; way++) {
		times[0].tv_sec += 10;
		if (way == 0)
			ck_assert_int_eq(mm_futimens(fd, times), 0);
		else
			ck_assert_int_eq(mm_utimens("link", times, way == 1 ? 0 : MM_NOFOLLOW), 0);
		ck_assert_int_eq(way == 2 ? lstat("link", &status) : stat("file", &status), 0);
		ck_assert_int_eq(status.st_atim.tv_sec, times[0].tv_sec);
		ck_assert_int_eq(status.st_atim.tv_nsec, 123456789);
		ck_assert_int_eq(status.st_mtim.tv_sec, 1000000002);
		ck_assert_int_eq(status.st_mtim.tv_nsec, 987654321);
	}
	ck_assert_int_eq(stat("file", &status), 0);
	ck_assert_int_eq(status.st_atim.tv_sec, 1000000021);
	close_all(1, &fd);
	leave_scratch_directory();
}
END_TEST

START_TEST(times_may_be_now_or_omitted)
{
	static const long kinds[] = {UTIME_NOW, UTIME_OMIT, 5};
	struct stat status;

	enter_scratch_directory();
	write_file("file", "");
	int fd = mm_open("file", O_RDONLY, 0);

	for (int a = 0; a < 3; a++) {
		for (int m = 0; m < 3; m++) {
			struct mm_timespec old[2] = {{1, 1}, {2, 2}}, times[2] = {{7, kinds[a]}, {8, kinds[m]}};

			ck_assert_int_eq(mm_futimens(fd, old), 0);
			ck_assert_int_eq((a + m) % 2 ? mm_futimens(fd, times) : mm_utimens("file", times, 0), 0);
			ck_assert_int_eq(fstat(fd, &status), 0);
			time_t seen[2] = {status.st_atim.tv_sec, status.st_mtim.tv_sec};

			for (int i = 0; i < 2; i++) {
				long kind = kinds[i == 0 ? a : m];

				if (kind == UTIME_NOW)
					ck_assert_int_ge(seen[i], time(NULL) - 60);
				else
					ck_assert_int_eq(seen[i], kind == UTIME_OMIT ? i + 1 : i + 7);
			}
		}
	}
	ck_assert_int_eq(mm_utimens("file", NULL, 0), 0);
	ck_assert_int_eq(fstat(fd, &status), 0);
	ck_assert_int_eq(status.st_atim.tv_nsec, status.st_mtim.tv_nsec);
	ck_assert_int_ge(status.st_atim.tv_sec, time(NULL) - 60);

	struct mm_timespec wrong[2] = {{1, 1000000000}, {1, 1}};

	assert_fails(mm_futimens(fd, wrong), EINVAL);
	assert_fails(mm_utimens("file", wrong, 0), EINVAL);
	assert_fails(mm_utimens("file", NULL, 1), EINVAL);
	assert_fails(mm_utimens(NULL, NULL, 0), EINVAL);
	assert_fails(mm_utimens("missing", NULL, 0), ENOENT);
	assert_fails(mm_futimens(-1, NULL), EBADF);
	assert_fails(mm_futimens(AT_FDCWD, NULL), EBADF);
	close_all(1, &fd);
	leave_scratch_directory();
}
END_TEST

START_TEST(seek_and_truncate_work_beyond_4_gib)
{
	struct mm_stat status;

	enter_scratch_directory();
	int fd = mm_open("file", O_RDWR | O_CREAT, MODE_DEF);

	ck_assert_int_eq(mm_ftruncate(fd, (mm_off_t)5 << 30), 0);
	ck_assert_int_eq(mm_seek(fd, -1, SEEK_END), ((mm_off_t)5 << 30) - 1);
	ck_assert_int_eq(mm_write(fd, "xy", 2), 2);
	ck_assert_int_eq(mm_fstat(fd, &status), 0);
	ck_assert_int_eq(status.size, ((mm_off_t)5 << 30) + 1);
	ck_assert_int_lt(status.nblocks, 1000);
	ck_assert_int_eq(mm_seek(fd, 0, SEEK_DATA) > ((mm_off_t)4 << 30), 1);
	assert_fails(mm_seek(fd, -1, SEEK_SET), EINVAL);
	assert_fails(mm_seek(fd, 0, 99), EINVAL);
	assert_fails(mm_seek(fd, (mm_off_t)6 << 30, SEEK_DATA), ENXIO);
	assert_fails(mm_seek(-1, 0, SEEK_SET), EBADF);
	assert_fails(mm_ftruncate(fd, -1), EINVAL);
	assert_fails(mm_ftruncate(-1, 0), EBADF);
	assert_fails(mm_fsync(-1), EBADF);
	close_all(1, &fd);
	leave_scratch_directory();
}
END_TEST

START_TEST(pipes_transfer_bytes_and_cannot_be_seeked)
{
	char text[16];
	int fds[2], spare = dup(0);

	close(spare);
	ck_assert_int_eq(mm_pipe(fds), 0);
	ck_assert_int_eq(fds[0], spare);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(fcntl(fds[i], F_GETFD), 0);
	ck_assert_int_eq(mm_write(fds[1], "12345", 5), 5);
	ck_assert_int_eq(mm_read(fds[0], text, sizeof(text)), 5);
	assert_fails(mm_read(fds[1], text, 1), EBADF);
	assert_fails(mm_write(fds[0], text, 1), EBADF);
	assert_fails(mm_seek(fds[0], 0, SEEK_CUR), ESPIPE);
	assert_fails(mm_fsync(fds[0]), EINVAL);
	assert_fails(mm_ftruncate(fds[1], 0), EINVAL);
	close_all(1, &fds[1]);
	ck_assert_int_eq(mm_read(fds[0], text, sizeof(text)), 0);
	close_all(1, &fds[0]);
	int *volatile nowhere = NULL;

	assert_fails_on_bad_memory(mm_pipe(nowhere), EFAULT);
}
END_TEST

START_TEST(duplicates_share_their_offset)
{
	enter_scratch_directory();
	int fd = mm_open("file", O_RDWR | O_CREAT, MODE_DEF);
	int copy = mm_dup(fd);

	ck_assert_int_eq(mm_write(fd, "12345", 5), 5);
	ck_assert_int_eq(mm_seek(copy, 0, SEEK_CUR), 5);
	ck_assert_int_eq(fcntl(copy, F_GETFD), 0);
	ck_assert_int_eq(mm_dup2(fd, 100), 100);
	ck_assert_int_eq(fcntl(100, F_GETFD), 0);
	ck_assert_int_eq(mm_dup2(fd, fd), fd);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_fails(mm_dup(-1), EBADF);
	assert_fails(mm_dup2(-1, 100), EBADF);
	assert_fails(mm_dup2(fd, -1), EBADF);
	close_all(3, (int[]){fd, copy, 100});
	leave_scratch_directory();
}
END_TEST

START_TEST(terminals_are_distinguished_from_other_descriptors)
{
	int terminal = posix_openpt(O_RDWR | O_NOCTTY);
	int other = mm_open("/dev/null", O_RDWR, 0);

	/* A minimal chroot has no pseudo-terminals. */
	ck_assert(terminal != -1 || errno == ENODEV || errno == ENOENT);
	errno = EBUSY;
	if (terminal != -1)
		ck_assert_int_eq(mm_isatty(terminal), 1);
	ck_assert_int_eq(mm_isatty(other), 0);
	ck_assert_int_eq(errno, EBUSY);
	assert_fails(mm_isatty(-1), EBADF);
	close(terminal);
	close(other);
}
END_TEST

START_TEST(names_are_linked_renamed_and_removed)
{
	struct mm_stat status;

	enter_scratch_directory();
	write_file("a", "text");
	ck_assert_int_eq(mm_link("a", "b"), 0);
	ck_assert_int_eq(mm_stat("b", &status, 0), 0);
	ck_assert_int_eq(status.nlink, 2);
	ck_assert_int_eq(mm_rename("a", "b"), 0);
	ck_assert(exists("a"));
	ck_assert_int_eq(mm_unlink("a"), 0);
	ck_assert_int_eq(mm_rename("b", ROUND_TRIP), 0);
	ck_assert(has_text(ROUND_TRIP, "text"));
	ck_assert_int_eq(mm_symlink(ROUND_TRIP, "link"), 0);
	ck_assert_int_eq(mm_link("link", "link2"), 0);
	ck_assert_int_eq(mm_stat("link2", &status, MM_NOFOLLOW), 0);
	ck_assert_uint_eq(status.mode & S_IFMT, S_IFLNK);
	ck_assert_int_eq(mm_unlink("link"), 0);
	ck_assert(exists(ROUND_TRIP));

	ck_assert_int_eq(mm_mkdir("dir", MODE_XDEF, 0), 0);
	ck_assert_int_eq(mm_mkdir("full", MODE_XDEF, 0), 0);
	write_file("full/file", "");
	assert_fails(mm_rename("dir", "full"), ENOTEMPTY);
	assert_fails(mm_rename("link2", "dir"), EISDIR);
	assert_fails(mm_rename("dir", "link2"), ENOTDIR);
	assert_fails(mm_rename("missing", "x"), ENOENT);
	assert_fails(mm_link("missing", "x"), ENOENT);
	assert_fails(mm_link("full/file", "link2"), EEXIST);
	assert_fails(mm_link("dir", "dir2"), EPERM);
	assert_fails(mm_symlink("x", "dir"), EEXIST);
	assert_fails(mm_symlink("", "x"), ENOENT);
	assert_fails(mm_unlink("dir"), EISDIR);
	assert_fails(mm_unlink("missing"), ENOENT);
	assert_fails(mm_rmdir("full"), ENOTEMPTY);
	assert_fails(mm_rmdir("link2"), ENOTDIR);
	assert_fails(mm_rmdir("."), EINVAL);
	assert_fails_on_bad_memory(mm_rename(NULL, "x"), EFAULT);
	assert_fails_on_bad_memory(mm_rename("dir", NULL), EFAULT);
	assert_fails_on_bad_memory(mm_link(NULL, "x"), EFAULT);
	assert_fails_on_bad_memory(mm_symlink("x", NULL), EFAULT);
	assert_fails_on_bad_memory(mm_unlink(NULL), EFAULT);
	assert_fails_on_bad_memory(mm_rmdir(NULL), EFAULT);
	leave_scratch_directory();
}
END_TEST

START_TEST(current_directory_is_changed_and_returned)
{
	char before[256], exact[256];

	enter_scratch_directory();
	ck_assert_ptr_eq(mm_getcwd(before, sizeof(before)), before);
	ck_assert_int_eq(mm_mkdir("dir", MODE_XDEF, 0), 0);
	ck_assert_int_eq(mm_chdir("dir"), 0);
	char *path = mm_getcwd(NULL, 0);

	ck_assert_ptr_nonnull(path);
	ck_assert_int_eq(strncmp(path, before, strlen(before)), 0);
	ck_assert_str_eq(path + strlen(before), "/dir");
	ck_assert_ptr_eq(mm_getcwd(exact, strlen(path) + 1), exact);
	assert_fails_with_null(mm_getcwd(exact, strlen(path)), ERANGE);
	assert_fails_with_null(mm_getcwd(exact, 0), EINVAL);
	free(path);
	ck_assert_int_eq(rmdir("../dir"), 0);
	assert_fails_with_null(mm_getcwd(exact, sizeof(exact)), ENOENT);
	ck_assert_int_eq(mm_chdir(before), 0);
	assert_fails(mm_chdir("missing"), ENOENT);
	assert_fails_on_bad_memory(mm_chdir(NULL), EFAULT);
	leave_scratch_directory();
}
END_TEST

START_TEST(full_device_rejects_data)
{
	int fd = mm_open("/dev/full", O_WRONLY, 0);

	assert_fails(mm_write(fd, "x", 1), ENOSPC);
	close_all(1, &fd);
}
END_TEST

SUITE(open_creates_reads_and_writes, modes_are_translated_and_masked, open_reports_its_errors,
      open_of_a_fifo_is_interrupted_by_a_signal, permissions_apply_to_ordinary_users,
      check_access_reports_inaccessible_files_without_an_error,
      unreadable_path_is_not_accessed_for_the_message_of_another_error, stat_and_fstat_fill_every_field,
      stat_of_a_link_reports_the_size_that_readlink_needs, stat_reports_its_errors_and_leaves_the_structure,
      times_keep_every_nanosecond, times_may_be_now_or_omitted, seek_and_truncate_work_beyond_4_gib,
      pipes_transfer_bytes_and_cannot_be_seeked, duplicates_share_their_offset,
      terminals_are_distinguished_from_other_descriptors, names_are_linked_renamed_and_removed,
      current_directory_is_changed_and_returned, full_device_rejects_data)
