/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What one client's end means to the others is written to them at once; and no
 * client waits for a connection that cannot come.
 */
#include "session.h"
#include "tap.h"
#include "wayland-script.h"

#include "base/err.h"
#include "base/io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static struct script s;
static struct sessions a;
static struct vmrun v;

static int pair_with(int *mine)
{
	int p[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p) < 0)
		abort();
	*mine = p[0];
	return p[1];
}

/* The next row; the client's own socket, and the compositor's. */
static struct client *add(size_t row, int mine[2])
{
	struct client *c = script_client(&s);

	c->guest.fd = pair_with(&mine[0]);
	c->host.fd = pair_with(&mine[1]);
	a.s[row] = (struct session){.client = c, .joined = true};
	return c;
}

static void copy(struct client *c)
{
	from_guest(c, DATA, RQ_WL_DATA_DEVICE_MANAGER_CREATE_DATA_SOURCE, "n",
		   NEXT);
	from_guest(c, NEXT, RQ_WL_DATA_SOURCE_OFFER, "s", "text/plain");
	from_guest(c, DEVICE, RQ_WL_DATA_DEVICE_SET_SELECTION, "ou", NEXT, 9);
}

/* vmrun's answer comes when there is no place for its descriptor. */
static void without_descriptors(void)
{
	struct wayland_record r = {.version = WAYLAND_VERSION,
				   .kind = WAYLAND_CMD_COMPOSITOR};
	struct rlimit none, was;
	int mine[2], theirs, p[2], fd = 7, got;
	char said[256] = "";
	struct client *c = add(0, mine);

	close(c->host.fd);
	c->host.fd = -1;
	a.s[0].joined = false;
	r.client = c->number;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, p) < 0)
		abort();
	theirs = v.fd;
	v.fd = p[0];
	if (io_send(p[1], &r, sizeof(r), &p[1], 1) < 0)
		abort();
	getrlimit(RLIMIT_NOFILE, &was);
	none = was;
	none.rlim_cur = 0;
	setrlimit(RLIMIT_NOFILE, &none);
	memset(&r, 0, sizeof(r));
	got = vmrun_command(&v, &r, &fd);
	setrlimit(RLIMIT_NOFILE, &was);
	tap_ok(got == 1 && fd == -1 && r.kind == WAYLAND_CMD_COMPOSITOR &&
		       r.client == c->number,
	       "an answer whose descriptor is lost is read");
	if (got == 1)
		sessions_command(&a, &r, fd);
	sessions_settle(&a);
	got = (int)recv(mine[0], said, sizeof(said), MSG_DONTWAIT);
	tap_ok(!a.s[0].client && got > 0 &&
		       memmem(said, (size_t)got, "too many files", 14),
	       "its client is told, and its place is free");
	v.fd = theirs;
}

/* How many records there are; the last text. */
static unsigned records(int fd, char text[WAYLAND_TEXT_MAX])
{
	struct wayland_record r;
	unsigned n = 0;

	while (recv(fd, &r, sizeof(r), MSG_DONTWAIT) == sizeof(r)) {
		memcpy(text, r.text, sizeof(r.text));
		n++;
	}
	return n;
}

/* A guest whose clients are ended as fast as it can connect them. */
static void log_flood(void)
{
	enum { BEGIN = 5000000 };
	char text[WAYLAND_TEXT_MAX] = "";
	struct vmrun flood;
	struct err e = ERR_INIT;
	unsigned n = 0;
	int p[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, p) < 0 ||
	    vmrun_init(&flood, p[0], &e) < 0)
		abort();
	for (uint64_t ms = 0; ms < 30000; ms++) {
		vmrun_log(&flood, BEGIN + ms, LOG_LEVEL_WARN, "ended");
		n += records(p[1], text);
	}
	tap_ok(n == VMRUN_LOG_FIRST || n == VMRUN_LOG_FIRST + 2,
	       "of a flood of messages the first are passed on");
	n = 0;
	for (uint64_t ms = 30000; ms < 600000; ms++) {
		vmrun_log(&flood, BEGIN + ms, LOG_LEVEL_WARN, "ended");
		n += records(p[1], text);
	}
	tap_ok(n >= 18 && n <= 20, "then one each minute, and how many");
	vmrun_log(&flood, BEGIN + 700000, LOG_LEVEL_WARN, "another");
	tap_ok(records(p[1], text) == 2 && !strcmp(text, "another"),
	       "what comes later is said");
	vmrun_free(&flood);
}

int main(void)
{
	int listening, unused, fds[3][2];
	struct client *first, *last;
	uint32_t w[3] = {0};
	struct err e = ERR_INIT;

	script_start(&s, WAYLAND_CLIPBOARD_OFF);
	v.fd = pair_with(&unused);
	listening = pair_with(&unused);
	if (sessions_init(&a, listening, &v, &s.filter, &e) < 0)
		abort();
	first = add(0, fds[0]);
	add(1, fds[1]);
	last = add(2, fds[2]);
	copy(last);
	from_host(first, KEYBOARD, EV_WL_KEYBOARD_ENTER, "uoa", 1, SURFACE, 0);
	to_guest(first);
	/* It goes, with what the one before it may paste. */
	last->over = true;
	sessions_settle(&a);
	tap_ok(!a.s[2].client && recv(fds[2][0], w, 1, MSG_DONTWAIT) == 0,
	       "a client that is over is closed");
	tap_ok(recv(fds[0][0], w, sizeof(w), MSG_DONTWAIT) == sizeof(w) &&
		       w[0] == DEVICE &&
		       w[1] == (12u << 16 | EV_WL_DATA_DEVICE_SELECTION) &&
		       !w[2],
	       "what it had copied is gone for the others too, at once");
	tap_ok(recv(fds[1][0], w, sizeof(w), MSG_DONTWAIT) < 0,
	       "who has no keyboard hears nothing");
	a.s[0].client->over = a.s[1].client->over = true;
	sessions_settle(&a);
	without_descriptors();
	log_flood();
	sessions_free(&a);
	return tap_done();
}
