/** An open directory: see mm_opendir(). */
typedef struct mm_dirstream MM_DIR;

/** A directory entry. */
struct mm_dirent {
	/** Size of this record in bytes, including the name. */
	size_t reclen;
	/** MM_DT_REG, MM_DT_DIR...; MM_DT_UNKNOWN if the filesystem does not report types (use mm_stat()). */
	int type;
	/** Always 0. */
	int id;
	/** Name, terminated by a null byte. It can contain any byte except NUL and the slash. */
#ifdef __cplusplus
	char name[1];
#else
	char name[];
#endif
};
