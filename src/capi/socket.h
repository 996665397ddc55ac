/* An element of the array of mm_poll(): the system's struct pollfd. */
#define mm_pollfd pollfd

/* In a strict standard C mode of the compiler, netdb.h does not declare this structure. */
struct addrinfo;
