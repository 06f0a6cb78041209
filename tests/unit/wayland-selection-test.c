/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Copy and paste, drag and drop, in each of the four ways: what others must
 * not see first.
 */
#include "tap.h"
#include "wayland-script.h"

#include <stdlib.h>
#include <unistd.h>

static struct script s;

/* The guest copies: a source with one type. */
static void copy(struct client *c, uint32_t source)
{
	from_guest(c, DATA, RQ_WL_DATA_DEVICE_MANAGER_CREATE_DATA_SOURCE, "n",
		   source);
	from_guest(c, source, RQ_WL_DATA_SOURCE_OFFER, "s", "text/plain");
	to_host(c);
	from_guest(c, DEVICE, RQ_WL_DATA_DEVICE_SET_SELECTION, "ou", source, 9);
}

/* The compositor tells of somebody else's selection, as `theirs`. */
static void offer(struct client *c, uint32_t theirs)
{
	from_host(c, DEVICE, EV_WL_DATA_DEVICE_DATA_OFFER, "n", theirs);
	from_host(c, theirs, EV_WL_DATA_OFFER_OFFER, "s", "text/secret");
	from_host(c, DEVICE, EV_WL_DATA_DEVICE_SELECTION, "o", theirs);
}

static void keyboard(struct client *c, bool enters)
{
	if (enters)
		from_host(c, KEYBOARD, EV_WL_KEYBOARD_ENTER, "uoa", 1, SURFACE,
			  0);
	else
		from_host(c, KEYBOARD, EV_WL_KEYBOARD_LEAVE, "uo", 2, SURFACE);
	to_guest(c);
}

static int pipe_end(int *other)
{
	int p[2];

	if (pipe(p) < 0)
		abort();
	*other = p[0];
	return p[1];
}

static void both(void)
{
	struct client *c;

	script_start(&s, WAYLAND_CLIPBOARD_BOTH);
	c = script_client(&s);
	copy(c, NEXT);
	tap_str(to_host(c), "11.1(14,9)", "both: what is copied goes out");
	offer(c, SERVER);
	tap_str(to_guest(c), "11.0(S0) S0.0(text/secret) 11.5(S0)",
		"both: what others copied comes in");
	script_end(&s);
}

static void off(void)
{
	struct client *c;

	script_start(&s, WAYLAND_CLIPBOARD_OFF);
	c = script_client(&s);
	copy(c, NEXT);
	tap_str(to_host(c), "", "off: what is copied stays here");
	to_guest(c);
	offer(c, SERVER);
	to_guest(c);
	from_guest(c, NEXT, RQ_WL_DATA_SOURCE_DESTROY, "");
	to_guest(c);
	to_host(c);
	offer(c, SERVER);
	tap_str(to_guest(c), "11.5(0)", "off: others' is an empty clipboard");
	tap_ok(wire_u32(c->host.out + c->host.at) == SERVER &&
		       wire_u32(c->host.out + c->host.at + 4) ==
			       (8u << 16 | RQ_WL_DATA_OFFER_DESTROY),
	       "off: and is refused in its name");
	from_host(c, PRIMARY_DEVICE,
		  EV_ZWP_PRIMARY_SELECTION_DEVICE_V1_DATA_OFFER, "n",
		  SERVER + 1);
	from_host(c, SERVER + 1, EV_ZWP_PRIMARY_SELECTION_OFFER_V1_OFFER, "s",
		  "text/secret");
	from_host(c, PRIMARY_DEVICE,
		  EV_ZWP_PRIMARY_SELECTION_DEVICE_V1_SELECTION, "o",
		  SERVER + 1);
	tap_str(to_guest(c), "12.1(0)", "off: the primary selection as well");
	from_guest(c, PRIMARY,
		   RQ_ZWP_PRIMARY_SELECTION_DEVICE_MANAGER_V1_CREATE_SOURCE,
		   "n", NEXT + 1);
	to_host(c);
	from_guest(c, PRIMARY_DEVICE,
		   RQ_ZWP_PRIMARY_SELECTION_DEVICE_V1_SET_SELECTION, "ou",
		   NEXT + 1, 3);
	tap_str(to_host(c), "", "off: which does not go out either");
	for (uint32_t i = 0; i < 100; i++)
		from_host(c, DEVICE, EV_WL_DATA_DEVICE_DATA_OFFER, "n",
			  SERVER + i % 20);
	tap_ok(!c->over && !link_waiting(&c->guest),
	       "off: offers that nobody uses cost nothing");
	script_end(&s);
}

/* Two clients of one VM, both directions off. */
static void inside(void)
{
	struct client *a, *b;
	int reader;

	script_start(&s, WAYLAND_CLIPBOARD_OFF);
	a = script_client(&s);
	b = script_client(&s);
	keyboard(a, true);
	copy(a, NEXT);
	tap_str(to_guest(a), "11.0(S0) S0.0(text/plain) 11.5(S0)",
		"inside: who copies is told of it, as by a compositor");
	tap_str(to_guest(b), "", "inside: who has no keyboard is not");
	keyboard(a, false);
	from_host(b, DEVICE, EV_WL_DATA_DEVICE_SELECTION, "o", 0);
	tap_str(to_guest(b), "11.0(S0) S0.0(text/plain) 11.5(S0)",
		"inside: another one is when the keyboard comes");
	from_guest(b, SERVER, RQ_WL_DATA_OFFER_RECEIVE, "sh", "text/plain",
		   pipe_end(&reader));
	tap_str(to_host(b), "", "inside: its paste does not reach the desktop");
	tap_str(to_guest(a), "14.1(text/plain,<fd>)",
		"inside: but who copied, with the pipe");
	tap_ok(write(seen_fd(), "hi", 2) == 2, "inside: the pipe is written");
	close(reader);
	from_guest(b, SERVER, RQ_WL_DATA_OFFER_RECEIVE, "sh", "text/html",
		   pipe_end(&reader));
	tap_str(to_guest(a), "", "inside: not for a type that is not offered");
	tap_ok(read(reader, &reader, 1) == 0, "inside: that pipe is closed");
	copy(b, NEXT);
	tap_str(to_guest(a), "14.2()",
		"inside: the next copy cancels the last");
	to_guest(b);
	from_guest(b, SERVER, RQ_WL_DATA_OFFER_RECEIVE, "sh", "text/plain",
		   pipe_end(&reader));
	tap_ok(!link_waiting(&a->guest) && !link_waiting(&b->guest),
	       "inside: an offer of the last is worth nothing");
	keyboard(a, true);
	client_free(b);
	tap_str(to_guest(a), "11.5(0)", "inside: it ends with its client");
	script_end(&s);
}

static void out(void)
{
	struct client *a, *b;

	script_start(&s, WAYLAND_CLIPBOARD_OUT);
	a = script_client(&s);
	b = script_client(&s);
	copy(a, NEXT);
	tap_str(to_host(a), "11.1(14,9)", "out: what is copied goes out");
	offer(b, SERVER);
	tap_str(to_guest(b), "11.0(S0) S0.0(text/plain) 11.5(S0)",
		"out: others in the VM see the VM's, not the compositor's");
	keyboard(b, true);
	from_host(a, NEXT, EV_WL_DATA_SOURCE_CANCELLED, "");
	tap_str(to_guest(b), "11.5(0)",
		"out: when somebody else copies it is empty");
	script_end(&s);
}

static void in(void)
{
	struct client *a, *b;

	script_start(&s, WAYLAND_CLIPBOARD_IN);
	a = script_client(&s);
	b = script_client(&s);
	offer(a, SERVER);
	tap_str(to_guest(a), "11.0(S0) S0.0(text/secret) 11.5(S0)",
		"in: what others copied comes in");
	keyboard(a, true);
	copy(a, NEXT);
	tap_str(to_host(a), "", "in: what is copied stays here");
	to_guest(a);
	s.filter.now_ms = 5000;
	keyboard(a, false);
	s.filter.now_ms += 20;
	offer(b, SERVER);
	tap_str(to_guest(b), "11.0(S0) S0.0(text/plain) 11.5(S0)",
		"in: from window to window of the VM its own is newer");
	keyboard(b, true);
	keyboard(b, false);
	s.filter.now_ms += 2000;
	offer(b, SERVER + 1);
	tap_str(to_guest(b), "11.0(S1) S1.0(text/secret) 11.5(S1)",
		"in: from outside of the VM the other one is");
	tap_str(to_guest(a), "14.2()", "in: and the VM's own is over");
	keyboard(a, true);
	copy(b, NEXT);
	to_guest(a);
	s.filter.now_ms += 2000;
	offer(a, SERVER + 1);
	tap_str(to_guest(a), "11.0(S3) S3.0(text/secret) 11.5(S3)",
		"in: so is what comes while the keyboard is here");
	script_end(&s);
}

/* The same where the keyboard comes first, as sway has it. */
static void in_late(void)
{
	struct client *a, *b;

	script_start(&s, WAYLAND_CLIPBOARD_IN);
	s.filter.now_ms = 5000;
	a = script_client(&s);
	b = script_client(&s);
	from_host(a, KEYBOARD, EV_WL_KEYBOARD_ENTER, "uoa", 1, SURFACE, 0);
	tap_str(to_guest(a), "10.1(1,13,0)",
		"in: nothing is said of a selection before the compositor "
		"does");
	offer(a, SERVER);
	tap_str(to_guest(a), "11.0(S0) S0.0(text/secret) 11.5(S0)",
		"in: which may do so after the keyboard came");
	s.filter.now_ms += 2000;
	copy(a, NEXT);
	to_guest(a);
	keyboard(b, true); /* the two sockets are read in any order */
	offer(b, SERVER);
	tap_str(to_guest(b), "11.0(S1) S1.0(text/plain) 11.5(S1)",
		"in: from window to window the VM's own is newer then too");
	keyboard(a, false);
	keyboard(b, false);
	s.filter.now_ms += 2000;
	keyboard(b, true);
	offer(b, SERVER + 1);
	tap_str(to_guest(b), "11.0(S2) S2.0(text/secret) 11.5(S2)",
		"in: and from outside the other one");
	script_end(&s);
}

static void drags(enum wayland_clipboard way, bool may_leave, bool may_enter)
{
	static const char *const words[] = {"off", "in", "out", "both"};
	struct client *c;

	script_start(&s, way);
	c = script_client(&s);
	from_guest(c, DATA, RQ_WL_DATA_DEVICE_MANAGER_CREATE_DATA_SOURCE, "n",
		   NEXT);
	to_host(c);
	from_guest(c, DEVICE, RQ_WL_DATA_DEVICE_START_DRAG, "ooou", NEXT,
		   SURFACE, 0, 5);
	tap_str(to_host(c), may_leave ? "11.0(14,13,0,5)" : "",
		may_leave ? "a drag goes out" : "a drag stays here");
	tap_str(to_guest(c), may_leave ? "" : "14.2()",
		may_leave ? "and goes on" : "and is cancelled");
	from_guest(c, DEVICE, RQ_WL_DATA_DEVICE_START_DRAG, "ooou", 0, SURFACE,
		   0, 5);
	tap_str(to_host(c), "11.0(0,13,0,5)", "one without data is harmless");
	from_host(c, DEVICE, EV_WL_DATA_DEVICE_DATA_OFFER, "n", SERVER);
	from_host(c, SERVER, EV_WL_DATA_OFFER_OFFER, "s", "text/secret");
	from_host(c, SERVER, EV_WL_DATA_OFFER_SOURCE_ACTIONS, "u", 3);
	from_host(c, DEVICE, EV_WL_DATA_DEVICE_ENTER, "uouuo", 1, SURFACE, 2, 3,
		  SERVER);
	from_host(c, DEVICE, EV_WL_DATA_DEVICE_MOTION, "uuu", 1, 2, 3);
	from_host(c, DEVICE, EV_WL_DATA_DEVICE_DROP, "");
	from_host(c, DEVICE, EV_WL_DATA_DEVICE_LEAVE, "");
	tap_str(to_guest(c),
		may_enter ? "11.0(S0) S0.0(text/secret) S0.1(3) "
			    "11.1(1,13,2,3,S0) 11.3(1,2,3) 11.4() 11.2()"
			  : "",
		may_enter ? "what others drag comes in"
			  : "nothing is heard of what others drag");
	from_host(c, DEVICE, EV_WL_DATA_DEVICE_ENTER, "uouuo", 1, SURFACE, 2, 3,
		  0);
	from_host(c, DEVICE, EV_WL_DATA_DEVICE_LEAVE, "");
	tap_str(to_guest(c), "11.1(1,13,2,3,0) 11.2()",
		"one of its own without data is as ever");
	printf("# that was with %s\n", words[way]);
	script_end(&s);
}

int main(void)
{
	both();
	off();
	inside();
	out();
	in();
	in_late();
	drags(WAYLAND_CLIPBOARD_OFF, false, false);
	drags(WAYLAND_CLIPBOARD_IN, false, true);
	drags(WAYLAND_CLIPBOARD_OUT, true, false);
	drags(WAYLAND_CLIPBOARD_BOTH, true, true);
	return tap_done();
}
