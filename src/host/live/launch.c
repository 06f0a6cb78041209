/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The launch record of session 0, and the person's streams.  Part of vmrun,
 * the person's own authority. */
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/own.h"
#include "host/live/supervise-impl.h"
#include "host/live/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* The person's streams for session 0, in the order of enum edge_stdio. */
static size_t take_stdio(const struct supervisor *v, int fds[3], uint32_t *bits)
{
	size_t n;

	*bits = 0;
	if (v->s->plan->firewall)
		return 0;
	n = terminal_take_stdio(v->s->plan->terminal, fds, bits);
	if (v->front.paused && *bits & EDGE_STDIO_IN)
		*bits |= EDGE_STDIO_PAUSED;
	return n;
}

int supervise_launch(struct supervisor *v, struct err *e)
{
	struct edge_record r = {.kind = EDGE_CMD_LAUNCH,
				.value = (uint32_t)v->s->plan->n_sockets,
				.conn = (uint32_t)v->s->plan->n_sockets};
	struct launch l;
	struct buf b;
	int fds[4];
	size_t n;
	int ret;

	v->launched = true;
	if (v->s->plan->windows >= 0)
		r.conn = (uint32_t)v->s->plan->windows;
	n = take_stdio(v, fds + 1, &r.stdio);
	plan_launch(v->s->plan, v->s->id->uid, v->s->id->gid, &l);
	l.app.session = 0;
	/* It may have changed since the plan was made. */
	if (v->s->plan->terminal)
		terminal_size(STDIN_FILENO, &l.app.win);
	l.app.in = (r.stdio & EDGE_STDIO_IN) ? edge_stream(0, 0) : 0;
	l.app.out = (r.stdio & (EDGE_STDIO_OUT | EDGE_STDIO_TTY))
			    ? edge_stream(0, 1)
			    : 0;
	l.app.err = (r.stdio & EDGE_STDIO_ERR) ? edge_stream(0, 2) : 0;
	buf_init(&b, CTL_HOST_MAX);
	ctl_put_launch(&b, &l);
	plan_launch_done(&l);
	fds[0] = b.bad ? err_set(e, E2BIG, "the launch record")
		       : io_memfd("launch", b.data, b.len, e);
	buf_free(&b);
	ret = fds[0] < 0 ? -1 : supervise_edge(v, &r, fds, n + 1);
	if (fds[0] >= 0 && ret < 0)
		err_set(e, errno, "handing the launch record to vmrun-mux");
	for (size_t i = 0; i <= n; i++)
		own_close(&fds[i]);
	return ret;
}
