/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How long an offer lasts that the client hears nothing of, and how many there
 * may be of those that it does.
 */
#include "tap.h"
#include "wayland-script.h"

#include <stdio.h>
#include <string.h>

#define MANY 40000u /* more than a client may have */

static struct script s;

/* What goes to the compositor is the end of that offer, and nothing else. */
static bool destroys(struct client *c, uint32_t theirs)
{
	const struct link *l = &c->host;
	bool r = link_waiting(l) == WIRE_HEADER &&
		 wire_u32(l->out + l->at) == theirs &&
		 wire_u32(l->out + l->at + 4) ==
			 (WIRE_HEADER << 16 | RQ_WL_DATA_OFFER_DESTROY);

	to_host(c);
	return r;
}

static void offer(struct client *c, uint32_t theirs)
{
	from_host(c, DEVICE, EV_WL_DATA_DEVICE_DATA_OFFER, "n", theirs);
	from_host(c, theirs, EV_WL_DATA_OFFER_OFFER, "s", "text/secret");
}

/* Somebody else's drag comes over the window. */
static void enter(struct client *c, uint32_t theirs)
{
	offer(c, theirs);
	from_host(c, DEVICE, EV_WL_DATA_DEVICE_ENTER, "uouuo", 1, SURFACE, 2, 3,
		  theirs);
	from_host(c, DEVICE, EV_WL_DATA_DEVICE_MOTION, "uuu", 1, 2, 3);
}

static void leave(struct client *c)
{
	from_host(c, DEVICE, EV_WL_DATA_DEVICE_LEAVE, "");
}

/* wlroots ends a drag whose offer is destroyed while it is over the window. */
static void hidden_drag(void)
{
	struct client *c;

	script_start(&s, WAYLAND_CLIPBOARD_OFF);
	c = script_client(&s);
	enter(c, SERVER);
	tap_str(to_host(c), "", "a drag that is not to be seen goes on");
	leave(c);
	tap_ok(destroys(c, SERVER), "its offer ends when it is elsewhere");
	enter(c, SERVER);
	from_host(c, DEVICE, EV_WL_DATA_DEVICE_DROP, "");
	tap_ok(destroys(c, SERVER), "or when it is dropped");
	leave(c);
	tap_str(to_host(c), "", "once");
	enter(c, SERVER);
	from_host(c, DEVICE, EV_WL_DATA_DEVICE_DATA_OFFER, "n", SERVER + 1);
	from_host(c, DEVICE, EV_WL_DATA_DEVICE_ENTER, "uouuo", 1, SURFACE, 2, 3,
		  SERVER + 1);
	tap_ok(destroys(c, SERVER), "or when another one comes");
	for (uint32_t i = 0; i < 100; i++)
		offer(c, SERVER + 2 + i % 20);
	to_host(c);
	leave(c);
	tap_ok(destroys(c, SERVER + 1),
	       "it does not give way to offers that come after it");
	enter(c, SERVER);
	offer(c, SERVER);
	leave(c);
	tap_str(to_host(c), "",
		"not if the compositor has forgotten it before");
	enter(c, SERVER + 1);
	to_host(c); /* another offer gave way */
	from_guest(c, DEVICE, RQ_WL_DATA_DEVICE_RELEASE, "");
	tap_ok(c->host.len == 2 * WIRE_HEADER &&
		       wire_u32(c->host.out + WIRE_HEADER) == SERVER + 1,
	       "it ends with the device");
	to_host(c);
	leave(c);
	tap_str(to_host(c), "", "once too");
	tap_str(to_guest(c), "", "and the client hears of none of them");
	script_end(&s);
}

static void keyboard(struct client *c)
{
	from_host(c, KEYBOARD, EV_WL_KEYBOARD_ENTER, "uoa", 1, SURFACE, 0);
	to_guest(c);
}

/* A source of c's with one type. */
static void source(struct client *c, uint32_t id, const char *type)
{
	from_guest(c, DATA, RQ_WL_DATA_DEVICE_MANAGER_CREATE_DATA_SOURCE, "n",
		   id);
	from_guest(c, id, RQ_WL_DATA_SOURCE_OFFER, "s", type);
}

static void select_source(struct client *c, uint32_t id)
{
	from_guest(c, DEVICE, RQ_WL_DATA_DEVICE_SET_SELECTION, "ou", id, 9);
}

/* The compositor's, as with each keyboard that comes. */
static void selection(struct client *c)
{
	offer(c, SERVER);
	from_host(c, DEVICE, EV_WL_DATA_DEVICE_SELECTION, "o", SERVER);
}

/* GTK 4 keeps the offers that it is given of its own selection. */
static void owner(void)
{
	struct client *c;

	script_start(&s, WAYLAND_CLIPBOARD_OFF);
	c = script_client(&s);
	keyboard(c);
	source(c, NEXT, "text/plain");
	select_source(c, NEXT);
	to_host(c);
	tap_str(to_guest(c), "11.0(S0) S0.0(text/plain) 11.5(S0)",
		"who copies is told of it");
	selection(c);
	tap_str(to_guest(c), "", "once");
	tap_ok(destroys(c, SERVER), "the compositor's offer ends");
	script_end(&s);
}

/* One that keeps all offers sees none at last, and lives. */
static void keeper(enum wayland_clipboard way)
{
	struct client *a, *b;
	const char *seen = "";

	script_start(&s, way);
	a = script_client(&s);
	b = script_client(&s);
	source(a, NEXT, "text/plain");
	if (way == WAYLAND_CLIPBOARD_OFF)
		select_source(a, NEXT);
	for (uint32_t i = 0; i < MANY && !b->over; i++) {
		selection(b);
		to_host(b);
		seen = to_guest(b);
	}
	tap_ok(!b->over, "a client that keeps all offers lives");
	tap_str(seen, "11.5(0)", "it sees none at last");
	enter(b, SERVER + 1);
	tap_str(to_guest(b), "", "nor drags");
	leave(b);
	tap_ok(!b->over && destroys(b, SERVER + 1), "which end as ever");
	script_end(&s);
}

/* It is given the compositor's own ones. */
static void keeper_both(void)
{
	struct client *c;

	script_start(&s, WAYLAND_CLIPBOARD_BOTH);
	c = script_client(&s);
	for (uint32_t i = 0; i < 10000; i++) {
		from_host(c, DEVICE, EV_WL_DATA_DEVICE_DATA_OFFER, "n",
			  SERVER + i);
		to_guest(c);
	}
	tap_ok(!c->over, "both: it may keep ten thousand");
	script_end(&s);
}

/* What one client does too often another one need not read. */
static void flood(void)
{
	char type[4096] = "";
	struct client *a, *b;

	script_start(&s, WAYLAND_CLIPBOARD_OFF);
	a = script_client(&s);
	b = script_client(&s);
	keyboard(b);
	for (uint32_t i = 0; i < 16; i++) {
		snprintf(type, sizeof(type), "x/%0500u", i);
		if (!i)
			source(a, NEXT, type);
		else
			from_guest(a, NEXT, RQ_WL_DATA_SOURCE_OFFER, "s", type);
	}
	source(a, NEXT + 1, "text/plain");
	for (uint32_t i = 0; i < MANY && !b->over; i++)
		select_source(a, NEXT);
	select_source(a, NEXT + 1);
	tap_ok(!a->over && !b->over && link_waiting(&b->guest) < 128u * 1024,
	       "a client that copies all the time ends nobody");
	b->guest.at = b->guest.len = 0;
	selection_late(b);
	tap_ok(strstr(to_guest(b), "(text/plain) 11.5(S") != NULL,
	       "who has read hears of the last");
	selection_late(b);
	tap_str(to_guest(b), "", "once");
	/* It does not fit in waypipe's next message. */
	memset(type, 'x', 4050);
	type[4050] = '\0';
	source(a, NEXT + 2, type);
	select_source(a, NEXT + 2);
	tap_ok(!a->over && link_waiting(&b->guest) == 24,
	       "a type that is too long is not passed on");
	script_end(&s);
}

int main(void)
{
	hidden_drag();
	owner();
	keeper(WAYLAND_CLIPBOARD_OFF);
	keeper(WAYLAND_CLIPBOARD_IN);
	keeper_both();
	flood();
	return tap_done();
}
