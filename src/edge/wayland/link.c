/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sockets with queues.  Runs in vmrun-wayland as U; carries guest bytes. */
#include "link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* SCM_MAX_FD: what the kernel takes in one message. */
#define FDS_OF_KERNEL 253
/* Of 4 KiB: more than a socket has waiting. */
#define DRAIN_READS 128

void link_init(struct link *l, size_t max)
{
	memset(l, 0, sizeof(*l));
	l->fd = -1;
	l->max = max;
}

/* Nothing of what waits will be written. */
static void drop(struct link *l)
{
	for (size_t i = 0; i < l->n_fds; i++)
		close(l->fds[i].fd);
	l->n_fds = 0;
	l->at = l->len = 0;
}

void link_close(struct link *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	for (size_t i = 0; i < l->n_in; i++)
		close(l->in[i]);
	l->n_in = 0;
	drop(l);
	free(l->rest);
	l->rest = NULL;
	l->n_rest = l->cap_rest = 0;
}

void link_drain(struct link *l)
{
	char bytes[4096];
	struct iovec iov = {bytes, sizeof(bytes)};
	/* Without room for descriptors the kernel closes them. */
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};

	for (int i = 0; i < DRAIN_READS; i++) {
		ssize_t got = l->fd < 0 ? -1 : recvmsg(l->fd, &h, MSG_DONTWAIT);

		if (got == 0 || (got < 0 && errno != EINTR))
			return;
	}
}

void link_free(struct link *l)
{
	link_close(l);
	free(l->out);
	l->out = NULL;
	l->cap = 0;
}

/* Descriptors of a message; -1 if there are too many of them. */
static int take_in(struct link *l, struct msghdr *h)
{
	int r = (h->msg_flags & MSG_CTRUNC) ? -1 : 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		size_t n = 0;

		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
			n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (l->n_in == LINK_FDS_IN) {
				close(fd);
				r = -1;
			} else {
				l->in[l->n_in++] = fd;
			}
		}
	}
	return r;
}

ssize_t link_read(struct link *l, unsigned char *buf)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int) * FDS_OF_KERNEL)];
	} c;
	struct iovec iov = {buf + l->n_rest, LINK_READ - l->n_rest};
	struct msghdr h = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = c.room,
		.msg_controllen = sizeof(c.room),
	};
	ssize_t got = recvmsg(l->fd, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (got < 0 && (errno == EINTR || (errno == EAGAIN && !l->deaf)))
		return 0;
	if (got <= 0) {
		l->ended = true;
		return 0;
	}
	if (take_in(l, &h) < 0)
		return -1;
	return (ssize_t)link_again(l, buf) + got;
}

size_t link_again(struct link *l, unsigned char *buf)
{
	size_t n = l->n_rest;

	if (n)
		memcpy(buf, l->rest, n);
	l->n_rest = 0;
	return n;
}

int link_keep(struct link *l, const unsigned char *p, size_t n)
{
	if (!n)
		return 0;
	/* Given back with the link: clients that split messages do it often. */
	if (n > l->cap_rest) {
		free(l->rest);
		l->cap_rest = n > WIRE_MAX ? LINK_READ : WIRE_MAX;
		l->rest = malloc(l->cap_rest);
	}
	if (!l->rest) {
		l->cap_rest = 0;
		return -1;
	}
	memcpy(l->rest, p, n);
	l->n_rest = n;
	return 0;
}

int link_take_fds(struct link *l, int *fds, size_t n)
{
	if (n > l->n_in)
		return -1;
	memcpy(fds, l->in, n * sizeof(*fds));
	l->n_in -= n;
	memmove(l->in, l->in + n, l->n_in * sizeof(*l->in));
	return 0;
}

/* Room for n bytes more behind len; false if there is none. */
static bool make_room(struct link *l, size_t n)
{
	size_t cap = l->cap ? l->cap : 4096;
	void *more;

	if (l->at && l->len + n > l->cap) {
		memmove(l->out, l->out + l->at, l->len - l->at);
		for (size_t i = 0; i < l->n_fds; i++)
			l->fds[i].at -= l->at;
		l->len -= l->at;
		l->at = 0;
	}
	if (l->len + n <= l->cap)
		return true;
	if (n > l->max - l->len)
		return false;
	while (cap < l->len + n)
		cap *= 2;
	if (cap > l->max)
		cap = l->max;
	more = realloc(l->out, cap);
	if (!more)
		return false;
	l->out = more;
	l->cap = cap;
	return true;
}

int link_put(struct link *l, const void *p, size_t n, const int *fds,
	     size_t n_fds)
{
	if (l->deaf || l->n_fds + n_fds > LINK_FDS_OUT || !make_room(l, n)) {
		for (size_t i = 0; i < n_fds; i++)
			close(fds[i]);
		return l->deaf ? 0 : -1;
	}
	for (size_t i = 0; i < n_fds; i++)
		l->fds[l->n_fds++] = (struct link_fd){fds[i], l->len};
	memcpy(l->out + l->len, p, n);
	l->len += n;
	return 0;
}

size_t link_waiting(const struct link *l)
{
	return l->len - l->at;
}

bool link_is_full(const struct link *l, size_t high)
{
	return link_waiting(l) > high || l->n_fds > LINK_FDS_HIGH;
}

/* One sendmsg(2) of what waits; its result. */
static ssize_t send_some(struct link *l, size_t *n_fds)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int) * LINK_FDS_SEND)];
	} c;
	struct iovec iov = {l->out + l->at, l->len - l->at};
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};
	size_t n = l->n_fds;

	if (n > LINK_FDS_SEND) {
		/* Up to the message whose descriptors must wait: even if that
		 * is the first one, its first byte may not go without them. */
		n = LINK_FDS_SEND;
		if (l->fds[n].at > l->at)
			iov.iov_len = l->fds[n].at - l->at;
	}
	if (n) {
		struct cmsghdr *a;

		memset(&c, 0, sizeof(c));
		h.msg_control = c.room;
		h.msg_controllen = CMSG_SPACE(sizeof(int) * n);
		a = CMSG_FIRSTHDR(&h);
		a->cmsg_level = SOL_SOCKET;
		a->cmsg_type = SCM_RIGHTS;
		a->cmsg_len = CMSG_LEN(sizeof(int) * n);
		for (size_t i = 0; i < n; i++)
			memcpy(CMSG_DATA(a) + i * sizeof(int), &l->fds[i].fd,
			       sizeof(int));
	}
	*n_fds = n;
	return sendmsg(l->fd, &h, MSG_DONTWAIT | MSG_NOSIGNAL);
}

int link_flush(struct link *l)
{
	l->blocked = false;
	while (l->fd >= 0 && l->at < l->len) {
		size_t n;
		ssize_t put = send_some(l, &n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && errno == EAGAIN) {
			l->blocked = true;
			return 0;
		}
		if (put < 0 && (errno == EPIPE || errno == ECONNRESET)) {
			l->deaf = true;
			drop(l);
			return -1;
		}
		if (put < 0) {
			l->ended = true;
			return -1;
		}
		for (size_t i = 0; i < n; i++)
			close(l->fds[i].fd);
		l->n_fds -= n;
		memmove(l->fds, l->fds + n, l->n_fds * sizeof(*l->fds));
		l->at += (size_t)put;
	}
	if (l->at == l->len)
		l->at = l->len = 0;
	/* A burst's memory is given back. */
	if (!l->len && l->cap > 65536) {
		free(l->out);
		l->out = NULL;
		l->cap = 0;
	}
	return 0;
}
