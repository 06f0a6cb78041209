/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The launcher's commands.  Runs in vmrun-switch, sealed. */
#include "control.h"

#include "base/err.h"
#include "base/io.h"
#include "base/own.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

int control_init(struct control *c, int fd, struct err *e)
{
	*c = (struct control){.fd = fd};
	return io_nonblock(fd, 1) < 0
		       ? err_set(e, errno, "the socket to the launcher")
		       : 0;
}

static bool has_ended_ports(const struct ports *p)
{
	for (unsigned i = 0; i < SWITCH_PORTS_MAX; i++)
		if (p->port[i].state == PORT_ENDED)
			return true;
	return false;
}

short control_events(const struct control *c, const struct ports *p)
{
	return c->waits || has_ended_ports(p) ? POLLOUT : POLLIN;
}

/* 1: sent; 0: not now; -1: the launcher is gone. */
static int send_record(const struct control *c, const struct switch_record *r)
{
	if (io_send(c->fd, r, sizeof(*r), NULL, 0) == 0)
		return 1;
	return errno == EAGAIN ? 0 : -1;
}

/* Those of ended ports go before any answer: wire/switch.h. */
static int tell_ended(const struct control *c, struct ports *p)
{
	for (unsigned i = 0; i < SWITCH_PORTS_MAX; i++) {
		struct port *port = &p->port[i];
		struct switch_record r = {.version = SWITCH_VERSION,
					  .kind = SWITCH_EV_GONE,
					  .port = i,
					  .role = port->role,
					  .counters = port->counters};
		int sent;

		if (port->state != PORT_ENDED)
			continue;
		sent = send_record(c, &r);
		if (sent <= 0)
			return sent;
		port_free(port);
	}
	return 1;
}

static int attach(struct ports *p, const struct switch_record *r, int *fds,
		  size_t n)
{
	int refused;

	if (n != 1)
		return EINVAL;
	refused = fabric_attach(&p->fabric, r);
	if (refused)
		return refused;
	refused =
		port_open(&p->port[r->port], fds[0], (enum switch_role)r->role);
	if (refused)
		fabric_detach(&p->fabric, r->port);
	else
		fds[0] = -1;
	return refused;
}

/* 0 or an errno value. */
static int obey(struct ports *p, const struct switch_record *r, int *fds,
		size_t n, struct switch_record *answer)
{
	struct port *port = &p->port[r->port];

	if (r->kind == SWITCH_CMD_ATTACH)
		return attach(p, r, fds, n);
	if (n)
		return EINVAL;
	if (port->state != PORT_OPEN)
		return ENOENT;
	if (r->kind == SWITCH_CMD_COUNT) {
		answer->kind = SWITCH_EV_COUNTERS;
		answer->role = port->role;
		answer->counters = port->counters;
		return 0;
	}
	fabric_detach(&p->fabric, r->port);
	port_free(port);
	return 0;
}

/* Another size or version is another program: answered, never guessed at. */
static void command(struct control *c, struct ports *p,
		    const struct switch_record *r, size_t len, int *fds,
		    size_t n)
{
	struct switch_record *a = &c->answer;
	int refused = EPROTO;

	memset(a, 0, sizeof(*a));
	a->version = SWITCH_VERSION;
	a->kind = SWITCH_EV_DONE;
	if (len == sizeof(*r) && r->port < SWITCH_PORTS_MAX)
		a->port = r->port;
	if (switch_is_command(r, len))
		refused = obey(p, r, fds, n, a);
	if (refused) {
		a->kind = SWITCH_EV_REFUSED;
		a->code = refused;
	}
	for (size_t i = 0; i < n; i++)
		own_close(&fds[i]);
	c->waits = true;
}

/* 1: there was a command; 0: none now; -1: the launcher is gone. */
static int take_command(struct control *c, struct ports *p)
{
	struct switch_record r = {0};
	int fds[IO_FDS_MAX];
	size_t n = IO_FDS_MAX;
	ssize_t got = io_recv(c->fd, &r, sizeof(r), fds, &n);

	if (got < 0 && errno == EAGAIN)
		return 0;
	if (got < 0 && errno != EMSGSIZE)
		return -1;
	if (got == 0)
		return -1;
	command(c, p, &r, got < 0 ? 0 : (size_t)got, fds, got < 0 ? 0 : n);
	return 1;
}

int control_turn(struct control *c, struct ports *p)
{
	int r = 1;

	while (r > 0) {
		r = tell_ended(c, p);
		if (r > 0 && c->waits) {
			r = send_record(c, &c->answer);
			c->waits = r == 0;
		}
		if (r > 0)
			r = take_command(c, p);
	}
	return r;
}
