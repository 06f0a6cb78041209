/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The guest's port: the stream socket to QEMU's virtserialport, the
 * multiplexer on it, and the control stream of the multiplexer.
 *
 * Reading never stops while the port is open, whatever waits to be written
 * (wire/mux.h says why that is bounded).
 */
#ifndef EDGE_MUX_PORT_H
#define EDGE_MUX_PORT_H

#include "watch.h"
#include "wire/control.h"
#include "wire/mux.h"

#include "base/queue.h"

#include <stdbool.h>
#include <stddef.h>

#define PORT_INPUT (128u * 1024)
/* The largest launch record, and a great many signals. */
#define PORT_CONTROL (CTL_HOST_MAX + 64 * 1024)

struct port {
	int fd; /* owned; -1: gone */
	int slot;
	struct mux *mux;      /* owned; outlives the descriptor */
	unsigned char *input; /* owned; PORT_INPUT bytes */
	size_t at, end; /* what was read and not yet fed: input[at..end) */
	bool closed;	/* end of file was read */
	struct queue control; /* encoded messages to the guest */
	struct buf guest;     /* of the guest's message that is arriving */
};

/* Takes fd.  0, or -1 and e. */
int port_init(struct port *p, int fd, struct err *e);
void port_free(struct port *p);
/* Closes the descriptor; port_is_open() is false from then on. */
void port_close(struct port *p);
bool port_is_open(const struct port *p);

void port_watch(struct port *p, struct watch *w);
/* Reads once if poll(2) said so. */
void port_read(struct port *p, const struct watch *w);
/*
 * The next event of what was read; MUX_EV_NONE: no more, the next port_read()
 * may go ahead.  -1 and e on a violation.
 */
int port_event(struct port *p, struct mux_event *ev, struct err *e);
/*
 * The next message of the control stream in ev, a MUX_EV_DATA event on it,
 * which shrinks.  1: *m; 0: used up; -1 and e: a violation.
 */
int port_message(struct port *p, struct mux_event *ev, struct ctl_guest_msg *m,
		 struct err *e);

/* How many bytes of messages may be queued now. */
size_t port_room(const struct port *p);
/* Queues encoded messages; -1 if they do not fit. */
int port_say(struct port *p, const void *message, size_t n);
/* Hands queued messages to the control stream, as its credit allows. */
void port_pump(struct port *p);
/* Writes what the socket takes. */
void port_flush(struct port *p);

#endif
