/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The objects of one client, as the filter and both sides see them.
 *
 * Theory of operation
 *
 * Ids that the client gives (1 to 0xfeffffff) mean the same on both sides.  A
 * new one must be free, and the lowest that was never used or one that was
 * freed, as libwayland has it.  A destructor makes it a ZOMBIE, to which
 * events may still be under way; it is FREE when the compositor's
 * wl_display.delete_id for it passes by, so that no side ever takes one object
 * for another.
 *
 * Ids that the compositor gives (from 0xff000000) are exchanged: the filter
 * must hide some of its objects, and has some of its own, and a client takes
 * ids without gaps only.  An id of the compositor's (theirs) leads to one that
 * the client knows (ours) while the object is LIVE.  When the client destroys
 * it, ours is free at once and theirs is forgotten: events to it are dropped,
 * until the compositor gives that id again.
 */
#ifndef EDGE_WAYLAND_OBJECTS_H
#define EDGE_WAYLAND_OBJECTS_H

#include "protocol.h"
#include "wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OBJECTS_MAX 65536u	  /* of the client's */
#define OBJECTS_SERVER_MAX 16384u /* of the compositor's, and our own */

enum object_state {
	OBJECT_FREE,
	OBJECT_LIVE,
	OBJECT_ZOMBIE,
};

struct object {
	uint8_t interface; /* IF_... */
	uint8_t version;
	uint8_t state; /* enum object_state */
	uint8_t sent;  /* so many rectangles, for bounds.c; 0 at first */
	uint32_t data; /* for the interface's module; 0 at first */
};

struct server_object {
	struct object o;
	uint32_t theirs; /* the compositor's id of it; 0: it is our own */
};

struct objects {
	struct object *client; /* owned; by id, the first is never used */
	size_t n_client, cap_client;
	struct server_object *server; /* owned; by ours - WIRE_SERVER_ID */
	size_t n_server;
	size_t low;	  /* no server object below it is free */
	uint32_t *theirs; /* owned; by theirs - WIRE_SERVER_ID: below */
	size_t n_theirs;
};

/* What objects_theirs() says of an id that the client does not know. */
enum {
	THEIRS_NONE = 0,   /* was never given */
	THEIRS_GONE = 1,   /* destroyed on our side */
	THEIRS_HIDDEN = 2, /* and up: a hidden one, with a number of its own */
	THEIRS_HIDDEN_LAST = 0xffff,
};

/* With wl_display as object 1.  -1 without memory. */
int objects_init(struct objects *o);
void objects_free(struct objects *o);

/* The object with that id of the client's view, or NULL if it is free. */
struct object *objects_get(struct objects *o, uint32_t id);
/* The same if it is LIVE and of that interface. */
struct object *objects_live(struct objects *o, uint32_t id, uint16_t interface);

/* May the client give this id?  */
bool objects_may_add(const struct objects *o, uint32_t id);
/* Makes it LIVE; NULL without memory.  Pointers of objects_get() are stale. */
struct object *objects_add(struct objects *o, uint32_t id, uint16_t interface,
			   unsigned version);
/* After a destructor: ZOMBIE, or free if it is a server object. */
void objects_destroyed(struct objects *o, uint32_t id);
/* delete_id: free.  -1 if the id is no client's, or free already. */
int objects_delete(struct objects *o, uint32_t id);

/*
 * An object of the compositor's (theirs) or our own (theirs 0): returns the id
 * that the client will know it by, or 0 if there are too many.
 */
uint32_t objects_announce(struct objects *o, uint32_t theirs,
			  uint16_t interface, unsigned version);
/* theirs is known to us alone.  -1: too many */
int objects_hide(struct objects *o, uint32_t theirs, uint32_t hidden);
/* A hidden one is no more. */
void objects_forget(struct objects *o, uint32_t theirs);
/* Ours for an id of the compositor's, or one of THEIRS_... */
uint32_t objects_ours(const struct objects *o, uint32_t theirs);
/* The compositor's id for ours; ours itself below WIRE_SERVER_ID. */
uint32_t objects_theirs(const struct objects *o, uint32_t ours);

#endif
