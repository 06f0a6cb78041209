/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * LD_PRELOAD for tests/vm/host.sh: a clock that can be set without root.
 *
 * A number of seconds that is written to the FIFO $CLOCKSET is what the clock
 * of the process differs by from then on.  A timer of that clock then behaves
 * as timerfd_create(2) has it: only if it was armed with
 * TFD_TIMER_CANCEL_ON_SET, and once for each arming, it is readable, and
 * reading fails with ECANCELED.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

static int timer = -1;
static int armed;
static long ahead;

int timerfd_create(int clock, int flags)
{
	int (*real)(int, int);

	*(void **)&real = dlsym(RTLD_NEXT, "timerfd_create");
	if (clock != CLOCK_REALTIME || !getenv("CLOCKSET"))
		return real(clock, flags);
	/* For writing too: who sets the clock need not wait for a reader. */
	timer = open(getenv("CLOCKSET"), O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return timer;
}

int timerfd_settime(int fd, int flags, const struct itimerspec *t,
		    struct itimerspec *old)
{
	int (*real)(int, int, const struct itimerspec *, struct itimerspec *);

	*(void **)&real = dlsym(RTLD_NEXT, "timerfd_settime");
	if (fd != timer)
		return real(fd, flags, t, old);
	armed = flags == (TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET);
	return 0;
}

ssize_t read(int fd, void *p, size_t n)
{
	ssize_t (*real)(int, void *, size_t);
	char line[32] = "";

	*(void **)&real = dlsym(RTLD_NEXT, "read");
	if (fd != timer || timer < 0)
		return real(fd, p, n);
	if (real(fd, line, sizeof(line) - 1) > 0)
		ahead = strtol(line, NULL, 10);
	errno = armed ? ECANCELED : EAGAIN;
	armed = 0;
	return -1;
}

int clock_gettime(clockid_t clock, struct timespec *t)
{
	int (*real)(clockid_t, struct timespec *);
	int r;

	*(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
	r = real(clock, t);
	if (r == 0 && clock == CLOCK_REALTIME)
		t->tv_sec += ahead;
	return r;
}
