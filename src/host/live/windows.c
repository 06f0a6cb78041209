/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Windows of the guest.  The person's own authority; reads records of a fixed
 * size and none of the bytes that pass.
 *
 * Theory of operation
 *
 *     guest: waypipe server -- streams -- vmrun-mux -- waypipe -- vmrun-wayland
 *                                                                    |
 *                                                               compositor
 *
 * waypipe, as the VM's UID, listens in a directory that only it and we can
 * reach: the stage made it and handed us a descriptor.  vmrun-wayland listens
 * at a socket that only waypipe is shown.  We make both connections that cross
 * from one domain to another, each when it is asked for: one to waypipe for
 * each stream that the guest opens, one to the compositor for each client of
 * vmrun-wayland.  Nobody else can put a client there, and no client of the
 * guest gets past the filter.
 *
 * Where the compositor has security contexts, its connections are made at a
 * socket that it keeps for this VM alone (context.h), so that what it hides
 * from untrusted programs is hidden even from a filter that was taken over.
 * When that compositor ends, the socket does too, and the next client has us
 * ask for another one, at the compositor that is there then.
 *
 * waypipe listens first, and then connects to vmrun-wayland once, to see
 * whether somebody is there.  So the first question of vmrun-wayland says that
 * waypipe is ready; what the guest asks for before that waits.
 */
#include "host/live/windows.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/log.h"
#include "base/own.h"
#include "host/live/request.h"
#include "host/live/sockets.h"
#include "host/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#define PATIENCE_MS 10000 /* before the VM starts */
/*
 * A running VM waits with all that it does, so not for long, and whatever the
 * guest asks for, not often.
 */
#define RENEW_MS 1000
#define RENEW_AGAIN_MS 10000

/* As context_make(). */
static int ask_for_context(const struct plan *p, const struct run_dir *d,
			   int patience_ms, int stop, struct context *c,
			   struct err *e)
{
	struct context_wish wish = {.app = p->policy.name,
				    .patience_ms = patience_ms};
	own_fd sock = sockets_connect(&p->sockets[p->windows], e);
	char run[24];

	if (sock < 0)
		return -1;
	snprintf(run, sizeof(run), "%" PRId64, d->run);
	wish.instance = run;
	return context_make(c, steal_fd(&sock), d->fd, &wish, stop, e);
}

int windows_prepare(const struct plan *p, const struct run_dir *d, int stop,
		    struct context *c, struct err *e)
{
	int got;

	if (p->windows < 0)
		return 0;
	got = ask_for_context(p, d, PATIENCE_MS, stop, c, e);
	if (got < 0)
		return err_wrap(e, "--socket wayland");
	log_info(got ? "the compositor has a security context for the windows"
		     : "this compositor has no security contexts: the filter "
		       "stands alone");
	return 0;
}

static bool has_context(const struct supervisor *v)
{
	return v->s->context->at >= 0;
}

/* The compositor that had one is gone; there may be another in its place. */
static int renew_context(struct supervisor *v, struct err *e)
{
	int64_t began = clock_ms();
	int got;

	context_close(v->s->context);
	v->context_lost = true;
	if (began < v->context_again)
		return err_set(e, EAGAIN, "the compositor does not answer");
	got = ask_for_context(v->s->plan, v->s->dir, RENEW_MS, v->signals,
			      v->s->context, e);
	/* Of one that is not there yet it is known at once. */
	if (got < 0 && clock_ms() - began >= RENEW_MS)
		v->context_again = clock_ms() + RENEW_AGAIN_MS;
	if (got < 0)
		return -1;
	v->context_lost = false;
	log_info(got ? "another compositor has a security context for the "
		       "windows"
		     : "another compositor has no security contexts: the "
		       "filter stands alone");
	return 0;
}

static int to_compositor(struct supervisor *v, struct err *e)
{
	const struct plan *p = v->s->plan;

	if (has_context(v)) {
		int fd = context_connect(v->s->context, e);

		if (fd >= 0 || e->code != ECONNREFUSED)
			return fd;
		v->context_lost = true;
	}
	/* Not past it: what comes next may know contexts, too. */
	if (v->context_lost && renew_context(v, e) < 0)
		return -1;
	if (has_context(v))
		return context_connect(v->s->context, e);
	return sockets_connect(&p->sockets[p->windows], e);
}

static int to_transport(const struct supervisor *v, struct err *e)
{
	/* waypipe reads guest bytes: no link of its making is followed. */
	own_fd at = openat(v->transport, "waypipe",
			   O_PATH | O_NOFOLLOW | O_CLOEXEC);
	int fd;

	if (at < 0)
		return err_set(e, errno, "cannot reach waypipe");
	fd = sockets_connect_at(at, v->s->id->uid, e);
	return fd < 0 ? err_wrap(e, "cannot reach waypipe") : fd;
}

static void pass_on(struct supervisor *v, uint32_t conn)
{
	struct err e = ERR_INIT;
	own_fd fd = to_transport(v, &e);

	if (fd < 0)
		said_log(&v->refused, "windows", LOG_LEVEL_WARN, e.msg);
	sockets_answer(v, conn, fd);
}

static bool is_up(const struct supervisor *v)
{
	return v->transport >= 0 && v->transport_asked;
}

static void pass_all(struct supervisor *v)
{
	for (uint32_t i = 0; i < EDGE_CONNS && is_up(v); i++) {
		if (!v->conn_waits[i])
			continue;
		v->conn_waits[i] = false;
		pass_on(v, i);
	}
}

void windows_on_connect(struct supervisor *v, uint32_t conn)
{
	if (is_up(v))
		pass_on(v, conn);
	else
		v->conn_waits[conn] = true;
}

void windows_on_transport(struct supervisor *v, int run)
{
	own_close(&v->transport);
	v->transport = run;
	pass_all(v);
}

static void on_connect(struct supervisor *v, const struct wayland_record *q)
{
	struct wayland_record a = {.version = WAYLAND_VERSION,
				   .kind = WAYLAND_CMD_COMPOSITOR,
				   .client = q->client};
	struct err e = ERR_INIT;
	own_fd fd = to_compositor(v, &e);

	v->transport_asked = true;
	if (fd < 0) {
		a.kind = WAYLAND_CMD_REFUSE;
		snprintf(a.text, sizeof(a.text), "%.*s",
			 (int)sizeof(a.text) - 1, e.msg);
		sockets_complain(v, (uint32_t)v->s->plan->windows, &e);
	} else {
		v->socket_failed[v->s->plan->windows] = false;
	}
	if (io_send(v->s->sandbox->wayland, &a, sizeof(a), &fd, fd >= 0) < 0) {
		err_set(v->err, errno, "vmrun-wayland does not take an answer");
		supervise_end(v, OUTCOME_GONE, 0);
		return;
	}
	pass_all(v);
}

static struct conn *asker(struct supervisor *v)
{
	for (size_t i = 0; i < CONNS_MAX; i++)
		if (v->conns[i].asks_windows)
			return &v->conns[i];
	return NULL;
}

void windows_on_ask(struct supervisor *v, struct conn *c)
{
	const struct wayland_record q = {.version = WAYLAND_VERSION,
					 .kind = WAYLAND_CMD_STATS};

	if (v->s->sandbox->wayland < 0)
		request_answer(c, MANAGE_FAILED,
			       "this VM has no windows: it was started without "
			       "--socket wayland");
	else if (asker(v))
		request_answer(c, MANAGE_FAILED, "somebody else is asking");
	else if (io_send(v->s->sandbox->wayland, &q, sizeof(q), NULL, 0) < 0)
		request_answer(c, MANAGE_FAILED, "vmrun-wayland is busy");
	else
		c->asks_windows = true;
}

/* Whoever does not read does not keep the VM waiting. */
static void answer_row(struct conn *c, const char *row)
{
	if (!c->is_behind && request_answer(c, MANAGE_ROW, row) < 0)
		c->is_behind = true;
}

/* Names are the compositor's, and come through the filter. */
static void on_global(struct supervisor *v, const struct wayland_record *r)
{
	char name[2 * WAYLAND_TEXT_MAX], offered[16] = "-", row[640];
	struct conn *c = asker(v);

	if (!c)
		return;
	log_escape(name, sizeof(name), r->text, strlen(r->text));
	if (r->value)
		snprintf(offered, sizeof(offered), "%" PRIu32, r->value);
	snprintf(row, sizeof(row), "%-44s %7s %10" PRIu32, name, offered,
		 r->theirs);
	answer_row(c, row);
}

static void on_stats(struct supervisor *v, const struct wayland_counts *n)
{
	const struct {
		const char *what;
		uint64_t n;
	} rows[] = {
		{"clients now", n->clients},
		{"clients ever", n->accepted},
		{"clients ended for what they sent", n->violated},
		{"messages to the compositor", n->messages_to_host},
		{"messages to the guest", n->messages_to_guest},
		{"messages withheld", n->withheld},
		{"descriptors to the compositor", n->fds_to_host},
		{"descriptors to the guest", n->fds_to_guest},
	};
	struct conn *c = asker(v);
	char row[96];

	snprintf(row, sizeof(row), "%-44s %18s",
		 "security context of the compositor",
		 has_context(v) ? "yes" : "it has none");
	if (c)
		answer_row(c, row);
	for (size_t i = 0; c && i < sizeof(rows) / sizeof(*rows); i++) {
		snprintf(row, sizeof(row), "%-44s %18" PRIu64, rows[i].what,
			 rows[i].n);
		answer_row(c, row);
	}
	if (!c)
		return;
	c->asks_windows = false;
	/* An end without "done" says that there would be more. */
	if (c->is_behind || request_answer(c, MANAGE_DONE, NULL) < 0)
		request_drop(v, c);
}

static void on_log(struct supervisor *v, const struct wayland_record *r)
{
	char who[WAYLAND_NAME_MAX + 16];

	snprintf(who, sizeof(who), "windows of %s", v->s->plan->policy.name);
	said_log(&v->filter, who, r->value, r->text);
}

void windows_on_record(struct supervisor *v)
{
	struct wayland_record r;
	int sock = v->s->sandbox->wayland;
	ssize_t got = io_recv(sock, &r, sizeof(r), NULL, NULL);

	if (got < 0 && errno == EAGAIN)
		return;
	if (got != (ssize_t)sizeof(r) || r.version != WAYLAND_VERSION) {
		/* vmrun-stage says that it ended, and how. */
		epoll_ctl(v->epoll, EPOLL_CTL_DEL, sock, NULL);
		return;
	}
	r.text[sizeof(r.text) - 1] = '\0';
	switch (r.kind) {
	case WAYLAND_EV_READY:
		log_debug("wayland is ready");
		break;
	case WAYLAND_EV_CONNECT:
		on_connect(v, &r);
		break;
	case WAYLAND_EV_LOG:
		on_log(v, &r);
		break;
	case WAYLAND_EV_GLOBAL:
		on_global(v, &r);
		break;
	case WAYLAND_EV_STATS:
		on_stats(v, &r.counts);
		break;
	default:
		err_set(v->err, EPROTO, "vmrun-wayland sent record %u", r.kind);
		supervise_end(v, OUTCOME_GONE, 0);
	}
}
