/* SPDX-License-Identifier: Apache-2.0 */
/*
 * undocumented.h: faults whose errors no page lists, because the library's calls cannot cause them
 *
 * UNDOCUMENTED(function, call, errors, reason). Each entry must be needed. The patterns are shell patterns.
 */
UNDOCUMENTED("mm_opendir", "open", ONLY(EDQUOT, EEXIST, EINVAL, EISDIR, ENOSPC, ENXIO, EOPNOTSUPP, EROFS, ETXTBSY),
             "nothing is created or written, and only directories are opened")
UNDOCUMENTED("mm_opendir", "fdopendir", ONLY(EBADF), "a descriptor of the library")
UNDOCUMENTED("mm_readdir", "readdir", ONLY(EBADF), "a descriptor of the library")
UNDOCUMENTED("mm_spawn", "mmap", ONLY(ENODEV, EOVERFLOW), "anonymous memory")
UNDOCUMENTED("mm_spawn", "__clone", ONLY(ENOSPC), "no namespace is created")
UNDOCUMENTED("mm_wait_process", "waitpid", ONLY(EINVAL), "the flags are valid")
UNDOCUMENTED("mm_shm_*", "shm_*", ONLY(ENAMETOOLONG), "a name that is too long is not passed to the system")
UNDOCUMENTED("mm_relative_sleep_?s", "clock_*", ONLY(EFAULT, EINVAL, EOPNOTSUPP),
       "the clock, the time and the address are valid")
UNDOCUMENTED("mm_send", "send", ONLY(EISCONN), "no address is passed")
UNDOCUMENTED("mm_ipc_srv_create", "bind", ONLY(EADDRNOTAVAIL, EBADF, EFAULT, ENOTSOCK),
             "the socket and the address belong to the library, and the address is not a network address")
UNDOCUMENTED("mm_ipc_srv_create", "listen", ONLY(EBADF, ENOTSOCK, EOPNOTSUPP), "the socket belongs to the library")
UNDOCUMENTED("mm_ipc_srv_accept*", "accept*", ONLY(EAGAIN, EBADF, EFAULT, ENOTSOCK, EOPNOTSUPP),
             "the socket belongs to the library, and blocks; no address is requested")
UNDOCUMENTED("mm_ipc_connect*", "connect",
             ONLY(EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, EALREADY, EBADF, EFAULT, EHOSTUNREACH, EINPROGRESS, EISCONN,
                  ENETUNREACH, ENOTSOCK, EPROTOTYPE),
             "the socket and the address belong to the library, and the address is not a network address")
UNDOCUMENTED("mm_ipc_*", "socket", ONLY(EPROTONOSUPPORT), "the default protocol is used")
UNDOCUMENTED("mm_ipc_srv_create2", "bind", ONLY(EADDRNOTAVAIL, EBADF, EFAULT, ENOTSOCK),
             "the socket and the address belong to the library, and the address is not a network address")
UNDOCUMENTED("mm_ipc_srv_create2", "listen", ONLY(EBADF, ENOTSOCK, EOPNOTSUPP), "the socket belongs to the library")
UNDOCUMENTED("mm_ipc_srv_create2", "connect",
             ONLY(EADDRNOTAVAIL, EAGAIN, EALREADY, EBADF, EFAULT, EHOSTUNREACH, EINPROGRESS, EINTR, EISCONN, ENETUNREACH,
                  ENOTSOCK, ETIMEDOUT),
             "the socket and the address belong to the library; a datagram socket does not wait")
UNDOCUMENTED("mm_ipc_*", "open", ONLY(EEXIST, EFAULT, EINTR, ENXIO, EOPNOTSUPP, ETXTBSY),
             "a directory is opened as a place for names")
UNDOCUMENTED("mm_ipc_srv_create2", "openat", ONLY(EFAULT, EINTR), "regular files and sockets are opened")
UNDOCUMENTED("mm_ipc_srv_create2", "f*stat*", ONLY(EBADF, EFAULT, EOVERFLOW), "a descriptor and a name of the library")
UNDOCUMENTED("mm_ipc_srv_create2", "flock", ONLY(EBADF, EINVAL), "a descriptor of the library")
UNDOCUMENTED("mm_ipc_srv_create2", "chmod", ONLY(EFAULT), "a name of the library")
UNDOCUMENTED("mm_ipc_srv_create2", "*rename*", ONLY(EFAULT, EMLINK, ENOTEMPTY, EXDEV),
             "two names in one directory, and no directories")
UNDOCUMENTED("mm_ipc_srv_create2", "linkat", ONLY(EFAULT, EMLINK, EXDEV), "two names in one directory")
UNDOCUMENTED("mm_ipc_srv_accept2", "poll", ONLY(EFAULT), "the library's own memory")
UNDOCUMENTED("mm_ipc_connect2", "open", ONLY(EDQUOT, EIO, ENOSPC, EROFS), "a directory is opened as a place for names")
UNDOCUMENTED("mm_ipc_connect2", "stat", ONLY(EFAULT, EIO, EOVERFLOW), "the path of a directory")
UNDOCUMENTED("mm_ipc_srv_from_fd", "getsockopt", ONLY(EFAULT, ENOPROTOOPT, EOPNOTSUPP), "options of every socket")
UNDOCUMENTED("mm_ipc_get_peer*", "getsockopt", ONLY(EFAULT, ENOPROTOOPT, EOPNOTSUPP), "an option of every socket")
UNDOCUMENTED("mm_ipc_srv_*", "fcntl", ONLY(EMFILE), "no descriptor is duplicated")
UNDOCUMENTED("mm_ipc_watch", "timerfd_*", ONLY(EBADF, ECANCELED, EFAULT, ENODEV),
             "the clock exists, and the timer and its time belong to the library")
UNDOCUMENTED("mm_remove", "openat", ONLY(EDQUOT, ENOSPC), "nothing is created")
UNDOCUMENTED("mm_spawn", "openat", ONLY(EDQUOT, ENOSPC, EROFS), "nothing is created")
UNDOCUMENTED("mm_arg_complete_path", "open",
             ONLY(EDQUOT, EEXIST, EINVAL, EISDIR, ENOSPC, ENXIO, EOPNOTSUPP, EROFS, ETXTBSY),
             "nothing is created or written, and only directories are opened")
UNDOCUMENTED("mm_arg_complete_path", "fdopendir", ONLY(EBADF), "a descriptor of the library")
UNDOCUMENTED("mm_thr_mutex_init", "pthread_mutex*", ONLY(ENOTSUP, EPERM), "attributes of every mutex on Linux")
UNDOCUMENTED("mm_thr_cond_init", "pthread_cond*", ONLY(EINVAL, ENOTSUP),
             "attributes of every condition variable on Linux, and a clock that exists")
UNDOCUMENTED("mm_thr_create", "pthread_create", ONLY(EINVAL, EPERM), "no attributes are passed")
UNDOCUMENTED("mm_thr_join", "pthread_join", ONLY(ESRCH), "using an identifier of no thread is undefined")
