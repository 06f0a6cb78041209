/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The vmrun-switch of a network, as its service has it.
 *
 * Every port's descriptor is kept here too, so that a switch that died can be
 * replaced without the machines noticing.
 */
#ifndef HOST_NET_SEGMENT_H
#define HOST_NET_SEGMENT_H

#include "host/net/helper.h"
#include "wire/switch.h"

struct err;

struct segment_port {
	int fd;			     /* the switch's end; -1: no port */
	struct switch_record attach; /* how it is attached */
};

struct segment {
	const struct helper_home *home; /* borrowed */
	char alias[65];
	struct helper helper;
	int ctl; /* to vmrun-switch; -1: it does not run */
	struct segment_port ports[SWITCH_PORTS_MAX];
};

/* network: the ruleset's name. */
void segment_init(struct segment *s, const struct helper_home *home,
		  const char *network);
void segment_close(struct segment *s);

/* Starts vmrun-switch and attaches what ports there are.  -1 and e: none runs.
 */
int segment_start(struct segment *s, struct err *e);
/* Ends vmrun-switch; the ports stay here. */
void segment_stop(struct segment *s);

/*
 * A port as `attach` says; fd is taken.  0 also while no switch runs: then the
 * next one gets it.  -1 and e: the switch refused it, or is to be restarted
 * (e->code is EPIPE).
 */
int segment_attach(struct segment *s, const struct switch_record *attach,
		   int fd, struct err *e);
void segment_detach(struct segment *s, unsigned port);

/* The counters of a port; -1: it has none now. */
int segment_count(struct segment *s, unsigned port, struct switch_counters *c);

/* ctl is readable: 0; -1 and e: restart the switch. */
int segment_on_ctl(struct segment *s, struct err *e);

#endif
