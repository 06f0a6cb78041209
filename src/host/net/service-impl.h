/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What service.c and serviceconn.c share; nobody else includes it. */
#ifndef HOST_NET_SERVICE_IMPL_H
#define HOST_NET_SERVICE_IMPL_H

#include "host/net/netlog.h"
#include "host/net/segment.h"
#include "host/net/service.h"
#include "host/net/uplink.h"
#include "host/rebuild.h"

#include <stdbool.h>

#define SERVICE_CONNS 128u

struct service_conn {
	int fd;	       /* -1: free */
	unsigned host; /* its host number; 0: it has no port */
	pid_t pid;     /* for show only */
	bool stops;    /* waits for the end */
};

/* What those with a port were told last. */
enum service_told { TOLD_NOTHING, TOLD_UP, TOLD_DOWN };

struct service {
	const struct service_spec *spec;
	struct helper_home home;
	struct state_range range;
	struct rebuilt db;
	char *stage;
	struct ruleset rules;
	int dir, listen, signals, linger, retry, watchdog, hostnet;
	struct netlog log;
	struct netlog_source switch_says;
	struct segment segment;
	struct uplink uplink;
	enum service_told told;
	unsigned failures; /* in a row */
	time_t failed;	   /* when the last one was */
	bool restarts;	   /* the uplink is to be started once it is off */
	bool ending;
	struct service_conn conns[SERVICE_CONNS];
};

/* vmrun-switch is to be started anew. */
void service_switch_failed(struct service *s, const char *why);
/* The number of clients has changed. */
void service_count(struct service *s);

/* Connections. */
void service_accept(struct service *s);
void service_on_conn(struct service *s, struct service_conn *c);
void service_close_conn(struct service *s, struct service_conn *c);
/* To each with a port; text may be NULL. */
void service_tell(struct service *s, enum net_kind kind, const char *text);
unsigned service_clients(const struct service *s);

#endif
