/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Commands of vmrun.  Runs in vmrun-mux as U, sealed.  vmrun is trusted: a
 * record that makes no sense is another version's, not an attack.
 */
#include "command.h"

#include "base/own.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char misfit[] = "vmrun and vmrun-mux do not fit together";

static void close_all(int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		close(fds[i]);
}

/* How many descriptors follow the memory file; -1: no such combination. */
static int count_stdio(uint32_t bits)
{
	bits &= ~(uint32_t)EDGE_STDIO_PAUSED;
	if (bits & EDGE_STDIO_TTY)
		bits ^= EDGE_STDIO_TTY | EDGE_STDIO_IN;
	if (bits & ~(EDGE_STDIO_IN | EDGE_STDIO_OUT | EDGE_STDIO_ERR))
		return -1;
	return !!(bits & EDGE_STDIO_IN) + !!(bits & EDGE_STDIO_OUT) +
	       !!(bits & EDGE_STDIO_ERR);
}

/* Takes the descriptors. */
static void start_flows(struct session *s, uint32_t session, uint32_t bits,
			const int *fds)
{
	if (bits & EDGE_STDIO_TTY)
		flow_start(&s->flow[FLOW_OUT], *fds++,
			   edge_stream(session, FLOW_OUT), FLOW_BOTH);
	if (bits & EDGE_STDIO_IN)
		flow_start(&s->flow[FLOW_IN], *fds++,
			   edge_stream(session, FLOW_IN), FLOW_TO_GUEST);
	if (bits & EDGE_STDIO_OUT)
		flow_start(&s->flow[FLOW_OUT], *fds++,
			   edge_stream(session, FLOW_OUT), FLOW_FROM_GUEST);
	if (bits & EDGE_STDIO_ERR)
		flow_start(&s->flow[FLOW_ERR], *fds++,
			   edge_stream(session, FLOW_ERR), FLOW_FROM_GUEST);
}

static void pause_input(struct session *s, bool paused)
{
	s->flow[FLOW_IN].paused = paused;
	s->flow[FLOW_OUT].paused = paused;
}

/* LAUNCH and EXEC.  -1: refused, for vmrun to choose another number. */
static int ask(struct sessions *a, const struct edge_record *r, int *fds,
	       size_t n)
{
	struct session *s = &a->s[r->session];

	if (s->state != SESSION_FREE) {
		close_all(fds, n);
		return -1;
	}
	if (r->kind == EDGE_CMD_LAUNCH) {
		a->conns.declared = r->value;
		a->conns.windows = r->conn;
	}
	s->record = fds[0];
	start_flows(s, r->session, r->stdio, fds + 1);
	pause_input(s, r->stdio & EDGE_STDIO_PAUSED);
	s->state = SESSION_ASKED;
	s->signals = 0;
	s->signal = 0;
	s->hurried = false;
	s->ready = false;
	s->resized = false;
	s->lost = 0;
	return 0;
}

static void say(struct sessions *a, struct buf *b)
{
	if (b->bad || port_say(a->port, b->data, b->len) < 0)
		host_log(a->host, LOG_LEVEL_WARN,
			 "the guest does not read: a message for it is lost");
	buf_free(b);
}

static void refuse(struct sessions *a, uint32_t session)
{
	session_close(&a->s[session]);
	a->s[session].state = SESSION_FREE;
	host_event(a->host, EDGE_EV_FULL, session);
}

static void hang_up(struct sessions *a, uint32_t session)
{
	struct session *s = &a->s[session];

	/* The guest never hears of a session that it does not know yet. */
	if (s->state == SESSION_ASKED) {
		refuse(a, session);
		return;
	}
	session_finish(a, s);
	for (int j = FLOW_IN; j <= FLOW_ERR; j++)
		flow_close(&s->flow[j]);
}

static void send_signal(struct sessions *a, uint32_t session, uint32_t signo)
{
	struct buf b;

	buf_init(&b, 64);
	ctl_put_signal(&b, session, signo);
	say(a, &b);
}

/* Before the guest knows the session, signals wait like those of a process. */
static void on_signal(struct sessions *a, uint32_t session, uint32_t signo)
{
	struct session *s = &a->s[session];

	if (signo < 1 || signo > 64)
		return;
	if (session_is_end(signo))
		s->signal = signo;
	if (session_is_end(signo) &&
	    (s->state == SESSION_ENDED || !port_is_open(a->port)))
		session_hurry(s, signo);
	else if (session_is_running(s))
		send_signal(a, session, signo);
	else if (s->state == SESSION_ASKED)
		s->signals |= 1ull << (signo - 1);
}

/* The commands without descriptors; r->session is in range. */
static void act(struct sessions *a, const struct edge_record *r)
{
	struct session *s = &a->s[r->session];
	struct buf b;

	buf_init(&b, 64);
	switch ((enum edge_kind)r->kind) {
	case EDGE_CMD_SIGNAL:
		on_signal(a, r->session, r->value);
		break;
	case EDGE_CMD_WINSIZE:
		s->win = r->win;
		s->resized = true;
		break;
	case EDGE_CMD_CLOCK:
		/* One that has not said HELLO yet will hear it then. */
		a->clock_asked = false;
		if (a->state == PORT_UP)
			ctl_put_clock(&b, r->ns);
		break;
	case EDGE_CMD_STOP:
		ctl_put_stop(&b);
		break;
	case EDGE_CMD_HANGUP:
		hang_up(a, r->session);
		break;
	case EDGE_CMD_PAUSE:
	case EDGE_CMD_RESUME:
		pause_input(s, r->kind == EDGE_CMD_PAUSE);
		break;
	case EDGE_CMD_LAUNCH:
	case EDGE_CMD_EXEC:
	case EDGE_CMD_CONNECTED:
	case EDGE_EV_HELLO:
	case EDGE_EV_STARTED:
	case EDGE_EV_READY:
	case EDGE_EV_EXIT:
	case EDGE_EV_LOG:
	case EDGE_EV_GONE:
	case EDGE_EV_FULL:
	case EDGE_EV_CONNECT:
	case EDGE_EV_ASK_CLOCK:
		break; /* not here: is_command(), command_do() */
	}
	if (b.len || b.bad)
		say(a, &b);
}

static bool is_start(const struct edge_record *r)
{
	return r->kind == EDGE_CMD_LAUNCH || r->kind == EDGE_CMD_EXEC;
}

static bool is_command(const struct edge_record *r, size_t n)
{
	int stdio = count_stdio(r->stdio);

	if (r->version != EDGE_VERSION || r->session >= CTL_SESSIONS ||
	    r->kind < EDGE_CMD_LAUNCH || r->kind > EDGE_CMD_RESUME)
		return false;
	if (r->kind == EDGE_CMD_CONNECTED)
		return n <= 1;
	if (!is_start(r))
		return !n;
	/* Session 0 is the application, and is launched. */
	if ((r->kind == EDGE_CMD_LAUNCH) != (r->session == 0))
		return false;
	return stdio >= 0 && n == 1 + (size_t)stdio;
}

void command_do(struct sessions *a, const struct edge_record *r, int *fds,
		size_t n)
{
	if (!is_command(r, n)) {
		close_all(fds, n);
		sessions_violated(a, misfit);
		return;
	}
	if (r->kind == EDGE_CMD_CONNECTED) {
		if (conns_answer(&a->conns, r->conn, n ? fds[0] : -1) < 0)
			sessions_violated(a, misfit);
		return;
	}
	if (!port_is_open(a->port)) {
		close_all(fds, n);
		if (r->kind == EDGE_CMD_HANGUP)
			hang_up(a, r->session);
		else if (r->kind == EDGE_CMD_SIGNAL)
			on_signal(a, r->session, r->value);
		else if (is_start(r))
			host_event(a->host, EDGE_EV_FULL, r->session);
		return;
	}
	if (!is_start(r))
		act(a, r);
	else if (ask(a, r, fds, n) < 0)
		host_event(a->host, EDGE_EV_FULL, r->session);
}

/* The size of the encoded message in a memory file; 0 if it is none. */
static size_t size_of(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || st.st_size < 8 ||
	    st.st_size > (off_t)CTL_HOST_MAX + 8)
		return 0;
	return (size_t)st.st_size;
}

/* Its n bytes, allocated; NULL without memory or if they are not there. */
static void *load(int fd, size_t n)
{
	own_free char *at = malloc(n);
	size_t have = 0;

	while (at && have < n) {
		ssize_t got = pread(fd, at + have, n - have, (off_t)have);

		if (got <= 0)
			return NULL;
		have += (size_t)got;
	}
	return steal_ptr(&at);
}

/* The streams of the number's earlier life are over here and in the guest. */
static bool can_open(const struct sessions *a, const struct session *s)
{
	for (int j = FLOW_IN; j <= FLOW_ERR; j++)
		if (s->flow[j].fd >= 0 &&
		    !mux_is_free(a->port->mux, s->flow[j].stream))
			return false;
	return true;
}

/* Opens the streams and queues the message.  -1: it makes no sense. */
static int send_record(struct sessions *a, uint32_t session)
{
	struct session *s = &a->s[session];
	own_free char *message = NULL;
	size_t n = size_of(s->record);

	/* Later, when what is queued is gone. */
	if (n > port_room(a->port))
		return 0;
	message = n ? load(s->record, n) : NULL;
	if (!message || port_say(a->port, message, n) < 0)
		return -1;
	for (int j = FLOW_IN; j <= FLOW_ERR; j++)
		if (s->flow[j].fd >= 0)
			mux_open(a->port->mux, s->flow[j].stream,
				 MUX_SERVICE_STDIO);
	own_close(&s->record);
	s->state = SESSION_SENT;
	for (uint32_t signo = 1; signo <= 64; signo++)
		if (s->signals >> (signo - 1) & 1)
			send_signal(a, session, signo);
	return 0;
}

/* An ASKED session, when the guest is up. */
static void launch(struct sessions *a, uint32_t session)
{
	struct session *s = &a->s[session];

	if (can_open(a, s) && send_record(a, session) < 0)
		refuse(a, session);
}

static void send_winsize(struct sessions *a, uint32_t session)
{
	struct session *s = &a->s[session];
	struct buf b;

	buf_init(&b, 64);
	ctl_put_winsize(&b, session, &s->win);
	s->resized = false;
	say(a, &b);
}

void command_settle(struct sessions *a, uint32_t session)
{
	struct session *s = &a->s[session];

	if (s->state == SESSION_ASKED)
		launch(a, session);
	if (s->resized && session_is_running(s))
		send_winsize(a, session);
}
