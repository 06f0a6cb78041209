/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What selection.c knows of a client: its sources, its devices, and offers of
 * the compositor that the client has not heard of.
 */
#ifndef EDGE_WAYLAND_OFFERS_H
#define EDGE_WAYLAND_OFFERS_H

#include "filter.h"

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of one client, each.  What a source has beyond is not remembered. */
#define OFFERS_SOURCES 16u
#define OFFERS_DEVICES 16u
#define OFFERS_HELD 8u
#define OFFERS_MIMES_MAX 8192u /* bytes of one's MIME types */
#define OFFERS_MIME_MAX 4000u  /* of one type: it must fit in a message */
/* While more than so many bytes wait for a client it hears of no changes. */
#define OFFERS_LATE (64u * 1024)

/* The same of the clipboard and of the primary selection. */
struct offers_kind {
	uint16_t device, source, offer;			/* interfaces */
	unsigned set_selection, receive, destroy_offer; /* requests */
	unsigned add_mime;
	unsigned data_offer, selection, mime, send, cancelled; /* events */
};

extern const struct offers_kind offers_kinds[SELECTIONS];

struct mimes {
	struct buf text; /* owned; each with its NUL */
};

struct source {
	uint32_t id; /* 0: this row is free */
	struct mimes mimes;
	uint32_t drag;	      /* drag.h; 0: it is not dragged */
	const char *accepted; /* in mimes: by who it is dragged over; or NULL */
};

struct device {
	uint32_t id; /* 0: this row is free */
	enum selection_kind kind;
	uint32_t version;
	uint32_t shown; /* generation of the selection it was told of */
	bool late;	/* it is to be told of the selection, when it reads */
	bool drag_hidden;
	uint32_t dragged; /* the hidden offer over it; 0: none */
};

struct held {
	uint32_t theirs; /* 0: this row is free */
	enum selection_kind kind;
	struct mimes mimes;
	uint32_t drag; /* of the VM itself; 0: of others */
	bool has_actions;
	uint32_t actions;
};

struct selection_client {
	struct source sources[OFFERS_SOURCES];
	struct device devices[OFFERS_DEVICES];
	struct held held[OFFERS_HELD];
	size_t oldest; /* of held: the next to give way */
};

static inline bool offers_may(const struct client *c,
			      enum wayland_clipboard way)
{
	return ((unsigned)c->filter->policy->clipboard & way) == way;
}

/* NULL, and the client is over, without memory. */
struct selection_client *offers_of(struct client *c);
/* SELECTIONS if it is of neither kind. */
enum selection_kind offers_kind_of(uint16_t interface);

/* Remembers one more MIME type, if there is room and it is not too long. */
void mimes_add(struct mimes *m, const struct wire_arg *a);
/* That type among them, or NULL; good until one is added. */
const char *mimes_find(const struct mimes *m, const struct wire_arg *a);

/* The client's source with that id, or NULL. */
struct source *offers_source(struct client *c, uint32_t id);

/* Hides an offer of the compositor's; another one gives way if need be. */
enum verdict offers_hold(struct client *c, uint32_t theirs,
			 enum selection_kind kind);
/* The held one, or NULL: null, or the client knows it. */
struct held *offers_held(struct client *c, uint32_t theirs);
/*
 * Tells the client of it, as the compositor told us, but for the types.  It is
 * the offer's new id, or 0: the client has too many, and the offer is held
 * still; or it is over.
 */
uint32_t offers_reveal(struct client *c, const struct device *d, struct held *h,
		       const struct mimes *mimes);
/* Tells the compositor that nobody wants it. */
void offers_discard(struct client *c, struct held *h);

/* Its source is used no more. */
void offers_cancel(struct client *c, enum selection_kind kind, uint32_t source);
/* The source's client is to write what was asked for; takes fds[0] if DONE. */
enum verdict offers_send(struct client *owner, enum selection_kind kind,
			 const struct source *s, const struct wire_arg *mime,
			 int *fds);

/* Tells the client of the VM's own selection, or that there is none; soon. */
void offers_present(struct client *c, struct device *d);

#endif
