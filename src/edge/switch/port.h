/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A port's socket, and frames by the batch: one system call receives or sends
 * many of them.
 */
#ifndef EDGE_SWITCH_PORT_H
#define EDGE_SWITCH_PORT_H

#include "fabric.h"
#include "queue.h"

#include <sys/socket.h>

/*
 * Frames for one system call; also what a port may send before it is its
 * neighbour's turn.
 */
#define BATCH 64u

struct batch {
	unsigned n;
	struct iovec frame[BATCH];
	port_set to[BATCH];
	struct mmsghdr received[BATCH];
	struct iovec room[BATCH];
	unsigned char bytes[BATCH][ETHER_FRAME_MAX];
};

enum port_state {
	PORT_FREE,
	PORT_OPEN,
	PORT_ENDED, /* the other end is closed; nobody was told yet */
};

struct port {
	enum port_state state;
	int fd; /* owned; -1 unless PORT_OPEN */
	enum switch_role role;
	struct switch_counters counters;
	struct queue queue; /* to be sent */
};

void batch_init(struct batch *b);

/* Takes fd.  0; or an errno value, and fd stays the caller's: it is no socket
 * of the kind that frames come from. */
int port_open(struct port *p, int fd, enum switch_role role);
/* Closes its socket; the counters stay for whoever is told. */
void port_end(struct port *p);
/* The number may be used again. */
void port_free(struct port *p);

/*
 * Fills the batch with what is there, at most BATCH; of frames that are empty
 * or too long, only counts.  Does not wait.  Ends the port at end of file.
 */
void port_receive(struct port *p, struct batch *b);
/*
 * Sends those frames of the batch whose `to` has the bit, behind what waits;
 * what the socket does not take now waits too, or is dropped and counted.
 */
void port_send(struct port *p, const struct batch *b, port_set bit);
/* Sends what waits, as far as the socket takes it. */
void port_flush(struct port *p);

#endif
