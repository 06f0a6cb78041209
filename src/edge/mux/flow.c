/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pumping between the person's descriptors and streams.  Runs in vmrun-mux as
 * U, sealed; the descriptors are all that it has of the person's.
 */
#include "flow.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

void flow_init(struct flow *f)
{
	*f = (struct flow){.fd = -1, .slot = -1};
	queue_init(&f->queue, MUX_WINDOW);
}

static enum flow_kind kind_of(int fd)
{
	struct stat st;
	int fl = fcntl(fd, F_GETFL);

	if (fstat(fd, &st) < 0 || fl < 0)
		return FLOW_BLOCKING;
	if (S_ISSOCK(st.st_mode))
		return FLOW_SOCKET;
	if (S_ISREG(st.st_mode))
		return FLOW_FILE;
	return (fl & O_NONBLOCK) ? FLOW_NONBLOCK : FLOW_BLOCKING;
}

void flow_start(struct flow *f, int fd, unsigned stream, enum flow_way way)
{
	flow_init(f);
	f->fd = fd;
	f->stream = stream;
	f->kind = kind_of(fd);
	f->way = way;
	f->reading = way != FLOW_FROM_GUEST;
	f->ending = way == FLOW_TO_GUEST;
}

void flow_await(struct flow *f, unsigned stream)
{
	flow_init(f);
	f->stream = stream;
	f->way = FLOW_CONN;
	f->awaited = true;
	f->reading = true;
}

void flow_close(struct flow *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
	f->awaited = false;
	f->reading = false;
	queue_free(&f->queue);
}

static bool is_retry(int error)
{
	return error == EAGAIN || error == EINTR;
}

/*
 * When the guest's last byte is written: the end of its direction is passed on,
 * and with the other direction's the descriptor is closed.
 */
static void close_if_done(struct flow *f)
{
	if (f->awaited || !f->ending || f->queue.len)
		return;
	if (!f->reading)
		flow_close(f);
	else if (f->way == FLOW_CONN)
		shutdown(f->fd, SHUT_WR);
}

/* The descriptor takes no more: nobody reads it, or it failed. */
static void broken(struct flow *f, struct mux *m, int error)
{
	/* ECONNRESET: of a socket, closed before all was read.  EBADF: closed
	 * from the beginning, in its place is something to read from. */
	if (error != EPIPE && error != ECONNRESET && error != EBADF)
		f->error = error;
	else if (f->way == FLOW_CONN && f->reading) {
		f->deaf = true;
		mux_consumed(m, f->stream, f->queue.len);
		queue_free(&f->queue);
		return;
	}
	mux_reset(m, f->stream);
	flow_close(f);
}

/* One write.  Bytes taken, 0 if it would wait, -1 with errno. */
static ssize_t put(struct flow *f, const void *at, size_t n)
{
	struct pollfd p = {.fd = f->fd, .events = POLLOUT};
	ssize_t r;

	/* Asked again: another flow may have filled the same pipe since. */
	if (f->kind == FLOW_BLOCKING && poll(&p, 1, 0) <= 0)
		return 0;
	if (f->kind == FLOW_BLOCKING && n > PIPE_BUF)
		n = PIPE_BUF;
	if (f->kind == FLOW_SOCKET)
		r = send(f->fd, at, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	else
		r = write(f->fd, at, n);
	return r < 0 && is_retry(errno) ? 0 : r;
}

/*
 * A read that failed: what the guest has is not all.  EBADF: closed from the
 * beginning.  A terminal hung up, or is another job's; a socket that is reset
 * had more from us than its end cared to read.
 */
static void not_readable(struct flow *f, int error)
{
	struct stat st;

	if (error != EBADF && error != ECONNRESET &&
	    !(fstat(f->fd, &st) == 0 && S_ISCHR(st.st_mode)))
		f->error = error;
}

/* The end of what the person sends, or of what can be read. */
static void read_over(struct flow *f, struct mux *m)
{
	f->reading = false;
	mux_send_eof(m, f->stream);
	if (f->deaf) {
		mux_reset(m, f->stream);
		flow_close(f);
		return;
	}
	close_if_done(f);
}

static void turn_read(struct flow *f, struct mux *m)
{
	size_t room;
	void *at = mux_send_begin(m, f->stream, &room);
	ssize_t got;

	if (!at)
		return;
	if (f->kind == FLOW_SOCKET)
		got = recv(f->fd, at, room, MSG_DONTWAIT);
	else
		got = read(f->fd, at, room);
	mux_send_end(m, f->stream, got > 0 ? (size_t)got : 0);
	if (got < 0 && is_retry(errno))
		return;
	if (got < 0)
		not_readable(f, errno);
	if (got <= 0)
		read_over(f, m);
}

static void turn_write(struct flow *f, struct mux *m)
{
	while (f->queue.len) {
		size_t n;
		const void *p = queue_peek(&f->queue, &n);
		ssize_t took = put(f, p, n);

		if (took < 0) {
			broken(f, m, errno);
			return;
		}
		if (!took)
			return;
		queue_drop(&f->queue, (size_t)took);
		mux_consumed(m, f->stream, (size_t)took);
		/* poll(2) spoke for one call of it, or for one part. */
		if (f->kind == FLOW_BLOCKING || (size_t)took < n)
			break;
	}
	close_if_done(f);
}

void flow_arrived(struct flow *f, int fd, struct mux *m)
{
	f->fd = fd;
	f->kind = FLOW_SOCKET;
	f->awaited = false;
	turn_write(f, m);
}

void flow_watch(struct flow *f, struct watch *w, const struct mux *m)
{
	short events = 0;

	if (f->reading && !f->paused && mux_may_send(m, f->stream))
		events |= POLLIN;
	if (f->queue.len)
		events |= POLLOUT;
	/* Without a wish it must not be there: POLLHUP cannot be masked. */
	f->slot = events ? watch_add(w, f->fd, events) : -1;
}

void flow_turn(struct flow *f, const struct watch *w, struct mux *m)
{
	short got = watch_got(w, f->slot);
	short want = f->slot < 0 ? 0 : w->fds[f->slot].events;

	if (want & POLLOUT && got & (POLLOUT | POLLERR | POLLHUP | POLLNVAL))
		turn_write(f, m);
	if (f->fd >= 0 && f->reading && !f->paused && want & POLLIN &&
	    got & (POLLIN | POLLERR | POLLHUP | POLLNVAL))
		turn_read(f, m);
}

int flow_data(struct flow *f, struct mux *m, const void *p, size_t n)
{
	ssize_t took = 0;

	if (f->way == FLOW_TO_GUEST)
		return -1;
	if (f->fd < 0 && !f->awaited)
		return 0;
	if (f->deaf) {
		mux_consumed(m, f->stream, n);
		return 0;
	}
	if (!f->awaited && !f->queue.len && f->kind != FLOW_BLOCKING)
		took = put(f, p, n);
	if (took < 0) {
		broken(f, m, errno);
		mux_consumed(m, f->stream, n);
		return 0;
	}
	if (queue_put(&f->queue, (const char *)p + took, n - (size_t)took) < 0)
		broken(f, m, ENOMEM);
	else
		mux_consumed(m, f->stream, (size_t)took);
	return 0;
}

void flow_eof(struct flow *f, struct mux *m)
{
	f->ending = true;
	/* Nobody sends on `out` and `err`: end our direction too. */
	if (f->way == FLOW_FROM_GUEST)
		mux_send_eof(m, f->stream);
	close_if_done(f);
}

void flow_reset(struct flow *f)
{
	f->ending = true;
	f->reading = false;
	close_if_done(f);
}

void flow_finish(struct flow *f, struct mux *m)
{
	mux_reset(m, f->stream);
	flow_reset(f);
}

bool flow_is_drained(const struct flow *f)
{
	return (f->fd < 0 && !f->awaited) || !f->queue.len;
}
