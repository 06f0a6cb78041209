/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the filter passes, leaves out and changes: globals, ids, marks,
 * descriptors.
 */
#include "tap.h"
#include "wayland-script.h"

#include "mark.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct script s;

static void globals(void)
{
	struct client *c = script_bare(&s);

	from_guest(c, DISPLAY, RQ_WL_DISPLAY_GET_REGISTRY, "n", REGISTRY);
	tap_str(to_host(c), "1.1(2)", "the registry is asked for");
	from_host(c, REGISTRY, EV_WL_REGISTRY_GLOBAL, "usu", 1, "wl_output", 4);
	tap_str(to_guest(c), "2.0(1,wl_output,2)",
		"a global is offered with the policy's version");
	from_host(c, REGISTRY, EV_WL_REGISTRY_GLOBAL, "usu", 2, "wl_seat", 5);
	tap_str(to_guest(c), "2.0(2,wl_seat,5)", "or with the compositor's");
	from_host(c, REGISTRY, EV_WL_REGISTRY_GLOBAL, "usu", 3,
		  "zwlr_screencopy_manager_v1", 3);
	from_host(c, REGISTRY, EV_WL_REGISTRY_GLOBAL, "usu", 4, "wp_viewporter",
		  1);
	from_host(c, REGISTRY, EV_WL_REGISTRY_GLOBAL, "usu", 5, "wl_sea", 1);
	tap_str(to_guest(c), "", "what the policy does not name is not");
	from_host(c, REGISTRY, EV_WL_REGISTRY_GLOBAL_REMOVE, "u", 3);
	tap_str(to_guest(c), "", "nor is its end");
	from_host(c, REGISTRY, EV_WL_REGISTRY_GLOBAL_REMOVE, "u", 1);
	tap_str(to_guest(c), "2.1(1)", "but that of one that was");
	from_guest(c, REGISTRY, RQ_WL_REGISTRY_BIND, "usun", 1, "wl_output", 2,
		   3);
	tap_str(to_host(c), "2.0(1,wl_output,2,3)",
		"a bind that was under way is the compositor's business");
	tap_ok(s.filter.n_seen == 5 && s.filter.seen[2].offered == 0 &&
		       s.filter.seen[2].theirs == 3,
	       "the list for people has both");
	client_free(c);
}

/* Screens that come and go for as long as the client lives. */
static void globals_removed(void)
{
	enum { FIRST = 100, LAST = 999 };
	struct client *c = script_client(&s);

	for (uint32_t name = FIRST; name < LAST; name++) {
		from_host(c, REGISTRY, EV_WL_REGISTRY_GLOBAL, "usu", name,
			  "wl_output", 4);
		from_host(c, REGISTRY, EV_WL_REGISTRY_GLOBAL_REMOVE, "u", name);
		to_guest(c);
	}
	from_host(c, REGISTRY, EV_WL_REGISTRY_GLOBAL, "usu", LAST, "wl_output",
		  4);
	tap_str(to_guest(c), "2.0(999,wl_output,2)",
		"after many globals that were removed a new one is there");
	from_guest(c, REGISTRY, RQ_WL_REGISTRY_BIND, "usun", LAST - 1,
		   "wl_output", 2, NEXT);
	from_guest(c, REGISTRY, RQ_WL_REGISTRY_BIND, "usun", G_SHM, "wl_shm", 1,
		   NEXT + 1);
	tap_ok(!c->over, "the last that were removed may be bound still, "
			 "and the first that were not");
	client_free(c);
}

static void lives(void)
{
	struct client *c = script_client(&s);

	from_guest(c, DISPLAY, RQ_WL_DISPLAY_SYNC, "n", NEXT);
	from_host(c, NEXT, EV_WL_CALLBACK_DONE, "u", 7);
	from_host(c, DISPLAY, EV_WL_DISPLAY_DELETE_ID, "u", NEXT);
	tap_str(to_guest(c), "14.0() 1.1(14)",
		"events of an object, and its end, pass");
	from_guest(c, DISPLAY, RQ_WL_DISPLAY_SYNC, "n", NEXT);
	tap_ok(!c->over, "then its id is free again");
	from_guest(c, SURFACE, RQ_WL_SURFACE_DESTROY, "");
	from_host(c, SURFACE, EV_WL_SURFACE_ENTER, "o", 0);
	tap_str(to_guest(c), "13.0(0)", "events to a dying object pass");
	from_host(c, DISPLAY, EV_WL_DISPLAY_DELETE_ID, "u", SURFACE);
	from_guest(c, SHM, RQ_WL_SHM_CREATE_POOL, "nhu", SURFACE,
		   memory_file(4096, true), 4096);
	tap_ok(!c->over && objects_live(&c->objects, SURFACE, IF_WL_SHM_POOL),
	       "a freed id may become another thing");
	to_guest(c);
	from_host(c, DISPLAY, EV_WL_DISPLAY_ERROR, "ous", SURFACE, 2, "no");
	to_guest(c);
	tap_ok(!c->over, "an error of the compositor passes");
	client_free(c);
}

/* A tablet: objects that the compositor makes, which refer to each other. */
static void server_ids(void)
{
	struct client *c = script_client(&s);

	from_guest(c, TABLET, RQ_ZWP_TABLET_MANAGER_V2_GET_TABLET_SEAT, "no",
		   NEXT, SEAT);
	to_host(c);
	from_host(c, NEXT, EV_ZWP_TABLET_SEAT_V2_TABLET_ADDED, "n", SERVER);
	from_host(c, NEXT, EV_ZWP_TABLET_SEAT_V2_TOOL_ADDED, "n", SERVER + 1);
	tap_str(to_guest(c), "14.0(S0) 14.1(S1)", "server objects are known");
	from_guest(c, SERVER, RQ_ZWP_TABLET_V2_DESTROY, "");
	from_host(c, SERVER, EV_ZWP_TABLET_V2_REMOVED, "");
	tap_str(to_guest(c), "", "events that crossed their end are left out");
	from_host(c, NEXT, EV_ZWP_TABLET_SEAT_V2_TABLET_ADDED, "n", SERVER + 2);
	tap_str(to_guest(c), "14.0(S0)",
		"the client's number is the lowest that is free");
	from_host(c, SERVER + 1, EV_ZWP_TABLET_TOOL_V2_PROXIMITY_IN, "uoo", 5,
		  SERVER + 2, SURFACE);
	tap_str(to_guest(c), "S1.6(5,S0,13)", "and in arguments as well");
	from_guest(c, SERVER, RQ_ZWP_TABLET_V2_DESTROY, "");
	tap_ok(wire_u32(c->host.out + c->host.at) == SERVER ||
		       link_waiting(&c->host) > 0,
	       "requests pass with the compositor's number");
	tap_ok(wire_u32(c->host.out + c->host.len - 8) == SERVER + 2,
	       "which is another one");
	from_host(c, SERVER + 1, EV_ZWP_TABLET_TOOL_V2_PROXIMITY_IN, "uoo", 5,
		  SERVER + 2, SURFACE);
	tap_str(to_guest(c), "",
		"an event that needs one that is gone is left out");
	client_free(c);
}

static void fds(void)
{
	struct client *c = script_client(&s);

	from_host(c, KEYBOARD, EV_WL_KEYBOARD_KEYMAP, "uhu", 1,
		  memory_file(10, true), 10);
	tap_str(to_guest(c), "10.0(1,<fd>,10)", "a descriptor passes");
	tap_ok(seen_fd() >= 0 && lseek(seen_fd(), 0, SEEK_END) == 10,
	       "and is the same file");
	for (int i = 0; i < 100; i++)
		from_host(c, KEYBOARD, EV_WL_KEYBOARD_KEYMAP, "uhu", 1,
			  memory_file(1, true), 1);
	tap_ok(!c->over && c->guest.n_fds == 100 &&
		       link_is_full(&c->guest, CLIENT_TO_GUEST_HIGH),
	       "many that wait stop the other side");
	to_guest(c);
	client_free(c);
}

static void marks(void)
{
	struct client *c = script_client(&s);

	from_guest(c, WM, RQ_XDG_WM_BASE_GET_XDG_SURFACE, "no", NEXT, SURFACE);
	to_host(c);
	from_guest(c, NEXT, RQ_XDG_SURFACE_GET_TOPLEVEL, "n", NEXT + 1);
	tap_str(to_host(c), "14.1(15) 15.3(vmrun.web.unnamed) 15.2([web] )",
		"a window is marked as it is made");
	from_guest(c, NEXT + 1, RQ_XDG_TOPLEVEL_SET_APP_ID, "s", "foot");
	from_guest(c, NEXT + 1, RQ_XDG_TOPLEVEL_SET_TITLE, "s", "a \x1b[1mb");
	tap_str(to_host(c), "15.3(vmrun.web.foot) 15.2([web] a [1mb)",
		"what the application says comes after the mark");
	from_guest(c, NEXT + 1, RQ_XDG_TOPLEVEL_SET_APP_ID, "s", "");
	tap_str(to_host(c), "15.3(vmrun.web.unnamed)",
		"nothing does not take it away");
	client_free(c);
}

/* Who draws the title bar is not the guest's to say: the compositor does. */
static void decorations(void)
{
	enum { XDG = NEXT, KDE, SHELL, TOP, DECORATION, OLD };
	struct client *c = script_client(&s);

	from_host(c, REGISTRY, EV_WL_REGISTRY_GLOBAL, "usu", 50,
		  "zxdg_decoration_manager_v1", 1);
	from_host(c, REGISTRY, EV_WL_REGISTRY_GLOBAL, "usu", 51,
		  "org_kde_kwin_server_decoration_manager", 1);
	from_guest(c, REGISTRY, RQ_WL_REGISTRY_BIND, "usun", 50,
		   "zxdg_decoration_manager_v1", 1, XDG);
	from_guest(c, REGISTRY, RQ_WL_REGISTRY_BIND, "usun", 51,
		   "org_kde_kwin_server_decoration_manager", 1, KDE);
	from_guest(c, WM, RQ_XDG_WM_BASE_GET_XDG_SURFACE, "no", SHELL, SURFACE);
	from_guest(c, SHELL, RQ_XDG_SURFACE_GET_TOPLEVEL, "n", TOP);
	from_guest(c, XDG,
		   RQ_ZXDG_DECORATION_MANAGER_V1_GET_TOPLEVEL_DECORATION, "no",
		   DECORATION, TOP);
	from_guest(c, KDE, RQ_ORG_KDE_KWIN_SERVER_DECORATION_MANAGER_CREATE,
		   "no", OLD, SURFACE);
	to_host(c);
	to_guest(c);
	for (uint32_t mode = 0; mode < 4; mode++) {
		from_guest(c, DECORATION,
			   RQ_ZXDG_TOPLEVEL_DECORATION_V1_SET_MODE, "u", mode);
		from_guest(c, OLD,
			   RQ_ORG_KDE_KWIN_SERVER_DECORATION_REQUEST_MODE, "u",
			   mode);
		tap_str(to_host(c), "18.1(2) 19.1(2)",
			"a window without a title bar of the compositor's");
	}
	from_guest(c, DECORATION, RQ_ZXDG_TOPLEVEL_DECORATION_V1_UNSET_MODE,
		   "");
	tap_str(to_host(c), "18.1(2)", "nor is it left to it");
	from_host(c, DECORATION, EV_ZXDG_TOPLEVEL_DECORATION_V1_CONFIGURE, "u",
		  2);
	from_host(c, OLD, EV_ORG_KDE_KWIN_SERVER_DECORATION_MODE, "u", 2);
	tap_str(to_guest(c), "18.0(2) 19.0(2)", "the client hears what it got");
	from_guest(c, DECORATION, RQ_ZXDG_TOPLEVEL_DECORATION_V1_DESTROY, "");
	from_guest(c, OLD, RQ_ORG_KDE_KWIN_SERVER_DECORATION_RELEASE, "");
	tap_str(to_host(c), "18.0() 19.0()", "and may let go of it");
	client_free(c);
}

static void one_title(const char *in, size_t n, const char *want,
		      const char *what)
{
	char out[MARK_ROOM];

	mark_title(out, "web", in, n);
	tap_str(out, want, what);
}

static void texts(void)
{
	char out[MARK_ROOM], much[1000];

	one_title("a\nb\tc\x7f", 6, "[web] abc", "controls are left out");
	one_title("\xc2\x85x\xc2\x9f", 5, "[web] x", "those of C1 too");
	/* NOLINTNEXTLINE(misc-misleading-bidirectional): that is the point */
	one_title("\xe2\x80\xae[root]\xe2\x81\xa6", 12, "[web] [root]",
		  "directions too");
	one_title("\xd8\x9c\xe2\x80\x8f\xe2\x80\xa8\xf3\xa0\x80\xa0", 12,
		  "[web] ", "marks, lines and tags too");
	one_title("\xc0\xaf\xed\xa0\x80\xff\xf4\x90\x80\x80\xe2\x82", 12,
		  "[web] ", "what is no UTF-8 too");
	one_title("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\xa6\x80", 15,
		  "[web] gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\xa6\x80",
		  "letters stay");
	memset(much, 'x', sizeof(much));
	mark_title(out, "42", "\xd7\x90", 2);
	tap_str(out, "\xe2\x80\x8e[42] \xd7\x90",
		"of a name without letters a title does not decide the side");
	mark_title(out, "4_b", "x", 1);
	tap_str(out, "[4_b] x", "one with a letter decides it itself");
	tap_ok(mark_title(out, "web", much, sizeof(much)) == 6 + MARK_TITLE_MAX,
	       "a title is cut");
	tap_ok(mark_app_id(out, "web", much, sizeof(much)) ==
		       10 + MARK_APP_ID_MAX,
	       "an id too");
	for (size_t i = 1; i < sizeof(much); i++)
		much[i] = i % 2 ? '\xc3' : '\xbc';
	mark_title(out, "web", much, 999);
	tap_ok((strlen(out) - 6) % 2 == 1, "between two letters");
}

/* No object that a compositor makes has events with descriptors: event.c drops
 * events to those that are gone without knowing what they were. */
static void tables(void)
{
	const char *bad = NULL;

	for (size_t i = 0; i < PROTOCOL_INTERFACES; i++)
		for (size_t m = 0; m < protocol[i].n_events; m++) {
			const struct protocol_message *p =
				&protocol[i].events[m];

			for (size_t k = 0; p->types[k]; k++) {
				const struct protocol_interface *of;

				if (p->types[k] != 'n')
					continue;
				of = &protocol[p->interfaces[k]];
				for (size_t e = 0; e < of->n_events; e++)
					if (of->events[e].fds)
						bad = of->name;
			}
		}
	tap_str(bad, NULL, "no server object has events with descriptors");
	for (size_t i = 0; i < PROTOCOL_INTERFACES; i++)
		for (size_t m = 0; m < protocol[i].n_events; m++)
			if (strchr(protocol[i].events[m].types, 'n') &&
			    strchr(protocol[i].events[m].types, 'o'))
				bad = protocol[i].name;
	tap_str(bad, NULL, "what makes an object is never left out");
	tap_ok(protocol_find("wl_seat", 7) == IF_WL_SEAT &&
		       protocol_find("wl_seat", 6) == PROTOCOL_ANY &&
		       protocol_find("wl_seat_", 8) == PROTOCOL_ANY,
	       "interfaces are found by their whole name");
	tap_ok(protocol[IF_WL_SURFACE]
			       .requests[RQ_WL_SURFACE_DESTROY]
			       .destructor &&
		       !protocol[IF_WL_SURFACE]
				.requests[RQ_WL_SURFACE_COMMIT]
				.destructor,
	       "destructors are known");
}

/* Bounds: what one client may cost. */
static void bounds(void)
{
	struct client *c = script_client(&s), *d;
	unsigned n = 0;

	while (!link_is_full(&c->guest, CLIENT_TO_GUEST_HIGH) && !c->over) {
		from_host(c, SURFACE, EV_WL_SURFACE_ENTER, "o", 0);
		n++;
	}
	tap_ok(!c->over && n * 12 > CLIENT_TO_GUEST_HIGH,
	       "a client that does not read stops the compositor's side");
	for (; n < 200000 && !c->over; n++)
		from_host(c, SURFACE, EV_WL_SURFACE_ENTER, "o", 0);
	tap_ok(c->over && c->guest.cap <= CLIENT_TO_GUEST_MAX,
	       "and never costs more than its maximum");
	client_free(c);
	for (n = 0; n < 3; n++)
		script_bare(&s);
	d = script_bare(&s);
	tap_ok(d && !script_bare(&s), "no more clients than the policy says");
	c = d;
	if (!d)
		return;
	from_guest(c, DISPLAY, RQ_WL_DISPLAY_GET_REGISTRY, "n", 2);
	for (n = 3; n < 100000 && !c->over; n++) {
		from_guest(c, DISPLAY, RQ_WL_DISPLAY_SYNC, "n", n);
		to_host(c);
	}
	tap_ok(c->over && n <= OBJECTS_MAX + 1, "objects have an end");
}

/* How many messages a text of to_host() is. */
static unsigned messages(const char *text)
{
	unsigned n = 0;

	for (; *text; text++)
		n += *text == '(';
	return n;
}

/* What would cost the compositor far more than the client. */
static void rectangles(void)
{
	enum { REGION = NEXT };
	struct client *c = script_client(&s);
	const char *text;

	from_guest(c, COMPOSITOR, RQ_WL_COMPOSITOR_CREATE_REGION, "n", REGION);
	for (uint32_t i = 0; i < CLIENT_RECTS_MAX - 1; i++)
		from_guest(c, REGION,
			   i % 2 ? RQ_WL_REGION_SUBTRACT : RQ_WL_REGION_ADD,
			   "uuuu", i, i, 1, 1);
	text = to_host(c);
	tap_ok(messages(text) == CLIENT_RECTS_MAX &&
		       strstr(text, "14.2(125,125,1,1) 14.1(126,126,1,1)"),
	       "rectangles of a region pass");
	from_guest(c, REGION, RQ_WL_REGION_SUBTRACT, "uuuu", 7, 7, 7, 7);
	tap_str(to_host(c), "14.1(0,0,2147483647,2147483647)",
		"many are all of the surface");
	for (uint32_t i = 0; i < 1000; i++)
		from_guest(c, REGION, RQ_WL_REGION_ADD, "uuuu", i, 0, 1, 9);
	tap_str(to_host(c), "", "and no more than that");
	from_guest(c, REGION, RQ_WL_REGION_DESTROY, "");
	from_host(c, DISPLAY, EV_WL_DISPLAY_DELETE_ID, "u", REGION);
	from_guest(c, COMPOSITOR, RQ_WL_COMPOSITOR_CREATE_REGION, "n", REGION);
	from_guest(c, REGION, RQ_WL_REGION_ADD, "uuuu", 1, 2, 3, 4);
	tap_str(to_host(c), "14.0() 3.1(14) 14.1(1,2,3,4)",
		"another region begins anew");
	client_free(c);
}

static void damages(void)
{
	struct client *c = script_client(&s);
	const char *text;

	for (uint32_t i = 0; i < CLIENT_RECTS_MAX - 1; i++)
		from_guest(c, SURFACE,
			   i % 2 ? RQ_WL_SURFACE_DAMAGE
				 : RQ_WL_SURFACE_DAMAGE_BUFFER,
			   "uuuu", i, i, 1, 1);
	text = to_host(c);
	tap_ok(messages(text) == CLIENT_RECTS_MAX - 1 &&
		       strstr(text, "13.2(125,125,1,1) 13.9(126,126,1,1)"),
	       "damage passes");
	for (uint32_t i = 0; i < 1000; i++)
		from_guest(c, SURFACE, RQ_WL_SURFACE_DAMAGE_BUFFER, "uuuu", i,
			   0, 1, 9);
	from_guest(c, SURFACE, RQ_WL_SURFACE_COMMIT, "");
	tap_str(to_host(c), "13.2(0,0,2147483647,2147483647) 13.6()",
		"too much of it is all of the surface");
	from_guest(c, SURFACE, RQ_WL_SURFACE_DAMAGE, "uuuu", 1, 2, 3, 4);
	tap_str(to_host(c), "13.2(1,2,3,4)", "until it is committed");
	client_free(c);
}

/* Opened and closed for as long as it lives. */
static void windows(void)
{
	struct client *c = script_client(&s);

	for (unsigned i = 0; i < 2 * CLIENT_WINDOWS_MAX && !c->over; i++) {
		from_guest(c, WM, RQ_XDG_WM_BASE_GET_XDG_SURFACE, "no", NEXT,
			   SURFACE);
		from_guest(c, NEXT, RQ_XDG_SURFACE_GET_TOPLEVEL, "n", NEXT + 1);
		from_guest(c, NEXT + 1, RQ_XDG_TOPLEVEL_DESTROY, "");
		from_guest(c, NEXT, RQ_XDG_SURFACE_DESTROY, "");
		from_host(c, DISPLAY, EV_WL_DISPLAY_DELETE_ID, "u", NEXT + 1);
		from_host(c, DISPLAY, EV_WL_DISPLAY_DELETE_ID, "u", NEXT);
		to_host(c);
		to_guest(c);
	}
	tap_ok(!c->over && !c->windows,
	       "windows that are closed count no more");
	client_free(c);
}

int main(void)
{
	script_start(&s, WAYLAND_CLIPBOARD_BOTH);
	globals();
	globals_removed();
	lives();
	server_ids();
	fds();
	marks();
	decorations();
	texts();
	tables();
	rectangles();
	damages();
	windows();
	bounds();
	script_end(&s);
	return tap_done();
}
