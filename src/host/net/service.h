/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The service of a network: the one process that has a ruleset in use.
 *
 * Theory of operation
 *
 * The first vmrun that wants the network starts it, and it ends some time
 * after the last one's VM.  It has three things, each a run of the database
 * under an alias of its own: vmrun-switch (segment.h), and the firewall VM with
 * passt (uplink.h).  Whichever dies is started again, at once the first time
 * and then after 1, 2, 4 .. 60 s; machines keep their ports meanwhile, and
 * what they send goes nowhere.
 *
 * A client gives the switch's end of its port and keeps a copy of it and the
 * connection: the connection's end is the client's.  If the service is killed,
 * its children end with it, and the clients start another one and give their
 * copies again; so they do if it ends by a signal.  Only `vmrunctl net stop`
 * tells them not to.
 *
 * One loop over poll(2); what takes long is somebody else's process, but for
 * clearing up after one.  It trusts clients, which are the person's own, and
 * neither the switch nor the firewall VM.
 */
#ifndef HOST_NET_SERVICE_H
#define HOST_NET_SERVICE_H

#include "host/net/netproto.h"

#include <stdint.h>

struct err;
struct facts;

struct service_spec {
	struct facts *facts;	 /* borrowed; its ids are filled in */
	const char *const *dirs; /* where rulesets are */
	const char *name;	 /* of the network */
	const char *vmrun;	 /* path of the program */
	uint64_t linger_ms;	 /* after the last client */
	int report; /* where the starter waits: nothing and its end when it is
		       reachable, else a struct err; taken */
	int lock;   /* net_lock() of the starter; taken */
};

/* Runs until it is over.  -1 and e: it could not start, and has reported. */
int service_run(const struct service_spec *spec, struct err *e);

#endif
