/* SPDX-License-Identifier: Apache-2.0 */
/*
 * map.c: memory maps
 */
#include "child.h"
#include "sandbox.h"

#include <sys/mman.h>

#define TEXT "a file of 23 bytes, yes"

static char scratch_directory[4096];

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

/* --- maps --------------------------------------------------------------------------------------------------------- */

START_TEST(flags_determine_the_permissions)
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

START_TEST(writes_reach_the_file_only_if_the_map_is_shared)
{
	enter_scratch_directory();
	int fd = open_file("file", O_RDWR);
	/* More than the size of the file, but within its page, the rest of which is zero. */
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

	/* A private map can be writable although the file is not. */
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

START_TEST(maps_begin_at_a_page_boundary)
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

START_TEST(invalid_maps_are_rejected)
{
	int ends[2];
	size_t page = page_size();

	enter_scratch_directory();
	int fd = open_file("file", O_RDWR), reading = mm_open("file", O_RDONLY, 0),
	    writing = mm_open("file", O_WRONLY, 0);
	int dir = mm_open(".", O_RDONLY | O_DIRECTORY, 0);

	ck_assert_int_eq(mm_pipe(ends), 0);
	assert_fails_with_null(mm_mapfile(fd, 0, 0, MM_MAP_READ), EINVAL);
	assert_fails_with_null(mm_mapfile(fd, 42, 23, MM_MAP_READ), EINVAL);
	assert_fails_with_null(mm_mapfile(fd, -42, 23, MM_MAP_READ), EINVAL);
	assert_fails_with_null(mm_mapfile(fd, -(mm_off_t)page, 2 * page, MM_MAP_READ), EOVERFLOW);
	if (!is_under_valgrind()) {
		/* valgrind itself rejects them, with another error. */
		assert_fails_with_null(mm_mapfile(fd, 0, SIZE_MAX, MM_MAP_READ), ENOMEM);
		assert_fails_with_null(mm_mapfile(fd, 0, SIZE_MAX / 8 * 7, MM_MAP_READ), ENOMEM);
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

START_TEST(only_mapped_memory_can_be_unmapped_and_only_once)
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

START_TEST(address_that_is_reused_has_its_new_size)
{
	size_t page = page_size();

	enter_scratch_directory();
	int fd = open_file("file", O_RDONLY);
	char *memory = mm_mapfile(fd, 0, 2 * page, MM_MAP_READ);

	/* Without the library. */
	ck_assert_int_eq(munmap(memory, 2 * page), 0);
	ck_assert_ptr_eq(mmap(memory + page, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
	                 memory + page);
	/* Fill the gaps that the kernel would use before the same address. */
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

START_TEST(failed_unmap_can_be_retried)
{
	/* The kernel refuses to unmap one size, with ENOMEM. */
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

	/* valgrind does not pass the kernel the size that it was given. */
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

/* --- huge pages --------------------------------------------------------------------------------------------------- */

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

/* Maps of a hugetlb file, four pages of which are free. */
static void map_and_unmap_huge(int fd, size_t huge)
{
	size_t sizes[] = {1,    page_size(), 2 * page_size() + 1, 100000,  huge - page_size(), huge - 1,
	                  huge, huge + 1,    2 * huge - 1,        2 * huge};

	ck_assert_int_eq(mm_ftruncate(fd, (mm_off_t)(2 * huge)), 0);
	for (int i = 0; i < MM_NELEM(sizes); i++) {
		for (int flags = MM_MAP_RDWR; flags <= (MM_MAP_RDWR | MM_MAP_SHARED); flags += MM_MAP_SHARED) {
			/* The kernel places them next to each other. */
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

	/* valgrind does not support maps that are larger than requested. */
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

SUITE(flags_determine_the_permissions, writes_reach_the_file_only_if_the_map_is_shared, maps_begin_at_a_page_boundary,
      invalid_maps_are_rejected, only_mapped_memory_can_be_unmapped_and_only_once,
      address_that_is_reused_has_its_new_size, failed_unmap_can_be_retried,
      maps_of_huge_pages_are_unmapped_whatever_their_length)
