/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the guest sends.  Sealed, as U; hostile bytes. */
#include "filter.h"
#include "mark.h"

#include <string.h>
#include <unistd.h>

/* An object that the message gives as an argument. */
static enum verdict check_object(struct client *c, const struct wire_message *m,
				 unsigned i)
{
	const struct wire_arg *a = &m->args[i];
	uint16_t want = m->proto->interfaces[i];
	const struct object *o;

	if (!a->value) {
		if (m->proto->types[i] == 'O')
			return VERDICT_PASS;
		return client_bad(c, BAD_OBJECT, "%s without an object",
				  m->proto->name);
	}
	o = objects_get(&c->objects, a->value);
	if (!o || o->state != OBJECT_LIVE ||
	    (want != PROTOCOL_ANY && o->interface != want))
		return client_bad(c, BAD_OBJECT, "%s: object %u is no %s",
				  m->proto->name, a->value,
				  want == PROTOCOL_ANY ? "object"
						       : protocol[want].name);
	/* One of the compositor's goes by the compositor's number. */
	if (!objects_theirs(&c->objects, a->value))
		return client_bad(c, BAD_OBJECT, "%s: object %u is gone",
				  m->proto->name, a->value);
	return VERDICT_PASS;
}

static enum verdict add_object(struct client *c, const struct wire_message *m,
			       unsigned i, unsigned version)
{
	uint32_t id = m->args[i].value;

	if (!objects_may_add(&c->objects, id))
		return client_bad(c, BAD_OBJECT, "%s: %u is no new object",
				  m->proto->name, id);
	if (!objects_add(&c->objects, id, m->proto->interfaces[i], version))
		return client_bad(c, BAD_MEMORY, "no memory");
	return VERDICT_PASS;
}

/* Objects that are named; then those that are made, with that version. */
static enum verdict
check_objects(struct client *c, const struct wire_message *m, unsigned version)
{
	for (unsigned i = 0; i < m->n_args; i++)
		if ((m->proto->types[i] == 'o' || m->proto->types[i] == 'O') &&
		    check_object(c, m, i) != VERDICT_PASS)
			return VERDICT_BAD;
	for (unsigned i = 0; i < m->n_args; i++)
		if (m->proto->types[i] == 'n' &&
		    m->proto->interfaces[i] != PROTOCOL_ANY &&
		    add_object(c, m, i, version) != VERDICT_PASS)
			return VERDICT_BAD;
	return VERDICT_PASS;
}

/* The same message with another text as its only argument. */
static enum verdict retext(struct client *c, uint32_t id, unsigned opcode,
			   const char *text, size_t n)
{
	unsigned char room[WIRE_HEADER + 8 + MARK_ROOM];
	struct wire_build b;

	wire_begin(&b, room, sizeof(room), id, opcode);
	wire_put_text(&b, text, n);
	client_to_host(c, room, wire_end(&b), NULL, 0);
	return c->over ? VERDICT_BAD : VERDICT_DONE;
}

static enum verdict app_id(struct client *c, uint32_t id, unsigned opcode,
			   const struct wire_arg *said)
{
	char out[MARK_ROOM];
	size_t n = mark_app_id(out, c->filter->policy->name, said->text,
			       said->value);

	return retext(c, id, opcode, out, n);
}

static enum verdict title(struct client *c, uint32_t id,
			  const struct wire_arg *said)
{
	char out[MARK_ROOM];
	size_t n = mark_title(out, c->filter->policy->name, said->text,
			      said->value);

	return retext(c, id, RQ_XDG_TOPLEVEL_SET_TITLE, out, n);
}

/* Before the application says anything, and if it never does. */
static void mark_toplevel(struct client *c, uint32_t id)
{
	const struct wire_arg nothing = {.text = ""};

	app_id(c, id, RQ_XDG_TOPLEVEL_SET_APP_ID, &nothing);
	title(c, id, &nothing);
}

static enum verdict toplevel(struct client *c, const struct wire_message *m)
{
	switch (m->opcode) {
	case RQ_XDG_TOPLEVEL_SET_TITLE:
		return title(c, m->id, &m->args[0]);
	case RQ_XDG_TOPLEVEL_SET_APP_ID:
		return app_id(c, m->id, m->opcode, &m->args[0]);
	default:
		return VERDICT_PASS;
	}
}

/*
 * A title bar of the compositor's has the mark, and may not be asked away: in
 * both protocols this is the mode with one.  The client is told what it got.
 */
#define SERVER_SIDE 2u

static enum verdict decoration(struct client *c, const struct wire_message *m)
{
	unsigned char room[WIRE_HEADER + 4];
	struct wire_build b;

	switch (m->opcode) {
	case RQ_ZXDG_TOPLEVEL_DECORATION_V1_SET_MODE:
	case RQ_ZXDG_TOPLEVEL_DECORATION_V1_UNSET_MODE:
		break;
	default:
		return VERDICT_PASS;
	}
	wire_begin(&b, room, sizeof(room), m->id,
		   RQ_ZXDG_TOPLEVEL_DECORATION_V1_SET_MODE);
	wire_put(&b, SERVER_SIDE);
	client_to_host(c, room, wire_end(&b), NULL, 0);
	return c->over ? VERDICT_BAD : VERDICT_DONE;
}

static enum verdict surface(struct client *c, const struct wire_message *m,
			    int *fds)
{
	enum verdict v = shm_request(c, m, IF_WL_SURFACE, fds);

	return v == VERDICT_PASS ? bounds_surface(c, m) : v;
}

static enum verdict xdg_surface(struct client *c, const struct wire_message *m)
{
	switch (m->opcode) {
	case RQ_XDG_SURFACE_GET_TOPLEVEL:
	case RQ_XDG_SURFACE_GET_POPUP:
		return bounds_window(c);
	default:
		return VERDICT_PASS;
	}
}

static enum verdict ask_modules(struct client *c, const struct wire_message *m,
				uint16_t interface, int *fds)
{
	switch (interface) {
	case IF_WL_REGISTRY:
		return registry_bind(c, m);
	case IF_WL_SHM:
	case IF_WL_SHM_POOL:
	case IF_WL_BUFFER:
		return shm_request(c, m, interface, fds);
	case IF_WL_SURFACE:
		return surface(c, m, fds);
	case IF_WL_REGION:
		return bounds_region(c, m);
	case IF_XDG_SURFACE:
		return xdg_surface(c, m);
	case IF_XDG_TOPLEVEL:
		return toplevel(c, m);
	case IF_ZXDG_TOPLEVEL_DECORATION_V1:
		return decoration(c, m);
	case IF_ORG_KDE_KWIN_SERVER_DECORATION:
		if (m->opcode == RQ_ORG_KDE_KWIN_SERVER_DECORATION_REQUEST_MODE)
			wire_set_u32(m->args[0].at, SERVER_SIDE);
		return VERDICT_PASS;
	case IF_XDG_ACTIVATION_TOKEN_V1:
		if (m->opcode == RQ_XDG_ACTIVATION_TOKEN_V1_SET_APP_ID)
			return app_id(c, m->id, m->opcode, &m->args[0]);
		return VERDICT_PASS;
	case IF_WL_DATA_SOURCE:
	case IF_WL_DATA_OFFER:
	case IF_WL_DATA_DEVICE:
	case IF_WL_DATA_DEVICE_MANAGER:
	case IF_ZWP_PRIMARY_SELECTION_SOURCE_V1:
	case IF_ZWP_PRIMARY_SELECTION_OFFER_V1:
	case IF_ZWP_PRIMARY_SELECTION_DEVICE_V1:
	case IF_ZWP_PRIMARY_SELECTION_DEVICE_MANAGER_V1:
		return selection_request(c, m, interface, fds);
	default:
		return VERDICT_PASS;
	}
}

/* Passes m on, with the compositor's numbers for the compositor's objects. */
static void forward(struct client *c, const struct wire_message *m,
		    const int *fds)
{
	uint32_t theirs = objects_theirs(&c->objects, m->id);

	wire_set_u32(m->bytes, theirs);
	for (unsigned i = 0; i < m->n_args; i++) {
		char t = m->proto->types[i];

		if ((t == 'o' || t == 'O') &&
		    m->args[i].value >= WIRE_SERVER_ID)
			wire_set_u32(
				m->args[i].at,
				objects_theirs(&c->objects, m->args[i].value));
	}
	client_to_host(c, m->bytes, m->size, fds, m->proto->fds);
}

static void close_fds(const struct wire_message *m, const int *fds)
{
	for (unsigned i = 0; i < m->proto->fds; i++)
		close(fds[i]);
}

/* Finds m->proto, the object's interface and version. */
static enum verdict look_up(struct client *c, struct wire_message *m,
			    struct object *o)
{
	const struct object *found = objects_get(&c->objects, m->id);
	const struct protocol_interface *p;

	if (!found || found->state != OBJECT_LIVE)
		return client_bad(c, BAD_OBJECT, "object %u is not there",
				  m->id);
	*o = *found;
	p = &protocol[o->interface];
	if (m->opcode >= p->n_requests)
		return client_bad(c, BAD_METHOD, "%s has no request %u",
				  p->name, m->opcode);
	m->proto = &p->requests[m->opcode];
	if (m->proto->since > o->version)
		return client_bad(c, BAD_METHOD, "%s.%s is not in version %u",
				  p->name, m->proto->name, o->version);
	if (wire_args(m) < 0)
		return client_bad(c, BAD_METHOD, "%s.%s: bad arguments",
				  p->name, m->proto->name);
	return VERDICT_PASS;
}

static enum verdict request(struct client *c, struct wire_message *m)
{
	int fds[PROTOCOL_ARGS_MAX];
	struct object o = {.interface = 0};
	enum verdict v = look_up(c, m, &o);

	if (v != VERDICT_PASS)
		return v;
	if (link_take_fds(&c->guest, fds, m->proto->fds) < 0)
		return client_bad(c, BAD_METHOD, "%s.%s without a descriptor",
				  protocol[o.interface].name, m->proto->name);
	v = check_objects(c, m, o.version);
	if (v == VERDICT_PASS)
		v = ask_modules(c, m, o.interface, fds);
	if (v == VERDICT_LATER)
		return v;
	/* Of ours, or of the compositor's that it gave to another since. */
	if (v == VERDICT_PASS && !objects_theirs(&c->objects, m->id))
		v = VERDICT_DROP;
	if (v == VERDICT_PASS)
		forward(c, m, fds);
	else if (v != VERDICT_DONE)
		close_fds(m, fds);
	if (v == VERDICT_DROP)
		c->filter->counts.withheld++;
	if (c->over)
		return VERDICT_BAD;
	if (m->proto->destructor) {
		/* As it is now: a module may have changed it. */
		o = *objects_get(&c->objects, m->id);
		objects_destroyed(&c->objects, m->id);
		client_gone(c, m->id, &o);
	}
	if (o.interface == IF_XDG_SURFACE &&
	    m->opcode == RQ_XDG_SURFACE_GET_TOPLEVEL)
		mark_toplevel(c, m->args[0].value);
	return c->over ? VERDICT_BAD : v;
}

ssize_t client_from_guest(struct client *c, unsigned char *p, size_t n)
{
	size_t used = 0;

	c->later = false;
	c->filter->left = c->filter->turn;
	while (!c->over) {
		struct wire_message m;

		switch (wire_next(p + used, n - used, &m)) {
		case WIRE_MORE:
			return (ssize_t)used;
		case WIRE_BAD:
			client_bad(c, BAD_METHOD, "a message of %zu bytes",
				   m.size);
			break;
		case WIRE_ONE:
			if (m.size > WIRE_LIBWAYLAND_MAX) {
				client_bad(c, BAD_METHOD,
					   "a message of %zu bytes", m.size);
				break;
			}
			c->later = !c->filter->left ||
				   request(c, &m) == VERDICT_LATER;
			if (c->later)
				return (ssize_t)used;
			used += m.size;
			break;
		}
	}
	return -1;
}
