/* SPDX-License-Identifier: Apache-2.0 */
/*
 * calls.h: every function that libmmsysio and libmmlib import, and its possible errors
 *
 * The errors are those of the manual pages of Linux and glibc, and those that a security policy (LSM, seccomp) produces.
 * A function that the library imports but that is not listed here fails the test and must be added with its errors.
 *
 *   CALL(type, name, parameters, arguments, how it reports failure, errors...)
 *   INFALLIBLE(name): reason          it cannot fail, or its failure cannot be reported
 *   SPARE(name): reason               it can fail, but no scenario calls it
 *   TRAP(name)                        imported by Rust's library for code that must never run; calling it is a failure
 */

/* Errors of opening files and resolving paths. */
#define LOOKUP_ERRORS EACCES, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, ENOMEM, EIO, EFAULT
#define CREATE_ERRORS EDQUOT, ENOSPC, EROFS, EPERM
#define OPEN_ERRORS                                                                                             \
	LOOKUP_ERRORS, CREATE_ERRORS, EEXIST, EINTR, EINVAL, EISDIR, EMFILE, ENFILE, ENXIO, EOPNOTSUPP, ETXTBSY
#define SOCKET_ERRORS EACCES, EPERM, EMFILE, ENFILE, ENOBUFS, ENOMEM
#define SEND_ERRORS                                                                                             \
	EACCES, EAGAIN, EBADF, ECONNRESET, EDESTADDRREQ, EFAULT, EINTR, EINVAL, EISCONN, EMSGSIZE, ENOBUFS,     \
		ENOMEM, ENOTCONN, ENOTSOCK, EOPNOTSUPP, EPIPE, EPERM
#define RECEIVE_ERRORS                                                                                          \
	EAGAIN, EBADF, ECONNREFUSED, ECONNRESET, EFAULT, EINTR, EINVAL, ENOMEM, ENOTCONN, ENOTSOCK

#ifdef CALL

/* --- files -------------------------------------------------------------------------------------------------------- */
CALL(int, open, (const char *path, int flags, mode_t mode), (path, flags, mode), MINUS_ONE, OPEN_ERRORS)
CALL(int, openat, (int dir, const char *path, int flags, mode_t mode), (dir, path, flags, mode), MINUS_ONE,
     LOOKUP_ERRORS, CREATE_ERRORS, EINTR, EMFILE, ENFILE)
CALL(int, fsync, (int fd), (fd), MINUS_ONE, EBADF, EDQUOT, EINTR, EINVAL, EIO, ENOSPC, EROFS)
CALL(off_t, lseek, (int fd, off_t offset, int whence), (fd, offset, whence), MINUS_ONE, EBADF, EINVAL, ENXIO,
     EOVERFLOW, ESPIPE)
CALL(int, ftruncate, (int fd, off_t length), (fd, length), MINUS_ONE, EBADF, EFBIG, EINTR, EINVAL, EIO, ENOSPC, EPERM)
CALL(int, fchmod, (int fd, mode_t mode), (fd, mode), MINUS_ONE, EBADF, EINTR, EIO, ENOMEM, EPERM, EROFS)
CALL(int, chmod, (const char *path, mode_t mode), (path, mode), MINUS_ONE, LOOKUP_ERRORS, EPERM, EROFS)
CALL(int, flock, (int fd, int operation), (fd, operation), MINUS_ONE, EBADF, EINTR, EINVAL, ENOLCK, ENOSYS, EPERM,
     EWOULDBLOCK)
CALL(int, isatty, (int fd), (fd), ZERO, EBADF, ENOTTY)
CALL(int, dup, (int fd), (fd), MINUS_ONE, EBADF, EMFILE)
CALL(int, dup2, (int fd, int to), (fd, to), MINUS_ONE, EBADF, EBUSY, EINTR, EMFILE)
CALL(int, pipe, (int fds[2]), (fds), MINUS_ONE, EFAULT, EMFILE, ENFILE)
CALL(int, fcntl, (int fd, int command, int argument), (fd, command, argument), MINUS_ONE, EMFILE, EINVAL)
CALL(int, ioctl, (int fd, unsigned long request, int argument), (fd, request, argument), MINUS_ONE, EOPNOTSUPP, EXDEV,
     EINVAL, EPERM, ETXTBSY, EISDIR, EBADF, ENOTTY)
CALL(int, fstat, (int fd, struct stat *status), (fd, status), MINUS_ONE, EBADF, EIO, ENOMEM, EOVERFLOW)
CALL(int, stat, (const char *path, struct stat *status), (path, status), MINUS_ONE, LOOKUP_ERRORS, EOVERFLOW)
CALL(int, lstat, (const char *path, struct stat *status), (path, status), MINUS_ONE, LOOKUP_ERRORS, EOVERFLOW)
CALL(int, fstatat, (int dir, const char *path, struct stat *status, int flags), (dir, path, status, flags), MINUS_ONE,
     LOOKUP_ERRORS, EOVERFLOW)
CALL(int, futimens, (int fd, const struct timespec *times), (fd, times), MINUS_ONE, EACCES, EBADF, EFAULT, EINVAL,
     EPERM, EROFS)
CALL(int, utimensat, (int dir, const char *path, const struct timespec *times, int flags), (dir, path, times, flags),
     MINUS_ONE, LOOKUP_ERRORS, EINVAL, EPERM, EROFS)
CALL(int, access, (const char *path, int mode), (path, mode), MINUS_ONE, LOOKUP_ERRORS, EINVAL, EROFS, ETXTBSY)
CALL(int, rename, (const char *from, const char *to), (from, to), MINUS_ONE, LOOKUP_ERRORS, CREATE_ERRORS, EBUSY,
     EEXIST, EINVAL, EISDIR, EMLINK, ENOTEMPTY, EXDEV)
CALL(int, renameat, (int from_dir, const char *from, int to_dir, const char *to), (from_dir, from, to_dir, to), MINUS_ONE,
     LOOKUP_ERRORS, CREATE_ERRORS, EBUSY, EEXIST, EINVAL, EISDIR, EMLINK, ENOTEMPTY, EXDEV)
CALL(int, unlink, (const char *path), (path), MINUS_ONE, LOOKUP_ERRORS, EBUSY, EISDIR, EPERM, EROFS)
CALL(int, unlinkat, (int dir, const char *path, int flags), (dir, path, flags), MINUS_ONE, LOOKUP_ERRORS, EBUSY,
     EISDIR, ENOTEMPTY, EPERM, EROFS)
CALL(int, link, (const char *from, const char *to), (from, to), MINUS_ONE, LOOKUP_ERRORS, CREATE_ERRORS, EEXIST,
     EMLINK, EXDEV)
CALL(int, linkat, (int from_dir, const char *from, int to_dir, const char *to, int flags),
     (from_dir, from, to_dir, to, flags), MINUS_ONE, LOOKUP_ERRORS, CREATE_ERRORS, EEXIST, EMLINK, EXDEV)
CALL(int, symlink, (const char *target, const char *path), (target, path), MINUS_ONE, LOOKUP_ERRORS, CREATE_ERRORS,
     EEXIST)
CALL(ssize_t, readlink, (const char *path, char *buffer, size_t size), (path, buffer, size), MINUS_ONE, LOOKUP_ERRORS,
     EINVAL)

/* --- directories -------------------------------------------------------------------------------------------------- */
CALL(int, mkdir, (const char *path, mode_t mode), (path, mode), MINUS_ONE, LOOKUP_ERRORS, CREATE_ERRORS, EEXIST, EMLINK)
CALL(int, rmdir, (const char *path), (path), MINUS_ONE, LOOKUP_ERRORS, EBUSY, EINVAL, ENOTEMPTY, EPERM, EROFS)
CALL(int, chdir, (const char *path), (path), MINUS_ONE, LOOKUP_ERRORS)
CALL(char *, getcwd, (char *buffer, size_t size), (buffer, size), NOTHING, EACCES, EFAULT, EINVAL, ENOENT, ENOMEM,
     ERANGE, ENAMETOOLONG)
CALL(DIR *, fdopendir, (int fd), (fd), HELD_OR_NOTHING, EBADF, ENOMEM, ENOTDIR)
CALL(struct dirent *, readdir, (DIR *dir), (dir), NOTHING, EBADF, EIO, ENOENT, ENOMEM, ESTALE)

/* --- memory ------------------------------------------------------------------------------------------------------- */
CALL(void *, calloc, (size_t count, size_t size), (count, size), HELD_OR_NOTHING, ENOMEM)
CALL(void *, malloc, (size_t size), (size), HELD_OR_NOTHING, ENOMEM)
CALL(int, shm_open, (const char *name, int flags, mode_t mode), (name, flags, mode), MINUS_ONE, EACCES, EEXIST, EINVAL,
     EMFILE, ENAMETOOLONG, ENFILE, ENOENT, ENOMEM, ENOSPC, EPERM)
CALL(int, madvise, (void *address, size_t size, int advice), (address, size, advice), MINUS_ONE, EINVAL, ENOSYS, EPERM)
CALL(int, shm_unlink, (const char *name), (name), MINUS_ONE, EACCES, ENOENT, EPERM, ENAMETOOLONG)
CALL(int, memfd_create, (const char *name, unsigned flags), (name, flags), MINUS_ONE, EACCES, EINVAL, EMFILE, ENFILE,
     ENOMEM, ENOSYS, EPERM)

/* --- processes ---------------------------------------------------------------------------------------------------- */
CALL(int, execve, (const char *path, char *const argv[], char *const envp[]), (path, argv, envp), MINUS_ONE, E2BIG,
     EACCES, EAGAIN, EFAULT, EINVAL, EIO, EISDIR, ELIBBAD, ELOOP, EMFILE, ENAMETOOLONG, ENFILE, ENOENT, ENOEXEC, ENOMEM,
     ENOTDIR, EPERM, ETXTBSY)
CALL(pid_t, getsid, (pid_t pid), (pid), MINUS_ONE, EPERM, ESRCH, ENOSYS)
CALL(int, setpgid, (pid_t pid, pid_t group), (pid, group), MINUS_ONE, EACCES, EINVAL, EPERM, ESRCH, ENOSYS)
CALL(pid_t, setsid, (void), (), MINUS_ONE, EPERM)
CALL(pid_t, waitpid, (pid_t pid, int *status, int options), (pid, status, options), MINUS_ONE, ECHILD, EINTR, EINVAL)
CALL(int, waitid, (idtype_t type, id_t id, siginfo_t *info, int options), (type, id, info, options), MINUS_ONE, ECHILD,
     EINTR, EINVAL)
CALL(int, __register_atfork, (void (*prepare)(void), void (*parent)(void), void (*child)(void), void *dso),
     (prepare, parent, child, dso), NUMBER, ENOMEM)

/* --- sockets ------------------------------------------------------------------------------------------------------ */
CALL(int, socket, (int family, int type, int protocol), (family, type, protocol), MINUS_ONE, SOCKET_ERRORS,
     EAFNOSUPPORT, EINVAL, EPROTONOSUPPORT)
CALL(int, socketpair, (int family, int type, int protocol, int fds[2]), (family, type, protocol, fds), MINUS_ONE,
     SOCKET_ERRORS, EFAULT)
CALL(int, bind, (int fd, const struct sockaddr *address, socklen_t size), (fd, address, size), MINUS_ONE, EACCES,
     EADDRINUSE, EADDRNOTAVAIL, EBADF, EFAULT, EINVAL, ENOTSOCK, ENOMEM, EPERM)
CALL(int, getsockname, (int fd, struct sockaddr *address, socklen_t *size), (fd, address, size), MINUS_ONE, EBADF,
     EFAULT, EINVAL, ENOBUFS, ENOTSOCK)
CALL(int, getpeername, (int fd, struct sockaddr *address, socklen_t *size), (fd, address, size), MINUS_ONE, EBADF,
     EFAULT, EINVAL, ENOBUFS, ENOTCONN, ENOTSOCK)
CALL(int, listen, (int fd, int backlog), (fd, backlog), MINUS_ONE, EADDRINUSE, EBADF, ENOTSOCK, EOPNOTSUPP, EACCES,
     EPERM)
CALL(int, accept, (int fd, struct sockaddr *address, socklen_t *size), (fd, address, size), MINUS_ONE, EAGAIN, EBADF,
     ECONNABORTED, EFAULT, EINTR, EINVAL, EMFILE, ENFILE, ENOBUFS, ENOMEM, ENOTSOCK, EOPNOTSUPP, EPERM)
CALL(int, accept4, (int fd, struct sockaddr *address, socklen_t *size, int flags), (fd, address, size, flags),
     MINUS_ONE, EAGAIN, EBADF, ECONNABORTED, EFAULT, EINTR, EINVAL, EMFILE, ENFILE, ENOBUFS, ENOMEM, ENOSYS, ENOTSOCK,
     EOPNOTSUPP, EPERM)
CALL(int, connect, (int fd, const struct sockaddr *address, socklen_t size), (fd, address, size), MINUS_ONE, EACCES,
     EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, EAGAIN, EALREADY, EBADF, ECONNREFUSED, EFAULT, EHOSTUNREACH, EINPROGRESS,
     EINTR, EINVAL, EISCONN, ENETUNREACH, ENOMEM, ENOTSOCK, EPERM, EPROTOTYPE, ETIMEDOUT)
CALL(int, setsockopt, (int fd, int level, int name, const void *value, socklen_t size), (fd, level, name, value, size),
     MINUS_ONE, EACCES, EBADF, EDOM, EFAULT, EINVAL, ENOMEM, ENOPROTOOPT, ENOTSOCK, EPERM)
CALL(int, getsockopt, (int fd, int level, int name, void *value, socklen_t *size), (fd, level, name, value, size),
     MINUS_ONE, EBADF, EFAULT, EINVAL, ENOPROTOOPT, ENOTSOCK, EOPNOTSUPP)
CALL(int, shutdown, (int fd, int how), (fd, how), MINUS_ONE, EBADF, EINVAL, ENOTCONN, ENOTSOCK)
CALL(ssize_t, send, (int fd, const void *data, size_t size, int flags), (fd, data, size, flags), MINUS_ONE, SEND_ERRORS)
CALL(ssize_t, sendto,
     (int fd, const void *data, size_t size, int flags, const struct sockaddr *address, socklen_t address_size),
     (fd, data, size, flags, address, address_size), MINUS_ONE, SEND_ERRORS, ECONNREFUSED)
CALL(ssize_t, recv, (int fd, void *data, size_t size, int flags), (fd, data, size, flags), MINUS_ONE, RECEIVE_ERRORS)
CALL(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags), MINUS_ONE, SEND_ERRORS,
     ETOOMANYREFS)
CALL(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags), MINUS_ONE, RECEIVE_ERRORS,
     EMSGSIZE)
CALL(int, sendmmsg, (int fd, struct mmsghdr *messages, unsigned count, int flags), (fd, messages, count, flags),
     MINUS_ONE, SEND_ERRORS, ETOOMANYREFS)
CALL(int, recvmmsg, (int fd, struct mmsghdr *messages, unsigned count, int flags, struct timespec *timeout),
     (fd, messages, count, flags, timeout), MINUS_ONE, RECEIVE_ERRORS, EMSGSIZE)
CALL(int, poll, (struct pollfd *fds, nfds_t count, int timeout), (fds, count, timeout), MINUS_ONE, EFAULT, EINTR,
     EINVAL, ENOMEM)
CALL(int, getnameinfo,
     (const struct sockaddr *address, socklen_t size, char *host, socklen_t host_size, char *service,
      socklen_t service_size, int flags),
     (address, size, host, host_size, service, service_size, flags), NUMBER, EAI_AGAIN, EAI_BADFLAGS, EAI_FAIL,
     EAI_FAMILY, EAI_MEMORY, EAI_NONAME, EAI_OVERFLOW)

CALL(int, select, (int end, fd_set *reading, fd_set *writing, fd_set *others, struct timeval *time),
     (end, reading, writing, others, time), MINUS_ONE, EBADF, EFAULT, EINTR, EINVAL, ENOMEM, ENOSYS, EPERM)

CALL(int, inotify_init1, (int flags), (flags), MINUS_ONE, EINVAL, EMFILE, ENFILE, ENOMEM, ENOSYS, EPERM)
CALL(int, inotify_add_watch, (int fd, const char *path, uint32_t events), (fd, path, events), MINUS_ONE, EACCES, EBADF,
     EEXIST, EFAULT, EINVAL, ELOOP, ENAMETOOLONG, ENOENT, ENOMEM, ENOSPC, ENOSYS, ENOTDIR, EPERM)
CALL(int, inotify_rm_watch, (int fd, int watch), (fd, watch), MINUS_ONE, EBADF, EINVAL, ENOSYS, EPERM)
CALL(int, timerfd_create, (int clock, int flags), (clock, flags), MINUS_ONE, EINVAL, EMFILE, ENFILE, ENODEV, ENOMEM,
     ENOSYS, EPERM)
CALL(int, timerfd_settime, (int fd, int flags, const struct itimerspec *time, struct itimerspec *before),
     (fd, flags, time, before), MINUS_ONE, EBADF, ECANCELED, EFAULT, EINVAL, ENOSYS, EPERM)

/* --- libmmlib ----------------------------------------------------------------------------------------------------- */
CALL(int, setenv, (const char *name, const char *value, int overwrite), (name, value, overwrite), MINUS_ONE, EINVAL, ENOMEM)
CALL(int, unsetenv, (const char *name), (name), MINUS_ONE, EINVAL)
CALL(int, getpwuid_r, (uid_t uid, struct passwd *entry, char *buffer, size_t size, struct passwd **found),
     (uid, entry, buffer, size, found), NUMBER, EINTR, EIO, EMFILE, ENFILE, ENOMEM, ERANGE)
CALL(char *, strdup, (const char *text), (text), HELD_OR_NOTHING, ENOMEM)
CALL(char *, strndup, (const char *text, size_t size), (text, size), HELD_OR_NOTHING, ENOMEM)
CALL(void *, dlopen, (const char *path, int mode), (path, mode), NOTHING, ENOENT, ENOMEM) /* any error: errno is not used */
CALL(void *, dlsym, (void *handle, const char *symbol), (handle, symbol), NOTHING, ENOENT)
CALL(int, pthread_mutexattr_init, (pthread_mutexattr_t *attributes), (attributes), NUMBER, ENOMEM)
CALL(int, pthread_mutexattr_setpshared, (pthread_mutexattr_t *attributes, int is_shared), (attributes, is_shared), NUMBER,
     ENOTSUP)
CALL(int, pthread_mutexattr_setrobust, (pthread_mutexattr_t *attributes, int is_robust), (attributes, is_robust), NUMBER,
     ENOTSUP)
CALL(int, pthread_mutex_init, (pthread_mutex_t *mutex, const pthread_mutexattr_t *attributes), (mutex, attributes), NUMBER,
     EAGAIN, ENOMEM, ENOTSUP, EPERM)
CALL(int, pthread_condattr_init, (pthread_condattr_t *attributes), (attributes), NUMBER, ENOMEM)
CALL(int, pthread_condattr_setpshared, (pthread_condattr_t *attributes, int is_shared), (attributes, is_shared), NUMBER,
     ENOTSUP)
CALL(int, pthread_condattr_setclock, (pthread_condattr_t *attributes, clockid_t clock), (attributes, clock), NUMBER,
     EINVAL)
CALL(int, pthread_cond_init, (pthread_cond_t *cond, const pthread_condattr_t *attributes), (cond, attributes), NUMBER,
     EAGAIN, ENOMEM)
CALL(int, pthread_create, (pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument),
     (thread, attributes, run, argument), NUMBER, EAGAIN, EINVAL, EPERM)
CALL(int, pthread_join, (pthread_t thread, void **result), (thread, result), NUMBER, EDEADLK, EINVAL, ESRCH)
CALL(int, pthread_detach, (pthread_t thread), (thread), NUMBER, EINVAL, ESRCH)

/* --- time and text ------------------------------------------------------------------------------------------------ */
CALL(int, clock_gettime, (clockid_t clock, struct timespec *time), (clock, time), MINUS_ONE, EINVAL)
CALL(int, clock_getres, (clockid_t clock, struct timespec *time), (clock, time), MINUS_ONE, EINVAL)
CALL(int, clock_nanosleep, (clockid_t clock, int flags, const struct timespec *time, struct timespec *left),
     (clock, flags, time, left), NUMBER, EFAULT, EINTR, EINVAL, EOPNOTSUPP)
CALL(int, nanosleep, (const struct timespec *time, struct timespec *left), (time, left), MINUS_ONE, EINTR)
CALL(struct tm *, localtime_r, (const time_t *time, struct tm *broken_down), (time, broken_down), NOTHING, EOVERFLOW)
CALL(int, __xpg_strerror_r, (int number, char *buffer, size_t size), (number, buffer, size), NUMBER, EINVAL, ERANGE)
CALL(int, vsnprintf, (char *text, size_t size, const char *format, va_list arguments), (text, size, format, arguments),
     MINUS_ONE, EILSEQ, ENOMEM, EOVERFLOW)
CALL(int, vprintf, (const char *format, va_list arguments), (format, arguments), MINUS_ONE, EAGAIN, EBADF, EINTR, EIO,
     ENOSPC, EPIPE, ENOMEM)
CALL(int, putchar, (int byte), (byte), MINUS_ONE, EAGAIN, EBADF, EINTR, EIO, ENOSPC, EPIPE)
CALL(int, puts, (const char *text), (text), MINUS_ONE, EAGAIN, EBADF, EINTR, EIO, ENOSPC, EPIPE)

#endif

#ifdef SPECIAL

/*
 * Calls for which shim.c has hand-written functions: variadic ones, those that release a resource, and those whose
 * result can be short.
 */
SPECIAL(close, EBADF, EDQUOT, EINTR, EIO, ENOSPC)
SPECIAL(read, FAULT_SHORT, EAGAIN, EBADF, ECONNRESET, EFAULT, EINTR, EINVAL, EIO, EISDIR)
SPECIAL(write, FAULT_SHORT, EAGAIN, EBADF, ECONNRESET, EDQUOT, EFAULT, EFBIG, EINTR, EIO, EMSGSIZE, ENOSPC, EPERM, EPIPE)
SPECIAL(copy_file_range, FAULT_SHORT, EBADF, EFBIG, EINTR, EINVAL, EIO, EISDIR, ENOMEM, ENOSPC, ENOSYS, EOPNOTSUPP,
        EPERM, ETXTBSY, EXDEV)
SPECIAL(realloc, ENOMEM)
SPECIAL(posix_memalign, ENOMEM)
SPECIAL(mmap, EACCES, EAGAIN, EBADF, EINVAL, ENFILE, ENODEV, ENOMEM, EOVERFLOW, EPERM, ETXTBSY)
SPECIAL(munmap, EINVAL, ENOMEM)
SPECIAL(__clone, EAGAIN, EINVAL, ENOMEM, ENOSPC, EPERM)
SPECIAL(syscall, ENOSYS)
SPECIAL(getaddrinfo, EAI_ADDRFAMILY, EAI_AGAIN, EAI_BADFLAGS, EAI_FAIL, EAI_FAMILY, EAI_MEMORY, EAI_NODATA, EAI_NONAME,
        EAI_SERVICE, EAI_SOCKTYPE, EMFILE, ENFILE, ENOMEM, FAULT_NO_ERRNO)
SPECIAL(printf, EAGAIN, EBADF, EINTR, EIO, ENOSPC, EPIPE, ENOMEM)
SPECIAL(snprintf, EILSEQ, EOVERFLOW)
SPECIAL(free)
SPECIAL(freeaddrinfo)
SPECIAL(closedir, EBADF, EDQUOT, EINTR, EIO, ENOSPC)

/* Calls made through syscall(), by number. */
SYSTEM_CALL(SYS_gettid)
SYSTEM_CALL(SYS_pidfd_open, EINVAL, EMFILE, ENFILE, ENOMEM, ENOSYS, EPERM, ESRCH)
SYSTEM_CALL(SYS_rt_sigaction, EINVAL, EFAULT)
SYSTEM_CALL(SYS_renameat2, LOOKUP_ERRORS, CREATE_ERRORS, EBUSY, EEXIST, EINVAL, EISDIR, EMLINK, ENOSYS, ENOTEMPTY, EXDEV)
SYSTEM_CALL(SYS_rt_sigprocmask, EINVAL, EFAULT)
SYSTEM_CALL(SYS_set_tid_address, ENOSYS, EPERM)
SYSTEM_CALL(SYS_close_range, ENOSYS, EPERM, EINVAL, EMFILE, ENOMEM)
SYSTEM_CALL(SYS_close, EBADF, EDQUOT, EINTR, EIO, ENOSPC)
SYSTEM_CALL(SYS_dup3, EBADF, EBUSY, EINTR, EMFILE, ENOMEM)
SYSTEM_CALL(SYS_getcwd, EFAULT, ENAMETOOLONG, ENOENT, ENOMEM, ERANGE)
SYSTEM_CALL(SYS_execveat, E2BIG, EACCES, EAGAIN, EFAULT, EINVAL, EIO, EISDIR, ELIBBAD, ELOOP, EMFILE, ENAMETOOLONG, ENFILE,
            ENOENT, ENOEXEC, ENOMEM, ENOSYS, ENOTDIR, EPERM, ETXTBSY)
SYSTEM_CALL(SYS_exit_group)
SYSTEM_CALL(SYS_getdents64, EBADF, EFAULT, EINVAL, ENOENT, ENOMEM, EIO)

#endif

#ifdef INFALLIBLE

INFALLIBLE(__errno_location) /* returns an address */
INFALLIBLE(__tls_get_addr) /* aborts if there is no memory for the thread; cannot be reported to the library */
INFALLIBLE(__environ) /* data */
INFALLIBLE(environ)
INFALLIBLE(stdout)
INFALLIBLE(_ITM_deregisterTMCloneTable) /* weak, called by the startup code of a library */
INFALLIBLE(_ITM_registerTMCloneTable)
INFALLIBLE(__gmon_start__)
INFALLIBLE(__cxa_finalize)
INFALLIBLE(bcmp) /* these only compute */
INFALLIBLE(memcpy)
INFALLIBLE(memmove)
INFALLIBLE(memset)
INFALLIBLE(strlen)
INFALLIBLE(strnlen)
INFALLIBLE(sigfillset)
INFALLIBLE(sigemptyset) /* of valid signals */
INFALLIBLE(sigaddset)
INFALLIBLE(sigismember)
INFALLIBLE(sigpending) /* into memory of the caller */
INFALLIBLE(sigtimedwait) /* if the signal is not pending, the result is the same as if it had been consumed */
INFALLIBLE(kill) /* signal 0: every failure is an answer */
INFALLIBLE(getpid)
INFALLIBLE(getauxval) /* every value is a valid result */
INFALLIBLE(__libc_single_threaded) /* data */
INFALLIBLE(strerror) /* always returns a string */
INFALLIBLE(gai_strerror)
INFALLIBLE(getenv) /* every value is a valid result */
INFALLIBLE(secure_getenv)
INFALLIBLE(rewinddir) /* returns nothing */
INFALLIBLE(umask) /* always succeeds according to POSIX */
INFALLIBLE(time) /* without a pointer */
INFALLIBLE(sysconf) /* of the page size */
INFALLIBLE(pthread_sigmask) /* fails only with an unknown first argument */
INFALLIBLE(pthread_setcancelstate)
INFALLIBLE(pthread_mutex_lock) /* of the default type, and initialised */
INFALLIBLE(pthread_mutex_unlock)
INFALLIBLE(__pthread_register_cancel) /* the four functions of pthread_cleanup_push() return nothing */
INFALLIBLE(__pthread_unregister_cancel)
INFALLIBLE(__pthread_unwind_next)
INFALLIBLE(stderr)
INFALLIBLE(getuid)
INFALLIBLE(dlclose) /* its result is ignored */
INFALLIBLE(dlerror)
INFALLIBLE(exit)
INFALLIBLE(isspace)
INFALLIBLE(strcmp)
INFALLIBLE(strncmp)
INFALLIBLE(strrchr)
INFALLIBLE(strchr)
INFALLIBLE(strtoll) /* every value is a valid result */
INFALLIBLE(strtoull)
INFALLIBLE(fwrite) /* to the streams of the program, whose error flags it looks at */
INFALLIBLE(fputc)
INFALLIBLE(fputs)
INFALLIBLE(pthread_mutex_trylock) /* these return their result to the caller, unchanged */
INFALLIBLE(pthread_mutex_consistent)
INFALLIBLE(pthread_mutex_destroy)
INFALLIBLE(pthread_cond_wait)
INFALLIBLE(pthread_cond_timedwait)
INFALLIBLE(pthread_cond_signal)
INFALLIBLE(pthread_cond_broadcast)
INFALLIBLE(pthread_cond_destroy)
INFALLIBLE(pthread_once)
INFALLIBLE(pthread_self)
INFALLIBLE(pthread_mutexattr_destroy) /* of attributes that were initialized */
INFALLIBLE(pthread_condattr_destroy)
INFALLIBLE(__sigsetjmp) /* 0, or 1 when it returns a second time */

#endif

#ifdef TRAP

/* Rust's standard library prints a backtrace with these functions when it panics, which the library must never do. */
TRAP(_Unwind_Backtrace)
TRAP(_Unwind_GetDataRelBase)
TRAP(_Unwind_GetIP)
TRAP(_Unwind_GetIPInfo)
TRAP(_Unwind_GetLanguageSpecificData)
TRAP(_Unwind_GetRegionStart)
TRAP(_Unwind_GetTextRelBase)
TRAP(_Unwind_Resume)
TRAP(_Unwind_SetGR)
TRAP(_Unwind_SetIP)
TRAP(abort)
TRAP(dl_iterate_phdr)
TRAP(fstat64)
TRAP(gettid)
TRAP(lseek64)
TRAP(mmap64)
TRAP(open64)
TRAP(realpath)
TRAP(stat64)
TRAP(statx)

#endif

#ifdef SPARE

/* Calls that no scenario can cause. */
SPARE(calloc) /* of the standard library, for zeroed memory, which is not allocated here */
SPARE(fstatat) /* for entries whose type the filesystem does not report */
SPARE(getsid) /* if vfork() is a fork(), as under some emulators and tools */
SPARE(setpgid)
SPARE(madvise) /* when the library is loaded; if it fails, forks are detected by the process id */
SPARE(nanosleep) /* if a client can have no slot, or receives spurious wakeups */
SPARE(select) /* if neither close_range() nor /proc is available, which is more than one fault */
SPARE(getsid) /* if vfork() is a fork(), as under some emulators and tools */
SPARE(setpgid)
SPARE(waitid) /* if a tool turns clone() into fork() */

#endif
