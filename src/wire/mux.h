/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The multiplexer's frames and per-stream credit: bytes in, events out.
 *
 * Theory of operation
 *
 * One virtio-serial port joins vmrun-mux on the host and vmrun-init in the
 * guest.  Both sides run this same state machine; each treats what it reads
 * as hostile.  The byte stream is a sequence of frames:
 *
 *     u16 stream | u8 type | u8 zero | u32 length | length bytes
 *
 * Stream 0 is the control stream (wire/control.h) and always open.  Streams
 * below MUX_GUEST_FIRST are opened by the host, the rest by the guest.  A
 * sender may have at most the credit that its peer gave it under way: each
 * stream starts with MUX_WINDOW bytes in each direction, and the receiver
 * sends CREDIT as it consumes.  So a stalled reader stalls its own stream and
 * nothing else, and memory is bounded by MUX_STREAMS * MUX_WINDOW.
 *
 *     OPEN    the stream exists; payload: u32 service (enum mux_service)
 *     DATA    1..MUX_DATA_MAX bytes, never more than the credit left
 *     CREDIT  payload: u32 bytes that the sender of this frame consumed
 *     EOF     the sender writes no more; the other direction goes on
 *     RESET   both directions are over, queued bytes may be lost
 *
 * RESET is also the last frame of every life of an id: whoever receives RESET
 * answers RESET unless it already sent one, and whoever has both sent and
 * received EOF sends RESET by itself (the application hears nothing of that
 * one).  So an id is free on a side once RESET went both ways, and no frame of
 * an earlier life can be taken for one of the next.  Between its own RESET and
 * the peer's a side drops what still arrives for the stream.
 *
 * A peer that makes us answer and does not read is bounded too: DATA is not
 * added to more than MUX_OUT_HIGH bytes of output, and an honest peer cannot
 * cause more than MUX_OUT_CONTROL bytes of other frames before it reads them
 * (ids are reused after our RESET arrived, CREDIT follows our CREDIT).  So a
 * side always goes on reading its port, and two of them never wait for each
 * other.
 *
 * Any violation (bad id, type, length, state, credit) is final: mux_feed()
 * returns -1, the caller closes the port and ends the VM.  No resync.
 */
#ifndef WIRE_MUX_H
#define WIRE_MUX_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MUX_HEADER 8u
#define MUX_DATA_MAX 65536u
/* What we send at most: with its header two whole writes to a guest's port. */
#define MUX_DATA_FULL (65536u - MUX_HEADER)
#define MUX_WINDOW (512u * 1024u)
/* CREDIT is returned when so much was consumed: two frames. */
#define MUX_CREDIT_STEP (2 * MUX_DATA_FULL)
#define MUX_STREAMS 256u
#define MUX_GUEST_FIRST 128u
#define MUX_CONTROL 0u
#define MUX_OUT_HIGH (128u * 1024u)
#define MUX_OUT_CONTROL (64u * 1024u)
#define MUX_OUT_MAX (MUX_OUT_HIGH + MUX_HEADER + MUX_DATA_MAX + MUX_OUT_CONTROL)

struct err;

enum mux_side { MUX_HOST, MUX_GUEST };

enum mux_type {
	MUX_T_OPEN = 1,
	MUX_T_DATA = 2,
	MUX_T_CREDIT = 3,
	MUX_T_EOF = 4,
	MUX_T_RESET = 5,
};

enum mux_event_kind {
	MUX_EV_NONE, /* more bytes are needed */
	MUX_EV_OPEN,
	MUX_EV_DATA,   /* data and len: in the fed bytes, not a copy */
	MUX_EV_CREDIT, /* the peer consumed: mux_may_send() has grown */
	MUX_EV_EOF,
	MUX_EV_RESET,
};

/*
 * What a stream is for.  The receiver of OPEN decides what it knows: the host
 * the forwarded sockets of the launch record, in its order, and nothing else.
 */
enum mux_service {
	MUX_SERVICE_STDIO = 0,	/* of a session, named in its record */
	MUX_SERVICE_SOCKET = 1, /* the first socket; the next is 2, ... */
};

struct mux_event {
	enum mux_event_kind kind;
	unsigned stream;
	uint32_t service;	   /* MUX_EV_OPEN */
	const unsigned char *data; /* MUX_EV_DATA */
	size_t len;
};

struct mux; /* opaque; one per port */

/* NULL without memory. */
struct mux *mux_new(enum mux_side side);
void mux_free(struct mux *m);

/*
 * Decodes at most one event from p[0..n).  The caller drops the first *used
 * bytes, whatever the event is, and calls again with the rest until the event
 * is MUX_EV_NONE: then more bytes are needed.  What is left over with
 * MUX_EV_NONE is shorter than MUX_HEADER + 4.  The payload of one DATA frame
 * may come as several events, as its bytes arrive.  -1 and e on a violation;
 * for ever after, too.
 */
int mux_feed(struct mux *m, const void *p, size_t n, size_t *used,
	     struct mux_event *ev, struct err *e);

/*
 * Payload of a DATA frame that is still to come, and its stream; 0: what comes
 * next is for mux_feed().  A caller may take up to that many bytes without
 * feeding them, and says so with mux_arrived().
 */
size_t mux_arriving(const struct mux *m, unsigned *stream);
void mux_arrived(struct mux *m, size_t n);

/*
 * The receiver consumed n bytes of this stream; queues CREDIT when worth it.
 * Nothing happens on a stream that is over.
 */
void mux_consumed(struct mux *m, unsigned stream, size_t n);

/*
 * Bytes that may be sent on the stream now, at most MUX_DATA_FULL: 0 if
 * unknown, closed, without credit, or if MUX_OUT_HIGH bytes wait for the port
 * (then ask again after writing some).
 */
size_t mux_may_send(const struct mux *m, unsigned stream);
/* False too once both sides sent EOF, or we sent RESET. */
bool mux_is_open(const struct mux *m, unsigned stream);
/* An id of this side's half that mux_open() would take. */
bool mux_is_free(const struct mux *m, unsigned stream);

/*
 * Each appends one frame to the output buffer; -1 if the state forbids it, if
 * n is more than mux_may_send(), or without memory.  mux_open() fails while
 * the id is not yet free again.
 */
int mux_open(struct mux *m, unsigned stream, uint32_t service);
int mux_send(struct mux *m, unsigned stream, const void *p, size_t n);
int mux_send_eof(struct mux *m, unsigned stream);
int mux_reset(struct mux *m, unsigned stream);

/*
 * mux_send() without a copy: a place in the output buffer for *room bytes
 * (more than 0, at most mux_may_send()), NULL if nothing may be sent.  No
 * other call on m until mux_send_end() says how many bytes were put there; 0
 * takes the whole frame back.
 */
void *mux_send_begin(struct mux *m, unsigned stream, size_t *room);
void mux_send_end(struct mux *m, unsigned stream, size_t n);

/* The first free id of this side's half above `after`, or 0 if there is none.
 */
unsigned mux_pick(const struct mux *m, unsigned after);

/* Frames waiting for the port; the caller drops them with buf_consume(). */
struct buf *mux_out(struct mux *m);

#endif
