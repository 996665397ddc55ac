typedef pid_t mm_pid_t;

/* Flags of mm_spawn() and mm_execv(). */
#define MM_SPAWN_DAEMONIZE 0x1
#define MM_SPAWN_KEEP_FDS 0x2

/* What mm_wait_process() tells: one of the two flags, and the exit code or the number of the signal. */
#define MM_WSTATUS_CODEMASK 0x000000FF
#define MM_WSTATUS_EXITED 0x00000100
#define MM_WSTATUS_SIGNALED 0x00000200
