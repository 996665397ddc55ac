/* SPDX-License-Identifier: Apache-2.0 */
/*
 * module.c: a library that mmlib/dlfcn.c opens
 */
#include <pthread.h>
#include <stdlib.h>

int module_number = 42;
const char *module_text = "text of the module";

static int add_to_number(int more)
{
	return module_number += more;
}

const struct {
	int size;
	int (*add)(int);
} module_functions = {1, add_to_number};

/* The address of this symbol is NULL. */
__asm__(".globl module_null\n.set module_null, 0");

/* Set by a program, to be notified when the library is unloaded. */
int *module_unloaded;

__attribute__((constructor)) static void load(void)
{
	if (getenv("MODULE_ENDS_THREAD") != NULL)
		pthread_exit(&module_number);
}

__attribute__((destructor)) static void unload(void)
{
	if (module_unloaded != NULL)
		*module_unloaded = 1;
}
