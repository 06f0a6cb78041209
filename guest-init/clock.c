/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The guest's clock, see clock.h.  Runs in the guest as PID 1. */
#include "guest-init/init.h"

#include <errno.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#define NS INT64_C(1000000000)
#define FIRST_MS 1000
#define EVERY_MS 300000
/* Going back by more than this is quicker done than noticed: adjtime(3) takes
 * 2000 seconds for one. */
#define SLEW_MAX (NS / 2)

static int64_t ns_of(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * NS + t.tv_nsec;
}

enum clock_move clock_judge(int64_t have, int64_t host, int64_t took,
			    int64_t *by)
{
	*by = 0;
	if (took >= 0 && have >= host && have - host <= took)
		return CLOCK_KEEP;
	*by = host - have + (took > 0 ? took / 2 : 0);
	return *by < 0 && *by >= -SLEW_MAX ? CLOCK_SLEW : CLOCK_STEP;
}

static int step(int64_t by)
{
	int64_t to = ns_of(CLOCK_REALTIME) + by;
	const struct timespec t = {to / NS, to % NS};

	return clock_settime(CLOCK_REALTIME, &t);
}

static int slew(int64_t by)
{
	const struct timeval t = {0, by / 1000};

	return adjtime(&t, NULL);
}

static void move(int64_t host, int64_t took)
{
	int r = 0;
	int64_t by;

	switch (clock_judge(ns_of(CLOCK_REALTIME), host, took, &by)) {
	case CLOCK_KEEP:
		break;
	case CLOCK_STEP:
		r = step(by);
		break;
	case CLOCK_SLEW:
		r = slew(by);
		break;
	}
	if (r < 0)
		say("clock: %s", strerror(errno));
}

void clock_begin(struct init *in)
{
	in->clock.asked = ns_of(CLOCK_BOOTTIME);
	in->clock.every = FIRST_MS;
}

void clock_told(struct init *in, uint64_t ns)
{
	struct clock *c = &in->clock;

	if (ns > INT64_MAX / 2)
		return;
	move((int64_t)ns, c->asked ? ns_of(CLOCK_BOOTTIME) - c->asked : -1);
	c->next = now_ms() + (c->asked ? c->every : 0);
	if (c->asked && (c->every *= 2) > EVERY_MS)
		c->every = EVERY_MS;
	c->asked = 0;
	c->told = true;
}

int64_t clock_tick(struct init *in)
{
	struct clock *c = &in->clock;
	int64_t left;

	if (c->asked || !c->told)
		return -1;
	left = c->next - now_ms();
	if (left > 0)
		return left;
	ctl_put_ask_clock(&in->ctl_out);
	c->asked = ns_of(CLOCK_BOOTTIME);
	return -1;
}
