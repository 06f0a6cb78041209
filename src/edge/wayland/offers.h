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
};

struct device {
	uint32_t id; /* 0: this row is free */
	enum selection_kind kind;
	uint32_t version;
	uint32_t shown; /* generation of the selection it was told of */
	bool drag_hidden;
};

struct held {
	uint32_t theirs; /* 0: this row is free */
	enum selection_kind kind;
	struct mimes mimes;
	bool has_actions;
	uint32_t actions;
};

struct selection_client {
	struct source sources[OFFERS_SOURCES];
	struct device devices[OFFERS_DEVICES];
	struct held held[OFFERS_HELD];
	size_t oldest; /* of held: the next to give way */
};

/* NULL, and the client is over, without memory. */
struct selection_client *offers_of(struct client *c);
/* SELECTIONS if it is of neither kind. */
enum selection_kind offers_kind_of(uint16_t interface);

/* Remembers one more MIME type, if there is room. */
void mimes_add(struct mimes *m, const struct wire_arg *a);
bool mimes_have(const struct mimes *m, const struct wire_arg *a);

/* The client's source with that id, or NULL. */
struct source *offers_source(struct client *c, uint32_t id);

/* Hides an offer of the compositor's; another one gives way if need be. */
enum verdict offers_hold(struct client *c, uint32_t theirs,
			 enum selection_kind kind);
/* The held one, or NULL: null, or the client knows it. */
struct held *offers_held(struct client *c, uint32_t theirs);
/* Tells the client of it, as the compositor told us. */
void offers_reveal(struct client *c, const struct device *d, struct held *h);
/* Tells the compositor that nobody wants it. */
void offers_discard(struct client *c, struct held *h);

/* Tells the client of the VM's own selection, or that there is none. */
void offers_present(struct client *c, struct device *d);

#endif
