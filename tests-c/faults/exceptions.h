/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exceptions.h: faults that do not make the function fail with the error of the call, and the reasons
 *
 * EXCEPT(scenario, call, errors, outcome, error if different, reason). The first match is used, and each entry must be
 * needed. The patterns are shell patterns.
 */

/* --- messages and the log: they describe a failure, and do not change it ------------------------------------------ */
EXCEPT("*", "__xpg_strerror_r", ANY, UNCHANGED, 0, "the failure is reported with a less precise message")
EXCEPT("*", "localtime_r", ANY, UNCHANGED, 0, "the line is logged without its time")
EXCEPT("mm_raise_*", "*snprintf", ANY, UNCHANGED, 0, "the error is raised with a less precise message")
EXCEPT("mm_log/*", "vsnprintf", ANY, UNCHANGED, 0, "the line is logged without its message")
EXCEPT("mm_raise_*", "write", ANY, UNCHANGED, 0,
       "a line that cannot be written is dropped; errno and the error state are kept")
EXCEPT("mm_log/*", "write", ANY, UNCHANGED, 0,
       "a line that cannot be written is dropped; errno and the error state are kept")
EXCEPT("*/logged", "write", ANY, UNCHANGED, 0,
       "a line that cannot be written is dropped; errno and the error state are kept")
EXCEPT("mm_print_lasterror/*", "*", ANY, UNCHANGED, 0, "it returns nothing; the error flag of the stream is set")

EXCEPT("mm_log/*", "lseek", ANY, UNCHANGED, 0, "fstat() then shows what descriptor 2 is")
EXCEPT("*/logged", "lseek", ANY, UNCHANGED, 0, "fstat() then shows what descriptor 2 is")
EXCEPT("mm_log/*", "fstat", ANY, UNCHANGED, 0, "without descriptor 2 no line is written")
EXCEPT("mm_raise_*", "poll", ANY, UNCHANGED, 0, "a line that cannot be written is dropped")
EXCEPT("mm_log/*", "poll", ANY, UNCHANGED, 0, "a line that cannot be written is dropped")
EXCEPT("*/logged", "poll", ANY, UNCHANGED, 0, "a line that cannot be written is dropped")

/* An error message contains a path only if its memory is readable, which is tested by a system call. */
EXCEPT("mm_copy/shared", "access", ANY, UNCHANGED, 0, "the first error is reported, with or without its path")
EXCEPT("mm_unlink/logged", "access", ANY, UNCHANGED, 0, "the first error is reported, with or without its path")

/* --- releasing resources: nothing can be done if that fails ------------------------------------------------------- */
EXCEPT("mm_close/*", "close", ONLY(EINTR), UNCHANGED, 0, "documented: the descriptor is closed")
EXCEPT("mm_copy/[hkmr]*", "close#1", ONLY(EINTR), UNCHANGED, 0, "the copy is closed, and its data has been stored")
EXCEPT("mm_copy/[hkmr]*", "close#2", ANY, UNCHANGED, 0, "the source was only read")
EXCEPT("mm_copy/shared", "close", ANY, UNCHANGED, 0, "the first error is reported")
EXCEPT("mm_copy/shared", "unlink", ANY, LEAKS, 0,
       "the first error is reported; a partial copy remains if it cannot be removed")
EXCEPT("mm_copy/shared", "lstat", ANY, LEAKS, 0, "the same; another file may have the name of the copy")
EXCEPT("mm_copy/[hkrs]*", "fstat#2", ANY, UNCHANGED, 0, "it is needed only to be able to remove the copy")
EXCEPT("mm_[!c]*", "close", ANY, UNCHANGED, 0,
       "a socket or directory of the library, which is closed despite the error")
EXCEPT("*", "closedir", ANY, UNCHANGED, 0,
       "the directory was only read, and its descriptor is closed despite the error")
EXCEPT("mm_spawn/*", "munmap", ANY, LEAKS, 0, "the process has started; the memory cannot be released in another way")
EXCEPT("mm_ipc_srv_destroy/*", "shutdown", ANY, UNCHANGED, 0,
       "it returns nothing, and closes the listener despite the error")

/* --- errors that are answers -------------------------------------------------------------------------------------- */
EXCEPT("mm_isatty/*", "isatty", ONLY(ENOTTY), UNCHANGED, 0, "documented: 0, it is not a terminal")
EXCEPT("mm_check_access/*", "access", ONLY(EACCES, ENOENT), UNCHANGED, 0, "documented: the error is the result")
EXCEPT("mm_copy/*", "lseek", ONLY(ENXIO), SKIPPED, 0, "there is no data after the offset")
EXCEPT("mm_mkdir/exists", "mkdir", ANY, UNCHANGED, 0, "the directory exists, which is the requested result")
EXCEPT("mm_mkdir/parents", "mkdir#[234]", ONLY(EEXIST), FAILS, ENOENT,
       "the parent does not exist, although it did before")
EXCEPT("mm_copy/*", "read", ONLY(ECONNRESET, EISDIR), SKIPPED, 0, "it is a regular file")
EXCEPT("mm_copy/*", "write", ONLY(EAGAIN, ECONNRESET, EMSGSIZE, EPIPE), SKIPPED, 0, "it is a regular file")
EXCEPT("mm_mkdir/parents", "mkdir", ONLY(ENOENT), EITHER, 0,
       "a parent is missing, and is created unless creating its own parent fails")

EXCEPT("mm_mkdir/exists", "stat", ONLY(ENOENT), FAILS, EEXIST, "the name is that of a dangling symbolic link")

/* --- the call has an alternative ---------------------------------------------------------------------------------- */
EXCEPT("mm_copy/*", "open", ONLY(EINTR), UNCHANGED, 0, "documented: a signal does not interrupt a copy")
EXCEPT("mm_copy/*", "fchmod", ONLY(EINTR), UNCHANGED, 0, "documented: a signal does not interrupt a copy")
EXCEPT("mm_copy/*", "copy_file_range", ANY, UNCHANGED, 0,
       "data that the kernel cannot copy is read and written, which fails if the files cause the error")
EXCEPT("mm_copy/*", "lseek#[12567]", ANY, UNCHANGED, 0, "a range that is not known to be a hole is read")
EXCEPT("mm_copy/*", "ftruncate", ANY, UNCHANGED, 0, "a byte is written at the end of the hole")
EXCEPT("mm_copy/*", "read", ONLY(EINTR), UNCHANGED, 0, "documented: a signal does not interrupt a copy")
EXCEPT("mm_copy/*", "read", ONLY(EAGAIN), UNCHANGED, 0, "the read is retried after waiting")
EXCEPT("mm_copy/*", "write", ONLY(EINTR), UNCHANGED, 0, "documented: a signal does not interrupt a copy")
EXCEPT("mm_anon_shm/*", "memfd_create", ONLY(EINVAL), UNCHANGED, 0,
       "an old kernel; the call is repeated with fewer flags")
EXCEPT("mm_*", "__register_atfork", ANY, UNCHANGED, 0, "without memory for handlers, only a later fork() is less safe")
EXCEPT("mm_spawn/*", "SYS_set_tid_address", ANY, UNCHANGED, 0,
       "it is needed only if the process that creates the daemon is killed")
EXCEPT("mm_spawn/*", "SYS_rt_sigaction", ANY, UNCHANGED, 0, "the signal does not exist")
EXCEPT("mm_spawn/*", "SYS_close_range", ANY, UNCHANGED, 0, "descriptors are marked individually")
EXCEPT("mm_execv/*", "SYS_close_range", ANY, UNCHANGED, 0, "descriptors are marked individually")
EXCEPT("mm_spawn/*", "SYS_close", ANY, UNCHANGED, 0, "a descriptor that is to be closed need not be open")
EXCEPT("mm_execv/*", "SYS_close", ANY, UNCHANGED, 0, "a descriptor that is to be closed need not be open")
EXCEPT("mm_spawn/*", "SYS_getcwd", ANY, UNCHANGED, 0, "a directory without a path is opened by descriptor")
EXCEPT("mm_spawn/*", "stat", ANY, UNCHANGED, 0,
       "a directory that cannot be identified by its path is opened by descriptor")
EXCEPT("mm_unmap/*", "munmap", ONLY(EINVAL), UNCHANGED, 0, "other sizes are tried, as for maps of huge pages")
EXCEPT("mm_spawn/*", "fcntl", ANY, UNCHANGED, 0, "a descriptor that is to be kept need not be open")
EXCEPT("mm_execv/*", "fcntl", ANY, UNCHANGED, 0, "a descriptor that is to be kept need not be open")
EXCEPT("mm_spawn/daemon*", "waitpid", ONLY(ECHILD, EINVAL), SKIPPED, 0, "the child does not exist any more")
EXCEPT("mm_spawn/daemon*", "waitpid", ONLY(EINTR), UNCHANGED, 0, "the call is repeated")
EXCEPT("mm_execv/searched", "execve", ONLY(ENOEXEC), SKIPPED, 0, "a shell is executed, which cannot run the program")
EXCEPT("mm_*/*searched", "execve", ONLY(EACCES, ENOENT, ENOTDIR, ENAMETOOLONG, ENOEXEC), UNCHANGED, 0,
       "the next directory of PATH also contains the program; or a shell is tried")
EXCEPT("mm_create_sockclient/service", "connect#1", ONLY(EINTR), FAILS, 0, "documented: a signal interrupts it")
EXCEPT("mm_create_sockclient/service", "connect#1", ANY, UNCHANGED, 0, "the next address accepts the connection")
EXCEPT("mm_create_sockclient/service", "socket#1", ANY, UNCHANGED, 0, "the next address accepts the connection")

/* --- the standard streams ----------------------------------------------------------------------------------------- */
EXCEPT("mm_get*info/*", "poll", ANY, UNCHANGED, 0, "the standard streams are assumed to be open")
EXCEPT("mm_create_sockclient/*", "poll", ANY, UNCHANGED, 0, "the standard streams are assumed to be open")
EXCEPT("mm_create_sockclient/service", "fcntl#2", ANY, UNCHANGED, 0, "the next address accepts the connection")
EXCEPT("mm_create_sockclient/*", "fcntl#1", ANY, UNCHANGED, 0, "no lower descriptor is available")
EXCEPT("mm_create_sockclient/*", "close", ANY, UNCHANGED, 0,
       "a socket of the library, which is closed despite the error")

/* --- IPC ---------------------------------------------------------------------------------------------------------- */
EXCEPT("mm_ipc_srv_accept*", "accept*", ONLY(EINVAL), FAILS, ECANCELED, "documented: the server was shut down")
EXCEPT("mm_ipc_srv_create/*", "socket#2", ANY, UNCHANGED, 0, "waiting clients retry after a timeout")
EXCEPT("mm_ipc_srv_create/*", "connect", ANY, UNCHANGED, 0, "a client may be at the slot, so all are notified")
EXCEPT("mm_ipc_srv_create/*", "sendto", ANY, UNCHANGED, 0, "waiting clients retry after a timeout")
EXCEPT("mm_ipc_connect*", "connect", ONLY(ECONNREFUSED), UNCHANGED, 0, "it waits for the server, and finds it")
EXCEPT("mm_ipc_connect/waits_attached", "connect#2", ANY, UNCHANGED, 0, "it attaches to the next anchor, or polls")
EXCEPT("mm_ipc_connect*/waits*", "connect", ONLY(EAGAIN), FAILS, ETIMEDOUT,
       "the queue was full until the timeout expired")
EXCEPT("mm_ipc_connect*/[!mnw]*", "connect", ONLY(EAGAIN), UNCHANGED, 0, "a full queue, so it waits")
EXCEPT("mm_ipc_connect*/woken*", "connect", ONLY(EAGAIN), UNCHANGED, 0, "a full queue, so it waits")
EXCEPT("mm_ipc_connect*/waits", "socket#2", ANY, UNCHANGED, 0, "without an anchor it polls")
EXCEPT("mm_ipc_connect/waits_attached", "socket#[2-4]", ANY, UNCHANGED, 0, "without a slot or anchor it polls")
EXCEPT("mm_ipc_connect*/waits", "socket#[3-9]", ANY, EITHER, 0,
       "the close of an attempt's socket, or of one for its slot or anchor")
EXCEPT("mm_ipc_connect*/w*", "poll", ONLY(EINTR), FAILS, 0, "documented: a signal handler interrupts the wait")
EXCEPT("mm_ipc_connect*/w*", "poll", ANY, UNCHANGED, 0, "if it cannot wait at its slot, it polls")
EXCEPT("mm_ipc_connect*/w*", "getsockopt", ONLY(EBADF, ENOTSOCK), SKIPPED, 0,
       "the program has closed the slot; here it would stay open")
EXCEPT("mm_ipc_connect*/w*", "getsockopt", ANY, UNCHANGED, 0,
       "a descriptor that cannot be identified is treated as the library's")
EXCEPT("mm_ipc_connect/woken", "fcntl#1", ANY, UNCHANGED, 0, "no lower descriptor is available")
EXCEPT("mm_ipc_srv_accept*", "accept*", ONLY(EAGAIN), UNCHANGED, 0, "it waits for the client, or looks for one again")
EXCEPT("mm_ipc_srv_from_fd/*", "getsockopt#[123]", ANY, FAILS, 0, "the socket is unknown")
EXCEPT("mm_ipc_srv_*", "getsockopt", ONLY(EBADF, ENOTSOCK), SKIPPED, 0,
       "the program has closed the listener; here it would stay open")
EXCEPT("mm_ipc_srv_*", "getsockopt", ANY, UNCHANGED, 0,
       "a descriptor that cannot be identified is treated as the library's")
EXCEPT("mm_ipc_connect*/w*", "listen", ANY, UNCHANGED, 0, "without an anchor it polls")
EXCEPT("mm_ipc_connect*/waits*", "bind", ANY, UNCHANGED, 0, "without a slot it polls")
EXCEPT("mm_ipc_connect*/woken", "socket#2", ANY, UNCHANGED, 0, "without a slot it polls")
EXCEPT("mm_ipc_connect*/woken", "socket#[3-9]", ANY, EITHER, 0,
       "the close of an attempt's socket, or of one used to relay the wakeup")
EXCEPT("mm_ipc_connect*/woken", "bind", ANY, UNCHANGED, 0, "without a slot it polls")
EXCEPT("mm_ipc_recvmsg/e*", "poll", ONLY(EINTR), UNCHANGED, 0,
       "the datagram has been received, so a signal comes too late")
EXCEPT("mm_ipc_recvmsg/empty", "poll", ANY, UNCHANGED, 0,
       "if the end of the stream cannot be confirmed, the empty datagram counts as a message")
EXCEPT("mm_ipc_recvmsg/end", "poll", ANY, SKIPPED, 0,
       "if the end of the stream cannot be confirmed, the next receive reports it")
EXCEPT("mm_ipc_recvmsg/empty", "getsockopt", ONLY(EBADF, ENOTSOCK), FAILS, EBADF,
       "another thread has closed the descriptor")
EXCEPT("mm_ipc_recvmsg/empty", "getsockopt", ANY, UNCHANGED, 0, "nothing indicates that the descriptor was closed")
EXCEPT("mm_ipc_recvmsg/reset", "poll", ONLY(EINTR), UNCHANGED, 0, "the call is repeated")
EXCEPT("mm_ipc_recvmsg/reset", "poll", ANY, FAILS, ECONNRESET,
       "the next receive returns the messages sent before the reset")
EXCEPT("mm_ipc_recvmsg/end", "ioctl", ANY, UNCHANGED, 0, "no other message is known to be queued")
EXCEPT("mm_ipc_recvmsg/end", "recvmsg#2", ANY, UNCHANGED, 0, "no other message is known to be queued")
EXCEPT("mm_ipc_recvmsg/end", "recvmsg", ONLY(ECONNRESET), FAILS, 0, "no message follows the reset")
EXCEPT("mm_ipc_recvmsg/reset", "recvmsg#2", ANY, FAILS, ECONNRESET, "no message follows the reset")

/* --- servers at paths --------------------------------------------------------------------------------------------- */
EXCEPT("mm_ipc_srv_create2/name", "socket#2", ANY, UNCHANGED, 0, "waiting clients retry after a timeout")
EXCEPT("mm_ipc_srv_create2/name", "connect", ANY, UNCHANGED, 0, "a client may be at the slot, so all are notified")
EXCEPT("mm_ipc_srv_create2/*", "flock", ONLY(EINTR, EWOULDBLOCK), UNCHANGED, 0, "the call is repeated")
EXCEPT("mm_ipc_srv_create2/*", "flock", ANY, LITTERS, 0,
       "another process may have locked the file, which the next server removes")
EXCEPT("mm_ipc_srv_create2/*", "fstat#2", ANY, LITTERS, 0, "the same")
EXCEPT("mm_ipc_srv_create2/[uf][si]*", "fstat#3", ONLY(EBADF), SKIPPED, 0,
       "the program has closed the directory; here it would stay open")
EXCEPT("mm_ipc_srv_create2/[uf][si]*", "fstat#3", ANY, UNCHANGED, 0, "a directory that cannot be identified is closed")
EXCEPT("mm_ipc_srv_create2/[uf][si]*", "fcntl", ANY, UNCHANGED, 0, "the same")
EXCEPT("mm_ipc_srv_create2/*", "fstatat#1", ONLY(ENOENT), UNCHANGED, 0,
       "another process has removed the lock file; a new one is created")
EXCEPT("mm_ipc_srv_create2/*", "fstatat#1", ANY, LITTERS, 0, "the lock file, as above")
EXCEPT("mm_ipc_srv_create2/*leftover", "fstatat#2", ONLY(ENOENT), FAILS, EADDRINUSE,
       "the path did not exist, and does when the socket is renamed")
EXCEPT("mm_ipc_srv_create2/*", "fstatat#2", ONLY(ENOENT), UNCHANGED, 0, "the path does not exist, which is an answer")
EXCEPT("mm_ipc_srv_create2/*leftover", "fstatat#3", ONLY(ENOENT), UNCHANGED, 0, "the leftover is gone, as is wanted")
EXCEPT("mm_ipc_srv_create2/*leftover", "socket#[13]", ONLY(EACCES), UNCHANGED, 0,
       "the mode is changed, and it tries again")
EXCEPT("mm_ipc_srv_create2/used", "socket#1", ONLY(EACCES), UNCHANGED, 0, "the same")
EXCEPT("mm_ipc_srv_create2/*", "connect", ONLY(EACCES), UNCHANGED, 0, "the same")
EXCEPT("mm_ipc_srv_create2/used", "connect", ONLY(ECONNREFUSED), SKIPPED, 0, "nobody listens, which would be wrong")
EXCEPT("mm_ipc_srv_create2/*", "connect", ONLY(ECONNREFUSED), UNCHANGED, 0, "nobody listens, which is the answer")
EXCEPT("mm_ipc_srv_create2/*", "connect", ONLY(EPERM, EPROTOTYPE), FAILS, EADDRINUSE, "a socket of a process exists")
EXCEPT("mm_ipc_srv_create2/*", "fchmod", ANY, UNCHANGED, 0, "the permissions are set after bind()")
EXCEPT("mm_ipc_srv_create2/temporary", "unlinkat#1", ONLY(ENOENT), SKIPPED, 0, "the name exists")
EXCEPT("mm_ipc_srv_create2/temporary", "unlinkat#1", ANY, FAILS, EADDRINUSE, "the temporary name is still in use")
EXCEPT("mm_ipc_srv_create2/*", "unlinkat", ANY, LEAKS, 0, "the name remains, and the next server removes it")
EXCEPT("mm_ipc_srv_create2/*leftover", "SYS_renameat2", ONLY(ENOENT), FAILS, EADDRINUSE,
       "the leftover is treated as removed, and its name is found in use")
EXCEPT("mm_ipc_srv_create2/*", "SYS_renameat2", ONLY(EINVAL, ENOSYS, EPERM), UNCHANGED, 0,
       "the flag is not supported; the socket is linked and the temporary name removed")
EXCEPT("mm_ipc_srv_create2/*", "*rename*", ONLY(EEXIST), FAILS, EADDRINUSE, "another file has the name")
EXCEPT("mm_ipc_srv_create2/*", "linkat", ONLY(EEXIST), FAILS, EADDRINUSE, "another file has the name")
EXCEPT("mm_ipc_srv_release/path", "fcntl", ANY, UNCHANGED, 0, "the directory, as above")
EXCEPT("mm_ipc_srv_release/path", "fstat", ONLY(EBADF), SKIPPED, 0,
       "the program has closed the directory; here it would stay open")
EXCEPT("mm_ipc_srv_release/path", "fstat", ANY, UNCHANGED, 0, "the directory, as above")
EXCEPT("mm_ipc_srv_destroy/*", "fstat", ONLY(EBADF), SKIPPED, 0, "the same")
EXCEPT("mm_ipc_srv_destroy/*", "*", ANY, LEAKS, 0,
       "it returns nothing; the path may remain, and the next server replaces it")

/* --- waiting for a path -------------------------------------------------------------------------------------------- */
EXCEPT("mm_ipc_connect2/missing", "connect", ONLY(EAGAIN), UNCHANGED, 0, "a full queue, so it tries again")
EXCEPT("mm_ipc_connect2/woken*", "fcntl#2", ANY, UNCHANGED, 0, "no lower descriptor is available")
EXCEPT("mm_ipc_connect2/w*_path", "malloc#3", ANY, EITHER, 0, "it polls, if memory suffices for that")
EXCEPT("mm_ipc_connect2/long_path", "fcntl#2", ANY, UNCHANGED, 0,
       "a directory that cannot be identified is treated as the library's")
EXCEPT("mm_ipc_get_peer*", "getsockopt#2", ANY, UNCHANGED, 0, "it is not known to be a listener")
EXCEPT("mm_ipc_watch/missing", "malloc#[2-9]", ANY, EITHER, ENOENT,
       "a timer, if it is not known that there is no directory")
EXCEPT("mm_ipc_watch/*name", "socket", ANY, UNCHANGED, 0, "a timer replaces the notification")
EXCEPT("mm_ipc_watch/timer", "socket", ANY, UNCHANGED, 0, "a timer replaces the notification")
EXCEPT("mm_ipc_watch/*", "bind", ANY, UNCHANGED, 0, "a timer replaces the notification")
EXCEPT("mm_ipc_watch/path", "malloc#2", ANY, UNCHANGED, 0, "a timer replaces the notification")
EXCEPT("mm_ipc_*", "inotify_init1", ANY, UNCHANGED, 0, "it polls, or a timer replaces the notification")
EXCEPT("mm_ipc_*", "inotify_add_watch#1", ONLY(ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR), FAILS, 0,
       "there is no directory to watch")
EXCEPT("mm_ipc_*", "inotify_add_watch#1", ANY, UNCHANGED, 0, "it polls, or a timer replaces the notification")
EXCEPT("mm_ipc_*", "inotify_add_watch", ONLY(EBADF, EINVAL), SKIPPED, 0,
       "the program has closed the descriptor; here it would stay open")
EXCEPT("mm_ipc_*", "inotify_add_watch", ANY, UNCHANGED, 0,
       "a descriptor that cannot be identified is treated as the library's")
EXCEPT("mm_ipc_*", "inotify_rm_watch", ANY, UNCHANGED, 0, "the watch is removed when the descriptor is closed")
EXCEPT("mm_ipc_connect2/w*_path", "lstat", ANY, UNCHANGED, 0, "the path is treated as missing")
EXCEPT("mm_ipc_connect2/w*_path", "read", ANY, UNCHANGED, 0, "it polls")

/* --- removing a tree ---------------------------------------------------------------------------------------------- */
EXCEPT("mm_remove/*", "openat", ONLY(ENOENT), SKIPPED, 0,
       "documented: a missing file counts as removed; here the error would be wrong")
EXCEPT("mm_remove/*", "unlinkat", ONLY(ENOENT), SKIPPED, 0, "the same")
EXCEPT("mm_remove/*", "unlink", ONLY(ENOENT), SKIPPED, 0, "the same")
EXCEPT("mm_remove/*", "rmdir", ONLY(ENOENT), SKIPPED, 0, "the same")
EXCEPT("mm_remove/*", "open", ONLY(ENOENT), SKIPPED, 0, "the same")
EXCEPT("mm_remove/*", "open", ONLY(EDQUOT, EEXIST, ENOSPC, ENXIO, EOPNOTSUPP, ETXTBSY), SKIPPED, 0,
       "nothing is created")
EXCEPT("mm_remove/*", "readdir", ONLY(ENOENT), SKIPPED, 0, "the same")
EXCEPT("mm_remove/*", "unlink", ONLY(EISDIR, ELOOP, ENOTDIR), UNCHANGED, 0, "its type is checked again")
EXCEPT("mm_remove/*", "rmdir", ONLY(EISDIR, ELOOP, ENOTDIR), UNCHANGED, 0, "its type is checked again")
EXCEPT("mm_remove/*", "open", ONLY(EISDIR, ELOOP, ENOTDIR), UNCHANGED, 0, "its type is checked again")
EXCEPT("mm_remove/tree", "openat#1", ONLY(ELOOP, ENOTDIR), UNCHANGED, 0, "its type is checked again")
EXCEPT("mm_remove/tree", "unlinkat#5", ONLY(EISDIR, ELOOP, ENOTDIR), UNCHANGED, 0, "its type is checked again")
EXCEPT("mm_remove/slash*", "lstat#1", ONLY(EACCES, EIO, ELOOP, ENOENT, ENOMEM, ENOTDIR, EOVERFLOW), UNCHANGED, 0,
       "the path without the slash decides")
EXCEPT("mm_remove/tree", "lstat", ANY, FAILS, 0, "the path itself")
EXCEPT("mm_remove/tree", "open", ANY, FAILS, 0, "the path itself")
EXCEPT("mm_remove/tree", "malloc#1", ANY, FAILS, 0, "the path itself")
EXCEPT("mm_remove/tree", "openat#1", ANY, FAILS, 0, "the path itself")
EXCEPT("mm_remove/tree", "unlinkat#5", ANY, FAILS, 0, "the path itself")
EXCEPT("mm_remove/tree", "*", ANY, EITHER, ENOTEMPTY,
       "documented: failures inside are ignored; empty directories are removed")
EXCEPT("mm_remove/*", "unlinkat", ONLY(EISDIR, ELOOP, ENOTDIR), EITHER, 0, "its type is checked again")
EXCEPT("mm_remove/*", "openat", ANY, EITHER, 0, "a directory that cannot be opened is removed if it is empty")

/* --- libmmlib ----------------------------------------------------------------------------------------------------- */
EXCEPT("mm_dlopen/*", "vsnprintf", ANY, SKIPPED, 0, "it copies a description of known length")
EXCEPT("mm_dlopen/*", "dlopen", ANY, FAILS, ELIBEXEC, "documented: the description has the reason")
EXCEPT("mm_dlsym/*", "dlsym", ANY, FAILS, MM_ENOTFOUND, "documented: the description has the reason")
EXCEPT("mm_get_basedir/*", "getpwuid_r", ONLY(ERANGE), UNCHANGED, 0, "it is repeated with a larger buffer")
EXCEPT("mm_get_basedir/*", "getpwuid_r", ONLY(EINTR, EIO, EMFILE, ENFILE), FAILS, MM_ENOTFOUND,
       "documented: the home directory is not found")
EXCEPT("mm_arg_complete_path/*", "readdir", ANY, UNCHANGED, 0, "documented: the entries that were read are candidates")
EXCEPT("mm_arg_complete_path/*", "malloc#2", ANY, UNCHANGED, 0, "the same: it is that of mm_readdir()")
EXCEPT("mm_arg_complete_path/*", "stat", ANY, UNCHANGED, 0, "a link whose target is unknown is skipped")
EXCEPT("mm_arg_*/*", "printf", ANY, UNCHANGED, 0, "the error flag of the stream is set")
EXCEPT("mm_arg_parse*/*", "*", ANY, UNCHANGED, 0, "completion is best effort, and reports no failure")
EXCEPT("mm_profile_reset/*", "clock_gettime", ANY, SKIPPED, 0, "each of a thousand calls; the clocks exist")
EXCEPT("mm_[tp]*/all", "clock_gettime", ANY, UNCHANGED, 0, "they return nothing; the time is wrong")
EXCEPT("mm_profile_print/*", "snprintf", ANY, UNCHANGED, 0, "a number is missing in the table")
EXCEPT("mm_profile_print/*", "write", ONLY(EINTR), UNCHANGED, 0, "it is repeated")
