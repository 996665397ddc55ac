/* These have 64 bits on every machine, whatever _FILE_OFFSET_BITS is. */
typedef int64_t mm_off_t;
typedef dev_t mm_dev_t;
typedef uint64_t mm_ino_t;

/*
 * Permissions of a file or directory that is created. MODE_DEF is read and write permission for all users (0666).
 * MODE_XDEF also includes execute (search) permission (0777). If MODE_DEF is set, all bits other than MODE_EXEC are
 * ignored. The umask applies.
 */
#define MODE_DEF (1 << 16)
#define MODE_EXEC (1 << 17)
#define MODE_XDEF (MODE_DEF | MODE_EXEC)

/* File types: in struct mm_dirent, and as flags of mm_remove(). */
#define MM_DT_UNKNOWN 0
#define MM_DT_FIFO 0x02
#define MM_DT_CHR 0x04
#define MM_DT_BLK 0x08
#define MM_DT_DIR 0x10
#define MM_DT_REG 0x20
#define MM_DT_LNK 0x40
#define MM_DT_SOCK 0x80
#define MM_DT_ANY 0xFF

/* Flags; each function documents those that it accepts. */
#define MM_RECURSIVE (-0x7fffffff - 1) /* the highest bit of an int */
#define MM_FAILONERROR (1 << 30)
#define MM_NOFOLLOW (1 << 29)
#define MM_NOCOW (1 << 28)
#define MM_FORCECOW (1 << 27)

/** mm_ino_equal() - return 1 if two inode numbers are equal, else 0 */
static inline int mm_ino_equal(mm_ino_t a, mm_ino_t b)
{
	return a == b;
}
