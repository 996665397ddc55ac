/*
 * map.c: memory maps, and shared memory
 */
#include "child.h"
#include "sandbox.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define TEXT "a file of 23 bytes, yes"

static char scratch_directory[4096];

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static int open_file(const char *path, int flags)
{
	write_file(path, TEXT);
	int fd = mm_open(path, flags, 0);

	ck_assert_int_ge(fd, 0);
	return fd;
}

/* Permissions of the memory at an address, as "rw-s"; empty if nothing is mapped there. */
static const char *permissions(const void *address)
{
	static char permissions[5];
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512];
	bool found = false;

	ck_assert_ptr_nonnull(maps);
	while (!found && fgets(line, sizeof(line), maps) != NULL) {
		unsigned long first, end;

		found = sscanf(line, "%lx-%lx %4s", &first, &end, permissions) == 3 && (uintptr_t)address >= first &&
		        (uintptr_t)address < end;
	}
	fclose(maps);
	return found ? permissions : "";
}

/* --- maps ---------------------------------------------------------------------------------------------------------------- */

START_TEST(flags_become_permissions)
{
	static const struct {
		int flags;
		const char *permissions;
	} cases[] = {{0, "---p"},
	             {MM_MAP_READ, "r--p"},
	             {MM_MAP_READ | MM_MAP_PRIVATE, "r--p"},
	             {MM_MAP_WRITE, "-w-p"},
	             {MM_MAP_RDWR, "rw-p"},
	             {MM_MAP_READ | MM_MAP_EXEC, "r-xp"},
	             {MM_MAP_SHARED, "---s"},
	             {MM_MAP_READ | MM_MAP_SHARED, "r--s"},
	             {MM_MAP_RDWR | MM_MAP_SHARED, "rw-s"},
	             {MM_MAP_RDWR | ~0xF, "rw-p"}};

	enter_scratch_directory();
	int fd = open_file("file", O_RDWR);

	for (int i = 0; i < MM_NELEM(cases); i++) {
		void *memory = mm_mapfile(fd, 0, 23, cases[i].flags);

		ck_assert_ptr_nonnull(memory);
		ck_assert_str_eq(permissions(memory), cases[i].permissions);
		ck_assert_int_eq(mm_unmap(memory), 0);
		ck_assert_str_eq(permissions(memory), "");
	}
	close_all(1, &fd);
	leave_scratch_directory();
}
END_TEST

START_TEST(what_is_written_reaches_the_file_only_if_it_is_shared)
{
	enter_scratch_directory();
	int fd = open_file("file", O_RDWR);
	/* More than the file has, but within its page, which is filled up by zeros. */
	char *shared = mm_mapfile(fd, 0, 43, MM_MAP_RDWR | MM_MAP_SHARED);
	char *private = mm_mapfile(fd, 0, 5, MM_MAP_RDWR);

	ck_assert(shared != NULL && private != NULL && shared != private);
	close_all(1, &fd);
	ck_assert_str_eq(shared, TEXT);
	private[0] = 'A';
	ck_assert_str_eq(shared, TEXT);
	memcpy(shared, "A FILE", 6);
	ck_assert_int_eq(mm_unmap(shared), 0);
	ck_assert(has_text("file", "A FILE of 23 bytes, yes"));
	ck_assert_int_eq(private[0], 'A');
	ck_assert_int_eq(mm_unmap(private), 0);

	/* A private map can be written although the file cannot. */
	fd = mm_open("file", O_RDONLY, 0);
	private = mm_mapfile(fd, 0, 23, MM_MAP_RDWR);
	ck_assert_ptr_nonnull(private);
	private[0] = 'x';
	ck_assert_int_eq(mm_unmap(private), 0);
	ck_assert(has_text("file", "A FILE of 23 bytes, yes"));
	close_all(1, &fd);
	leave_scratch_directory();
}
END_TEST

START_TEST(parts_begin_at_a_page)
{
	size_t page = page_size();

	enter_scratch_directory();
	int fd = mm_open("file", O_RDWR | O_CREAT, MODE_DEF);

	ck_assert_int_eq(mm_ftruncate(fd, (mm_off_t)(3 * page)), 0);
	ck_assert_int_eq(mm_seek(fd, (mm_off_t)(2 * page), SEEK_SET), 2 * page);
	ck_assert_int_eq(mm_write(fd, "third", 5), 5);
	char *memory = mm_mapfile(fd, (mm_off_t)(2 * page), page, MM_MAP_READ);

	ck_assert_str_eq(memory, "third");
	ck_assert_int_eq(mm_unmap(memory), 0);
	close_all(1, &fd);
	leave_scratch_directory();
}
END_TEST

START_TEST(maps_that_cannot_be_are_refused)
{
	int ends[2];
	size_t page = page_size();

	enter_scratch_directory();
	int fd = open_file("file", O_RDWR), reading = mm_open("file", O_RDONLY, 0), writing = mm_open("file", O_WRONLY, 0);
	int dir = mm_open(".", O_RDONLY | O_DIRECTORY, 0);

	ck_assert_int_eq(mm_pipe(ends), 0);
	assert_fails_with_null(mm_mapfile(fd, 0, 0, MM_MAP_READ), EINVAL);
	assert_fails_with_null(mm_mapfile(fd, 42, 23, MM_MAP_READ), EINVAL);
	assert_fails_with_null(mm_mapfile(fd, -42, 23, MM_MAP_READ), EINVAL);
	assert_fails_with_null(mm_mapfile(fd, -(mm_off_t)page, 2 * page, MM_MAP_READ), EOVERFLOW);
	if (!is_under_valgrind()) {
		/* valgrind refuses them itself, with another error. */
		assert_fails_with_null(mm_mapfile(fd, 0, SIZE_MAX, MM_MAP_READ), ENOMEM);
		assert_fails_with_null(mm_mapfile(fd, 0, SIZE_MAX / 2, MM_MAP_READ), ENOMEM);
	}
	assert_fails_with_null(mm_mapfile(writing, 0, 23, MM_MAP_READ), EACCES);
	assert_fails_with_null(mm_mapfile(writing, 0, 23, MM_MAP_WRITE | MM_MAP_SHARED), EACCES);
	assert_fails_with_null(mm_mapfile(reading, 0, 23, MM_MAP_RDWR | MM_MAP_SHARED), EACCES);
	assert_fails_with_null(mm_mapfile(dir, 0, 23, MM_MAP_READ), ENODEV);
	assert_fails_with_null(mm_mapfile(ends[0], 0, 23, MM_MAP_READ), ENODEV);
	close_all(6, (int[]){fd, reading, writing, dir, ends[0], ends[1]});
	assert_fails_with_null(mm_mapfile(fd, 0, 23, MM_MAP_READ), EBADF);
	assert_fails_with_null(mm_mapfile(-1, 0, 23, MM_MAP_READ), EBADF);
	leave_scratch_directory();
}
END_TEST

START_TEST(only_what_was_mapped_can_be_unmapped_and_once)
{
	enter_scratch_directory();
	int fd = open_file("file", O_RDONLY), local = 1;
	char *memory = mm_mapfile(fd, 0, 3 * page_size(), MM_MAP_READ);
	void *foreign = mmap(NULL, page_size(), PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert_int_eq(mm_unmap(NULL), 0);
	assert_fails(mm_unmap((void *)-1), EFAULT);
	assert_fails(mm_unmap(&local), EFAULT);
	assert_fails(mm_unmap(memory + 1), EFAULT);
	assert_fails(mm_unmap(memory + page_size()), EFAULT);
	assert_fails(mm_unmap(foreign), EFAULT);
	ck_assert_str_eq(memory, TEXT);
	ck_assert_int_eq(mm_unmap(memory), 0);
	assert_fails(mm_unmap(memory), EFAULT);
	ck_assert_int_eq(munmap(foreign, page_size()), 0);
	close_all(1, &fd);
	leave_scratch_directory();
}
END_TEST

START_TEST(an_address_that_is_in_use_again_has_its_new_size)
{
	size_t page = page_size();

	enter_scratch_directory();
	int fd = open_file("file", O_RDONLY);
	char *memory = mm_mapfile(fd, 0, 2 * page, MM_MAP_READ);

	/* Behind the library's back. */
	ck_assert_int_eq(munmap(memory, 2 * page), 0);
	ck_assert_ptr_eq(mmap(memory + page, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), memory + page);
	/* Fill whatever the kernel would take before the same address. */
	for (int i = 0; i < 100000; i++) {
		void *filler = mmap(NULL, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		ck_assert_ptr_ne(filler, MAP_FAILED);
		if (filler == memory) {
			ck_assert_int_eq(munmap(filler, page), 0);
			break;
		}
	}
	ck_assert_ptr_eq(mm_mapfile(fd, 0, page, MM_MAP_READ), memory);
	ck_assert_int_eq(mm_unmap(memory), 0);
	ck_assert_str_eq(permissions(memory), "");
	ck_assert_str_eq(permissions(memory + page), "r--p");
	close_all(1, &fd);
	leave_scratch_directory();
}
END_TEST

START_TEST(what_could_not_be_unmapped_can_be_tried_again)
{
	/* The kernel refuses to unmap one size; for want of memory, it says. */
	const unsigned size = 12345;
	struct sock_filter code[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_munmap, 0, 3),
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
	             offsetof(struct seccomp_data, args[1]) + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, size, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOMEM),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {MM_NELEM(code), code};

	/* valgrind does not tell the kernel the size that it was told. */
	if (is_under_valgrind())
		return;
	enter_scratch_directory();
	int fd = open_file("file", O_RDONLY);
	void *memory = mm_mapfile(fd, 0, size, MM_MAP_READ);

	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
	for (int i = 0; i < 3; i++)
		assert_fails(mm_unmap(memory), ENOMEM);
	ck_assert_str_eq(permissions(memory), "r--p");
	close_all(1, &fd);
	leave_scratch_directory();
}
END_TEST

/* --- huge pages ---------------------------------------------------------------------------------------------------------- */

static long read_number(const char *path, const char *word)
{
	char line[256];
	long number = -1;
	FILE *file = fopen(path, "r");

	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, word, strlen(word)) == 0)
			number = atol(line + strlen(word));
	if (file != NULL)
		fclose(file);
	return number;
}

/* Maps of a file that is made of huge pages, four of which are free. */
static void map_and_unmap_huge(int fd, size_t huge)
{
	size_t sizes[] = {1, page_size(), 2 * page_size() + 1, 100000, huge - page_size(), huge - 1, huge, huge + 1, 2 * huge - 1, 2 * huge};

	ck_assert_int_eq(mm_ftruncate(fd, (mm_off_t)(2 * huge)), 0);
	for (int i = 0; i < MM_NELEM(sizes); i++) {
		for (int flags = MM_MAP_RDWR; flags <= (MM_MAP_RDWR | MM_MAP_SHARED); flags += MM_MAP_SHARED) {
			/* The kernel puts them side by side. */
			char *kept = mm_mapfile(fd, 0, huge, MM_MAP_RDWR | MM_MAP_SHARED);
			char *memory = mm_mapfile(fd, 0, sizes[i], flags);
			char *other = mm_mapfile(fd, (mm_off_t)huge, 1, MM_MAP_RDWR | MM_MAP_SHARED);

			ck_assert_msg(kept != NULL && memory != NULL && other != NULL, "%s", mm_get_lasterror_desc());
			memory[0] = 'x';
			errno = EBUSY;
			ck_assert_msg(mm_unmap(memory) == 0, "%zu: %s", sizes[i], mm_get_lasterror_desc());
			ck_assert_int_eq(errno, EBUSY);
			assert_fails(mm_unmap(memory), EFAULT);
			ck_assert_str_eq(permissions(memory), "");
			ck_assert_str_eq(permissions(memory + (sizes[i] - 1) / huge * huge), "");
			kept[huge - 1] = 'y';
			other[huge - 1] = 'z';
			ck_assert_int_eq(mm_unmap(other) | mm_unmap(kept), 0);
			ck_assert_str_eq(permissions(kept), "");
			ck_assert_str_eq(permissions(other), "");
		}
	}
	assert_fails_with_null(mm_mapfile(fd, (mm_off_t)page_size(), huge, MM_MAP_READ), EINVAL);
	close_all(1, &fd);
}

static int use_huge_pages(void *arg)
{
	size_t huge = *(const size_t *)arg;
	int fd = memfd_create("huge", MFD_HUGETLB | MFD_CLOEXEC);

	if (fd == -1 || read_number("/proc/meminfo", "HugePages_Free:") < 4)
		return 0;
	map_and_unmap_huge(fd, huge);
	if (enter_private_mounts() && mount("none", ".", "hugetlbfs", 0, NULL) == 0 && chdir("../..") == 0) {
		char path[4200];

		snprintf(path, sizeof(path), "%s/file", scratch_directory);
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		ck_assert_int_ge(fd, 0);
		ck_assert_int_eq(unlink(path), 0);
		map_and_unmap_huge(fd, huge);
	}
	return 0;
}

START_TEST(maps_of_huge_pages_are_unmapped_whatever_their_length)
{
	static const char setting[] = "/proc/sys/vm/nr_hugepages";
	size_t huge = (size_t)read_number("/proc/meminfo", "Hugepagesize:") * 1024;
	char number[32];
	long before = read_number(setting, "");

	/* valgrind does not know that a map can be larger than it was asked to be. */
	if (is_under_valgrind() || before == -1 || huge > 1 << 26)
		return;
	enter_scratch_directory();
	ck_assert_ptr_nonnull(getcwd(scratch_directory, sizeof(scratch_directory)));
	snprintf(number, sizeof(number), "%ld", before + 4);
	write_proc_file(setting, number);
	pid_t child = start_child(use_huge_pages, &huge);
	int status;

	ck_assert_int_eq(waitpid(child, &status, 0), child);
	snprintf(number, sizeof(number), "%ld", before);
	write_proc_file(setting, number);
	ck_assert_int_eq(status, 0);
	leave_scratch_directory();
}
END_TEST

/* --- threads and processes ----------------------------------------------------------------------------------------------- */

#define THREADS 16
#define LIVE 32

static int shared_fd;

/* Maps and unmaps in any order; each map shows the page that it is of. */
static void *map_and_unmap(void *arg)
{
	uint32_t random = (uint32_t)(intptr_t)arg * 2654435761u + 1;
	uint32_t *live[LIVE] = {NULL}, numbers[LIVE] = {0};
	int rounds = is_under_valgrind() ? 300 : 20000;

	for (int i = 0; i < rounds; i++) {
		uint32_t slot = next_random(&random) % LIVE;

		if (live[slot] != NULL) {
			ck_assert_uint_eq(*live[slot], numbers[slot]);
			ck_assert_int_eq(mm_unmap(live[slot]), 0);
			live[slot] = NULL;
		} else {
			numbers[slot] = next_random(&random) % 64;
			live[slot] = mm_mapfile(shared_fd, (mm_off_t)(numbers[slot] * page_size()),
			                        1 + next_random(&random) % (3 * page_size()), MM_MAP_READ);
			ck_assert_ptr_nonnull(live[slot]);
		}
	}
	for (int slot = 0; slot < LIVE; slot++) {
		ck_assert(live[slot] == NULL || *live[slot] == numbers[slot]);
		ck_assert_int_eq(mm_unmap(live[slot]), 0);
	}
	return NULL;
}

/* Shared memory of 64 pages, each beginning with its number. */
static int numbered_pages(void)
{
	int fd = mm_anon_shm();

	ck_assert_int_eq(mm_ftruncate(fd, (mm_off_t)(66 * page_size())), 0);
	for (uint32_t i = 0; i < 64; i++) {
		ck_assert_int_eq(mm_seek(fd, (mm_off_t)(i * page_size()), SEEK_SET), i * page_size());
		ck_assert_int_eq(mm_write(fd, &i, sizeof(i)), sizeof(i));
	}
	return fd;
}

START_TEST(threads_map_and_unmap_in_any_order)
{
	pthread_t threads[THREADS];

	shared_fd = numbered_pages();
	for (int i = 0; i < THREADS; i++)
		threads[i] = start_thread(map_and_unmap, (void *)(intptr_t)i);
	for (int i = 0; i < THREADS; i++)
		join_thread(threads[i]);
	close_all(1, &shared_fd);
}
END_TEST

static pthread_barrier_t barrier;
static void *contested;

static void *unmap_contested(void *arg)
{
	int rounds = (int)(intptr_t)arg, won = 0;

	for (int i = 0; i < rounds; i++) {
		if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD) {
			contested = mm_mapfile(shared_fd, 0, 1, MM_MAP_READ);
			ck_assert_ptr_nonnull(contested);
		}
		pthread_barrier_wait(&barrier);
		won += mm_unmap(contested) == 0;
	}
	return (void *)(intptr_t)won;
}

START_TEST(of_threads_that_unmap_the_same_memory_one_succeeds)
{
	pthread_t threads[THREADS];
	int rounds = is_under_valgrind() ? 20 : 500, won = 0;

	shared_fd = numbered_pages();
	ck_assert_int_eq(pthread_barrier_init(&barrier, NULL, THREADS), 0);
	for (int i = 0; i < THREADS; i++)
		threads[i] = start_thread(unmap_contested, (void *)(intptr_t)rounds);
	for (int i = 0; i < THREADS; i++)
		won += (int)(intptr_t)join_thread(threads[i]);
	ck_assert_int_eq(won, rounds);
	pthread_barrier_destroy(&barrier);
	close_all(1, &shared_fd);
}
END_TEST

static bool is_over;

static void *map_until_over(void *arg)
{
	while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED))
		mm_unmap(mm_mapfile(shared_fd, 0, 1, MM_MAP_READ));
	return arg;
}

static int map_once(void *arg)
{
	(void)arg;
	/* Ends the process if it waits for a lock that nobody will release. The test framework has a handler. */
	signal(SIGALRM, SIG_DFL);
	alarm(20);
	return mm_unmap(mm_mapfile(shared_fd, 0, 1, MM_MAP_READ));
}

START_TEST(a_child_can_map_whatever_other_threads_did_when_it_was_forked)
{
	enum { LIVE_MAPS = 4000 };
	static void *live[LIVE_MAPS];
	pthread_t threads[4];
	int rounds = is_under_valgrind() ? 10 : is_instrumented() ? 60 : 300;

	shared_fd = numbered_pages();
	/* Many maps, and room at an address above them: what is mapped there moves the records of all others. */
	void *above = mm_mapfile(shared_fd, 0, 64 * page_size(), MM_MAP_READ);

	for (int i = 0; i < LIVE_MAPS; i++)
		ck_assert_ptr_nonnull(live[i] = mm_mapfile(shared_fd, 0, 1, MM_MAP_READ));
	ck_assert_int_eq(mm_unmap(above), 0);
	for (int i = 0; i < MM_NELEM(threads); i++)
		threads[i] = start_thread(map_until_over, NULL);
	for (int i = 0; i < rounds; i++)
		assert_child_succeeds(start_child(map_once, NULL));
	__atomic_store_n(&is_over, true, __ATOMIC_RELAXED);
	for (int i = 0; i < MM_NELEM(threads); i++)
		join_thread(threads[i]);
	for (int i = 0; i < LIVE_MAPS; i++)
		ck_assert_int_eq(mm_unmap(live[i]), 0);
	close_all(1, &shared_fd);
}
END_TEST

static int maps_in_handlers;

static void map_in_handler(void)
{
	maps_in_handlers += mm_unmap(mm_mapfile(shared_fd, 0, 1, MM_MAP_READ)) == 0;
}

static int return_maps_in_handlers(void *arg)
{
	(void)arg;
	return maps_in_handlers == 2 ? 0 : 1;
}

START_TEST(handlers_of_a_fork_can_map)
{
	shared_fd = numbered_pages();
	/* Those of the library come later, so that they are called around these. */
	ck_assert_int_eq(pthread_atfork(map_in_handler, map_in_handler, map_in_handler), 0);
	ck_assert_int_eq(mm_unmap(mm_mapfile(shared_fd, 0, 1, MM_MAP_READ)), 0);
	signal(SIGALRM, SIG_DFL);
	alarm(20);
	assert_child_succeeds(start_child(return_maps_in_handlers, NULL));
	alarm(0);
	ck_assert_int_eq(maps_in_handlers, 2);
	close_all(1, &shared_fd);
}
END_TEST

static int write_into(void *memory)
{
	strcpy(memory, "from the child");
	return mm_unmap(memory);
}

START_TEST(children_and_their_programs_write_into_the_same_memory)
{
	mm_pid_t pid;
	int fd = mm_anon_shm();

	ck_assert_int_eq(mm_ftruncate(fd, (mm_off_t)page_size()), 0);
	char *memory = mm_mapfile(fd, 0, page_size(), MM_MAP_RDWR | MM_MAP_SHARED);

	assert_child_succeeds(start_child(write_into, memory));
	ck_assert_str_eq(memory, "from the child");
	assert_spawns(&pid, CHILD, 1, ((struct mm_remap_fd[]){{3, fd}}), 0, ARGUMENTS("-", "poke", "3", "from the program"), NULL);
	assert_exits(pid, 0);
	ck_assert_str_eq(memory, "from the program");
	ck_assert_int_eq(mm_unmap(memory), 0);
	close_all(1, &fd);
}
END_TEST

/* Receives a descriptor, maps it and writes into it. */
static int receive_memory(void *arg)
{
	char data;
	int fd = -1, end = *(int *)arg;
	struct iovec iov = {&data, 1};
	struct mm_ipc_msg msg = {.iov = &iov, .num_iov = 1, .fds = &fd, .num_fds_max = 1};

	ck_assert_int_eq(mm_ipc_recvmsg(end, &msg), 1);
	char *memory = mm_mapfile(fd, 0, page_size(), MM_MAP_RDWR | MM_MAP_SHARED);

	ck_assert_str_eq(memory, "question");
	strcpy(memory, "answer");
	ck_assert_int_eq(mm_unmap(memory), 0);
	return mm_close(fd);
}

START_TEST(anonymous_memory_can_be_sent_to_another_process)
{
	int ends[2], fd = mm_anon_shm();
	struct iovec iov = {"x", 1};
	struct mm_ipc_msg msg = {.iov = &iov, .num_iov = 1, .fds = &fd, .num_fds = 1};

	ck_assert_int_eq(mm_ipc_connected_pair(ends), 0);
	ck_assert_int_eq(mm_ftruncate(fd, (mm_off_t)page_size()), 0);
	char *memory = mm_mapfile(fd, 0, page_size(), MM_MAP_RDWR | MM_MAP_SHARED);
	pid_t pid = start_child(receive_memory, &ends[1]);

	strcpy(memory, "question");
	ck_assert_int_eq(mm_ipc_sendmsg(ends[0], &msg), 1);
	assert_child_succeeds(pid);
	ck_assert_str_eq(memory, "answer");
	ck_assert_int_eq(mm_unmap(memory), 0);
	close_all(3, (int[]){fd, ends[0], ends[1]});
}
END_TEST

/* --- shared memory ------------------------------------------------------------------------------------------------------- */

START_TEST(anonymous_memory_is_private_and_sealable)
{
	struct stat status;
	int fd = mm_anon_shm();

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
	ck_assert_int_eq(fstat(fd, &status), 0);
	ck_assert_int_eq(status.st_size, 0);
	ck_assert_int_eq(status.st_nlink, 0);
	ck_assert_int_eq(mm_write(fd, "data", 4), 4);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
	assert_fails(mm_ftruncate(fd, 5), EPERM);
	assert_fails(mm_ftruncate(fd, 3), EPERM);
	close_all(1, &fd);
}
END_TEST

START_TEST(many_maps_live_until_descriptors_run_out)
{
	enum { LIMIT = 1024 };
	static int fds[LIMIT];
	static void *memory[LIMIT];
	struct rlimit limit, low;
	int count = 0;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	low = limit;
	low.rlim_cur = limit.rlim_cur < LIMIT ? limit.rlim_cur : LIMIT;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
	while ((fds[count] = mm_anon_shm()) != -1) {
		ck_assert_int_eq(mm_ftruncate(fds[count], 1), 0);
		memory[count] = mm_mapfile(fds[count], 0, 1, MM_MAP_RDWR | MM_MAP_SHARED);
		ck_assert_ptr_nonnull(memory[count]);
		*(char *)memory[count] = (char)count;
		count++;
	}
	ck_assert_int_eq(mm_get_lasterror_number(), EMFILE);
	const char *name = unique_name();

	assert_fails(mm_shm_open(name, O_RDWR | O_CREAT, MODE_DEF), EMFILE);
	/* valgrind enforces the limit when the kernel has already made the file. */
	if (is_under_valgrind())
		mm_shm_unlink(name);
	ck_assert_int_gt(count, (int)low.rlim_cur / 2);
	for (int i = 0; i < count; i++) {
		ck_assert_int_eq(*(char *)memory[i], (char)i);
		ck_assert_int_eq(mm_unmap(memory[i]), 0);
	}
	close_all(count, fds);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}
END_TEST

START_TEST(named_memory_is_found_by_its_name)
{
	const char *name = unique_name();
	char slashed[100];
	struct mm_stat one, other;

	snprintf(slashed, sizeof(slashed), "//%s", name);
	umask(022);
	int fd = mm_shm_open(name, O_RDWR | O_CREAT | O_EXCL, MODE_DEF);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_fails(mm_shm_open(name, O_RDWR | O_CREAT | O_EXCL, MODE_DEF), EEXIST);
	ck_assert_int_eq(mm_write(fd, "data", 4), 4);
	int again = mm_shm_open(slashed, O_RDONLY, 0);

	ck_assert_int_eq(mm_fstat(fd, &one) | mm_fstat(again, &other), 0);
	ck_assert(mm_ino_equal(one.ino, other.ino));
	ck_assert_uint_eq(one.mode & 0777, 0644);
	ck_assert_int_eq(other.size, 4);
	assert_fails(mm_write(again, "data", 4), EBADF);
	assert_fails_with_null(mm_mapfile(again, 0, 4, MM_MAP_WRITE | MM_MAP_SHARED), EACCES);
	close_all(1, &again);
	again = mm_shm_open(name, O_RDWR | O_TRUNC, 0);
	ck_assert_int_eq(mm_fstat(fd, &one), 0);
	ck_assert_int_eq(one.size, 0);

	ck_assert_int_eq(mm_shm_unlink(slashed), 0);
	assert_fails(mm_shm_unlink(name), ENOENT);
	assert_fails(mm_shm_open(name, O_RDWR, 0), ENOENT);
	/* It lives on for those who have it. */
	ck_assert_int_eq(mm_write(fd, "more", 4), 4);
	close_all(2, (int[]){fd, again});
}
END_TEST

START_TEST(named_memory_can_be_created_for_reading_alone)
{
	const char *name = unique_name();
	int fd = mm_shm_open(name, O_CREAT, 0);

	ck_assert_int_gt(fd, 0);
	assert_fails(mm_write(fd, "x", 1), EBADF);
	close_all(1, &fd);
	ck_assert_int_eq(mm_shm_unlink(name), 0);
}
END_TEST

START_TEST(names_that_cannot_be_are_refused)
{
	char name[300] = "", path[400];

	for (int size = 256; size < 270; size++) {
		memset(name, 'x', size);
		assert_fails(mm_shm_open(name, O_RDWR | O_CREAT, MODE_DEF), EINVAL);
		assert_fails(mm_shm_unlink(name), ENOENT);
	}
	assert_fails(mm_shm_open("", O_RDWR | O_CREAT, MODE_DEF), EINVAL);
	assert_fails(mm_shm_open("/", O_RDWR | O_CREAT, MODE_DEF), EINVAL);
	assert_fails(mm_shm_open("a/b", O_RDWR | O_CREAT, MODE_DEF), EINVAL);
	assert_fails(mm_shm_open(".", O_RDONLY, 0), EINVAL);
	assert_fails(mm_shm_open("/..", O_RDONLY, 0), EINVAL);
	assert_fails(mm_shm_open(NULL, O_RDWR | O_CREAT, MODE_DEF), EFAULT);
	assert_fails(mm_shm_unlink(NULL), EFAULT);
	assert_fails(mm_shm_unlink(""), ENOENT);
	assert_fails(mm_shm_unlink("a/b"), ENOENT);
	assert_fails(mm_shm_unlink(name), ENOENT);

	/* The longest that can be, and a link to it. */
	memcpy(name, unique_name(), strlen(unique_name()));
	name[255] = '\0';
	int fd = mm_shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);

	ck_assert_int_ge(fd, 0);
	const char *link = unique_name();

	snprintf(path, sizeof(path), "/dev/shm/%s", link);
	ck_assert_int_eq(symlink(name, path), 0);
	assert_fails(mm_shm_open(link, O_RDWR, 0), ELOOP);
	ck_assert_int_eq(mm_shm_unlink(link), 0);
	ck_assert_int_eq(mm_shm_unlink(name), 0);
	close_all(1, &fd);
}
END_TEST

static const char *denied_name;

static void open_what_is_denied(void)
{
	assert_fails(mm_shm_open(denied_name, O_RDWR, 0), EACCES);
}

START_TEST(permissions_of_named_memory_count)
{
	denied_name = unique_name();
	int fd = mm_shm_open(denied_name, O_RDWR | O_CREAT | O_EXCL, 0400);

	ck_assert_int_ge(fd, 0);
	as_ordinary_user(open_what_is_denied);
	ck_assert_int_eq(mm_shm_unlink(denied_name), 0);
	close_all(1, &fd);
}
END_TEST

SUITE(flags_become_permissions, what_is_written_reaches_the_file_only_if_it_is_shared, parts_begin_at_a_page,
      maps_that_cannot_be_are_refused, only_what_was_mapped_can_be_unmapped_and_once,
      an_address_that_is_in_use_again_has_its_new_size, what_could_not_be_unmapped_can_be_tried_again,
      maps_of_huge_pages_are_unmapped_whatever_their_length,
      threads_map_and_unmap_in_any_order, of_threads_that_unmap_the_same_memory_one_succeeds,
      a_child_can_map_whatever_other_threads_did_when_it_was_forked, handlers_of_a_fork_can_map,
      children_and_their_programs_write_into_the_same_memory, anonymous_memory_can_be_sent_to_another_process,
      anonymous_memory_is_private_and_sealable, many_maps_live_until_descriptors_run_out,
      named_memory_is_found_by_its_name, named_memory_can_be_created_for_reading_alone,
      names_that_cannot_be_are_refused, permissions_of_named_memory_count)
