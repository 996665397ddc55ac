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
UNDOCUMENTED("mm_ipc_srv_accept", "accept", ONLY(EAGAIN, EBADF, EFAULT, ENOTSOCK, EOPNOTSUPP),
             "the socket belongs to the library, and blocks; no address is requested")
UNDOCUMENTED("mm_ipc_connect", "connect",
             ONLY(EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, EALREADY, EBADF, EFAULT, EHOSTUNREACH, EINPROGRESS, EISCONN,
                  ENETUNREACH, ENOTSOCK, EPROTOTYPE),
             "the socket and the address belong to the library, and the address is not a network address")
UNDOCUMENTED("mm_ipc_*", "socket", ONLY(EPROTONOSUPPORT), "the default protocol is used")
