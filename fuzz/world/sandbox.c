/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox.c: the environment in which an input runs: a root directory in memory, a network namespace with loopback
 * only, limits, and standard streams connected to a log and an output file
 *
 * libFuzzer runs inputs in its own process, and writes files itself. The process therefore enters the world before each
 * input and leaves it afterwards, also to report a crash.
 */
#include "internal.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Exit status if the world cannot be created: make reports this and continues. */
#define NO_WORLD 3

/* Our own descriptors are above the limit of the world. */
static int outside_root, outside_directory, outside_std[3];
static int world_root, null_device, log_file, output_file, descriptor_list;
static bool is_inside, is_dirty = true;

void die(const char *what)
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

/* --- descriptors -------------------------------------------------------------------------------------------------- */

void for_each_open(void (*use)(int fd, void *arg), void *arg)
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

void name_descriptor(int fd, char *name, size_t size)
{
	char number[32];

	snprintf(number, sizeof(number), "%d", fd);
	ssize_t length = readlinkat(descriptor_list, number, name, size - 1);

	name[length < 0 ? 0 : length] = '\0';
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

/* --- files -------------------------------------------------------------------------------------------------------- */

void world_has_changed(void)
{
	is_dirty = true;
}

/* Removes everything in a directory, of any depth: each subdirectory is moved up and then emptied. */
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

/* --- creating the world ------------------------------------------------------------------------------------------- */

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
		fprintf(stderr, "fuzz: namespaces are not available (%s): run as root, or allow user namespaces\n",
		        strerror(errno));
		exit(NO_WORLD);
	}
	write_own("/proc/self/setgroups", "deny", 0);
	write_own("/proc/self/uid_map", "%u %u 1", uid);
	write_own("/proc/self/gid_map", "%u %u 1", gid);
	/* For the leak detector, which inspects this process. */
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
		fprintf(stderr, "fuzz: cannot mount filesystems (%s)\n", strerror(errno));
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

/* The world's root is read-only, except for /w and /dev/shm. It is mounted on a directory next to the program. */
static void make_root(void)
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
		die("making mounts private");
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
		die("leaving the root directory");
}

static void limit(int resource, rlim_t value)
{
	struct rlimit limits;

	getrlimit(resource, &limits);
	limits.rlim_cur = value < limits.rlim_max ? value : limits.rlim_max;
	if (setrlimit(resource, &limits) != 0)
		die("setting a limit");
}

void make_world(void)
{
	get_namespaces();
	raise_loopback();
	/* Space for our own descriptors: a nested fuzzer process, started to merge, inherits the world's limit. */
	limit(RLIMIT_NOFILE, 1024);
	outside_root = out_of_the_way(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), "/");
	outside_directory = out_of_the_way(open(".", O_PATH | O_DIRECTORY | O_CLOEXEC), ".");
	for (int fd = 0; fd < 3; fd++)
		outside_std[fd] = out_of_the_way(dup(fd), "duplicating a standard stream");
	null_device = out_of_the_way(open("/dev/null", O_RDWR | O_CLOEXEC), "/dev/null");
	log_file = out_of_the_way(memfd_create("log", MFD_CLOEXEC), "log");
	output_file = out_of_the_way(memfd_create("output", MFD_CLOEXEC), "output");
	fcntl(log_file, F_SETFL, O_APPEND);
	make_root();
	descriptor_list = out_of_the_way(open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC), "/proc/self/fd");
	limit(RLIMIT_NOFILE, WORLD_DESCRIPTORS);
	limit(RLIMIT_CORE, 0);
}

void enter_world(void)
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

void leave_world(void)
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

void empty_log(void)
{
	lseek(log_file, 0, SEEK_SET);
	if (ftruncate(log_file, 0) != 0)
		die("emptying the log");
}
