/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sessions: commands of the guest, each with its streams and descriptors.
 *
 * Theory of operation
 *
 * FREE     no such session; vmrun may ask for it
 * ASKED    LAUNCH or EXEC came from vmrun: its message for the guest and the
 *          descriptors are held until the guest said HELLO (before that
 *          nothing is written to the port), until the streams of the number's
 *          earlier life are over on both sides, and until there is room
 * SENT     streams are open, the message is queued
 * STARTED  the guest said so
 * ENDED    the guest said EXIT: all that it sent before is in the queues of the
 *          flows, its streams are reset.  When the queues are written out (or
 *          their readers are gone) EXIT goes to vmrun and the session is FREE.
 *          Session 0 waits for the connections to forwarded sockets, too,
 *          unless it was ended by a signal of vmrun's.  A signal now drops what
 *          waits, and is what the session ended by
 *
 * A message of the guest that does not fit the state is a violation, like one
 * of the multiplexer: vmrun hears GONE at once.  The end of the port is told
 * only after everything that arrived before has been written out.  In both
 * cases we stay until vmrun closes its socket.
 *
 * Memory: at most CTL_SESSIONS * 3 + EDGE_CONNS queues of MUX_WINDOW,
 * PORT_CONTROL, one message that is being loaded, HOST_QUEUE records and the
 * port's buffers: less than 122 MiB, whatever the guest does.
 */
#ifndef EDGE_MUX_SESSION_H
#define EDGE_MUX_SESSION_H

#include "conn.h"
#include "flow.h"
#include "host.h"
#include "port.h"

enum session_state {
	SESSION_FREE,
	SESSION_ASKED,
	SESSION_SENT,
	SESSION_STARTED,
	SESSION_ENDED
};

/* Index of a flow, as edge_stream() counts. */
enum { FLOW_IN, FLOW_OUT, FLOW_ERR };

struct session {
	enum session_state state;
	int record; /* ASKED: memory file with the message; owned, else -1 */
	uint64_t signals; /* ASKED: bit n-1 is signal n, to be sent later */
	bool ready;	  /* was told to vmrun */
	bool resized;	  /* win is newer than what the guest knows */
	struct winsize_msg win;
	struct flow flow[3]; /* in, out, err */
	uint32_t signal;     /* the last that is to end it; 0: none yet */
	bool hurried;	     /* its end is not held back by connections */
	int lost; /* errno of the first output that could not be written */
	enum edge_stdio lost_on; /* and which that was */
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
	unsigned turn;	  /* which session is served first */
	bool clock_asked; /* and vmrun has not answered yet */
	struct session s[CTL_SESSIONS];
	struct conns conns;
};

void sessions_init(struct sessions *a, struct host *h, struct port *p);
void sessions_free(struct sessions *a);

/* Everything that the port has read. */
void sessions_port(struct sessions *a);

void sessions_watch(struct sessions *a, struct watch *w);
void sessions_turn(struct sessions *a, const struct watch *w);
/* After each turn: messages to the guest, sessions that are over. */
void sessions_settle(struct sessions *a);

/* For command.c */

/* The guest knows of the session. */
bool session_is_running(const struct session *s);
/* No more from either side; what came from the guest is still written. */
void session_finish(struct sessions *a, struct session *s);
/* Nobody waits any longer for what came from the guest: it is dropped. */
void session_hurry(struct session *s, uint32_t signo);
/* A signal by which somebody wants to see the session's end. */
bool session_is_end(uint32_t signo);
/* Closes everything that the session owns. */
void session_close(struct session *s);
/* Closes the port and tells vmrun why. */
void sessions_violated(struct sessions *a, const char *why);

#endif
