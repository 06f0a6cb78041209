/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What time it is.
 *
 * Theory of operation
 *
 * The host stamps the files of a share, and make(1) compares these stamps with
 * the guest's clock: one that is behind by the time that a message takes makes
 * every build complain.  So the guest asks, as NTP does: what the host answers
 * was true at some moment between question and answer, and half of that time is
 * added.  The clock is moved only if it contradicts the answer.
 *
 * HELLO is the first question, and no application starts before its answer.
 * Then it is asked again, soon at first, because a busy machine may have taken
 * long to answer, and later every five minutes: the rates of the two clocks
 * differ by some millionths.  When the host's clock was set, the host says so
 * without being asked, and is asked.
 */
#ifndef GUEST_INIT_CLOCK_H
#define GUEST_INIT_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct clock {
	bool told;
	int64_t asked; /* ns of CLOCK_BOOTTIME, 0: no answer is waited for */
	int64_t next;  /* now_ms() when to ask again; */
	int64_t every; /* ms */
};

enum clock_move {
	CLOCK_KEEP,
	CLOCK_STEP,
	CLOCK_SLEW, /* slowly, so that no program sees it go back */
};

/*
 * What to do about an answer, all in ns: `have` is what the guest's clock says,
 * `host` what the host's said, `took` how long the question and its answer
 * travelled together; -1: it was no answer.  *by is how far to move, unless it
 * is CLOCK_KEEP.  Pure.
 */
enum clock_move clock_judge(int64_t have, int64_t host, int64_t took,
			    int64_t *by);

#endif
