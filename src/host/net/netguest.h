/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A VM of a network's service: its firewall or net VM, or a bridge.  It is an
 * ordinary `vmrun --firewall`, a child of the service that gets SIGTERM if the
 * service dies.
 */
#ifndef HOST_NET_NETGUEST_H
#define HOST_NET_NETGUEST_H

#include "base/buf.h"
#include "host/net/netlog.h"
#include "host/net/netproto.h"
#include "proc/spawn.h"

#include <stdbool.h>

struct err;

struct netguest {
	const char *what; /* "firewall VM": for people; borrowed */
	char alias[NET_ALIAS];
	struct child vm; /* its vmrun */
	int status;	 /* JSON lines of it; non-blocking */
	int said;	 /* its standard error; non-blocking */
	struct buf json; /* of `status`, a line that is not whole yet */
	struct netlog_source says;
	int64_t run; /* its number; 0: not known yet */
	bool ready;  /* it passes on what its rules allow */
};

/* Descriptors of its vmrun. */
enum {
	NETGUEST_FD_RULES = 3,
	NETGUEST_FD_INNER,
	NETGUEST_FD_OUTER,
	NETGUEST_FD_STATUS,
};

/* All borrowed. */
struct netguest_spec {
	const char *vmrun; /* path of the program */
	int rules;
	int inner, outer; /* its cards' other ends; outer: -1, a PCI device */
	const char *inner_card, *outer_card; /* --nic, by these numbers */
};

/* A VM that lets the service wait longer than this for its end is killed. */
#define NETGUEST_END_MS 20000

/* who: in the log; borrowed, as `what`. */
void netguest_init(struct netguest *g, const char *what, const char *who);
int netguest_start(struct netguest *g, const struct netguest_spec *s,
		   struct err *e);
bool netguest_runs(const struct netguest *g);
/* SIGTERM or SIGKILL, if it runs. */
void netguest_signal(struct netguest *g, int signo);
/* `status` is readable. */
void netguest_on_status(struct netguest *g);
/* The pidfd is: it has ended.  Why, for people, in n bytes. */
void netguest_on_end(struct netguest *g, struct netlog *log, char *why,
		     size_t n);
/* Waits for its end. */
void netguest_close(struct netguest *g);

#endif
