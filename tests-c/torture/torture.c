/* SPDX-License-Identifier: Apache-2.0 */
/*
 * torture.c: servers and clients that are killed, stopped, destroyed and created again while they communicate
 *
 * usage: torture SECONDS [SEED [CROWD]]
 *
 * Every received message is compared with what was sent (traffic.c). A watchdog detects calls that block: a surviving
 * process must get an error or the end of the stream. Half of the servers listen at paths; two threads race to create
 * each of them, of which exactly one may succeed. Some servers hand their listener over to another process, and get it
 * back. At the end no process, descriptor, abstract name or file may be left.
 */
#include "crowd.h"
#include "slot_address.h"

#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <mmerrno.h>
#include <mmipc.h>
#include <mmlog.h>
#include <mmsysio.h>

#define MOST_ACCEPTORS 3
#define STOPPED_AT_ONCE 4

static const char *const phase_names[PHASES] = {"free",      "starting",   "working",    "creating",
                                                "accepting", "destroying", "connecting", "sending",
                                                "receiving", "joining",    "pausing"};

/* Every process is stopped for less than a second, and every server is created again within one. */
static const int64_t hang_ms = 30000;
static bool has_own_network;
static uint64_t kills[PHASES], server_kills, stops;

static void pause_ms(int ms)
{
	struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

	nanosleep(&time, NULL);
}

/* --- servers ------------------------------------------------------------------------------------------------------ */

struct server {
	int number;
	struct mm_ipc_srv *srv;
	/* The listener is handed over, so no thread may wait for ever. */
	bool is_temporary;
	_Atomic bool is_closing;
	_Atomic int conversations;
};

struct conversation {
	struct server *server;
	int fd;
};

static void start(pthread_t *thread, void *(*run)(void *), void *arg)
{
	pthread_attr_t attributes;

	REQUIRE(pthread_attr_init(&attributes) == 0 && pthread_attr_setstacksize(&attributes, 256 << 10) == 0);
	if (thread == NULL)
		REQUIRE(pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) == 0);
	REQUIRE(pthread_create(thread ? thread : &(pthread_t){0}, &attributes, run, arg) == 0);
	pthread_attr_destroy(&attributes);
}

static void *serve(void *arg)
{
	struct conversation *conversation = arg;
	struct server *server = conversation->server;

	enter_thread();
	converse_as_server(server->number, conversation->fd);
	leave_thread();
	free(conversation);
	server->conversations--;
	return NULL;
}

static void start_conversation(struct server *server, int fd)
{
	struct conversation *conversation = malloc(sizeof(*conversation));

	REQUIRE(conversation != NULL);
	*conversation = (struct conversation){server, fd};
	server->conversations++;
	start(NULL, serve, conversation);
}

static void *accept_clients(void *arg)
{
	struct server *server = arg;
	uint64_t random = (uint64_t)syscall(SYS_gettid) << 32 | (uint64_t)now_ms();

	enter_thread();
	for (;;) {
		uint64_t what = next_random(&random);
		int timeout_ms = server->is_temporary || what % 2 == 0 ? (int)(what / 8 % 20) : -1;
		int flags = what & 2 ? MM_IPC_CLOEXEC : 0;
		int64_t start_ms = now_ms();

		begin(ACCEPTING);
		/* In this order: the thread that destroys the server waits for each one that is about to accept. */
		if (server->is_closing)
			break;
		int fd = timeout_ms == -1 && flags == 0 ? mm_ipc_srv_accept(server->srv)
		                                        : mm_ipc_srv_accept2(server->srv, flags, timeout_ms);
		int error = mm_get_lasterror_number();

		begin(WORKING);
		if (fd >= 0) {
			REQUIRE(fcntl(fd, F_GETFD) == (flags != 0 ? FD_CLOEXEC : 0));
			start_conversation(server, fd);
		} else if (error == (timeout_ms == 0 ? EAGAIN : ETIMEDOUT) && timeout_ms >= 0) {
			if (now_ms() - start_ms < timeout_ms - 1)
				fail("accepting timed out before %d ms", timeout_ms);
			this_worker->counters.timeouts++;
			pause_ms(timeout_ms == 0);
		} else {
			if (error != ECANCELED || !server->is_closing)
				fail("accepting failed: %s", mm_get_lasterror_desc());
			break;
		}
	}
	leave_thread();
	return NULL;
}

/* True if a thread waits for a connection in the kernel, in one of the calls that the library makes for this. */
static bool is_inside_accept(pid_t tid)
{
	char path[64], text[128] = "";

	snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", (int)tid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	ssize_t size = read(fd, text, sizeof(text) - 1);

	close(fd);
	/* "running", or a number. */
	if (size <= 0 || text[0] == 'r')
		return false;
#ifdef SYS_accept
	if (atol(text) == SYS_accept)
		return true;
#endif
#ifdef SYS_poll
	if (atol(text) == SYS_poll)
		return true;
#endif
	/* The last one continues a poll() after the process was stopped. */
	return atol(text) == SYS_accept4 || atol(text) == SYS_ppoll || atol(text) == SYS_restart_syscall;
}

/* A server may be destroyed while threads are inside accept, but not immediately before they call it. */
static void wait_until_nobody_is_about_to_accept(void)
{
	for (int i = 0; i < MOST_THREADS; i++) {
		struct activity *other = &this_worker->activities[i];

		while (other->phase == ACCEPTING && !is_inside_accept(other->tid))
			sched_yield();
	}
}

/* One of two threads that create the same server. */
struct racer {
	int number;
	struct mm_ipc_srv *srv;
};

static void *race(void *arg)
{
	struct racer *racer = arg;

	enter_thread();
	begin(CREATING);
	racer->srv = mm_ipc_srv_create2(shared->names[racer->number], flags_of(racer->number),
	                                flags_of(racer->number) & MM_IPC_PATH ? 0600 : 0);
	begin(WORKING);
	if (racer->srv == NULL && mm_get_lasterror_number() != EADDRINUSE)
		fail("creating server %d failed: %s", racer->number, mm_get_lasterror_desc());
	if (racer->srv != NULL)
		shared->fates[racer->number].creations++;
	leave_thread();
	return NULL;
}

static struct mm_ipc_srv *create_in_race(int number)
{
	struct racer racers[2] = {{.number = number}, {.number = number}}, third = {.number = number};
	pthread_t threads[2];

	for (int i = 0; i < 2; i++)
		start(&threads[i], race, &racers[i]);
	begin(JOINING);
	for (int i = 0; i < 2; i++)
		REQUIRE(pthread_join(threads[i], NULL) == 0);
	begin(WORKING);
	if ((racers[0].srv != NULL) + (racers[1].srv != NULL) != 1)
		fail("%d of two servers were created at %s", racers[0].srv != NULL ? 2 : 0, shared->names[number]);
	/* Neither does one that comes later. */
	start(&threads[0], race, &third);
	begin(JOINING);
	REQUIRE(pthread_join(threads[0], NULL) == 0);
	begin(WORKING);
	if (third.srv != NULL)
		fail("a second server was created at %s", shared->names[number]);
	this_worker->counters.races++;
	return racers[0].srv != NULL ? racers[0].srv : racers[1].srv;
}

/* --- handing a listener over -------------------------------------------------------------------------------------- */

static bool send_fd(int endpoint, int fd, char what)
{
	struct iovec iov = {&what, 1};
	struct mm_ipc_msg msg = {.iov = &iov, .num_iov = 1, .fds = &fd, .num_fds = 1};

	return mm_ipc_sendmsg(endpoint, &msg) == 1;
}

static int receive_fd(int endpoint, char *what)
{
	struct iovec iov = {what, 1};
	int fd = -1;
	struct mm_ipc_msg msg = {.iov = &iov, .num_iov = 1, .fds = &fd, .num_fds_max = 1};

	return mm_ipc_recvmsg(endpoint, &msg) == 1 && msg.num_fds == 1 ? fd : -1;
}

/*
 * Accepts for a while, passes the connections on, then gives the listener back. The exit status is 0 unless something
 * has failed. If the worker is killed, this process ends, too.
 */
_Noreturn static void help(int endpoint, int accept_ms)
{
	char what;
	int fd = receive_fd(endpoint, &what);
	struct mm_ipc_srv *srv = fd < 0 ? NULL : mm_ipc_srv_from_fd(fd);

	if (srv == NULL || mm_ipc_srv_fd(srv) != fd)
		_exit(2);
	for (int64_t until = now_ms() + accept_ms; now_ms() < until;) {
		int client = mm_ipc_srv_accept2(srv, MM_IPC_CLOEXEC, 3);

		if (client < 0 && errno != ETIMEDOUT)
			_exit(3);
		if (client >= 0 && !send_fd(endpoint, client, 'c'))
			_exit(4);
		if (client >= 0)
			mm_close(client);
	}
	if (mm_ipc_srv_release(srv) != fd || !send_fd(endpoint, fd, 'l'))
		_exit(5);
	_exit(0);
}

/* Other threads of this process may converse, but none may use the server. */
static void hand_over(struct server *server, int accept_ms)
{
	pid_t worker = getpid(), helper;
	int fds[2], fd = mm_ipc_srv_release(server->srv), status;
	char what = 'c';

	if (fd < 0 || mm_ipc_connected_pair2(fds, MM_IPC_CLOEXEC) != 0)
		fail("handing server %d over failed: %s", server->number, mm_get_lasterror_desc());
	this_worker->has_helper = true;
	helper = fork();
	REQUIRE(helper >= 0);
	if (helper == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		/* The ends of conversations must not stay open. */
		dup3(fds[1], 3, 0);
		syscall(SYS_close_range, 4, ~0U, 0);
		if (getppid() != worker)
			_exit(0);
		help(3, accept_ms);
	}
	close(fds[1]);
	REQUIRE(send_fd(fds[0], fd, 'l'));
	close(fd);
	begin(RECEIVING);
	while ((fd = receive_fd(fds[0], &what)) >= 0 && what == 'c')
		start_conversation(server, fd);
	begin(WORKING);
	close(fds[0]);
	/* It must not have the listener when the server is destroyed. */
	REQUIRE(waitpid(helper, &status, 0) == helper);
	this_worker->has_helper = false;
	if (fd < 0 || status != 0)
		fail("the listener of server %d was not returned: status %#x", server->number, (unsigned)status);
	server->srv = mm_ipc_srv_from_fd(fd);
	if (server->srv == NULL)
		fail("adopting the listener of server %d failed: %s", server->number, mm_get_lasterror_desc());
	this_worker->counters.handovers++;
}

/* --- the life of a server ----------------------------------------------------------------------------------------- */

static void accept_for(struct server *server, int lifetime, int acceptor_count, bool is_last)
{
	struct fate *fate = &shared->fates[server->number];
	pthread_t acceptors[MOST_ACCEPTORS];

	server->is_closing = false;
	for (int i = 0; i < acceptor_count; i++)
		start(&acceptors[i], accept_clients, server);
	begin(PAUSING);
	for (int64_t until = now_ms() + lifetime; now_ms() < until && !shared->servers_stop;)
		pause_ms(2);
	if (is_last) {
		fate->ending++;
		fate->ends++;
		wake_crowd(server->number);
		begin(DESTROYING);
	}
	server->is_closing = true;
	if (is_last) {
		wait_until_nobody_is_about_to_accept();
		mm_ipc_srv_destroy(server->srv);
	}
	begin(JOINING);
	for (int i = 0; i < acceptor_count; i++)
		REQUIRE(pthread_join(acceptors[i], NULL) == 0);
	begin(WORKING);
}

static void serve_for_a_while(struct server *server, uint64_t *random)
{
	int acceptor_count = 1 + (int)(next_random(random) % MOST_ACCEPTORS);
	int lifetime = 2 + (int)(next_random(random) % 400);

	if (next_random(random) % 2 == 0) {
		server->srv = create_in_race(server->number);
	} else {
		struct racer alone = {.number = server->number};
		pthread_t thread;

		start(&thread, race, &alone);
		begin(JOINING);
		REQUIRE(pthread_join(thread, NULL) == 0);
		begin(WORKING);
		if ((server->srv = alone.srv) == NULL)
			fail("server %d was not created: its address is in use", server->number);
	}
	this_worker->counters.creations++;
	server->is_temporary = shared->has_handovers && next_random(random) % 4 == 0;
	if (server->is_temporary) {
		accept_for(server, lifetime / 4, acceptor_count, false);
		hand_over(server, (int)(next_random(random) % 50));
		server->is_temporary = false;
	}
	accept_for(server, lifetime, acceptor_count, true);
	shared->fates[server->number].ending--;
}

static void run_server(int number, uint64_t random)
{
	static struct server server;
	int open_before = count_open_descriptors();

	server.number = number;
	enter_thread();
	while (!shared->servers_stop) {
		serve_for_a_while(&server, &random);
		if (next_random(&random) % 4 == 0 || shared->servers_stop) {
			begin(JOINING);
			while (server.conversations > 0)
				pause_ms(1);
			begin(WORKING);
			int open_now = count_open_descriptors();

			if (open_now != open_before)
				fail("the server has %d descriptors, expected %d", open_now, open_before);
		}
		if (next_random(&random) % 2 == 0) {
			begin(PAUSING);
			pause_ms((int)(next_random(&random) % 150));
		}
	}
	/* A listener that was handed over leaves its path, as a killed server does. The next server replaces it. */
	begin(DESTROYING);
	mm_ipc_srv_destroy(create_in_race(number));
	begin(WORKING);
}

/* --- clients ------------------------------------------------------------------------------------------------------ */

struct batch {
	uint64_t random;
	int conversations;
};

static void *converse(void *arg)
{
	struct batch *batch = arg;

	enter_thread();
	for (int i = 0; i < batch->conversations && !shared->clients_stop; i++)
		converse_as_client(&batch->random);
	leave_thread();
	return NULL;
}

/* Every fourth client has four threads. */
static void run_client(int number, uint64_t random)
{
	int open_before = count_open_descriptors(), thread_count = number % 4 == 0 ? 4 : 1;

	while (!shared->clients_stop) {
		struct batch batches[4];
		pthread_t threads[4];

		for (int i = 0; i < thread_count; i++) {
			batches[i] = (struct batch){next_random(&random), 10};
			if (thread_count > 1)
				start(&threads[i], converse, &batches[i]);
			else
				converse(&batches[i]);
		}
		for (int i = 0; i < thread_count && thread_count > 1; i++)
			REQUIRE(pthread_join(threads[i], NULL) == 0);
		if (count_open_descriptors() != open_before)
			fail("the client has %d descriptors, expected %d", count_open_descriptors(), open_before);
	}
}

/* --- the supervisor ----------------------------------------------------------------------------------------------- */

static void start_worker(int index, uint64_t random)
{
	struct worker *worker = &shared->workers[index];
	pid_t parent = getpid(), pid;

	memset(worker->activities, 0, sizeof(worker->activities));
	memset(worker->quits, 0, sizeof(worker->quits));
	worker->continue_at_ms = 0;
	worker->has_helper = false;
	pid = fork();
	REQUIRE(pid >= 0);
	if (pid == 0) {
		this_worker = worker;
		/* Its peers look for it, possibly before its parent continues. */
		worker->pid = getpid();
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		if (index < SERVERS)
			run_server(index, random);
		else
			run_client(index - SERVERS, random);
		_exit(0);
	}
	worker->pid = pid;
}

static void count_kills(const struct worker *worker)
{
	for (int i = 0; i < MOST_THREADS; i++)
		kills[worker->activities[i].phase]++;
}

/* Children of this process, as a list of numbers. */
static const char children_file[] = "/proc/thread-self/children";

static bool is_worker(pid_t pid)
{
	for (int index = 0; index < WORKERS; index++)
		if (shared->workers[index].pid == pid)
			return true;
	return false;
}

/* The helper of a killed worker is now a child of this process. It may still have the listener. */
static void kill_helpers(void)
{
	static pid_t pids[WORKERS + MOST_IN_CROWD + 16];
	FILE *file = fopen(children_file, "re");
	int count = 0;

	REQUIRE(file != NULL);
	while (count < (int)(sizeof(pids) / sizeof(pids[0])) && fscanf(file, "%d", &pids[count]) == 1)
		count++;
	fclose(file);
	for (int i = 0; i < count; i++) {
		if (!is_worker(pids[i]) && !is_in_crowd(pids[i])) {
			kill(pids[i], SIGKILL);
			REQUIRE(waitpid(pids[i], NULL, 0) == pids[i]);
		}
	}
}

static void kill_and_replace(int index, uint64_t random)
{
	struct worker *worker = &shared->workers[index];
	int status;

	if (index < SERVERS) {
		shared->fates[index].ending++;
		shared->fates[index].ends++;
		wake_crowd(index);
		server_kills++;
	}
	count_kills(worker);
	shared->deaths[shared->death_count % DEATHS] = worker->pid;
	shared->death_count++;
	kill(worker->pid, SIGKILL);
	REQUIRE(waitpid(worker->pid, &status, 0) == worker->pid);
	if (!WIFSIGNALED(status)) {
		fprintf(stderr, "FAILED: process %d ended with status %#x\n", (int)worker->pid, (unsigned)status);
		shared->failed = true;
	}
	if (worker->has_helper)
		kill_helpers();
	/* Also if it was killed while it destroyed its server. */
	if (index < SERVERS)
		shared->fates[index].ending = 0;
	start_worker(index, random);
}

static void continue_worker(struct worker *worker)
{
	int64_t now = now_ms();

	/* The time for which it was stopped does not count. */
	for (int i = 0; i < MOST_THREADS; i++)
		worker->activities[i].since_ms = now;
	worker->continue_at_ms = 0;
	kill(worker->pid, SIGCONT);
}

static void print_file(const char *format, pid_t pid, pid_t tid, const char *name)
{
	char path[64], text[512] = "";

	snprintf(path, sizeof(path), format, (int)pid, (int)tid, name);
	FILE *file = fopen(path, "re");

	if (file == NULL)
		return;
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	fprintf(stderr, "    %s: %s%s", name, text, strchr(text, '\n') ? "" : "\n");
}

static bool look_for_hangs(void)
{
	bool found = false;

	for (int index = 0; index < WORKERS; index++) {
		struct worker *worker = &shared->workers[index];

		for (int i = 0; i < MOST_THREADS && worker->continue_at_ms == 0; i++) {
			struct activity *activity = &worker->activities[i];
			/* In this order: a thread stores the start time before the action. */
			enum phase phase = activity->phase;
			int64_t age = now_ms() - activity->since_ms;

			if (phase == FREE || phase == STARTING || age < hang_ms)
				continue;
			found = true;
			fprintf(stderr, "HANGS: %s %d, process %d, thread %d, %s for %lld ms, conversation %u\n",
			        index < SERVERS ? "server" : "client", index, (int)worker->pid, (int)activity->tid,
			        phase_names[phase], (long long)age, activity->conversation);
			print_file("/proc/%d/task/%d/%s", worker->pid, activity->tid, "wchan");
			print_file("/proc/%d/task/%d/%s", worker->pid, activity->tid, "syscall");
			print_file("/proc/%d/task/%d/%s", worker->pid, activity->tid, "stack");
		}
	}
	return found;
}

/* A worker that ended without being killed has failed. */
static bool look_for_deaths(void)
{
	int status;
	pid_t pid = waitpid(-1, &status, WNOHANG);

	if (pid <= 0)
		return false;
	leave_crowd(pid);
	for (int index = 0; index < WORKERS; index++)
		if (shared->workers[index].pid == pid)
			shared->workers[index].pid = 0;
	fprintf(stderr, "FAILED: process %d ended with status %#x\n", (int)pid, (unsigned)status);
	return true;
}

static void torture(uint64_t *random, int64_t until)
{
	while (now_ms() < until && !shared->failed) {
		int stopped = 0;

		for (int index = 0; index < WORKERS; index++) {
			struct worker *worker = &shared->workers[index];

			if (worker->continue_at_ms != 0 && worker->continue_at_ms <= now_ms())
				continue_worker(worker);
			stopped += worker->continue_at_ms != 0;
		}
		int index = (int)(next_random(random) % WORKERS);
		uint64_t what = next_random(random) % 100;

		/* Killing a server ends all its conversations. */
		if (what < 35 && (index >= SERVERS || what < 20)) {
			kill_and_replace(index, next_random(random));
		} else if (what < 60 && stopped < STOPPED_AT_ONCE && shared->workers[index].continue_at_ms == 0) {
			shared->workers[index].continue_at_ms = now_ms() + 1 + (int64_t)(next_random(random) % 300);
			kill(shared->workers[index].pid, SIGSTOP);
			stops++;
		}
		if (!disturb_crowd(random, hang_ms) || look_for_deaths() || look_for_hangs())
			shared->failed = true;
		pause_ms((int)(next_random(random) % 12));
	}
	for (int index = 0; index < WORKERS; index++)
		if (shared->workers[index].continue_at_ms != 0)
			continue_worker(&shared->workers[index]);
}

/* Waits for workers that have been told to stop. */
static void wait_for(int first, int last)
{
	for (int index = first; index < last && !shared->failed;) {
		struct worker *worker = &shared->workers[index];
		int status;
		pid_t ended = waitpid(worker->pid, &status, WNOHANG);

		REQUIRE(ended >= 0);
		if (ended > 0) {
			if (status != 0) {
				fprintf(stderr, "FAILED: process %d ended with status %#x\n", (int)ended,
				        (unsigned)status);
				shared->failed = true;
			}
			index++;
		} else if (look_for_hangs()) {
			shared->failed = true;
		} else {
			pause_ms(2);
		}
	}
}

/* The names that the library uses for waiting clients of a server. */
static void name_slots(const char *name, char *slots, size_t size)
{
	struct sockaddr_un address = slot_address(name, 0);

	/* Without the number. */
	snprintf(slots, size, "%.33s", address.sun_path + 1);
}

static bool is_ours(const char *line)
{
	char slots[64];

	for (int i = 0; i < SERVERS; i++) {
		name_slots(shared->names[i], slots, sizeof(slots));
		if (strstr(line, shared->names[i]) != NULL || strstr(line, slots) != NULL)
			return true;
	}
	return has_own_network;
}

/* Sockets of this network namespace, or those with our names if others use the namespace, too. */
static int count_sockets(bool shows)
{
	char line[512];
	int count = 0;
	FILE *file = fopen("/proc/self/net/unix", "re");

	REQUIRE(file != NULL && fgets(line, sizeof(line), file) != NULL);
	while (fgets(line, sizeof(line), file) != NULL) {
		if (!is_ours(line))
			continue;
		if (shows)
			fprintf(stderr, "LEFT BEHIND: %s", line);
		count++;
	}
	fclose(file);
	return count;
}

static bool leaves_nothing(int open_before)
{
	bool nothing = true;

	/* The kernel may still be releasing messages in flight. */
	for (int i = 0; i < 1000 && count_sockets(false) > 0; i++)
		pause_ms(5);
	nothing = count_sockets(true) == 0;
	if (count_open_descriptors() != open_before) {
		fprintf(stderr, "LEFT BEHIND: %d descriptors\n", count_open_descriptors() - open_before);
		nothing = false;
	}
	if (waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD) {
		fprintf(stderr, "LEFT BEHIND: a process\n");
		nothing = false;
	}
	if (rmdir(shared->directory) != 0) {
		fprintf(stderr, "LEFT BEHIND: %s is not empty\n", shared->directory);
		nothing = false;
	}
	return nothing;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
	(void)status, (void)type, (void)where;
	return remove(path);
}

static void kill_all(void)
{
	for (int index = 0; index < WORKERS; index++)
		if (shared->workers[index].pid > 0)
			kill(shared->workers[index].pid, SIGKILL);
	end_crowd();
}

static void report(double seconds)
{
	struct counters sum = {0};

	for (int i = 0; i < WORKERS; i++) {
		struct counters *counters = &shared->workers[i].counters;

		sum.conversations += counters->conversations;
		sum.messages += counters->messages;
		sum.bytes += counters->bytes;
		sum.descriptors += counters->descriptors;
		sum.ends += counters->ends;
		sum.waits += counters->waits;
		sum.creations += counters->creations;
		sum.races += counters->races;
		sum.handovers += counters->handovers;
		sum.timeouts += counters->timeouts;
		sum.watches += counters->watches;
	}
	printf("torture: %.1f s, %llu conversations, %llu messages, %llu MB, %llu descriptors, %llu ends of streams\n",
	       seconds, (unsigned long long)sum.conversations, (unsigned long long)sum.messages,
	       (unsigned long long)sum.bytes / 1000000, (unsigned long long)sum.descriptors,
	       (unsigned long long)sum.ends);
	printf("torture: %u kills (%llu of servers), %llu stops, %llu servers created, %llu connects of over 1 ms\n",
	       shared->death_count, (unsigned long long)server_kills, (unsigned long long)stops,
	       (unsigned long long)sum.creations, (unsigned long long)sum.waits);
	printf("torture: %llu races to create a server, %llu handovers, %llu timeouts, %llu waits for a watch\n",
	       (unsigned long long)sum.races, (unsigned long long)sum.handovers, (unsigned long long)sum.timeouts,
	       (unsigned long long)sum.watches);
	report_crowd();
	printf("torture: threads killed while");
	for (int phase = WORKING; phase < PHASES; phase++)
		printf(" %s %llu%s", phase_names[phase], (unsigned long long)kills[phase],
		       phase < PHASES - 1 ? "," : "\n");
	/* A test in which the tested situations never occurred has shown nothing. */
	if (sum.messages < 1000 || sum.descriptors < 1000 || shared->death_count == 0 || server_kills == 0 ||
	    stops == 0 || sum.creations <= SERVERS || sum.races == 0 || sum.timeouts == 0 || sum.watches == 0 ||
	    (shared->has_handovers && sum.handovers == 0)) {
		fprintf(stderr, "FAILED: the tested situations occurred too rarely\n");
		shared->failed = true;
	}
}

static void prepare(uint64_t seed)
{
	struct rlimit limit;

	REQUIRE(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	limit.rlim_cur = limit.rlim_max;
	REQUIRE(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	has_own_network = unshare(CLONE_NEWNET) == 0;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	mm_log_set_maxlvl(MM_LOG_NONE);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	REQUIRE(shared != MAP_FAILED);
	shared->seed = seed;
	/* All conversations may use one server. */
	shared->most_descriptors = limit.rlim_cur >= 20000 ? 253 : (int)(limit.rlim_cur / 80) - 16;
	if (shared->most_descriptors > 253)
		shared->most_descriptors = 253;
	REQUIRE(shared->most_descriptors > 0);
	shared->has_handovers = access(children_file, R_OK) == 0;
	strcpy(shared->directory, "/tmp/mmsysio-torture-XXXXXX");
	REQUIRE(mkdtemp(shared->directory) != NULL);
	for (int i = 0; i < SERVERS; i++) {
		if (flags_of(i) & MM_IPC_PATH)
			snprintf(shared->names[i], sizeof(shared->names[i]), "%s/%d", shared->directory, i);
		else
			snprintf(shared->names[i], sizeof(shared->names[i]), "mmsysio-torture-%d-%d", (int)getpid(), i);
	}
}

int main(int argc, char *argv[])
{
	double seconds = argc > 1 ? atof(argv[1]) : 60;
	uint64_t seed = argc > 2 && *argv[2] != '\0' ? strtoull(argv[2], NULL, 0)
	                                             : (uint64_t)time(NULL) ^ (uint64_t)getpid() << 32;
	uint64_t random = seed;
	int crowd = argc > 3 ? atoi(argv[3]) : 0;
	int open_before = count_open_descriptors();
	int64_t start_ms = now_ms();

	prepare(seed);
	prepare_crowd(crowd);
	printf("torture: seed %llu, up to %d descriptors, %s network namespace\n", (unsigned long long)seed,
	       shared->most_descriptors, has_own_network ? "own" : "shared");
	fflush(stdout);
	/* The clients start before their servers. */
	for (int index = WORKERS; index-- > 0;) {
		if (index == SERVERS - 1)
			pause_ms(50);
		start_worker(index, next_random(&random));
	}
	start_crowd(next_random(&random));
	torture(&random, start_ms + (int64_t)(seconds * 1000));
	if (!shared->failed)
		end_crowd();
	shared->clients_stop = true;
	wait_for(SERVERS, WORKERS);
	shared->servers_stop = true;
	wait_for(0, SERVERS);
	if (shared->failed) {
		kill_all();
		nftw(shared->directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	} else if (!leaves_nothing(open_before)) {
		shared->failed = true;
	}
	if (!shared->failed)
		report((double)(now_ms() - start_ms) / 1000);
	if (shared->failed)
		fprintf(stderr, "FAILED: run it again with seed %llu\n", (unsigned long long)seed);
	return shared->failed ? 1 : 0;
}
