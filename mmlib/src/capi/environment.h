/* What mm_setenv() does if the variable exists. */
enum mm_env_action {
	MM_ENV_PRESERVE = 0,  /* nothing */
	MM_ENV_OVERWRITE = 1, /* replace its value */
	MM_ENV_PREPEND = 2,   /* put the new value, and a colon, before its value */
	MM_ENV_APPEND = 3,    /* put a colon, and the new value, after its value */
	MM_ENV_MAX = 4        /* not an action: the number of actions */
};
