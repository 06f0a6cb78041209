/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Offers of others to a client, and of a client to others.  Sealed, as U. */
#include "offers.h"

#include <stdlib.h>
#include <string.h>

const struct offers_kind offers_kinds[SELECTIONS] = {
	[SELECTION_CLIPBOARD] =
		{
			.device = IF_WL_DATA_DEVICE,
			.source = IF_WL_DATA_SOURCE,
			.offer = IF_WL_DATA_OFFER,
			.set_selection = RQ_WL_DATA_DEVICE_SET_SELECTION,
			.receive = RQ_WL_DATA_OFFER_RECEIVE,
			.destroy_offer = RQ_WL_DATA_OFFER_DESTROY,
			.add_mime = RQ_WL_DATA_SOURCE_OFFER,
			.data_offer = EV_WL_DATA_DEVICE_DATA_OFFER,
			.selection = EV_WL_DATA_DEVICE_SELECTION,
			.mime = EV_WL_DATA_OFFER_OFFER,
			.send = EV_WL_DATA_SOURCE_SEND,
			.cancelled = EV_WL_DATA_SOURCE_CANCELLED,
		},
	[SELECTION_PRIMARY] =
		{
			.device = IF_ZWP_PRIMARY_SELECTION_DEVICE_V1,
			.source = IF_ZWP_PRIMARY_SELECTION_SOURCE_V1,
			.offer = IF_ZWP_PRIMARY_SELECTION_OFFER_V1,
			.set_selection =
				RQ_ZWP_PRIMARY_SELECTION_DEVICE_V1_SET_SELECTION,
			.receive = RQ_ZWP_PRIMARY_SELECTION_OFFER_V1_RECEIVE,
			.destroy_offer =
				RQ_ZWP_PRIMARY_SELECTION_OFFER_V1_DESTROY,
			.add_mime = RQ_ZWP_PRIMARY_SELECTION_SOURCE_V1_OFFER,
			.data_offer =
				EV_ZWP_PRIMARY_SELECTION_DEVICE_V1_DATA_OFFER,
			.selection =
				EV_ZWP_PRIMARY_SELECTION_DEVICE_V1_SELECTION,
			.mime = EV_ZWP_PRIMARY_SELECTION_OFFER_V1_OFFER,
			.send = EV_ZWP_PRIMARY_SELECTION_SOURCE_V1_SEND,
			.cancelled =
				EV_ZWP_PRIMARY_SELECTION_SOURCE_V1_CANCELLED,
		},
};

struct selection_client *offers_of(struct client *c)
{
	struct selection_client *s = c->selections;

	if (s)
		return s;
	s = calloc(1, sizeof(*s));
	if (!s) {
		client_bad(c, BAD_MEMORY, "no memory");
		return NULL;
	}
	for (size_t i = 0; i < OFFERS_SOURCES; i++)
		buf_init(&s->sources[i].mimes.text, OFFERS_MIMES_MAX);
	for (size_t i = 0; i < OFFERS_HELD; i++)
		buf_init(&s->held[i].mimes.text, OFFERS_MIMES_MAX);
	c->selections = s;
	return s;
}

enum selection_kind offers_kind_of(uint16_t interface)
{
	enum selection_kind k = SELECTION_CLIPBOARD;

	for (; k < SELECTIONS; k++)
		if (interface == offers_kinds[k].device ||
		    interface == offers_kinds[k].source ||
		    interface == offers_kinds[k].offer)
			break;
	return k;
}

void mimes_add(struct mimes *m, const struct wire_arg *a)
{
	if (a->value <= OFFERS_MIME_MAX &&
	    (size_t)a->value + 1 <= m->text.max - m->text.len)
		buf_put(&m->text, a->text, (size_t)a->value + 1);
}

/* The next of the strings, or NULL: begin with NULL. */
static const char *mimes_next(const struct mimes *m, const char *at)
{
	const char *first = (const char *)m->text.data;

	at = at ? at + strlen(at) + 1 : first;
	return at && at < first + m->text.len ? at : NULL;
}

const char *mimes_find(const struct mimes *m, const struct wire_arg *a)
{
	const char *at = NULL;

	while ((at = mimes_next(m, at)) && strcmp(at, a->text))
		;
	return at;
}

struct source *offers_source(struct client *c, uint32_t id)
{
	for (size_t i = 0; c->selections && id && i < OFFERS_SOURCES; i++)
		if (c->selections->sources[i].id == id)
			return &c->selections->sources[i];
	return NULL;
}

/* The device that this offer is dragged over, hidden, or NULL. */
static struct device *dragged_over(struct selection_client *s, uint32_t theirs)
{
	for (size_t i = 0; i < OFFERS_DEVICES; i++)
		if (s->devices[i].id && s->devices[i].dragged == theirs)
			return &s->devices[i];
	return NULL;
}

/* The held one that gives way: the oldest, but for those of a drag. */
static size_t pick_oldest(struct selection_client *s)
{
	size_t i = s->oldest % OFFERS_HELD;

	for (size_t n = 0; n < OFFERS_HELD; n++) {
		i = s->oldest++ % OFFERS_HELD;
		if (!dragged_over(s, s->held[i].theirs))
			break;
	}
	return i;
}

enum verdict offers_hold(struct client *c, uint32_t theirs,
			 enum selection_kind kind)
{
	struct selection_client *s = offers_of(c);
	struct device *d;
	struct held *h;
	size_t i = 0;

	if (!s)
		return VERDICT_BAD;
	h = offers_held(c, theirs);
	if (h) { /* given again: the compositor has forgotten the other one */
		h->theirs = 0;
		d = dragged_over(s, theirs);
		if (d)
			d->dragged = 0;
	}
	while (i < OFFERS_HELD && s->held[i].theirs)
		i++;
	if (i == OFFERS_HELD) {
		i = pick_oldest(s);
		offers_discard(c, &s->held[i]);
	}
	h = &s->held[i];
	if (theirs < WIRE_SERVER_ID ||
	    objects_hide(&c->objects, theirs, (uint32_t)i) < 0)
		return client_bad(c, BAD_IMPLEMENTATION, "an offer");
	h->theirs = theirs;
	h->kind = kind;
	h->has_actions = false;
	h->drag = 0;
	buf_clear(&h->mimes.text);
	return VERDICT_DROP;
}

struct held *offers_held(struct client *c, uint32_t theirs)
{
	for (size_t i = 0; c->selections && theirs && i < OFFERS_HELD; i++)
		if (c->selections->held[i].theirs == theirs)
			return &c->selections->held[i];
	return NULL;
}

/* A message with a word, or a text, to the client. */
static void say(struct client *c, uint32_t id, unsigned opcode, uint32_t word)
{
	unsigned char room[WIRE_HEADER + 4];
	struct wire_build b;

	wire_begin(&b, room, sizeof(room), id, opcode);
	wire_put(&b, word);
	client_to_guest(c, room, wire_end(&b), NULL, 0);
}

static void say_mimes(struct client *c, uint32_t id, unsigned opcode,
		      const struct mimes *m)
{
	unsigned char room[WIRE_HEADER + 8 + OFFERS_MIMES_MAX];
	const char *at = NULL;

	while ((at = mimes_next(m, at))) {
		struct wire_build b;

		wire_begin(&b, room, sizeof(room), id, opcode);
		wire_put_text(&b, at, strlen(at));
		client_to_guest(c, room, wire_end(&b), NULL, 0);
	}
}

uint32_t offers_reveal(struct client *c, const struct device *d, struct held *h,
		       const struct mimes *mimes)
{
	const struct offers_kind *k = &offers_kinds[d->kind];
	uint32_t ours =
		objects_announce(&c->objects, h->theirs, k->offer, d->version);

	if (!ours)
		return 0;
	say(c, d->id, k->data_offer, ours);
	say_mimes(c, ours, k->mime, mimes);
	if (h->has_actions)
		say(c, ours, EV_WL_DATA_OFFER_SOURCE_ACTIONS, h->actions);
	h->theirs = 0;
	return c->over ? 0 : ours;
}

void offers_discard(struct client *c, struct held *h)
{
	unsigned char room[WIRE_HEADER];
	struct wire_build b;

	wire_begin(&b, room, sizeof(room), h->theirs,
		   offers_kinds[h->kind].destroy_offer);
	client_to_host(c, room, wire_end(&b), NULL, 0);
	objects_forget(&c->objects, h->theirs);
	h->theirs = 0;
}

void offers_cancel(struct client *c, enum selection_kind kind, uint32_t source)
{
	unsigned char room[WIRE_HEADER];
	struct wire_build b;

	wire_begin(&b, room, sizeof(room), source,
		   offers_kinds[kind].cancelled);
	client_to_guest(c, room, wire_end(&b), NULL, 0);
}

enum verdict offers_send(struct client *owner, enum selection_kind kind,
			 const struct source *s, const struct wire_arg *mime,
			 int *fds)
{
	unsigned char room[WIRE_HEADER + 8 + OFFERS_MIMES_MAX];
	struct wire_build b;

	if (!mimes_find(&s->mimes, mime) ||
	    link_is_full(&owner->guest, CLIENT_TO_GUEST_HIGH))
		return VERDICT_DROP;
	wire_begin(&b, room, sizeof(room), s->id, offers_kinds[kind].send);
	wire_put_text(&b, mime->text, mime->value);
	client_to_guest(owner, room, wire_end(&b), fds, 1);
	return VERDICT_DONE;
}

void offers_present(struct client *c, struct device *d)
{
	const struct selection *s = &c->filter->selection[d->kind];
	const struct offers_kind *k = &offers_kinds[d->kind];
	uint32_t ours = 0;

	d->late = link_waiting(&c->guest) > OFFERS_LATE;
	if (d->late)
		return;
	d->shown = s->generation;
	/* To who keeps too many of them there is none. */
	if (s->owner)
		ours = objects_announce(&c->objects, 0, k->offer, d->version);
	if (ours) {
		const struct source *source =
			offers_source(s->owner, s->source);

		objects_get(&c->objects, ours)->data = s->generation;
		say(c, d->id, k->data_offer, ours);
		if (source)
			say_mimes(c, ours, k->mime, &source->mimes);
	}
	say(c, d->id, k->selection, ours);
}
