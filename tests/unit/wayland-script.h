/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A filter in this process, and scripts of what its clients and the compositor
 * send: no sockets.
 */
#ifndef TESTS_UNIT_WAYLAND_SCRIPT_H
#define TESTS_UNIT_WAYLAND_SCRIPT_H

#include "filter.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Names of the globals that the script's compositor has. */
enum {
	G_COMPOSITOR = 1,
	G_SHM,
	G_WM,
	G_SEAT,
	G_DATA,
	G_PRIMARY,
	G_TABLET,
	G_OUTPUT,
	G_SCREENCOPY,
	G_UNKNOWN,
};

/* Objects of script_client(), in the order in which they are made. */
enum {
	DISPLAY = 1,
	REGISTRY,
	COMPOSITOR,
	SHM,
	WM,
	SEAT,
	DATA,
	PRIMARY,
	TABLET,
	KEYBOARD,
	DEVICE,
	PRIMARY_DEVICE,
	SURFACE,
	NEXT, /* the first that is free */
};
#define SERVER 0xff000000u

struct script {
	struct wayland_policy policy;
	struct filter filter;
	char log[1024]; /* the last line */
	unsigned logs;
	bool bytewise; /* feed single bytes */
	bool waits;    /* no turn after the first */
};

void script_start(struct script *s, enum wayland_clipboard clipboard);
void script_end(struct script *s);

/* A client that has everything above; its queues are empty. */
struct client *script_client(struct script *s);
/* One that has done nothing yet. */
struct client *script_bare(struct script *s);

/*
 * A message of the guest, or of the compositor: arguments by `types`, of which
 * each letter takes one: u and i, o, n: a number; s: a string; S: NULL; h: a
 * descriptor, which is taken; a: 0, for an empty array.
 */
void from_guest(struct client *c, uint32_t id, unsigned opcode,
		const char *types, ...);
void from_host(struct client *c, uint32_t id, unsigned opcode,
	       const char *types, ...);
/* Another turn, if it has not done all; else false. */
bool turn(struct client *c);
/* Bytes as they are. */
void raw_from_guest(struct client *c, const void *p, size_t n);

/*
 * What waits for that side, as text, one message after another:
 * "13.1(5,0,0) 7.2(text)"; descriptors as "<fd>".  The queue is empty after.
 * Ids are those that the side sees; types come from the tables, so the object
 * must be known: for others the words are shown.
 */
const char *to_host(struct client *c);
const char *to_guest(struct client *c);
/* The descriptor that the last to_host() or to_guest() saw, or -1. */
int seen_fd(void);

/* A memory file of so many bytes; with seals allowed, or not. */
int memory_file(size_t size, bool sealable);

#endif
