/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Copy and paste, drag and drop, by the policy.  Sealed, as U.
 *
 * Theory of operation
 *
 * With both directions open everything passes, and none of this is used.
 * Otherwise the VM has a selection of its own, of each kind (clipboard and
 * primary): the source that one of its clients last set.  Each client that has
 * the keyboard is told of it with an offer of ours, and what is asked of that
 * offer is sent to the source's client; so inside the VM copy and paste work
 * without the compositor.
 *
 * OUT   set_selection passes too, so that others can paste.  The compositor
 *       then says when it is somebody else's turn.
 * not   set_selection is kept from the compositor; the source that is
 * OUT   replaced hears of it from us.  A drag is cancelled as it begins.
 * IN    An offer of the compositor's is held back until it is said what for.
 *       As a selection it replaces the VM's own if it is newer: if it comes
 *       while the client has the keyboard, or with the keyboard from outside
 *       the VM.  (It comes with every change of the window, and never says when
 *       it was made; hence the guess by time that the keyboard came from
 *       another window of the VM.)
 * not   The offer is refused, in the client's name; what was said with it is
 * IN    changed into the VM's own selection, or left out if it is a drag.
 *
 * Applications live with a selection that is empty, but not without the
 * protocol: foot ends, and GTK takes no input, hence all this.
 */
#include "drag.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Between two windows of the VM the keyboard is nowhere for less than this. */
#define SAME_MOMENT_MS 100u

/* The devices of that kind that have the keyboard, but for those of `but`. */
static void present_all(struct filter *f, enum selection_kind kind,
			const struct client *but)
{
	for (size_t i = 0; i < WAYLAND_CLIENTS_MAX; i++) {
		struct client *c = f->clients[i];

		if (!c || c == but || c->over || !c->keyboards ||
		    !c->selections)
			continue;
		for (size_t k = 0; k < OFFERS_DEVICES; k++) {
			struct device *d = &c->selections->devices[k];

			if (d->id && d->kind == kind)
				offers_present(c, d);
		}
	}
}

/* The selection is another one now, or none; `owner` hears nothing of it. */
static void change(struct filter *f, enum selection_kind kind,
		   struct client *owner, uint32_t source)
{
	f->selection[kind].owner = source ? owner : NULL;
	f->selection[kind].source = source;
	f->selection[kind].generation++;
}

static enum verdict set_selection(struct client *c, enum selection_kind kind,
				  uint32_t source)
{
	const struct selection *s = &c->filter->selection[kind];
	struct client *was = s->owner;
	uint32_t old = s->source;

	change(c->filter, kind, c, source);
	if (was && !offers_may(c, WAYLAND_CLIPBOARD_OUT) &&
	    !(was == c && old == source))
		offers_cancel(was, kind, old);
	present_all(c->filter, kind, NULL);
	return offers_may(c, WAYLAND_CLIPBOARD_OUT) ? VERDICT_PASS
						    : VERDICT_DROP;
}

static enum verdict device_request(struct client *c, enum selection_kind kind,
				   const struct wire_message *m)
{
	if (m->opcode == offers_kinds[kind].set_selection)
		return set_selection(c, kind, m->args[0].value);
	if (kind == SELECTION_CLIPBOARD &&
	    m->opcode == RQ_WL_DATA_DEVICE_START_DRAG)
		return drag_start(c, m->args[0].value);
	return VERDICT_PASS;
}

static enum verdict new_device(struct client *c, enum selection_kind kind,
			       uint32_t id)
{
	struct selection_client *s = offers_of(c);
	struct object *o = objects_get(&c->objects, id);
	size_t i = 0;

	if (!s)
		return VERDICT_BAD;
	while (i < OFFERS_DEVICES && s->devices[i].id)
		i++;
	if (i == OFFERS_DEVICES)
		return client_bad(c, BAD_MEMORY, "too many data devices");
	s->devices[i] = (struct device){
		.id = id,
		.kind = kind,
		.version = o->version,
	};
	o->data = (uint32_t)i + 1;
	return VERDICT_PASS;
}

static enum verdict add_mime(struct client *c, uint32_t id,
			     const struct wire_arg *a)
{
	struct selection_client *s = offers_of(c);
	struct source *source = offers_source(c, id);
	size_t i = 0;

	if (!s)
		return VERDICT_BAD;
	while (!source && i < OFFERS_SOURCES && s->sources[i].id)
		i++;
	if (!source && i < OFFERS_SOURCES) {
		source = &s->sources[i];
		source->id = id;
		source->drag = 0;
		buf_clear(&source->mimes.text);
		objects_get(&c->objects, id)->data = (uint32_t)i + 1;
	}
	if (source) {
		source->accepted = NULL; /* the types may move */
		mimes_add(&source->mimes, a);
	}
	/* Not even the names of the types go out. */
	return offers_may(c, WAYLAND_CLIPBOARD_OUT) ? VERDICT_PASS
						    : VERDICT_DROP;
}

/* Somebody of the VM pastes what somebody of the VM copied. */
static enum verdict receive(struct client *c, enum selection_kind kind,
			    const struct wire_message *m, int *fds)
{
	const struct selection *s = &c->filter->selection[kind];
	const struct source *source;

	if (!s->owner || objects_get(&c->objects, m->id)->data != s->generation)
		return VERDICT_DROP; /* of an earlier one: it reads nothing */
	source = offers_source(s->owner, s->source);
	return source ? offers_send(s->owner, kind, source, &m->args[0], fds)
		      : VERDICT_DROP;
}

/* Where somebody will write to: nothing that could make him wait in open(). */
static bool is_stream(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 &&
	       (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
}

static enum verdict offer_request(struct client *c, enum selection_kind kind,
				  const struct wire_message *m, int *fds)
{
	bool receives = m->opcode == offers_kinds[kind].receive;
	uint32_t data = objects_get(&c->objects, m->id)->data;

	if (receives && !is_stream(fds[0]))
		return client_bad(c, BAD_METHOD, "receive into no pipe");
	if (objects_theirs(&c->objects, m->id))
		return data ? drag_offer_request(c, m, data, fds)
			    : VERDICT_PASS;
	return receives ? receive(c, kind, m, fds) : VERDICT_DROP;
}

enum verdict selection_request(struct client *c, const struct wire_message *m,
			       uint16_t interface, int *fds)
{
	enum selection_kind kind = offers_kind_of(interface);

	if (kind < SELECTIONS && interface == offers_kinds[kind].offer)
		return offer_request(c, kind, m, fds);
	if (offers_may(c, WAYLAND_CLIPBOARD_BOTH))
		return VERDICT_PASS;
	switch (interface) {
	case IF_WL_DATA_DEVICE_MANAGER:
		if (m->opcode == RQ_WL_DATA_DEVICE_MANAGER_GET_DATA_DEVICE)
			return new_device(c, SELECTION_CLIPBOARD,
					  m->args[0].value);
		return VERDICT_PASS;
	case IF_ZWP_PRIMARY_SELECTION_DEVICE_MANAGER_V1:
		if (m->opcode ==
		    RQ_ZWP_PRIMARY_SELECTION_DEVICE_MANAGER_V1_GET_DEVICE)
			return new_device(c, SELECTION_PRIMARY,
					  m->args[0].value);
		return VERDICT_PASS;
	default:
		break;
	}
	if (interface == offers_kinds[kind].device)
		return device_request(c, kind, m);
	if (m->opcode == offers_kinds[kind].add_mime)
		return add_mime(c, m->id, &m->args[0]);
	return VERDICT_PASS;
}

/* Does the keyboard come, or go on, from a window of the VM? */
static bool is_inside(const struct client *c)
{
	const struct filter *f = c->filter;

	for (size_t i = 0; i < WAYLAND_CLIENTS_MAX; i++)
		if (f->clients[i] && f->clients[i]->keyboards)
			return true;
	return f->left_ms && f->now_ms - f->left_ms < SAME_MOMENT_MS;
}

/*
 * Is what the compositor offers newer than what the VM has?  Some compositors
 * say it before the keyboard comes, as the protocol has it, some after.
 */
static bool is_newer(const struct client *c)
{
	if (!c->keyboards)
		return !is_inside(c);
	if (c->filter->now_ms - c->entered_ms < SAME_MOMENT_MS)
		return !c->from_inside;
	return true;
}

static enum verdict selection(struct client *c, struct device *d,
			      uint32_t theirs)
{
	struct selection *s = &c->filter->selection[d->kind];
	struct held *h = offers_held(c, theirs);

	if (h && offers_may(c, WAYLAND_CLIPBOARD_IN) &&
	    (!s->owner || is_newer(c))) {
		if (s->owner)
			offers_cancel(s->owner, d->kind, s->source);
		change(c->filter, d->kind, NULL, 0);
		d->shown = s->generation;
		d->late = false;
		/* With too many of them it hears of none. */
		if (!offers_reveal(c, d, h, &h->mimes) && !c->over)
			offers_discard(c, h);
		return c->over ? VERDICT_BAD : VERDICT_PASS;
	}
	if (h)
		offers_discard(c, h);
	/* GTK keeps each offer of its own selection that it is shown. */
	if (s->owner != c || d->shown != s->generation)
		offers_present(c, d);
	return VERDICT_DROP;
}

/*
 * The drag that the client hears nothing of is elsewhere, or over.  Not before:
 * wlroots takes the end of an offer for the end of its drag.
 */
static void end_hidden(struct client *c, struct device *d)
{
	struct held *h = offers_held(c, d->dragged);

	d->dragged = 0;
	if (h)
		offers_discard(c, h);
}

/* wl_data_device.enter: something is dragged over a window. */
static enum verdict enter(struct client *c, struct device *d, uint32_t theirs)
{
	const struct source *own = NULL;
	struct client *owner;
	struct held *h;
	uint32_t ours = 0;

	if (d->dragged == theirs)
		d->dragged = 0;
	end_hidden(c, d);
	h = offers_held(c, theirs);
	if (h)
		own = drag_source(c->filter, h->drag, &owner);
	d->drag_hidden = h && !own && !offers_may(c, WAYLAND_CLIPBOARD_IN);
	if (!h)
		return VERDICT_PASS;
	/* Whoever saw the mark may drag something with it: what is shown, and
	 * who answers, is the VM's source, however open the way out is. */
	if (!d->drag_hidden)
		ours = offers_reveal(c, d, h, own ? &own->mimes : &h->mimes);
	if (c->over)
		return VERDICT_BAD;
	if (!ours) {
		d->drag_hidden = true;
		d->dragged = theirs;
		return VERDICT_DROP;
	}
	if (own)
		objects_get(&c->objects, ours)->data = h->drag;
	return VERDICT_PASS;
}

static enum verdict drag(struct client *c, struct device *d,
			 const struct wire_message *m)
{
	enum { SURFACE = 1, OFFER = 4 };

	switch (m->opcode) {
	case EV_WL_DATA_DEVICE_ENTER:
		return enter(c, d, m->args[OFFER].value);
	case EV_WL_DATA_DEVICE_LEAVE:
	case EV_WL_DATA_DEVICE_DROP:
		end_hidden(c, d);
		return d->drag_hidden ? VERDICT_DROP : VERDICT_PASS;
	case EV_WL_DATA_DEVICE_MOTION:
		return d->drag_hidden ? VERDICT_DROP : VERDICT_PASS;
	default:
		return VERDICT_PASS;
	}
}

enum verdict selection_event(struct client *c, struct wire_message *m,
			     uint16_t interface)
{
	enum selection_kind kind = offers_kind_of(interface);
	const struct offers_kind *k = &offers_kinds[kind];
	struct selection *s = &c->filter->selection[kind];
	const struct object *o = objects_get(&c->objects, m->id);
	struct device *d;

	if (offers_may(c, WAYLAND_CLIPBOARD_BOTH))
		return VERDICT_PASS;
	if (interface == k->source) {
		if (m->opcode == k->cancelled && s->owner == c &&
		    s->source == m->id) {
			change(c->filter, kind, NULL, 0);
			present_all(c->filter, kind, NULL);
		}
		return kind == SELECTION_CLIPBOARD ? drag_source_event(c, m)
						   : VERDICT_PASS;
	}
	if (m->opcode == k->data_offer)
		return offers_hold(c, m->args[0].value, kind);
	if (o->state != OBJECT_LIVE || !o->data) {
		struct held *h = NULL;

		/* The client has let go of the device in the meantime. */
		if (m->opcode == k->selection)
			h = offers_held(c, m->args[0].value);
		if (h)
			offers_discard(c, h);
		return VERDICT_DROP;
	}
	d = &c->selections->devices[o->data - 1];
	if (m->opcode == k->selection)
		return selection(c, d, m->args[0].value);
	return drag(c, d, m);
}

enum verdict selection_hidden(struct client *c, struct wire_message *m,
			      uint32_t hidden)
{
	struct held *h = &c->selections->held[hidden];
	const struct offers_kind *k = &offers_kinds[h->kind];
	const struct protocol_interface *p = &protocol[k->offer];

	if (m->opcode >= p->n_events)
		return client_bad(c, BAD_IMPLEMENTATION, "an offer's event %u",
				  m->opcode);
	m->proto = &p->events[m->opcode];
	if (wire_args(m) < 0)
		return client_bad(c, BAD_IMPLEMENTATION, "a bad offer");
	if (m->opcode == k->mime) {
		uint32_t marked = drag_marked(c->filter, &m->args[0]);

		if (marked)
			h->drag = marked;
		else
			mimes_add(&h->mimes, &m->args[0]);
	} else if (h->kind == SELECTION_CLIPBOARD &&
		   m->opcode == EV_WL_DATA_OFFER_SOURCE_ACTIONS) {
		h->has_actions = true;
		h->actions = m->args[0].value;
	}
	return VERDICT_DROP;
}

/* A keyboard that was in one of the client's windows is no more. */
static void leave(struct client *c)
{
	if (!--c->keyboards)
		c->filter->left_ms = c->filter->now_ms;
}

enum verdict selection_keyboard(struct client *c, const struct wire_message *m)
{
	struct object *o = objects_get(&c->objects, m->id);

	/* What the client has let go of cannot leave any more. */
	if (o->state != OBJECT_LIVE)
		return VERDICT_PASS;
	if (m->opcode == EV_WL_KEYBOARD_LEAVE && o->data) {
		o->data = 0;
		leave(c);
	}
	if (m->opcode != EV_WL_KEYBOARD_ENTER)
		return VERDICT_PASS;
	if (!c->keyboards) {
		c->from_inside = is_inside(c);
		c->entered_ms = c->filter->now_ms;
	}
	c->keyboards += !o->data;
	o->data = 1;
	if (!c->selections || offers_may(c, WAYLAND_CLIPBOARD_BOTH))
		return VERDICT_PASS;
	/* Not every compositor says that there is no selection. */
	for (size_t i = 0; i < OFFERS_DEVICES; i++) {
		struct device *d = &c->selections->devices[i];
		const struct selection *s = &c->filter->selection[d->kind];

		/* To who has not heard of any, "none" may be the answer. */
		if (d->id && d->shown != s->generation &&
		    (s->owner || d->shown))
			offers_present(c, d);
	}
	return c->over ? VERDICT_BAD : VERDICT_PASS;
}

void selection_late(struct client *c)
{
	for (size_t i = 0; c->selections && i < OFFERS_DEVICES; i++) {
		struct device *d = &c->selections->devices[i];

		if (d->id && d->late && c->keyboards && !c->over)
			offers_present(c, d);
	}
}

/* The client's selection, if that source is one, is no more. */
static void lose(struct client *c, uint32_t source)
{
	for (enum selection_kind k = SELECTION_CLIPBOARD; k < SELECTIONS; k++) {
		const struct selection *s = &c->filter->selection[k];

		if (s->owner != c || (source && s->source != source))
			continue;
		change(c->filter, k, NULL, 0);
		present_all(c->filter, k, source ? NULL : c);
	}
}

void selection_gone(struct client *c, uint32_t id, const struct object *o)
{
	struct selection_client *s = c->selections;

	switch (o->interface) {
	case IF_WL_KEYBOARD:
		if (o->data)
			leave(c);
		break;
	case IF_WL_DATA_DEVICE:
	case IF_ZWP_PRIMARY_SELECTION_DEVICE_V1:
		if (!o->data)
			break;
		end_hidden(c, &s->devices[o->data - 1]);
		s->devices[o->data - 1].id = 0;
		break;
	default:
		lose(c, id);
		if (!o->data)
			break;
		s->sources[o->data - 1].id = 0;
		buf_free(&s->sources[o->data - 1].mimes.text);
		break;
	}
}

void selection_free(struct client *c)
{
	struct selection_client *s = c->selections;

	if (c->keyboards)
		c->filter->left_ms = c->filter->now_ms;
	c->keyboards = 0;
	lose(c, 0);
	if (!s)
		return;
	for (size_t i = 0; i < OFFERS_SOURCES; i++)
		buf_free(&s->sources[i].mimes.text);
	for (size_t i = 0; i < OFFERS_HELD; i++)
		buf_free(&s->held[i].mimes.text);
	free(s);
	c->selections = NULL;
}
