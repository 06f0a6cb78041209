/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bytes between the port and a command's descriptors.  Runs in the guest as
 * PID 1.
 *
 * The host may send MUX_WINDOW bytes that were not consumed; they come into
 * `pending` first, and are written from there once the port gives no more: as
 * many as there are with each call, and a process is woken up once.  The other
 * way a descriptor is only read into room that the host gave credit for,
 * straight into the port's output: nothing waits here.
 */
#include "guest-init/init.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void clear(struct stream *s)
{
	if (s->fd >= 0)
		close(s->fd);
	queue_free(&s->pending);
	memset(s, 0, sizeof(*s));
	s->fd = -1;
	queue_init(&s->pending, MUX_WINDOW + 1);
}

unsigned stream_pick(const struct init *in)
{
	unsigned id = mux_pick(in->mux, 0);

	while (id && in->streams[id].fd >= 0)
		id = mux_pick(in->mux, id);
	return id;
}

void stream_opened(struct init *in, unsigned id)
{
	clear(&in->streams[id]);
}

void stream_reset(struct init *in, unsigned id)
{
	struct stream *s = &in->streams[id];

	if (s->fd < 0 || !s->conn || !s->pending.len) {
		clear(s);
		return;
	}
	/* A service's last words, for a client that has not read them yet.
	 * It is not to wait for somebody to read its own. */
	s->gone = true;
	s->reads = false;
	s->ended = true;
	shutdown(s->fd, SHUT_RD);
	stream_write(in, id);
}

/*
 * The command does not read any more: tells the host to stop.  A terminal is
 * still read, its last output may be there.
 */
static void no_reader(struct init *in, unsigned id)
{
	struct stream *s = &in->streams[id];

	if (s->terminal) {
		s->writes = false;
		queue_drop(&s->pending, s->pending.len);
		return;
	}
	if (!s->gone)
		mux_reset(in->mux, id);
	clear(s);
}

/* Bytes written, 0 if it would block; -1 after no_reader(). */
static ssize_t put(struct init *in, unsigned id, const void *p, size_t n)
{
	ssize_t did = write(in->streams[id].fd, p, n);

	if (did >= 0) {
		mux_consumed(in->mux, id, (size_t)did);
		return did;
	}
	if (errno == EAGAIN || errno == EINTR)
		return 0;
	no_reader(in, id);
	return -1;
}

/* After the last byte: the command reads end of file. */
static void finish_input(struct init *in, unsigned id)
{
	struct stream *s = &in->streams[id];

	s->ended = false;
	if (s->terminal)
		return;
	if (s->gone) {
		clear(s);
		return;
	}
	if (s->conn && s->reads) {
		s->writes = false;
		shutdown(s->fd, SHUT_WR);
		return;
	}
	mux_send_eof(in->mux, id);
	clear(s);
	s->over = true;
}

bool stream_only_takes(const struct init *in, unsigned id)
{
	const struct stream *s = &in->streams[id];

	return s->fd >= 0 && s->conn && !s->reads && s->writes &&
	       !s->pending.len;
}

void stream_left(struct init *in, unsigned id)
{
	no_reader(in, id);
}

/* What comes for a stream that only goes out is of no use. */
static bool is_useless(const struct stream *s)
{
	return s->over || (s->fd >= 0 && !s->writes);
}

void stream_data(struct init *in, unsigned id, const void *p, size_t n)
{
	struct stream *s = &in->streams[id];

	if (is_useless(s))
		mux_consumed(in->mux, id, n);
	else if (queue_put(&s->pending, p, n) < 0)
		no_reader(in, id);
}

void *stream_room(struct init *in, unsigned id, size_t *n)
{
	struct stream *s = &in->streams[id];

	return is_useless(s) ? NULL : queue_room(&s->pending, n);
}

void stream_added(struct init *in, unsigned id, size_t n)
{
	queue_added(&in->streams[id].pending, n);
}

void streams_write(struct init *in)
{
	for (unsigned i = 1; i < in->streams_end; i++) {
		const struct stream *s = &in->streams[i];

		if (s->fd >= 0 && s->writes && s->pending.len && !s->full)
			stream_write(in, i);
	}
}

void stream_write(struct init *in, unsigned id)
{
	struct stream *s = &in->streams[id];

	s->full = false;
	while (s->pending.len) {
		size_t n;
		const void *p = queue_peek(&s->pending, &n);
		ssize_t did = put(in, id, p, n);

		if (did < 0)
			return;
		s->full = (size_t)did < n;
		queue_drop(&s->pending, (size_t)did);
		if (s->full)
			return;
	}
	if (s->ended)
		finish_input(in, id);
}

void stream_eof(struct init *in, unsigned id)
{
	struct stream *s = &in->streams[id];

	if (s->over)
		return;
	/* The line discipline's end of file; a program that reads raw bytes
	 * gets the byte, as from a keyboard. */
	if (s->terminal && s->writes)
		queue_put(&s->pending, "\4", 1);
	s->ended = true;
	if (s->fd >= 0 && s->writes)
		stream_write(in, id);
}

void stream_bind(struct init *in, unsigned id, int fd, enum stream_way way)
{
	struct stream *s;

	if (id >= MUX_STREAMS || !mux_is_open(in->mux, id)) {
		close(fd);
		return;
	}
	s = &in->streams[id];
	s->fd = fd;
	if (in->streams_end <= id)
		in->streams_end = id + 1;
	s->reads = way != STREAM_IN;
	s->writes = way != STREAM_OUT;
	s->terminal = way == STREAM_BOTH;
	s->conn = way == STREAM_CONN;
	if (s->writes)
		stream_write(in, id);
}

/* Nothing more comes from the command. */
static void no_writer(struct init *in, unsigned id)
{
	struct stream *s = &in->streams[id];

	mux_send_eof(in->mux, id);
	if (s->conn && s->writes) {
		s->reads = false;
		return;
	}
	clear(s);
	s->over = true;
}

bool stream_read(struct init *in, unsigned id, uint64_t *left)
{
	struct stream *s = &in->streams[id];
	void *at;
	size_t room;

	if (s->fd < 0 || !s->reads)
		return true;
	while ((!left || *left) &&
	       (at = mux_send_begin(in->mux, id, &room)) != NULL) {
		ssize_t n;

		if (left && room > *left)
			room = (size_t)*left;
		n = read(s->fd, at, room);
		mux_send_end(in->mux, id, n > 0 ? (size_t)n : 0);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return true;
		if (n <= 0) {
			no_writer(in, id);
			return true;
		}
		if (left)
			*left -= (size_t)n;
	}
	return left && !*left;
}

void streams_end_conns(struct init *in)
{
	for (unsigned i = 1; i < in->streams_end; i++) {
		const struct stream *s = &in->streams[i];

		if (s->fd >= 0 && s->conn)
			shutdown(s->fd, SHUT_RD);
	}
}

void stream_close(struct init *in, unsigned id)
{
	struct stream *s = &in->streams[id];

	if (!id || id >= MUX_STREAMS || !mux_is_open(in->mux, id) || s->over)
		return;
	/* Not RESET for what goes out: the host may still have it to write. */
	if (s->fd >= 0 && s->reads) {
		no_writer(in, id);
		return;
	}
	mux_reset(in->mux, id);
	clear(s);
	s->over = true;
}

short stream_wants(struct init *in, unsigned id)
{
	struct stream *s = &in->streams[id];
	int events = 0;

	if (s->fd < 0)
		return 0;
	if (s->reads && mux_may_send(in->mux, id))
		events |= POLLIN;
	if (s->writes && s->pending.len)
		events |= POLLOUT;
	return (short)events;
}
