/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vmrunctl's requests, in vmrun.  The person's own authority on both ends. */
#include "host/live/request.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/log.h"
#include "base/own.h"
#include "host/live/windows.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

void request_init(struct supervisor *v)
{
	for (size_t i = 0; i < CONNS_MAX; i++)
		v->conns[i].fd = -1;
}

void request_drop(struct supervisor *v, struct conn *c)
{
	struct edge_record r = {.kind = EDGE_CMD_HANGUP, .session = c->session};

	/* The command goes on without its streams, as after a lost terminal. */
	if (c->session)
		supervise_edge(v, &r, NULL, 0);
	c->session = 0;
	c->asks_windows = c->is_behind = false;
	own_close(&c->fd);
}

void request_close_all(struct supervisor *v)
{
	for (size_t i = 0; i < CONNS_MAX; i++)
		own_close(&v->conns[i].fd);
}

/*
 * What has been asked is read first, and nothing more can come: the answer of a
 * socket that is closed with something unread in it is ECONNRESET.
 */
static void turn_away(int fd)
{
	struct conn c = {.fd = fd};
	struct manage_record q;
	struct err e = ERR_INIT;

	shutdown(fd, SHUT_RD);
	while (manage_recv(fd, &q, NULL, NULL, &e) > 0)
		;
	request_answer(&c, MANAGE_FAILED,
		       "this VM has too many connections of vmrunctl");
}

void request_on_accept(struct supervisor *v)
{
	own_fd fd =
		/* cppcheck-suppress nullPointer; no address is wanted */
		accept4(v->s->manage, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct ucred peer;
	socklen_t n = sizeof(peer);

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) < 0 ||
	    peer.uid != v->s->plan->facts->uid)
		return;
	for (uint32_t i = 0; i < CONNS_MAX; i++) {
		struct epoll_event ev = {.events = EPOLLIN};

		if (v->conns[i].fd >= 0)
			continue;
		ev.data.u32 = SRC_CONN + i;
		if (epoll_ctl(v->epoll, EPOLL_CTL_ADD, fd, &ev) == 0)
			v->conns[i].fd = steal_fd(&fd);
		return;
	}
	turn_away(fd);
}

int request_answer(struct conn *c, enum manage_kind kind, const char *text)
{
	struct manage_record r = {.version = MANAGE_VERSION, .kind = kind};

	snprintf(r.text, sizeof(r.text), "%.*s", (int)sizeof(r.text) - 1,
		 text ? text : "");
	return manage_send(c->fd, &r, NULL, 0);
}

static int read_spec(int fd, struct ctl_host_msg *m, struct err *e)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;
	size_t used = 0;
	void *p;
	int r;

	/* A sealed memory file cannot shrink under the mapping. */
	if (seals < 0 || !(seals & F_SEAL_SHRINK) || fstat(fd, &st) < 0 ||
	    st.st_size <= 0 || st.st_size > CTL_HOST_MAX)
		return err_set(e, EINVAL, "the command");
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return err_set(e, errno, "the command");
	r = ctl_get_host(p, (size_t)st.st_size, &used, m, e);
	munmap(p, (size_t)st.st_size);
	if (r == 1 && m->type == CTL_EXEC)
		return 0;
	return r < 0 ? -1 : err_set(e, EPROTO, "the command");
}

static uint32_t pick_session(struct supervisor *v)
{
	for (uint32_t i = 1; i < CTL_SESSIONS; i++)
		if (!v->session_used[i])
			return i;
	return 0;
}

/* The application's environment, then what vmrunctl adds (later ones win). */
static char **merge_env(char *const *base, char *const *more)
{
	size_t n = strv_len(base) + strv_len(more);
	char **v = calloc(n + 1, sizeof(*v));
	size_t at = 0;

	for (; v && *base; base++) {
		size_t name = strcspn(*base, "=") + 1;
		char *const *m = more;

		while (m && *m && strncmp(*m, *base, name))
			m++;
		if (m && *m)
			continue;
		v[at++] = strdup(*base);
	}
	for (; v && more && *more; more++)
		v[at++] = strdup(*more);
	return v;
}

static int start_session(struct supervisor *v, struct conn *c,
			 const struct manage_record *q, struct session_spec *s,
			 const int *stdio, size_t n, struct err *e)
{
	struct edge_record r = {.kind = EDGE_CMD_EXEC, .stdio = q->stdio};
	int fds[4] = {-1, -1, -1, -1};
	struct launch app;
	struct buf b;
	char **env;

	plan_launch(v->s->plan, v->s->id->uid, v->s->id->gid, &app);
	env = merge_env(app.app.env, s->env);
	if (!q->value) {
		free(s->cwd);
		s->cwd = strdup(app.app.cwd);
	}
	plan_launch_done(&app);
	strv_free(s->env);
	s->env = env;
	r.session = s->session = pick_session(v);
	if (!s->session)
		return err_set(e, EAGAIN, "too many commands in this VM");
	s->in = (q->stdio & EDGE_STDIO_IN) ? edge_stream(s->session, 0) : 0;
	s->out = (q->stdio & (EDGE_STDIO_OUT | EDGE_STDIO_TTY))
			 ? edge_stream(s->session, 1)
			 : 0;
	s->err = (q->stdio & EDGE_STDIO_ERR) ? edge_stream(s->session, 2) : 0;
	s->terminal = q->stdio & EDGE_STDIO_TTY;
	s->win = q->win;
	buf_init(&b, CTL_HOST_MAX);
	if (s->env && s->cwd)
		ctl_put_exec(&b, s);
	fds[0] = b.bad || !b.len ? err_set(e, E2BIG, "the command")
				 : io_memfd("exec", b.data, b.len, e);
	buf_free(&b);
	if (fds[0] < 0)
		return -1;
	memcpy(fds + 1, stdio, n * sizeof(*stdio));
	if (supervise_edge(v, &r, fds, n + 1) < 0)
		err_set(e, errno, "vmrun-mux");
	else
		c->session = s->session;
	own_close(&fds[0]);
	if (!c->session)
		return -1;
	v->session_used[c->session] = true;
	return 0;
}

static void on_exec(struct supervisor *v, struct conn *c,
		    const struct manage_record *q, const int *fds, size_t n)
{
	struct ctl_host_msg m = {0};
	struct err e = ERR_INIT;

	if (c->session || n < 1 || n > 4 || !v->started) {
		request_answer(c, MANAGE_FAILED,
			       v->started
				       ? "bad request"
				       : "the application has not started yet");
		return;
	}
	if (read_spec(fds[0], &m, &e) < 0) {
		request_answer(c, MANAGE_FAILED, e.msg);
		return;
	}
	if (start_session(v, c, q, &m.exec, fds + 1, n - 1, &e) < 0)
		request_answer(c, MANAGE_FAILED, e.msg);
	session_spec_free(&m.exec);
}

static void on_session_request(struct supervisor *v, struct conn *c,
			       const struct manage_record *q)
{
	struct edge_record r = {
		.session = c->session, .value = q->value, .win = q->win};

	if (!c->session)
		return;
	if (q->kind == MANAGE_SIGNAL)
		r.kind = EDGE_CMD_SIGNAL;
	else if (q->kind == MANAGE_WINSIZE)
		r.kind = EDGE_CMD_WINSIZE;
	else
		r.kind = q->kind == MANAGE_PAUSE ? EDGE_CMD_PAUSE
						 : EDGE_CMD_RESUME;
	supervise_edge(v, &r, NULL, 0);
}

static void handle(struct supervisor *v, struct conn *c,
		   const struct manage_record *q, const int *fds, size_t n)
{
	struct edge_record r = {.kind = EDGE_CMD_SIGNAL, .value = q->value};

	switch ((enum manage_kind)q->kind) {
	case MANAGE_STOP:
		if (!v->started)
			supervise_end(v, OUTCOME_KILLED, (int)q->value & 127);
		else if (supervise_edge(v, &r, NULL, 0) < 0) {
			request_answer(c, MANAGE_FAILED,
				       "vmrun-mux does not take the signal");
			return;
		}
		request_answer(c, MANAGE_DONE, NULL);
		return;
	case MANAGE_KILL:
		request_answer(c, MANAGE_DONE, NULL);
		supervise_end(v, OUTCOME_KILLED, SIGKILL);
		return;
	case MANAGE_EXEC:
		on_exec(v, c, q, fds, n);
		return;
	case MANAGE_SIGNAL:
	case MANAGE_WINSIZE:
	case MANAGE_PAUSE:
	case MANAGE_RESUME:
		on_session_request(v, c, q);
		return;
	case MANAGE_WINDOWS:
		windows_on_ask(v, c);
		return;
	case MANAGE_DONE:
	case MANAGE_FAILED:
	case MANAGE_ENDED:
	case MANAGE_ROW:
		break;
	}
	request_answer(c, MANAGE_FAILED, "unknown request");
}

void request_on_request(struct supervisor *v, uint32_t at)
{
	struct conn *c = &v->conns[at];
	struct manage_record q;
	struct err e = ERR_INIT;
	int fds[IO_FDS_MAX];
	size_t n = IO_FDS_MAX;

	if (at >= CONNS_MAX || c->fd < 0)
		return;
	if (manage_recv(c->fd, &q, fds, &n, &e) <= 0) {
		request_drop(v, c);
		return;
	}
	handle(v, c, &q, fds, n);
	while (n)
		close(fds[--n]);
}

static struct conn *conn_of(struct supervisor *v, uint32_t session)
{
	for (size_t i = 0; i < CONNS_MAX; i++)
		if (v->conns[i].fd >= 0 && v->conns[i].session == session)
			return &v->conns[i];
	return NULL;
}

void request_on_exit(struct supervisor *v, const struct edge_record *r)
{
	struct manage_record a = {.version = MANAGE_VERSION,
				  .kind = MANAGE_ENDED,
				  .exit = r->exit,
				  .value = r->value,
				  .stdio = r->stdio,
				  .error = r->error};
	struct conn *c;

	if (r->session == 0 || r->session >= CTL_SESSIONS)
		return;
	v->session_used[r->session] = false;
	c = conn_of(v, r->session);
	if (!c)
		return;
	log_escape(a.text, sizeof(a.text), r->text, strlen(r->text));
	c->session = 0;
	manage_send(c->fd, &a, NULL, 0);
}

void request_on_full(struct supervisor *v, const struct edge_record *r)
{
	struct conn *c;

	if (r->session == 0 || r->session >= CTL_SESSIONS)
		return;
	v->session_used[r->session] = false;
	c = conn_of(v, r->session);
	if (c) {
		c->session = 0;
		request_answer(c, MANAGE_FAILED,
			       "too many commands in this VM");
	}
}
