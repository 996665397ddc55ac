/*
 * world.c: the world that each input is run in, and what the library must leave behind there: nothing
 *
 * libFuzzer runs its inputs in its own process, and writes files itself. So that process enters the world before each
 * input and leaves it afterwards, also to report a crash.
 */
#include "world.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__asan_default_options(void);
void __asan_on_error(void);

/* Exit status if there can be no world: make says so, and goes on. */
#define NO_WORLD 3

/* Seconds after which an input is a hang. */
#define HANGS_AFTER 10

/* Our own descriptors lie above the limit of the world. */
static int outside_root, outside_directory, outside_std[3];
static int world_root, null_device, log_file, output_file, descriptor_list;
static bool is_inside, is_dirty = true;

static void die(const char *what)
{
	fprintf(stderr, "fuzz: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int out_of_the_way(int fd, const char *what)
{
	int moved = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, WORLD_DESCRIPTORS + 32);

	if (moved < 0)
		die(what);
	close(fd);
	return moved;
}

/* --- input -------------------------------------------------------------------------------------------------------- */

uint8_t take_byte(struct input *in)
{
	if (in->size == 0)
		return 0;
	in->size--;
	return *in->data++;
}

uint32_t take_u32(struct input *in)
{
	uint32_t value = 0;

	for (int i = 0; i < 4; i++)
		value = value << 8 | take_byte(in);
	return value;
}

uint64_t take_u64(struct input *in)
{
	uint64_t high = take_u32(in);

	return high << 32 | take_u32(in);
}

unsigned take_below(struct input *in, unsigned limit)
{
	return take_byte(in) % limit;
}

bool take_chance(struct input *in, unsigned one_in)
{
	return take_byte(in) % one_in == one_in - 1;
}

int64_t take_int64(struct input *in)
{
	static const int64_t edges[] = {
		0,          1,         -1,        2,    INT32_MAX, INT32_MIN,  (int64_t)INT32_MAX + 1,
		UINT32_MAX, INT64_MAX, INT64_MIN, 4096, 65536,     1000000000, 999999999,
		1024,       1025,      -2,        255,  256,
	};
	uint8_t kind = take_byte(in);

	if (kind < 128)
		return kind;
	if (kind < 240)
		return edges[kind % MM_NELEM(edges)];
	return (int64_t)take_u64(in);
}

int take_int(struct input *in)
{
	return (int)take_int64(in);
}

/* --- memory ------------------------------------------------------------------------------------------------------- */

/* Slots of memory, each followed by a page that cannot be touched. */
#define SLOTS 160
#define SLOT_SIZE 65536
static char *slots;
static unsigned next_slot;
static size_t slot_stride;

static void make_memory(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	slot_stride = SLOT_SIZE + page;
	slots = mmap(NULL, SLOTS * slot_stride, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (slots == MAP_FAILED)
		die("mapping memory");
	for (size_t i = 0; i < SLOTS; i++) {
		if (mprotect(slots + i * slot_stride, SLOT_SIZE, PROT_READ | PROT_WRITE) != 0)
			die("protecting memory");
	}
}

void *exact_memory(size_t size)
{
	char *slot = slots + (next_slot++ % SLOTS) * slot_stride;

	return slot + SLOT_SIZE - (size < SLOT_SIZE ? size : SLOT_SIZE);
}

char *exact_string(const void *bytes, size_t size)
{
	char *string;

	if (size > SLOT_SIZE - 1)
		size = SLOT_SIZE - 1;
	string = exact_memory(size + 1);
	memcpy(string, bytes, size);
	string[size] = '\0';
	return string;
}

void *no_memory(void)
{
	return slots + SLOT_SIZE;
}

/* --- descriptors and children ------------------------------------------------------------------------------------- */

static bool owned[WORLD_DESCRIPTORS];
static int children, orphans;

int adopt(int fd)
{
	if (fd >= 0) {
		int flags = fcntl(fd, F_GETFL);

		CHECK(flags != -1, "descriptor %d was handed out, and is not open", fd);
		if (fd >= WORLD_DESCRIPTORS)
			FAIL("descriptor %d is above the limit", fd);
		owned[fd] = true;
		if (!(flags & O_PATH))
			fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	}
	return fd;
}

void disown(int fd)
{
	if (fd >= 0 && fd < WORLD_DESCRIPTORS)
		owned[fd] = false;
}

bool is_owned(int fd)
{
	return fd >= 0 && fd < WORLD_DESCRIPTORS && owned[fd];
}

int owned_descriptor(struct input *in)
{
	int start = take_byte(in) % 24;

	for (int i = 0; i < WORLD_DESCRIPTORS; i++) {
		int fd = (start + i) % WORLD_DESCRIPTORS;

		if (owned[fd] && fd > 2)
			return fd;
	}
	return -1;
}

int any_descriptor(struct input *in)
{
	static const int others[] = {-1, 0, 1, 100, WORLD_DESCRIPTORS, INT32_MAX, INT32_MIN, -100};

	return take_chance(in, 8) ? TAKE_ONE(in, others) : owned_descriptor(in);
}

static void for_each_open(void (*use)(int fd, void *arg), void *arg)
{
	struct linux_dirent64 {
		uint64_t ino;
		int64_t off;
		unsigned short length;
		unsigned char type;
		char name[];
	};
	_Alignas(8) char buffer[4096];
	long size;

	lseek(descriptor_list, 0, SEEK_SET);
	while ((size = syscall(SYS_getdents64, descriptor_list, buffer, sizeof(buffer))) > 0) {
		for (long at = 0; at < size;) {
			const struct linux_dirent64 *entry = (const void *)(buffer + at);

			if (isdigit((unsigned char)entry->name[0]))
				use(atoi(entry->name), arg);
			at += entry->length;
		}
	}
}

static void count_one(int fd, void *arg)
{
	if (fd < WORLD_DESCRIPTORS)
		++*(int *)arg;
}

int count_open(void)
{
	int count = 0;

	for_each_open(count_one, &count);
	return count;
}

int lowest_free_descriptor(void)
{
	int fd = fcntl(null_device, F_DUPFD, 0);

	if (fd >= 0)
		close(fd);
	return fd;
}

void reopen_standard(int fd)
{
	dup3(fd == 0 ? null_device : fd == 1 ? output_file : log_file, fd, 0);
}

/* What libFuzzer itself has open: a file, when it merges. */
static bool is_fuzzers[WORLD_DESCRIPTORS];

static void leave_to_fuzzer(int fd, void *arg)
{
	(void)arg;
	if (fd < WORLD_DESCRIPTORS)
		is_fuzzers[fd] = true;
}

static void nothing_else_is_open(int fd, void *arg)
{
	(void)arg;
	if (fd > 2 && fd < WORLD_DESCRIPTORS && !is_fuzzers[fd]) {
		char name[32], what[256] = "";

		snprintf(name, sizeof(name), "%d", fd);
		if (readlinkat(descriptor_list, name, what, sizeof(what) - 1) < 0)
			what[0] = '\0';
		FAIL("the library lost descriptor %d, %s", fd, what);
	}
}

static void give_back_descriptors(void)
{
	for (int fd = 3; fd < WORLD_DESCRIPTORS; fd++) {
		if (!owned[fd])
			continue;
		owned[fd] = false;
		CHECK(close(fd) == 0 || errno != EBADF, "the library closed descriptor %d, which was not its own", fd);
	}
	for_each_open(nothing_else_is_open, NULL);
}

void expect_child(void)
{
	children++;
}

void expect_orphan(void)
{
	orphans++;
}

void child_was_reaped(void)
{
	children--;
}

static void reap_children(void)
{
	for (;;) {
		pid_t pid = waitpid(-1, NULL, 0);

		if (pid < 0 && errno == ECHILD)
			break;
		if (pid > 0)
			children--;
	}
	CHECK(children <= 0 && children >= -orphans, "%d children %s", abs(children),
	      children < 0 ? "were left behind" : "are missing");
}

/* --- files -------------------------------------------------------------------------------------------------------- */

void world_has_changed(void)
{
	is_dirty = true;
}

/* Removes everything in a directory, however deep: each directory inside is moved up and emptied in its turn. */
static void empty_directory(const char *path)
{
	static unsigned moved;
	DIR *dir = opendir(path);
	struct dirent *entry;

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		char up[64];

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd(dir), entry->d_name, 0) == 0 ||
		    unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR) == 0)
			continue;
		snprintf(up, sizeof(up), "%s/.%u", path, moved++);
		if (renameat(dirfd(dir), entry->d_name, AT_FDCWD, up) == 0) {
			DIR *inner = opendir(up);
			struct dirent *child;

			while (inner != NULL && (child = readdir(inner)) != NULL) {
				char beside[64];

				if (strcmp(child->d_name, ".") == 0 || strcmp(child->d_name, "..") == 0)
					continue;
				if (unlinkat(dirfd(inner), child->d_name, 0) == 0)
					continue;
				snprintf(beside, sizeof(beside), "%s/.%u", path, moved++);
				renameat(dirfd(inner), child->d_name, AT_FDCWD, beside);
			}
			if (inner != NULL)
				closedir(inner);
			rmdir(up);
		}
		rewinddir(dir);
	}
	closedir(dir);
}

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0666);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die(path);
	close(fd);
}

static void make_files(void)
{
	if (chmod("/w", 0777) != 0)
		die("/w");
	empty_directory("/w");
	empty_directory("/dev/shm");
	if (mkdir("/w/d", 0777) != 0 || symlink("a", "/w/l") != 0 || symlink("loop", "/w/loop") != 0)
		die("making files");
	write_text("/w/a", "some text\n");
	write_text("/w/d/f", "more text\n");
	is_dirty = false;
}

/* --- making the world --------------------------------------------------------------------------------------------- */

static void write_own(const char *path, const char *format, unsigned id)
{
	char text[64];
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	snprintf(text, sizeof(text), format, id, id);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die(path);
	close(fd);
}

static void get_namespaces(void)
{
	unsigned uid = geteuid(), gid = getegid();

	if (unshare(CLONE_NEWNS | CLONE_NEWNET) == 0)
		return;
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET) != 0) {
		fprintf(stderr, "fuzz: namespaces cannot be had here (%s): run as root, or allow user namespaces\n",
		        strerror(errno));
		exit(NO_WORLD);
	}
	write_own("/proc/self/setgroups", "deny", 0);
	write_own("/proc/self/uid_map", "%u %u 1", uid);
	write_own("/proc/self/gid_map", "%u %u 1", gid);
	/* For the leak detector, which looks into this process. */
	prctl(PR_SET_DUMPABLE, 1);
}

static void raise_loopback(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) != 0)
		die("raising the loopback");
	close(fd);
}

static void mount_memory(const char *path, const char *options, const char *source)
{
	if (mount(source, path, "tmpfs", MS_NOSUID | MS_NODEV, options) != 0) {
		fprintf(stderr, "fuzz: nothing can be mounted here (%s)\n", strerror(errno));
		exit(NO_WORLD);
	}
}

static void copy_program(const char *from, int directory, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC), out = openat(directory, to, O_CREAT | O_WRONLY | O_CLOEXEC, 0777);
	char buffer[65536];
	ssize_t size;

	if (in < 0 || out < 0)
		die(from);
	while ((size = read(in, buffer, sizeof(buffer))) > 0) {
		if (write(out, buffer, (size_t)size) != size)
			die(to);
	}
	close(in);
	close(out);
}

/* The world's root cannot be changed, only what is below /w and /dev/shm. It lies on a directory beside the program. */
static void make_world(void)
{
	char here[4096], path[4200], child[4200];
	ssize_t length = readlink("/proc/self/exe", here, sizeof(here) - 1);

	if (length < 0)
		die("finding the program");
	here[length] = '\0';
	*strrchr(here, '/') = '\0';
	snprintf(path, sizeof(path), "%s/world", here);
	snprintf(child, sizeof(child), "%s/child", here);
	if (mkdir(path, 0777) != 0 && errno != EEXIST)
		die(path);
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		die("keeping mounts private");
	mount_memory(path, "size=8m,mode=0755", "world");
	world_root = out_of_the_way(open(path, O_PATH | O_DIRECTORY | O_CLOEXEC), path);
	for (const char *const *name = (const char *const[]){"w", "dev", "dev/shm", "etc", "bin", NULL}; *name != NULL;
	     name++) {
		if (mkdirat(world_root, *name, 0777) != 0)
			die(*name);
	}
	copy_program(child, world_root, "bin/true");
	if (fchdir(world_root) != 0)
		die("world");
	write_text("etc/hosts", "127.0.0.1 localhost two\n::1 localhost six\n127.0.0.2 two\n");
	write_text("etc/services", "echo 7/tcp\necho 7/udp\nhttp 80/tcp\nntp 123/udp\nltftp 4242/tcp\n");
	write_text("etc/nsswitch.conf", "hosts: files\nservices: files\n");
	mount_memory("w", "size=4m,nr_inodes=4096,mode=0777", "w");
	mount_memory("dev/shm", "size=4m,nr_inodes=256,mode=0777", "shm");
	if (mount(NULL, ".", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL) != 0)
		die("making the world's root read-only");
	if (fchdir(outside_directory) != 0)
		die("going back");
}

static void limit(int resource, rlim_t value)
{
	struct rlimit limits;

	getrlimit(resource, &limits);
	limits.rlim_cur = value < limits.rlim_max ? value : limits.rlim_max;
	if (setrlimit(resource, &limits) != 0)
		die("setting a limit");
}

static void enter_world(void)
{
	if (fchdir(world_root) != 0 || chroot(".") != 0)
		die("entering the world");
	limit(RLIMIT_FSIZE, 1 << 20);
	is_inside = true;
	dup3(null_device, 0, 0);
	dup3(output_file, 1, 0);
	dup3(log_file, 2, 0);
	if (is_dirty)
		make_files();
	if (chdir("/w") != 0)
		die("/w");
}

static void leave_world(void)
{
	if (!is_inside)
		return;
	is_inside = false;
	for (int fd = 0; fd < 3; fd++)
		dup2(outside_std[fd], fd);
	if (fchdir(outside_root) != 0 || chroot(".") != 0 || fchdir(outside_directory) != 0)
		die("leaving the world");
	limit(RLIMIT_FSIZE, RLIM_INFINITY);
}

/* --- log and output ----------------------------------------------------------------------------------------------- */

static bool is_log_watched;

long log_size(void)
{
	return (long)lseek(log_file, 0, SEEK_END);
}

size_t read_log(long from, char *text, size_t size)
{
	ssize_t length = pread(log_file, text, size - 1, from);

	text[length < 0 ? 0 : length] = '\0';
	return length < 0 ? 0 : (size_t)length;
}

void stop_watching_log(void)
{
	is_log_watched = false;
}

size_t read_output(char *text, size_t size)
{
	fflush(stdout);
	ssize_t length = pread(output_file, text, size - 1, 0);

	text[length < 0 ? 0 : length] = '\0';
	lseek(output_file, 0, SEEK_SET);
	if (ftruncate(output_file, 0) != 0)
		die("emptying the output");
	return length < 0 ? 0 : (size_t)length;
}

static void empty_log(void)
{
	lseek(log_file, 0, SEEK_SET);
	if (ftruncate(log_file, 0) != 0)
		die("emptying the log");
}

/* --- calls -------------------------------------------------------------------------------------------------------- */

void begin_call(struct call *call, const char *function)
{
	call->function = function;
	call->flags = mm_error_set_flags(0, 0);
	call->is_log_watched = is_log_watched;
	call->log_size = is_log_watched ? log_size() : 0;
	mm_save_errorstate(&call->before);
	errno = 0;
}

static void is_printable(const struct call *call, const char *what, const char *text)
{
	for (; *text != '\0'; text++)
		CHECK(!iscntrl((unsigned char)*text), "%s: control character %#x in the %s", call->function, *text,
		      what);
}

/* Outcomes that are recorded without a line: an interruption, a call that would have had to wait, the end of a stream. */
static bool is_expected(const struct call *call, int number)
{
	static const char *const waiting[] = {"mm_open",      "mm_read",    "mm_write",   "mm_accept",
	                                      "mm_connect",   "mm_send",    "mm_recv",    "mm_sendmsg",
	                                      "mm_recvmsg",   "mm_send_multimsg", "mm_recv_multimsg",
	                                      "mm_ipc_connect", "mm_ipc_sendmsg", "mm_ipc_recvmsg"};

	if (number == EINTR)
		return true;
	if (number == EPIPE)
		return strcmp(call->function, "mm_ipc_recvmsg") == 0;
	if (number != EAGAIN && number != EINPROGRESS && number != EALREADY)
		return false;
	for (size_t i = 0; i < MM_NELEM(waiting); i++)
		if (strcmp(call->function, waiting[i]) == 0)
			return true;
	return false;
}

static void is_line(const struct call *call, const char *line)
{
	int day, month, year, hour, minute, second, header = 0;

	is_printable(call, "log", line);
	CHECK(sscanf(line, "%2d/%2d/%2d %2d:%2d:%2d ERROR mmlib            : %n", &day, &month, &year, &hour, &minute,
		     &second, &header) == 6 &&
		      header == 43,
	      "%s logged %s", call->function, line);
}

/* One line, or for a host of several addresses one for each. */
static void is_logged(const struct call *call, int number)
{
	static int max_level_known = MM_LOG_INFO;
	char text[4096];
	size_t length = read_log(call->log_size, text, sizeof(text));
	int lines = 0;

	max_level_known = mm_log_set_maxlvl(MM_LOG_NONE);
	mm_log_set_maxlvl(max_level_known);
	if (call->flags & MM_ERROR_NOLOG || max_level_known < MM_LOG_ERROR || is_expected(call, number)) {
		CHECK(length == 0, "%s logged a line in spite of all", call->function);
		return;
	}
	CHECK(length > 0 && text[length - 1] == '\n', "%s logged %zu bytes: %s", call->function, length, text);
	CHECK(memchr(text, '\0', length) == NULL, "%s logged a NUL byte", call->function);
	for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		CHECK(strlen(line) < 256, "%s logged a line of %zu bytes", call->function, strlen(line));
		is_line(call, line);
		lines++;
	}
	CHECK(lines == 1 || strcmp(call->function, "mm_create_sockclient") == 0, "%s logged %d lines", call->function, lines);
}

void end_call(struct call *call, bool has_failed)
{
	int number = errno;
	struct mm_error_state after;

	if (has_failed && !(call->flags & MM_ERROR_IGNORE)) {
		const char *location = mm_get_lasterror_location();
		size_t length = strlen(call->function);

		CHECK(number != 0, "%s failed without a number", call->function);
		CHECK(number == mm_get_lasterror_number(), "%s failed with errno %d and error %d", call->function,
		      number, mm_get_lasterror_number());
		CHECK(strncmp(location, call->function, length) == 0 && strncmp(location + length, "() in ", 6) == 0,
		      "%s failed in %s", call->function, location);
		CHECK(strcmp(mm_get_lasterror_module(), "mmlib") == 0, "%s failed in module %s", call->function,
		      mm_get_lasterror_module());
		CHECK(mm_get_lasterror_extid() == NULL, "%s set an identifier", call->function);
		CHECK(mm_get_lasterror_desc()[0] != '\0', "%s failed without a description", call->function);
		is_printable(call, "description", mm_get_lasterror_desc());
		is_printable(call, "location", location);
		if (call->is_log_watched && is_log_watched)
			is_logged(call, number);
		return;
	}
	mm_save_errorstate(&after);
	CHECK(memcmp(&call->before, &after, sizeof(after)) == 0, "%s changed the error state and %s: %s",
	      call->function, has_failed ? "was to be ignored" : "did not fail", mm_get_lasterror_desc());
	CHECK(!call->is_log_watched || !is_log_watched || log_size() == call->log_size, "%s logged without an error",
	      call->function);
	errno = number;
}

/* --- what the fuzzer sees of the library -------------------------------------------------------------------------- */

/* The tables that the compilers' pass leaves: a counter for each edge, and beside it the address of its code. */
extern uint8_t __start___sancov_cntrs[], __stop___sancov_cntrs[];
extern const uintptr_t __start___sancov_pcs[], __stop___sancov_pcs[];

static ptrdiff_t counter_of(const void *function)
{
	ptrdiff_t count = __stop___sancov_cntrs - __start___sancov_cntrs;

	CHECK(__stop___sancov_pcs - __start___sancov_pcs == 2 * count, "counters and addresses do not match");
	for (ptrdiff_t i = 0; i < count; i++) {
		if (__start___sancov_pcs[2 * i] == (uintptr_t)function)
			return i;
	}
	return -1;
}

bool is_instrumented(const void *function)
{
	return counter_of(function) >= 0;
}

bool was_run(const void *function)
{
	ptrdiff_t counter = counter_of(function);

	return counter >= 0 && __start___sancov_cntrs[counter] != 0;
}

/* --- failures ----------------------------------------------------------------------------------------------------- */

void fail(const char *format, ...)
{
	va_list args;

	leave_world();
	fputs("fuzz: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}

const char *__asan_default_options(void)
{
	/* It takes a string with a precision for a terminated one. */
	return "allocator_may_return_null=1:detect_leaks=1:handle_abort=0:check_printf=0";
}

/* A report is read, and its input kept, outside. */
void __asan_on_error(void)
{
	leave_world();
}

static const int FATAL[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGINT, SIGTERM};
static struct sigaction fuzzers_own[MM_NELEM(FATAL)];

/* A signal that killed a child, which shares our memory until it is another program. */
static volatile sig_atomic_t childs_signal;
static pid_t own_pid;

static void report_outside(int number, siginfo_t *info, void *context)
{
	int saved_errno = errno;

	if (syscall(SYS_getpid) != own_pid) {
		childs_signal = number;
		_exit(1);
	}
	leave_world();
	for (int i = 0; i < MM_NELEM(FATAL); i++) {
		if (FATAL[i] != number)
			continue;
		sigaction(number, &fuzzers_own[i], NULL);
		errno = saved_errno;
		if (fuzzers_own[i].sa_flags & SA_SIGINFO)
			fuzzers_own[i].sa_sigaction(number, info, context);
		else
			raise(number);
	}
}

static void report_hang(int number)
{
	(void)number;
	FAIL("the input hangs");
}

static void catch_failures(void)
{
	struct sigaction action = {.sa_sigaction = report_outside, .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK};
	struct sigaction hang = {.sa_handler = report_hang};

	for (int i = 0; i < MM_NELEM(FATAL); i++)
		sigaction(FATAL[i], &action, &fuzzers_own[i]);
	sigaction(SIGVTALRM, &hang, NULL);
	/* A file that is too large is an error of the call. */
	signal(SIGXFSZ, SIG_IGN);
}

static timer_t hang_timer;

static void watch_for_hang(bool is_running)
{
	struct itimerspec time = {.it_value.tv_sec = is_running ? HANGS_AFTER : 0};

	timer_settime(hang_timer, 0, &time, NULL);
}

/* --- an input ----------------------------------------------------------------------------------------------------- */

/* A symbolizer that runs meanwhile would look like a lost child with lost descriptors. */
static void change_arguments(int *argc, char ***argv)
{
	static char no_functions[] = "-print_funcs=0";
	char **changed = calloc((size_t)*argc + 2, sizeof(*changed));

	if (changed == NULL)
		die("changing the arguments");
	changed[0] = (*argv)[0];
	changed[1] = no_functions;
	memcpy(changed + 2, *argv + 1, ((size_t)*argc - 1) * sizeof(*changed));
	*argv = changed;
	++*argc;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct sigevent hang = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGVTALRM};

	change_arguments(argc, argv);
	/* What we inherited would look lost. */
	syscall(SYS_close_range, 3, ~0U, 0);
	setenv("MMSYSIO_CONNECT_TIMEOUT_MS", "0", 1);
	unsetenv("MM_LOG_MAXLEVEL");
	setenv("PATH", "/bin:d", 1);
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	get_namespaces();
	raise_loopback();
	/* Room for our own: of another of us, that merges, we inherit the world's limit. */
	limit(RLIMIT_NOFILE, 1024);
	outside_root = out_of_the_way(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), "/");
	outside_directory = out_of_the_way(open(".", O_PATH | O_DIRECTORY | O_CLOEXEC), ".");
	for (int fd = 0; fd < 3; fd++)
		outside_std[fd] = out_of_the_way(dup(fd), "duplicating a standard stream");
	null_device = out_of_the_way(open("/dev/null", O_RDWR | O_CLOEXEC), "/dev/null");
	log_file = out_of_the_way(memfd_create("log", MFD_CLOEXEC), "log");
	output_file = out_of_the_way(memfd_create("output", MFD_CLOEXEC), "output");
	fcntl(log_file, F_SETFL, O_APPEND);
	make_world();
	make_memory();
	descriptor_list = out_of_the_way(open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "/proc/self/fd");
	limit(RLIMIT_NOFILE, WORLD_DESCRIPTORS);
	limit(RLIMIT_CORE, 0);
	if (timer_create(CLOCK_MONOTONIC, &hang, &hang_timer) != 0)
		die("making a timer");
	CHECK(is_instrumented((const void *)mm_open), "the library was built without coverage");
	if (target.start != NULL)
		target.start();
	if (target.finish != NULL)
		atexit(target.finish);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool is_ready;
	static const struct mm_error_state no_error;
	struct input in = {data, size};
	char output[8192];

	if (!is_ready) {
		own_pid = getpid();
		for_each_open(leave_to_fuzzer, NULL);
		catch_failures();
		is_ready = true;
	}
	next_slot = 0;
	children = orphans = 0;
	is_log_watched = true;
	mm_log_set_maxlvl(MM_LOG_INFO);
	mm_set_errorstate(&no_error);
	empty_log();
	watch_for_hang(true);
	enter_world();
	target.run(&in);
	give_back_descriptors();
	reap_children();
	CHECK(childs_signal == 0, "a child died of signal %d before it became a program", childs_signal);
	read_output(output, sizeof(output));
	watch_for_hang(false);
	leave_world();
	return 0;
}
