/* SPDX-License-Identifier: Apache-2.0 */
/*
 * map_threads.c: maps in several threads and processes
 */
#include "child.h"

#include <sys/mman.h>

#define THREADS 16
#define LIVE 32

static int shared_fd;

/* Maps and unmaps in random order; each map contains its own page. */
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
	/* Ends the process if it waits for a lock that will never be released. The test framework has a handler. */
	signal(SIGALRM, SIG_DFL);
	alarm(20);
	return mm_unmap(mm_mapfile(shared_fd, 0, 1, MM_MAP_READ));
}

START_TEST(child_can_map_whatever_other_threads_did_at_the_fork)
{
	enum { LIVE_MAPS = 4000 };
	static void *live[LIVE_MAPS];
	pthread_t threads[4];
	int rounds = is_under_valgrind() ? 10 : is_instrumented() ? 60 : 300;

	shared_fd = numbered_pages();
	/* Many maps, and free space at an address above them: mapping there moves the records of all others. */
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

START_TEST(fork_handlers_can_map)
{
	shared_fd = numbered_pages();
	/* The library's handlers are registered later, so they run around these. */
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

START_TEST(children_and_their_programs_write_to_the_same_memory)
{
	mm_pid_t pid;
	int fd = mm_anon_shm();

	ck_assert_int_eq(mm_ftruncate(fd, (mm_off_t)page_size()), 0);
	char *memory = mm_mapfile(fd, 0, page_size(), MM_MAP_RDWR | MM_MAP_SHARED);

	assert_child_succeeds(start_child(write_into, memory));
	ck_assert_str_eq(memory, "from the child");
	assert_spawns(&pid, CHILD, 1, ((struct mm_remap_fd[]){{3, fd}}), 0,
	              ARGUMENTS("-", "poke", "3", "from the program"), NULL);
	assert_exits(pid, 0);
	ck_assert_str_eq(memory, "from the program");
	ck_assert_int_eq(mm_unmap(memory), 0);
	close_all(1, &fd);
}
END_TEST

/* Receives a descriptor, maps it and writes to it. */
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

SUITE(threads_map_and_unmap_in_any_order, of_threads_that_unmap_the_same_memory_one_succeeds,
      child_can_map_whatever_other_threads_did_at_the_fork, fork_handlers_can_map,
      children_and_their_programs_write_to_the_same_memory, anonymous_memory_can_be_sent_to_another_process)
