/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What service.c and the other service*.c share; nobody else includes it. */
#ifndef HOST_NET_SERVICE_IMPL_H
#define HOST_NET_SERVICE_IMPL_H

#include "host/net/netlog.h"
#include "host/net/segment.h"
#include "host/net/service.h"
#include "host/net/uplink.h"
#include "host/rebuild.h"

#include <stdbool.h>

#define SERVICE_CONNS 128u

/* What one with a port was told last. */
enum service_told { TOLD_NOTHING, TOLD_UP, TOLD_DOWN };

struct service_conn {
	int fd;	       /* -1: free */
	unsigned host; /* its host number; 0: it has no port */
	pid_t pid;     /* for show only */
	char who[64];  /* likewise: a firewall's network */
	bool stops;    /* waits for the end */
	enum service_told told;
	struct publish publish[PUBLISH_MAX];
	size_t n_publish;
};

/* Rules that a firewall VM may have by now: not the service's before that. */
struct service_reload {
	struct service_conn *by; /* who hands them on; NULL: nobody */
	int64_t run;		 /* of the VM */
	struct ruleset rules;
	struct hostnet host;
};

struct service {
	const struct service_spec *spec;
	struct helper_home home;
	struct state_range range;
	struct rebuilt db;
	char *stage;
	struct ruleset rules; /* those that run */
	struct service_reload reload;
	int dir, listen, signals, linger, retry, watchdog, hostnet;
	int resolvconf; /* -1: a change of it is not seen */
	struct netlog log;
	struct netlog_source switch_says;
	struct segment segment;
	struct uplink uplink;
	unsigned next_host; /* of who comes next, from NET_HOST_FIRST on */
	unsigned failures;  /* in a row */
	bool port_is_free;  /* that was not published: at the last look */
	time_t failed;	    /* when the last one was */
	bool restarts;	    /* the uplink is to be started once it is off */
	bool asleep;	    /* nobody is there who needs the uplink */
	bool ending;
	struct service_conn conns[SERVICE_CONNS];
};

/* The number of clients has changed. */
void service_count(struct service *s);
/* Somebody needs the uplink. */
void service_wake(struct service *s);

/* ---- what is started again: servicerepair.c ---- */

void service_arm(int timer, uint64_t ms);
/* vmrun-switch is to be started anew. */
void service_switch_failed(struct service *s, const char *why);
/* What is readable. */
void service_on_retry(struct service *s);
void service_on_watchdog(struct service *s);
void service_on_hostnet(struct service *s);
void service_on_resolvconf(struct service *s);
/* What of this machine's network matters may have changed. */
void service_follow_host(struct service *s);
void service_on_join(struct service *s);
void service_on_bridge_end(struct service *s, enum netconf_side side);
void service_on_bridge_status(struct service *s, enum netconf_side side);
/* After each event: what became of the uplink? */
void service_settle(struct service *s, enum uplink_state before);

/* ---- ports that are published: servicepub.c ---- */

/* Whether a client may have the ports that it asks for. */
int service_check_publish(const struct service *s, const struct net_record *r,
			  struct err *e);
/* Those of all clients are the uplink's, from its next start on. */
void service_list_publish(struct service *s);
/* They have changed: passt listens from its start on, so another one is
 * started. */
void service_republish(struct service *s);

/* The network's rules as they are now, looked through. */
int service_read_rules(const struct service *s, struct ruleset *r,
		       struct err *e);
void service_refuse(const struct service_conn *c, const struct err *e);

/* ---- new rules for a firewall VM that runs: servicereload.c ---- */

void service_reload(struct service *s, struct service_conn *c);
/* What became of them, as c says.  -1 and e: it handed none on. */
int service_on_loaded(struct service *s, const struct service_conn *c,
		      uint32_t how, struct err *e);
/* Who hands them on is gone. */
void service_reload_lost(struct service *s, const struct service_conn *c);
void service_reload_close(struct service *s);

/* Connections. */
void service_accept(struct service *s);
void service_on_conn(struct service *s, struct service_conn *c);
void service_close_conn(struct service *s, struct service_conn *c);
/* To each with a port that the network is stopped. */
void service_tell_stopped(struct service *s);
/* Whether packets pass, to each with a port that does not know it. */
void service_tell_state(struct service *s);
unsigned service_clients(const struct service *s);

#endif
