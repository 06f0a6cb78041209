/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Control messages: encode and decode.  Pure; runs in vmrun, vmrun-mux (which
 * reads the guest's) and the guest's init (which reads the host's).
 */
#include "wire/control.h"

#include "base/err.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define HEADER 8u
#define SIGNAL_MAX 64u
#define LEVEL_MAX 3u

/* Puts the header; the value is for end(). */
static size_t begin(struct buf *b, enum ctl_type type)
{
	size_t at;

	buf_put_u32(b, (uint32_t)type);
	at = b->len;
	buf_put_u32(b, 0);
	return at;
}

/* Writes the length, which is known only now. */
static void end(struct buf *b, size_t at)
{
	size_t n;

	if (b->bad)
		return;
	n = b->len - at - 4;
	if (n > UINT32_MAX) {
		b->bad = true;
		return;
	}
	for (size_t i = 0; i < 4; i++)
		b->data[at + i] = (unsigned char)(n >> (8 * i));
}

static void put_text(struct buf *b, const char *text)
{
	size_t n = text ? strnlen(text, CTL_TEXT_MAX) : 0;

	buf_put_u32(b, (uint32_t)n);
	buf_put(b, text, n);
}

void ctl_put_hello(struct buf *b)
{
	size_t at = begin(b, CTL_HELLO);

	buf_put_u32(b, CTL_VERSION);
	end(b, at);
}

void ctl_put_session(struct buf *b, enum ctl_type type, uint32_t session)
{
	size_t at = begin(b, type);

	assert(type == CTL_STARTED || type == CTL_READY);
	buf_put_u32(b, session);
	end(b, at);
}

void ctl_put_exit(struct buf *b, uint32_t session, enum ctl_exit kind,
		  uint32_t value, const char *text)
{
	size_t at = begin(b, CTL_EXIT);

	buf_put_u32(b, session);
	buf_put_u32(b, (uint32_t)kind);
	buf_put_u32(b, value);
	put_text(b, text);
	end(b, at);
}

void ctl_put_log(struct buf *b, uint32_t level, const char *text)
{
	size_t at = begin(b, CTL_LOG);

	buf_put_u32(b, level);
	put_text(b, text);
	end(b, at);
}

void ctl_put_ask_clock(struct buf *b)
{
	end(b, begin(b, CTL_ASK_CLOCK));
}

void ctl_put_launch(struct buf *b, const struct launch *l)
{
	size_t at = begin(b, CTL_LAUNCH);

	launch_put(b, l);
	end(b, at);
}

void ctl_put_exec(struct buf *b, const struct session_spec *s)
{
	size_t at = begin(b, CTL_EXEC);

	session_spec_put(b, s);
	end(b, at);
}

void ctl_put_signal(struct buf *b, uint32_t session, uint32_t signo)
{
	size_t at = begin(b, CTL_SIGNAL);

	buf_put_u32(b, session);
	buf_put_u32(b, signo);
	end(b, at);
}

void ctl_put_winsize(struct buf *b, uint32_t session,
		     const struct winsize_msg *w)
{
	size_t at = begin(b, CTL_WINSIZE);

	buf_put_u32(b, session);
	winsize_put(b, w);
	end(b, at);
}

void ctl_put_clock(struct buf *b, uint64_t ns)
{
	size_t at = begin(b, CTL_CLOCK);

	buf_put_u64(b, ns);
	end(b, at);
}

void ctl_put_stop(struct buf *b)
{
	end(b, begin(b, CTL_STOP));
}

/* Into a fixed array: the guest's messages are decoded without allocation. */
static void get_text(struct rd *r, char *out)
{
	size_t n = rd_max(r, CTL_TEXT_MAX);
	const unsigned char *at = rd_get(r, n);

	if (!at)
		return;
	if (memchr(at, 0, n)) {
		r->bad = true;
		return;
	}
	memcpy(out, at, n);
	out[n] = '\0';
}

/*
 * The header: 1 and the payload's reader, 0 for more, -1 if the length or the
 * type cannot be right.  The length is judged before the payload is there, so
 * that no sender can make us wait for what will be refused.
 */
static int open_message(const void *p, size_t n, size_t max, uint32_t *type,
			struct rd *r, struct err *e)
{
	uint32_t len;

	rd_init(r, p, n);
	if (n < HEADER)
		return 0;
	*type = rd_u32(r);
	len = rd_u32(r);
	if (len > max - HEADER)
		return err_set(e, 0,
			       "control message %u of %u bytes is too long",
			       *type, len);
	if (r->left < len)
		return 0;
	r->left = len;
	return 1;
}

static int malformed(uint32_t type, struct err *e)
{
	return err_set(e, 0, "control message of type %u is malformed", type);
}

static bool guest_may_say(uint32_t type)
{
	return type >= CTL_HELLO && type <= CTL_ASK_CLOCK;
}

static bool host_may_say(uint32_t type)
{
	return type >= CTL_LAUNCH && type <= CTL_STOP;
}

static void get_exit(struct rd *r, struct ctl_guest_msg *m)
{
	m->session = rd_max(r, CTL_SESSIONS - 1);
	m->kind = rd_max(r, CTL_EXIT_SETUP);
	m->value = rd_u32(r);
	get_text(r, m->text);
	if (m->kind == CTL_EXIT_CODE && m->value > 255)
		r->bad = true;
	if (m->kind == CTL_EXIT_SIGNAL && (!m->value || m->value > SIGNAL_MAX))
		r->bad = true;
}

static void get_guest(struct rd *r, struct ctl_guest_msg *m)
{
	switch (m->type) {
	case CTL_HELLO:
		m->version = rd_u32(r);
		break;
	case CTL_STARTED:
	case CTL_READY:
		m->session = rd_max(r, CTL_SESSIONS - 1);
		break;
	case CTL_EXIT:
		get_exit(r, m);
		break;
	case CTL_LOG:
		m->level = rd_max(r, LEVEL_MAX);
		get_text(r, m->text);
		break;
	case CTL_ASK_CLOCK:
		break;
	case CTL_LAUNCH:
	case CTL_EXEC:
	case CTL_SIGNAL:
	case CTL_WINSIZE:
	case CTL_CLOCK:
	case CTL_STOP:
		r->bad = true;
		break;
	}
}

int ctl_get_guest(const void *p, size_t n, size_t *used,
		  struct ctl_guest_msg *m, struct err *e)
{
	uint32_t type = 0;
	struct rd r;
	int have;

	memset(m, 0, sizeof(*m));
	*used = 0;
	have = open_message(p, n, CTL_GUEST_MAX, &type, &r, e);
	if (have < 0)
		return -1;
	if (n >= HEADER && !guest_may_say(type))
		return err_set(e, 0, "the guest may not say message type %u",
			       type);
	if (!have)
		return 0;
	m->type = (enum ctl_type)type;
	get_guest(&r, m);
	if (r.bad || r.left)
		return malformed(type, e);
	*used = (size_t)(r.p - (const unsigned char *)p);
	return 1;
}

static void get_signal(struct rd *r, struct ctl_host_msg *m)
{
	m->session = rd_max(r, CTL_SESSIONS - 1);
	m->signo = rd_max(r, SIGNAL_MAX);
	if (!m->signo)
		r->bad = true;
}

static void get_host(struct rd *r, struct ctl_host_msg *m)
{
	switch (m->type) {
	case CTL_LAUNCH:
		launch_get(r, &m->launch);
		break;
	case CTL_EXEC:
		session_spec_get(r, &m->exec);
		m->session = m->exec.session;
		if (!m->session)
			r->bad = true;
		break;
	case CTL_SIGNAL:
		get_signal(r, m);
		break;
	case CTL_WINSIZE:
		m->session = rd_max(r, CTL_SESSIONS - 1);
		winsize_get(r, &m->win);
		break;
	case CTL_CLOCK:
		m->clock_ns = rd_u64(r);
		break;
	case CTL_STOP:
		break;
	case CTL_HELLO:
	case CTL_STARTED:
	case CTL_READY:
	case CTL_EXIT:
	case CTL_LOG:
	case CTL_ASK_CLOCK:
		r->bad = true;
		break;
	}
}

int ctl_get_host(const void *p, size_t n, size_t *used, struct ctl_host_msg *m,
		 struct err *e)
{
	uint32_t type = 0;
	struct rd r;
	int have;

	memset(m, 0, sizeof(*m));
	*used = 0;
	have = open_message(p, n, CTL_HOST_MAX, &type, &r, e);
	if (have < 0)
		return -1;
	if (n >= HEADER && !host_may_say(type))
		return err_set(e, 0, "the host may not say message type %u",
			       type);
	if (!have)
		return 0;
	m->type = (enum ctl_type)type;
	get_host(&r, m);
	if (r.bad || r.left) {
		launch_free(&m->launch);
		session_spec_free(&m->exec);
		return malformed(type, e);
	}
	*used = (size_t)(r.p - (const unsigned char *)p);
	return 1;
}
