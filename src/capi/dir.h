/** An open directory: see mm_opendir(). */
typedef struct mm_dirstream MM_DIR;

/** An entry of a directory. */
struct mm_dirent {
	/** Size of this record in bytes, its name included. */
	size_t reclen;
	/** MM_DT_REG, MM_DT_DIR...; MM_DT_UNKNOWN where the filesystem does not say: mm_stat() does. */
	int type;
	/** Always 0. */
	int id;
	/** Name, terminated: any bytes. */
#ifdef __cplusplus
	char name[1];
#else
	char name[];
#endif
};
