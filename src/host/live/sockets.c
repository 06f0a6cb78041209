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

int sockets_connect(const struct plan_socket *s, struct err *e)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct stat st;
	own_fd at = plan_open(s->src, &st);
	own_fd fd = -1;

	if (at < 0)
		return err_set(e, errno, "looking it up");
	if (!S_ISSOCK(st.st_mode) || st.st_uid != s->owner)
		return err_set(e, 0, "it is no longer a socket of uid %u",
			       (unsigned)s->owner);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set(e, errno, "making a socket");
	snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d", at);
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return err_set(e, errno, "connecting");
	return steal_fd(&fd);
}

/* The guest can ask as often as it likes. */
void sockets_complain(struct supervisor *v, uint32_t which, struct err *e)
{
	char shown[TEXT_SHOWN];

	if (v->socket_failed[which])
		return;
	v->socket_failed[which] = true;
	err_wrap(e, "--socket %s",
		 text_show(shown, sizeof(shown),
			   v->s->plan->sockets[which].src));
	log_err(LOG_LEVEL_WARN, e);
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

void sockets_on_connect(struct supervisor *v, const struct edge_record *r)
{
	const struct plan *p = v->s->plan;
	struct err e = ERR_INIT;
	own_fd fd = -1;

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
	fd = sockets_connect(&p->sockets[r->value], &e);
	if (fd < 0)
		sockets_complain(v, r->value, &e);
	else
		v->socket_failed[r->value] = false;
	sockets_answer(v, r->conn, fd);
}
