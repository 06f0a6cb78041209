/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scripts for the filter; see wayland-script.h. */
#include "wayland-script.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct wayland_global globals[] = {
	{"wl_compositor", 5},
	{"wl_shm", 1},
	{"xdg_wm_base", 5},
	{"wl_seat", 8},
	{"wl_data_device_manager", 3},
	{"zwp_primary_selection_device_manager_v1", 1},
	{"zwp_tablet_manager_v2", 1},
	{"wl_output", 2},
	{"zxdg_decoration_manager_v1", 1},
	{"org_kde_kwin_server_decoration_manager", 1},
};

static void keep_log(void *ctx, enum log_level level, const char *text)
{
	struct script *s = ctx;

	(void)level;
	snprintf(s->log, sizeof(s->log), "%s", text);
	s->logs++;
}

void script_start(struct script *s, enum wayland_clipboard clipboard)
{
	static char name[] = "web";

	memset(s, 0, sizeof(*s));
	s->policy = (struct wayland_policy){
		.name = name,
		.clipboard = clipboard,
		.clients = 4,
		.pool = 1 << 20,
		.memory = 3 << 20,
		.copies = 2 << 20,
		.globals = globals,
		.n_globals = sizeof(globals) / sizeof(globals[0]),
	};
	filter_init(&s->filter, &s->policy, keep_log, s);
}

void script_end(struct script *s)
{
	filter_free(&s->filter);
}

static int held = -1;

static void drain(struct link *l)
{
	for (size_t i = 0; i < l->n_fds; i++)
		close(l->fds[i].fd);
	l->n_fds = 0;
	l->at = l->len = 0;
}

int seen_fd(void)
{
	return held;
}

bool turn(struct client *c)
{
	static unsigned char room[LINK_READ];
	size_t have;
	ssize_t used;

	if (c->over || !c->later)
		return false;
	have = link_again(&c->guest, room);
	used = client_from_guest(c, room, have);
	if (used >= 0)
		link_keep(&c->guest, room + used, have - (size_t)used);
	return true;
}

/* Feeds bytes as session.c would. */
static void feed(struct client *c, bool guest, const unsigned char *p, size_t n)
{
	static unsigned char room[LINK_READ];
	struct link *l = guest ? &c->guest : &c->host;
	const struct script *s = c->filter->ctx;
	size_t step = s->bytewise ? 1 : n;

	for (size_t at = 0; at < n && !c->over; at += step) {
		size_t have = l->n_rest;
		ssize_t used;

		if (have)
			memcpy(room, l->rest, have);
		l->n_rest = 0;
		memcpy(room + have, p + at, step);
		have += step;
		used = guest ? client_from_guest(c, room, have)
			     : client_from_host(c, room, have);
		if (used >= 0)
			link_keep(l, room + used, have - (size_t)used);
		while (guest && !s->waits && turn(c))
			;
	}
}

void raw_from_guest(struct client *c, const void *p, size_t n)
{
	feed(c, true, p, n);
}

static void vfrom(struct client *c, bool guest, uint32_t id, unsigned opcode,
		  const char *types, va_list ap)
{
	static unsigned char room[65536];
	struct link *l = guest ? &c->guest : &c->host;
	struct wire_build b;

	wire_begin(&b, room, sizeof(room), id, opcode);
	for (const char *t = types; *t; t++) {
		const char *text;

		switch (*t) {
		case 's':
			text = va_arg(ap, const char *);
			wire_put_text(&b, text, strlen(text));
			break;
		case 'S':
			wire_put(&b, 0);
			break;
		case 'h':
			l->in[l->n_in++] = va_arg(ap, int);
			break;
		default: /* a of no bytes too */
			wire_put(&b, va_arg(ap, uint32_t));
			break;
		}
	}
	feed(c, guest, room, wire_end(&b));
}

void from_guest(struct client *c, uint32_t id, unsigned opcode,
		const char *types, ...)
{
	va_list ap;

	va_start(ap, types);
	vfrom(c, true, id, opcode, types, ap);
	va_end(ap);
}

void from_host(struct client *c, uint32_t id, unsigned opcode,
	       const char *types, ...)
{
	va_list ap;

	va_start(ap, types);
	vfrom(c, false, id, opcode, types, ap);
	va_end(ap);
}

static void print(FILE *f, struct wire_message *m, const char *types)
{
	if (m->id >= SERVER)
		fprintf(f, "S%u.%u(", m->id - SERVER, m->opcode);
	else
		fprintf(f, "%u.%u(", m->id, m->opcode);
	for (unsigned i = 0; i < m->n_args; i++) {
		const struct wire_arg *a = &m->args[i];

		if (i)
			fputc(',', f);
		if (types[i] == 's' || types[i] == 'S')
			fputs(a->text ? a->text : "null", f);
		else if (types[i] == 'h')
			fputs("<fd>", f);
		else if (a->value >= SERVER)
			fprintf(f, "S%u", a->value - SERVER);
		else
			fprintf(f, "%d", (int)a->value);
	}
	fputs(") ", f);
}

/* The types by the message's shape: what the filter made is in the tables. */
static const char *shape(struct client *c, bool host, struct wire_message *m)
{
	uint32_t id = m->id;
	const struct object *o;
	static const struct protocol_message offers[] = {
		{"data_offer or selection", "o", NULL, 1, 0, false},
		{"offer", "s", NULL, 1, 0, false},
	};

	if (host && id >= SERVER) {
		uint32_t ours = objects_ours(&c->objects, id);

		/* what is destroyed is known no more */
		if (ours < SERVER)
			return "";
		id = ours;
	}
	o = objects_get(&c->objects, id);
	if (!o) {
		m->proto = &offers[1];
		return NULL;
	}
	m->proto = host ? &protocol[o->interface].requests[m->opcode]
			: &protocol[o->interface].events[m->opcode];
	return m->proto->types;
}

static const char *text_of(struct client *c, struct link *l, bool host)
{
	static char text[65536];
	FILE *f = fmemopen(text, sizeof(text), "w");
	size_t at = l->at;

	if (held >= 0)
		close(held);
	held = l->n_fds ? dup(l->fds[0].fd) : -1;
	while (at < l->len) {
		struct wire_message m;
		static const struct protocol_message none = {"", "", NULL,
							     1,	 0,  false};
		const char *types;

		if (wire_next(l->out + at, l->len - at, &m) != WIRE_ONE)
			abort();
		m.proto = &none;
		m.n_args = 0;
		types = shape(c, host, &m);
		if (types && *types && wire_args(&m) < 0)
			abort();
		print(f, &m, types ? types : "");
		at += m.size;
	}
	fputc('\0', f);
	fclose(f);
	if (*text)
		text[strlen(text) - 1] = '\0';
	drain(l);
	return text;
}

const char *to_host(struct client *c)
{
	return text_of(c, &c->host, true);
}

const char *to_guest(struct client *c)
{
	return text_of(c, &c->guest, false);
}

struct client *script_bare(struct script *s)
{
	static uint32_t number;

	return client_new(&s->filter, ++number);
}

static void announce(struct client *c, uint32_t name, const char *interface,
		     uint32_t version)
{
	from_host(c, REGISTRY, EV_WL_REGISTRY_GLOBAL, "usu", name, interface,
		  version);
}

static void bind(struct client *c, uint32_t name, const char *interface,
		 uint32_t version, uint32_t id)
{
	from_guest(c, REGISTRY, RQ_WL_REGISTRY_BIND, "usun", name, interface,
		   version, id);
}

struct client *script_client(struct script *s)
{
	struct client *c = script_bare(s);
	bool bytewise = s->bytewise;

	s->bytewise = false;
	from_guest(c, DISPLAY, RQ_WL_DISPLAY_GET_REGISTRY, "n", REGISTRY);
	announce(c, G_COMPOSITOR, "wl_compositor", 5);
	announce(c, G_SHM, "wl_shm", 1);
	announce(c, G_WM, "xdg_wm_base", 3);
	announce(c, G_SEAT, "wl_seat", 7);
	announce(c, G_DATA, "wl_data_device_manager", 3);
	announce(c, G_PRIMARY, "zwp_primary_selection_device_manager_v1", 1);
	announce(c, G_TABLET, "zwp_tablet_manager_v2", 1);
	announce(c, G_OUTPUT, "wl_output", 4);
	announce(c, G_SCREENCOPY, "zwlr_screencopy_manager_v1", 3);
	announce(c, G_UNKNOWN, "something_new", 1);
	bind(c, G_COMPOSITOR, "wl_compositor", 4, COMPOSITOR);
	bind(c, G_SHM, "wl_shm", 1, SHM);
	bind(c, G_WM, "xdg_wm_base", 2, WM);
	bind(c, G_SEAT, "wl_seat", 7, SEAT);
	bind(c, G_DATA, "wl_data_device_manager", 3, DATA);
	bind(c, G_PRIMARY, "zwp_primary_selection_device_manager_v1", 1,
	     PRIMARY);
	bind(c, G_TABLET, "zwp_tablet_manager_v2", 1, TABLET);
	from_guest(c, SEAT, RQ_WL_SEAT_GET_KEYBOARD, "n", KEYBOARD);
	from_guest(c, DATA, RQ_WL_DATA_DEVICE_MANAGER_GET_DATA_DEVICE, "no",
		   DEVICE, SEAT);
	from_guest(c, PRIMARY,
		   RQ_ZWP_PRIMARY_SELECTION_DEVICE_MANAGER_V1_GET_DEVICE, "no",
		   PRIMARY_DEVICE, SEAT);
	from_guest(c, COMPOSITOR, RQ_WL_COMPOSITOR_CREATE_SURFACE, "n",
		   SURFACE);
	if (c->over) {
		printf("Bail out! the script does not begin: %s\n", c->why);
		exit(1);
	}
	drain(&c->guest);
	drain(&c->host);
	s->bytewise = bytewise;
	return c;
}

int memory_file(size_t size, bool sealable)
{
	int fd = memfd_create("test",
			      MFD_CLOEXEC | (sealable ? MFD_ALLOW_SEALING : 0));

	if (fd < 0 || ftruncate(fd, (off_t)size) < 0)
		abort();
	return fd;
}
