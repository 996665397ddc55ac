/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file_model.c: random operations on files, compared with a model that predicts each result
 *
 * The model describes several names in two directories: the type of each, and the content of files. Every operation
 * must succeed or fail as predicted, and at the end the directories must match the model.
 */
#include "suite.h"

#include <fcntl.h>

#define NAMES 12

enum kind { NOTHING, REGULAR, DIRECTORY, LINK };

struct object {
	enum kind kind;
	int content; /* of a file: index into contents; of a link: the name that it points to */
};

struct model {
	struct object objects[NAMES];
	char paths[NAMES][64];
	int contents[1 << 16]; /* the number that a file contains; several names may refer to one file */
	int next_content;
	uint32_t random;
};

static void start_model(struct model *model, const char *prefix, uint32_t seed)
{
	memset(model, 0, sizeof(*model));
	model->random = seed;
	ck_assert_int_eq(mm_mkdir(prefix, MODE_XDEF, 0), 0);
	for (int i = 0; i < NAMES; i++)
		snprintf(model->paths[i], sizeof(model->paths[i]), "%s/%c\n\xff", prefix, 'a' + i);
}

static int new_content(struct model *model, int number)
{
	int index = model->next_content++ % MM_NELEM(model->contents);

	model->contents[index] = number;
	return index;
}

/* The name that opening a name resolves to, or -1 if a link is dangling or part of a loop. */
static int followed(const struct model *model, int name)
{
	for (int steps = 0; steps < 40; steps++) {
		if (model->objects[name].kind != LINK)
			return name;
		name = model->objects[name].content;
	}
	return -1;
}

static void expect(const struct model *model, int result, int error, const char *what, int a, int b)
{
	int found = result == 0 ? 0 : mm_get_lasterror_number();

	ck_assert_msg(found == error, "%s(%c: %d, %c: %d): %d (%s), not %d", what, 'a' + a, model->objects[a].kind,
	              'a' + b, model->objects[b].kind, found, mm_get_lasterror_desc(), error);
}

static void write_number(struct model *model, int name)
{
	int target = followed(model, name), number = (int)next_random(&model->random);
	int fd = mm_open(model->paths[name], O_WRONLY | O_CREAT | O_TRUNC, MODE_DEF);
	int error = target == -1 ? ELOOP : model->objects[target].kind == DIRECTORY ? EISDIR : 0;

	expect(model, fd >= 0 ? 0 : -1, error, "open", name, name);
	if (fd < 0)
		return;
	ck_assert_int_eq(mm_write(fd, &number, sizeof(number)), sizeof(number));
	ck_assert_int_eq(mm_close(fd), 0);
	if (model->objects[target].kind == NOTHING)
		model->objects[target] = (struct object){REGULAR, new_content(model, number)};
	else
		model->contents[model->objects[target].content] = number;
}

static void copy(struct model *model, int from, int to)
{
	static const int flags[] = {0, MM_NOFOLLOW, MM_NOCOW};
	int flag = flags[next_random(&model->random) % 3];
	bool is_link = flag == MM_NOFOLLOW && model->objects[from].kind == LINK;
	int source = is_link ? from : followed(model, from);
	int error = source == -1                               ? ELOOP
	            : model->objects[source].kind == NOTHING   ? ENOENT
	            : model->objects[source].kind == DIRECTORY ? EISDIR
	            : model->objects[to].kind != NOTHING       ? EEXIST
	                                                       : 0;

	expect(model, mm_copy(model->paths[from], model->paths[to], flag, MODE_DEF), error, "copy", from, to);
	if (error != 0)
		return;
	model->objects[to] = model->objects[source];
	if (!is_link)
		model->objects[to].content = new_content(model, model->contents[model->objects[source].content]);
}

static void rename_to(struct model *model, int from, int to)
{
	struct object *a = &model->objects[from], *b = &model->objects[to];
	int error = a->kind == NOTHING                                                   ? ENOENT
	            : from == to                                                         ? 0
	            : a->kind == DIRECTORY && b->kind != DIRECTORY && b->kind != NOTHING ? ENOTDIR
	            : a->kind != DIRECTORY && b->kind == DIRECTORY                       ? EISDIR
	                                                                                 : 0;

	expect(model, mm_rename(model->paths[from], model->paths[to]), error, "rename", from, to);
	/* Renaming one name of a file to another name of it keeps both. */
	if (error != 0 || from == to || (a->kind == REGULAR && b->kind == REGULAR && a->content == b->content))
		return;
	*b = *a;
	a->kind = NOTHING;
}

static void operate(struct model *model)
{
	int a = (int)(next_random(&model->random) % NAMES), b = (int)(next_random(&model->random) % NAMES);
	struct object *x = &model->objects[a], *y = &model->objects[b];
	int error;

	switch (next_random(&model->random) % 9) {
	case 0:
		write_number(model, a);
		break;
	case 1:
		copy(model, a, b);
		break;
	case 2:
		rename_to(model, a, b);
		break;
	case 3:
		error = x->kind == NOTHING ? ENOENT : x->kind == DIRECTORY ? EISDIR : 0;
		expect(model, mm_unlink(model->paths[a]), error, "unlink", a, a);
		if (error == 0)
			x->kind = NOTHING;
		break;
	case 4:
		/* Hard links of symbolic links would have two names, which the model does not support. */
		if (x->kind == LINK)
			break;
		error = x->kind == NOTHING ? ENOENT : y->kind != NOTHING ? EEXIST : x->kind == DIRECTORY ? EPERM : 0;
		expect(model, mm_link(model->paths[a], model->paths[b]), error, "link", a, b);
		if (error == 0)
			*y = *x;
		break;
	case 5:
		error = y->kind != NOTHING ? EEXIST : 0;
		expect(model, mm_symlink(strrchr(model->paths[a], '/') + 1, model->paths[b]), error, "symlink", a, b);
		if (error == 0)
			*y = (struct object){LINK, a};
		break;
	case 6:
		error = x->kind != NOTHING ? EEXIST : 0;
		expect(model, mm_mkdir(model->paths[a], MODE_XDEF, 0), error, "mkdir", a, a);
		if (error == 0)
			x->kind = DIRECTORY;
		break;
	case 7:
		error = x->kind == NOTHING ? ENOENT : x->kind != DIRECTORY ? ENOTDIR : 0;
		expect(model, mm_rmdir(model->paths[a]), error, "rmdir", a, a);
		if (error == 0)
			x->kind = NOTHING;
		break;
	default:
		error = x->kind == NOTHING ? ENOENT : x->kind == LINK ? EPERM : 0;
		expect(model, mm_remove(model->paths[a], MM_DT_REG | MM_DT_DIR | MM_RECURSIVE), error, "remove", a, a);
		if (error == 0)
			x->kind = NOTHING;
	}
}

static void compare(const struct model *model)
{
	static const mode_t types[] = {0, S_IFREG, S_IFDIR, S_IFLNK};

	for (int i = 0; i < NAMES; i++) {
		struct mm_stat status;
		int number = 0, result = mm_stat(model->paths[i], &status, MM_NOFOLLOW);

		if (model->objects[i].kind == NOTHING) {
			ck_assert_int_eq(result, -1);
			ck_assert_int_eq(mm_get_lasterror_number(), ENOENT);
			continue;
		}
		ck_assert_int_eq(result, 0);
		ck_assert_uint_eq(status.mode & S_IFMT, types[model->objects[i].kind]);
		if (model->objects[i].kind != REGULAR)
			continue;
		int fd = mm_open(model->paths[i], O_RDONLY, 0);

		ck_assert_int_eq(mm_read(fd, &number, sizeof(number)), sizeof(number));
		ck_assert_int_eq(mm_close(fd), 0);
		ck_assert_int_eq(number, model->contents[model->objects[i].content]);
	}
}

struct task {
	char prefix[32];
	uint32_t seed;
	int operations;
};

static int operate_and_compare(void *arg)
{
	static struct model model;
	const struct task *task = arg;

	start_model(&model, task->prefix, task->seed);
	for (int i = 0; i < task->operations; i++) {
		operate(&model);
		if (i % 1000 == 0)
			compare(&model);
	}
	compare(&model);
	return 0;
}

START_TEST(random_operations_match_a_model)
{
	struct task task = {"one", 4711, is_instrumented() ? 5000 : 100000};

	enter_scratch_directory();
	operate_and_compare(&task);
	leave_scratch_directory();
}
END_TEST

START_TEST(random_operations_of_several_processes_do_not_interfere)
{
	struct task tasks[4];
	pid_t children[4];

	enter_scratch_directory();
	for (int i = 0; i < 4; i++) {
		tasks[i] = (struct task){"", (uint32_t)i * 77 + 1, is_instrumented() ? 1000 : 20000};
		snprintf(tasks[i].prefix, sizeof(tasks[i].prefix), "process-%u", (unsigned)i);
		children[i] = start_child(operate_and_compare, &tasks[i]);
	}
	for (int i = 0; i < 4; i++)
		assert_child_succeeds(children[i]);
	leave_scratch_directory();
}
END_TEST

SUITE(random_operations_match_a_model, random_operations_of_several_processes_do_not_interfere)
