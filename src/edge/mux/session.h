/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sessions: commands of the guest, each with its streams and descriptors.
 *
 * Theory of operation
 *
 * FREE     no such session; vmrun may ask for it
 * ASKED    LAUNCH or EXEC came from vmrun: the message for the guest is queued
 *          and the descriptors are held; streams are open once the guest said
 *          HELLO, since before that nothing is written to the port
 * STARTED  the guest said so
 * ENDED    the guest said EXIT: all that it sent before is in the queues of the
 *          flows, its streams are reset.  When the queues are written out (or
 *          their readers are gone) EXIT goes to vmrun and the session is FREE
 *
 * A message of the guest that does not fit the state is a violation, like one
 * of the multiplexer: vmrun hears GONE at once.  The end of the port is told
 * only after everything that arrived before has been written out.  In both
 * cases we stay until vmrun closes its socket.
 *
 * Memory: at most CTL_SESSIONS * 3 queues of MUX_WINDOW, PORT_CONTROL, one
 * message that is being loaded, HOST_QUEUE records and the port's buffers:
 * less than 64 MiB, whatever the guest does.
 */
#ifndef EDGE_MUX_SESSION_H
#define EDGE_MUX_SESSION_H

#include "flow.h"
#include "host.h"
#include "port.h"

enum session_state {
	SESSION_FREE,
	SESSION_ASKED,
	SESSION_STARTED,
	SESSION_ENDED
};

struct session {
	enum session_state state;
	bool ready;   /* was told to vmrun */
	bool resized; /* win is newer than what the guest knows */
	struct winsize_msg win;
	struct flow flow[3];	 /* in, out, err */
	struct edge_record exit; /* ENDED: what vmrun will hear */
};

enum port_state {
	PORT_WAITING, /* for HELLO */
	PORT_UP,
	PORT_ENDED, /* vmrun hears GONE when everything is written out */
	PORT_GONE,  /* vmrun was told */
};

struct sessions {
	struct host *host; /* borrowed */
	struct port *port; /* borrowed */
	enum port_state state;
	uint64_t refused; /* streams that the guest opened */
	unsigned turn;	  /* which session is served first */
	struct session s[CTL_SESSIONS];
};

void sessions_init(struct sessions *a, struct host *h, struct port *p);
void sessions_free(struct sessions *a);

/* A command of vmrun.  Takes the descriptors. */
void sessions_command(struct sessions *a, const struct edge_record *r, int *fds,
		      size_t n);
/* Everything that the port has read. */
void sessions_port(struct sessions *a);

void sessions_watch(struct sessions *a, struct watch *w);
void sessions_turn(struct sessions *a, const struct watch *w);
/* After each turn: messages to the guest, sessions that are over. */
void sessions_settle(struct sessions *a);

#endif
