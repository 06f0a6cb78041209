/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whose the keyboard is.  Part of vmrun, the person's own authority.
 *
 * With a terminal in the guest vmrun is in the foreground or stopped.  Without
 * one it may go on in the background: then vmrun-mux is told to leave alone
 * what is typed, which is the shell's.
 */
#include "host/live/input.h"

#include "base/err.h"
#include "host/live/front.h"
#include "host/live/terminal.h"

#include <unistd.h>

int input_begin(struct supervisor *v, struct err *e)
{
	if (v->s->plan->terminal || v->s->plan->firewall ||
	    !isatty(STDIN_FILENO))
		return 0;
	if (front_begin(&v->front, STDIN_FILENO, e) < 0)
		return -1;
	return supervise_watch(v, v->front.watch, SRC_INPUT, e);
}

static void tell(struct supervisor *v, bool paused)
{
	struct edge_record r = {.kind = paused ? EDGE_CMD_PAUSE
					       : EDGE_CMD_RESUME};

	/* The launch record says it by itself. */
	if (v->launched)
		supervise_edge(v, &r, NULL, 0);
}

void input_on_typed(struct supervisor *v)
{
	if (front_look(&v->front))
		tell(v, v->front.paused);
}

static void stop_terminal(struct supervisor *v)
{
	struct edge_record r = {.kind = EDGE_CMD_WINSIZE};
	int got;

	tell(v, true);
	terminal_restore();
	got = front_stop_terminal(STDIN_FILENO, v->err);
	if (got > 0 && v->hello && terminal_raw(STDIN_FILENO, v->err) < 0)
		got = -1;
	if (got < 0)
		supervise_end(v, OUTCOME_SETUP, 0);
	if (got <= 0)
		return;
	tell(v, false);
	terminal_size(STDIN_FILENO, &r.win);
	supervise_edge(v, &r, NULL, 0);
}

void input_on_stop(struct supervisor *v)
{
	if (v->s->plan->terminal) {
		stop_terminal(v);
		return;
	}
	if (v->front.watch >= 0)
		tell(v, true);
	if (front_stop(&v->front))
		tell(v, false);
}
