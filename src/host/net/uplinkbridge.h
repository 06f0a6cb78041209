/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bridge VMs on either side of a firewall VM or net VM.  Part of uplink.h, for
 * uplink.c, service.c and serviceconn.c.
 *
 * A bridge has two cards and no address.  Inside it has the firewall's place at
 * the switch, outside the firewall's way out, and a pair of sockets leads from
 * it to the firewall.  It knows nothing of what it passed on, so one that ended
 * is replaced while the firewall goes on: the ends of its cards are kept.  Not
 * so the end of passt's stream, which may be in the middle of a frame: with
 * that bridge all of it is started anew.
 */
#ifndef HOST_NET_UPLINKBRIDGE_H
#define HOST_NET_UPLINKBRIDGE_H

#include "host/net/netconf.h"
#include "host/net/netguest.h"

struct err;
struct uplink;

struct bridge {
	bool wanted; /* at the present start */
	struct netguest guest;
	int inner, outer; /* what its cards lead to; -1: not kept */
	char why[512];	  /* it does not pass on anything; "": it is starting */
};

/* "inside" or "outside". */
const char *uplinkbridge_name(enum netconf_side side);

void uplinkbridge_init(struct uplink *u);
/*
 * Starts those that u->conf wants.  *inner and *outer are the firewall's ends,
 * from now on perhaps those of pairs.  -1 and e: uplinkbridge_close().
 */
int uplinkbridge_start(struct uplink *u, int *inner, int *outer, struct err *e);
/* One that ended, once more. */
int uplinkbridge_start_again(struct uplink *u, enum netconf_side side,
			     struct err *e);
/* What is kept for those that have ended. */
void uplinkbridge_clear(struct uplink *u);

/* Whether those that are wanted pass on, or which one does not. */
const struct bridge *uplinkbridge_missing(const struct uplink *u);

#endif
