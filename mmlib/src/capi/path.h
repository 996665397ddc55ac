/* strcasecmp(), for programs that include strings.h or string.h. */
#define mm_strcasecmp strcasecmp
