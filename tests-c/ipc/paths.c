/* SPDX-License-Identifier: Apache-2.0 */
/*
 * paths.c: servers at paths in the file system
 */
#include "servers.h"

#include <sys/file.h>

static struct stat status_of(const char *path)
{
	struct stat status;

	ck_assert_msg(lstat(path, &status) == 0, "%s: %s", path, strerror(errno));
	return status;
}

static void assert_no_server(const char *path, int error)
{
	assert_fails_with_null(mm_ipc_srv_create2(path, MM_IPC_PATH, 0600), error);
}

/* --- permissions and owner ---------------------------------------------------------------------------------------- */

static void create_with_each_mode(void)
{
	static const mode_t umasks[] = {0, 022, 027, 077, 0111, 0777},
			    modes[] = {0, 0600, 0660, 0666, 0777, 0060, 0020, 0002, 0444, 0640, 0001, 0200};

	for (int i = 0; i < MM_NELEM(umasks); i++) {
		umask(umasks[i]);
		for (int k = 0; k < MM_NELEM(modes); k++) {
			struct mm_ipc_srv *srv = create_path("socket", modes[k]);
			struct stat status = status_of("socket");

			ck_assert_uint_eq(status.st_mode, S_IFSOCK | modes[k]);
			ck_assert_uint_eq(status.st_uid, geteuid());
			ck_assert_uint_eq(status.st_gid, getegid());
			ck_assert_int_eq(count_names("."), 1);
			mm_ipc_srv_destroy(srv);
			ck_assert_int_eq(count_names("."), 0);
			ck_assert_uint_eq(umask(umasks[i]), umasks[i]);
		}
	}
}

START_TEST(mode_is_exact_whatever_the_umask)
{
	enter_scratch_directory();
	create_with_each_mode();
	umask(022);
	as_ordinary_user(create_with_each_mode);
	leave_scratch_directory();
}
END_TEST

START_TEST(group_is_that_of_a_set_group_id_directory)
{
	enter_scratch_directory();
	if (is_root("the group of a set-group-ID directory")) {
		ck_assert_int_eq(mkdir("group", 0700), 0);
		ck_assert_int_eq(chown("group", 0, NOBODY), 0);
		ck_assert_int_eq(chmod("group", 02700), 0);
		struct mm_ipc_srv *srv = create_path("group/socket", 0660);

		ck_assert_uint_eq(status_of("group/socket").st_gid, NOBODY);
		ck_assert_uint_eq(status_of("group/socket").st_mode, S_IFSOCK | 0660);
		mm_ipc_srv_destroy(srv);
	}
	leave_scratch_directory();
}
END_TEST

static void be_denied(void)
{
	struct sockaddr_un address = path_address("socket");

	assert_fails(mm_ipc_connect2("socket", MM_IPC_PATH, 0), EACCES);
	assert_fails(mm_ipc_connect2("socket", MM_IPC_PATH, -1), EACCES);
	ck_assert_int_eq(connect_plainly(&address), -1);
	ck_assert_int_eq(errno, EACCES);
	/* Neither can such a user find out whether the server is alive, nor replace it. */
	assert_no_server("socket", EACCES);
}

static void be_permitted(void)
{
	int fd = connect_path("socket");

	close_all(1, &fd);
}

START_TEST(mode_decides_which_users_can_connect)
{
	static const mode_t denying[] = {0600, 0660, 0664, 0775}, permitting[] = {0666, 0002, 0777, 0662};

	enter_scratch_directory();
	if (is_root("connecting as another user")) {
		for (int i = 0; i < 4; i++) {
			struct mm_ipc_srv *srv = create_path("socket", denying[i]);

			as_ordinary_user(be_denied);
			assert_serves_path(srv, "socket");
			mm_ipc_srv_destroy(srv);
			srv = create_path("socket", permitting[i]);
			as_ordinary_user(be_permitted);
			mm_ipc_srv_destroy(srv);
		}
	}
	leave_scratch_directory();
}
END_TEST

/* --- paths -------------------------------------------------------------------------------------------------------- */

START_TEST(relative_path_belongs_to_the_directory_in_which_the_server_was_created)
{
	struct mm_ipc_srv *srv, *other;

	enter_scratch_directory();
	ck_assert_int_eq(mkdir("other", 0700), 0);
	srv = create_path("socket", 0600);
	ck_assert_int_eq(chdir("other"), 0);
	other = create_path("socket", 0600);
	assert_serves_path(srv, "../socket");
	assert_serves_path(other, "./socket");
	mm_ipc_srv_destroy(srv);
	ck_assert(!exists("../socket"));
	assert_serves_path(other, "../other//socket");
	ck_assert_int_eq(chdir(".."), 0);
	mm_ipc_srv_destroy(other);
	ck_assert_int_eq(count_names("other"), 0);
	leave_scratch_directory();
}
END_TEST

START_TEST(absolute_path_is_that_of_a_relative_one)
{
	char path[4096];

	enter_scratch_directory();
	ck_assert_ptr_nonnull(getcwd(path, sizeof(path) - 10));
	strcat(path, "/socket");
	struct mm_ipc_srv *srv = create_path(path, 0600);

	assert_serves_path(srv, "socket");
	assert_no_server("socket", EADDRINUSE);
	mm_ipc_srv_destroy(srv);
	srv = create_path("socket", 0600);
	assert_serves_path(srv, path);
	mm_ipc_srv_destroy(srv);
	leave_scratch_directory();
}
END_TEST

/* A path of that length, the last component of which has 'last' bytes. Its directories are created. */
static const char *path_of_length(size_t length, size_t last)
{
	static char path[8192];
	size_t end = length - last;

	ck_assert_uint_gt(end, 1);
	for (size_t i = 0; i < end; i++) {
		/* Components of at most 100 bytes, and none is empty. */
		bool is_slash = i == end - 1 || (i % 100 == 99 && i < end - 2);

		path[i] = is_slash ? '/' : 'd';
		if (is_slash) {
			path[i] = '\0';
			ck_assert(mkdir(path, 0700) == 0 || errno == EEXIST);
			path[i] = '/';
		}
	}
	memset(path + end, 'n', last);
	path[length] = '\0';
	return path;
}

START_TEST(path_can_be_longer_than_a_socket_address)
{
	static const struct {
		size_t length, last;
	} paths[] = {{106, 10},  {107, 10}, {108, 10}, {109, 10}, {200, 80},  {1000, 80},
	             {4000, 80}, {106, 80}, {108, 80}, {107, 1},  {107, 100}, {3999, 1}};

	enter_scratch_directory();
	for (int i = 0; i < MM_NELEM(paths); i++) {
		const char *path = path_of_length(paths[i].length, paths[i].last);
		struct mm_ipc_srv *srv = create_path(path, 0640);

		ck_assert_uint_eq(status_of(path).st_mode, S_IFSOCK | 0640);
		assert_no_server(path, EADDRINUSE);
		assert_serves_path(srv, path);
		mm_ipc_srv_destroy(srv);
		ck_assert(!exists(path));
		assert_fails(mm_ipc_connect2(path, MM_IPC_PATH, 0), ECONNREFUSED);
		assert_fails(mm_ipc_connect2(path, MM_IPC_PATH, 5), ETIMEDOUT);
		int watch = mm_ipc_watch(path, MM_IPC_PATH);

		ck_assert_int_ge(watch, 0);
		close_all(1, &watch);
	}
	leave_scratch_directory();
}
END_TEST

START_TEST(path_that_is_too_long_is_rejected)
{
	static char path[10000];

	enter_scratch_directory();
	for (int i = 0; i < 4; i++) {
		switch (i) {
		case 0: /* a last component that neither the address nor the one through /proc can contain */
			strcpy(path, path_of_length(300, 100));
			break;
		case 1: /* longer than the file system permits */
			memset(path, 'n', 300);
			path[300] = '\0';
			break;
		case 2: /* longer than any path, in directories that exist */
			for (size_t k = 0; k < 5000; k++)
				path[k] = "./"[k % 2];
			strcpy(path + 5000, "socket");
			break;
		default:
			memset(path, 'n', sizeof(path) - 1);
			path[sizeof(path) - 1] = '\0';
		}
		int names = count_names(".");

		assert_no_server(path, ENAMETOOLONG);
		assert_fails(mm_ipc_connect2(path, MM_IPC_PATH, 0), ENAMETOOLONG);
		assert_fails(mm_ipc_connect2(path, MM_IPC_PATH, -1), ENAMETOOLONG);
		assert_fails(mm_ipc_watch(path, MM_IPC_PATH), ENAMETOOLONG);
		ck_assert_int_eq(count_names("."), names);
	}
	leave_scratch_directory();
}
END_TEST

static void assert_invalid(const char *path, int error)
{
	assert_no_server(path, error);
	assert_fails(mm_ipc_connect2(path, MM_IPC_PATH, 0), error);
	assert_fails(mm_ipc_connect2(path, MM_IPC_PATH, 50), error);
	assert_fails(mm_ipc_connect2(path, MM_IPC_PATH, -1), error);
	assert_fails(mm_ipc_watch(path, MM_IPC_PATH), error);
}

START_TEST(path_without_a_directory_is_rejected)
{
	enter_scratch_directory();
	write_file("file", "");
	ck_assert_int_eq(mkdir("directory", 0700), 0);
	ck_assert_int_eq(symlink("loop", "loop"), 0);
	ck_assert_int_eq(symlink("nowhere", "dangling"), 0);
	assert_invalid("", ENOENT);
	assert_invalid("/", EISDIR);
	assert_invalid("directory/", EISDIR);
	assert_invalid("none/", EISDIR);
	assert_invalid("file/", EISDIR);
	assert_invalid("none/socket", ENOENT);
	assert_invalid("none/../socket", ENOENT);
	assert_invalid("dangling/socket", ENOENT);
	assert_invalid("file/socket", ENOTDIR);
	assert_invalid("loop/socket", ELOOP);
	ck_assert_int_eq(count_names("."), 4);
	ck_assert_int_eq(count_names("directory"), 0);
	leave_scratch_directory();
}
END_TEST

START_TEST(name_may_contain_any_bytes)
{
	static const char *const names[] = {" ",       "\n",          "\xff\xfe",    "-",  "...",
	                                    ".hidden", "socket.lock", ".socket.new", "\\", "%s"};

	enter_scratch_directory();
	for (int i = 0; i < MM_NELEM(names); i++) {
		struct mm_ipc_srv *srv = create_path(names[i], 0600);

		assert_serves_path(srv, names[i]);
		mm_ipc_srv_destroy(srv);
		ck_assert_int_eq(count_names("."), 0);
	}
	leave_scratch_directory();
}
END_TEST

START_TEST(names_that_differ_only_at_their_end_are_different_servers)
{
	char names[3][101];
	struct mm_ipc_srv *servers[3];

	enter_scratch_directory();
	for (int i = 0; i < 3; i++) {
		memset(names[i], 'n', 100);
		names[i][99 - i] = 'x';
		names[i][100] = '\0';
		servers[i] = create_path(names[i], 0600);
	}
	ck_assert_int_eq(count_names("."), 3);
	for (int i = 0; i < 3; i++)
		assert_serves_path(servers[i], names[i]);
	for (int i = 0; i < 3; i++)
		mm_ipc_srv_destroy(servers[i]);
	ck_assert_int_eq(count_names("."), 0);
	leave_scratch_directory();
}
END_TEST

static void try_in_unwritable_directory(void)
{
	assert_no_server("unwritable/socket", EACCES);
	assert_no_server("closed/socket", EACCES);
	assert_fails(mm_ipc_connect2("closed/socket", MM_IPC_PATH, 0), EACCES);
	assert_fails(mm_ipc_connect2("closed/socket", MM_IPC_PATH, -1), EACCES);
	/* Not even a leftover can be replaced. */
	assert_no_server("unwritable/leftover", EACCES);
}

START_TEST(unwritable_directory_is_eacces)
{
	enter_scratch_directory();
	ck_assert_int_eq(mkdir("unwritable", 0755), 0);
	close(listen_plainly("unwritable/leftover", 1));
	ck_assert_int_eq(chmod("unwritable/leftover", 0777), 0);
	ck_assert_int_eq(chmod("unwritable", 0555), 0);
	ck_assert_int_eq(mkdir("closed", 0000), 0);
	as_ordinary_user(try_in_unwritable_directory);
	ck_assert_int_eq(count_names("unwritable"), 1);
	ck_assert_int_eq(chmod("unwritable", 0755), 0);
	leave_scratch_directory();
}
END_TEST

/* --- files at the path -------------------------------------------------------------------------------------------- */

static void assert_not_replaced(const char *path)
{
	struct stat before = status_of(path);
	int names = count_names(".");

	assert_no_server(path, EADDRINUSE);
	struct stat after = status_of(path);

	ck_assert_uint_eq(after.st_ino, before.st_ino);
	ck_assert_uint_eq(after.st_mode, before.st_mode);
	ck_assert_int_eq(count_names("."), names);
}

START_TEST(file_of_another_type_is_not_replaced)
{
	struct mm_ipc_srv *srv;

	enter_scratch_directory();
	write_file("file", "content");
	ck_assert_int_eq(mkdir("directory", 0700), 0);
	ck_assert_int_eq(mkfifo("fifo", 0600), 0);
	srv = create_path("server", 0600);
	close(listen_plainly("leftover", 1));
	ck_assert_int_eq(symlink("file", "link-to-file"), 0);
	ck_assert_int_eq(symlink("server", "link-to-server"), 0);
	ck_assert_int_eq(symlink("leftover", "link-to-leftover"), 0);
	ck_assert_int_eq(symlink("nowhere", "dangling"), 0);
	assert_not_replaced("file");
	assert_not_replaced("directory");
	assert_not_replaced("directory/.");
	assert_not_replaced("directory/..");
	assert_not_replaced(".");
	assert_not_replaced("fifo");
	assert_not_replaced("link-to-file");
	assert_not_replaced("link-to-server");
	assert_not_replaced("link-to-leftover");
	assert_not_replaced("dangling");
	ck_assert(has_text("file", "content"));
	ck_assert(!exists("nowhere"));
	/* A client may use a link. */
	assert_serves_path(srv, "link-to-server");
	mm_ipc_srv_destroy(srv);
	leave_scratch_directory();
}
END_TEST

START_TEST(socket_that_another_program_uses_is_not_replaced)
{
	static const int types[] = {SOCK_SEQPACKET, SOCK_STREAM, SOCK_DGRAM};

	enter_scratch_directory();
	for (int i = 0; i < MM_NELEM(types); i++) {
		for (int is_listening = 0; is_listening < 2; is_listening++) {
			int fd = bind_plainly("socket", types[i]);

			if (is_listening)
				listen(fd, 4);
			assert_not_replaced("socket");
			/* Nothing has connected to it. */
			if (is_listening && types[i] != SOCK_DGRAM)
				ck_assert(!is_readable(fd, 0));
			close(fd);
			/* It is a leftover now, whatever its type. */
			struct mm_ipc_srv *srv = create_path("socket", 0600);

			assert_serves_path(srv, "socket");
			mm_ipc_srv_destroy(srv);
		}
	}
	ck_assert_int_eq(count_names("."), 0);
	leave_scratch_directory();
}
END_TEST

START_TEST(server_with_a_full_queue_is_not_replaced)
{
	int clients[64], listener;

	enter_scratch_directory();
	struct sockaddr_un address = path_address("socket");
	int count = listen_with_full_queue(&address, &listener, clients);

	assert_not_replaced("socket");
	close_all(count, clients);
	close_all(1, &listener);
	leave_scratch_directory();
}
END_TEST

START_TEST(path_in_use_is_rejected)
{
	struct mm_ipc_srv *srv;

	enter_scratch_directory();
	srv = create_path("socket", 0000);
	assert_not_replaced("socket");
	mm_ipc_srv_destroy(srv);
	srv = create_path("socket", 0600);
	for (int i = 0; i < 100; i++)
		assert_not_replaced("socket");
	assert_serves_path(srv, "socket");
	mm_ipc_srv_destroy(srv);
	leave_scratch_directory();
}
END_TEST

START_TEST(socket_of_another_type_is_eprototype_for_a_client)
{
	enter_scratch_directory();
	int fd = bind_plainly("socket", SOCK_STREAM);

	ck_assert_int_eq(listen(fd, 1), 0);
	assert_fails(mm_ipc_connect2("socket", MM_IPC_PATH, 0), EPROTOTYPE);
	assert_fails(mm_ipc_connect2("socket", MM_IPC_PATH, -1), EPROTOTYPE);
	close(fd);
	leave_scratch_directory();
}
END_TEST

static mode_t mode_of_leftover;

static int run_leave_server_behind(void *arg)
{
	if (arg != NULL && geteuid() == 0)
		ck_assert(setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0);
	/* Not a leak. */
	static struct mm_ipc_srv *kept;

	kept = create_path("socket", mode_of_leftover);
	ck_assert_ptr_nonnull(kept);
	raise(SIGKILL);
	return 0;
}

static void replace_leftover(void)
{
	ck_assert_int_eq(status_of("socket").st_mode, S_IFSOCK | mode_of_leftover);
	struct mm_ipc_srv *srv = create_path("socket", 0600);

	ck_assert_int_eq(status_of("socket").st_mode, S_IFSOCK | 0600);
	assert_serves_path(srv, "socket");
	ck_assert_int_eq(count_names("."), 1);
	mm_ipc_srv_destroy(srv);
	ck_assert_int_eq(count_names("."), 0);
}

START_TEST(leftover_of_a_killed_server_is_replaced_whatever_its_mode)
{
	/* With some of these, its own user cannot connect to it. */
	static const mode_t modes[] = {0600, 0666, 0060, 0444, 0000};
	int status;

	enter_scratch_directory();
	for (int as_user = 0; as_user < 2; as_user++) {
		for (int i = 0; i < MM_NELEM(modes); i++) {
			mode_of_leftover = modes[i];
			pid_t child = start_child(run_leave_server_behind, as_user ? "as user" : NULL);

			ck_assert_int_eq(waitpid(child, &status, 0), child);
			ck_assert_int_eq(WTERMSIG(status), SIGKILL);
			if (as_user)
				as_ordinary_user(replace_leftover);
			else
				replace_leftover();
		}
	}
	leave_scratch_directory();
}
END_TEST

static void keep_server_to_itself(void)
{
	struct mm_ipc_srv *srv = create_path("socket", mode_of_leftover);

	assert_not_replaced("socket");
	ck_assert(!is_readable(mm_ipc_srv_fd(srv), 0));
	mm_ipc_srv_destroy(srv);
	ck_assert_int_eq(count_names("."), 0);
}

START_TEST(server_to_which_its_own_user_cannot_connect_is_not_replaced)
{
	static const mode_t modes[] = {0060, 0006, 0000, 0577};

	enter_scratch_directory();
	for (int i = 0; i < MM_NELEM(modes); i++) {
		mode_of_leftover = modes[i];
		as_ordinary_user(keep_server_to_itself);
	}
	leave_scratch_directory();
}
END_TEST

START_TEST(files_of_a_killed_server_with_the_internal_names_are_replaced)
{
	enter_scratch_directory();
	/* Of one that was killed while it created its path: the lock, and the socket without its final name. */
	close(bind_plainly(".socket.new", SOCK_SEQPACKET));
	write_file(".socket.lock", "");
	struct mm_ipc_srv *srv = create_path("socket", 0600);

	assert_serves_path(srv, "socket");
	ck_assert_int_eq(count_names("."), 1);
	mm_ipc_srv_destroy(srv);
	ck_assert_int_eq(count_names("."), 0);
	leave_scratch_directory();
}
END_TEST

START_TEST(process_that_keeps_the_lock_is_ebusy)
{
	int64_t start;

	enter_scratch_directory();
	int lock = open(".socket.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	ck_assert_int_eq(flock(lock, LOCK_EX), 0);
	start = now_ms();
	assert_no_server("socket", EBUSY);
	ck_assert_ptr_nonnull(strstr(mm_get_lasterror_desc(), "\".socket.lock\""));
	ck_assert_int_ge(now_ms() - start, 4000);
	ck_assert(!exists("socket"));
	close(lock);
	mm_ipc_srv_destroy(create_path("socket", 0600));
	ck_assert_int_eq(count_names("."), 0);
	leave_scratch_directory();
}
END_TEST

/* --- removal ------------------------------------------------------------------------------------------------------ */

static int destroy_copy(void *srv)
{
	mm_ipc_srv_destroy(srv);
	return 0;
}

START_TEST(forked_child_that_destroys_its_copy_does_not_remove_the_path)
{
	enter_scratch_directory();
	struct mm_ipc_srv *srv = create_path("socket", 0600);
	ino_t inode = status_of("socket").st_ino;

	assert_child_succeeds(start_child(destroy_copy, srv));
	ck_assert_uint_eq(status_of("socket").st_ino, inode);
	assert_serves_path(srv, "socket");
	assert_no_server("socket", EADDRINUSE);
	mm_ipc_srv_destroy(srv);
	ck_assert(!exists("socket"));
	leave_scratch_directory();
}
END_TEST

START_TEST(destroy_does_not_remove_the_path_of_a_successor)
{
	enter_scratch_directory();
	struct mm_ipc_srv *srv = create_path("socket", 0600), *successor;

	ck_assert_int_eq(unlink("socket"), 0);
	successor = create_path("socket", 0600);
	mm_ipc_srv_destroy(srv);
	assert_serves_path(successor, "socket");
	/* A program without the library. */
	ck_assert_int_eq(rename("socket", "elsewhere"), 0);
	int plain = listen_plainly("socket", 1);

	mm_ipc_srv_destroy(successor);
	ck_assert(exists("elsewhere"));
	struct sockaddr_un address = path_address("socket");
	int client = connect_plainly(&address);

	ck_assert_int_ge(client, 0);
	close_all(2, (int[]){plain, client});
	/* A file of another type. */
	ck_assert_int_eq(unlink("socket"), 0);
	srv = create_path("socket", 0600);
	ck_assert_int_eq(unlink("socket"), 0);
	write_file("socket", "content");
	mm_ipc_srv_destroy(srv);
	ck_assert(has_text("socket", "content"));
	leave_scratch_directory();
}
END_TEST

START_TEST(destroy_removes_the_path_in_a_directory_that_was_renamed)
{
	enter_scratch_directory();
	ck_assert_int_eq(mkdir("old", 0700), 0);
	struct mm_ipc_srv *srv = create_path("old/socket", 0600);

	ck_assert_int_eq(rename("old", "new"), 0);
	ck_assert_int_eq(mkdir("old", 0700), 0);
	struct mm_ipc_srv *other = create_path("old/socket", 0600);

	mm_ipc_srv_destroy(srv);
	ck_assert_int_eq(count_names("new"), 0);
	assert_serves_path(other, "old/socket");
	/* In one that was removed. */
	ck_assert_int_eq(unlink("old/socket"), 0);
	ck_assert_int_eq(rmdir("old"), 0);
	mm_ipc_srv_destroy(other);
	leave_scratch_directory();
}
END_TEST

START_TEST(path_is_free_immediately_after_destroy)
{
	enter_scratch_directory();
	for (int i = 0; i < 100; i++) {
		struct mm_ipc_srv *srv = create_path("socket", 0600);
		int client = connect_path("socket");

		mm_ipc_srv_destroy(srv);
		ck_assert_int_eq(count_names("."), 0);
		close_all(1, &client);
	}
	leave_scratch_directory();
}
END_TEST

START_TEST(path_stays_after_release)
{
	enter_scratch_directory();
	struct mm_ipc_srv *srv = create_path("socket", 0600);
	int fd = mm_ipc_srv_release(srv), client;

	ck_assert_int_ge(fd, 0);
	client = connect_path("socket");
	srv = adopt(fd);
	int served = accept2_from(srv, 0);

	assert_connected(client, served);
	mm_ipc_srv_destroy(srv);
	ck_assert(exists("socket"));
	/* Nobody serves it now: it is a leftover. */
	mm_ipc_srv_destroy(create_path("socket", 0600));
	ck_assert(!exists("socket"));
	close_all(2, (int[]){client, served});
	leave_scratch_directory();
}
END_TEST

/* --- clients without the library ---------------------------------------------------------------------------------- */

START_TEST(plain_client_can_connect)
{
	enter_scratch_directory();
	struct mm_ipc_srv *srv = create_path("socket", 0600);
	struct sockaddr_un address = path_address("socket");
	int client = connect_plainly(&address), served = accept2_from(srv, 0);

	assert_connected(client, served);
	close_all(2, (int[]){client, served});
	mm_ipc_srv_destroy(srv);
	leave_scratch_directory();
}
END_TEST

static int python_client(void *path)
{
	execlp("python3", "python3", "-c",
	       "import socket, sys\n"
	       "client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)\n"
	       "client.connect(sys.argv[1])\n"
	       "client.send(b'from Python')\n"
	       "assert client.recv(20) == b'from C'\n",
	       path, (char *)NULL);
	return 127;
}

START_TEST(python_client_can_connect)
{
	char text[20];

	enter_scratch_directory();
	struct mm_ipc_srv *srv = create_path("socket", 0600);
	pid_t child = start_child(python_client, "socket");
	int served = accept2_from(srv, 0);

	ck_assert_int_eq(mm_read(served, text, sizeof(text)), 11);
	ck_assert_mem_eq(text, "from Python", 11);
	ck_assert_int_eq(mm_write(served, "from C", 6), 6);
	assert_child_succeeds(child);
	close_all(1, &served);
	mm_ipc_srv_destroy(srv);
	leave_scratch_directory();
}
END_TEST

/* --- descriptors -------------------------------------------------------------------------------------------------- */

static bool is_nothing_left(int descriptors, int names)
{
	return count_open_descriptors() == descriptors && count_names(".") == names;
}

START_TEST(lack_of_descriptors_leaks_nothing)
{
	struct rlimit limit, few;
	int succeeded = 0;
	const char *path;

	enter_scratch_directory();
	path = path_of_length(300, 20);
	/* Valgrind implements the limit itself. */
	if (is_under_valgrind()) {
		leave_scratch_directory();
		return;
	}
	getrlimit(RLIMIT_NOFILE, &limit);
	few = limit;
	for (int is_long = 0; is_long < 2; is_long++) {
		const char *const address = is_long ? path : "socket";
		int names = count_names("."), open = count_open_descriptors();

		for (int count = 0; count < 8; count++) {
			few.rlim_cur = limit_with_free_numbers(count);
			setrlimit(RLIMIT_NOFILE, &few);
			suite_forget_error();
			struct mm_ipc_srv *srv = mm_ipc_srv_create2(address, MM_IPC_PATH, 0600);
			int error = mm_get_lasterror_number(), watch, connected, connect_error;

			suite_forget_error();
			watch = mm_ipc_watch("socket", MM_IPC_PATH);
			setrlimit(RLIMIT_NOFILE, &limit);
			if (srv == NULL)
				ck_assert_int_eq(error, EMFILE);
			else
				mm_ipc_srv_destroy(srv);
			if (watch >= 0)
				close(watch);
			else
				ck_assert_int_eq(mm_get_lasterror_number(), EMFILE);
			ck_assert(is_nothing_left(open, names));
			succeeded += srv != NULL;

			/* Connecting to a path that does not exist yet. */
			setrlimit(RLIMIT_NOFILE, &few);
			suite_forget_error();
			connected = mm_ipc_connect2(address, MM_IPC_PATH, count % 2 * 20);
			connect_error = mm_get_lasterror_number();
			setrlimit(RLIMIT_NOFILE, &limit);
			ck_assert_int_eq(connected, -1);
			ck_assert_msg(connect_error == EMFILE ||
			                      connect_error == (count % 2 == 0 ? ECONNREFUSED : ETIMEDOUT),
			              "%d free: %s", count, mm_get_lasterror_desc());
			ck_assert(is_nothing_left(open, names));
		}
	}
	ck_assert_int_ge(succeeded, 2);
	leave_scratch_directory();
}
END_TEST

/* The standard streams that are closed, one bit each. */
static int serve_without_streams(void *closed)
{
	char path[300];

	strcpy(path, path_of_length(200, 20));
	for (int fd = 0; fd < 3; fd++) {
		if (*(int *)closed & 1 << fd)
			close(fd);
	}
	for (int i = 0; i < 2; i++) {
		struct mm_ipc_srv *srv = create_path(i == 0 ? "socket" : path, 0600);

		for (int fd = 0; fd < 3; fd++)
			ck_assert_int_eq(is_open(fd), !(*(int *)closed & 1 << fd));
		assert_serves_path(srv, i == 0 ? "socket" : path);
		mm_ipc_srv_destroy(srv);
		ck_assert(!exists("socket"));
	}
	return 0;
}

START_TEST(server_uses_no_standard_descriptor)
{
	enter_scratch_directory();
	for (int closed = 0; closed < 8; closed++)
		assert_child_succeeds(start_child(serve_without_streams, &closed));
	leave_scratch_directory();
}
END_TEST

START_TEST(descriptors_of_a_server_are_close_on_exec)
{
	bool was_open[100];
	int count = 0;

	enter_scratch_directory();
	for (int fd = 0; fd < 100; fd++)
		was_open[fd] = is_open(fd);
	struct mm_ipc_srv *srv = create_path("socket", 0600);

	for (int fd = 0; fd < 100; fd++) {
		if (is_open(fd) && !was_open[fd]) {
			ck_assert(is_cloexec(fd));
			count++;
		}
	}
	ck_assert_int_ge(count, 1);
	mm_ipc_srv_destroy(srv);
	leave_scratch_directory();
}
END_TEST

START_TEST(destroy_leaves_descriptors_of_a_program_that_has_closed_all_others)
{
	enum { COUNT = 100 };
	bool was_open[COUNT];
	int opened[COUNT], count = 0;

	enter_scratch_directory();
	for (int fd = 0; fd < COUNT; fd++)
		was_open[fd] = is_open(fd);
	struct mm_ipc_srv *srv = create_path("socket", 0600);

	/* Like a daemon that closes what it does not know. */
	for (int fd = 0; fd < COUNT; fd++) {
		if (is_open(fd) && !was_open[fd])
			close(fd);
	}
	for (; count < 20; count++) {
		/* Among them the same directory, and others opened in the same way. */
		opened[count] = count % 3 == 0   ? open("/", O_PATH | O_DIRECTORY)
		                : count % 3 == 1 ? open(".", O_RDONLY | O_DIRECTORY)
		                                 : socket(AF_UNIX, SOCK_SEQPACKET, 0);
		ck_assert_int_ge(opened[count], 0);
	}
	mm_ipc_srv_destroy(srv);
	for (int i = 0; i < count; i++)
		ck_assert(is_open(opened[i]));
	close_all(count, opened);
	leave_scratch_directory();
}
END_TEST

SUITE(mode_is_exact_whatever_the_umask, group_is_that_of_a_set_group_id_directory, mode_decides_which_users_can_connect,
      relative_path_belongs_to_the_directory_in_which_the_server_was_created, absolute_path_is_that_of_a_relative_one,
      path_can_be_longer_than_a_socket_address, path_that_is_too_long_is_rejected, path_without_a_directory_is_rejected,
      name_may_contain_any_bytes, names_that_differ_only_at_their_end_are_different_servers,
      unwritable_directory_is_eacces, file_of_another_type_is_not_replaced,
      socket_that_another_program_uses_is_not_replaced, server_with_a_full_queue_is_not_replaced,
      path_in_use_is_rejected, socket_of_another_type_is_eprototype_for_a_client,
      leftover_of_a_killed_server_is_replaced_whatever_its_mode,
      server_to_which_its_own_user_cannot_connect_is_not_replaced,
      files_of_a_killed_server_with_the_internal_names_are_replaced, process_that_keeps_the_lock_is_ebusy,
      forked_child_that_destroys_its_copy_does_not_remove_the_path, destroy_does_not_remove_the_path_of_a_successor,
      destroy_removes_the_path_in_a_directory_that_was_renamed, path_is_free_immediately_after_destroy,
      path_stays_after_release, plain_client_can_connect, python_client_can_connect, lack_of_descriptors_leaks_nothing,
      server_uses_no_standard_descriptor, descriptors_of_a_server_are_close_on_exec,
      destroy_leaves_descriptors_of_a_program_that_has_closed_all_others)
