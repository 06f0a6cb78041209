/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The firewall VM of a network and passt behind it, as the service has them.
 *
 * Theory of operation
 *
 * The two live and die together: their socket carries a stream, and one end of
 * a stream cannot be replaced in the middle of a frame.  The firewall VM is an
 * ordinary `vmrun --firewall`, a child of the service that gets SIGTERM if the
 * service dies.
 *
 *     OFF       nothing runs
 *     STARTING  both run; the firewall VM has not said that it forwards
 *     UP        it has
 *     STOPPING  it was told to end; passt ends after it, then OFF
 *
 * uplink_start() leads from OFF to STARTING, uplink_stop() to STOPPING, or OFF
 * if there is nothing to wait for.  An end of either by itself does the same.
 */
#ifndef HOST_NET_UPLINK_H
#define HOST_NET_UPLINK_H

#include "base/buf.h"
#include "host/net/helper.h"
#include "host/net/hostnet.h"
#include "host/net/netlog.h"
#include "host/net/ruleset.h"
#include "host/net/segment.h"

#include <stdbool.h>

struct err;

enum uplink_state { UPLINK_OFF, UPLINK_STARTING, UPLINK_UP, UPLINK_STOPPING };

struct uplink {
	const struct helper_home *home; /* borrowed, as all that is const */
	const struct ruleset *rules;
	const char *vmrun; /* path of the program */
	struct segment *segment;
	struct netlog *log;
	char passt_alias[65], vm_alias[65];
	enum uplink_state state;
	struct hostnet host; /* as it was at the start */
	struct helper passt;
	struct child vm; /* its vmrun */
	int status;	 /* JSON lines of it; non-blocking */
	int said;	 /* its standard error; non-blocking */
	struct buf json; /* of `status`, a line that is not whole yet */
	struct netlog_source passt_says, vm_says;
	int64_t run;   /* of the firewall VM; 0: not known yet */
	char why[512]; /* it is not UP; for people */
};

/* A firewall VM that does not end within this time is killed. */
#define UPLINK_END_MS 20000

void uplink_init(struct uplink *u, const char *network);
/* Ends all of it, and waits for that. */
void uplink_close(struct uplink *u);

/* From OFF.  -1 and e: still OFF, and `why` says why. */
int uplink_start(struct uplink *u, struct err *e);
void uplink_stop(struct uplink *u, const char *why);

/* The rules of the firewall VM as they are now, in a memory file; the
 * caller's. */
int uplink_rules(const struct uplink *u, struct err *e);

/* What is readable; each may change the state. */
void uplink_on_passt(struct uplink *u);
void uplink_on_vm_end(struct uplink *u); /* pidfd of vm */
void uplink_on_status(struct uplink *u);

#endif
