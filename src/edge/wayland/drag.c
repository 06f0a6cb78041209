/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Drags that begin in the VM; see drag.h.  Sealed, as U. */
#include "drag.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MARK_MAX 80u

static void mark(char out[MARK_MAX], const struct filter *f, uint32_t drag)
{
	snprintf(out, MARK_MAX,
		 "application/x-vmrun-drag-%016" PRIx64 "%016" PRIx64
		 "-%" PRIu32,
		 f->secret[0], f->secret[1], drag);
}

uint32_t drag_marked(const struct filter *f, const struct wire_arg *mime)
{
	const char *number = mime->text ? strrchr(mime->text, '-') : NULL;
	char want[MARK_MAX];
	uint32_t drag;

	if (!number || sscanf(number + 1, "%" SCNu32, &drag) != 1)
		return 0;
	mark(want, f, drag);
	return strcmp(mime->text, want) ? 0 : drag;
}

struct source *drag_source(struct filter *f, uint32_t drag,
			   struct client **owner)
{
	for (size_t i = 0; drag && i < WAYLAND_CLIENTS_MAX; i++) {
		struct client *c = f->clients[i];

		for (size_t k = 0; c && c->selections && k < OFFERS_SOURCES;
		     k++) {
			struct source *s = &c->selections->sources[k];

			if (!s->id || s->drag != drag)
				continue;
			*owner = c;
			return s;
		}
	}
	return NULL;
}

/* A message with a text, in room; its size. */
static size_t message(unsigned char *room, size_t n, uint32_t id,
		      unsigned opcode, const char *text)
{
	struct wire_build b;

	wire_begin(&b, room, n, id, opcode);
	wire_put_text(&b, text, strlen(text));
	return wire_end(&b);
}

enum verdict drag_start(struct client *c, uint32_t id)
{
	unsigned char room[WIRE_HEADER + 4 + MARK_MAX];
	struct filter *f = c->filter;
	struct source *s = offers_source(c, id);
	char type[MARK_MAX];

	/* Without a source nothing can leave the client. */
	if (!id || (!s && offers_may(c, WAYLAND_CLIPBOARD_OUT)))
		return VERDICT_PASS;
	if (!s) { /* it has no types, or there are too many sources */
		/* Before version 3 the event was for selections alone. */
		if (objects_get(&c->objects, id)->version >= 3)
			offers_cancel(c, SELECTION_CLIPBOARD, id);
		return VERDICT_DROP;
	}
	s->drag = ++f->drags ? f->drags : ++f->drags;
	s->accepted = NULL;
	mark(type, f, s->drag);
	client_to_host(
		c, room,
		message(room, sizeof(room), id, RQ_WL_DATA_SOURCE_OFFER, type),
		NULL, 0);
	return c->over ? VERDICT_BAD : VERDICT_PASS;
}

/* wl_data_offer.accept: the compositor knows the mark alone. */
static enum verdict accept(struct client *c, const struct wire_message *m,
			   struct source *s, uint32_t drag)
{
	unsigned char room[WIRE_HEADER + 8 + MARK_MAX];
	struct wire_build b;

	s->accepted =
		m->args[1].text ? mimes_find(&s->mimes, &m->args[1]) : NULL;
	wire_begin(&b, room, sizeof(room), objects_theirs(&c->objects, m->id),
		   m->opcode);
	wire_put(&b, m->args[0].value);
	if (s->accepted) {
		char type[MARK_MAX];

		mark(type, c->filter, drag);
		wire_put_text(&b, type, strlen(type));
	} else {
		wire_put(&b, 0);
	}
	client_to_host(c, room, wire_end(&b), NULL, 0);
	return c->over ? VERDICT_BAD : VERDICT_DONE;
}

enum verdict drag_offer_request(struct client *c, const struct wire_message *m,
				uint32_t drag, int *fds)
{
	struct client *owner;
	struct source *s = drag_source(c->filter, drag, &owner);

	switch (m->opcode) {
	case RQ_WL_DATA_OFFER_ACCEPT:
		return s ? accept(c, m, s, drag) : VERDICT_DROP;
	case RQ_WL_DATA_OFFER_RECEIVE:
		return s ? offers_send(owner, SELECTION_CLIPBOARD, s,
				       &m->args[0], fds)
			 : VERDICT_DROP;
	default:
		return VERDICT_PASS;
	}
}

/* wl_data_source.target: what the mark stands for. */
static enum verdict target(struct client *c, const struct wire_message *m)
{
	unsigned char room[WIRE_HEADER + 8 + OFFERS_MIMES_MAX];
	const struct source *s = offers_source(c, m->id);
	uint32_t drag = drag_marked(c->filter, &m->args[0]);

	if (!drag)
		return VERDICT_PASS;
	if (!s || s->drag != drag || !s->accepted)
		return VERDICT_DROP;
	client_to_guest(
		c, room,
		message(room, sizeof(room), m->id, m->opcode, s->accepted),
		NULL, 0);
	return c->over ? VERDICT_BAD : VERDICT_DONE;
}

enum verdict drag_source_event(struct client *c, const struct wire_message *m)
{
	struct source *s = offers_source(c, m->id);

	switch (m->opcode) {
	case EV_WL_DATA_SOURCE_TARGET:
		return target(c, m);
	case EV_WL_DATA_SOURCE_SEND:
		/* Somebody outside of the VM asks. */
		if (!offers_may(c, WAYLAND_CLIPBOARD_OUT) ||
		    drag_marked(c->filter, &m->args[0]))
			return VERDICT_DROP;
		return VERDICT_PASS;
	case EV_WL_DATA_SOURCE_CANCELLED:
	case EV_WL_DATA_SOURCE_DND_FINISHED:
		if (s)
			s->drag = 0;
		return VERDICT_PASS;
	default:
		return VERDICT_PASS;
	}
}
