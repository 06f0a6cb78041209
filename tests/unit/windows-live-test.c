/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * host/live/windows: nobody keeps vmrun waiting, as a vmrunctl that does not
 * read.
 */
#include "tap.h"

#include "base/err.h"
#include "base/io.h"
#include "base/own.h"
#include "host/live/request.h"
#include "host/live/windows.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define GLOBALS 128u

static struct supervisor v;
static struct sandbox sandbox;
static struct plan plan;
static struct plan_socket compositor;
static struct context context = CONTEXT_NONE;
static struct run_dir dir = RUN_DIR_NONE;
static struct err failed = ERR_INIT;
static int filter; /* the other end: vmrun-wayland's */

static int pair_with(int *mine)
{
	int p[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		       0, p) < 0)
		abort();
	*mine = p[0];
	return p[1];
}

static void say(struct wayland_record *r)
{
	r->version = WAYLAND_VERSION;
	if (io_send(filter, r, sizeof(*r), NULL, 0) < 0)
		abort();
	windows_on_record(&v);
}

/* All that vmrunctl has got: how many rows; the last record's kind, 0: the end,
 * -1: there may be more. */
static unsigned read_all(int ctl, int *last)
{
	struct manage_record r;
	unsigned rows = 0;
	struct err e = ERR_INIT;
	int got;

	*last = -1;
	while ((got = manage_recv(ctl, &r, NULL, NULL, &e)) > 0) {
		*last = (int)r.kind;
		rows += r.kind == MANAGE_ROW;
	}
	if (got == 0)
		*last = 0;
	return rows;
}

/* vmrunctl asks, and reads all the time, or nothing before all was said. */
static unsigned ask(bool reads, int *last)
{
	struct wayland_record r = {.kind = WAYLAND_EV_GLOBAL, .text = "wl_shm"};
	const struct wayland_record stats = {.kind = WAYLAND_EV_STATS};
	unsigned rows = 0;
	int ctl = pair_with(&v.conns[0].fd), small = 4096;

	if (!reads)
		setsockopt(v.conns[0].fd, SOL_SOCKET, SO_SNDBUF, &small,
			   sizeof(small));
	windows_on_ask(&v, &v.conns[0]);
	for (unsigned i = 0; i < GLOBALS; i++) {
		say(&r);
		rows += reads ? read_all(ctl, last) : 0;
	}
	r = stats;
	say(&r);
	rows += read_all(ctl, last);
	own_close(&v.conns[0].fd);
	close(ctl);
	return rows;
}

static void test_rows(void)
{
	int last;
	unsigned rows;

	rows = ask(false, &last);
	tap_ok(rows > 0 && rows < GLOBALS && last == 0,
	       "an answer that is not read is cut short, and ends");
	tap_ok(!v.conns[0].asks_windows && !v.conns[0].is_behind,
	       "and nothing is left of it");
	rows = ask(true, &last);
	tap_ok(rows == GLOBALS + 9 && last == MANAGE_DONE,
	       "the next one has it all");
}

int main(void)
{
	static char name[] = "web";
	const struct supervise s = {.plan = &plan,
				    .sandbox = &sandbox,
				    .context = &context,
				    .dir = &dir};

	plan.policy.name = name;
	plan.sockets = &compositor;
	plan.n_sockets = 1;
	compositor.owner = getuid();
	v.s = &s;
	v.err = &failed;
	v.signals = v.transport = -1;
	request_init(&v);
	filter = pair_with(&sandbox.wayland);
	test_rows();
	return tap_done();
}
