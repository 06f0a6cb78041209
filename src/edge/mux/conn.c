/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Forwarded sockets.  Runs in vmrun-mux as U, sealed; the guest is hostile. */
#include "conn.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

void conns_init(struct conns *a, struct host *h, struct port *p)
{
	memset(a, 0, sizeof(*a));
	a->host = h;
	a->port = p;
	for (unsigned i = 0; i < EDGE_CONNS; i++)
		flow_init(&a->c[i].flow);
}

void conns_free(struct conns *a)
{
	for (unsigned i = 0; i < EDGE_CONNS; i++)
		flow_close(&a->c[i].flow);
}

static struct conn *find_free(struct conns *a)
{
	for (unsigned i = 0; i < EDGE_CONNS; i++)
		if (a->c[i].state == CONN_FREE)
			return &a->c[i];
	return NULL;
}

/* The connection of the stream's present life. */
static struct conn *find(struct conns *a, unsigned stream)
{
	for (unsigned i = 0; i < EDGE_CONNS; i++)
		if (a->c[i].state != CONN_FREE && a->c[i].flow.stream == stream)
			return &a->c[i];
	return NULL;
}

/* Free again once nothing is left to write. */
static void settle(struct conn *c)
{
	if (c->state == CONN_OPEN && c->flow.fd < 0)
		c->state = CONN_FREE;
}

static void refuse(struct conns *a, unsigned stream, uint64_t *count,
		   const char *why)
{
	mux_reset(a->port->mux, stream);
	if (!(*count)++)
		host_log(a->host, LOG_LEVEL_WARN, why);
}

static void on_open(struct conns *a, const struct mux_event *ev)
{
	struct edge_record r = {.kind = EDGE_EV_CONNECT};
	struct conn *c = find(a, ev->stream);

	/* Both sides have ended that life, and it still has bytes to write. */
	if (c)
		c->flow.stream = FLOW_DETACHED;
	if (ev->service < MUX_SERVICE_SOCKET ||
	    ev->service - MUX_SERVICE_SOCKET >= a->declared) {
		refuse(a, ev->stream, &a->undeclared,
		       "the guest opened a stream that nobody serves");
		return;
	}
	c = find_free(a);
	if (!c) {
		refuse(a, ev->stream, &a->too_many,
		       "too many connections to forwarded sockets");
		return;
	}
	c->state = CONN_ASKED;
	c->windows = ev->service - MUX_SERVICE_SOCKET == a->windows;
	flow_await(&c->flow, ev->stream);
	r.conn = (uint32_t)(c - a->c);
	r.value = ev->service - MUX_SERVICE_SOCKET;
	host_send(a->host, &r);
}

void conns_event(struct conns *a, const struct mux_event *ev)
{
	struct mux *m = a->port->mux;
	struct conn *c;

	if (ev->kind == MUX_EV_OPEN) {
		on_open(a, ev);
		return;
	}
	c = find(a, ev->stream);
	if (!c)
		return;
	switch (ev->kind) {
	case MUX_EV_DATA:
		/* Never refused: a connection goes both ways. */
		(void)flow_data(&c->flow, m, ev->data, ev->len);
		break;
	case MUX_EV_EOF:
		flow_eof(&c->flow, m);
		break;
	case MUX_EV_RESET:
		c->flow.stream = FLOW_DETACHED;
		flow_reset(&c->flow);
		break;
	case MUX_EV_NONE:
	case MUX_EV_OPEN:
	case MUX_EV_CREDIT:
		break;
	}
	settle(c);
}

int conns_answer(struct conns *a, uint32_t conn, int fd)
{
	struct conn *c = conn < EDGE_CONNS ? &a->c[conn] : NULL;

	if (!c || c->state != CONN_ASKED) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	c->state = CONN_OPEN;
	if (fd < 0) {
		mux_reset(a->port->mux, c->flow.stream);
		flow_close(&c->flow);
	} else {
		flow_arrived(&c->flow, fd, a->port->mux);
	}
	settle(c);
	return 0;
}

static void tell(struct conns *a, uint64_t n, const char *what)
{
	char text[80];

	if (n < 2)
		return;
	snprintf(text, sizeof(text), "%" PRIu64 " %s", n, what);
	host_log(a->host, LOG_LEVEL_WARN, text);
}

void conns_tell(struct conns *a)
{
	tell(a, a->undeclared, "streams that nobody serves were refused");
	tell(a, a->too_many, "connections too many were refused");
	a->undeclared = a->too_many = 0;
}

/* Nothing is left to write, and nothing more can come: its client is over. */
static bool is_drained(const struct conns *a, const struct conn *c)
{
	if (c->state == CONN_FREE || c->windows)
		return true;
	return flow_is_drained(&c->flow) &&
	       (c->flow.ending || !port_is_open(a->port));
}

bool conns_are_drained(const struct conns *a)
{
	for (unsigned i = 0; i < EDGE_CONNS; i++)
		if (!is_drained(a, &a->c[i]))
			return false;
	return true;
}

void conns_finish(struct conns *a)
{
	for (unsigned i = 0; i < EDGE_CONNS; i++) {
		struct conn *c = &a->c[i];

		if (c->state == CONN_FREE)
			continue;
		c->flow.stream = FLOW_DETACHED;
		flow_reset(&c->flow);
		settle(c);
	}
}

void conns_watch(struct conns *a, struct watch *w)
{
	for (unsigned i = 0; i < EDGE_CONNS; i++)
		if (a->c[i].state == CONN_OPEN)
			flow_watch(&a->c[i].flow, w, a->port->mux);
}

void conns_turn(struct conns *a, const struct watch *w)
{
	/* Not always the same one first, as in sessions_turn(). */
	a->turn++;
	for (unsigned i = 0; i < EDGE_CONNS; i++) {
		struct conn *c = &a->c[(a->turn + i) % EDGE_CONNS];

		if (c->state != CONN_OPEN)
			continue;
		flow_turn(&c->flow, w, a->port->mux);
		settle(c);
	}
}
