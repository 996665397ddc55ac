/* SPDX-License-Identifier: Apache-2.0 */
/*
 * undocumented.h: faults whose errors no page names, because the calls of the library cannot give them
 *
 * UNDOCUMENTED(function, call, errors, reason). Each must be needed. The patterns are those of a shell.
 */
UNDOCUMENTED("mm_opendir", "open", ONLY(EDQUOT, EEXIST, EINVAL, EISDIR, ENOSPC, ENXIO, EOPNOTSUPP, EROFS, ETXTBSY),
             "nothing is created or written, and nothing but a directory is opened")
UNDOCUMENTED("mm_opendir", "fdopendir", ONLY(EBADF), "a descriptor of the library's own")
UNDOCUMENTED("mm_readdir", "readdir", ONLY(EBADF), "a descriptor of the library's own")
UNDOCUMENTED("mm_spawn", "mmap", ONLY(ENODEV, EOVERFLOW), "memory without a file")
UNDOCUMENTED("mm_spawn", "__clone", ONLY(ENOSPC), "no namespace is created")
UNDOCUMENTED("mm_wait_process", "waitpid", ONLY(EINVAL), "the flags are valid")
UNDOCUMENTED("mm_shm_*", "shm_*", ONLY(ENAMETOOLONG), "a name that is too long is not given to the system")
UNDOCUMENTED("mm_relative_sleep_?s", "clock_*", ONLY(EFAULT, EINVAL, EOPNOTSUPP), "the clock, the time and the address are valid")
UNDOCUMENTED("mm_send", "send", ONLY(EISCONN), "no address is given")
UNDOCUMENTED("mm_ipc_srv_create", "bind", ONLY(EADDRNOTAVAIL, EBADF, EFAULT, ENOTSOCK),
             "the socket and the address are the library's own, and the address is not of a network")
UNDOCUMENTED("mm_ipc_srv_create", "listen", ONLY(EBADF, ENOTSOCK, EOPNOTSUPP), "the socket is the library's own")
UNDOCUMENTED("mm_ipc_srv_accept", "accept", ONLY(EAGAIN, EBADF, EFAULT, ENOTSOCK, EOPNOTSUPP),
             "the socket is the library's own, and waits; no address is asked for")
UNDOCUMENTED("mm_ipc_connect", "connect",
             ONLY(EADDRINUSE, EADDRNOTAVAIL, EAFNOSUPPORT, EALREADY, EBADF, EFAULT, EHOSTUNREACH, EINPROGRESS, EISCONN,
                  ENETUNREACH, ENOTSOCK, EPROTOTYPE),
             "the socket and the address are the library's own, and the address is not of a network")
UNDOCUMENTED("mm_ipc_*", "socket", ONLY(EPROTONOSUPPORT), "the protocol is the usual one")
