/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loader.c: loads the library, uses it in a thread, and unloads it, as often as its argument specifies
 *
 * It is not linked with the library. Exits with 0 if neither the number of descriptors nor the memory grew.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int open_descriptors(void)
{
	int count = 0;
	DIR *dir = opendir("/proc/self/fd");

	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

static long resident_kib(void)
{
	long pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	if (file == NULL || fscanf(file, "%*d %ld", &pages) != 1)
		exit(1);
	fclose(file);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void *use(void *library)
{
	int (*set_flags)(int, int) = (int (*)(int, int))dlsym(library, "mm_error_set_flags");
	void *(*create)(const char *) = (void *(*)(const char *))dlsym(library, "mm_ipc_srv_create");
	void (*destroy)(void *) = (void (*)(void *))dlsym(library, "mm_ipc_srv_destroy");
	void *(*map)(int, long, size_t, int) = (void *(*)(int, long, size_t, int))dlsym(library, "mm_mapfile");
	char name[64];

	if (set_flags == NULL || create == NULL || destroy == NULL || map == NULL)
		return NULL;
	set_flags(2, 2);
	snprintf(name, sizeof(name), "mmsysio-test-loader-%ld", (long)getpid());
	void *server = create(name);

	if (server == NULL || map(-1, 0, 1, 1) != NULL)
		return NULL;
	destroy(server);
	return library;
}

static int load_and_unload(void)
{
	pthread_t thread;
	void *library = dlopen("libmmsysio.so.1", RTLD_NOW), *result = NULL;

	if (library == NULL) {
		fprintf(stderr, "%s\n", dlerror());
		return 0;
	}
	if (pthread_create(&thread, NULL, use, library) != 0 || pthread_join(thread, &result) != 0 || result == NULL)
		return 0;
	return dlclose(library) == 0;
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 1;

	for (int i = 0; i < 10; i++)
		if (!load_and_unload())
			return 1;
	int descriptors = open_descriptors();
	long before = resident_kib();

	for (int i = 0; i < count; i++)
		if (!load_and_unload())
			return 2;
	if (open_descriptors() != descriptors)
		return 3;
	return resident_kib() - before < 256 ? 0 : 4;
}
