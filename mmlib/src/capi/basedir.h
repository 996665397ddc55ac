/* Base directories, for mm_get_basedir(). */
enum mm_known_dir {
	MM_HOME = 0,        /* the home directory */
	MM_DATA_HOME = 1,   /* for data */
	MM_CONFIG_HOME = 2, /* for configuration */
	MM_CACHE_HOME = 3,  /* for data that can be computed again */
	MM_RUNTIME_DIR = 4, /* for sockets and other files that are removed when the user logs out */
	MM_NUM_DIRTYPE = 5  /* not a directory: the number of directories */
};
