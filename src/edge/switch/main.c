/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * vmrun-switch: a virtual Ethernet segment whose clients reach the uplink and
 * nobody else, each under its own addresses.  Runs as a UID of its own in an
 * empty root, without network; reads hostile frames.
 *
 * Descriptors at the start:
 *
 *     0 1  /dev/null             2  messages
 *     3    the launcher: SOCK_SEQPACKET, records of wire/switch.h
 *
 * Theory of operation
 *
 * A port is a connected SOCK_SEQPACKET socket, one frame in each message; the
 * launcher attaches it and says who may speak there (fabric.h, guard.h).  One
 * loop over poll(2); no threads, no timers, no memory but what it starts with.
 *
 * From the uplink one batch is taken in each turn; what a client's socket does
 * not take waits in a queue of that client, and is dropped when that is full.
 * Clients, one batch each in turn, are read only while nothing waits for the
 * uplink: they are slowed down rather than robbed, and the one that was not
 * reached is the first of the next turn.  Without an uplink they are read and
 * all is dropped.
 *
 * All state but counters and queues is in the launcher's commands.  A launcher
 * that keeps a copy of each port's descriptor can start another vmrun-switch
 * after this one ended: the machines at the other ends do not notice.  It ends
 * when the launcher closes its end of 3.
 */
#include "control.h"

#include "base/err.h"
#include "base/log.h"
#include "seal/sanitizer.h"
#include "seal/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>

#define FD_LAUNCHER 3

/* Ours, the ports, those of one command. */
#define FILES (8 + SWITCH_PORTS_MAX + 8)

static const struct seal_call calls[] = {
	{SCMP_SYS(poll), "the loop"},
	{SCMP_SYS(ppoll), "the same, where poll(2) is made from it"},
	{SCMP_SYS(restart_syscall), "poll(2) after SIGSTOP and SIGCONT"},
	{SCMP_SYS(recvmmsg), "frames"},
	{SCMP_SYS(sendmmsg), "frames"},
	{SCMP_SYS(recvmsg), "commands of the launcher, with ports"},
	{SCMP_SYS(sendmsg), "answers to it"},
	{SCMP_SYS(getsockopt), "is it a socket of the right kind?"},
	{SCMP_SYS(setsockopt), "SO_SNDBUF of a port"},
	{SCMP_SYS(close), "ports that are over"},
	{SCMP_SYS(write), "the last words on 2"},
	{SCMP_SYS(exit_group), "the end"},
};

struct program {
	struct control control;
	struct ports ports;
	struct batch batch;
	unsigned first; /* the client whose turn it is */
	struct pollfd watch[1 + SWITCH_PORTS_MAX]; /* port n is n + 1 */
};

static int start(struct program *p, struct err *e)
{
	signal(SIGPIPE, SIG_IGN);
	if (fcntl(FD_LAUNCHER, F_GETFD) < 0)
		return err_set(e, 0, "to be started by vmrun only");
	for (unsigned i = 0; i < SWITCH_PORTS_MAX; i++)
		p->ports.port[i].fd = -1;
	batch_init(&p->batch);
	return control_init(&p->control, FD_LAUNCHER, e);
}

/* Something waits for the uplink. */
static bool is_uplink_busy(const struct ports *p)
{
	port_set up = p->fabric.uplinks;

	return up && !queue_is_empty(&p->port[__builtin_ctzll(up)].queue);
}

/* How many rows of p->watch there are: up to the last port in use. */
static nfds_t watch(struct program *p)
{
	bool busy = is_uplink_busy(&p->ports);
	nfds_t n = 1;

	p->watch[0].fd = p->control.fd;
	p->watch[0].events = control_events(&p->control, &p->ports);
	for (unsigned i = 0; i < SWITCH_PORTS_MAX; i++) {
		const struct port *port = &p->ports.port[i];
		struct pollfd *w = &p->watch[i + 1];

		w->fd = port->fd; /* -1 is passed over */
		w->events = w->revents = 0;
		if (port->role == SWITCH_UPLINK || !busy)
			w->events |= POLLIN;
		if (!queue_is_empty(&port->queue))
			w->events |= POLLOUT;
		if (port->fd >= 0)
			n = i + 2;
	}
	return n;
}

/* The port's end was found: it is in nobody's way any more. */
static void forget_ended(struct ports *p, port_set which)
{
	for (; which; which &= which - 1) {
		unsigned i = (unsigned)__builtin_ctzll(which);

		if (p->port[i].state == PORT_ENDED)
			fabric_detach(&p->fabric, i);
	}
}

/* One batch of a port to whoever gets it. */
static void forward(struct program *p, unsigned from)
{
	struct ports *s = &p->ports;
	struct port *port = &s->port[from];
	struct batch *b = &p->batch;
	port_set all = 0;

	port_receive(port, b);
	for (unsigned i = 0; i < b->n; i++) {
		enum switch_drop why;

		b->to[i] = fabric_route(&s->fabric, from, b->frame[i].iov_base,
					b->frame[i].iov_len, &why);
		if (!b->to[i])
			port->counters.drop[why]++;
		all |= b->to[i];
	}
	for (port_set left = all; left; left &= left - 1)
		port_send(&s->port[__builtin_ctzll(left)], b,
			  left & (~left + 1));
	forget_ended(s, all | port_bit(from));
}

static void serve(struct program *p, unsigned i)
{
	struct port *port = &p->ports.port[i];
	short got = p->watch[i + 1].revents;
	bool is_client = port->role == SWITCH_CLIENT;

	/* The first condition: not one that this turn closed. */
	if (p->watch[i + 1].fd != port->fd || port->fd < 0 || !got)
		return;
	if (got & POLLOUT)
		port_flush(port);
	if (got & ~POLLOUT && port->state == PORT_OPEN) {
		if (!is_client || !is_uplink_busy(&p->ports)) {
			forward(p, i);
			if (is_client && is_uplink_busy(&p->ports))
				p->first = (i + 1) % SWITCH_PORTS_MAX;
		} else if (got & (POLLHUP | POLLERR | POLLNVAL)) {
			port_end(port); /* its last words would have to wait */
		}
	}
	forget_ended(&p->ports, port_bit(i));
}

/* All ports once, the clients in rotation. */
static void turn(struct program *p)
{
	unsigned first = p->first;

	for (unsigned n = 0; n < SWITCH_PORTS_MAX; n++)
		serve(p, (first + n) % SWITCH_PORTS_MAX);
}

static int loop(struct program *p, struct err *e)
{
	for (;;) {
		if (poll(p->watch, watch(p), -1) < 0) {
			if (errno == EINTR)
				continue;
			return err_set(e, errno, "waiting");
		}
		turn(p);
		if (control_turn(&p->control, &p->ports) < 0)
			return 0;
	}
}

int main(void)
{
	static struct program p;
	struct err e = ERR_INIT;

	log_setup("vmrun-switch", LOG_LEVEL_WARN);
	if (seal_early(&e) < 0 || start(&p, &e) < 0 || seal_drop_caps(&e) < 0 ||
	    seal_nofile(FILES, &e) < 0 ||
	    seal_running(calls, sizeof(calls) / sizeof(*calls), &e) < 0 ||
	    loop(&p, &e) < 0) {
		log_err(LOG_LEVEL_ERR, &e);
		return 125;
	}
	return 0;
}
