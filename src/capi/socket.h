/* An element of mm_poll()'s array: the system's own. */
#define mm_pollfd pollfd

/* For compilers in a mode of standard C alone, in which netdb.h hides it. */
struct addrinfo;
