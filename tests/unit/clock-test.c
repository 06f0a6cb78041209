/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The guest's clock: what an answer of the host's does to it, and when it is
 * asked again. */
#include "guest-init/init.h"
#include "tap.h"

#include <stdarg.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#define MS INT64_C(1000000)
#define NOON (INT64_C(1700000000) * 1000 * MS)

static int64_t now;

/* What clock.c wants of PID 1. */
int64_t now_ms(void)
{
	return now;
}

void say(const char *fmt, ...)
{
	(void)fmt;
}

/* Nobody's clock is moved, whoever runs this. */
int clock_settime(clockid_t clock, const struct timespec *t)
{
	(void)clock;
	(void)t;
	return 0;
}

int adjtime(const struct timeval *by, struct timeval *was)
{
	(void)by;
	(void)was;
	return 0;
}

static void test_judge(void)
{
	int64_t by;

	tap_ok(clock_judge(NOON, NOON + 2800 * MS, 2 * MS, &by) == CLOCK_STEP &&
		       by == 2801 * MS,
	       "a clock that is behind is set, to half way of the answer");
	tap_ok(clock_judge(NOON, NOON + 1, 2 * MS, &by) == CLOCK_STEP &&
		       by == 1 + MS,
	       "by a nanosecond as well: make(1) would complain");
	tap_ok(clock_judge(NOON, NOON, 2 * MS, &by) == CLOCK_KEEP &&
		       clock_judge(NOON + 2 * MS, NOON, 2 * MS, &by) ==
			       CLOCK_KEEP &&
		       !by,
	       "one that the answer allows stays");
	tap_ok(clock_judge(NOON + 2 * MS + 1, NOON, 2 * MS, &by) ==
			       CLOCK_SLEW &&
		       by == -MS - 1,
	       "one that is ahead goes back slowly");
	tap_ok(clock_judge(NOON + 3600000 * MS, NOON, 2 * MS, &by) ==
			       CLOCK_STEP &&
		       by == -3599999 * MS,
	       "if it is far ahead at once");
	tap_ok(clock_judge(NOON + MS, NOON, -1, &by) == CLOCK_SLEW &&
		       by == -MS &&
		       clock_judge(NOON, NOON + MS, -1, &by) == CLOCK_STEP &&
		       by == MS,
	       "what was not asked for is taken as it is");
}

static uint64_t right_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void test_asking(void)
{
	static struct init in;
	uint64_t at = right_now();
	int64_t last = 0, wait = 0;
	bool grows = true;

	buf_init(&in.ctl_out, 1024);
	tap_ok(clock_tick(&in) == -1 && !in.ctl_out.len,
	       "nothing is asked before HELLO");
	clock_begin(&in);
	now += 1000000;
	tap_ok(clock_tick(&in) == -1 && !in.ctl_out.len,
	       "nor until that is answered");
	clock_told(&in, at);
	for (int i = 0; i < 20 && grows; i++) {
		wait = clock_tick(&in);
		grows = wait > 0 && wait >= last && !in.ctl_out.len;
		last = wait;
		now += wait;
		grows = grows && clock_tick(&in) == -1 && in.ctl_out.len == 8;
		buf_consume(&in.ctl_out, in.ctl_out.len);
		clock_told(&in, at);
	}
	tap_ok(grows && wait == 300000,
	       "then it is asked, less and less often");
	clock_told(&in, right_now());
	tap_ok(clock_tick(&in) == -1 && in.ctl_out.len == 8,
	       "and at once when the host says that its clock was set");
	buf_free(&in.ctl_out);
}

int main(void)
{
	test_judge();
	test_asking();
	return tap_done();
}
