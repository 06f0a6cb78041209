/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The VM of a network and the way out behind it, as the service has them: a
 * firewall VM; or, in the network of a net VM, that one, which forwards for
 * firewall VMs and is made alike, with rules that allow everything.
 *
 * Theory of operation
 *
 * The way out (netconf.h) is passt, a TAP, or a port in the network of a net
 * VM.  With passt the two live and die together: their socket carries a
 * stream, and one end of a stream cannot be replaced in the middle of a frame.
 * A net VM may come and go: its network's switch has a copy of our port, so
 * have we, and it is attached again (uplink_join_again()).  On either side of
 * the VM there may be a bridge (uplinkbridge.h), which comes and goes by itself
 * where that can be.
 *
 *     OFF       nothing runs
 *     STARTING  both run; the firewall VM has not said that it forwards
 *     UP        it has; bridges may be missing
 *     STOPPING  the VMs were told to end; passt ends after them, then OFF
 *
 * uplink_start() leads from OFF to STARTING, uplink_stop() to STOPPING, or OFF
 * if there is nothing to wait for.  An end of either by itself does the same.
 */
#ifndef HOST_NET_UPLINK_H
#define HOST_NET_UPLINK_H

#include "host/net/helper.h"
#include "host/net/hostnet.h"
#include "host/net/netaddr.h"
#include "host/net/netconf.h"
#include "host/net/netguest.h"
#include "host/net/netjoin.h"
#include "host/net/netlog.h"
#include "host/net/publish.h"
#include "host/net/ruleset.h"
#include "host/net/segment.h"
#include "host/net/uplinkbridge.h"

#include <stdbool.h>

struct err;

enum uplink_state { UPLINK_OFF, UPLINK_STARTING, UPLINK_UP, UPLINK_STOPPING };

struct uplink {
	const struct helper_home *home; /* borrowed, as all that is const */
	const struct ruleset *rules;
	const char *vmrun; /* path of the program */
	struct segment *segment;
	struct netlog *log;
	const char *network;	 /* its name */
	const char *const *dirs; /* where its configuration is */
	enum net_level level;
	char passt_alias[NET_ALIAS];
	enum uplink_state state;
	struct hostnet host; /* as it was at the start */
	/* Ports, and whose: set while OFF, and then for the next start. */
	struct publish publish[PUBLISH_ALL_MAX];
	unsigned clients[PUBLISH_ALL_MAX]; /* host numbers */
	size_t n_publish;
	/* Of these, what could not be listened at: that is tried again. */
	struct publish left[PUBLISH_ALL_MAX];
	size_t n_left;
	/* The way out, as it was at the start. */
	struct netconf conf;
	struct nic card;
	/* Where DNS goes; "": nowhere. */
	char resolver4[16], resolver6[48];
	struct helper passt;
	int loan;     /* of a TAP that is lent; -1: none */
	unsigned tap; /* the number of a TAP by its name; 0: it is none */
	struct netjoin join;
	struct publish onward[PUBLISH_MAX]; /* what join asks for */
	bool joined;			    /* the net VM forwards */
	/* The one whose network was stopped: joined again once it is wanted. */
	char parted[NET_NAME_MAX + 1];
	char cut[512];	    /* it does not, and says why; else "" */
	char nameless[512]; /* it resolves no names, and says why; else "" */
	struct netlog_source passt_says;
	struct netguest vm; /* the firewall VM or net VM itself */
	struct bridge bridges[NETCONF_SIDES];
	char why[512]; /* it is not UP; for people */
};

/* network: borrowed. */
void uplink_init(struct uplink *u, const char *network);
/* Ends all of it, and waits for that. */
void uplink_close(struct uplink *u);

/* From OFF.  -1 and e: still OFF, and `why` says why; ECANCELED: its net VM was
 * stopped, so that a next try is uplink_comes_back()'s. */
int uplink_start(struct uplink *u, struct err *e);
void uplink_stop(struct uplink *u, const char *why);
/* Those of its VMs that do not end. */
void uplink_kill(struct uplink *u);

/* Whether packets pass; if they do not, why. */
bool uplink_works(const struct uplink *u);
const char *uplink_why(const struct uplink *u);
/* Why names are not resolved, or NULL. */
const char *uplink_nameless(const struct uplink *u);

/* Whether what could not be listened at is free now. */
bool uplink_can_publish_more(const struct uplink *u);
/* Why the machine's network as it is now makes a new start necessary, or NULL.
 */
const char *uplink_concern(const struct uplink *u, const struct hostnet *h);

/* A bridge has ended that can be there again, and is not yet. */
bool uplink_lost_bridge(const struct uplink *u);
int uplink_bridge_again(struct uplink *u, struct err *e);

/* The net VM's service has died; what gives it our port again. */
bool uplink_lost_net_vm(const struct uplink *u);
int uplink_join_again(struct uplink *u, struct err *e);
/* It was stopped, and is wanted again from now on: whether that is so. */
bool uplink_comes_back(struct uplink *u);

/* This machine's network, as far as the rules are concerned. */
int uplink_look(const struct uplink *u, struct hostnet *h, struct err *e);
/*
 * For a firewall VM that runs: other rules, in a memory file; the caller's, and
 * so is *h, this machine's network as far as they are concerned.  Nothing
 * changes but by uplink_has_rules(), once the VM has them.
 */
int uplink_new_rules(const struct uplink *u, const struct ruleset *r,
		     struct hostnet *h, struct err *e);
void uplink_has_rules(struct uplink *u, struct hostnet *h);

/* What is readable; each may change the state. */
void uplink_on_passt(struct uplink *u);
void uplink_on_loan(struct uplink *u);
void uplink_on_join(struct uplink *u);
void uplink_on_status(struct uplink *u); /* of vm */
void uplink_on_vm_end(struct uplink *u); /* its pidfd */
void uplink_on_bridge_end(struct uplink *u, enum netconf_side side);

#endif
