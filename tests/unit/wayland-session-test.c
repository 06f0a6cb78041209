/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What one client's end means to the others is written to them at once. */
#include "session.h"
#include "tap.h"
#include "wayland-script.h"

#include "base/err.h"

#include <stdio.h>
#include <stdlib.h>
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
	sessions_free(&a);
	return tap_done();
}
