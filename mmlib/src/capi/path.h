/*
 * mm_strcasecmp(): compare strings as strcasecmp() does, without regard to case. It is a name for that function; the
 * program includes strings.h.
 */
#define mm_strcasecmp strcasecmp
