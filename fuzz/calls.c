/*
 * calls.c: an input is a program of calls, over all functions that the library exports, with arguments of every kind
 * that the contract allows: also NULL, numbers at their edges, and memory that is not there where the kernel is the one
 * to see
 *
 * Each byte that begins a call is the function's place in src/mmsysio.map, whose order never changes: so inputs keep
 * their meaning when a function is added. A name there without a call_...() here does not compile.
 */
#include "world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <sched.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* Calls of one input, and programs that it may start. */
#define MAX_CALLS 40
#define MAX_SPAWNS 3
static int spawns;

/* --- what the library handed out ---------------------------------------------------------------------------------- */

#define KEPT 4
static struct mm_ipc_srv *servers[KEPT];
static MM_DIR *directories[KEPT];
static void *maps[KEPT];
static struct addrinfo *address_lists[KEPT];
static mm_pid_t processes[KEPT];
static unsigned next_kept;

static void give_back_objects(void)
{
	for (int i = 0; i < KEPT; i++) {
		mm_ipc_srv_destroy(servers[i]);
		mm_closedir(directories[i]);
		mm_unmap(maps[i]);
		mm_freeaddrinfo(address_lists[i]);
		servers[i] = NULL;
		directories[i] = NULL;
		maps[i] = NULL;
		address_lists[i] = NULL;
		processes[i] = 0;
	}
}

/* --- arguments ---------------------------------------------------------------------------------------------------- */

/* Whether the contract says what happens where the kernel finds no memory. */
enum unreadable { CRASHES, IS_EFAULT };

static char *take_bytes_as_string(struct input *in, size_t size)
{
	char bytes[256];
	size_t length = 0;

	while (length < size && length < sizeof(bytes) && in->size > 0) {
		bytes[length] = (char)take_byte(in);
		if (bytes[length] == '\0')
			break;
		length++;
	}
	return exact_string(bytes, length);
}

static char *take_repeated(struct input *in, const char *part, const unsigned *lengths, unsigned count)
{
	char text[5000];
	unsigned length = lengths[take_below(in, count)];

	for (unsigned i = 0; i < length; i++)
		text[i] = part[i % strlen(part)];
	return exact_string(text, length);
}

static char *take_path(struct input *in, enum unreadable unreadable)
{
	static const char *const names[] = {
		"a",
		"x",
		"d",
		"d/f",
		"l",
		"loop",
		"y",
		"x/y",
		"d/x",
		"..",
		".",
		"",
		"/",
		"/w",
		"/w/d/",
		"x/y/z/",
		"a/b",
		"/etc/hosts",
		"d/../x",
		"line\nbreak\033[2J",
		"\xff\xfe\x80",
		"d//f",
		"/bin/true",
		"./x/./y",
		"l/x",
		"x/../..",
	};
	static const unsigned lengths[] = {255, 256, 4095, 4096, 300, 4999};
	char joined[600];
	const char *name;

	switch (take_below(in, 16)) {
	default:
		name = TAKE_ONE(in, names);
		return exact_string(name, strlen(name));
	case 11:
	case 12:
		name = TAKE_ONE(in, names);
		snprintf(joined, sizeof(joined), "%s/%s", name, TAKE_ONE(in, names));
		return exact_string(joined, strlen(joined));
	case 13:
		return take_bytes_as_string(in, 1 + take_below(in, 64));
	case 14:
		return take_repeated(in, take_chance(in, 2) ? "long" : "a-name-of-a-directory-among-many/", lengths,
				     MM_NELEM(lengths));
	case 15:
		return unreadable == IS_EFAULT && take_chance(in, 2) ? no_memory() : NULL;
	}
}

static char *take_name(struct input *in, const char *const *names, unsigned count)
{
	static const unsigned lengths[] = {107, 108, 254, 255, 256, 1000};
	const char *name;

	switch (take_below(in, 8)) {
	default:
		name = names[take_below(in, count)];
		return exact_string(name, strlen(name));
	case 5:
		return take_bytes_as_string(in, 1 + take_below(in, 120));
	case 6:
		return take_repeated(in, "name", lengths, MM_NELEM(lengths));
	case 7:
		return NULL;
	}
}

static size_t take_size(struct input *in)
{
	static const unsigned sizes[] = {0, 1, 2, 8, 16, 100, 256, 1024, 4096, 65535, 3, 5, 64, 300};

	return TAKE_ONE(in, sizes);
}

/* Memory with anything in it. */
static void *take_memory(struct input *in, size_t size)
{
	uint8_t *memory = exact_memory(size);

	for (size_t i = 0; i < size; i++)
		memory[i] = i < 64 ? take_byte(in) : (uint8_t)i;
	return memory;
}

/* For the kernel alone: there may be nothing. */
static void *take_kernels_memory(struct input *in, size_t size)
{
	switch (take_below(in, 12)) {
	default:
		return take_memory(in, size);
	case 10:
		return no_memory();
	case 11:
		return NULL;
	}
}

static int take_mode(struct input *in)
{
	static const int modes[] = {0666, 0777, 0, 0400, MODE_DEF, MODE_EXEC, MODE_XDEF, 01777, 07777, -1};

	return TAKE_ONE(in, modes);
}

static int take_flags(struct input *in)
{
	static const int flags[] = {
		0,
		MM_RECURSIVE,
		MM_NOFOLLOW,
		MM_FAILONERROR,
		MM_NOCOW,
		MM_FORCECOW,
		MM_DT_ANY,
		MM_DT_REG,
		MM_DT_DIR,
		MM_DT_LNK,
		MM_DT_ANY | MM_RECURSIVE,
		MM_DT_REG | MM_RECURSIVE,
		MM_DT_ANY | MM_RECURSIVE | MM_FAILONERROR,
		MM_NOFOLLOW | MM_NOCOW,
		MM_NOCOW | MM_FORCECOW,
		-1,
	};

	return take_chance(in, 8) ? take_int(in) : TAKE_ONE(in, flags);
}

static void *take_times(struct input *in)
{
	static const long nanoseconds[] = {0, 1, 999999999, 1000000000, -1, UTIME_NOW, UTIME_OMIT, INT64_MAX};
	struct mm_timespec *times = exact_memory(2 * sizeof(*times));

	if (take_chance(in, 8))
		return take_chance(in, 2) ? no_memory() : NULL;
	for (int i = 0; i < 2; i++)
		times[i] = (struct mm_timespec){take_int64(in), TAKE_ONE(in, nanoseconds)};
	return times;
}

/* An address, of this machine alone. */
static struct sockaddr *take_address(struct input *in, socklen_t *size)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr_un local = {.sun_family = AF_UNIX};
	uint16_t port = htons(take_chance(in, 4) ? 9 : 0);
	const void *address = &v4;
	void *copy;

	v4.sin_addr.s_addr = htonl(take_chance(in, 4) ? INADDR_ANY : INADDR_LOOPBACK);
	v4.sin_port = v6.sin6_port = port;
	*size = sizeof(v4);
	switch (take_below(in, 6)) {
	default:
		break;
	case 2:
		address = &v6;
		*size = sizeof(v6);
		break;
	case 3:
		snprintf(local.sun_path, sizeof(local.sun_path), "s%u", take_below(in, 4));
		world_has_changed();
		address = &local;
		*size = sizeof(local);
		break;
	case 4:
		snprintf(local.sun_path + 1, sizeof(local.sun_path) - 1, "abstract%u", take_below(in, 4));
		address = &local;
		*size = sizeof(local);
		break;
	case 5:
		v4.sin_family = take_byte(in);
		break;
	}
	if (take_chance(in, 8))
		*size = take_below(in, *size + 1);
	copy = exact_memory(*size);
	memcpy(copy, address, *size);
	switch (take_below(in, 24)) {
	case 22:
		return no_memory();
	case 23:
		return NULL;
	}
	return copy;
}

/* Room for an address: what the kernel writes does not go beyond the size that it is told. */
static struct sockaddr *take_address_room(struct input *in, socklen_t **size)
{
	static const socklen_t sizes[] = {128, 0, 1, 2, 16, 28, 110, 111};
	socklen_t room = TAKE_ONE(in, sizes);

	*size = exact_memory(sizeof(**size));
	**size = take_chance(in, 12) ? (socklen_t)-1 : room;
	if (take_chance(in, 12))
		*size = take_chance(in, 2) ? no_memory() : NULL;
	return take_chance(in, 12) ? no_memory() : take_chance(in, 12) ? NULL : exact_memory(room);
}

static struct iovec *take_segments(struct input *in, int *count)
{
	int segments = (int)take_below(in, 5);
	struct iovec *iov = exact_memory((size_t)segments * sizeof(*iov));

	for (int i = 0; i < segments; i++) {
		size_t size = take_size(in);
		void *base = take_kernels_memory(in, size);

		iov[i] = (struct iovec){base, take_chance(in, 24) ? SIZE_MAX : size};
	}
	*count = segments;
	switch (take_below(in, 24)) {
	case 20:
		*count = -1;
		break;
	case 21:
		*count = 1025;
		break;
	case 22:
		*count = INT32_MAX;
		break;
	case 23:
		return take_chance(in, 2) ? NULL : no_memory();
	}
	return iov;
}

/* Control data: descriptors or anything, in messages whose lengths may lie. */
static void set_control(struct input *in, struct msghdr *msg)
{
	size_t size = CMSG_SPACE(4 * sizeof(int)) + CMSG_SPACE(12);
	uint8_t *control = exact_memory(size);
	struct cmsghdr *cmsg = (struct cmsghdr *)control;
	int fds[4];
	int count = (int)take_below(in, 5);

	memset(control, 0, size);
	for (int i = 0; i < count; i++)
		fds[i] = any_descriptor(in);
	cmsg->cmsg_level = SOL_SOCKET;
	cmsg->cmsg_type = SCM_RIGHTS;
	cmsg->cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
	memcpy(CMSG_DATA(cmsg), fds, (size_t)count * sizeof(int));
	msg->msg_control = control;
	msg->msg_controllen = CMSG_SPACE((size_t)count * sizeof(int));
	if (take_chance(in, 4)) {
		cmsg->cmsg_type = take_below(in, 6);
		cmsg->cmsg_len = take_byte(in);
		msg->msg_controllen = take_byte(in) % (size + 1);
	}
	if (take_chance(in, 16))
		msg->msg_control = take_chance(in, 2) ? no_memory() : NULL;
}

static void set_control_room(struct input *in, struct msghdr *msg)
{
	msg->msg_controllen = take_byte(in);
	msg->msg_control = exact_memory(msg->msg_controllen + 7);
	msg->msg_control = (void *)((uintptr_t)msg->msg_control & ~(uintptr_t)7);
}

static void take_header(struct input *in, struct msghdr *msg, bool is_received)
{
	socklen_t size;
	int count;

	memset(msg, 0, sizeof(*msg));
	msg->msg_iov = take_segments(in, &count);
	msg->msg_iovlen = (size_t)count;
	if (take_chance(in, 2)) {
		msg->msg_name = take_address(in, &size);
		msg->msg_namelen = size;
	}
	if (take_chance(in, 2))
		(is_received ? set_control_room : set_control)(in, msg);
}

/* Descriptors that came as control data belong to the program. */
static void adopt_received(struct msghdr *msg)
{
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(msg); cmsg != NULL; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		if (cmsg->cmsg_level != SOL_SOCKET || (cmsg->cmsg_type != SCM_RIGHTS && cmsg->cmsg_type != 4))
			continue;
		for (size_t i = 0; CMSG_LEN((i + 1) * sizeof(int)) <= cmsg->cmsg_len; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(cmsg) + i * sizeof(int), sizeof(fd));
			adopt(fd);
		}
	}
}

/* --- the calls ---------------------------------------------------------------------------------------------------- */

/* Calls that returned a success, by the function's place. */
static unsigned long called[128], succeeded[128];
static unsigned current;

static bool was_success(bool has_succeeded)
{
	succeeded[current] += has_succeeded;
	return has_succeeded;
}

/* Calls a function whose failure is the number or pointer given, and checks what it leaves. */
#define CALL_FAILING(failure, function, ...)                                            \
	({                                                                              \
		struct call call;                                                       \
		begin_call(&call, #function);                                           \
		__auto_type call_result = function(__VA_ARGS__);                             \
		end_call(&call, call_result == (failure));                                  \
		was_success(call_result != (failure));                                      \
		call_result;                                                            \
	})
#define CALL(function, ...) CALL_FAILING(-1, function, __VA_ARGS__)
#define CALL_VOID(function, ...)                                                        \
	do {                                                                            \
		struct call call;                                                       \
		begin_call(&call, #function);                                           \
		function(__VA_ARGS__);                                                  \
		end_call(&call, false);                                                 \
		was_success(true);                                                      \
	} while (0)

static void call_mm_open(struct input *in)
{
	static const int flags[] = {
		O_RDONLY,
		O_RDWR | O_CREAT,
		O_WRONLY | O_TRUNC | O_CREAT,
		O_RDWR | O_CREAT | O_EXCL,
		O_WRONLY | O_APPEND,
		O_RDONLY | O_DIRECTORY,
		O_PATH,
		O_RDWR | O_TMPFILE,
		O_RDONLY | O_NOFOLLOW,
	};
	char *path = take_path(in, IS_EFAULT);
	/* An open that waits, or that sends signals, is none of the library's. */
	int oflag = (take_chance(in, 8) ? take_int(in) & ~O_ASYNC : TAKE_ONE(in, flags)) | O_NONBLOCK;

	world_has_changed();
	adopt(CALL(mm_open, path, oflag, take_mode(in)));
}

static void call_mm_rename(struct input *in)
{
	char *from = take_path(in, IS_EFAULT), *to = take_path(in, IS_EFAULT);

	world_has_changed();
	CALL(mm_rename, from, to);
}

static void call_mm_close(struct input *in)
{
	int fd = any_descriptor(in);

	disown(fd);
	CALL(mm_close, fd);
	if (fd >= 0 && fd <= 2)
		reopen_standard(fd);
}

static void call_mm_fsync(struct input *in)
{
	CALL(mm_fsync, any_descriptor(in));
}

static void call_mm_read(struct input *in)
{
	int fd = any_descriptor(in);
	size_t size = take_size(in);
	ssize_t result = CALL(mm_read, fd, take_kernels_memory(in, size), size);

	CHECK(result >= -1 && result <= (ssize_t)size, "mm_read gave %zd of %zu bytes", result, size);
}

static void call_mm_write(struct input *in)
{
	int fd = any_descriptor(in);
	size_t size = take_size(in);
	ssize_t result = CALL(mm_write, fd, take_kernels_memory(in, size), size);

	CHECK(result >= -1 && result <= (ssize_t)size, "mm_write took %zd of %zu bytes", result, size);
}

static void call_mm_seek(struct input *in)
{
	int fd = any_descriptor(in);
	int64_t offset = take_int64(in);

	CALL(mm_seek, fd, offset, (int)take_below(in, 6) - 1);
}

static void call_mm_ftruncate(struct input *in)
{
	int fd = any_descriptor(in);

	CALL(mm_ftruncate, fd, take_int64(in));
}

static void *take_room(struct input *in, size_t size)
{
	return take_chance(in, 12) ? NULL : exact_memory(size);
}

static void call_mm_fstat(struct input *in)
{
	int fd = any_descriptor(in);

	CALL(mm_fstat, fd, take_room(in, sizeof(struct mm_stat)));
}

static void call_mm_stat(struct input *in)
{
	char *path = take_path(in, IS_EFAULT);
	void *room = take_room(in, sizeof(struct mm_stat));

	CALL(mm_stat, path, room, take_flags(in));
}

static void call_mm_futimens(struct input *in)
{
	int fd = any_descriptor(in);

	CALL(mm_futimens, fd, take_times(in));
}

static void call_mm_utimens(struct input *in)
{
	char *path = take_path(in, IS_EFAULT);
	void *times = take_times(in);

	world_has_changed();
	CALL(mm_utimens, path, times, take_flags(in));
}

static void call_mm_check_access(struct input *in)
{
	char *path = take_path(in, IS_EFAULT);
	int result = CALL(mm_check_access, path, take_chance(in, 8) ? take_int(in) : (int)take_below(in, 8));

	CHECK(result == -1 || result == 0 || result == ENOENT || result == EACCES, "mm_check_access gave %d", result);
}

static void call_mm_isatty(struct input *in)
{
	CHECK(CALL(mm_isatty, any_descriptor(in)) <= 0, "there is a terminal");
}

static void call_mm_dup(struct input *in)
{
	adopt(CALL(mm_dup, any_descriptor(in)));
}

static void call_mm_dup2(struct input *in)
{
	int fd = any_descriptor(in), number = any_descriptor(in);

	/* Not over what the library keeps for itself. */
	if (take_chance(in, 3))
		number = 90 + (int)take_below(in, 10);
	else if (take_chance(in, 3))
		number = (int)take_below(in, 3);
	if (number > 2 && !is_owned(number) && fcntl(number, F_GETFD) != -1)
		return;
	if (number == 2)
		stop_watching_log();
	int result = CALL(mm_dup2, fd, number);

	CHECK(result == -1 || result == number, "mm_dup2 to %d gave %d", number, result);
	if (result > 2)
		adopt(result);
}

static void call_mm_pipe(struct input *in)
{
	int *fds = take_chance(in, 16) ? take_chance(in, 2) ? no_memory() : NULL : exact_memory(2 * sizeof(*fds));

	if (CALL(mm_pipe, fds) == 0) {
		adopt(fds[0]);
		adopt(fds[1]);
	}
}

static void call_mm_unlink(struct input *in)
{
	world_has_changed();
	CALL(mm_unlink, take_path(in, IS_EFAULT));
}

static void call_mm_link(struct input *in)
{
	char *from = take_path(in, IS_EFAULT), *to = take_path(in, IS_EFAULT);

	world_has_changed();
	CALL(mm_link, from, to);
}

static void call_mm_symlink(struct input *in)
{
	char *from = take_path(in, IS_EFAULT), *to = take_path(in, IS_EFAULT);

	world_has_changed();
	CALL(mm_symlink, from, to);
}

static void call_mm_readlink(struct input *in)
{
	char *path = take_path(in, IS_EFAULT);
	size_t size = take_size(in);
	char *room = exact_memory(size);
	int result = CALL(mm_readlink, path, room, size);

	CHECK(result != 0 || memchr(room, '\0', size) != NULL, "mm_readlink did not terminate its text");
}

static void call_mm_copy(struct input *in)
{
	char *from = take_path(in, IS_EFAULT), *to = take_path(in, IS_EFAULT);
	int flags = take_flags(in);

	world_has_changed();
	CALL(mm_copy, from, to, flags, take_mode(in));
}

static void call_mm_mkdir(struct input *in)
{
	char *path = take_path(in, IS_EFAULT);
	int mode = take_mode(in);

	world_has_changed();
	CALL(mm_mkdir, path, mode, take_flags(in));
}

static void call_mm_chdir(struct input *in)
{
	CALL(mm_chdir, take_path(in, IS_EFAULT));
}

static void call_mm_getcwd(struct input *in)
{
	size_t size = take_size(in);
	char *room = take_room(in, size);
	char *result = CALL_FAILING(NULL, mm_getcwd, room, size);

	CHECK(result == NULL || room == NULL || result == room, "mm_getcwd gave other memory than its caller's");
	CHECK(result == NULL || room == NULL || memchr(room, '\0', size) != NULL,
	      "mm_getcwd did not terminate its text");
	if (room == NULL)
		free(result);
}

static void call_mm_rmdir(struct input *in)
{
	world_has_changed();
	CALL(mm_rmdir, take_path(in, IS_EFAULT));
}

static void call_mm_remove(struct input *in)
{
	char *path = take_path(in, IS_EFAULT);

	world_has_changed();
	CALL(mm_remove, path, take_flags(in));
}

static void call_mm_opendir(struct input *in)
{
	MM_DIR **place = &directories[next_kept++ % KEPT];

	mm_closedir(*place);
	*place = CALL_FAILING(NULL, mm_opendir, take_path(in, IS_EFAULT));
}

static void call_mm_closedir(struct input *in)
{
	MM_DIR **place = &directories[take_below(in, KEPT)];

	CALL_VOID(mm_closedir, *place);
	*place = NULL;
}

static void call_mm_rewinddir(struct input *in)
{
	MM_DIR *dir = directories[take_below(in, KEPT)];
	struct call call;

	begin_call(&call, "mm_rewinddir");
	mm_rewinddir(dir);
	end_call(&call, dir == NULL);
	was_success(dir != NULL);
}

static void call_mm_readdir(struct input *in)
{
	MM_DIR *dir = directories[take_below(in, KEPT)];
	int *status = take_room(in, sizeof(*status));
	struct call call;

	begin_call(&call, "mm_readdir");
	const struct mm_dirent *entry = mm_readdir(dir, status);
	bool has_failed = status != NULL ? *status != 0 : dir == NULL || (entry == NULL && errno != 0);

	end_call(&call, has_failed);
	if (was_success(entry != NULL)) {
		CHECK(!has_failed, "mm_readdir gave an entry and a failure");
		CHECK(entry->reclen == offsetof(struct mm_dirent, name) + strlen(entry->name) + 1,
		      "mm_readdir: %zu bytes for %s", entry->reclen, entry->name);
	}
}

static char *take_program(struct input *in)
{
	static const char *const programs[] = {"/bin/true", "true", "/w/a", "a", "d",
					       "nothing",   "",     "l",    "f", "../bin/true"};

	return take_name(in, programs, MM_NELEM(programs));
}

static char **take_strings(struct input *in)
{
	size_t count = take_below(in, 4);
	char **strings = exact_memory((count + 1) * sizeof(*strings));

	if (take_chance(in, 4))
		return NULL;
	for (size_t i = 0; i < count; i++)
		strings[i] = take_bytes_as_string(in, 16);
	strings[count] = NULL;
	return strings;
}

static struct mm_remap_fd *take_remaps(struct input *in, int *count)
{
	struct mm_remap_fd *map = exact_memory((size_t)(*count = (int)take_below(in, 6)) * sizeof(*map));

	for (int i = 0; i < *count; i++) {
		map[i].child_fd = take_chance(in, 8) ? take_int(in) : (int)take_below(in, 12);
		map[i].parent_fd = take_chance(in, 4) ? -1 : any_descriptor(in);
	}
	if (take_chance(in, 12)) {
		*count = take_chance(in, 2) ? -1 : *count;
		return NULL;
	}
	return map;
}

static void call_mm_spawn(struct input *in)
{
	char *path = take_program(in);
	int count, flags = take_chance(in, 8) ? take_int(in) : (int)take_below(in, 4);
	struct mm_remap_fd *map = take_remaps(in, &count);
	char **argv = take_strings(in), **envp = take_strings(in);
	mm_pid_t *pid = take_room(in, sizeof(*pid));

	if (spawns++ >= MAX_SPAWNS)
		return;
	if (CALL(mm_spawn, pid, path, count, map, flags, argv, envp) == 0) {
		/* A daemon without its starter is ours as well. */
		expect_child();
		if (!(flags & MM_SPAWN_DAEMONIZE) && pid != NULL)
			processes[next_kept++ % KEPT] = *pid;
	} else if (flags & MM_SPAWN_DAEMONIZE) {
		expect_orphan();
	}
}

struct execution {
	char *path;
	int count, flags;
	struct mm_remap_fd *map;
	char **argv, **envp;
	bool has_returned;
	int error;
};

/* In a process that shares our memory, as between vfork() and execve(): so the fuzzer sees what is run there. */
static int execute(void *arg)
{
	struct execution *execution = arg;

	mm_execv(execution->path, execution->count, execution->map, execution->flags, execution->argv, execution->envp);
	execution->error = errno;
	execution->has_returned = true;
	_exit(0);
}

static void call_mm_execv(struct input *in)
{
	static _Alignas(16) char stack[262144];
	struct execution execution = {.path = take_program(in)};
	struct call call;

	execution.flags = take_chance(in, 8) ? take_int(in) : 2 * (int)take_below(in, 2);
	execution.map = take_remaps(in, &execution.count);
	execution.argv = take_strings(in);
	execution.envp = take_strings(in);
	if (spawns++ >= MAX_SPAWNS)
		return;
	begin_call(&call, "mm_execv");
	/* Its descriptor 2 may be another one already. */
	call.is_log_watched = false;
	CHECK(clone(execute, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, &execution) > 0, "clone failed");
	expect_child();
	errno = execution.error;
	end_call(&call, execution.has_returned);
	was_success(!execution.has_returned);
}

static void call_mm_wait_process(struct input *in)
{
	static const mm_pid_t others[] = {-1, 0, INT32_MAX, INT32_MIN, -INT32_MAX};
	mm_pid_t pid = take_chance(in, 3) ? TAKE_ONE(in, others) : processes[take_below(in, KEPT)];
	int *status = take_room(in, sizeof(*status));

	if (CALL(mm_wait_process, pid, status) == 0) {
		child_was_reaped();
		CHECK(status == NULL || *status & (MM_WSTATUS_EXITED | MM_WSTATUS_SIGNALED), "mm_wait_process told %#x",
		      *status);
	}
}

static void call_mm_mapfile(struct input *in)
{
	int fd = any_descriptor(in);
	int64_t offset = take_chance(in, 4) ? take_int64(in) : 4096 * take_below(in, 3);
	size_t size = take_chance(in, 4) ? (size_t)take_int64(in) : take_size(in);
	void **place = &maps[next_kept++ % KEPT];

	mm_unmap(*place);
	*place = CALL_FAILING(NULL, mm_mapfile, fd, offset, size, (int)take_byte(in));
}

static void call_mm_unmap(struct input *in)
{
	void **place = &maps[take_below(in, KEPT)];
	void *address = *place;

	if (take_chance(in, 4)) {
		CALL(mm_unmap, (void *)((uintptr_t)address + 1 + take_byte(in)));
		return;
	}
	*place = NULL;
	CALL(mm_unmap, address);
}

static char *take_shared_name(struct input *in)
{
	static const char *const names[] = {"/one", "two", "/", "", "..", "/a/b", "/.", "//one", "/li\nne"};

	return take_name(in, names, MM_NELEM(names));
}

static void call_mm_shm_open(struct input *in)
{
	static const int flags[] = {O_RDWR | O_CREAT, O_RDONLY, O_RDWR | O_CREAT | O_EXCL,
				    O_RDWR | O_TRUNC, O_WRONLY, -1};
	char *name = take_shared_name(in);
	int oflag = TAKE_ONE(in, flags) & ~O_ASYNC;

	world_has_changed();
	adopt(CALL(mm_shm_open, name, oflag, take_mode(in)));
}

static void call_mm_anon_shm(struct input *in)
{
	(void)in;
	adopt(CALL(mm_anon_shm));
}

static void call_mm_shm_unlink(struct input *in)
{
	world_has_changed();
	CALL(mm_shm_unlink, take_shared_name(in));
}

static char *take_ipc_name(struct input *in)
{
	static const char *const names[] = {"one", "two", "", "li\nne\033[1m", "\xff"};

	return take_name(in, names, MM_NELEM(names));
}

static void call_mm_ipc_srv_create(struct input *in)
{
	struct mm_ipc_srv **place = &servers[next_kept++ % KEPT];
	int is_listening = 0;
	socklen_t size = sizeof(is_listening);

	mm_ipc_srv_destroy(*place);
	int listener = lowest_free_descriptor();
	*place = CALL_FAILING(NULL, mm_ipc_srv_create, take_ipc_name(in));
	if (*place != NULL) {
		CHECK(getsockopt(listener, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &size) == 0 && is_listening,
		      "no listener at descriptor %d", listener);
		/* So that accepting from it never waits. */
		fcntl(listener, F_SETFL, O_NONBLOCK);
	}
}

static void call_mm_ipc_srv_destroy(struct input *in)
{
	struct mm_ipc_srv **place = &servers[take_below(in, KEPT)];

	CALL_VOID(mm_ipc_srv_destroy, *place);
	*place = NULL;
}

static void call_mm_ipc_srv_accept(struct input *in)
{
	adopt(CALL(mm_ipc_srv_accept, servers[take_below(in, KEPT)]));
}

static void call_mm_ipc_connect(struct input *in)
{
	adopt(CALL(mm_ipc_connect, take_ipc_name(in)));
}

static void call_mm_ipc_connected_pair(struct input *in)
{
	int *fds = take_chance(in, 16) ? take_chance(in, 2) ? no_memory() : NULL : exact_memory(2 * sizeof(*fds));

	if (CALL(mm_ipc_connected_pair, fds) == 0) {
		adopt(fds[0]);
		adopt(fds[1]);
	}
}

/* The library looks at the segments of a message itself, though not at what they hold. */
static struct iovec *take_ipc_segments(struct input *in, int *count)
{
	struct iovec *iov = take_segments(in, count);

	return iov == no_memory() ? NULL : iov;
}

static void call_mm_ipc_sendmsg(struct input *in)
{
	static const int counts[] = {-1, INT32_MIN, 254, INT32_MAX};
	struct mm_ipc_msg *msg = exact_memory(sizeof(*msg));
	int fd = any_descriptor(in);

	memset(msg, 0xa5, sizeof(*msg));
	msg->iov = take_ipc_segments(in, &msg->num_iov);
	msg->num_fds = take_chance(in, 16) ? 253 : (int)take_below(in, 5);
	/* 254 of them are there to be read. */
	msg->fds = exact_memory((msg->num_fds > 4 ? 254 : (size_t)msg->num_fds) * sizeof(int));
	for (int i = 0; i < msg->num_fds; i++)
		msg->fds[i] = i < 4 ? any_descriptor(in) : msg->fds[0];
	if (msg->num_fds > 4 && take_chance(in, 2)) {
		msg->num_fds = TAKE_ONE(in, counts);
		if (msg->num_fds == INT32_MAX)
			msg->fds = NULL;
	}
	if (take_chance(in, 32))
		msg->fds = NULL;
	CALL(mm_ipc_sendmsg, fd, take_chance(in, 32) ? NULL : msg);
}

static void call_mm_ipc_recvmsg(struct input *in)
{
	static const int counts[] = {0, 1, 2, 3, 4, 16, 253, 254, INT32_MAX, -1, INT32_MIN};
	struct mm_ipc_msg *msg = exact_memory(sizeof(*msg));
	int fd = any_descriptor(in), max = TAKE_ONE(in, counts);

	memset(msg, 0xa5, sizeof(*msg));
	msg->iov = take_ipc_segments(in, &msg->num_iov);
	msg->num_fds_max = max;
	/* No message brings more than 253. */
	msg->fds = exact_memory((size_t)(max < 0 ? 0 : max < 253 ? max : 253) * sizeof(int));
	if (take_chance(in, 16))
		msg->fds = NULL;
	if (CALL(mm_ipc_recvmsg, fd, msg) >= 0) {
		CHECK(msg->num_fds >= 0 && msg->num_fds <= (max < 0 ? 0 : max),
		      "mm_ipc_recvmsg gave %d descriptors of %d", msg->num_fds, max);
		CHECK((msg->flags & ~(MSG_TRUNC | MSG_CTRUNC)) == 0, "mm_ipc_recvmsg gave flags %#x", msg->flags);
		for (int i = 0; i < msg->num_fds; i++) {
			adopt(msg->fds[i]);
			CHECK(fcntl(msg->fds[i], F_GETFD) == FD_CLOEXEC, "a received descriptor is inherited");
		}
	}
}

static void call_mm_socket(struct input *in)
{
	/* No families or protocols that the kernel would load a module for. */
	static const int domains[] = {AF_INET, AF_UNIX, AF_INET6, AF_UNSPEC, -1, 1000};
	static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM | SOCK_CLOEXEC, 0, -1, 100};
	static const int protocols[] = {0, 0, 0, IPPROTO_TCP, IPPROTO_UDP, -1};
	int domain = TAKE_ONE(in, domains), type = TAKE_ONE(in, types);

	if (domain == AF_INET || domain == AF_INET6)
		type = type == SOCK_SEQPACKET ? SOCK_DGRAM : type;
	adopt(CALL(mm_socket, domain, type, TAKE_ONE(in, protocols)));
}

static void call_mm_bind(struct input *in)
{
	socklen_t size;
	int fd = any_descriptor(in);
	struct sockaddr *address = take_address(in, &size);

	CALL(mm_bind, fd, address, size);
}

static void call_mm_getsockname(struct input *in)
{
	socklen_t *size;
	int fd = any_descriptor(in);
	struct sockaddr *room = take_address_room(in, &size);

	CALL(mm_getsockname, fd, room, size);
}

static void call_mm_getpeername(struct input *in)
{
	socklen_t *size;
	int fd = any_descriptor(in);
	struct sockaddr *room = take_address_room(in, &size);

	CALL(mm_getpeername, fd, room, size);
}

static void call_mm_listen(struct input *in)
{
	int fd = any_descriptor(in);

	CALL(mm_listen, fd, take_int(in));
}

static void call_mm_accept(struct input *in)
{
	socklen_t *size;
	int fd = any_descriptor(in);
	struct sockaddr *room = take_address_room(in, &size);

	if (take_chance(in, 2))
		room = NULL;
	adopt(CALL(mm_accept, fd, room, size));
}

static void call_mm_connect(struct input *in)
{
	socklen_t size;
	int fd = any_descriptor(in);
	struct sockaddr *address = take_address(in, &size);

	CALL(mm_connect, fd, address, size);
}

/* No option that waits when a socket is closed, that loads a module or that lets the kernel take much memory. */
static void take_option(struct input *in, int *level, int *name)
{
	static const int levels[] = {SOL_SOCKET, SOL_SOCKET,   SOL_SOCKET, IPPROTO_TCP,
				     IPPROTO_IP, IPPROTO_IPV6, -1,         12345};
	static const int waits_or_loads[] = {TCP_CONGESTION, 31 /* TCP_ULP */};

	*level = TAKE_ONE(in, levels);
	*name = take_chance(in, 4) ? (take_chance(in, 2) ? SO_RCVTIMEO : SO_SNDTIMEO) : (int)take_below(in, 36);
	if (*level == SOL_SOCKET && *name == SO_LINGER)
		*name = SO_REUSEADDR;
	if (*level == IPPROTO_TCP && (*name == waits_or_loads[0] || *name == waits_or_loads[1]))
		*name = TCP_NODELAY;
}

static bool is_timeout(int level, int name)
{
	return level == SOL_SOCKET && (name == SO_RCVTIMEO || name == SO_SNDTIMEO);
}

static void call_mm_setsockopt(struct input *in)
{
	int fd = any_descriptor(in), level, name;
	socklen_t size = (socklen_t)take_size(in);

	take_option(in, &level, &name);
	if (take_chance(in, 2))
		size = sizeof(int);
	void *value = is_timeout(level, name) ? take_chance(in, 8) ? NULL : take_memory(in, size)
	                                      : take_kernels_memory(in, size);

	CALL(mm_setsockopt, fd, level, name, value, size);
}

/* The kernel's answer, in libc.c: the same is expected for all but the time-outs. */
int libc_getsockopt(int fd, int level, int name, void *value, socklen_t *size);

static void call_mm_getsockopt(struct input *in)
{
	int fd = any_descriptor(in), level, name;
	socklen_t capacity = (socklen_t)take_size(in) % 1024, *size = exact_memory(sizeof(*size));

	take_option(in, &level, &name);
	if (take_chance(in, 2) || is_timeout(level, name))
		capacity = take_below(in, 17);
	*size = take_chance(in, 12) && !is_timeout(level, name) ? (socklen_t)-1 : capacity;

	/* Some options read what they are to write. */
	void *value = take_chance(in, 12) ? NULL : take_memory(in, capacity);
	bool has_size = !take_chance(in, 12), is_compared = has_size && !is_timeout(level, name);
	void *other_value = value != NULL ? exact_memory(capacity) : NULL;
	socklen_t other_size = *size;
	int expected = 0, expected_errno = 0;

	if (is_compared) {
		if (value != NULL)
			memcpy(other_value, value, capacity);
		expected = libc_getsockopt(fd, level, name, other_value, &other_size);
		expected_errno = errno;
	}
	int result = CALL(mm_getsockopt, fd, level, name, value, has_size ? size : NULL);

	if (!is_compared)
		return;
	CHECK(result == expected && *size == other_size && (result == 0 || errno == expected_errno),
	      "option %d of level %d: %d, error %d, size %d; getsockopt %d, error %d, size %d", name, level, result, errno,
	      (int)*size, expected, expected_errno, (int)other_size);
}

static void call_mm_shutdown(struct input *in)
{
	int fd = any_descriptor(in);

	CALL(mm_shutdown, fd, (int)take_below(in, 5) - 1);
}

static int take_message_flags(struct input *in)
{
	return take_chance(in, 4) ? take_int(in) | MSG_DONTWAIT : MSG_DONTWAIT | MSG_NOSIGNAL;
}

static void call_mm_send(struct input *in)
{
	int fd = any_descriptor(in);
	size_t size = take_size(in);
	void *memory = take_kernels_memory(in, size);

	CALL(mm_send, fd, memory, size, take_message_flags(in));
}

static void call_mm_recv(struct input *in)
{
	int fd = any_descriptor(in);
	size_t size = take_size(in);
	void *memory = take_kernels_memory(in, size);

	CALL(mm_recv, fd, memory, size, take_message_flags(in));
}

static void call_mm_sendmsg(struct input *in)
{
	struct msghdr *msg = exact_memory(sizeof(*msg));
	int fd = any_descriptor(in);

	take_header(in, msg, false);
	CALL(mm_sendmsg, fd, take_chance(in, 32) ? no_memory() : msg, take_message_flags(in));
}

static void call_mm_recvmsg(struct input *in)
{
	struct msghdr *msg = exact_memory(sizeof(*msg));
	int fd = any_descriptor(in);

	take_header(in, msg, true);
	if (CALL(mm_recvmsg, fd, msg, take_message_flags(in)) >= 0)
		adopt_received(msg);
}

static struct mm_sock_multimsg *take_headers(struct input *in, int *count, bool is_received)
{
	struct mm_sock_multimsg *messages;

	*count = (int)take_below(in, 4);
	messages = exact_memory((size_t)*count * sizeof(*messages));
	for (int i = 0; i < *count; i++)
		take_header(in, &messages[i].msg, is_received);
	return messages;
}

static void call_mm_send_multimsg(struct input *in)
{
	int fd = any_descriptor(in), count;
	struct mm_sock_multimsg *messages = take_headers(in, &count, false);

	if (take_chance(in, 12)) {
		count = take_chance(in, 2) ? -1 : INT32_MIN;
		messages = take_chance(in, 2) ? NULL : messages;
	}
	int sent = CALL(mm_send_multimsg, fd, count, messages, take_message_flags(in));

	CHECK(sent <= (count < 0 ? -1 : count), "mm_send_multimsg sent %d of %d", sent, count);
}

static void call_mm_recv_multimsg(struct input *in)
{
	int fd = any_descriptor(in), count;
	struct mm_sock_multimsg *messages = take_headers(in, &count, true);
	struct mm_timespec *timeout = NULL;

	if (take_chance(in, 3)) {
		timeout = exact_memory(sizeof(*timeout));
		*timeout = (struct mm_timespec){take_int64(in), take_int64(in)};
	}
	if (take_chance(in, 12))
		count = take_chance(in, 2) ? -1 : INT32_MIN;
	int received = CALL(mm_recv_multimsg, fd, count, messages, take_message_flags(in), timeout);

	CHECK(received <= (count < 0 ? -1 : count), "mm_recv_multimsg received %d of %d", received, count);
	for (int i = 0; i < received; i++)
		adopt_received(&messages[i].msg);
}

static void call_mm_getaddrinfo(struct input *in)
{
	static const char *const hosts[] = {"localhost", "127.0.0.1", "::1", "six",    "two",
					    "nowhere",   "",          "1",   "::1%lo", "\xc3\xa9"};
	static const char *const services[] = {"http", "80", "ntp", "0", "99999", "-1", "", "none", "ltftp"};
	static const int families[] = {AF_UNSPEC, AF_INET, AF_INET6, AF_UNIX, -1};
	char *host = take_name(in, hosts, MM_NELEM(hosts)), *service = take_name(in, services, MM_NELEM(services));
	struct addrinfo *hints = take_room(in, sizeof(*hints)), **result = exact_memory(sizeof(*result));

	if (hints != NULL) {
		memset(hints, 0, sizeof(*hints));
		hints->ai_family = TAKE_ONE(in, families);
		hints->ai_socktype = (int)take_below(in, 6);
		hints->ai_protocol = take_chance(in, 4) ? take_byte(in) : 0;
		hints->ai_flags = take_chance(in, 2) ? (int)(take_u32(in) & 0x7ff) : 0;
	}
	if (take_chance(in, 32))
		result = NULL;
	if (CALL(mm_getaddrinfo, host, service, hints, result) == 0) {
		struct addrinfo **place = &address_lists[next_kept++ % KEPT];

		mm_freeaddrinfo(*place);
		*place = *result;
	}
}

static void call_mm_getnameinfo(struct input *in)
{
	socklen_t size, host_size = (socklen_t)take_size(in), service_size = (socklen_t)take_size(in);
	struct sockaddr *address = take_address(in, &size);
	char *host = take_chance(in, 8) ? NULL : exact_memory(host_size);
	char *service = take_chance(in, 8) ? NULL : exact_memory(service_size);
	int flags = take_chance(in, 8) ? take_int(in) : (int)take_below(in, 32);

	/* With NI_IDN glibc 2.36 itself loses a name that does not fit. */
	flags &= ~NI_IDN;
	if (address == no_memory())
		address = NULL;
	if (CALL(mm_getnameinfo, address, size, host, host_size, service, service_size, flags) == 0) {
		CHECK(host == NULL || host_size == 0 || memchr(host, '\0', host_size) != NULL,
		      "the host is not terminated");
		CHECK(service == NULL || service_size == 0 || memchr(service, '\0', service_size) != NULL,
		      "the service is not terminated");
	}
}

static void call_mm_freeaddrinfo(struct input *in)
{
	struct addrinfo **place = &address_lists[take_below(in, KEPT)];

	CALL_VOID(mm_freeaddrinfo, *place);
	*place = NULL;
}

static void call_mm_create_sockclient(struct input *in)
{
	static const char *const uris[] = {
		"udp://127.0.0.1:9",
		"tcp://127.0.0.1:9",
		"ntp://localhost",
		"http://[::1]:80/x",
		"tcp://host",
		"udp://[::1]:0x9",
		"none://two:1",
		"udp://six:010?",
		"://",
		"udp://a@b:9",
		"udp://127.0.0.1:65536",
		"udp://[::1%lo]:1",
	};

	adopt(CALL(mm_create_sockclient, take_name(in, uris, MM_NELEM(uris))));
}

static void call_mm_poll(struct input *in)
{
	int count = (int)take_below(in, 6);
	struct mm_pollfd *fds = exact_memory((size_t)count * sizeof(*fds));

	for (int i = 0; i < count; i++)
		fds[i] = (struct mm_pollfd){any_descriptor(in), (short)take_u32(in), 0};
	if (take_chance(in, 12))
		fds = count > 0 && take_chance(in, 2) ? no_memory() : NULL;
	if (take_chance(in, 12))
		count = take_chance(in, 2) ? -1 : INT32_MIN;
	CALL(mm_poll, fds, count, (int)take_below(in, 2));
}

static void call_mm_strerror(struct input *in)
{
	CHECK(mm_strerror(take_chance(in, 2) ? take_int(in) : 1000 + take_byte(in)) != NULL, "mm_strerror gave NULL");
	was_success(true);
}

static void call_mm_strerror_r(struct input *in)
{
	int number = take_chance(in, 2) ? take_int(in) : 1000 + take_byte(in);
	size_t size = take_size(in);
	char *room = take_room(in, size);
	int result = mm_strerror_r(number, room, size);

	CHECK(room == NULL || size == 0 || memchr(room, '\0', size) != NULL,
	      "mm_strerror_r did not terminate its text");
	was_success(result == 0);
}

/* The strings of an error that the program raises. */
struct report {
	int number, line;
	char *module, *function, *file, *identifier, *text;
};

static struct report take_report(struct input *in)
{
	struct report report = {.number = take_int(in), .line = take_int(in)};

	for (char **string = &report.module; string <= &report.text; string++) {
		static const unsigned lengths[] = {31, 32, 63, 64, 255, 256, 300, 3000};
		unsigned kind = take_below(in, 4);

		*string = kind == 0   ? NULL
		          : kind == 1 ? take_repeated(in, "text\n", lengths, MM_NELEM(lengths))
		                      : take_bytes_as_string(in, 1 + take_below(in, 40));
	}
	return report;
}

static void check_raised(int result, int number, int flags)
{
	CHECK(result == -1, "raising an error gave %d", result);
	was_success(true);
	if (!(flags & MM_ERROR_IGNORE)) {
		CHECK(mm_get_lasterror_number() == number, "error %d was raised, and is %d", number,
		      mm_get_lasterror_number());
		CHECK(number == 0 || errno == number, "error %d was raised, and errno is %d", number, errno);
	}
}

static void call_mm_raise_error_full(struct input *in)
{
	struct report report = take_report(in);
	int flags = mm_error_set_flags(0, 0);

	check_raised(mm_raise_error_full(report.number, report.module, report.function, report.file, report.line,
	                                 report.identifier, report.text == NULL ? NULL : "%s%m", report.text),
	             report.number, flags);
}

static int raise_by_list(const struct report *report, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int result = mm_raise_error_vfull(report->number, report->module, report->function, report->file, report->line,
	                                  report->identifier, format, args);

	va_end(args);
	return result;
}

static void call_mm_raise_error_vfull(struct input *in)
{
	struct report report = take_report(in);
	int flags = mm_error_set_flags(0, 0);

	check_raised(raise_by_list(&report, "%s %d", report.text, report.line), report.number, flags);
}

static void call_mm_raise_from_errno_full(struct input *in)
{
	struct report report = take_report(in);
	int flags = mm_error_set_flags(0, 0);

	errno = report.number;
	check_raised(mm_raise_from_errno_full(report.module, report.function, report.file, report.line,
					      report.identifier, report.text == NULL ? NULL : "%.300s", report.text),
		     report.number, flags);
}

static void call_mm_error_set_flags(struct input *in)
{
	int flags = take_int(in), mask = take_int(in), before = mm_error_set_flags(0, 0);

	CHECK(mm_error_set_flags(flags, mask) == before, "the flags were others before");
	CHECK(mm_error_set_flags(0, 0) == ((flags & mask) | (before & ~mask)), "the flags are not what was set");
	was_success(true);
}

static struct mm_error_state saved_state;

static void call_mm_save_errorstate(struct input *in)
{
	struct mm_error_state *room = take_room(in, sizeof(*room));

	if (CALL(mm_save_errorstate, room) == 0)
		saved_state = *room;
}

static void call_mm_set_errorstate(struct input *in)
{
	struct mm_error_state *state = exact_memory(sizeof(*state));

	*state = saved_state;
	if (take_chance(in, 2)) {
		for (size_t i = 0; i < sizeof(state->data) && in->size > 0; i++)
			state->data[take_u32(in) % sizeof(state->data)] = (char)take_byte(in);
	}
	if (take_chance(in, 16)) {
		CALL(mm_set_errorstate, NULL);
		return;
	}
	was_success(mm_set_errorstate(state) == 0);
	CHECK(strlen(mm_get_lasterror_desc()) < 256 && strlen(mm_get_lasterror_location()) < 256,
	      "a string has no end");
}

static void call_mm_print_lasterror(struct input *in)
{
	char *text = take_bytes_as_string(in, 32);

	if (take_chance(in, 4))
		mm_print_lasterror(NULL);
	else
		mm_print_lasterror("%s %d", text, 1);
	was_success(true);
}

static void call_mm_get_lasterror_number(struct input *in)
{
	(void)in;
	mm_get_lasterror_number();
	was_success(true);
}

static void check_text(const char *text, size_t size)
{
	CHECK(text != NULL && strnlen(text, size) < size, "a text of the last error has no end");
	was_success(true);
}

static void call_mm_get_lasterror_desc(struct input *in)
{
	(void)in;
	check_text(mm_get_lasterror_desc(), 256);
}

static void call_mm_get_lasterror_location(struct input *in)
{
	(void)in;
	check_text(mm_get_lasterror_location(), 256);
}

static void call_mm_get_lasterror_extid(struct input *in)
{
	(void)in;
	const char *identifier = mm_get_lasterror_extid();

	CHECK(identifier == NULL || identifier[0] != '\0', "an empty identifier is not NULL");
	check_text(identifier == NULL ? "" : identifier, 64);
}

static void call_mm_get_lasterror_module(struct input *in)
{
	(void)in;
	check_text(mm_get_lasterror_module(), 32);
}

static void call_mm_log(struct input *in)
{
	struct report report = take_report(in);
	struct mm_error_state before, after;
	int level = take_chance(in, 4) ? take_int(in) : (int)take_below(in, 6) - 1;

	mm_save_errorstate(&before);
	errno = 12345;
	mm_log(level, report.module, report.text == NULL ? NULL : "%s", report.text);
	CHECK(errno == 12345, "mm_log changed errno to %d", errno);
	mm_save_errorstate(&after);
	CHECK(memcmp(&before, &after, sizeof(after)) == 0, "mm_log changed the error state");
	was_success(true);
}

static void call_mm_log_set_maxlvl(struct input *in)
{
	mm_log_set_maxlvl(take_chance(in, 2) ? take_int(in) : (int)take_below(in, 6) - 1);
	was_success(true);
}

static clockid_t take_clock(struct input *in)
{
	static const clockid_t clocks[] = {
		MM_CLK_REALTIME, MM_CLK_MONOTONIC, MM_CLK_CPU_PROCESS, MM_CLK_MONOTONIC_RAW, -1, 1000, INT32_MIN};

	return TAKE_ONE(in, clocks);
}

static void call_mm_gettime(struct input *in)
{
	clockid_t clock = take_clock(in);

	CALL(mm_gettime, clock, take_room(in, sizeof(struct mm_timespec)));
}

static void call_mm_getres(struct input *in)
{
	clockid_t clock = take_clock(in);

	CALL(mm_getres, clock, take_room(in, sizeof(struct mm_timespec)));
}

/* Times that are over. */
static void call_mm_nanosleep(struct input *in)
{
	static const struct mm_timespec times[] = {
		{0, 0}, {0, 1}, {-1, 0}, {INT64_MIN, 0}, {0, -1}, {INT64_MAX, 1000000000}, {1, INT64_MIN}};
	clockid_t clock = take_clock(in);
	struct mm_timespec *time = take_room(in, sizeof(*time));

	if (time != NULL)
		*time = TAKE_ONE(in, times);
	CALL(mm_nanosleep, clock, time);
}

static int64_t take_short_time(struct input *in)
{
	static const int64_t times[] = {0, -1, INT64_MIN, -1000000000, -1000000};

	return TAKE_ONE(in, times);
}

static void call_mm_relative_sleep_ms(struct input *in)
{
	CALL(mm_relative_sleep_ms, take_short_time(in));
}

static void call_mm_relative_sleep_us(struct input *in)
{
	CALL(mm_relative_sleep_us, take_short_time(in));
}

static void call_mm_relative_sleep_ns(struct input *in)
{
	CALL(mm_relative_sleep_ns, take_chance(in, 4) ? 50 : take_short_time(in));
}

/* --- the program -------------------------------------------------------------------------------------------------- */

static const struct function {
	const char *name;
	const void *code;
	void (*call)(struct input *in);
} functions[] = {
#define FUNCTION(name) {#name, (const void *)name, call_##name},
#include "functions.h"
#undef FUNCTION
};

/* The C halves of the functions that are a jump alone. */
extern char mmsysio_raise_error_full[], mmsysio_raise_error_vfull[], mmsysio_raise_from_errno_full[],
	mmsysio_print_lasterror[], mmsysio_log[];

static const void *code_of(const struct function *function)
{
	static const struct {
		const void *door, *code;
	} halves[] = {
		{(const void *)mm_raise_error_full, mmsysio_raise_error_full},
		{(const void *)mm_raise_error_vfull, mmsysio_raise_error_vfull},
		{(const void *)mm_raise_from_errno_full, mmsysio_raise_from_errno_full},
		{(const void *)mm_print_lasterror, mmsysio_print_lasterror},
		{(const void *)mm_log, mmsysio_log},
	};

	for (int i = 0; i < MM_NELEM(halves); i++) {
		if (halves[i].door == function->code)
			return halves[i].code;
	}
	return function->code;
}

static void start(void)
{
	_Static_assert(MM_NELEM(functions) <= 128, "a byte tells the function");
	for (int i = 0; i < MM_NELEM(functions); i++)
		CHECK(is_instrumented(code_of(&functions[i])), "%s was built without coverage", functions[i].name);
}

static void run(struct input *in)
{
	spawns = 0;
	next_kept = 0;
	memset(&saved_state, 0, sizeof(saved_state));
	for (int calls = 0; calls < MAX_CALLS && in->size > 0;) {
		current = take_byte(in) % 128;
		if (current >= MM_NELEM(functions))
			continue;
		calls++;
		called[current]++;
		functions[current].call(in);
	}
	mm_error_set_flags(MM_ERROR_IGNORE, MM_ERROR_IGNORE);
	give_back_objects();
}

/* For the replay of the corpus, which must try everything. */
static void finish(void)
{
	bool is_complete = true;

	if (getenv("FUZZ_CALLS_ALL") == NULL)
		return;
	for (int i = 0; i < MM_NELEM(functions); i++) {
		if (called[i] == 0 || succeeded[i] == 0) {
			fprintf(stderr, "fuzz: %s %s in the corpus\n", functions[i].name,
			        called[i] == 0 ? "is never called" : "never succeeds");
			is_complete = false;
		}
	}
	if (!is_complete)
		_exit(1);
	fprintf(stderr, "fuzz: all of %d functions are called in the corpus\n", MM_NELEM(functions));
}

const struct target target = {start, run, finish};
