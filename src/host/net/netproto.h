/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Between the service of a network and who uses it: vmrun (a client, for as
 * long as its VM lives) and vmrunctl net.
 *
 * RUNTIME/net-NAME/ (0700), which who belongs to it has locked, holds: `ctl`, a
 * SOCK_SEQPACKET socket; `lock`, held by who starts or ends the service; `log`
 * and `log.1`, what it said; `next`, the next newcomer's number.  Both ends of
 * the socket are the person's own processes; the peer's uid is checked all the
 * same.
 */
#ifndef HOST_NET_NETPROTO_H
#define HOST_NET_NETPROTO_H

#include "host/net/publish.h"

#include <stdbool.h>
#include <stdint.h>

struct err;

#define NET_VERSION 2u
#define NET_TEXT_MAX 512u

/* Descriptors that vmrun-net is started with: struct service_spec. */
enum { NET_FD_REPORT = 3, NET_FD_LOCK = 4 };

/* So that names of aliases made from it are none too long. */
#define NET_NAME_MAX 40u

enum net_kind {
	/* asked of the service */
	NET_ATTACH = 1, /* fd: the switch's end of a SEQPACKET pair; value: the
			   host number that it had, or 0; publish; text: who
			   that is, for people, or "" */
	NET_SHOW = 2,	/* ROWs, then DONE */
	NET_STOP = 3,
	NET_RELOAD = 4, /* read the ruleset again; DONE: value is the firewall
			   VM and a descriptor has its new rules, or 0 */
	NET_LOADED = 5, /* after that: value: enum net_loaded; then DONE */
	/* its answers */
	NET_PORT = 32,	 /* to ATTACH: value is the host number; text: what a
			    newcomer is to know, or "" */
	NET_FAILED = 33, /* text, hint; value: enum net_failed */
	NET_DONE = 34,
	NET_ROW = 35, /* text: a line to print */
	/* what it says to those with a port */
	NET_UP = 36,	  /* the firewall forwards; text: why names are not
			     resolved, or "" */
	NET_DOWN = 37,	  /* nothing passes; text: why */
	NET_STOPPED = 38, /* it ends because somebody asked for it */
};

enum net_failed {
	NET_FAILED_ELSE,
	NET_FAILED_TAKEN, /* the host number of ATTACH is another's */
};

/* What became of the rules that were handed on.  Without a word it is not
 * known. */
enum net_loaded {
	NET_LOADED_ALL = 1,
	NET_LOADED_NONE, /* the firewall VM goes on with its old ones */
};

struct net_record {
	uint32_t version; /* NET_VERSION */
	uint32_t kind;
	uint32_t value;
	uint32_t n_publish;
	struct publish publish[PUBLISH_MAX];
	char text[NET_TEXT_MAX];
	char hint[NET_TEXT_MAX];
};

/*
 * Seconds to wait after so many failures in a row: none, 1, 2, 4 and so on up
 * to NET_PATIENCE_MAX.
 */
#define NET_PATIENCE_MAX 60u
unsigned net_patience(unsigned failures);

/*
 * The alias of a part of a network: no ruleset has the name of a net VM's
 * (netconf.h), and no alias of a person the name of either.
 */
#define NET_ALIAS 65
void net_alias(char out[NET_ALIAS], const char *network, const char *part);

/* The folder of a network, made if it is missing; the caller's. */
int net_dir(const char *runtime, const char *name, struct err *e);
/* The same if it is there; else -1 with errno. */
int net_find(const char *runtime, const char *name);
/* Waits until nobody else starts or ends the service; to be closed. */
int net_lock(int dir, struct err *e);
/* As net_lock(), but does not wait: -1 with errno EAGAIN or EACCES if somebody
 * does. */
int net_try_lock(int dir);
/*
 * Who belongs to the network, whether its service is there or not: from on to
 * off, or until dir is closed.  And whether anybody does.
 */
void net_belong(int dir, bool on);
bool net_is_used(int dir);
/* The listening socket, non-blocking; a left-over one is replaced. */
int net_listen(int dir, struct err *e);
/* The number that is kept for the next service, or 0; keeping one, if that is
 * possible. */
unsigned net_next(int dir);
void net_set_next(int dir, unsigned next);
/* Connects; -1 with errno if nobody is there, or, without patience, EAGAIN if
 * many others wait. */
int net_connect(int dir, bool patient);

/* Sends with or without a descriptor (-1).  0, or -1 with errno. */
int net_send(int sock, const struct net_record *r, int fd);
/*
 * 1 and *r, checked: a record; *fd is its descriptor or -1, the caller's.  0:
 * the other side is gone.  -1 and e: it makes no sense.
 */
int net_recv(int sock, struct net_record *r, int *fd, struct err *e);

#endif
