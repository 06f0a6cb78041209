/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * LD_PRELOAD for the fault tests: ends the process with SIGKILL at its n-th
 * call of a function that makes something durable.
 *
 * KILLSYNC=N kills before the N-th call, KILLSYNC=N+ after it.  With
 * KILLSYNC=0 calls are only counted, into the file KILLSYNC_COUNT.  vmrun
 * starts its helpers with an empty environment, so that only vmrun is hit.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int killsync_calls;

static void tell_count(void)
{
	const char *path = getenv("KILLSYNC_COUNT");
	FILE *f = path ? fopen(path, "w") : NULL;

	if (f) {
		fprintf(f, "%d\n", killsync_calls);
		fclose(f);
	}
}

static int due(int after)
{
	const char *at = getenv("KILLSYNC");
	int wants_after = at && strchr(at, '+');

	return at && atoi(at) == killsync_calls && wants_after == after;
}

static int at_call(const char *name, int fd)
{
	int (*real)(int);
	int r;

	*(void **)&real = dlsym(RTLD_NEXT, name);
	killsync_calls++;
	tell_count();
	if (due(0))
		kill(getpid(), SIGKILL);
	r = real(fd);
	if (due(1))
		kill(getpid(), SIGKILL);
	return r;
}

int fsync(int fd)
{
	return at_call("fsync", fd);
}

int fdatasync(int fd)
{
	return at_call("fdatasync", fd);
}

int syncfs(int fd)
{
	return at_call("syncfs", fd);
}
