/* Flags; each function documents those that it accepts. */
#define MM_IPC_CLOEXEC 0x01  /* the returned file descriptor is close-on-exec */
#define MM_IPC_NONBLOCK 0x02 /* the returned file descriptor is non-blocking */
#define MM_IPC_PATH 0x04     /* the address is a path in the file system, not an abstract name */
