/* SPDX-License-Identifier: Apache-2.0 */
/*
 * placeholders.c: a FUSE filesystem whose files do not have the sizes that it reports, for copy_fuse.c
 *
 * It is mounted on the directory given as argument. Its files have the content defined in placeholders.h, and are
 * read-only. Files created in it have the content written to them; truncate() and chmod() are not supported, and
 * closing a file whose name begins with "lost" fails.
 */
#define FUSE_USE_VERSION 30
#include "placeholders.h"

#include <errno.h>
#include <fcntl.h>
#include <fuse3/fuse.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MOST_FILES 8
#define MOST_BYTES (4 << 20)

/* The created files. */
static struct created {
	char name[64];
	mode_t mode;
	off_t size;
	char *bytes;
} created[MOST_FILES];

static const struct placeholder *placeholder(const char *path)
{
	for (size_t i = 0; i < sizeof(placeholders) / sizeof(placeholders[0]); i++)
		if (strcmp(path + 1, placeholders[i].name) == 0)
			return &placeholders[i];
	return NULL;
}

static struct created *find(const char *name)
{
	for (int i = 0; i < MOST_FILES; i++)
		if (strcmp(created[i].name, name) == 0)
			return &created[i];
	return NULL;
}

static int get_attributes(const char *path, struct stat *status, struct fuse_file_info *info)
{
	const struct placeholder *file = placeholder(path);
	const struct created *copy = find(path + 1);

	(void)info;
	memset(status, 0, sizeof(*status));
	status->st_nlink = 1;
	status->st_uid = fuse_get_context()->uid;
	status->st_gid = fuse_get_context()->gid;
	if (strcmp(path, "/") == 0) {
		status->st_mode = S_IFDIR | 0777;
	} else if (file != NULL) {
		status->st_mode = S_IFREG | 0444;
		status->st_size = file->size;
		status->st_blocks = file->blocks;
	} else if (copy != NULL) {
		status->st_mode = copy->mode;
		status->st_size = copy->size;
		status->st_blocks = (copy->size + 511) / 512;
	} else {
		return -ENOENT;
	}
	return 0;
}

static int open_file(const char *path, struct fuse_file_info *info)
{
	const struct placeholder *file = placeholder(path);

	info->direct_io = file == NULL || !file->is_cached;
	return file == NULL && find(path + 1) == NULL ? -ENOENT : 0;
}

static int read_file(const char *path, char *bytes, size_t size, off_t offset, struct fuse_file_info *info)
{
	const struct placeholder *file = placeholder(path);
	const struct created *copy = find(path + 1);
	off_t end = file != NULL ? file->length : copy->size, left = offset < end ? end - offset : 0;

	if (file != NULL && file->fails_at != 0 && offset + (off_t)size > file->fails_at)
		return -EIO;
	if (file != NULL && file->would_block && (info->flags & O_NONBLOCK) != 0)
		return -EAGAIN;
	if ((off_t)size > left)
		size = (size_t)left;
	for (size_t i = 0; i < size && file != NULL; i++)
		bytes[i] = placeholder_byte(offset + (off_t)i);
	if (file == NULL)
		memcpy(bytes, copy->bytes + offset, size);
	return (int)size;
}

static int create_file(const char *path, mode_t mode, struct fuse_file_info *info)
{
	struct created *copy = find("");

	if (copy == NULL || strlen(path) > sizeof(copy->name) || (copy->bytes = calloc(1, MOST_BYTES)) == NULL)
		return -ENOSPC;
	strcpy(copy->name, path + 1);
	copy->mode = mode;
	copy->size = 0;
	info->direct_io = true;
	return 0;
}

static int write_file(const char *path, const char *bytes, size_t size, off_t offset, struct fuse_file_info *info)
{
	struct created *copy = find(path + 1);

	(void)info;
	if (copy == NULL)
		return -EBADF;
	if (offset + (off_t)size > MOST_BYTES)
		return -ENOSPC;
	memcpy(copy->bytes + offset, bytes, size);
	if (offset + (off_t)size > copy->size)
		copy->size = offset + (off_t)size;
	return (int)size;
}

static int flush_file(const char *path, struct fuse_file_info *info)
{
	(void)info;
	/* The path is NULL if the name was removed. */
	return path != NULL && strncmp(path, "/lost", 5) == 0 ? -EIO : 0;
}

static int unlink_file(const char *path)
{
	struct created *copy = find(path + 1);

	if (copy == NULL)
		return -ENOENT;
	free(copy->bytes);
	memset(copy, 0, sizeof(*copy));
	return 0;
}

static void *begin(struct fuse_conn_info *connection, struct fuse_config *config)
{
	(void)connection;
	config->hard_remove = 1;
	config->attr_timeout = config->entry_timeout = config->negative_timeout = 0;
	return NULL;
}

int main(int argc, char **argv)
{
	static const struct fuse_operations operations = {
		.init = begin,
		.getattr = get_attributes,
		.open = open_file,
		.read = read_file,
		.create = create_file,
		.write = write_file,
		.flush = flush_file,
		.unlink = unlink_file,
	};
	char *arguments[] = {argv[0], "-f", "-s", argc > 1 ? argv[1] : "", NULL};

	return fuse_main(4, arguments, &operations, NULL);
}
