/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Connections of the guest to forwarded sockets of the host.
 *
 * Theory of operation
 *
 * The guest opens a stream whose service is a socket of the launch record.  We
 * know how many there are, nothing else of them; vmrun is asked to connect and
 * answers with a connected descriptor, or without one.
 *
 * FREE     no connection
 * ASKED    vmrun was asked; what the guest sends meanwhile waits in the queue
 * OPEN     the descriptor is there: a flow like any other
 *
 * A place is taken until vmrun answered and all that came from the guest is
 * written or its reader is gone, which may be after the guest has given the
 * stream's id a new life: then the flow is detached from the stream.  So vmrun
 * never has more than EDGE_CONNS questions to answer, whatever the guest does,
 * and one that it answered with nothing is the guest's RESET.
 *
 * A stream of any other service, or one too many, is answered with RESET; the
 * first of each kind is logged.
 */
#ifndef EDGE_MUX_CONN_H
#define EDGE_MUX_CONN_H

#include "flow.h"
#include "host.h"
#include "port.h"

enum conn_state { CONN_FREE, CONN_ASKED, CONN_OPEN };

struct conn {
	enum conn_state state;
	bool windows; /* to the socket of the guest's windows */
	struct flow flow;
};

struct conns {
	struct host *host;   /* borrowed */
	struct port *port;   /* borrowed */
	uint32_t declared;   /* sockets of the launch record */
	uint32_t windows;    /* which is the windows'; declared: none */
	uint64_t undeclared; /* streams that nobody serves */
	uint64_t too_many;   /* streams without a free place */
	unsigned turn;	     /* which one is served first */
	struct conn c[EDGE_CONNS];
};

void conns_init(struct conns *a, struct host *h, struct port *p);
void conns_free(struct conns *a);

/* An event of a stream that the guest opens or has opened. */
void conns_event(struct conns *a, const struct mux_event *ev);
/* vmrun's answer.  Takes fd; -1: refused.  -1: nobody asked. */
int conns_answer(struct conns *a, uint32_t conn, int fd);
/* Tells vmrun how many streams were refused; the first was told as it came. */
void conns_tell(struct conns *a);
/*
 * Everything that came from the guest is written or its reader is gone; but
 * for windows, which nobody sees when the application has ended.
 */
bool conns_are_drained(const struct conns *a);
/* The port is gone: what came from the guest is still written. */
void conns_finish(struct conns *a);

void conns_watch(struct conns *a, struct watch *w);
void conns_turn(struct conns *a, const struct watch *w);

#endif
