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

#endif
