/* Base directories, for mm_get_basedir(). */
enum mm_known_dir {
	MM_HOME = 0,
	MM_DATA_HOME = 1,
	MM_CONFIG_HOME = 2,
	MM_CACHE_HOME = 3,
	MM_RUNTIME_DIR = 4,
	MM_NUM_DIRTYPE = 5 /* not a directory: the number of directories */
};
