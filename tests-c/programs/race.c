/* SPDX-License-Identifier: Apache-2.0 */
/*
 * race.c: two threads that change one variable, with which `make check-threads` verifies that helgrind finds races
 */
#include <pthread.h>

static int contested;

static void *change(void *arg)
{
	contested++;
	return arg;
}

int main(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, change, NULL) != 0)
		return 1;
	change(NULL);
	return pthread_join(thread, NULL);
}
