/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The host's end of forwarded sockets.  The person's own authority; what goes
 * through a connection is never read here.
 *
 * The guest says which socket of the plan, by its number, and nothing else.
 * The socket is looked up by its path for each connection, because a service
 * that was started anew has a new one there, and it is used if it is still a
 * socket of the same owner: judged and connected to by one descriptor, so that
 * it cannot be exchanged in between.
 */
#include "host/live/sockets.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/own.h"
#include "host/live/windows.h"
#include "host/text.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define AGAIN_NS (20L * 1000 * 1000)
#define FULL_MS 30000
/* The others are for services that have room, and for windows. */
#define FULL_MAX (EDGE_CONNS / 2)

int sockets_connect_at(int at, uid_t owner, struct err *e)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct stat st;
	own_fd fd = -1;

	if (fstat(at, &st) < 0)
		return err_set(e, errno, "looking it up");
	if (!S_ISSOCK(st.st_mode) || st.st_uid != owner)
		return err_set(e, 0, "it is no longer a socket of uid %u",
			       (unsigned)owner);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set(e, errno, "making a socket");
	snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d", at);
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return err_set(e, errno, "connecting");
	return steal_fd(&fd);
}

int sockets_connect(const struct plan_socket *s, struct err *e)
{
	struct stat st;
	own_fd at = plan_open(s->src, &st);

	if (at < 0)
		return err_set(e, errno, "looking it up");
	return sockets_connect_at(at, s->owner, e);
}

/* The guest can ask as often as it likes. */
void sockets_complain(struct supervisor *v, uint32_t which, const struct err *e)
{
	char shown[TEXT_SHOWN], who[TEXT_SHOWN + 16];

	if (v->socket_failed[which])
		return;
	v->socket_failed[which] = true;
	snprintf(who, sizeof(who), "--socket %s",
		 text_show(shown, sizeof(shown),
			   v->s->plan->sockets[which].src));
	/* It works again, and fails, as often as the guest likes. */
	said_log(&v->refused, who, LOG_LEVEL_WARN, e->msg);
}

void sockets_answer(struct supervisor *v, uint32_t conn, int fd)
{
	struct edge_record a = {.kind = EDGE_CMD_CONNECTED, .conn = conn};

	/* An answer that is lost would leave the guest waiting for ever; there
	 * is room for as many as there can be questions. */
	if (supervise_edge(v, &a, &fd, fd >= 0) < 0) {
		err_set(v->err, errno, "vmrun-mux does not take a connection");
		supervise_end(v, OUTCOME_GONE, 0);
	}
}

static unsigned count_full(const struct supervisor *v)
{
	unsigned n = 0;

	for (uint32_t i = 0; i < EDGE_CONNS; i++)
		n += v->conn_full[i].socket != 0;
	return n;
}

/*
 * Where a backlog is full connect(2) waits; one that must not fails, and
 * nothing tells when there is room (unix_stream_connect() in Linux).  Not for
 * ever: the client may be gone, which is not known here, and the end of the run
 * waits.
 */
static bool waits(struct supervisor *v, uint32_t conn, uint32_t which)
{
	int64_t now = clock_ms();

	if (!v->conn_full[conn].socket) {
		if (count_full(v) >= FULL_MAX)
			return false;
		v->conn_full[conn].socket = which + 1;
		v->conn_full[conn].until = now + FULL_MS;
	}
	if (now >= v->conn_full[conn].until)
		return false;
	supervise_arm(v->full_timer, 0, AGAIN_NS);
	return true;
}

static void try(struct supervisor *v, uint32_t conn, uint32_t which)
{
	struct err e = ERR_INIT;
	own_fd fd = sockets_connect(&v->s->plan->sockets[which], &e);

	if (fd < 0 && e.code == EAGAIN && waits(v, conn, which))
		return;
	v->conn_full[conn].socket = 0;
	if (fd < 0)
		sockets_complain(v, which, &e);
	else
		v->socket_failed[which] = false;
	sockets_answer(v, conn, fd);
}

void sockets_on_timer(struct supervisor *v)
{
	uint64_t times;

	if (read(v->full_timer, &times, sizeof(times)) < 0)
		return;
	for (uint32_t i = 0; i < EDGE_CONNS; i++)
		if (v->conn_full[i].socket)
			try(v, i, v->conn_full[i].socket - 1);
}

void sockets_on_connect(struct supervisor *v, const struct edge_record *r)
{
	const struct plan *p = v->s->plan;

	/* vmrun-mux knows how many there are. */
	if (r->value >= p->n_sockets || r->conn >= EDGE_CONNS) {
		err_set(v->err, EPROTO, "vmrun-mux asked for socket %u",
			r->value);
		supervise_end(v, OUTCOME_GONE, 0);
		return;
	}
	if ((int)r->value == p->windows) {
		windows_on_connect(v, r->conn);
		return;
	}
	try(v, r->conn, r->value);
}
