/* Flags of mm_dlopen(). */
#define MM_LD_LAZY 0x1       /* resolve a function when it is called first */
#define MM_LD_NOW 0x2        /* resolve all functions at once */
#define MM_LD_APPEND_EXT 0x4 /* append the extension of libraries to the path */

/* A loaded library. */
typedef struct mm_dynlib mm_dynlib_t;
