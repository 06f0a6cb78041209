/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The surroundings of vmrun-mux in a test; see edge-rig.h. */
#include "edge-rig.h"

#include "base/err.h"
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BIG (64u << 20)

static void die(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

static void spawn(struct rig *r, int host, int port, const int extra[4])
{
	static char path[4096];
	const char *top = getenv("top_builddir");
	char *argv[] = {path, NULL}, *envp[] = {NULL};
	struct proc_fd fds[7] = {{2, 2}, {host, 3}, {port, 4}};
	struct proc_spec spec = {.path = path,
				 .argv = argv,
				 .envp = envp,
				 .fds = fds,
				 .n_fds = 3};
	struct err e = ERR_INIT;

	if (!top)
		top = getcwd(path, sizeof(path));
	if (top != path)
		snprintf(path, sizeof(path), "%s", top);
	strncat(path, "/vmrun-mux", sizeof(path) - strlen(path) - 1);
	for (int i = 0; i < 4; i++)
		if (extra[i] >= 0)
			fds[spec.n_fds++] = (struct proc_fd){extra[i], 5 + i};
	if (proc_spawn(&spec, &r->child, &e) < 0) {
		printf("Bail out! %s\n", e.msg);
		exit(1);
	}
}

void rig_start(struct rig *r, const int extra[4])
{
	static const int none[4] = {-1, -1, -1, -1};
	int host[2], port[2];

	alarm(600);
	signal(SIGPIPE, SIG_IGN);
	memset(r, 0, sizeof(*r));
	r->in = r->out = r->err = -1;
	for (int i = 0; i < RIG_STREAMS; i++)
		buf_init(&r->got[i], BIG);
	buf_init(&r->raw, 4 * MUX_DATA_MAX);
	buf_init(&r->out_got, BIG);
	buf_init(&r->err_got, BIG);
	r->mux = mux_new(MUX_GUEST);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, host) < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, port) < 0)
		die("socketpair");
	spawn(r, host[1], port[1], extra ? extra : none);
	close(host[1]);
	close(port[1]);
	r->host = host[0];
	r->port = port[0];
	io_nonblock(r->host, 1);
	io_nonblock(r->port, 1);
}

static void shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

int rig_end(struct rig *r)
{
	shut(&r->in);
	shut(&r->out);
	shut(&r->err);
	shut(&r->host);
	shut(&r->port);
	mux_free(r->mux);
	for (int i = 0; i < RIG_STREAMS; i++)
		buf_free(&r->got[i]);
	buf_free(&r->raw);
	buf_free(&r->out_got);
	buf_free(&r->err_got);
	return child_wait(&r->child);
}

/* Its own file description each, so that only one end is non-blocking. */
static int make_pipe(int *ours, int mine, bool nonblock)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC) < 0)
		die("pipe");
	*ours = p[mine];
	io_nonblock(*ours, 1);
	io_nonblock(p[!mine], nonblock);
	return p[!mine];
}

int rig_in(struct rig *r, bool nonblock)
{
	return make_pipe(&r->in, 1, nonblock);
}

int rig_out(struct rig *r, bool nonblock)
{
	return make_pipe(&r->out, 0, nonblock);
}

int rig_err(struct rig *r, bool nonblock)
{
	return make_pipe(&r->err, 0, nonblock);
}

void rig_launch(struct rig *r, uint32_t session, uint32_t stdio, const int *fds,
		size_t n)
{
	struct edge_record c = {
		.version = EDGE_VERSION,
		.kind = session ? EDGE_CMD_EXEC : EDGE_CMD_LAUNCH,
		.session = session,
		.stdio = stdio,
		.value = r->sockets,
		.conn = r->sockets - r->windows,
	};
	unsigned char *m = calloc(1, n + 8);
	struct err e = ERR_INIT;
	int all[4], n_fds = 1;

	rig_fill(m + 8, n);
	m[0] = session ? CTL_EXEC : CTL_LAUNCH;
	for (int i = 0; i < 4; i++)
		m[4 + i] = (unsigned char)(n >> (8 * i));
	all[0] = io_memfd("launch", m, n + 8, &e);
	free(m);
	for (uint32_t bits = stdio & 15; bits; bits &= bits - 1, n_fds++)
		all[n_fds] = fds[n_fds - 1];
	if (io_send(r->host, &c, sizeof(c), all, (size_t)n_fds) < 0)
		die("LAUNCH");
	for (int i = 0; i < n_fds; i++)
		close(all[i]);
}

void rig_run(struct rig *r)
{
	int fds[] = {rig_in(r, true), rig_out(r, true), rig_err(r, true)};

	rig_launch(r, 0, EDGE_STDIO_IN | EDGE_STDIO_OUT | EDGE_STDIO_ERR, fds,
		   100);
	rig_hello(r);
	rig_until(r, rig_has_record);
}

void rig_command(struct rig *r, const struct edge_record *c)
{
	struct edge_record v = *c;

	v.version = EDGE_VERSION;
	if (io_send(r->host, &v, sizeof(v), NULL, 0) < 0)
		die("a command");
}

void rig_say(struct rig *r, struct buf *b)
{
	rig_send(r, MUX_CONTROL, b->data, b->len);
	buf_free(b);
}

void rig_hello(struct rig *r)
{
	struct buf b;

	buf_init(&b, 64);
	ctl_put_hello(&b);
	rig_say(r, &b);
}

void rig_exit(struct rig *r, uint32_t session, uint32_t code)
{
	struct buf b;

	buf_init(&b, 64);
	ctl_put_exit(&b, session, CTL_EXIT_CODE, code, "");
	rig_say(r, &b);
}

void rig_send(struct rig *r, unsigned stream, const void *p, size_t n)
{
	const unsigned char *at = p;

	while (n && !r->gone) {
		size_t may = mux_may_send(r->mux, stream);

		if (may > n)
			may = n;
		if (!may && !mux_is_open(r->mux, stream))
			return;
		mux_send(r->mux, stream, at, may);
		at += may;
		n -= may;
		rig_turn(r, may ? 0 : -1);
	}
}

void rig_raw(struct rig *r, const void *p, size_t n)
{
	const char *at = p;

	while (n && !r->gone) {
		ssize_t put = write(r->port, at, n);

		if (put > 0) {
			at += put;
			n -= (size_t)put;
		}
		if (put < 0 && errno != EAGAIN)
			return;
		rig_turn(r, 0);
	}
}

/* The guest's side */

static void guest_event(struct rig *r, const struct mux_event *ev)
{
	if (ev->stream >= MUX_GUEST_FIRST)
		r->answers += ev->kind == MUX_EV_RESET;
	switch (ev->kind) {
	case MUX_EV_OPEN:
		r->opened[ev->stream] = true;
		r->ended[ev->stream] = r->reset[ev->stream] = false;
		break;
	case MUX_EV_DATA:
		buf_put(&r->got[ev->stream], ev->data, ev->len);
		if (!(r->hold && ev->stream == IN_STREAM) &&
		    !(r->hold_conns && ev->stream >= MUX_GUEST_FIRST))
			mux_consumed(r->mux, ev->stream, ev->len);
		break;
	case MUX_EV_EOF:
		r->ended[ev->stream] = true;
		break;
	case MUX_EV_RESET:
		r->reset[ev->stream] = true;
		break;
	case MUX_EV_NONE:
	case MUX_EV_CREDIT:
		break;
	}
}

static void guest_read(struct rig *r)
{
	unsigned char chunk[65536];
	struct err e = ERR_INIT;
	struct mux_event ev;
	ssize_t got = read(r->port, chunk, sizeof(chunk));
	size_t used;

	if (got > 0)
		buf_put(&r->raw, chunk, (size_t)got);
	else if (!got || errno != EAGAIN)
		r->gone = true;
	do {
		if (mux_feed(r->mux, r->raw.data, r->raw.len, &used, &ev, &e)) {
			printf("Bail out! the guest refuses: %s\n", e.msg);
			exit(1);
		}
		guest_event(r, &ev);
		buf_consume(&r->raw, used);
	} while (ev.kind != MUX_EV_NONE);
}

static void guest_echo(struct rig *r)
{
	struct buf *b = &r->got[IN_STREAM];
	size_t n = mux_may_send(r->mux, OUT_STREAM);

	if (n > b->len - r->echoed)
		n = b->len - r->echoed;
	if (n)
		mux_send(r->mux, OUT_STREAM, b->data + r->echoed, n);
	r->echoed += n;
	if (r->ended[IN_STREAM] && r->echoed == b->len) {
		mux_send_eof(r->mux, OUT_STREAM);
		mux_send_eof(r->mux, ERR_STREAM);
		r->echo = false;
		rig_exit(r, 0, 7);
	}
}

static bool guest_write(struct rig *r)
{
	struct buf *out = mux_out(r->mux);
	ssize_t put;

	if (!out->len)
		return false;
	put = write(r->port, out->data, out->len);
	if (put > 0)
		buf_consume(out, (size_t)put);
	else if (put < 0 && errno != EAGAIN)
		buf_clear(out);
	return put > 0;
}

/* vmrun's and the person's side */

static void host_read(struct rig *r)
{
	struct edge_record *ev = &r->event[r->n_events];
	ssize_t got = recv(r->host, ev, sizeof(*ev), MSG_DONTWAIT);

	if (got == sizeof(*ev) && r->n_events + 1 < RIG_EVENTS)
		r->n_events++;
	else if (!got)
		r->host_eof = true;
}

static bool person_read(int *fd, struct buf *b)
{
	unsigned char chunk[65536];
	ssize_t got = read(*fd, chunk, sizeof(chunk));

	if (got > 0)
		buf_put(b, chunk, (size_t)got);
	if (got > 0 || (got < 0 && errno == EAGAIN))
		return false;
	shut(fd);
	return true;
}

static void person_write(struct rig *r)
{
	ssize_t put = write(r->in, r->feed + r->fed, r->feed_len - r->fed);

	if (put > 0)
		r->fed += (size_t)put;
	else if (put < 0 && errno != EAGAIN)
		shut(&r->in);
}

void rig_turn(struct rig *r, int timeout)
{
	bool feeding = r->in >= 0 && r->fed < r->feed_len;
	struct pollfd p[5] = {
		{r->gone ? -1 : r->port, POLLIN, 0},
		{r->host_eof ? -1 : r->host, POLLIN, 0},
		{r->stall ? -1 : r->out, POLLIN, 0},
		{r->err, POLLIN, 0},
		{feeding ? r->in : -1, POLLOUT, 0},
	};

	if (r->echo)
		guest_echo(r);
	/* There is room now, which may be all that the caller waits for. */
	if (guest_write(r))
		timeout = 0;
	if (mux_out(r->mux)->len || r->echo)
		p[0].events |= POLLOUT;
	if (poll(p, 5, timeout) < 0)
		die("poll");
	if (p[0].revents & (POLLIN | POLLHUP | POLLERR))
		guest_read(r);
	if (p[1].revents)
		host_read(r);
	if (p[2].revents && person_read(&r->out, &r->out_got))
		r->out_eof = true;
	if (p[3].revents)
		person_read(&r->err, &r->err_got);
	if (p[4].revents)
		person_write(r);
}

void rig_until(struct rig *r, bool (*is)(struct rig *r))
{
	while (!is(r))
		rig_turn(r, -1);
}

static size_t answers_wanted;

static bool has_answer(struct rig *r)
{
	return rig_count(r, EDGE_EV_FULL) >= answers_wanted;
}

/*
 * Session 0 cannot be asked for twice: the second LAUNCH is refused at once,
 * whatever else goes on.  Two of these, since the first answer comes from the
 * middle of a turn.
 */
void rig_sync(struct rig *r)
{
	for (int i = 0; i < 2; i++) {
		answers_wanted = rig_count(r, EDGE_EV_FULL) + 1;
		rig_launch(r, 0, 0, NULL, 0);
		rig_until(r, has_answer);
	}
}

const struct edge_record *rig_find(const struct rig *r, enum edge_kind kind)
{
	for (size_t i = 0; i < r->n_events; i++)
		if (r->event[i].kind == (uint32_t)kind)
			return &r->event[i];
	return NULL;
}

size_t rig_count(const struct rig *r, enum edge_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n_events; i++)
		n += r->event[i].kind == (uint32_t)kind;
	return n;
}

bool rig_has_hello(struct rig *r)
{
	return rig_find(r, EDGE_EV_HELLO);
}

bool rig_has_exit(struct rig *r)
{
	return rig_find(r, EDGE_EV_EXIT);
}

bool rig_has_gone(struct rig *r)
{
	return rig_find(r, EDGE_EV_GONE);
}

/* The message of session 0, all of it. */
bool rig_has_record(struct rig *r)
{
	const unsigned char *p = r->got[MUX_CONTROL].data;
	size_t n = r->got[MUX_CONTROL].len;

	return n >= 8 && n >= 8 + (p[4] | (size_t)p[5] << 8 |
				   (size_t)p[6] << 16 | (size_t)p[7] << 24);
}

bool rig_is_fed(struct rig *r)
{
	return r->fed == r->feed_len || r->in < 0;
}

void rig_fill(unsigned char *p, size_t n)
{
	uint32_t x = 99;

	for (size_t i = 0; i < n; i++) {
		x = x * 1664525u + 1013904223u;
		p[i] = (unsigned char)(x >> 24);
	}
}
