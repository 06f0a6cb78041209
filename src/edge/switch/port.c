/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sockets and batches.  Runs in vmrun-switch as the machine's UID, sealed. */
#include "port.h"

#include "base/own.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>

/* What the kernel may hold for a receiver; it takes at most what its
 * net.core.wmem_max allows. */
#define SEND_BUFFER (1 << 20)

void batch_init(struct batch *b)
{
	memset(b, 0, sizeof(*b));
	for (unsigned i = 0; i < BATCH; i++) {
		b->room[i].iov_base = b->bytes[i];
		b->room[i].iov_len = ETHER_FRAME_MAX;
		b->received[i].msg_hdr.msg_iov = &b->room[i];
		b->received[i].msg_hdr.msg_iovlen = 1;
	}
}

static int option(int fd, int name)
{
	socklen_t n = sizeof(int);
	int value = -1;

	return getsockopt(fd, SOL_SOCKET, name, &value, &n) < 0 ? -1 : value;
}

int port_open(struct port *p, int fd, enum switch_role role)
{
	const int size = SEND_BUFFER;

	assert(p->state == PORT_FREE);
	if (option(fd, SO_DOMAIN) != AF_UNIX ||
	    option(fd, SO_TYPE) != SOCK_SEQPACKET ||
	    option(fd, SO_ACCEPTCONN) != 0)
		return EPROTOTYPE;
	/* A smaller one only costs speed. */
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	p->state = PORT_OPEN;
	p->fd = fd;
	p->role = role;
	memset(&p->counters, 0, sizeof(p->counters));
	queue_clear(&p->queue);
	return 0;
}

void port_end(struct port *p)
{
	own_close(&p->fd);
	queue_clear(&p->queue);
	p->state = PORT_ENDED;
}

void port_free(struct port *p)
{
	own_close(&p->fd);
	p->state = PORT_FREE;
}

/* An empty message and the end of file look the same to recvmmsg(2). */
static bool has_ended(int fd)
{
	struct pollfd w = {.fd = fd, .events = POLLRDHUP};

	return poll(&w, 1, 0) != 0;
}

/* Takes over what recvmmsg(2) gave. */
static void sort_out(struct port *p, struct batch *b, unsigned got)
{
	struct switch_counters *c = &p->counters;

	for (unsigned i = 0; i < got; i++) {
		const struct mmsghdr *m = &b->received[i];

		if (m->msg_len == 0 && has_ended(p->fd)) {
			port_end(p);
			return;
		}
		c->received++;
		c->received_bytes += m->msg_len;
		if (m->msg_len == 0) {
			c->drop[SWITCH_DROP_RUNT]++;
		} else if (m->msg_hdr.msg_flags & MSG_TRUNC) {
			c->drop[SWITCH_DROP_LONG]++;
		} else {
			b->frame[b->n].iov_base = b->bytes[i];
			b->frame[b->n++].iov_len = m->msg_len;
		}
	}
}

void port_receive(struct port *p, struct batch *b)
{
	int got;

	b->n = 0;
	got = recvmmsg(p->fd, b->received, BATCH, MSG_DONTWAIT, NULL);
	if (got > 0)
		sort_out(p, b, (unsigned)got);
	else if (got < 0 && errno != EAGAIN && errno != EINTR)
		port_end(p);
}

/*
 * Sends the first frames of v; how many the socket took.  An error of the
 * first frame that is not the socket's fullness ends the port.
 */
static unsigned send_some(struct port *p, struct iovec *v, unsigned n)
{
	struct mmsghdr m[BATCH];
	int put;

	for (unsigned i = 0; i < n; i++)
		m[i] = (struct mmsghdr){
			.msg_hdr = {.msg_iov = &v[i], .msg_iovlen = 1}};
	put = sendmmsg(p->fd, m, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (put < 0) {
		if (errno != EAGAIN && errno != EINTR && errno != ENOBUFS &&
		    errno != ENOMEM)
			port_end(p);
		return 0;
	}
	p->counters.sent += (unsigned)put;
	for (int i = 0; i < put; i++)
		p->counters.sent_bytes += v[i].iov_len;
	return (unsigned)put;
}

void port_send(struct port *p, const struct batch *b, port_set bit)
{
	struct iovec v[BATCH];
	unsigned n = 0, put = 0;

	for (unsigned i = 0; i < b->n; i++)
		if (b->to[i] & bit)
			v[n++] = b->frame[i];
	if (queue_is_empty(&p->queue))
		put = send_some(p, v, n);
	if (p->state != PORT_OPEN)
		return;
	for (; put < n; put++)
		if (!queue_put(&p->queue, v[put].iov_base, v[put].iov_len))
			p->counters.drop[SWITCH_DROP_FULL]++;
}

void port_flush(struct port *p)
{
	struct iovec v[BATCH];
	unsigned n, put;

	do {
		n = (unsigned)queue_peek(&p->queue, v, BATCH);
		if (!n)
			return;
		put = send_some(p, v, n);
		if (p->state != PORT_OPEN)
			return;
		queue_drop(&p->queue, put);
	} while (put == n);
}
