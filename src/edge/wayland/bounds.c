/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What costs a compositor more than it costs the client.  Sealed, as U.
 *
 * A compositor adds each rectangle of a region, and of damage, to those that
 * are there: n of them that cross each other are n * n / 4 in the end, and the
 * next one costs as much.  A few thousand stop it for a minute, and all that
 * the person sees with it.  At the bound all of the surface stands for them: it
 * takes input, is redrawn, or is opaque, as the few clients that come here want
 * most of it.  What would come after that is left out.
 */
#include "filter.h"

#include <assert.h>

static_assert(CLIENT_RECTS_MAX <= UINT8_MAX, "struct object's `sent`");

/* Changes the rectangle of m to one that has all of a surface. */
static void make_whole(const struct wire_message *m, uint32_t opcode)
{
	enum { X, Y, WIDTH, HEIGHT };

	wire_set_u32(m->bytes + 4, (uint32_t)m->size << 16 | opcode);
	wire_set_u32(m->args[X].at, 0);
	wire_set_u32(m->args[Y].at, 0);
	wire_set_u32(m->args[WIDTH].at, INT32_MAX);
	wire_set_u32(m->args[HEIGHT].at, INT32_MAX);
}

/* One rectangle more of the object; `whole` is what adds all of it. */
static enum verdict count(struct client *c, const struct wire_message *m,
			  uint32_t whole)
{
	struct object *o = objects_get(&c->objects, m->id);

	if (o->sent == CLIENT_RECTS_MAX)
		return VERDICT_DROP;
	if (++o->sent == CLIENT_RECTS_MAX)
		make_whole(m, whole);
	return VERDICT_PASS;
}

enum verdict bounds_region(struct client *c, const struct wire_message *m)
{
	switch (m->opcode) {
	case RQ_WL_REGION_ADD:
	case RQ_WL_REGION_SUBTRACT:
		return count(c, m, RQ_WL_REGION_ADD);
	default:
		return VERDICT_PASS;
	}
}

enum verdict bounds_surface(struct client *c, const struct wire_message *m)
{
	switch (m->opcode) {
	case RQ_WL_SURFACE_DAMAGE:
	case RQ_WL_SURFACE_DAMAGE_BUFFER:
		/* The one in the surface's coordinates is in all versions. */
		return count(c, m, RQ_WL_SURFACE_DAMAGE);
	case RQ_WL_SURFACE_COMMIT:
		objects_get(&c->objects, m->id)->sent = 0;
		return VERDICT_PASS;
	default:
		return VERDICT_PASS;
	}
}

enum verdict bounds_window(struct client *c)
{
	if (c->windows == CLIENT_WINDOWS_MAX)
		return client_bad(c, BAD_MEMORY, "too many windows");
	c->windows++;
	return VERDICT_PASS;
}

void bounds_window_gone(struct client *c)
{
	c->windows--;
}
