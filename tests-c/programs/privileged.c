/* SPDX-License-Identifier: Apache-2.0 */
/*
 * privileged.c: reports by its exit status whether it has privileges, and which environment variables have an effect
 *
 * It is linked with the static library, since the dynamic linker also ignores variables in privileged programs.
 */
#include <mmerrno.h>
#include <mmlog.h>
#include <mmsysio.h>
#include <signal.h>
#include <stdio.h>
#include <sys/auxv.h>

#include "privileged.h"

static void do_nothing(int signum)
{
	(void)signum;
}

int main(void)
{
	struct sigaction action = {.sa_handler = do_nothing};
	char name[64];
	int result = getauxval(AT_SECURE) != 0 ? HAS_PRIVILEGES : 0;

	if (mm_log_set_maxlvl(MM_LOG_NONE) == MM_LOG_FATAL)
		result |= USES_LOG_LEVEL;
	/* With a timeout of 0 it fails immediately, otherwise it waits until it is interrupted. */
	sigaction(SIGALRM, &action, NULL);
	alarm(1);
	snprintf(name, sizeof(name), "mmsysio-test-privileged-%ld", (long)getpid());
	if (mm_ipc_connect(name) != -1)
		return 1;
	if (mm_get_lasterror_number() == ECONNREFUSED)
		result |= USES_TIMEOUT;
	else if (mm_get_lasterror_number() != EINTR)
		return 1;
	return result;
}
