/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The multiplexer's state machine.  No input or output of its own; runs in
 * vmrun-mux, which reads guest bytes, and in the guest's init.
 */
#include "wire/mux.h"

#include "base/err.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct stream {
	bool used; /* OPEN went one way or the other; control: always */
	bool tx_eof, rx_eof, tx_reset; /* was sent, was received */
	uint32_t tx_credit;	       /* bytes that we may send */
	uint32_t rx_left;	       /* bytes that the peer may send */
	uint32_t rx_owed;	       /* consumed, CREDIT not sent yet */
};

struct frame {
	unsigned stream;
	unsigned type;
	uint32_t len;
};

struct mux {
	enum mux_side side;
	bool bad;
	unsigned data_stream; /* of the DATA frame that is arriving */
	uint32_t data_left;   /* bytes of it still to come */
	size_t frame_at;      /* mux_send_begin(): where its header is */
	struct buf out;
	struct stream s[MUX_STREAMS];
};

static void stream_start(struct stream *s)
{
	memset(s, 0, sizeof(*s));
	s->used = true;
	s->tx_credit = MUX_WINDOW;
	s->rx_left = MUX_WINDOW;
}

struct mux *mux_new(enum mux_side side)
{
	struct mux *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->side = side;
	buf_init(&m->out, MUX_OUT_MAX);
	stream_start(&m->s[MUX_CONTROL]);
	return m;
}

void mux_free(struct mux *m)
{
	if (!m)
		return;
	buf_free(&m->out);
	free(m);
}

struct buf *mux_out(struct mux *m)
{
	return &m->out;
}

static uint32_t get_u32(const unsigned char *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

static void put_u32(unsigned char *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (unsigned char)(v >> (8 * i));
}

static void put_header(unsigned char *p, unsigned stream, enum mux_type type,
		       uint32_t len)
{
	p[0] = (unsigned char)stream;
	p[1] = (unsigned char)(stream >> 8);
	p[2] = (unsigned char)type;
	p[3] = 0;
	put_u32(p + 4, len);
}

static int put_frame(struct mux *m, unsigned stream, enum mux_type type,
		     const void *p, size_t n)
{
	unsigned char *at = buf_grow(&m->out, MUX_HEADER + n);

	if (!at)
		return -1;
	put_header(at, stream, type, (uint32_t)n);
	if (n)
		memcpy(at + MUX_HEADER, p, n);
	return 0;
}

static int put_number(struct mux *m, unsigned stream, enum mux_type type,
		      uint32_t v)
{
	unsigned char le[4];

	put_u32(le, v);
	return put_frame(m, stream, type, le, sizeof(le));
}

/* For the application: neither free nor over. */
static bool is_live(const struct stream *s)
{
	return s->used && !s->tx_reset && !(s->tx_eof && s->rx_eof);
}

static bool is_ours(const struct mux *m, unsigned stream)
{
	if (stream == MUX_CONTROL || stream >= MUX_STREAMS)
		return false;
	return (stream < MUX_GUEST_FIRST) == (m->side == MUX_HOST);
}

static int violation(struct mux *m, struct err *e, unsigned stream,
		     const char *what)
{
	m->bad = true;
	return err_set(e, EPROTO, "stream %u: %s", stream, what);
}

/* Our RESET, by the application's wish, as an answer or after EOF both ways. */
static int send_reset(struct mux *m, unsigned stream)
{
	m->s[stream].tx_reset = true;
	return put_frame(m, stream, MUX_T_RESET, NULL, 0);
}

/* Receiving.  Each handler: 1 an event, 0 nothing to tell, -1 a violation. */

static int on_open(struct mux *m, const struct frame *f, uint32_t service,
		   struct mux_event *ev, struct err *e)
{
	struct stream *s = &m->s[f->stream];

	if (f->stream == MUX_CONTROL || is_ours(m, f->stream))
		return violation(m, e, f->stream, "opened by the wrong side");
	if (s->used)
		return violation(m, e, f->stream, "opened twice");
	stream_start(s);
	ev->kind = MUX_EV_OPEN;
	ev->service = service;
	return 1;
}

static int on_data(struct mux *m, const struct frame *f, struct err *e)
{
	struct stream *s = &m->s[f->stream];

	if (s->rx_eof)
		return violation(m, e, f->stream, "data after the end");
	if (f->len > s->rx_left)
		return violation(m, e, f->stream, "more data than credit");
	s->rx_left -= f->len;
	m->data_stream = f->stream;
	m->data_left = f->len;
	return 0;
}

static int on_credit(struct mux *m, const struct frame *f, uint32_t n,
		     struct mux_event *ev, struct err *e)
{
	struct stream *s = &m->s[f->stream];

	if (!n || n > MUX_WINDOW - s->tx_credit)
		return violation(m, e, f->stream, "credit for nothing sent");
	s->tx_credit += n;
	if (s->tx_reset || s->tx_eof)
		return 0;
	ev->kind = MUX_EV_CREDIT;
	return 1;
}

static int on_eof(struct mux *m, const struct frame *f, struct mux_event *ev,
		  struct err *e)
{
	struct stream *s = &m->s[f->stream];

	if (f->stream == MUX_CONTROL)
		return violation(m, e, f->stream, "end of the control stream");
	if (s->rx_eof)
		return violation(m, e, f->stream, "ended twice");
	s->rx_eof = true;
	if (s->tx_reset)
		return 0;
	if (s->tx_eof)
		send_reset(m, f->stream);
	ev->kind = MUX_EV_EOF;
	return 1;
}

static int on_reset(struct mux *m, const struct frame *f, struct mux_event *ev,
		    struct err *e)
{
	struct stream *s = &m->s[f->stream];
	bool known = s->tx_reset;

	if (f->stream == MUX_CONTROL)
		return violation(m, e, f->stream,
				 "reset of the control stream");
	if (!known)
		send_reset(m, f->stream);
	memset(s, 0, sizeof(*s));
	if (known)
		return 0;
	ev->kind = MUX_EV_RESET;
	return 1;
}

/* The header's own rules, before a byte of payload is waited for. */
static int check_frame(struct mux *m, const struct frame *f, unsigned zero,
		       struct err *e)
{
	uint32_t want = 0;

	if (f->stream >= MUX_STREAMS)
		return violation(m, e, f->stream, "no such stream");
	if (zero)
		return violation(m, e, f->stream, "the zero byte is not zero");
	if (f->type < MUX_T_OPEN || f->type > MUX_T_RESET)
		return violation(m, e, f->stream, "unknown kind of frame");
	if (f->type != MUX_T_OPEN && !m->s[f->stream].used)
		return violation(m, e, f->stream, "not open");
	if (f->type == MUX_T_DATA) {
		if (!f->len || f->len > MUX_DATA_MAX)
			return violation(m, e, f->stream, "bad length");
		return 0;
	}
	if (f->type == MUX_T_OPEN || f->type == MUX_T_CREDIT)
		want = 4;
	if (f->len != want)
		return violation(m, e, f->stream, "bad length");
	return 0;
}

static int on_frame(struct mux *m, const struct frame *f,
		    const unsigned char *body, struct mux_event *ev,
		    struct err *e)
{
	int r = 0;

	ev->stream = f->stream;
	switch ((enum mux_type)f->type) {
	case MUX_T_OPEN:
		r = on_open(m, f, get_u32(body), ev, e);
		break;
	case MUX_T_DATA:
		r = on_data(m, f, e);
		break;
	case MUX_T_CREDIT:
		r = on_credit(m, f, get_u32(body), ev, e);
		break;
	case MUX_T_EOF:
		r = on_eof(m, f, ev, e);
		break;
	case MUX_T_RESET:
		r = on_reset(m, f, ev, e);
		break;
	}
	if (r >= 0 && m->out.bad)
		return violation(m, e, f->stream,
				 "answers are not read, or no memory for them");
	return r;
}

/* One whole frame, but of DATA only the header.  2: more bytes are needed. */
static int take_frame(struct mux *m, const unsigned char *p, size_t n,
		      size_t *took, struct mux_event *ev, struct err *e)
{
	struct frame f;
	size_t need;

	if (n < MUX_HEADER)
		return 2;
	f.stream = (unsigned)p[0] | (unsigned)p[1] << 8;
	f.type = p[2];
	f.len = get_u32(p + 4);
	if (check_frame(m, &f, p[3], e) < 0)
		return -1;
	/* Of DATA the first byte must be there: so the header of a frame is
	 * never taken without something to tell. */
	need = f.type == MUX_T_DATA ? 1 : f.len;
	if (n - MUX_HEADER < need)
		return 2;
	*took = MUX_HEADER + (f.type == MUX_T_DATA ? 0 : f.len);
	return on_frame(m, &f, p + MUX_HEADER, ev, e);
}

/* Payload of the DATA frame that is arriving; as take_frame(). */
static int take_data(struct mux *m, const unsigned char *p, size_t n,
		     size_t *took, struct mux_event *ev)
{
	if (!n)
		return 2;
	*took = n < m->data_left ? n : m->data_left;
	m->data_left -= (uint32_t)*took;
	if (m->s[m->data_stream].tx_reset)
		return 0;
	ev->kind = MUX_EV_DATA;
	ev->stream = m->data_stream;
	ev->data = p;
	ev->len = *took;
	return 1;
}

int mux_feed(struct mux *m, const void *p, size_t n, size_t *used,
	     struct mux_event *ev, struct err *e)
{
	static const unsigned char nothing;
	const unsigned char *at = p ? p : &nothing;
	int r;

	*used = 0;
	memset(ev, 0, sizeof(*ev));
	if (m->bad)
		return err_set(e, EPROTO, "the peer broke the protocol before");
	do {
		size_t took = 0;

		if (m->data_left)
			r = take_data(m, at + *used, n - *used, &took, ev);
		else
			r = take_frame(m, at + *used, n - *used, &took, ev, e);
		*used += took;
	} while (!r);
	if (r < 0)
		memset(ev, 0, sizeof(*ev));
	return r < 0 ? -1 : 0;
}

size_t mux_arriving(const struct mux *m, unsigned *stream)
{
	if (m->bad || !m->data_left || m->s[m->data_stream].tx_reset)
		return 0;
	*stream = m->data_stream;
	return m->data_left;
}

void mux_arrived(struct mux *m, size_t n)
{
	assert(n <= m->data_left);
	m->data_left -= (uint32_t)n;
}

void mux_consumed(struct mux *m, unsigned stream, size_t n)
{
	struct stream *s;
	uint32_t held;

	if (stream >= MUX_STREAMS)
		return;
	s = &m->s[stream];
	/* A peer that writes no more has no use for credit. */
	if (!is_live(s) || s->rx_eof)
		return;
	held = MUX_WINDOW - s->rx_left - s->rx_owed;
	s->rx_owed += n < held ? (uint32_t)n : held;
	if (s->rx_owed < MUX_CREDIT_STEP)
		return;
	if (put_number(m, stream, MUX_T_CREDIT, s->rx_owed) < 0)
		return;
	s->rx_left += s->rx_owed;
	s->rx_owed = 0;
}

size_t mux_may_send(const struct mux *m, unsigned stream)
{
	const struct stream *s;

	if (stream >= MUX_STREAMS || m->bad || m->out.bad)
		return 0;
	s = &m->s[stream];
	if (!is_live(s) || s->tx_eof || m->out.len >= MUX_OUT_HIGH)
		return 0;
	return s->tx_credit < MUX_DATA_FULL ? s->tx_credit : MUX_DATA_FULL;
}

bool mux_is_open(const struct mux *m, unsigned stream)
{
	return stream < MUX_STREAMS && is_live(&m->s[stream]);
}

bool mux_is_free(const struct mux *m, unsigned stream)
{
	return is_ours(m, stream) && !m->s[stream].used;
}

int mux_open(struct mux *m, unsigned stream, uint32_t service)
{
	if (!mux_is_free(m, stream))
		return -1;
	if (put_number(m, stream, MUX_T_OPEN, service) < 0)
		return -1;
	stream_start(&m->s[stream]);
	return 0;
}

void *mux_send_begin(struct mux *m, unsigned stream, size_t *room)
{
	unsigned char *at;

	*room = mux_may_send(m, stream);
	if (!*room)
		return NULL;
	m->frame_at = m->out.len;
	at = buf_grow(&m->out, MUX_HEADER + *room);
	return at ? at + MUX_HEADER : NULL;
}

void mux_send_end(struct mux *m, unsigned stream, size_t n)
{
	unsigned char *at = m->out.data + m->frame_at;

	m->out.len = m->frame_at;
	if (!n)
		return;
	m->out.len += MUX_HEADER + n;
	put_header(at, stream, MUX_T_DATA, (uint32_t)n);
	m->s[stream].tx_credit -= (uint32_t)n;
}

int mux_send(struct mux *m, unsigned stream, const void *p, size_t n)
{
	if (n > mux_may_send(m, stream))
		return -1;
	if (!n)
		return 0;
	if (put_frame(m, stream, MUX_T_DATA, p, n) < 0)
		return -1;
	m->s[stream].tx_credit -= (uint32_t)n;
	return 0;
}

int mux_send_eof(struct mux *m, unsigned stream)
{
	if (stream == MUX_CONTROL || !mux_is_open(m, stream) ||
	    m->s[stream].tx_eof)
		return -1;
	if (put_frame(m, stream, MUX_T_EOF, NULL, 0) < 0)
		return -1;
	m->s[stream].tx_eof = true;
	if (m->s[stream].rx_eof)
		return send_reset(m, stream);
	return 0;
}

int mux_reset(struct mux *m, unsigned stream)
{
	if (stream == MUX_CONTROL || !mux_is_open(m, stream))
		return -1;
	return send_reset(m, stream);
}

unsigned mux_pick(const struct mux *m, unsigned after)
{
	for (unsigned i = after + 1; i < MUX_STREAMS; i++)
		if (mux_is_free(m, i))
			return i;
	return 0;
}
