/* An element of mm_poll()'s array: the system's own. */
#define mm_pollfd pollfd
