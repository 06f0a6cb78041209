/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Connections to the person's sockets that the guest wants. */
#ifndef HOST_SOCKETS_H
#define HOST_SOCKETS_H

#include "host/live/supervise-impl.h"

/*
 * EDGE_EV_CONNECT: connects to a socket of the plan and hands the descriptor
 * to vmrun-mux, or answers that it cannot.
 */
void sockets_on_connect(struct supervisor *v, const struct edge_record *r);

/* v->full_timer: asks services again that had no room for a connection. */
void sockets_on_timer(struct supervisor *v);

/* The answer to a question of vmrun-mux; fd is borrowed, -1: refused. */
void sockets_answer(struct supervisor *v, uint32_t conn, int fd);
/* A connection to the socket at (O_PATH, borrowed) of that owner, or -1, e. */
int sockets_connect_at(int at, uid_t owner, struct err *e);
/* A connection to where the plan says, or -1 and e. */
int sockets_connect(const struct plan_socket *s, struct err *e);
/* Says it once, until the socket works again. */
void sockets_complain(struct supervisor *v, uint32_t which,
		      const struct err *e);

#endif
