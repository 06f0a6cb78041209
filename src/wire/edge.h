/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Records between vmrun and vmrun-mux: one SOCK_SEQPACKET message each, the
 * host's own byte order, fixed size.  vmrun-mux reads guest bytes, so vmrun
 * checks each record again: kind, session, value, and text is escaped by the
 * receiver before it is shown.
 */
#ifndef WIRE_EDGE_H
#define WIRE_EDGE_H

#include "wire/control.h"

#define EDGE_VERSION 5u
#define EDGE_TEXT_MAX 512u
/* Connections to forwarded sockets that vmrun-mux has at a time, those that it
 * waits for vmrun to make included. */
#define EDGE_CONNS 128u

enum edge_kind {
	/* vmrun to vmrun-mux; descriptors beside the record */
	EDGE_CMD_LAUNCH = 1,  /* fds: memfd with the encoded CTL_LAUNCH message,
				 then stdio (below); value: how many sockets
				 the record names; conn: which of them is the
				 windows', or value: none */
	EDGE_CMD_EXEC = 2,    /* the same with CTL_EXEC */
	EDGE_CMD_SIGNAL = 3,  /* value: signal */
	EDGE_CMD_WINSIZE = 4, /* win */
	EDGE_CMD_CLOCK = 5,   /* ns */
	EDGE_CMD_STOP = 6,
	EDGE_CMD_HANGUP =
		7, /* session's host side is gone: close its streams */
	EDGE_CMD_CONNECTED = 8, /* the answer to CONNECT; conn; fd: a connected
				   socket, or none: refused */
	EDGE_CMD_PAUSE = 9,	/* session's terminal is not read */
	EDGE_CMD_RESUME = 10,	/* and is again */
	/* vmrun-mux to vmrun */
	EDGE_EV_HELLO = 32, /* the guest is up and wants its record */
	EDGE_EV_STARTED = 33,
	EDGE_EV_READY = 34,
	EDGE_EV_EXIT = 35,	/* exit, value, text; all output is written out,
				   or error says why not, and stdio which;
				   or its input could not be read */
	EDGE_EV_LOG = 36,	/* level in value, text */
	EDGE_EV_GONE = 37,	/* port closed or violated; text says which */
	EDGE_EV_FULL = 38,	/* session refused: too many */
	EDGE_EV_CONNECT = 39,	/* conn; value: which socket of the plan */
	EDGE_EV_ASK_CLOCK = 40, /* the guest asks; the answer is CMD_CLOCK */
};

/*
 * Which descriptors follow the memfd in LAUNCH and EXEC: one for each bit, in
 * this order.  EDGE_STDIO_TTY's comes first and is used both ways, in place of
 * IN and OUT; with it ERR is an output that goes elsewhere.  PAUSED has none:
 * PAUSE holds from the beginning.
 */
enum edge_stdio {
	EDGE_STDIO_IN = 1,
	EDGE_STDIO_OUT = 2,
	EDGE_STDIO_ERR = 4,
	EDGE_STDIO_TTY = 8,
	EDGE_STDIO_PAUSED = 16,
};

struct edge_record {
	uint32_t version; /* EDGE_VERSION */
	uint32_t kind;	  /* enum edge_kind */
	uint32_t session;
	uint32_t value;
	uint32_t exit;	/* enum ctl_exit */
	uint32_t stdio; /* enum edge_stdio bits */
	uint32_t error; /* errno, or 0; never that the reader left */
	uint32_t conn;	/* below EDGE_CONNS: chosen by vmrun-mux, to match
			 * CONNECT with CONNECTED */
	uint64_t ns;
	struct winsize_msg win;
	char text[EDGE_TEXT_MAX]; /* NUL-terminated */
};

/*
 * The stream ids of a session, fixed so that both sides of the host can name
 * them in the record they build: in, out, err of session s.
 */
static inline uint32_t edge_stream(uint32_t session, uint32_t which)
{
	return 1 + session * 3 + which;
}

#endif
