/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The filter: what passes between a client of the guest and the compositor.
 *
 * Theory of operation
 *
 * Each client of the guest has a connection of its own to the compositor.  A
 * message is checked against the tables and the objects of the client, shown
 * to the modules that have a say in it, and then copied, with the ids of the
 * compositor's objects exchanged (objects.h), or left out.
 *
 *     registry.c   which globals are there
 *     shm.c        shared memory
 *     copy.c       copies of it
 *     bounds.c     what would cost the compositor more than it does the client
 *     selection.c  clipboard, primary selection, drag and drop
 *     drag.c       drags that begin in the VM
 *     mark.c       what a window is called
 *
 * What a client may not send ends it: it gets wl_display.error, nothing more of
 * it is passed on, and the log has one line.  What the compositor may not send
 * ends the client too: what we do not understand we cannot filter.
 *
 * No sockets are needed: client_from_guest() and client_from_host() take bytes
 * and leave bytes in the links' queues.
 */
#ifndef EDGE_WAYLAND_FILTER_H
#define EDGE_WAYLAND_FILTER_H

#include "link.h"
#include "objects.h"
#include "wire.h"

#include "base/buf.h"
#include "base/log.h"
#include "wire/wayland.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a client can make us use, in all: filter.c adds it up. */
#define CLIENT_MEMORY_MAX (2368u * 1024)
/* While so many bytes wait for one side the other one is not read. */
#define CLIENT_TO_HOST_HIGH (128u * 1024)
#define CLIENT_TO_HOST_MAX (384u * 1024)
#define CLIENT_TO_GUEST_HIGH (512u * 1024)
#define CLIENT_TO_GUEST_MAX (640u * 1024)
#define CLIENT_WHY_MAX 160u

#define FILTER_SEEN_MAX 128u

/*
 * What a client may have copied (copy.c) before the others are heard; bytes.
 * A 4K screen's frame goes in one turn, of some ten milliseconds.
 */
#define FILTER_TURN (64u << 20)
#define CLIENT_GLOBALS_MAX 256u
/*
 * Of the descriptors that the process may have (8192), what sockets and queues
 * of WAYLAND_CLIENTS_MAX clients leave.
 */
#define FILTER_FILES_MAX 3500u
/*
 * Pools that the compositor may have mapped for one VM, those included of which
 * only buffers are left: a process has 65,530 mappings (vm.max_map_count), and
 * one that gets no more crashes.
 */
#define FILTER_POOLS_MAX 8192u

/*
 * Rectangles of a wl_region, and of a surface's damage until it is committed:
 * those who draw by rectangles have a few dozen.  A compositor's work for them
 * grows with the third power.
 */
#define CLIENT_RECTS_MAX 128u
/* Windows and popups of a client. */
#define CLIENT_WINDOWS_MAX 256u

enum selection_kind { SELECTION_CLIPBOARD, SELECTION_PRIMARY, SELECTIONS };

/* The VM's own selection of a kind: selection.c. */
struct selection {
	struct client *owner; /* NULL: none */
	uint32_t source;      /* the owner's object */
	uint32_t generation;  /* counts its changes, from 1 */
};

struct filter {
	const struct wayland_policy *policy; /* borrowed */
	/* Highest version of each interface's global; 0: hidden. */
	uint32_t allowed[PROTOCOL_INTERFACES];
	struct filter_seen {
		char interface[WAYLAND_INTERFACE_MAX];
		uint32_t theirs, offered;
	} seen[FILTER_SEEN_MAX];
	size_t n_seen;
	struct wayland_counts counts;
	uint64_t copied; /* bytes of all clients' buffers: copy.c */
	size_t files;	 /* that all clients' pools keep open: shm.c */
	size_t pools;	 /* of all clients */
	/* A client's turn, set by the caller, and what is left of it; bytes. */
	size_t turn, left;
	struct selection selection[SELECTIONS];
	uint32_t drags;	    /* so many have begun: drag.h */
	uint64_t secret[2]; /* random, set by the caller; no guest knows it */
	/* Monotonic, set by the caller; when the keyboard left a window. */
	uint64_t now_ms, left_ms;
	struct client *clients[WAYLAND_CLIENTS_MAX]; /* owned */
	void (*log)(void *ctx, enum log_level level, const char *text);
	void *ctx;
};

struct client_global {
	uint32_t name;
	uint16_t interface;
	uint32_t version; /* offered */
	bool removed;
};

#define CLIENT_SHM_MAX (106u * 1024) /* of the tables of shm.c */
struct shm;			     /* shm.c */
struct selection_client;	     /* selection.c */

struct client {
	struct filter *filter; /* borrowed */
	uint32_t number;
	struct link guest, host;
	struct objects objects;
	struct client_global *globals; /* owned */
	size_t n_globals;
	unsigned windows;		     /* and popups: bounds.c */
	struct shm *shm;		     /* owned; NULL until used */
	struct selection_client *selections; /* owned; NULL until used */
	/* So many of its keyboards are in its windows; the first came from
	 * others of the VM's; when. */
	unsigned keyboards;
	bool from_inside;
	uint64_t entered_ms;
	bool over;  /* nothing more is taken from either side */
	bool later; /* its turn is over: whole messages are left */
	char why[CLIENT_WHY_MAX];
};

/* What a module says of a message. */
enum verdict {
	VERDICT_PASS,
	VERDICT_DROP, /* its descriptors are closed */
	VERDICT_DONE, /* the module took the message and its descriptors */
	/* Only some of it was done; to be asked again: no descriptors. */
	VERDICT_LATER,
	VERDICT_BAD, /* client_bad() was called */
};

/* policy is borrowed; globals that are not in the tables are logged. */
void filter_init(struct filter *f, const struct wayland_policy *policy,
		 void (*log)(void *, enum log_level, const char *), void *ctx);
/* Ends every client. */
void filter_free(struct filter *f);

/* NULL without memory, or if there are as many as the policy allows. */
struct client *client_new(struct filter *f, uint32_t number);
void client_free(struct client *c);

/*
 * Takes the whole messages that are in p[0..n), which it may change.  Returns
 * how many bytes that were, or -1: the client is over, and if the fault is the
 * guest's, its wl_display.error is in the queue.  What takes time ends the
 * guest's turn: then `later` is set, and the rest is to be given again.
 */
ssize_t client_from_guest(struct client *c, unsigned char *p, size_t n);
ssize_t client_from_host(struct client *c, unsigned char *p, size_t n);

/* Ends the client with code (of wl_display.error) and a text of ours. */
enum verdict client_bad(struct client *c, uint32_t code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* wl_display.error codes */
enum {
	BAD_OBJECT = 0,
	BAD_METHOD = 1,
	BAD_MEMORY = 2,
	BAD_IMPLEMENTATION = 3,
};
/* For a client that is not yet joined to the compositor, or over. */
void client_error(struct client *c, uint32_t code, const char *text);

/* For the modules: messages of our own, and those that they changed. */
void client_to_guest(struct client *c, const void *p, size_t n, const int *fds,
		     size_t n_fds);
void client_to_host(struct client *c, const void *p, size_t n, const int *fds,
		    size_t n_fds);
/* An object is gone, by a destructor or by delete_id. */
void client_gone(struct client *c, uint32_t id, const struct object *o);

/* registry.c */
enum verdict registry_global(struct client *c, const struct wire_message *m);
enum verdict registry_remove(struct client *c, const struct wire_message *m);
enum verdict registry_bind(struct client *c, const struct wire_message *m);

/* bounds.c: m may be changed. */
enum verdict bounds_region(struct client *c, const struct wire_message *m);
enum verdict bounds_surface(struct client *c, const struct wire_message *m);
/* A window or a popup is made. */
enum verdict bounds_window(struct client *c);
void bounds_window_gone(struct client *c);

/* shm.c: fds may be exchanged. */
enum verdict shm_request(struct client *c, const struct wire_message *m,
			 uint16_t interface, int *fds);
void shm_gone(struct client *c, const struct object *o);
/* wl_buffer.release of id, which may be destroyed already. */
void shm_released(struct client *c, uint32_t id);
void shm_free(struct client *c);

/* selection.c */
enum verdict selection_request(struct client *c, const struct wire_message *m,
			       uint16_t interface, int *fds);
enum verdict selection_event(struct client *c, struct wire_message *m,
			     uint16_t interface);
/* An event of an object that only we know. */
enum verdict selection_hidden(struct client *c, struct wire_message *m,
			      uint32_t hidden);
enum verdict selection_keyboard(struct client *c, const struct wire_message *m);
/* Of what a client was not told, as too much waited for it. */
void selection_late(struct client *c);
void selection_gone(struct client *c, uint32_t id, const struct object *o);
void selection_free(struct client *c);

#endif
