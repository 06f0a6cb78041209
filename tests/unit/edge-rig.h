/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The real vmrun-mux between a test that plays vmrun and the person, and a
 * fake guest.  One thread: rig_turn() serves every end once, rig_until() goes
 * on until a condition holds.  Nothing is timed; what never comes is ended by
 * the alarm of rig_start().
 */
#ifndef TESTS_UNIT_EDGE_RIG_H
#define TESTS_UNIT_EDGE_RIG_H

#include "base/buf.h"
#include "proc/spawn.h"
#include "wire/control.h"
#include "wire/edge.h"
#include "wire/mux.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define RIG_STREAMS 256 /* all of MUX_STREAMS */
#define RIG_EVENTS 4096
#define IN_STREAM 1
#define OUT_STREAM 2
#define ERR_STREAM 3

struct rig {
	struct child child;
	int host; /* vmrun's end of descriptor 3 */
	/* the guest */
	int port; /* its end of descriptor 4 */
	struct mux *mux;
	struct buf raw;		     /* read from the port, not yet fed */
	struct buf got[RIG_STREAMS]; /* payload by stream */
	bool opened[RIG_STREAMS], ended[RIG_STREAMS];
	bool reset[RIG_STREAMS];
	bool gone;	 /* the port ended */
	bool hold;	 /* do not consume stdin */
	bool hold_conns; /* nor what comes to its connections */
	bool echo;	 /* send stdin back on stdout, then end both */
	size_t echoed;
	unsigned answers; /* RESETs on streams of the guest */
	unsigned sockets; /* that LAUNCH declares */
	bool windows;	  /* the last of them is the windows' */
	/* the person */
	int in, out, err;	   /* our ends; -1: none, or closed */
	const unsigned char *feed; /* what is to be written to `in` */
	size_t feed_len, fed;
	bool stall; /* do not read out */
	struct buf out_got, err_got;
	bool out_eof;
	/* what vmrun heard */
	struct edge_record event[RIG_EVENTS];
	size_t n_events;
	bool host_eof;
};

/* Descriptors 5 to 8 of vmrun-mux; -1: none.  Exits where it cannot start. */
void rig_start(struct rig *r, const int extra[4]);
/* Closes all ends and reaps; the wait status. */
int rig_end(struct rig *r);

/* Two ends: *ours for the test, the return value for vmrun-mux; pipes. */
int rig_in(struct rig *r, bool nonblock);
int rig_out(struct rig *r, bool nonblock);
int rig_err(struct rig *r, bool nonblock);

/* Sends LAUNCH with a record of n bytes; closes the descriptors. */
void rig_launch(struct rig *r, uint32_t session, uint32_t stdio, const int *fds,
		size_t n);
/* Pipes for all three, LAUNCH, HELLO, and the guest has its record. */
void rig_run(struct rig *r);
void rig_command(struct rig *r, const struct edge_record *c);

/* The guest says an encoded message; b is freed. */
void rig_say(struct rig *r, struct buf *b);
void rig_hello(struct rig *r);
void rig_exit(struct rig *r, uint32_t session, uint32_t code);
/* The guest sends n bytes on a stream, in turns. */
void rig_send(struct rig *r, unsigned stream, const void *p, size_t n);

/* Bytes straight to the port, past the guest's multiplexer. */
void rig_raw(struct rig *r, const void *p, size_t n);

/* timeout: of poll(2), in milliseconds; -1: until something happens. */
void rig_turn(struct rig *r, int timeout);
void rig_until(struct rig *r, bool (*is)(struct rig *r));
/*
 * vmrun-mux has seen everything that was there before: its loop went round.
 * Only while session 0 is asked for or running.
 */
void rig_sync(struct rig *r);

const struct edge_record *rig_find(const struct rig *r, enum edge_kind kind);
size_t rig_count(const struct rig *r, enum edge_kind kind);

/* Conditions */
bool rig_has_hello(struct rig *r);
bool rig_has_exit(struct rig *r);
bool rig_has_gone(struct rig *r);
bool rig_has_record(struct rig *r);
bool rig_is_fed(struct rig *r);

void rig_fill(unsigned char *p, size_t n);

#endif
