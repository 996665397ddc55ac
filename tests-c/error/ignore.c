/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ignore.c: MM_ERROR_IGNORE leaves the error state unchanged, formats no text, and sets errno to the failure
 */
#include "suite.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <time.h>

/* Functions that the library calls to format errors and log lines, and for no other purpose in the calls below. */
static int texts_made;

int access(const char *path, int mode)
{
	texts_made += mode == F_OK;
	return (int)syscall(SYS_faccessat, AT_FDCWD, path, mode);
}

#ifdef __GLIBC__
#define POSIX_STRERROR_R __xpg_strerror_r
#else
#define POSIX_STRERROR_R strerror_r
#endif

extern int POSIX_STRERROR_R(int error, char *text, size_t size);

int POSIX_STRERROR_R(int error, char *text, size_t size)
{
	texts_made++;
	snprintf(text, size, "error %d", error);
	return 0;
}

const char *gai_strerror(int error)
{
	(void)error;
	texts_made++;
	return "error of the resolver";
}

struct tm *localtime_r(const time_t *time, struct tm *result)
{
	(void)time;
	texts_made++;
	memset(result, 0, sizeof(*result));
	return result;
}

struct failure {
	const char *call;
	bool has_failed;
	int error, expected;
};

#define MOST_FAILURES 300

static struct failure failures[MOST_FAILURES];
static int failure_count;

static void note(const char *call, int expected, bool has_failed, int error)
{
	ck_assert_int_lt(failure_count, MOST_FAILURES);
	failures[failure_count++] = (struct failure){call, has_failed, error, expected};
}

/* The call must fail with an error that only the library can have stored in errno, which has another value before. */
#define FAILS_IF(error, condition)                           \
	do {                                                 \
		errno = EXFULL;                              \
		bool has_failed_ = (condition);              \
		note(#condition, error, has_failed_, errno); \
	} while (0)
#define FAILS(error, call) FAILS_IF(error, (call) == -1)
#define FAILS_WITH_NULL(error, call) FAILS_IF(error, (call) == NULL)

static char long_name[300], long_path[5000];
static const char *const nowhere = (const char *)8;

static void fail_with_paths(void)
{
	struct mm_timespec never[2] = {{.tv_nsec = -5}, {.tv_nsec = -5}};
	struct mm_timespec now[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
	struct mm_stat status;
	char text[3];

	VALGRIND_DISABLE_ERROR_REPORTING;
	FAILS(ENOENT, mm_open("none", O_RDONLY, 0));
	FAILS(EEXIST, mm_open("file", O_WRONLY | O_CREAT | O_EXCL, 0600));
	FAILS(EINVAL, mm_open("file", O_TMPFILE, 0));
	FAILS(EINVAL, mm_open("file", O_RDONLY | O_DIRECTORY | O_CREAT | O_TMPFILE, 0));
	FAILS(EISDIR, mm_open("dir", O_WRONLY, 0));
	FAILS(ENOTDIR, mm_open("file/x", O_RDONLY, 0));
	FAILS(ELOOP, mm_open("loop", O_RDONLY, 0));
	FAILS(ENXIO, mm_open("fifo", O_WRONLY | O_NONBLOCK, 0));
	FAILS(ENAMETOOLONG, mm_open(long_name, O_RDONLY, 0));
	FAILS(EFAULT, mm_open(NULL, O_RDONLY, 0));
	FAILS(EFAULT, mm_open(nowhere, O_RDONLY, 0));
	FAILS(ENOENT, mm_rename("none", "other"));
	FAILS(EISDIR, mm_rename("file", "dir"));
	FAILS(EXDEV, mm_rename("file", "/proc/self/mmsysio"));
	FAILS(EFAULT, mm_rename("file", nowhere));
	FAILS(ENOENT, mm_stat("none", &status, 0));
	FAILS(EFAULT, mm_stat("file", NULL, 0));
	FAILS(ENOENT, mm_utimens("none", now, 0));
	FAILS(EINVAL, mm_utimens("file", never, 0));
	FAILS(EINVAL, mm_utimens("file", now, 1));
	FAILS(EINVAL, mm_check_access("file", 0777));
	FAILS(ELOOP, mm_check_access("loop", R_OK));
	FAILS(ENOENT, mm_unlink("none"));
	FAILS(EISDIR, mm_unlink("dir"));
	FAILS(ENOENT, mm_link("none", "other"));
	FAILS(EEXIST, mm_link("file", "dir"));
	FAILS(EEXIST, mm_symlink("target", "file"));
	FAILS(ENOENT, mm_symlink("", "other"));
	FAILS(ENOENT, mm_symlink("target", "none/x"));
	FAILS(EINVAL, mm_readlink("file", text, sizeof(text)));
	FAILS(EOVERFLOW, mm_readlink("dangling", text, sizeof(text)));
	FAILS(ENOENT, mm_readlink("none", text, sizeof(text)));
	FAILS(ENOENT, mm_copy("none", "other", 0, 0600));
	FAILS(EISDIR, mm_copy("dir", "other", 0, 0600));
	FAILS(EEXIST, mm_copy("file", "dir", 0, 0600));
	FAILS(EINVAL, mm_copy("fifo", "other", 0, 0600));
	FAILS(EINVAL, mm_copy("file", "other", 1, 0600));
	FAILS(ENOENT, mm_copy("file", "none/other", 0, 0600));
	FAILS(EEXIST, mm_copy("dangling", "file", MM_NOFOLLOW, 0600));
	FAILS(EEXIST, mm_mkdir("dir", 0700, 0));
	FAILS(EEXIST, mm_mkdir("file", 0700, MM_RECURSIVE));
	FAILS(ENOTDIR, mm_mkdir("file/x/y", 0700, MM_RECURSIVE));
	FAILS(ENOENT, mm_mkdir("none/x", 0700, 0));
	FAILS(ENOENT, mm_mkdir("dangling/x", 0700, MM_RECURSIVE));
	FAILS(ENOTDIR, mm_chdir("file"));
	FAILS(ENOENT, mm_chdir("none"));
	FAILS_WITH_NULL(ERANGE, mm_getcwd(text, 2));
	FAILS(ENOTEMPTY, mm_rmdir("full"));
	FAILS(ENOTDIR, mm_rmdir("file"));
	FAILS(EPERM, mm_remove("dangling", MM_DT_REG));
	FAILS(EPERM, mm_remove("file", MM_DT_DIR | MM_RECURSIVE));
	FAILS(ENOENT, mm_remove("none", MM_DT_ANY));
	FAILS(ENOTEMPTY, mm_remove("full", MM_DT_ANY));
	FAILS(ENOTDIR, mm_remove("dangling/", MM_DT_ANY | MM_RECURSIVE));
	FAILS(EINVAL, mm_remove("full/.", MM_DT_ANY | MM_RECURSIVE));
	FAILS(EBUSY, mm_remove("/", MM_DT_ANY | MM_RECURSIVE));
	FAILS(ENAMETOOLONG, mm_remove(long_path, MM_DT_ANY));
	FAILS_WITH_NULL(ENOENT, mm_opendir("none"));
	FAILS_WITH_NULL(ENOTDIR, mm_opendir("file"));
	FAILS_WITH_NULL(EFAULT, mm_opendir(NULL));
	VALGRIND_ENABLE_ERROR_REPORTING;
}

static void fail_with_descriptors(void)
{
	struct mm_timespec now[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
	int *no_pair = NULL;
	struct mm_stat status;
	char text[8];

	VALGRIND_DISABLE_ERROR_REPORTING;
	FAILS(EBADF, mm_close(1000000));
	FAILS(EBADF, mm_fsync(-1));
	FAILS(EBADF, mm_read(-1, text, sizeof(text)));
	FAILS(EBADF, mm_write(-1, text, sizeof(text)));
	FAILS(EBADF, mm_seek(-1, 0, SEEK_SET));
	FAILS(EBADF, mm_ftruncate(-1, 0));
	FAILS(EBADF, mm_fstat(-1, &status));
	FAILS(EBADF, mm_futimens(-1, now));
	FAILS(EBADF, mm_isatty(-1));
	FAILS(EBADF, mm_dup(-1));
	FAILS(EBADF, mm_dup2(-1, 100));
	FAILS(EFAULT, mm_pipe(no_pair));
	VALGRIND_ENABLE_ERROR_REPORTING;
}

static void fail_with_directories(void)
{
	int status = 0;

	FAILS_IF(EINVAL, mm_readdir(NULL, &status) == NULL && status == -1);
}

static void fail_with_processes(void)
{
	static char *const argv[] = {"mmsysio", NULL};
	static const struct mm_remap_fd closed = {.child_fd = 3, .parent_fd = 1000000};
	mm_pid_t pid;
	int status;

	FAILS(ENOENT, mm_spawn(&pid, "./none", 0, NULL, 0, argv, NULL));
	FAILS(ENOENT, mm_spawn(&pid, "mmsysio-none", 0, NULL, 0, argv, NULL));
	FAILS(ENOENT, mm_spawn(&pid, "", 0, NULL, 0, argv, NULL));
	FAILS(EACCES, mm_spawn(&pid, "./file", 0, NULL, 0, argv, NULL));
	FAILS(ENOENT, mm_spawn(&pid, "./none", 0, NULL, MM_SPAWN_DAEMONIZE, argv, NULL));
	FAILS(ENAMETOOLONG, mm_spawn(&pid, long_name, 0, NULL, 0, argv, NULL));
	FAILS(EBADF, mm_spawn(&pid, "/bin/true", 1, &closed, 0, argv, NULL));
	FAILS(EINVAL, mm_spawn(&pid, "/bin/true", 1, NULL, 0, argv, NULL));
	FAILS(EINVAL, mm_spawn(&pid, "/bin/true", 0, NULL, 0x1000, argv, NULL));
	FAILS(ENOENT, mm_execv("./none", 0, NULL, MM_SPAWN_KEEP_FDS, argv, NULL));
	FAILS(EBADF, mm_execv("/bin/true", 1, &closed, 0, argv, NULL));
	FAILS(ECHILD, mm_wait_process(getpid(), &status));
}

static void fail_with_memory(void)
{
	static char no_map[1];

	VALGRIND_DISABLE_ERROR_REPORTING;
	FAILS_WITH_NULL(EBADF, mm_mapfile(-1, 0, 4096, MM_MAP_READ));
	FAILS_WITH_NULL(EINVAL, mm_mapfile(-1, 1, 4096, MM_MAP_READ));
	FAILS(EFAULT, mm_unmap(no_map));
	FAILS(EINVAL, mm_shm_open("a/b", O_RDWR | O_CREAT, 0600));
	FAILS(EINVAL, mm_shm_open("", O_RDWR | O_CREAT, 0600));
	FAILS(EINVAL, mm_shm_open("..", O_RDONLY, 0600));
	FAILS(EINVAL, mm_shm_open(long_name, O_RDONLY, 0600));
	FAILS(ENOENT, mm_shm_open("/mmsysio-none", O_RDONLY, 0600));
	FAILS(EFAULT, mm_shm_open(NULL, O_RDONLY, 0600));
	FAILS(ENOENT, mm_shm_unlink("a/b"));
	FAILS(ENOENT, mm_shm_unlink(""));
	FAILS(ENOENT, mm_shm_unlink("/mmsysio-none"));
	FAILS(EFAULT, mm_shm_unlink(NULL));
	VALGRIND_ENABLE_ERROR_REPORTING;
}

static void fail_with_ipc(void)
{
	struct mm_ipc_msg message = {0}, negative = {.num_iov = -1}, many = {.num_fds = 254};
	int many_fds[254] = {0};

	many.fds = many_fds;
	VALGRIND_DISABLE_ERROR_REPORTING;
	FAILS_WITH_NULL(ENAMETOOLONG, mm_ipc_srv_create(long_name));
	FAILS_WITH_NULL(EINVAL, mm_ipc_srv_create(NULL));
	FAILS(EINVAL, mm_ipc_srv_accept(NULL));
	FAILS(ENAMETOOLONG, mm_ipc_connect(long_name));
	FAILS(EINVAL, mm_ipc_connect(NULL));
	FAILS(ECONNREFUSED, mm_ipc_connect(unique_name()));
	FAILS(EFAULT, mm_ipc_connected_pair(NULL));
	FAILS(EBADF, mm_ipc_sendmsg(-1, &message));
	FAILS(EBADF, mm_ipc_sendmsg(-1, &negative));
	FAILS(EINVAL, mm_ipc_sendmsg(-1, &many));
	FAILS(EBADF, mm_ipc_recvmsg(-1, &message));
	FAILS(EBADF, mm_ipc_recvmsg(-1, &negative));
	FAILS(EINVAL, mm_ipc_recvmsg(-1, NULL));
	VALGRIND_ENABLE_ERROR_REPORTING;
}

static void fail_with_ended_ipc(void)
{
	struct mm_ipc_msg message = {0};
	int fds[2];

	ck_assert_int_eq(mm_ipc_connected_pair(fds), 0);
	ck_assert_int_eq(close(fds[1]), 0);
	FAILS(EPIPE, mm_ipc_recvmsg(fds[0], &message));
	FAILS(EPIPE, mm_ipc_sendmsg(fds[0], &message));
	ck_assert_int_eq(close(fds[0]), 0);
}

static void fail_with_sockets(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	struct sockaddr *any = (struct sockaddr *)&address;
	struct mm_sock_multimsg messages[1] = {{.datalen = 0}};
	struct msghdr message = {0};
	socklen_t size = sizeof(address);
	char text[8] = "";
	int number = 0;

	VALGRIND_DISABLE_ERROR_REPORTING;
	FAILS(EAFNOSUPPORT, mm_socket(-1, SOCK_STREAM, 0));
	FAILS(EBADF, mm_bind(-1, any, size));
	FAILS(EBADF, mm_getsockname(-1, any, &size));
	FAILS(EBADF, mm_getpeername(-1, any, &size));
	FAILS(EBADF, mm_listen(-1, 1));
	FAILS(EBADF, mm_accept(-1, any, &size));
	FAILS(EBADF, mm_connect(-1, any, sizeof(address)));
	FAILS(EBADF, mm_setsockopt(-1, SOL_SOCKET, SO_REUSEADDR, &number, sizeof(number)));
	FAILS(EINVAL, mm_setsockopt(-1, SOL_SOCKET, SO_RCVTIMEO, &number, 1));
	size = sizeof(number);
	FAILS(EBADF, mm_getsockopt(-1, SOL_SOCKET, SO_REUSEADDR, &number, &size));
	FAILS(EBADF, mm_getsockopt(-1, SOL_SOCKET, SO_RCVTIMEO, &number, &size));
	FAILS(EBADF, mm_getsockopt(-1, SOL_SOCKET, SO_RCVTIMEO, NULL, NULL));
	FAILS(EBADF, mm_shutdown(-1, SHUT_RD));
	FAILS(EBADF, mm_send(-1, text, 1, 0));
	FAILS(EBADF, mm_recv(-1, text, 1, 0));
	FAILS(EBADF, mm_sendmsg(-1, &message, 0));
	FAILS(EBADF, mm_recvmsg(-1, &message, 0));
	FAILS(EBADF, mm_send_multimsg(-1, 1, messages, 0));
	FAILS(EINVAL, mm_send_multimsg(-1, -1, messages, 0));
	FAILS(EBADF, mm_recv_multimsg(-1, 1, messages, 0, NULL));
	FAILS(EINVAL, mm_recv_multimsg(-1, -1, messages, 0, NULL));
	FAILS(EFAULT, mm_poll(NULL, 1, 0));
	VALGRIND_ENABLE_ERROR_REPORTING;
}

static void fail_with_names(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	struct addrinfo numeric = {.ai_flags = AI_NUMERICHOST}, unknown = {.ai_family = 9999};
	struct addrinfo *found = NULL;
	char text[2];

	FAILS(EINVAL, mm_getaddrinfo(NULL, NULL, NULL, &found));
	FAILS(MM_ENONAME, mm_getaddrinfo("no address", NULL, &numeric, &found));
	FAILS(EAFNOSUPPORT, mm_getaddrinfo("127.0.0.1", NULL, &unknown, &found));
	FAILS(MM_ENOTFOUND, mm_getaddrinfo("127.0.0.1", "mmsysio-none", NULL, &found));
	FAILS(EOVERFLOW, mm_getnameinfo((struct sockaddr *)&address, sizeof(address), text, sizeof(text), NULL, 0,
	                                NI_NUMERICHOST));
	FAILS(EAFNOSUPPORT, mm_getnameinfo((struct sockaddr *)&address, 1, text, sizeof(text), NULL, 0, 0));
	FAILS(EINVAL, mm_create_sockclient("no URI"));
	FAILS(EINVAL, mm_create_sockclient("tcp://127.0.0.1"));
	FAILS(EINVAL, mm_create_sockclient("tcp://user@127.0.0.1:1"));
	FAILS(ECONNREFUSED, mm_create_sockclient("tcp://127.0.0.1:1"));
	FAILS(EINVAL, mm_create_sockclient("mmsysio-none://127.0.0.1"));
	FAILS(EINVAL, mm_create_sockclient(NULL));
}

static void fail_with_times(void)
{
	struct mm_timespec time = {0};

	VALGRIND_DISABLE_ERROR_REPORTING;
	FAILS(EINVAL, mm_gettime(1000, &time));
	FAILS(EFAULT, mm_gettime(CLOCK_REALTIME, NULL));
	FAILS(EINVAL, mm_getres(1000, &time));
	FAILS(EINVAL, mm_nanosleep(1000, &time));
	FAILS(EFAULT, mm_nanosleep(CLOCK_REALTIME, NULL));
	FAILS(EFAULT, mm_save_errorstate(NULL));
	FAILS(EFAULT, mm_set_errorstate(NULL));
	VALGRIND_ENABLE_ERROR_REPORTING;
}

/* Each call is made twice under the same conditions, so it must not change them. */
static void assert_the_same_if_ignored(void (*fail_each)(void))
{
	static const struct mm_error_state none;
	struct failure shown[MOST_FAILURES];
	int count;

	mm_set_errorstate(&none);
	failure_count = 0;
	texts_made = 0;
	fail_each();
	count = failure_count;
	memcpy(shown, failures, sizeof(shown));
	ck_assert_int_gt(count, 0);
	ck_assert_int_ne(mm_get_lasterror_number(), 0);

	mm_set_errorstate(&none);
	mm_error_set_flags(MM_ERROR_SET, MM_ERROR_IGNORE);
	failure_count = 0;
	texts_made = 0;
	fail_each();
	mm_error_set_flags(MM_ERROR_UNSET, MM_ERROR_IGNORE);

	ck_assert_int_eq(failure_count, count);
	ck_assert_int_eq(mm_get_lasterror_number(), 0);
	ck_assert_str_eq(mm_get_lasterror_desc(), "");
	for (int i = 0; i < count; i++) {
		ck_assert_msg(shown[i].has_failed && failures[i].has_failed, "%s: succeeded", shown[i].call);
		ck_assert_msg(shown[i].error == shown[i].expected, "%s: errno %d instead of %d", shown[i].call,
		              shown[i].error, shown[i].expected);
		ck_assert_msg(failures[i].error == shown[i].error, "%s: errno %d if ignored, otherwise %d",
		              shown[i].call, failures[i].error, shown[i].error);
	}
	ck_assert_int_eq(texts_made, 0);
}

static void enter_prepared_directory(void)
{
	enter_scratch_directory();
	write_file("file", "text");
	ck_assert_int_eq(mkdir("dir", 0700) | mkdir("full", 0700), 0);
	write_file("full/file", "text");
	ck_assert_int_eq(symlink("leads/nowhere", "dangling") | symlink("loop", "loop") | mkfifo("fifo", 0600), 0);
	memset(long_name, 'x', sizeof(long_name) - 1);
	memset(long_path, 'x', sizeof(long_path) - 1);
}

#define TEST_OF(subject)                                                 \
	START_TEST(ignored_errors_of_##subject##_set_errno_as_others_do) \
	{                                                                \
		enter_prepared_directory();                              \
		setenv("MMSYSIO_CONNECT_TIMEOUT_MS", "0", 1);            \
		setenv("PATH", "/bin:/usr/bin", 1);                      \
		assert_the_same_if_ignored(fail_with_##subject);         \
		leave_scratch_directory();                               \
	}                                                                \
	END_TEST

TEST_OF(paths)
TEST_OF(descriptors)
TEST_OF(directories)
TEST_OF(processes)
TEST_OF(memory)
TEST_OF(ipc)
TEST_OF(ended_ipc)
TEST_OF(sockets)
TEST_OF(names)
TEST_OF(times)

static char other_filesystem[128];

static void fail_between_filesystems(void)
{
	FAILS(EXDEV, mm_rename("file", other_filesystem));
	FAILS(EXDEV, mm_link("file", other_filesystem));
	FAILS(EXDEV, mm_rename("dir", other_filesystem));
}

START_TEST(ignored_errors_of_copies_between_filesystems_set_errno)
{
	struct stat here, there;

	enter_prepared_directory();
	snprintf(other_filesystem, sizeof(other_filesystem), "/dev/shm/%s", unique_name());
	/* A system may have only one writable filesystem. */
	if (stat(".", &here) == 0 && stat("/dev/shm", &there) == 0 && here.st_dev != there.st_dev &&
	    access("/dev/shm", W_OK) == 0)
		assert_the_same_if_ignored(fail_between_filesystems);
	leave_scratch_directory();
}
END_TEST

/* Verifies the test above: the counted functions are called when an error is reported. */
START_TEST(errors_that_are_not_ignored_have_descriptions)
{
	texts_made = 0;
	ck_assert_int_eq(mm_unlink("none"), -1);
	ck_assert_int_ge(texts_made, 2);
	ck_assert_ptr_nonnull(strstr(mm_get_lasterror_desc(), "\"none\" ; error 2"));
}
END_TEST

START_TEST(ignored_errors_raised_by_a_program_change_nothing)
{
	mm_error_set_flags(MM_ERROR_SET, MM_ERROR_IGNORE);
	errno = EXFULL;
	ck_assert_int_eq(mm_raise_error(EIO, "x"), -1);
	ck_assert_int_eq(mm_raise_error_with_extid(EIO, "id", "x"), -1);
	ck_assert_int_eq(mm_raise_from_errno("x"), -1);
	ck_assert_int_eq(errno, EXFULL);
	ck_assert_int_eq(mm_get_lasterror_number(), 0);
}
END_TEST

SUITE(ignored_errors_of_paths_set_errno_as_others_do, ignored_errors_of_descriptors_set_errno_as_others_do,
      ignored_errors_of_directories_set_errno_as_others_do, ignored_errors_of_processes_set_errno_as_others_do,
      ignored_errors_of_memory_set_errno_as_others_do, ignored_errors_of_ipc_set_errno_as_others_do,
      ignored_errors_of_ended_ipc_set_errno_as_others_do, ignored_errors_of_sockets_set_errno_as_others_do,
      ignored_errors_of_names_set_errno_as_others_do, ignored_errors_of_times_set_errno_as_others_do,
      ignored_errors_of_copies_between_filesystems_set_errno, errors_that_are_not_ignored_have_descriptions,
      ignored_errors_raised_by_a_program_change_nothing)
