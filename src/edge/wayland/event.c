/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the compositor sends.  Sealed, as U. */
#include "filter.h"
#include "format.h"

#include <string.h>
#include <unistd.h>

/* wl_display.delete_id */
static enum verdict delete_id(struct client *c, const struct wire_message *m)
{
	uint32_t id = m->args[0].value;
	const struct object *found;
	struct object o;

	if (id >= WIRE_SERVER_ID)
		return VERDICT_PASS;
	found = objects_get(&c->objects, id);
	if (!found)
		return client_bad(c, BAD_IMPLEMENTATION,
				  "the compositor deleted object %u", id);
	o = *found;
	if (objects_delete(&c->objects, id) < 0)
		return client_bad(c, BAD_IMPLEMENTATION,
				  "the compositor deleted object %u", id);
	/* By an event that ends it, such as wl_callback.done. */
	if (o.state == OBJECT_LIVE)
		client_gone(c, id, &o);
	return VERDICT_PASS;
}

static enum verdict ask_modules(struct client *c, struct wire_message *m,
				uint16_t interface)
{
	switch (interface) {
	case IF_WL_DISPLAY:
		return m->opcode == EV_WL_DISPLAY_DELETE_ID ? delete_id(c, m)
							    : VERDICT_PASS;
	case IF_WL_REGISTRY:
		return m->opcode == EV_WL_REGISTRY_GLOBAL
			       ? registry_global(c, m)
			       : registry_remove(c, m);
	case IF_WL_SHM:
		return format_bytes(m->args[0].value) ? VERDICT_PASS
						      : VERDICT_DROP;
	case IF_WL_BUFFER:
		shm_released(c, m->id);
		return VERDICT_PASS;
	case IF_WL_KEYBOARD:
		return selection_keyboard(c, m);
	case IF_WL_DATA_DEVICE:
	case IF_WL_DATA_SOURCE:
	case IF_ZWP_PRIMARY_SELECTION_DEVICE_V1:
	case IF_ZWP_PRIMARY_SELECTION_SOURCE_V1:
		return selection_event(c, m, interface);
	default:
		return VERDICT_PASS;
	}
}

/*
 * Objects of the compositor's that the event names: the client's numbers.  One
 * that the client has destroyed is null; where libwayland takes no null, which
 * would end the client, the event is left out.
 */
static enum verdict exchange(struct client *c, struct wire_message *m)
{
	for (unsigned i = 0; i < m->n_args; i++) {
		char t = m->proto->types[i];
		struct wire_arg *a = &m->args[i];
		uint32_t ours;

		if ((t != 'o' && t != 'O') || a->value < WIRE_SERVER_ID)
			continue;
		ours = objects_ours(&c->objects, a->value);
		if (ours < WIRE_SERVER_ID && t == 'o')
			return VERDICT_DROP;
		wire_set_u32(a->at, ours >= WIRE_SERVER_ID ? ours : 0);
	}
	return VERDICT_PASS;
}

/* Objects that the event makes. */
static enum verdict announce(struct client *c, struct wire_message *m,
			     unsigned version)
{
	for (unsigned i = 0; i < m->n_args; i++) {
		struct wire_arg *a = &m->args[i];
		uint32_t ours;

		if (m->proto->types[i] != 'n')
			continue;
		ours = objects_announce(&c->objects, a->value,
					m->proto->interfaces[i], version);
		if (a->value < WIRE_SERVER_ID || !ours)
			return client_bad(c, BAD_IMPLEMENTATION,
					  "%s: a new object", m->proto->name);
		wire_set_u32(a->at, ours);
	}
	return VERDICT_PASS;
}

/* The object's number for the client; 0 and a verdict if it has none. */
static uint32_t find_sender(struct client *c, struct wire_message *m,
			    enum verdict *v)
{
	uint32_t ours;

	*v = VERDICT_PASS;
	if (m->id < WIRE_SERVER_ID) {
		if (objects_get(&c->objects, m->id))
			return m->id;
		ours = THEIRS_NONE;
	} else {
		ours = objects_ours(&c->objects, m->id);
	}
	if (ours >= WIRE_SERVER_ID)
		return ours;
	if (ours >= THEIRS_HIDDEN)
		*v = selection_hidden(c, m, ours - THEIRS_HIDDEN);
	else if (ours == THEIRS_GONE)
		/* No object that a compositor makes has events with
		 * descriptors; tests/unit/wayland-filter-test looks. */
		*v = VERDICT_DROP;
	else
		*v = client_bad(c, BAD_IMPLEMENTATION,
				"the compositor has an object %u", m->id);
	return 0;
}

static enum verdict look_up(struct client *c, struct wire_message *m,
			    const struct object *o)
{
	const struct protocol_interface *p = &protocol[o->interface];

	if (m->opcode >= p->n_events)
		return client_bad(c, BAD_IMPLEMENTATION,
				  "the compositor sent event %u of %s",
				  m->opcode, p->name);
	m->proto = &p->events[m->opcode];
	if (wire_args(m) < 0)
		return client_bad(c, BAD_IMPLEMENTATION,
				  "the compositor sent a bad %s.%s", p->name,
				  m->proto->name);
	return VERDICT_PASS;
}

static void event(struct client *c, struct wire_message *m)
{
	int fds[PROTOCOL_ARGS_MAX];
	enum verdict v;
	uint32_t ours = find_sender(c, m, &v);
	struct object o;

	if (!ours) {
		c->filter->counts.withheld++;
		return;
	}
	o = *objects_get(&c->objects, ours);
	if (look_up(c, m, &o) != VERDICT_PASS)
		return;
	if (link_take_fds(&c->host, fds, m->proto->fds) < 0) {
		client_bad(c, BAD_IMPLEMENTATION,
			   "the compositor sent no descriptor");
		return;
	}
	v = ask_modules(c, m, o.interface);
	if (v == VERDICT_PASS)
		v = exchange(c, m);
	if (v == VERDICT_PASS)
		v = announce(c, m, o.version);
	if (v == VERDICT_PASS) {
		wire_set_u32(m->bytes, ours);
		client_to_guest(c, m->bytes, m->size, fds, m->proto->fds);
		return;
	}
	if (v != VERDICT_DONE)
		for (unsigned i = 0; i < m->proto->fds; i++)
			close(fds[i]);
	if (v == VERDICT_DROP)
		c->filter->counts.withheld++;
}

ssize_t client_from_host(struct client *c, unsigned char *p, size_t n)
{
	size_t used = 0;

	while (!c->over) {
		struct wire_message m;

		switch (wire_next(p + used, n - used, &m)) {
		case WIRE_MORE:
			return (ssize_t)used;
		case WIRE_BAD:
			client_bad(c, BAD_IMPLEMENTATION,
				   "the compositor sent %zu bytes", m.size);
			break;
		case WIRE_ONE:
			event(c, &m);
			used += m.size;
			break;
		}
	}
	return -1;
}
