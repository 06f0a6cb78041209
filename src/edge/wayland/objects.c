/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ids and what they stand for.  Runs in vmrun-wayland as U; pure. */
#include "objects.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static_assert(PROTOCOL_INTERFACES <= UINT8_MAX, "struct object's interface");

int objects_init(struct objects *o)
{
	memset(o, 0, sizeof(*o));
	if (!objects_add(o, 0, IF_WL_DISPLAY, 1))
		return -1;
	o->client[0].state = OBJECT_FREE;
	return objects_add(o, 1, IF_WL_DISPLAY, 1) ? 0 : -1;
}

void objects_free(struct objects *o)
{
	free(o->client);
	free(o->server);
	free(o->theirs);
	memset(o, 0, sizeof(*o));
}

struct object *objects_get(struct objects *o, uint32_t id)
{
	struct object *found = NULL;

	if (id >= WIRE_SERVER_ID) {
		if (id - WIRE_SERVER_ID < o->n_server)
			found = &o->server[id - WIRE_SERVER_ID].o;
	} else if (id < o->n_client) {
		found = &o->client[id];
	}
	return found && found->state != OBJECT_FREE ? found : NULL;
}

struct object *objects_live(struct objects *o, uint32_t id, uint16_t interface)
{
	struct object *found = objects_get(o, id);

	return found && found->state == OBJECT_LIVE && found->interface == interface ? found
										     : NULL;
}

bool objects_may_add(const struct objects *o, uint32_t id)
{
	if (!id || id > o->n_client || id >= OBJECTS_MAX)
		return false;
	return id == o->n_client || o->client[id].state == OBJECT_FREE;
}

struct object *objects_add(struct objects *o, uint32_t id, uint16_t interface,
			   unsigned version)
{
	if (id >= o->cap_client) {
		size_t cap = o->cap_client ? o->cap_client * 2 : 64;
		void *more = realloc(o->client, cap * sizeof(*o->client));

		if (!more)
			return NULL;
		o->client = more;
		o->cap_client = cap;
	}
	if (id == o->n_client)
		o->n_client++;
	o->client[id] = (struct object){
		.interface = (uint8_t)interface,
		.version = (uint8_t)version,
		.state = OBJECT_LIVE,
	};
	return &o->client[id];
}

void objects_destroyed(struct objects *o, uint32_t id)
{
	struct server_object *s;

	if (id < WIRE_SERVER_ID) {
		o->client[id].state = OBJECT_ZOMBIE;
		return;
	}
	s = &o->server[id - WIRE_SERVER_ID];
	if (s->theirs)
		o->theirs[s->theirs - WIRE_SERVER_ID] = THEIRS_GONE;
	memset(s, 0, sizeof(*s));
	if (id - WIRE_SERVER_ID < o->low)
		o->low = id - WIRE_SERVER_ID;
}

int objects_delete(struct objects *o, uint32_t id)
{
	/* The display itself is never deleted. */
	if (id < 2 || id >= o->n_client || o->client[id].state == OBJECT_FREE)
		return -1;
	memset(&o->client[id], 0, sizeof(o->client[id]));
	return 0;
}

/* Room for one more of theirs, which may leave no gap. */
static int make_theirs(struct objects *o, uint32_t theirs)
{
	size_t at = theirs - WIRE_SERVER_ID;
	void *more;

	if (theirs < WIRE_SERVER_ID || at > o->n_theirs ||
	    at >= OBJECTS_SERVER_MAX)
		return -1;
	if (at < o->n_theirs) {
		uint32_t ours = o->theirs[at];

		/* Given again though the client has not destroyed it. */
		if (ours >= WIRE_SERVER_ID)
			o->server[ours - WIRE_SERVER_ID].theirs = 0;
		return 0;
	}
	more = realloc(o->theirs, (o->n_theirs + 1) * sizeof(*o->theirs));
	if (!more)
		return -1;
	o->theirs = more;
	o->theirs[o->n_theirs++] = THEIRS_NONE;
	return 0;
}

/* The index of a free one of ours: the lowest, as it leaves no gap. */
static size_t pick_ours(struct objects *o)
{
	while (o->low < o->n_server && o->server[o->low].o.state != OBJECT_FREE)
		o->low++;
	return o->low;
}

uint32_t objects_announce(struct objects *o, uint32_t theirs,
			  uint16_t interface, unsigned version)
{
	size_t i = pick_ours(o);

	if (i >= OBJECTS_SERVER_MAX || (theirs && make_theirs(o, theirs) < 0))
		return 0;
	if (i == o->n_server) {
		void *more = realloc(o->server, (i + 1) * sizeof(*o->server));

		if (!more)
			return 0;
		o->server = more;
		o->n_server++;
	}
	o->server[i] = (struct server_object){
		.o = {.interface = (uint8_t)interface,
		      .version = (uint8_t)version,
		      .state = OBJECT_LIVE},
		.theirs = theirs,
	};
	if (theirs)
		o->theirs[theirs - WIRE_SERVER_ID] =
			WIRE_SERVER_ID + (uint32_t)i;
	return WIRE_SERVER_ID + (uint32_t)i;
}

int objects_hide(struct objects *o, uint32_t theirs, uint32_t hidden)
{
	if (make_theirs(o, theirs) < 0)
		return -1;
	o->theirs[theirs - WIRE_SERVER_ID] = THEIRS_HIDDEN + hidden;
	return 0;
}

void objects_forget(struct objects *o, uint32_t theirs)
{
	if (theirs >= WIRE_SERVER_ID && theirs - WIRE_SERVER_ID < o->n_theirs)
		o->theirs[theirs - WIRE_SERVER_ID] = THEIRS_GONE;
}

uint32_t objects_ours(const struct objects *o, uint32_t theirs)
{
	if (theirs < WIRE_SERVER_ID || theirs - WIRE_SERVER_ID >= o->n_theirs)
		return THEIRS_NONE;
	return o->theirs[theirs - WIRE_SERVER_ID];
}

uint32_t objects_theirs(const struct objects *o, uint32_t ours)
{
	return ours < WIRE_SERVER_ID ? ours
				     : o->server[ours - WIRE_SERVER_ID].theirs;
}
