/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Globals: what the policy does not name is not there.  Sealed, as U. */
#include "filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* wl_registry.global */
enum { OF_NAME, OF_INTERFACE, OF_VERSION };

/* For `vmrunctl wayland`: one row for an interface. */
static void note(struct filter *f, const struct wire_arg *interface,
		 uint32_t theirs, uint32_t offered)
{
	struct filter_seen *s = f->seen;

	if (interface->value >= sizeof(s->interface))
		return;
	for (size_t i = 0; i < f->n_seen; i++)
		if (!strcmp(s[i].interface, interface->text))
			return;
	if (f->n_seen == FILTER_SEEN_MAX)
		return;
	s += f->n_seen++;
	memcpy(s->interface, interface->text, (size_t)interface->value + 1);
	s->theirs = theirs;
	s->offered = offered;
}

static struct client_global *find(struct client *c, uint32_t name)
{
	for (size_t i = 0; i < c->n_globals; i++)
		if (c->globals[i].name == name)
			return &c->globals[i];
	return NULL;
}

/* The last row, in place of the removed global that was there first. */
static struct client_global *reuse(struct client *c)
{
	struct client_global *g = c->globals, *end = g + c->n_globals;

	while (g < end && !g->removed)
		g++;
	if (g == end)
		return NULL;
	memmove(g, g + 1, (size_t)(end - g - 1) * sizeof(*g));
	return end - 1;
}

static struct client_global *add(struct client *c)
{
	size_t n = c->n_globals + 1;
	void *more;

	if (n > CLIENT_GLOBALS_MAX)
		return reuse(c);
	more = realloc(c->globals, n * sizeof(*c->globals));
	if (!more)
		return NULL;
	c->globals = more;
	c->n_globals = n;
	return &c->globals[n - 1];
}

enum verdict registry_global(struct client *c, const struct wire_message *m)
{
	const struct wire_arg *a = m->args;
	uint16_t i = protocol_find(a[OF_INTERFACE].text, a[OF_INTERFACE].value);
	uint32_t version = 0;
	struct client_global *g;

	if (i != PROTOCOL_ANY) {
		version = c->filter->allowed[i];
		if (version > a[OF_VERSION].value)
			version = a[OF_VERSION].value;
	}
	note(c->filter, &a[OF_INTERFACE], a[OF_VERSION].value, version);
	if (!version)
		return VERDICT_DROP;
	/* A second registry of the client is told of the same globals. */
	g = find(c, a[OF_NAME].value);
	if (!g)
		g = add(c);
	if (!g)
		return VERDICT_DROP;
	*g = (struct client_global){
		.name = a[OF_NAME].value,
		.interface = i,
		.version = version,
	};
	wire_set_u32(a[OF_VERSION].at, version);
	return VERDICT_PASS;
}

enum verdict registry_remove(struct client *c, const struct wire_message *m)
{
	struct client_global *g = find(c, m->args[OF_NAME].value);

	if (!g)
		return VERDICT_DROP;
	/* Its row stays, if there is room: a bind may be under way, and is not
	 * our business. */
	g->removed = true;
	return VERDICT_PASS;
}

enum verdict registry_bind(struct client *c, const struct wire_message *m)
{
	enum { OF_ID = 3 };
	const struct wire_arg *a = m->args;
	const struct client_global *g = find(c, a[OF_NAME].value);

	if (!g)
		return client_bad(c, BAD_OBJECT, "global %u is not there",
				  a[OF_NAME].value);
	if (protocol_find(a[OF_INTERFACE].text, a[OF_INTERFACE].value) !=
	    g->interface)
		return client_bad(c, BAD_OBJECT, "global %u is a %s",
				  a[OF_NAME].value,
				  protocol[g->interface].name);
	if (!a[OF_VERSION].value || a[OF_VERSION].value > g->version)
		return client_bad(c, BAD_OBJECT, "%s has version %u, not %u",
				  protocol[g->interface].name, g->version,
				  a[OF_VERSION].value);
	if (!objects_may_add(&c->objects, a[OF_ID].value))
		return client_bad(c, BAD_OBJECT, "%u is no new object",
				  a[OF_ID].value);
	if (!objects_add(&c->objects, a[OF_ID].value, g->interface,
			 a[OF_VERSION].value))
		return client_bad(c, BAD_MEMORY, "no memory");
	return VERDICT_PASS;
}
