/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A VM's place in a network: its end of the service's socket (netproto.h).
 * Part of vmrun. */
#ifndef HOST_NET_NETJOIN_H
#define HOST_NET_NETJOIN_H

#include "host/net/netproto.h"
#include "wire/nic.h"

struct err;
struct facts;

struct netjoin {
	const struct facts *facts; /* borrowed, as is name */
	const char *name;
	int dir;
	int card; /* QEMU's end of the port, until it is the caller's */
	int port; /* a copy of the switch's end */
	int conn; /* -1: the service is gone */
	unsigned host;
};

/* clang-format off */
#define NETJOIN_NONE { NULL, NULL, -1, -1, -1, -1, 0 }
/* clang-format on */

/*
 * Gets a port, starting the service if it is not there: the card's addresses
 * are in *n, its descriptor is j->card.  -1 and e: there is no network.
 */
int netjoin_open(struct netjoin *j, const struct facts *f, const char *name,
		 struct nic *n, struct err *e);
/* The same port once more, after the service died. */
int netjoin_again(struct netjoin *j, struct err *e);
void netjoin_close(struct netjoin *j);

#endif
