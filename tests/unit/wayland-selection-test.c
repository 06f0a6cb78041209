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

/* Each case of copying runs for both. */
static const struct kind {
	const char *name;
	uint32_t manager, device;
	unsigned create, type, destroy, set;	    /* requests */
	unsigned data_offer, selection, send, gone; /* events */
	unsigned receive, refuse;		    /* requests of offers */
} kinds[] = {
	{
		.name = "clipboard",
		.manager = DATA,
		.device = DEVICE,
		.create = RQ_WL_DATA_DEVICE_MANAGER_CREATE_DATA_SOURCE,
		.type = RQ_WL_DATA_SOURCE_OFFER,
		.destroy = RQ_WL_DATA_SOURCE_DESTROY,
		.set = RQ_WL_DATA_DEVICE_SET_SELECTION,
		.data_offer = EV_WL_DATA_DEVICE_DATA_OFFER,
		.selection = EV_WL_DATA_DEVICE_SELECTION,
		.send = EV_WL_DATA_SOURCE_SEND,
		.gone = EV_WL_DATA_SOURCE_CANCELLED,
		.receive = RQ_WL_DATA_OFFER_RECEIVE,
		.refuse = RQ_WL_DATA_OFFER_DESTROY,
	},
	{
		.name = "primary",
		.manager = PRIMARY,
		.device = PRIMARY_DEVICE,
		.create =
			RQ_ZWP_PRIMARY_SELECTION_DEVICE_MANAGER_V1_CREATE_SOURCE,
		.type = RQ_ZWP_PRIMARY_SELECTION_SOURCE_V1_OFFER,
		.destroy = RQ_ZWP_PRIMARY_SELECTION_SOURCE_V1_DESTROY,
		.set = RQ_ZWP_PRIMARY_SELECTION_DEVICE_V1_SET_SELECTION,
		.data_offer = EV_ZWP_PRIMARY_SELECTION_DEVICE_V1_DATA_OFFER,
		.selection = EV_ZWP_PRIMARY_SELECTION_DEVICE_V1_SELECTION,
		.send = EV_ZWP_PRIMARY_SELECTION_SOURCE_V1_SEND,
		.gone = EV_ZWP_PRIMARY_SELECTION_SOURCE_V1_CANCELLED,
		.receive = RQ_ZWP_PRIMARY_SELECTION_OFFER_V1_RECEIVE,
		.refuse = RQ_ZWP_PRIMARY_SELECTION_OFFER_V1_DESTROY,
	},
};
static const struct kind *kind = kinds;

/* Writes the message that a word stands for; 0: it is no such word. */
static int word(FILE *f, const char *at, size_t n)
{
	const struct {
		const char *text;
		uint32_t id;
		unsigned opcode;
	} words[] = {
		{"set", kind->device, kind->set},
		{"data_offer", kind->device, kind->data_offer},
		{"selection", kind->device, kind->selection},
		{"send", NEXT, kind->send},
		{"cancelled", NEXT, kind->gone},
		{"receive", SERVER, kind->receive},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i].text) == n &&
		    !strncmp(words[i].text, at, n))
			return fprintf(f, "%s%u.%u",
				       words[i].id < SERVER ? "" : "S",
				       words[i].id % SERVER, words[i].opcode);
	return 0;
}

/* As tap_str(); with names instead of numbers where kinds differ. */
static void says(const char *got, const char *want, const char *what)
{
	char full[512] = "", line[256];
	FILE *f = fmemopen(full, sizeof(full) - 1, "w");

	while (*want) {
		size_t n = strcspn(want, "(");

		if (!word(f, want, n))
			fwrite(want, 1, n, f);
		want += n;
		n = strcspn(want, " ");
		n += want[n] == ' ';
		fwrite(want, 1, n, f);
		want += n;
	}
	fclose(f);
	snprintf(line, sizeof(line), "%s, %s", kind->name, what);
	tap_str(got, full, line);
}

/* The guest has a source with one type; what is said of that. */
static const char *source(struct client *c, uint32_t id)
{
	from_guest(c, kind->manager, kind->create, "n", id);
	to_host(c);
	from_guest(c, id, kind->type, "s", "text/plain");
	return to_host(c);
}

/* It copies. */
static void copy(struct client *c, uint32_t id)
{
	source(c, id);
	from_guest(c, kind->device, kind->set, "ou", id, 9);
}

/* The compositor tells of somebody else's selection, as `theirs`. */
static void offer(struct client *c, uint32_t theirs)
{
	from_host(c, kind->device, kind->data_offer, "n", theirs);
	from_host(c, theirs, 0, "s", "text/secret"); /* of both kinds */
	from_host(c, kind->device, kind->selection, "o", theirs);
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
	says(to_host(c), "set(14,9)", "both: what is copied goes out");
	offer(c, SERVER);
	says(to_guest(c), "data_offer(S0) S0.0(text/secret) selection(S0)",
	     "both: what others copied comes in");
	script_end(&s);
}

static void off(void)
{
	struct client *c;

	script_start(&s, WAYLAND_CLIPBOARD_OFF);
	c = script_client(&s);
	says(source(c, NEXT), "", "off: of what is copied no type goes out");
	from_guest(c, kind->device, kind->set, "ou", NEXT, 9);
	says(to_host(c), "", "off: nor does it go itself");
	to_guest(c);
	offer(c, SERVER);
	to_guest(c);
	from_guest(c, NEXT, kind->destroy, "");
	to_guest(c);
	to_host(c);
	offer(c, SERVER);
	says(to_guest(c), "selection(0)", "off: others' is an empty one");
	tap_ok(wire_u32(c->host.out + c->host.at) == SERVER &&
		       wire_u32(c->host.out + c->host.at + 4) ==
			       (8u << 16 | kind->refuse),
	       "off: and is refused in its name");
	for (uint32_t i = 0; i < 100; i++)
		from_host(c, kind->device, kind->data_offer, "n",
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
	says(to_guest(a), "data_offer(S0) S0.0(text/plain) selection(S0)",
	     "inside: who copies is told of it, as by a compositor");
	says(to_guest(b), "", "inside: who has no keyboard is not");
	keyboard(a, false);
	from_host(b, kind->device, kind->selection, "o", 0);
	says(to_guest(b), "data_offer(S0) S0.0(text/plain) selection(S0)",
	     "inside: another one is when the keyboard comes");
	from_guest(b, SERVER, kind->receive, "sh", "text/plain",
		   pipe_end(&reader));
	says(to_host(b), "", "inside: its paste does not reach the desktop");
	says(to_guest(a), "send(text/plain,<fd>)",
	     "inside: but who copied, with the pipe");
	tap_ok(write(seen_fd(), "hi", 2) == 2, "inside: the pipe is written");
	close(reader);
	from_guest(b, SERVER, kind->receive, "sh", "text/html",
		   pipe_end(&reader));
	says(to_guest(a), "", "inside: not for a type that is not offered");
	tap_ok(read(reader, &reader, 1) == 0, "inside: that pipe is closed");
	copy(b, NEXT);
	says(to_guest(a), "cancelled()",
	     "inside: the next copy cancels the last");
	to_guest(b);
	from_guest(b, SERVER, kind->receive, "sh", "text/plain",
		   pipe_end(&reader));
	tap_ok(!link_waiting(&a->guest) && !link_waiting(&b->guest),
	       "inside: an offer of the last is worth nothing");
	keyboard(a, true);
	client_free(b);
	says(to_guest(a), "selection(0)", "inside: it ends with its client");
	script_end(&s);
}

static void out(void)
{
	struct client *a, *b;

	script_start(&s, WAYLAND_CLIPBOARD_OUT);
	a = script_client(&s);
	b = script_client(&s);
	copy(a, NEXT);
	says(to_host(a), "set(14,9)", "out: what is copied goes out");
	offer(b, SERVER);
	says(to_guest(b), "data_offer(S0) S0.0(text/plain) selection(S0)",
	     "out: others in the VM see the VM's, not the compositor's");
	keyboard(b, true);
	from_host(a, NEXT, kind->gone, "");
	says(to_guest(b), "selection(0)",
	     "out: when somebody else copies it is empty");
	script_end(&s);
}

static void in(void)
{
	struct client *a, *b;
	int reader;

	script_start(&s, WAYLAND_CLIPBOARD_IN);
	a = script_client(&s);
	b = script_client(&s);
	offer(a, SERVER);
	says(to_guest(a), "data_offer(S0) S0.0(text/secret) selection(S0)",
	     "in: what others copied comes in");
	from_guest(a, SERVER, kind->receive, "sh", "text/secret",
		   pipe_end(&reader));
	says(to_host(a), "receive(text/secret,<fd>)", "in: and is asked for");
	close(reader);
	keyboard(a, true);
	copy(a, NEXT);
	says(to_host(a), "", "in: what is copied stays here");
	to_guest(a);
	s.filter.now_ms = 5000;
	keyboard(a, false);
	s.filter.now_ms += 20;
	offer(b, SERVER);
	says(to_guest(b), "data_offer(S0) S0.0(text/plain) selection(S0)",
	     "in: from window to window of the VM its own is newer");
	keyboard(b, true);
	keyboard(b, false);
	s.filter.now_ms += 2000;
	offer(b, SERVER + 1);
	says(to_guest(b), "data_offer(S1) S1.0(text/secret) selection(S1)",
	     "in: from outside of the VM the other one is");
	says(to_guest(a), "cancelled()", "in: and the VM's own is over");
	keyboard(a, true);
	copy(b, NEXT);
	to_guest(a);
	s.filter.now_ms += 2000;
	offer(a, SERVER + 1);
	says(to_guest(a), "data_offer(S3) S3.0(text/secret) selection(S3)",
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
	says(to_guest(a), "10.1(1,13,0)",
	     "in: nothing is said of a selection before the compositor "
	     "does");
	offer(a, SERVER);
	says(to_guest(a), "data_offer(S0) S0.0(text/secret) selection(S0)",
	     "in: which may do so after the keyboard came");
	s.filter.now_ms += 2000;
	copy(a, NEXT);
	to_guest(a);
	keyboard(b, true); /* the two sockets are read in any order */
	offer(b, SERVER);
	says(to_guest(b), "data_offer(S1) S1.0(text/plain) selection(S1)",
	     "in: from window to window the VM's own is newer then too");
	keyboard(a, false);
	keyboard(b, false);
	s.filter.now_ms += 2000;
	keyboard(b, true);
	offer(b, SERVER + 1);
	says(to_guest(b), "data_offer(S2) S2.0(text/secret) selection(S2)",
	     "in: and from outside the other one");
	script_end(&s);
}

/* What others copied after a client has let go of its keyboard. */
static void in_released(void)
{
	struct client *a, *b, *late;

	script_start(&s, WAYLAND_CLIPBOARD_IN);
	s.filter.now_ms = 5000;
	a = script_client(&s);
	b = script_client(&s);
	late = script_client(&s);
	keyboard(a, true);
	copy(a, NEXT);
	from_guest(a, KEYBOARD, RQ_WL_KEYBOARD_RELEASE, "");
	from_guest(late, KEYBOARD, RQ_WL_KEYBOARD_RELEASE, "");
	keyboard(late, true); /* was under way */
	s.filter.now_ms += 2000;
	offer(b, SERVER);
	says(to_guest(b), "data_offer(S0) S0.0(text/secret) selection(S0)",
	     "in: a keyboard that is released is not here any more");
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
		may_leave ? "a drag goes out"
			  : "one that nobody could be given is not begun");
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

/* A source with two types that the guest drags; the mark that it gets. */
static void begin_drag(struct client *c, uint32_t source, bool out)
{
	static const char mark[] = "application/x-vmrun-drag-"
				   "00000000000000070000000000000009-1";
	char want[256];

	from_guest(c, DATA, RQ_WL_DATA_DEVICE_MANAGER_CREATE_DATA_SOURCE, "n",
		   source);
	to_host(c);
	from_guest(c, source, RQ_WL_DATA_SOURCE_OFFER, "s", "text/plain");
	from_guest(c, source, RQ_WL_DATA_SOURCE_OFFER, "s", "text/html");
	tap_str(to_host(c), out ? "14.0(text/plain) 14.0(text/html)" : "",
		out ? "the types of what is dragged go out"
		    : "the types of what is dragged stay here");
	from_guest(c, DEVICE, RQ_WL_DATA_DEVICE_START_DRAG, "ooou", source,
		   SURFACE, 0, 5);
	snprintf(want, sizeof(want), "14.0(%s) 11.0(14,13,0,5)", mark);
	tap_str(to_host(c), want, "the compositor has the drag, and its mark");
	tap_str(to_guest(c), "", "and it goes on");
}

/* The compositor has something over c's window, with these types. */
static void drag_over(struct client *c, uint32_t theirs, bool types,
		      const char *mark)
{
	from_host(c, DEVICE, EV_WL_DATA_DEVICE_DATA_OFFER, "n", theirs);
	if (types)
		from_host(c, theirs, EV_WL_DATA_OFFER_OFFER, "s", "text/plain");
	from_host(c, theirs, EV_WL_DATA_OFFER_OFFER, "s", mark);
	from_host(c, theirs, EV_WL_DATA_OFFER_SOURCE_ACTIONS, "u", 3);
	from_host(c, DEVICE, EV_WL_DATA_DEVICE_ENTER, "uouuo", 1, SURFACE, 2, 3,
		  theirs);
}

#define OF_SECRET(drag)                                                        \
	"application/x-vmrun-drag-00000000000000070000000000000009-" drag

/* From one client of the VM to another; nothing goes out. */
static void drag_inside(enum wayland_clipboard way)
{
	struct client *a, *b;
	int reader;

	script_start(&s, way);
	s.filter.secret[0] = 7;
	s.filter.secret[1] = 9;
	a = script_client(&s);
	b = script_client(&s);
	begin_drag(a, NEXT, false);
	from_host(a, NEXT, EV_WL_DATA_SOURCE_SEND, "sh", OF_SECRET("1"),
		  pipe_end(&reader));
	tap_str(to_guest(a), "", "who asks outside is not heard");
	tap_ok(read(reader, &reader, 1) == 0, "and reads nothing");
	from_host(a, NEXT, EV_WL_DATA_SOURCE_SEND, "sh", "text/plain", dup(1));
	tap_str(to_guest(a), "", "nor who guesses the type");
	drag_over(b, SERVER, false, OF_SECRET("1"));
	tap_str(to_guest(b),
		"11.0(S0) S0.0(text/plain) S0.0(text/html) S0.1(3) "
		"11.1(1,13,2,3,S0)",
		"another client of the VM sees what it is");
	from_guest(b, SERVER, RQ_WL_DATA_OFFER_ACCEPT, "us", 1, "text/html");
	tap_str(to_host(b), "S0.0(1," OF_SECRET("1") ")",
		"what it accepts goes out as the mark");
	from_host(a, NEXT, EV_WL_DATA_SOURCE_TARGET, "s", OF_SECRET("1"));
	tap_str(to_guest(a), "14.0(text/html)", "and comes back as it was");
	from_guest(b, SERVER, RQ_WL_DATA_OFFER_RECEIVE, "sh", "text/html",
		   pipe_end(&reader));
	tap_str(to_host(b), "", "what it asks for does not go out");
	tap_str(to_guest(a), "14.1(text/html,<fd>)",
		"but to who drags, with the pipe");
	tap_ok(write(seen_fd(), "hi", 2) == 2, "the pipe is written");
	close(reader);
	from_guest(b, SERVER, RQ_WL_DATA_OFFER_RECEIVE, "sh", "text/x",
		   pipe_end(&reader));
	tap_str(to_guest(a), "", "not for a type that is not there");
	tap_ok(read(reader, &reader, 1) == 0, "which reads nothing");
	from_guest(b, SERVER, RQ_WL_DATA_OFFER_ACCEPT, "us", 1, "text/x");
	tap_str(to_host(b), "S0.0(1,null)", "nor is it accepted");
	from_host(a, NEXT, EV_WL_DATA_SOURCE_TARGET, "S");
	tap_str(to_guest(a), "14.0(null)", "which who drags is told");
	from_host(b, DEVICE, EV_WL_DATA_DEVICE_DROP, "");
	tap_str(to_guest(b), "11.4()", "it is dropped");
	from_guest(b, SERVER, RQ_WL_DATA_OFFER_FINISH, "");
	tap_str(to_host(b), "S0.3()", "and finished");
	from_host(a, NEXT, EV_WL_DATA_SOURCE_DND_FINISHED, "");
	to_guest(a);
	from_guest(b, SERVER, RQ_WL_DATA_OFFER_RECEIVE, "sh", "text/html",
		   pipe_end(&reader));
	tap_ok(!link_waiting(&a->guest) && !link_waiting(&b->host),
	       "after that it is worth nothing");
	close(reader);
	script_end(&s);
}

/* Another program's drag, with the mark that it saw on one of the VM's. */
static void drag_foreign(struct client *c)
{
	int reader;

	from_host(c, DEVICE, EV_WL_DATA_DEVICE_DATA_OFFER, "n", SERVER);
	from_host(c, SERVER, EV_WL_DATA_OFFER_OFFER, "s", "text/secret");
	from_host(c, SERVER, EV_WL_DATA_OFFER_OFFER, "s", OF_SECRET("1"));
	from_host(c, DEVICE, EV_WL_DATA_DEVICE_ENTER, "uouuo", 1, SURFACE, 2, 3,
		  SERVER);
	tap_str(to_guest(c),
		"11.0(S0) S0.0(text/plain) S0.0(text/html) 11.1(1,13,2,3,S0)",
		"somebody else's with the mark shows the VM's own types");
	from_guest(c, SERVER, RQ_WL_DATA_OFFER_RECEIVE, "sh", "text/secret",
		   pipe_end(&reader));
	close(reader);
	from_guest(c, SERVER, RQ_WL_DATA_OFFER_RECEIVE, "sh", "text/plain",
		   pipe_end(&reader));
	tap_str(to_host(c), "", "and he is asked for nothing");
	tap_str(to_guest(c), "14.1(text/plain,<fd>)", "but the VM's own is");
	close(reader);
	from_guest(c, SERVER, RQ_WL_DATA_OFFER_DESTROY, "");
	to_host(c);
}

/* The mark lets in what the VM drags, and nothing else. */
static void drag_marks(void)
{
	struct client *c;
	int reader;

	script_start(&s, WAYLAND_CLIPBOARD_OUT);
	s.filter.secret[0] = 7;
	s.filter.secret[1] = 9;
	c = script_client(&s);
	begin_drag(c, NEXT, true);
	from_host(c, NEXT, EV_WL_DATA_SOURCE_SEND, "sh", OF_SECRET("1"),
		  dup(1));
	tap_str(to_guest(c), "", "the mark is no type that is sent");
	from_host(c, NEXT, EV_WL_DATA_SOURCE_TARGET, "s", OF_SECRET("1"));
	tap_str(to_guest(c), "", "nor is the guest told of it");
	drag_over(c, SERVER, true, OF_SECRET("1"));
	tap_str(to_guest(c),
		"11.0(S0) S0.0(text/plain) S0.0(text/html) S0.1(3) "
		"11.1(1,13,2,3,S0)",
		"out: its own drag comes back");
	from_guest(c, SERVER, RQ_WL_DATA_OFFER_ACCEPT, "us", 1, "text/html");
	tap_str(to_host(c), "S0.0(1," OF_SECRET("1") ")",
		"out: what is accepted of it");
	from_host(c, NEXT, EV_WL_DATA_SOURCE_TARGET, "s", OF_SECRET("1"));
	tap_str(to_guest(c), "14.0(text/html)", "out: it hears");
	from_host(c, NEXT, EV_WL_DATA_SOURCE_TARGET, "s", "text/plain");
	tap_str(to_guest(c), "14.0(text/plain)", "out: and what others accept");
	from_guest(c, SERVER, RQ_WL_DATA_OFFER_RECEIVE, "sh", "text/plain",
		   pipe_end(&reader));
	tap_str(to_host(c), "", "out: the compositor is not asked for it");
	tap_str(to_guest(c), "14.1(text/plain,<fd>)", "out: who drags is");
	close(reader);
	from_guest(c, SERVER, RQ_WL_DATA_OFFER_DESTROY, "");
	to_host(c);
	drag_foreign(c);
	drag_over(c, SERVER, true, "application/x-vmrun-drag-1");
	tap_str(to_guest(c), "", "a mark without the secret is none");
	drag_over(c, SERVER, true, OF_SECRET("2"));
	tap_str(to_guest(c), "", "nor one of no drag");
	from_host(c, NEXT, EV_WL_DATA_SOURCE_CANCELLED, "");
	to_guest(c);
	drag_over(c, SERVER, true, OF_SECRET("1"));
	tap_str(to_guest(c), "", "nor one of a drag that is over");
	script_end(&s);
}

int main(void)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		kind = &kinds[i];
		both();
		off();
		inside();
		out();
		in();
		in_late();
		in_released();
	}
	drags(WAYLAND_CLIPBOARD_OFF, false, false);
	drags(WAYLAND_CLIPBOARD_IN, false, true);
	drags(WAYLAND_CLIPBOARD_OUT, true, false);
	drags(WAYLAND_CLIPBOARD_BOTH, true, true);
	drag_inside(WAYLAND_CLIPBOARD_OFF);
	drag_inside(WAYLAND_CLIPBOARD_IN);
	drag_marks();
	return tap_done();
}
