/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sessions and what the guest says about them.  Runs in vmrun-mux as U,
 * sealed; all that is read here is hostile.
 */
#include "session.h"

#include "command.h"

#include "base/err.h"
#include "base/own.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_STREAM 1u
#define LAST_STREAM (3 * CTL_SESSIONS)

void sessions_init(struct sessions *a, struct host *h, struct port *p)
{
	memset(a, 0, sizeof(*a));
	a->host = h;
	a->port = p;
	conns_init(&a->conns, h, p);
	for (unsigned i = 0; i < CTL_SESSIONS; i++) {
		a->s[i].record = -1;
		for (int j = FLOW_IN; j <= FLOW_ERR; j++)
			flow_init(&a->s[i].flow[j]);
	}
}

void session_close(struct session *s)
{
	own_close(&s->record);
	for (int j = FLOW_IN; j <= FLOW_ERR; j++)
		flow_close(&s->flow[j]);
}

void sessions_free(struct sessions *a)
{
	for (unsigned i = 0; i < CTL_SESSIONS; i++)
		session_close(&a->s[i]);
	conns_free(&a->conns);
}

bool session_is_running(const struct session *s)
{
	return s->state == SESSION_SENT || s->state == SESSION_STARTED;
}

static struct flow *flow_of(struct sessions *a, unsigned stream)
{
	if (stream < FIRST_STREAM || stream > LAST_STREAM)
		return NULL;
	stream -= FIRST_STREAM;
	return &a->s[stream / 3].flow[stream % 3];
}

void session_finish(struct sessions *a, struct session *s)
{
	for (int j = FLOW_IN; j <= FLOW_ERR; j++)
		if (s->flow[j].fd >= 0)
			flow_finish(&s->flow[j], a->port->mux);
}

bool session_is_end(uint32_t signo)
{
	switch (signo) {
	case SIGINT:
	case SIGTERM:
	case SIGHUP:
	case SIGQUIT:
	case SIGALRM:
	case SIGVTALRM:
	case SIGPROF:
	case SIGXCPU:
	case SIGKILL:
		return true;
	default:
		return false;
	}
}

void session_hurry(struct session *s, uint32_t signo)
{
	session_close(s);
	s->hurried = true;
	s->exit.exit = CTL_EXIT_SIGNAL;
	s->exit.value = signo;
}

static void send_gone(struct sessions *a, const char *why)
{
	struct edge_record r = {.kind = EDGE_EV_GONE};

	host_text(&r, why);
	host_send(a->host, &r);
	a->state = PORT_GONE;
}

static void port_over(struct sessions *a)
{
	port_close(a->port);
	for (unsigned i = 0; i < CTL_SESSIONS; i++)
		session_finish(a, &a->s[i]);
	conns_finish(&a->conns);
}

void sessions_violated(struct sessions *a, const char *why)
{
	if (a->state == PORT_GONE)
		return;
	port_over(a);
	send_gone(a, why);
}

/* Messages of the guest */

static int on_hello(struct sessions *a, const struct ctl_guest_msg *m,
		    struct err *e)
{
	struct edge_record r = {.kind = EDGE_EV_HELLO, .value = m->version};

	if (a->state != PORT_WAITING)
		return err_set(e, EPROTO, "the guest says hello twice");
	if (m->version != CTL_VERSION)
		return err_set(e, 0,
			       "the guest image speaks version %" PRIu32
			       ", not %u: import it again",
			       m->version, CTL_VERSION);
	a->state = PORT_UP;
	host_send(a->host, &r);
	return 0;
}

/* One at a time: who asks again and again waits for vmrun each time. */
static int on_ask_clock(struct sessions *a, struct err *e)
{
	if (a->state != PORT_UP)
		return err_set(e, EPROTO, "the guest asks before its hello");
	if (!a->clock_asked)
		host_event(a->host, EDGE_EV_ASK_CLOCK, 0);
	a->clock_asked = true;
	return 0;
}

static void on_log(struct sessions *a, const struct ctl_guest_msg *m)
{
	enum log_level level = LOG_LEVEL_DEBUG;

	if (m->level < LOG_LEVEL_DEBUG)
		level = (enum log_level)m->level;
	host_log(a->host, level, m->text);
}

static bool is_exit(const struct ctl_guest_msg *m)
{
	switch ((enum ctl_exit)m->kind) {
	case CTL_EXIT_CODE:
		return m->value <= 255;
	case CTL_EXIT_SIGNAL:
		return m->value >= 1 && m->value <= 64;
	case CTL_EXIT_NOT_FOUND:
	case CTL_EXIT_NOT_EXEC:
	case CTL_EXIT_SETUP:
		return true;
	}
	return false;
}

static int on_exit_message(struct sessions *a, struct session *s,
			   const struct ctl_guest_msg *m, struct err *e)
{
	if (!is_exit(m))
		return err_set(e, EPROTO, "an impossible exit status");
	s->exit = (struct edge_record){
		.kind = EDGE_EV_EXIT,
		.session = m->session,
		.exit = m->kind,
		.value = m->value,
	};
	host_text(&s->exit, m->text);
	if (!m->session)
		conns_tell(&a->conns);
	s->hurried = m->kind == CTL_EXIT_SIGNAL && m->value == s->signal;
	s->state = SESSION_ENDED;
	session_finish(a, s);
	return 0;
}

/* The messages about one session. */
static int on_session(struct sessions *a, const struct ctl_guest_msg *m,
		      struct err *e)
{
	struct session *s;

	if (a->state != PORT_UP || m->session >= CTL_SESSIONS ||
	    !session_is_running(&a->s[m->session]))
		return err_set(e, EPROTO,
			       "the guest names session %" PRIu32
			       ", which does not run",
			       m->session);
	s = &a->s[m->session];
	if (m->type == CTL_EXIT)
		return on_exit_message(a, s, m, e);
	if (m->type == CTL_STARTED) {
		if (s->state == SESSION_STARTED)
			return err_set(e, EPROTO, "a session starts twice");
		s->state = SESSION_STARTED;
		host_event(a->host, EDGE_EV_STARTED, m->session);
		return 0;
	}
	/* An application may say it as often as it likes: told once. */
	if (!s->ready)
		host_event(a->host, EDGE_EV_READY, m->session);
	s->ready = true;
	return 0;
}

static int on_message(struct sessions *a, const struct ctl_guest_msg *m,
		      struct err *e)
{
	switch (m->type) {
	case CTL_HELLO:
		return on_hello(a, m, e);
	case CTL_LOG:
		on_log(a, m);
		return 0;
	case CTL_ASK_CLOCK:
		return on_ask_clock(a, e);
	case CTL_STARTED:
	case CTL_READY:
	case CTL_EXIT:
		return on_session(a, m, e);
	case CTL_LAUNCH:
	case CTL_EXEC:
	case CTL_SIGNAL:
	case CTL_WINSIZE:
	case CTL_CLOCK:
	case CTL_STOP:
		break;
	}
	return err_set(e, EPROTO, "the guest sends a message of the host");
}

static int on_control(struct sessions *a, struct mux_event *ev, struct err *e)
{
	struct ctl_guest_msg m;
	int r;

	while ((r = port_message(a->port, ev, &m, e)) > 0)
		if (on_message(a, &m, e) < 0)
			return -1;
	return r;
}

static int on_event(struct sessions *a, struct mux_event *ev, struct err *e)
{
	struct flow *f = flow_of(a, ev->stream);

	if (ev->kind == MUX_EV_DATA && ev->stream == MUX_CONTROL)
		return on_control(a, ev, e);
	if (ev->kind != MUX_EV_NONE && ev->stream >= MUX_GUEST_FIRST)
		conns_event(&a->conns, ev);
	if (!f)
		return 0;
	switch (ev->kind) {
	case MUX_EV_DATA:
		if (flow_data(f, a->port->mux, ev->data, ev->len) < 0)
			return err_set(e, EPROTO,
				       "stream %u: data the wrong "
				       "way",
				       ev->stream);
		break;
	case MUX_EV_EOF:
		flow_eof(f, a->port->mux);
		break;
	case MUX_EV_RESET:
		flow_reset(f);
		break;
	case MUX_EV_NONE:
	case MUX_EV_OPEN:
	case MUX_EV_CREDIT:
		break;
	}
	return 0;
}

void sessions_port(struct sessions *a)
{
	struct err e = ERR_INIT;
	struct mux_event ev;

	if (!port_is_open(a->port))
		return;
	do {
		if (port_event(a->port, &ev, &e) < 0 ||
		    on_event(a, &ev, &e) < 0) {
			sessions_violated(a, e.msg);
			return;
		}
	} while (ev.kind != MUX_EV_NONE);
	if (a->port->closed) {
		port_over(a);
		a->state = PORT_ENDED;
	}
}

void sessions_watch(struct sessions *a, struct watch *w)
{
	for (unsigned i = 0; i < CTL_SESSIONS; i++)
		for (int j = FLOW_IN; j <= FLOW_ERR; j++)
			flow_watch(&a->s[i].flow[j], w, a->port->mux);
	conns_watch(&a->conns, w);
}

void sessions_turn(struct sessions *a, const struct watch *w)
{
	/* Not always the same one first: the room in the port's output is
	 * shared, and the first would have all of it. */
	a->turn = (a->turn + 1) % CTL_SESSIONS;
	if (a->turn & 1)
		conns_turn(&a->conns, w);
	for (unsigned i = 0; i < CTL_SESSIONS; i++) {
		struct session *s = &a->s[(a->turn + i) % CTL_SESSIONS];

		for (int j = FLOW_IN; j <= FLOW_ERR; j++)
			flow_turn(&s->flow[j], w, a->port->mux);
	}
	if (!(a->turn & 1))
		conns_turn(&a->conns, w);
}

/*
 * What ended a flow, other than its end, or that its reader left.  A terminal
 * that fails is one that hung up, and vmrun hears of that itself.
 */
static void note_lost(struct session *s)
{
	static const enum edge_stdio bits[] = {EDGE_STDIO_IN, EDGE_STDIO_OUT,
					       EDGE_STDIO_ERR};

	for (int j = FLOW_IN; j <= FLOW_ERR; j++) {
		const struct flow *f = &s->flow[j];

		if (s->lost || !f->error || f->way == FLOW_BOTH)
			continue;
		s->lost = f->error;
		s->lost_on = bits[j - FLOW_IN];
	}
}

static void send_exit(struct sessions *a, struct session *s)
{
	if (s->lost) {
		s->exit.error = (uint32_t)s->lost;
		s->exit.stdio = s->lost_on;
	}
	host_send(a->host, &s->exit);
}

/* True if nothing of the session's output waits. */
static bool settle(struct sessions *a, uint32_t session)
{
	struct session *s = &a->s[session];

	note_lost(s);
	if (a->state == PORT_UP)
		command_settle(a, session);
	for (int j = FLOW_IN; j <= FLOW_ERR; j++)
		if (!flow_is_drained(&s->flow[j]))
			return false;
	if (!session && !s->hurried && !conns_are_drained(&a->conns))
		return false;
	if (s->state != SESSION_ENDED)
		return true;
	session_close(s);
	send_exit(a, s);
	s->state = SESSION_FREE;
	return true;
}

void sessions_settle(struct sessions *a)
{
	bool drained = true;

	for (uint32_t i = 0; i < CTL_SESSIONS; i++)
		drained = settle(a, i) && drained;
	if (a->state == PORT_ENDED && drained)
		send_gone(a, "the virtual machine closed its port");
	if (a->state == PORT_UP)
		port_pump(a->port);
}
