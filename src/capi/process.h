typedef pid_t mm_pid_t;

/* Flags of mm_spawn() and mm_execv(). */
#define MM_SPAWN_DAEMONIZE 0x1
#define MM_SPAWN_KEEP_FDS 0x2

/* Status of mm_wait_process(): one of the two flags, combined with the exit code or the signal number. */
#define MM_WSTATUS_CODEMASK 0x000000FF
#define MM_WSTATUS_EXITED 0x00000100
#define MM_WSTATUS_SIGNALED 0x00000200
