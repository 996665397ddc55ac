/* SPDX-License-Identifier: Apache-2.0 */
/*
 * header.c: the headers declare the same functions as mmlib's, and their structures have the same layout
 *
 * Every function is declared again here with mmlib's prototype, and layout.h asserts every size and offset: a
 * difference causes a compile error. The tests check the values of macros.
 */
#include "suite.h"

#include "layout.h"

#include <mmipc.h>

/* Later versions may only add fields at the end. */
LAYOUT(sizeof(struct mm_ipc_peer) == 12 && _Alignof(struct mm_ipc_peer) == 4);
AT(mm_ipc_peer, pid, 0);
AT(mm_ipc_peer, uid, 4);
AT(mm_ipc_peer, gid, 8);

/* mmsysio.h: file manipulation */
int mm_open(const char *path, int oflag, int mode);
int mm_rename(const char *oldpath, const char *newpath);
int mm_close(int fd);
int mm_fsync(int fd);
ssize_t mm_read(int fd, void *buf, size_t nbyte);
ssize_t mm_write(int fd, const void *buf, size_t nbyte);
mm_off_t mm_seek(int fd, mm_off_t offset, int whence);
int mm_ftruncate(int fd, mm_off_t length);
int mm_fstat(int fd, struct mm_stat *buf);
int mm_stat(const char *path, struct mm_stat *buf, int flags);
int mm_futimens(int fd, const struct mm_timespec ts[2]);
int mm_utimens(const char *path, const struct mm_timespec ts[2], int flags);
int mm_check_access(const char *path, int amode);
int mm_isatty(int fd);
int mm_dup(int fd);
int mm_dup2(int fd, int newfd);
int mm_pipe(int pipefd[2]);
int mm_unlink(const char *path);
int mm_link(const char *oldpath, const char *newpath);
int mm_symlink(const char *oldpath, const char *newpath);
int mm_readlink(const char *path, char *buf, size_t bufsize);
int mm_copy(const char *src, const char *dst, int flags, int mode);
int mm_mkdir(const char *path, int mode, int flags);
int mm_chdir(const char *path);
char *mm_getcwd(char *buffer, size_t size);
int mm_rmdir(const char *path);
int mm_remove(const char *path, int flags);

/* mmsysio.h: directory navigation */
MM_DIR *mm_opendir(const char *path);
void mm_closedir(MM_DIR *dir);
void mm_rewinddir(MM_DIR *dir);
const struct mm_dirent *mm_readdir(MM_DIR *dir, int *status);

/* mmsysio.h: process spawning */
int mm_spawn(mm_pid_t *child_pid, const char *path, int num_map, const struct mm_remap_fd *fd_map, int flags,
             char *const *argv, char *const *envp);
int mm_execv(const char *path, int num_map, const struct mm_remap_fd *fd_map, int flags, char *const *argv,
             char *const *envp);
int mm_wait_process(mm_pid_t pid, int *status);

/* mmsysio.h: memory mapping */
void *mm_mapfile(int fd, mm_off_t offset, size_t len, int mflags);
int mm_unmap(void *addr);
int mm_shm_open(const char *name, int oflag, int mode);
int mm_anon_shm(void);
int mm_shm_unlink(const char *name);

/* mmsysio.h: IPC */
struct mm_ipc_srv *mm_ipc_srv_create(const char *addr);
void mm_ipc_srv_destroy(struct mm_ipc_srv *srv);
int mm_ipc_srv_accept(struct mm_ipc_srv *srv);
int mm_ipc_connect(const char *addr);
int mm_ipc_connected_pair(int fds[2]);
ssize_t mm_ipc_sendmsg(int fd, const struct mm_ipc_msg *msg);
ssize_t mm_ipc_recvmsg(int fd, struct mm_ipc_msg *msg);

/* mmipc.h, which mmlib does not have: what released versions of the library declare */
struct mm_ipc_srv *mm_ipc_srv_create2(const char *addr, int flags, mode_t mode);
struct mm_ipc_srv *mm_ipc_srv_from_fd(int fd);
int mm_ipc_srv_release(struct mm_ipc_srv *srv);
int mm_ipc_srv_fd(const struct mm_ipc_srv *srv);
int mm_ipc_srv_accept2(struct mm_ipc_srv *srv, int flags, int timeout_ms);
int mm_ipc_connect2(const char *addr, int flags, int timeout_ms);
int mm_ipc_connected_pair2(int fds[2], int flags);
int mm_ipc_watch(const char *addr, int flags);
int mm_ipc_get_peer(int fd, struct mm_ipc_peer *peer, size_t size);
int mm_ipc_get_peer_pidfd(int fd);

/* mmsysio.h: network communication */
int mm_socket(int domain, int type, int protocol);
int mm_bind(int sockfd, const struct sockaddr *addr, socklen_t addrlen);
int mm_getsockname(int sockfd, struct sockaddr *addr, socklen_t *addrlen);
int mm_getpeername(int sockfd, struct sockaddr *addr, socklen_t *addrlen);
int mm_listen(int sockfd, int backlog);
int mm_accept(int sockfd, struct sockaddr *addr, socklen_t *addrlen);
int mm_connect(int sockfd, const struct sockaddr *addr, socklen_t addrlen);
int mm_setsockopt(int sockfd, int level, int optname, const void *optval, socklen_t optlen);
int mm_getsockopt(int sockfd, int level, int optname, void *optval, socklen_t *optlen);
int mm_shutdown(int sockfd, int how);
ssize_t mm_send(int sockfd, const void *buffer, size_t length, int flags);
ssize_t mm_recv(int sockfd, void *buffer, size_t length, int flags);
ssize_t mm_sendmsg(int sockfd, const struct msghdr *msg, int flags);
ssize_t mm_recvmsg(int sockfd, struct msghdr *msg, int flags);
int mm_send_multimsg(int sockfd, int vlen, struct mm_sock_multimsg *msgvec, int flags);
int mm_recv_multimsg(int sockfd, int vlen, struct mm_sock_multimsg *msgvec, int flags, struct mm_timespec *timeout);
int mm_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **res);
int mm_getnameinfo(const struct sockaddr *addr, socklen_t addrlen, char *host, socklen_t hostlen, char *serv,
                   socklen_t servlen, int flags);
void mm_freeaddrinfo(struct addrinfo *res);
int mm_create_sockclient(const char *uri);
int mm_poll(struct mm_pollfd *fds, int nfds, int timeout_ms);

/* mmerrno.h */
const char *mm_strerror(int errnum);
int mm_strerror_r(int errnum, char *buf, size_t buflen);
int mm_raise_error_full(int errnum, const char *module, const char *func, const char *srcfile, int srcline,
                        const char *extid, const char *desc, ...);
int mm_raise_error_vfull(int errnum, const char *module, const char *func, const char *srcfile, int srcline,
                         const char *extid, const char *desc, va_list args);
int mm_raise_from_errno_full(const char *module, const char *func, const char *srcfile, int srcline, const char *extid,
                             const char *desc_fmt, ...);
int mm_error_set_flags(int flags, int mask);
int mm_save_errorstate(struct mm_error_state *state);
int mm_set_errorstate(const struct mm_error_state *state);
void mm_print_lasterror(const char *info, ...);
int mm_get_lasterror_number(void);
const char *mm_get_lasterror_desc(void);
const char *mm_get_lasterror_location(void);
const char *mm_get_lasterror_extid(void);
const char *mm_get_lasterror_module(void);

/* mmlog.h */
void mm_log(int lvl, const char *location, const char *msg, ...);
int mm_log_set_maxlvl(int lvl);

/* mmtime.h */
int mm_gettime(clockid_t clock_id, struct mm_timespec *ts);
int mm_getres(clockid_t clock_id, struct mm_timespec *res);
int mm_nanosleep(clockid_t clock_id, const struct mm_timespec *ts);
int mm_relative_sleep_ms(int64_t duration_ms);
int mm_relative_sleep_us(int64_t duration_us);
int mm_relative_sleep_ns(int64_t duration_ns);

START_TEST(error_codes_and_flags_match_mmlib)
{
	ck_assert_int_eq(MM_EDISCONNECTED, 1000);
	ck_assert_int_eq(MM_EWRONGSTATE, 1003);
	ck_assert_int_eq(MM_ENOTFOUND, 1005);
	ck_assert_int_eq(MM_EBADFMT, 1006);
	ck_assert_int_eq(MM_ENONAME, 1010);
	ck_assert_uint_eq(MM_ERROR_IGNORE, 1);
	ck_assert_uint_eq(MM_ERROR_NOLOG, 2);
	/* The bits of mmlib's error numbers, as the int that the functions take. */
	ck_assert_uint_eq((unsigned int)MM_ERROR_ALL_ALTERNATE, 0xffffffff);
	ck_assert_uint_eq((unsigned int)MM_ERROR_SET, 0xffffffff);
	ck_assert_uint_eq(MM_ERROR_UNSET, 0);
	ck_assert(_Generic(MM_ERROR_ALL_ALTERNATE, int : true, default : false));
	ck_assert(_Generic(MM_ERROR_SET, int : true, default : false));
	ck_assert_uint_eq((unsigned int)MM_RECURSIVE, 0x80000000);
}
END_TEST

START_TEST(log_levels_match_mmlib)
{
	static const int levels[] = {MM_LOG_NONE, MM_LOG_FATAL, MM_LOG_ERROR, MM_LOG_WARN, MM_LOG_INFO, MM_LOG_DEBUG};

	for (int i = 0; i < MM_NELEM(levels); i++)
		ck_assert_int_eq(levels[i], i - 1);
}
END_TEST

START_TEST(clock_ids_and_time_units_match_mmlib)
{
	ck_assert_int_eq(MM_CLK_REALTIME, 0);
	ck_assert_int_eq(MM_CLK_MONOTONIC, 1);
	ck_assert_int_eq(MM_CLK_CPU_PROCESS, 2);
	ck_assert_int_eq(MM_CLK_CPU_THREAD, 3);
	ck_assert_int_eq(MM_CLK_MONOTONIC_RAW, 4);
	ck_assert_int_eq(NS_IN_SEC, 1000000000);
	ck_assert_int_eq(US_IN_SEC, 1000000);
	ck_assert_int_eq(MS_IN_SEC, 1000);
}
END_TEST

START_TEST(file_constants_match_mmlib)
{
	ck_assert_int_eq(MODE_DEF, 0x10000);
	ck_assert_int_eq(MODE_EXEC, 0x20000);
	ck_assert_int_eq(MODE_XDEF, 0x30000);
	ck_assert_int_eq(MM_DT_FIFO | MM_DT_CHR | MM_DT_BLK | MM_DT_DIR | MM_DT_REG | MM_DT_LNK | MM_DT_SOCK, 0xFE);
	ck_assert_int_eq(MM_DT_ANY, 0xFF);
	ck_assert_int_eq(MM_RECURSIVE, INT32_MIN);
	ck_assert_int_eq(MM_FAILONERROR, 0x40000000);
	ck_assert_int_eq(MM_NOFOLLOW, 0x20000000);
	ck_assert_int_eq(MM_NOCOW, 0x10000000);
	ck_assert_int_eq(MM_FORCECOW, 0x08000000);
	ck_assert_int_eq(mm_ino_equal(1, 1), 1);
	ck_assert_int_eq(mm_ino_equal(1, 2), 0);
}
END_TEST

START_TEST(process_and_map_constants_match_mmlib)
{
	ck_assert_int_eq(MM_SPAWN_DAEMONIZE, 1);
	ck_assert_int_eq(MM_SPAWN_KEEP_FDS, 2);
	ck_assert_int_eq(MM_WSTATUS_CODEMASK, 0xFF);
	ck_assert_int_eq(MM_WSTATUS_EXITED, 0x100);
	ck_assert_int_eq(MM_WSTATUS_SIGNALED, 0x200);
	ck_assert_int_eq(MM_MAP_READ, 1);
	ck_assert_int_eq(MM_MAP_WRITE, 2);
	ck_assert_int_eq(MM_MAP_EXEC, 4);
	ck_assert_int_eq(MM_MAP_SHARED, 8);
	ck_assert_int_eq(MM_MAP_PRIVATE, 0);
	ck_assert_int_eq(MM_MAP_RDWR, 3);
}
END_TEST

START_TEST(flags_of_mmipc_have_the_values_of_released_versions)
{
	ck_assert_int_eq(MM_IPC_CLOEXEC, 1);
	ck_assert_int_eq(MM_IPC_NONBLOCK, 2);
	ck_assert_int_eq(MM_IPC_PATH, 4);
}
END_TEST

static int constructed;

MM_CONSTRUCTOR(test)
{
	constructed = 1;
}

START_TEST(predefined_macros_work_as_documented)
{
#define EXPANDED 42
	int array[7];

	ck_assert_str_eq(MM_STRINGIFY(EXPANDED), "42");
	ck_assert_str_eq(MM_XSTRINGIFY(EXPANDED), "EXPANDED");
	ck_assert_int_eq(constructed, 1);
	ck_assert_int_eq(LIKELY(7), 1);
	ck_assert_int_eq(UNLIKELY(0), 0);
	ck_assert_int_eq(MM_NELEM(array), 7);
	ck_assert(MM_IS_POW2(0) && MM_IS_POW2(1) && MM_IS_POW2(64) && !MM_IS_POW2(65));
	ck_assert_int_eq(MM_PAGESZ, 0x1000);
	ck_assert_str_eq(MM_LOG_MODULE_NAME, "unknown");
}
END_TEST

SUITE(error_codes_and_flags_match_mmlib, file_constants_match_mmlib, process_and_map_constants_match_mmlib,
      log_levels_match_mmlib, clock_ids_and_time_units_match_mmlib, flags_of_mmipc_have_the_values_of_released_versions,
      predefined_macros_work_as_documented)
