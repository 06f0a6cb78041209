/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The port to the guest.  Runs in vmrun-mux as U, sealed; all hostile. */
#include "port.h"

#include "base/err.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define GUEST_MESSAGE (8 + CTL_GUEST_MAX)

int port_init(struct port *p, int fd, struct err *e)
{
	*p = (struct port){.fd = fd, .slot = -1};
	queue_init(&p->control, PORT_CONTROL);
	buf_init(&p->guest, GUEST_MESSAGE);
	p->mux = mux_new(MUX_HOST);
	p->input = malloc(PORT_INPUT);
	if (!p->mux || !p->input)
		return err_set(e, ENOMEM, "buffers of the port");
	return 0;
}

void port_free(struct port *p)
{
	port_close(p);
	mux_free(p->mux);
	free(p->input);
	queue_free(&p->control);
	buf_free(&p->guest);
}

void port_close(struct port *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

bool port_is_open(const struct port *p)
{
	return p->fd >= 0;
}

void port_watch(struct port *p, struct watch *w)
{
	short events = POLLIN;

	if (mux_out(p->mux)->len)
		events |= POLLOUT;
	p->slot = watch_add(w, p->fd, events);
}

void port_read(struct port *p, const struct watch *w)
{
	ssize_t got;

	if (!(watch_got(w, p->slot) & (POLLIN | POLLHUP | POLLERR | POLLNVAL)))
		return;
	/* Less than a header is left over, if anything. */
	memmove(p->input, p->input + p->at, p->end - p->at);
	p->end -= p->at;
	p->at = 0;
	got = recv(p->fd, p->input + p->end, PORT_INPUT - p->end, MSG_DONTWAIT);
	if (got > 0)
		p->end += (size_t)got;
	else if (!got || (errno != EAGAIN && errno != EINTR))
		p->closed = true;
}

int port_event(struct port *p, struct mux_event *ev, struct err *e)
{
	size_t used;
	int r = mux_feed(p->mux, p->input + p->at, p->end - p->at, &used, ev,
			 e);

	p->at += used;
	return r;
}

int port_message(struct port *p, struct mux_event *ev, struct ctl_guest_msg *m,
		 struct err *e)
{
	for (;;) {
		size_t used = 0, n = GUEST_MESSAGE - p->guest.len;
		int r = ctl_get_guest(p->guest.data, p->guest.len, &used, m, e);

		if (r > 0)
			buf_consume(&p->guest, used);
		if (r || !ev->len)
			return r;
		if (n > ev->len)
			n = ev->len;
		/* A message that needs more than GUEST_MESSAGE bytes was
		 * refused at its header; this is for a decoder gone wrong. */
		if (!n)
			return err_set(e, EPROTO, "endless control message");
		buf_put(&p->guest, ev->data, n);
		if (p->guest.bad)
			return err_set(e, ENOMEM, "a control message");
		ev->data += n;
		ev->len -= n;
		mux_consumed(p->mux, MUX_CONTROL, n);
	}
}

size_t port_room(const struct port *p)
{
	return p->control.max - p->control.len;
}

int port_say(struct port *p, const void *message, size_t n)
{
	return queue_put(&p->control, message, n);
}

void port_pump(struct port *p)
{
	while (p->control.len) {
		size_t n, room = mux_may_send(p->mux, MUX_CONTROL);
		const void *at = queue_peek(&p->control, &n);

		if (n > room)
			n = room;
		if (!n || mux_send(p->mux, MUX_CONTROL, at, n) < 0)
			return;
		queue_drop(&p->control, n);
	}
}

void port_flush(struct port *p)
{
	struct buf *out = mux_out(p->mux);

	while (p->fd >= 0 && out->len) {
		ssize_t put = send(p->fd, out->data, out->len,
				   MSG_DONTWAIT | MSG_NOSIGNAL);

		/* A port that is gone says so when it is read. */
		if (put < 0)
			return;
		buf_consume(out, (size_t)put);
	}
}
