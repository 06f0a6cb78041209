/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What supervise.c and request.c share; nobody else includes it. */
#ifndef HOST_SUPERVISE_IMPL_H
#define HOST_SUPERVISE_IMPL_H

#include "host/live/front.h"
#include "host/live/said.h"
#include "host/live/supervise.h"
#include "wire/edge.h"
#include "wire/wayland.h"

#include <stdbool.h>
#include <time.h>

enum source {
	SRC_SIGNAL,
	SRC_STAGE,
	SRC_EDGE,
	SRC_MANAGE,
	SRC_TIMEOUT,
	SRC_BOOT,
	SRC_CLOCK,
	SRC_WINDOWS,
	SRC_NETWORK,	   /* the service of --net */
	SRC_NETWORK_TIMER, /* it is waited for, or looked for again */
	SRC_INPUT,	   /* something was typed */
	SRC_SOCKETS,	   /* to ask services that were busy again */
	SRC_CONN,	   /* and more: one for each connection */
};

/* A command has one as long as it runs, and so has who watches the console. */
#define CONNS_MAX (CTL_SESSIONS + 32u)

/* A connection of vmrunctl. */
struct conn {
	int fd;		   /* -1: free */
	uint32_t session;  /* 0: none */
	bool asks_windows; /* MANAGE_WINDOWS: not yet answered */
	bool is_behind;	   /* with reading: a row of the answer was left out */
};

struct supervisor {
	const struct supervise *s;
	struct outcome *out;
	struct err *err;
	int epoll, signals, timeout, boot, clock;
	bool hello, started, ready, timed_out;
	bool gone_port;
	bool is_off;	    /* QEMU ended as it should */
	int gone_rank;	    /* of the member's end that is named; 0: none yet */
	uint32_t signalled; /* the first signal that asked for the end, or 0 */
	bool firewall_asked;   /* to end, and its time for that runs */
	int64_t signalled_ms;  /* when that was; CLOCK_MONOTONIC */
	struct timespec since; /* of the running phase */
	struct conn conns[CONNS_MAX];
	bool socket_failed[LAUNCH_SOCKETS_MAX]; /* and somebody was told */
	int transport;	      /* directory where waypipe listens, or -1 */
	bool transport_asked; /* it has seen vmrun-wayland: it listens */
	bool conn_waits[EDGE_CONNS]; /* for waypipe */
	struct {
		uint32_t socket; /* that it waits for, + 1; 0: it does not */
		int64_t until;	 /* clock_ms() */
	} conn_full[EDGE_CONNS];
	int full_timer;
	bool context_lost; /* its compositor has ended, and none took over */
	/* One did, and does not answer: not asked before; clock_ms()
	 */
	int64_t context_again;
	struct said guest, filter; /* what vmrun-mux, vmrun-wayland said */
	struct said refused;	   /* connections that could not be made */
	bool session_used[CTL_SESSIONS];
	int net_timer;
	unsigned net_tries; /* to reach the service again */
	int64_t net_until;  /* it is just starting, or ending: so long; or 0 */
	bool net_asked;	    /* it has not answered yet */
	bool launched;	    /* the launch record has gone */
	struct front front; /* of standard input */
};

/* Decides the outcome, unless it is decided. */
void supervise_end(struct supervisor *v, enum outcome_kind kind, int value);
/* Sends a record to vmrun-mux; 0, or -1 with errno. */
int supervise_edge(struct supervisor *v, struct edge_record *r, const int *fds,
		   size_t n);
void supervise_ready(struct supervisor *v);
/* Hands the launch record to vmrun-mux, with the streams: once. */
int supervise_launch(struct supervisor *v, struct err *e);
/*
 * Somebody who saw the application's output may signal before we read that it
 * started: what has arrived is older than the signal.
 */
void supervise_catch_up(struct supervisor *v);
/* Sets a timer, once. */
void supervise_arm(int timer, time_t seconds, long ns);
/* CLOCK_REALTIME */
uint64_t supervise_now_ns(void);
/* Takes a descriptor out of the loop and closes it: a close alone does not do
 * that while another process, as the verifier, has it, too. */
void supervise_forget(struct supervisor *v, int *fd);
/* Adds a descriptor to the loop. */
int supervise_watch(struct supervisor *v, int fd, uint32_t what, struct err *e);

#endif
