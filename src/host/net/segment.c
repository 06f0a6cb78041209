/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vmrun-switch as a helper.  The person's own authority; what the switch says
 * is checked, because it reads guest bytes. */
#include "host/net/segment.h"

#include "base/err.h"
#include "base/io.h"
#include "base/own.h"
#include "host/net/netproto.h"
#include "host/vm/member.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

/* A switch that does not answer within this time is broken. */
#define ANSWER_SECONDS 10

void segment_init(struct segment *s, const struct helper_home *home,
		  const char *network)
{
	memset(s, 0, sizeof(*s));
	s->home = home;
	s->helper = (struct helper)HELPER_NONE;
	s->ctl = -1;
	net_alias(s->alias, network, "switch");
	for (unsigned i = 0; i < SWITCH_PORTS_MAX; i++)
		s->ports[i].fd = -1;
}

void segment_stop(struct segment *s)
{
	own_close(&s->ctl);
	helper_stop(&s->helper, s->home);
}

void segment_close(struct segment *s)
{
	segment_stop(s);
	for (unsigned i = 0; i < SWITCH_PORTS_MAX; i++)
		own_close(&s->ports[i].fd);
}

static struct setup_member *make_member(struct err *e)
{
	static const char *const devices[] = {"null", NULL};
	static const char *const argv[] = {"/vmrun-switch", NULL};
	struct setup_member *m = calloc(1, sizeof(*m));
	struct setup taken = {.members = m, .n_members = 1};
	own_free char *program = NULL;

	if (!m) {
		err_set(e, ENOMEM, "planning vmrun-switch");
		return NULL;
	}
	m->view = SETUP_VIEW_EMPTY;
	m->nofile = 256;
	m->argv = member_vector(argv);
	if (!m->argv || member_room(m, "switch", devices) < 0) {
		err_set(e, ENOMEM, "planning vmrun-switch");
	} else if (stage_program("vmrun-switch", &program, e) == 0 &&
		   member_file(m, program, "/vmrun-switch", e) == 0) {
		member_fd(m, HELPER_FD_FIRST, 3);
		return m;
	}
	setup_free(&taken);
	return NULL;
}

/* A port's end: what the switch says without being asked. */
static void gone(struct segment *s, const struct switch_record *r)
{
	own_close(&s->ports[r->port].fd);
}

/* The answer to a command, past what came before it. */
static int answer(struct segment *s, struct switch_record *r, struct err *e)
{
	for (unsigned i = 0; i <= SWITCH_PORTS_MAX; i++) {
		ssize_t n = io_recv(s->ctl, r, sizeof(*r), NULL, NULL);

		if (n <= 0 || !switch_is_event(r, (size_t)n))
			return err_set(e, EPIPE,
				       "vmrun-switch does not answer");
		if (r->kind != SWITCH_EV_GONE)
			return 0;
		gone(s, r);
	}
	return err_set(e, EPIPE, "vmrun-switch does not answer");
}

static int exchange(struct segment *s, const struct switch_record *r, int fd,
		    struct switch_record *a, struct err *e)
{
	if (io_send(s->ctl, r, sizeof(*r), &fd, fd >= 0) < 0)
		return err_set(e, EPIPE, "vmrun-switch does not listen");
	if (answer(s, a, e) < 0)
		return -1;
	if (a->kind == SWITCH_EV_REFUSED)
		return err_set(e, a->code, "vmrun-switch refused port %u",
			       r->port);
	if (a->port != r->port)
		return err_set(e, EPIPE,
			       "vmrun-switch answers of another port");
	return 0;
}

static int command(struct segment *s, const struct switch_record *r, int fd,
		   struct switch_record *a, struct err *e)
{
	int got = exchange(s, r, fd, a, e);

	/* One that hangs is as one that is gone: segment_on_ctl() hears of it,
	 * and what is asked until then is not waited for. */
	if (got < 0 && e->code == EPIPE)
		shutdown(s->ctl, SHUT_RDWR);
	return got;
}

static int attach_all(struct segment *s, struct err *e)
{
	struct switch_record a;

	for (unsigned i = 0; i < SWITCH_PORTS_MAX; i++) {
		struct segment_port *p = &s->ports[i];

		if (p->fd >= 0 && command(s, &p->attach, p->fd, &a, e) < 0)
			return -1;
	}
	return 0;
}

int segment_start(struct segment *s, struct err *e)
{
	const struct timeval patience = {ANSWER_SECONDS, 0};
	struct helper_spec spec = {
		.alias = s->alias,
		.command = "vmrun-switch",
		.member = make_member(e),
		.network = STAGE_NETWORK_EMPTY,
		.n_fds = 1,
	};
	own_fd theirs = -1;
	int r;

	if (!spec.member)
		return -1;
	spec.fds = &theirs;
	r = stage_pair(SOCK_SEQPACKET, &s->ctl, &theirs, e);
	if (r == 0 && setsockopt(s->ctl, SOL_SOCKET, SO_RCVTIMEO, &patience,
				 sizeof(patience)) < 0)
		r = err_set(e, errno, "the socket to vmrun-switch");
	if (r < 0) {
		struct setup unused = {.members = spec.member, .n_members = 1};

		setup_free(&unused);
		return -1;
	}
	r = helper_start(&s->helper, s->home, &spec, e);
	own_close(&theirs);
	if (r == 0)
		r = attach_all(s, e);
	if (r < 0)
		segment_stop(s);
	return r;
}

int segment_attach(struct segment *s, const struct switch_record *attach,
		   int fd, struct err *e)
{
	struct segment_port *p = &s->ports[attach->port];
	struct switch_record a;
	int r;

	segment_detach(s, attach->port);
	p->fd = fd;
	p->attach = *attach;
	if (s->ctl < 0)
		return 0;
	r = command(s, attach, fd, &a, e);
	if (r < 0 && e->code != EPIPE)
		own_close(&p->fd);
	return r;
}

void segment_detach(struct segment *s, unsigned port)
{
	struct switch_record r = {.version = SWITCH_VERSION,
				  .kind = SWITCH_CMD_DETACH,
				  .port = port};
	struct switch_record a;
	struct err e = ERR_INIT;

	if (s->ports[port].fd < 0)
		return;
	own_close(&s->ports[port].fd);
	/* One that is broken is found by its own end; one that ended by itself
	 * is refused. */
	if (s->ctl >= 0)
		command(s, &r, -1, &a, &e);
}

int segment_count(struct segment *s, unsigned port, struct switch_counters *c)
{
	struct switch_record r = {.version = SWITCH_VERSION,
				  .kind = SWITCH_CMD_COUNT,
				  .port = port};
	struct switch_record a;
	struct err e = ERR_INIT;

	if (s->ports[port].fd < 0 || s->ctl < 0 ||
	    command(s, &r, -1, &a, &e) < 0 || a.kind != SWITCH_EV_COUNTERS)
		return -1;
	*c = a.counters;
	return 0;
}

int segment_on_ctl(struct segment *s, struct err *e)
{
	struct switch_record r;
	ssize_t n = io_recv(s->ctl, &r, sizeof(r), NULL, NULL);

	if (n <= 0)
		return err_set(e, EPIPE, "vmrun-switch is gone");
	if (!switch_is_event(&r, (size_t)n) || r.kind != SWITCH_EV_GONE)
		return err_set(e, EPIPE,
			       "vmrun-switch said what it was not "
			       "asked");
	gone(s, &r);
	return 0;
}
