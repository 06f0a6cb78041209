/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * host/live/windows: nobody keeps vmrun waiting, neither a vmrunctl that does
 * not read nor a compositor that does not answer.
 */
#include "tap.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/own.h"
#include "host/live/request.h"
#include "host/live/windows.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
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

/* What a client of the guest was answered, and after how long. */
static uint32_t connect_client(int64_t *ms)
{
	struct wayland_record r = {.kind = WAYLAND_EV_CONNECT};
	int64_t began = clock_ms();
	struct wayland_record a = {0};

	say(&r);
	*ms = clock_ms() - began;
	/* Before it are questions of vmrunctl. */
	while (io_recv(filter, &a, sizeof(a), NULL, NULL) > 0 &&
	       a.kind == WAYLAND_CMD_STATS)
		;
	return a.kind;
}

/* In place of the compositor that has ended there is one that only listens. */
static void test_silent(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	char folder[] = "/tmp/vmrun-windows.XXXXXX";
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	uint32_t kind;
	int64_t ms;

	if (!mkdtemp(folder))
		abort();
	snprintf(a.sun_path, sizeof(a.sun_path), "%s/s", folder);
	if (bind(s, (struct sockaddr *)&a, sizeof(a)) < 0)
		abort();
	compositor.src = a.sun_path;
	dir.fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	v.context_lost = true;
	kind = connect_client(&ms);
	tap_ok(kind == WAYLAND_CMD_REFUSE && ms < 500,
	       "a compositor that is not there yet is found at once");
	listen(s, 8);
	kind = connect_client(&ms);
	tap_ok(kind == WAYLAND_CMD_REFUSE && ms >= 900 && ms < 5000,
	       "one that does not answer is waited for a second");
	kind = connect_client(&ms);
	tap_ok(kind == WAYLAND_CMD_REFUSE && ms < 500,
	       "but not again for each client");
	v.context_again = clock_ms();
	kind = connect_client(&ms);
	tap_ok(kind == WAYLAND_CMD_REFUSE && ms >= 900, "only some time later");
	close(s);
	close(dir.fd);
	unlink(a.sun_path);
	rmdir(folder);
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
	test_silent();
	return tap_done();
}
