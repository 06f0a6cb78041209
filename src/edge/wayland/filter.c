/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The filter and its clients; see filter.h.  Sealed, as U. */
#include "filter.h"
#include "offers.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Queues, what is not used yet, objects and globals, types of offers. */
static_assert(
	CLIENT_TO_HOST_MAX + CLIENT_TO_GUEST_MAX + LINK_READ + WIRE_MAX +
			OBJECTS_MAX * sizeof(struct object) +
			OBJECTS_SERVER_MAX * (sizeof(struct server_object) +
					      sizeof(uint32_t)) +
			CLIENT_GLOBALS_MAX * sizeof(struct client_global) +
			(OFFERS_SOURCES + OFFERS_HELD) * OFFERS_MIMES_MAX +
			sizeof(struct client) +
			sizeof(struct selection_client) + CLIENT_SHM_MAX <=
		CLIENT_MEMORY_MAX,
	"a client may cost too much");

void filter_init(struct filter *f, const struct wayland_policy *policy,
		 void (*log)(void *, enum log_level, const char *), void *ctx)
{
	memset(f, 0, sizeof(*f));
	f->policy = policy;
	f->log = log;
	f->ctx = ctx;
	f->turn = FILTER_TURN;
	for (size_t k = 0; k < SELECTIONS; k++)
		f->selection[k].generation = 1;
	for (size_t i = 0; i < policy->n_globals; i++) {
		const struct wayland_global *g = &policy->globals[i];
		uint16_t k = protocol_find(g->interface, strlen(g->interface));
		char text[128];

		if (k == PROTOCOL_ANY) {
			snprintf(text, sizeof(text),
				 "%s is not known, and not offered",
				 g->interface);
			f->log(f->ctx, LOG_LEVEL_WARN, text);
			continue;
		}
		f->allowed[k] = g->version < protocol[k].version
					? g->version
					: protocol[k].version;
	}
}

void filter_free(struct filter *f)
{
	for (size_t i = 0; i < WAYLAND_CLIENTS_MAX; i++)
		if (f->clients[i])
			client_free(f->clients[i]);
}

struct client *client_new(struct filter *f, uint32_t number)
{
	struct client *c;
	size_t i = 0;

	while (i < f->policy->clients && f->clients[i])
		i++;
	if (i == f->policy->clients)
		return NULL;
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->filter = f;
	c->number = number;
	link_init(&c->guest, CLIENT_TO_GUEST_MAX);
	link_init(&c->host, CLIENT_TO_HOST_MAX);
	if (objects_init(&c->objects) < 0) {
		objects_free(&c->objects);
		free(c);
		return NULL;
	}
	f->clients[i] = c;
	f->counts.clients++;
	f->counts.accepted++;
	return c;
}

void client_free(struct client *c)
{
	struct filter *f = c->filter;

	/* The others must not hear of a selection of a client that is gone. */
	selection_free(c);
	shm_free(c);
	link_free(&c->guest);
	link_free(&c->host);
	objects_free(&c->objects);
	free(c->globals);
	for (size_t i = 0; i < WAYLAND_CLIENTS_MAX; i++)
		if (f->clients[i] == c)
			f->clients[i] = NULL;
	f->counts.clients--;
	free(c);
}

void client_error(struct client *c, uint32_t code, const char *text)
{
	unsigned char room[WIRE_HEADER + 16 + CLIENT_WHY_MAX];
	struct wire_build b;

	wire_begin(&b, room, sizeof(room), 1, EV_WL_DISPLAY_ERROR);
	wire_put(&b, 1);
	wire_put(&b, code);
	wire_put_text(&b, text, strnlen(text, CLIENT_WHY_MAX - 1));
	/* If it has no room for this either, it will see the end alone. */
	(void)link_put(&c->guest, room, wire_end(&b), NULL, 0);
	c->over = true;
}

enum verdict client_bad(struct client *c, uint32_t code, const char *fmt, ...)
{
	char text[CLIENT_WHY_MAX + 64];
	va_list ap;

	if (c->over)
		return VERDICT_BAD;
	va_start(ap, fmt);
	vsnprintf(c->why, sizeof(c->why), fmt, ap);
	va_end(ap);
	client_error(c, code, c->why);
	c->filter->counts.violated++;
	snprintf(text, sizeof(text), "client %u was ended: %s", c->number,
		 c->why);
	c->filter->log(c->filter->ctx, LOG_LEVEL_WARN, text);
	return VERDICT_BAD;
}

void client_to_guest(struct client *c, const void *p, size_t n, const int *fds,
		     size_t n_fds)
{
	c->filter->counts.messages_to_guest++;
	c->filter->counts.fds_to_guest += n_fds;
	if (link_put(&c->guest, p, n, fds, n_fds) < 0)
		client_bad(c, BAD_MEMORY, "too much waits to be read");
}

void client_to_host(struct client *c, const void *p, size_t n, const int *fds,
		    size_t n_fds)
{
	c->filter->counts.messages_to_host++;
	c->filter->counts.fds_to_host += n_fds;
	if (link_put(&c->host, p, n, fds, n_fds) < 0)
		client_bad(c, BAD_MEMORY, "too much at once");
}

void client_gone(struct client *c, uint32_t id, const struct object *o)
{
	switch (o->interface) {
	case IF_WL_SHM_POOL:
	case IF_WL_BUFFER:
		if (o->data)
			shm_gone(c, o);
		break;
	case IF_WL_KEYBOARD:
	case IF_WL_DATA_SOURCE:
	case IF_WL_DATA_DEVICE:
	case IF_ZWP_PRIMARY_SELECTION_SOURCE_V1:
	case IF_ZWP_PRIMARY_SELECTION_DEVICE_V1:
		selection_gone(c, id, o);
		break;
	case IF_XDG_TOPLEVEL:
	case IF_XDG_POPUP:
		bounds_window_gone(c);
		break;
	default:
		break;
	}
}
