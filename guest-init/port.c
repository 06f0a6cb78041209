/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The virtio port, and the multiplexer on it.  Runs in the guest as PID 1.
 *
 * Bytes written while the host's end is not connected would be lost, so the
 * port is open for the VM's whole life and nothing is sent before the driver
 * says that the host is there.
 */
#include "guest-init/init.h"

#include "base/err.h"
#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define PORT_NAME "org.vmrun.mux"
#define CLASS "/sys/class/virtio-ports"
/* A read of the driver gives a page at most; this is how much is read before
 * anything else is looked at. */
#define READ_AT_ONCE (256u * 1024)
#define PIECE 4096u

int uevents_open(void)
{
	struct sockaddr_nl a = {.nl_family = AF_NETLINK, .nl_groups = 1};
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			NETLINK_KOBJECT_UEVENT);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		own_close(&fd);
	if (fd < 0)
		say("device events: %s", strerror(errno));
	return fd;
}

static bool has_name(const char *device)
{
	char path[320], name[64];
	own_fd fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), CLASS "/%s/name", device);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, name, sizeof(name) - 1);
	if (n < 0)
		return false;
	name[n] = '\0';
	name[strcspn(name, "\n")] = '\0';
	return !strcmp(name, PORT_NAME);
}

/* The open port, or -1 if it is not there (yet). */
static int find_port(void)
{
	own_dir d = opendir(CLASS);
	struct dirent *ent;

	while (d && (ent = readdir(d))) {
		char path[300];

		if (ent->d_name[0] == '.' || !has_name(ent->d_name))
			continue;
		snprintf(path, sizeof(path), "/dev/%s", ent->d_name);
		return open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	}
	return -1;
}

/* Looks again at each event of the kernel: a name comes after its device. */
static int wait_for_port(int uevents)
{
	struct pollfd p = {.fd = uevents, .events = POLLIN};
	int64_t deadline = now_ms() + DEVICE_MS;
	char event[8192];
	int fd;

	while ((fd = find_port()) < 0) {
		int64_t left = deadline - now_ms();

		if (left <= 0 || poll(&p, 1, (int)left) <= 0)
			return -1;
		while (recv(uevents, event, sizeof(event), 0) > 0)
			;
	}
	return fd;
}

/*
 * Edge-triggered, because the driver reports a hang-up for as long as nobody
 * is connected.  Without a time limit: a host may keep a VM waiting.
 */
static int wait_for_host(int port)
{
	struct epoll_event ev = {.events = EPOLLOUT | EPOLLET};
	own_fd ep = epoll_create1(EPOLL_CLOEXEC);

	if (ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, port, &ev) < 0)
		return -1;
	do {
		if (epoll_wait(ep, &ev, 1, -1) < 0 && errno != EINTR)
			return -1;
	} while (!(ev.events & EPOLLOUT) || ev.events & EPOLLHUP);
	return 0;
}

int port_open(struct init *in, int uevents, struct err *e)
{
	in->port = wait_for_port(uevents);
	if (in->port < 0)
		return err_set(e, 0, "the port " PORT_NAME " did not appear");
	in->mux = mux_new(MUX_GUEST);
	if (!in->mux)
		return err_set(e, ENOMEM, "multiplexer");
	if (wait_for_host(in->port) < 0)
		return err_set(e, errno, "waiting for the host");
	return 0;
}

static void on_event(struct init *in, const struct mux_event *ev)
{
	switch (ev->kind) {
	case MUX_EV_NONE:
	case MUX_EV_CREDIT:
		break;
	case MUX_EV_OPEN:
		stream_opened(in, ev->stream);
		break;
	case MUX_EV_DATA:
		if (ev->stream == MUX_CONTROL)
			control_data(in, ev->data, ev->len);
		else
			stream_data(in, ev->stream, ev->data, ev->len);
		break;
	case MUX_EV_EOF:
		stream_eof(in, ev->stream);
		break;
	case MUX_EV_RESET:
		stream_reset(in, ev->stream);
		break;
	}
}

static void broken(struct init *in, const char *why)
{
	say("port: %s", why);
	in->gone = true;
}

/* Decodes what is in the buffer; the number of bytes used. */
static size_t decode(struct init *in, const unsigned char *p, size_t n)
{
	struct err e = ERR_INIT;
	struct mux_event ev;
	size_t at = 0, used;

	do {
		if (mux_feed(in->mux, p + at, n - at, &used, &ev, &e) < 0) {
			broken(in, e.msg);
			return n;
		}
		at += used;
		on_event(in, &ev);
	} while (ev.kind != MUX_EV_NONE && !in->gone);
	return at;
}

/* Headers, and with them the beginning of what follows. */
static ssize_t read_frames(struct init *in)
{
	static unsigned char room[PIECE + MUX_HEADER + 4];
	static size_t have;
	ssize_t n = read(in->port, room + have, sizeof(room) - have);
	size_t used;

	if (n <= 0)
		return n;
	have += (size_t)n;
	used = decode(in, room, have);
	have -= used;
	memmove(room, room + used, have);
	return n;
}

/* The rest of a long frame, straight to where it waits for its command. */
static ssize_t read_data(struct init *in)
{
	unsigned id = 0;
	size_t left = mux_arriving(in->mux, &id), room;
	void *at = id ? stream_room(in, id, &room) : NULL;
	ssize_t n;

	if (!at)
		return read_frames(in);
	n = read(in->port, at, left < room ? left : room);
	if (n > 0) {
		stream_added(in, id, (size_t)n);
		mux_arrived(in->mux, (size_t)n);
	}
	return n;
}

void port_read(struct init *in)
{
	size_t all = 0;
	ssize_t n;

	do {
		n = read_data(in);
		if (n > 0)
			all += (size_t)n;
	} while (n > 0 && all < READ_AT_ONCE && !in->gone);
	in->moved += all;
	/* Nothing at all, where something would block, is: no host. */
	if (!n)
		in->gone = true;
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		broken(in, strerror(errno));
	streams_write(in);
}

void port_flush(struct init *in)
{
	struct buf *out = mux_out(in->mux);
	size_t at = 0;
	ssize_t n = 0;

	while (at < out->len && !in->gone) {
		n = write(in->port, out->data + at, out->len - at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		at += (size_t)n;
	}
	if (n < 0 && errno != EAGAIN)
		broken(in, strerror(errno));
	in->moved += at;
	buf_consume(out, at);
}

bool port_has_output(struct init *in)
{
	return mux_out(in->mux)->len > 0;
}
