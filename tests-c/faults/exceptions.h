/*
 * exceptions.h: faults that do not make the function fail with the error of the call, and why
 *
 * EXCEPT(scenario, call, errors, outcome, error if it is another, reason). The first that fits is used, and each must be
 * needed. The patterns are those of a shell.
 */

/* --- text and the log: they describe a failure, and do not change it ----------------------------------------------- */
EXCEPT("*", "__xpg_strerror_r", ANY, UNCHANGED, 0, "the failure stays, with a poorer text")
EXCEPT("*", "localtime_r", ANY, UNCHANGED, 0, "a line without its time is better than none")
EXCEPT("mm_raise_*", "*snprintf", ANY, UNCHANGED, 0, "the error is raised with a poorer text")
EXCEPT("mm_log/*", "vsnprintf", ANY, UNCHANGED, 0, "the line is logged without its text")
EXCEPT("mm_raise_*", "write", ANY, UNCHANGED, 0, "a line that cannot be written is lost; errno and the state stay")
EXCEPT("mm_log/*", "write", ANY, UNCHANGED, 0, "a line that cannot be written is lost; errno and the state stay")
EXCEPT("*/logged", "write", ANY, UNCHANGED, 0, "a line that cannot be written is lost; errno and the state stay")
EXCEPT("mm_print_lasterror/*", "*", ANY, UNCHANGED, 0, "it returns nothing: the stream has its error flag")

/* An error's text shows a path only if it can be read, which it is asked for. */
EXCEPT("mm_copy/shared", "access", ANY, UNCHANGED, 0, "the first error is reported, its path shown or not")
EXCEPT("mm_unlink/logged", "access", ANY, UNCHANGED, 0, "the first error is reported, its path shown or not")

/* --- giving back: nothing is left to be done if that fails ---------------------------------------------------------- */
EXCEPT("mm_close/*", "close", ONLY(EINTR), UNCHANGED, 0, "documented: the descriptor is closed")
EXCEPT("mm_copy/[hkmr]*", "close#1", ONLY(EINTR), UNCHANGED, 0, "the copy is closed, and its data stored")
EXCEPT("mm_copy/[hkmr]*", "close#2", ANY, UNCHANGED, 0, "the source was only read")
EXCEPT("mm_copy/shared", "close", ANY, UNCHANGED, 0, "the first error is reported")
EXCEPT("mm_copy/shared", "unlink", ANY, LEAKS, 0, "the first error is reported; half a copy stays if it cannot be removed")
EXCEPT("mm_copy/shared", "lstat", ANY, LEAKS, 0, "the same; what has the name of the copy may be another file")
EXCEPT("mm_copy/[hkrs]*", "fstat#2", ANY, UNCHANGED, 0, "it is asked for only to be able to remove the copy")
EXCEPT("mm_[!c]*", "close", ANY, UNCHANGED, 0, "a socket or directory of the library's own, which is closed all the same")
EXCEPT("*", "closedir", ANY, UNCHANGED, 0, "the directory was only read, and its descriptor is closed all the same")
EXCEPT("mm_spawn/*", "munmap", ANY, LEAKS, 0, "the process has started; the memory cannot be given back otherwise")
EXCEPT("mm_ipc_srv_destroy/*", "shutdown", ANY, UNCHANGED, 0, "it returns nothing, and closes the listener anyway")

/* --- answers that are no failures ----------------------------------------------------------------------------------- */
EXCEPT("mm_isatty/*", "isatty", ONLY(ENOTTY), UNCHANGED, 0, "documented: 0, it is no terminal")
EXCEPT("mm_check_access/*", "access", ONLY(EACCES, ENOENT), UNCHANGED, 0, "documented: it is the result")
EXCEPT("mm_copy/*", "lseek", ONLY(ENXIO), SKIPPED, 0, "there is no data behind the offset")
EXCEPT("mm_mkdir/exists", "mkdir", ANY, UNCHANGED, 0, "it exists, which is what is wanted")
EXCEPT("mm_mkdir/parents", "mkdir#[234]", ONLY(EEXIST), FAILS, ENOENT, "the parent is not there, although it seemed to be")
EXCEPT("mm_copy/*", "read", ONLY(ECONNRESET, EISDIR), SKIPPED, 0, "it is a regular file")
EXCEPT("mm_copy/*", "write", ONLY(EAGAIN, ECONNRESET, EMSGSIZE, EPIPE), SKIPPED, 0, "it is a regular file")
EXCEPT("mm_mkdir/parents", "mkdir", ONLY(ENOENT), EITHER, 0, "a parent is missing, and is made if one above it is not")

EXCEPT("mm_mkdir/exists", "stat", ONLY(ENOENT), FAILS, EEXIST, "a link that leads nowhere has the name")

/* --- another way is taken ------------------------------------------------------------------------------------------- */
EXCEPT("mm_copy/*", "open", ONLY(EINTR), UNCHANGED, 0, "documented: a signal does not end a copy")
EXCEPT("mm_copy/*", "fchmod", ONLY(EINTR), UNCHANGED, 0, "documented: a signal does not end a copy")
EXCEPT("mm_copy/*", "copy_file_range", ANY, UNCHANGED, 0,
       "what the kernel does not copy by itself is read and written, which fails if the files are at fault")
EXCEPT("mm_copy/*", "lseek#[12567]", ANY, UNCHANGED, 0, "what is not known to be a hole is read")
EXCEPT("mm_copy/*", "ftruncate", ANY, UNCHANGED, 0, "a byte is written where the hole ends")
EXCEPT("mm_copy/*", "read", ONLY(EINTR), UNCHANGED, 0, "documented: a signal does not end a copy")
EXCEPT("mm_copy/*", "read", ONLY(EAGAIN), UNCHANGED, 0, "it is read again, and waited for")
EXCEPT("mm_copy/*", "write", ONLY(EINTR), UNCHANGED, 0, "documented: a signal does not end a copy")
EXCEPT("mm_anon_shm/*", "memfd_create", ONLY(EINVAL), UNCHANGED, 0, "an old kernel, which is asked with fewer flags")
EXCEPT("mm_*", "__register_atfork", ANY, UNCHANGED, 0, "without memory for handlers only a later fork() is less safe")
EXCEPT("mm_spawn/*", "SYS_rt_sigaction", ANY, UNCHANGED, 0, "the signal does not exist")
EXCEPT("mm_spawn/*", "SYS_close_range", ANY, UNCHANGED, 0, "descriptors are marked one by one")
EXCEPT("mm_execv/*", "SYS_close_range", ANY, UNCHANGED, 0, "descriptors are marked one by one")
EXCEPT("mm_spawn/*", "SYS_close", ANY, UNCHANGED, 0, "a descriptor that is to be closed need not be open")
EXCEPT("mm_execv/*", "SYS_close", ANY, UNCHANGED, 0, "a descriptor that is to be closed need not be open")
EXCEPT("mm_spawn/*", "SYS_getcwd", ANY, UNCHANGED, 0, "a directory without a path is opened")
EXCEPT("mm_spawn/*", "stat", ANY, UNCHANGED, 0, "a directory whose path is not known to lead to it is opened")
EXCEPT("mm_unmap/*", "munmap", ONLY(EINVAL), UNCHANGED, 0, "other sizes are tried, as for maps of huge pages")
EXCEPT("mm_spawn/*", "fcntl", ANY, UNCHANGED, 0, "a descriptor that is to be kept need not be open")
EXCEPT("mm_execv/*", "fcntl", ANY, UNCHANGED, 0, "a descriptor that is to be kept need not be open")
EXCEPT("mm_spawn/daemon*", "waitpid", ONLY(ECHILD, EINVAL), SKIPPED, 0, "there is no such child any more")
EXCEPT("mm_spawn/daemon*", "waitpid", ONLY(EINTR), UNCHANGED, 0, "it is asked again")
EXCEPT("mm_execv/searched", "execve", ONLY(ENOEXEC), SKIPPED, 0, "a shell is executed, which cannot run the program")
EXCEPT("mm_*/*searched", "execve", ONLY(EACCES, ENOENT, ENOTDIR, ENAMETOOLONG, ENOEXEC), UNCHANGED, 0,
       "the next directory of PATH has the program as well; or a shell tries it")
EXCEPT("mm_create_sockclient/service", "connect#1", ONLY(EINTR), FAILS, 0, "documented: a signal ends it")
EXCEPT("mm_create_sockclient/service", "connect#1", ANY, UNCHANGED, 0, "the next address takes the connection")
EXCEPT("mm_create_sockclient/service", "socket#1", ANY, UNCHANGED, 0, "the next address takes the connection")

/* --- forks, and the standard streams -------------------------------------------------------------------------------- */
EXCEPT("mm_*", "madvise", ANY, UNCHANGED, 0, "an old kernel: forks are told by the process id")
EXCEPT("mm_ipc_*", "mmap", ANY, UNCHANGED, 0, "without the page forks are told by the process id")
EXCEPT("mm_create_sockclient/*", "mmap", ANY, UNCHANGED, 0, "without the page forks are told by the process id")
EXCEPT("mm_*/logged", "mmap", ANY, UNCHANGED, 0, "without the page forks are told by the process id")
EXCEPT("mm_log/*", "mmap", ANY, UNCHANGED, 0, "without the page forks are told by the process id")
EXCEPT("mm_get*info/*", "poll", ANY, UNCHANGED, 0, "the standard streams are taken to be open")
EXCEPT("mm_create_sockclient/*", "poll", ANY, UNCHANGED, 0, "the standard streams are taken to be open")

/* --- IPC ------------------------------------------------------------------------------------------------------------ */
EXCEPT("mm_ipc_srv_accept/*", "accept", ONLY(EINVAL), FAILS, ECANCELED, "documented: the server was shut down")
EXCEPT("mm_ipc_srv_create/*", "socket#2", ANY, UNCHANGED, 0, "waiting clients look for themselves, some time later")
EXCEPT("mm_ipc_srv_create/*", "sendto", ANY, UNCHANGED, 0, "waiting clients look for themselves, some time later")
EXCEPT("mm_ipc_connect/*", "connect", ONLY(ECONNREFUSED), UNCHANGED, 0, "it waits for the server, and finds it")
EXCEPT("mm_ipc_connect/waits", "connect", ONLY(EAGAIN), FAILS, ETIMEDOUT, "the queue was full until the time was over")
EXCEPT("mm_ipc_connect/wait*", "socket#[2-9]", ANY, UNCHANGED, 0, "without a slot it looks from time to time")
EXCEPT("mm_ipc_connect/wait*", "bind", ANY, UNCHANGED, 0, "without a slot it looks from time to time")
EXCEPT("mm_ipc_connect/woken", "socket#[2-9]", ANY, UNCHANGED, 0, "without a slot it looks from time to time")
EXCEPT("mm_ipc_connect/woken", "bind", ANY, UNCHANGED, 0, "without a slot it looks from time to time")
EXCEPT("mm_ipc_connect/woken", "recv", ANY, UNCHANGED, 0, "a server was told of, whatever the datagram says")
EXCEPT("mm_ipc_recvmsg/e*", "poll", ONLY(EINTR), UNCHANGED, 0, "the datagram is received already, a signal is too late")
EXCEPT("mm_ipc_recvmsg/empty", "poll", ANY, UNCHANGED, 0, "what cannot be told from the end is none: the datagram counts")
EXCEPT("mm_ipc_recvmsg/end", "poll", ANY, SKIPPED, 0, "what cannot be told from the end is none: the next receive finds it")
EXCEPT("mm_ipc_recvmsg/end", "ioctl", ANY, UNCHANGED, 0, "nothing more is known to be queued")
EXCEPT("mm_ipc_recvmsg/end", "recvmsg#2", ANY, UNCHANGED, 0, "nothing more is known to be queued")
EXCEPT("mm_ipc_recvmsg/end", "recvmsg", ONLY(ECONNRESET), FAILS, 0, "nothing comes after the reset")
EXCEPT("mm_ipc_recvmsg/[de]*", "recvmsg", ONLY(ECONNRESET), UNCHANGED, 0, "what was sent before the reset is received")
EXCEPT("mm_ipc_recvmsg/reset", "recvmsg#2", ANY, FAILS, ECONNRESET, "nothing comes after the reset")

/* --- removing a tree ------------------------------------------------------------------------------------------------ */
EXCEPT("mm_remove/*", "openat", ONLY(ENOENT), SKIPPED, 0, "documented: what is not there is removed; here it would be a lie")
EXCEPT("mm_remove/*", "unlinkat", ONLY(ENOENT), SKIPPED, 0, "the same")
EXCEPT("mm_remove/*", "unlink", ONLY(ENOENT), SKIPPED, 0, "the same")
EXCEPT("mm_remove/*", "rmdir", ONLY(ENOENT), SKIPPED, 0, "the same")
EXCEPT("mm_remove/*", "open", ONLY(ENOENT), SKIPPED, 0, "the same")
EXCEPT("mm_remove/*", "open", ONLY(EDQUOT, EEXIST, ENOSPC, ENXIO, EOPNOTSUPP, ETXTBSY), SKIPPED, 0, "nothing is created")
EXCEPT("mm_remove/*", "readdir", ONLY(ENOENT), SKIPPED, 0, "the same")
EXCEPT("mm_remove/*", "unlink", ONLY(EISDIR, ELOOP, ENOTDIR), UNCHANGED, 0, "its type is looked at again")
EXCEPT("mm_remove/*", "rmdir", ONLY(EISDIR, ELOOP, ENOTDIR), UNCHANGED, 0, "its type is looked at again")
EXCEPT("mm_remove/*", "open", ONLY(EISDIR, ELOOP, ENOTDIR), UNCHANGED, 0, "its type is looked at again")
EXCEPT("mm_remove/tree", "openat#1", ONLY(ELOOP, ENOTDIR), UNCHANGED, 0, "its type is looked at again")
EXCEPT("mm_remove/tree", "unlinkat#5", ONLY(EISDIR, ELOOP, ENOTDIR), UNCHANGED, 0, "its type is looked at again")
EXCEPT("mm_remove/slash*", "lstat#1", ONLY(EACCES, EIO, ELOOP, ENOENT, ENOMEM, ENOTDIR, EOVERFLOW), UNCHANGED, 0,
       "what counts is the path without the slash")
EXCEPT("mm_remove/tree", "lstat", ANY, FAILS, 0, "the path itself")
EXCEPT("mm_remove/tree", "open", ANY, FAILS, 0, "the path itself")
EXCEPT("mm_remove/tree", "malloc#1", ANY, FAILS, 0, "the path itself")
EXCEPT("mm_remove/tree", "openat#1", ANY, FAILS, 0, "the path itself")
EXCEPT("mm_remove/tree", "unlinkat#5", ANY, FAILS, 0, "the path itself")
EXCEPT("mm_remove/tree", "*", ANY, EITHER, ENOTEMPTY, "documented: failures inside are passed over; what is empty goes")
EXCEPT("mm_remove/*", "unlinkat", ONLY(EISDIR, ELOOP, ENOTDIR), EITHER, 0, "its type is looked at again")
EXCEPT("mm_remove/*", "openat", ANY, EITHER, 0, "a directory that cannot be opened is removed if it is empty")
