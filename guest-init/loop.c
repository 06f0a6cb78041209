/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The one place that waits.  Runs in the guest as PID 1. */
#include "guest-init/init.h"

#include <signal.h>
#include <unistd.h>

#define WATCHES (6 + 2 * CTL_SESSIONS + MUX_STREAMS + LAUNCH_SOCKETS_MAX)

/* So many bytes in so much time are much. */
#define MUCH_MS 100
#define MUCH_BYTES (256u * 1024)

enum watch_kind {
	WATCH_PORT,
	WATCH_SIGNALS,
	WATCH_NOTIFY,
	WATCH_START,
	WATCH_READY,
	WATCH_STREAM,
	WATCH_SOCKET,
	WATCH_HELPER,
	WATCH_KMSG,
	WATCH_RESOLVER,
};

struct watches {
	size_t n;
	struct pollfd p[WATCHES];
	struct {
		enum watch_kind kind;
		unsigned which; /* session, stream or socket */
	} w[WATCHES];
};

static void add(struct watches *x, int fd, short events, enum watch_kind kind,
		unsigned which)
{
	x->p[x->n] = (struct pollfd){.fd = fd, .events = events};
	x->w[x->n].kind = kind;
	x->w[x->n].which = which;
	x->n++;
}

/* Nothing is looked at that nothing is wanted of: a hang-up would be reported
 * again and again. */
static void watch(struct watches *x, int fd, short events, enum watch_kind kind,
		  unsigned which)
{
	if (fd >= 0 && events)
		add(x, fd, events, kind, which);
}

static void watch_stream(struct init *in, struct watches *x, unsigned id)
{
	if (stream_only_takes(in, id))
		add(x, in->streams[id].fd, 0 /* POLLHUP */, WATCH_STREAM, id);
	else
		watch(x, in->streams[id].fd, stream_wants(in, id), WATCH_STREAM,
		      id);
}

static void collect(struct init *in, struct watches *x)
{
	int port = POLLIN | (port_has_output(in) ? POLLOUT : 0);

	x->n = 0;
	watch(x, in->port, (short)port, WATCH_PORT, 0);
	watch(x, in->signals, POLLIN, WATCH_SIGNALS, 0);
	watch(x, in->notify, POLLIN, WATCH_NOTIFY, 0);
	watch(x, in->helper_ready, POLLIN, WATCH_HELPER, 0);
	watch(x, in->kmsg, POLLIN, WATCH_KMSG, 0);
	watch(x, in->resolver, POLLIN, WATCH_RESOLVER, 0);
	for (unsigned i = 0; i < CTL_SESSIONS; i++) {
		struct session *s = &in->sessions[i];

		if (s->state == SESSION_STARTING)
			watch(x, s->start_fd, POLLIN, WATCH_START, i);
		if (s->state == SESSION_STARTING || s->state == SESSION_RUNNING)
			watch(x, s->ready_fd, POLLIN, WATCH_READY, i);
	}
	for (unsigned i = 1; i < in->streams_end; i++)
		watch_stream(in, x, i);
	if (!stream_pick(in))
		return;
	for (unsigned i = 0; i < in->n_sockets; i++)
		watch(x, in->sockets[i], POLLIN, WATCH_SOCKET, i);
}

static void on_signal(struct init *in)
{
	char info[512];

	if (read(in->signals, info, sizeof(info)) > 0)
		session_reap(in);
}

static void on_stream(struct init *in, unsigned id, int what)
{
	if (what & (POLLHUP | POLLERR) && stream_only_takes(in, id)) {
		stream_left(in, id);
		return;
	}
	/* POLLHUP: who shut a socket down, and keeps it, makes no room. */
	if (what & (POLLOUT | POLLERR | POLLHUP) && in->streams[id].writes)
		stream_write(in, id);
	if (what & (POLLIN | POLLHUP | POLLERR))
		stream_read(in, id, NULL);
}

static void act(struct init *in, enum watch_kind kind, unsigned which, int what)
{
	switch (kind) {
	case WATCH_PORT:
		if (what & (POLLIN | POLLHUP | POLLERR))
			port_read(in);
		break;
	case WATCH_SIGNALS:
		on_signal(in);
		break;
	case WATCH_NOTIFY:
		notify_read(in);
		break;
	case WATCH_START:
		if (in->sessions[which].state == SESSION_STARTING)
			session_started(in, &in->sessions[which]);
		break;
	case WATCH_READY:
		if (in->sessions[which].ready_fd >= 0)
			session_ready_read(in, &in->sessions[which]);
		break;
	case WATCH_STREAM:
		on_stream(in, which, what);
		break;
	case WATCH_SOCKET:
		sockets_accept(in, which);
		break;
	case WATCH_HELPER:
		helper_read(in);
		break;
	case WATCH_KMSG:
		firewall_read(in);
		break;
	case WATCH_RESOLVER:
		resolver_read(in);
		break;
	}
}

/*
 * While much goes through the port it is not looked at for each of its small
 * pieces: whatever comes waits until the commands wait too, or for its share
 * of the processor's time.  Otherwise a command would be put aside for each
 * piece, and a switch of address spaces is dear in a VM without hardware
 * support.
 */
static int wait_for_events(struct init *in, struct watches *x, int timeout)
{
	static int64_t since;
	static bool much;
	int64_t now = now_ms();
	int r;

	if (now - since >= MUCH_MS) {
		much = in->moved >= MUCH_BYTES;
		in->moved = 0;
		since = now;
	}
	if (!much)
		return poll(x->p, (nfds_t)x->n, timeout);
	r = poll(x->p, (nfds_t)x->n, 0);
	if (r || !timeout)
		return r;
	set_priority(PRIORITY_PATIENT);
	r = poll(x->p, (nfds_t)x->n, timeout);
	set_priority(PRIORITY_FIRST);
	return r;
}

static void turn(struct init *in, struct watches *x, int timeout)
{
	/* Whoever comes first may fill the port's output: another each time. */
	static size_t first;

	collect(in, x);
	if (wait_for_events(in, x, timeout) <= 0)
		return;
	first++;
	for (size_t i = 0; i < x->n; i++) {
		size_t at = (first + i) % x->n;

		if (x->p[at].revents)
			act(in, x->w[at].kind, x->w[at].which,
			    x->p[at].revents);
	}
}

/* Of two times to wait, either of which may be -1, for ever. */
static int64_t sooner(int64_t a, int64_t b)
{
	if (a < 0 || b < 0)
		return a < 0 ? b : a;
	return a < b ? a : b;
}

void loop_run(struct init *in, bool (*done)(const struct init *in),
	      int64_t deadline)
{
	static struct watches x;

	for (;;) {
		int64_t left = deadline < 0 ? -1 : deadline - now_ms();
		int64_t ask = clock_tick(in);

		session_settle(in);
		control_flush(in);
		port_flush(in);
		if (done(in) || (deadline >= 0 && left <= 0))
			return;
		turn(in, &x, (int)sooner(left, ask));
	}
}
