/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A VM's place in a network: its end of the service's socket (netproto.h).
 * Part of vmrun. */
#ifndef HOST_NET_NETJOIN_H
#define HOST_NET_NETJOIN_H

#include "host/net/netproto.h"
#include "wire/nic.h"

struct err;
struct facts;

/* What is asked for; all borrowed. */
struct netjoin_spec {
	const struct facts *facts;
	const char *name;
	const char *vmrun; /* path of the program; NULL: it is ours */
	const char *who;   /* for people; NULL: a machine */
	const struct publish *publish; /* ports of this machine for the VM */
	size_t n_publish;
};

struct netjoin {
	struct netjoin_spec spec;
	int dir;
	int card; /* QEMU's end of the port, until it is the caller's */
	int port; /* a copy of the switch's end */
	int conn; /* -1: the service is gone */
	unsigned host;
};

/* clang-format off */
#define NETJOIN_NONE { .dir = -1, .card = -1, .port = -1, .conn = -1 }
/* clang-format on */

/*
 * Gets a port, starting the service if it is not there: the card's addresses
 * are in *n, its descriptor is j->card.  -1 and e: there is no network.
 */
int netjoin_open(struct netjoin *j, const struct netjoin_spec *spec,
		 struct nic *n, struct err *e);
/* The same port once more, after the service died.  -1 and e: EADDRNOTAVAIL if
 * its address has become another machine's. */
int netjoin_again(struct netjoin *j, struct err *e);
/*
 * The same for a loop that must go on: finds the service, or starts it, and
 * asks; the answer comes on j->conn, for netjoin_answer().  -1 and e: EAGAIN if
 * a service starts or ends just now, as it may for a while.
 */
int netjoin_retry(struct netjoin *j, struct err *e);
/* 1: the port is there; 0: the service has just ended; -1 and e. */
int netjoin_answer(struct netjoin *j, struct err *e);
void netjoin_close(struct netjoin *j);

#endif
