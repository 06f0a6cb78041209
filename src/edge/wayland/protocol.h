/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the Wayland protocols look like: tables that the build makes from their
 * XML with protocol.awk.  IF_WL_SURFACE is the index of an interface,
 * RQ_WL_SURFACE_ATTACH and EV_WL_SURFACE_ENTER are opcodes.
 */
#ifndef EDGE_WAYLAND_PROTOCOL_H
#define EDGE_WAYLAND_PROTOCOL_H

#include "tables.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROTOCOL_ANY UINT16_MAX /* no interface, or any */
#define PROTOCOL_ARGS_MAX 20

struct protocol_message {
	const char *name;
	/*
	 * A letter for each argument: i u f(ixed), s(tring), a(rray), o(bject),
	 * n(ew id), h (descriptor).  S and O may be null.
	 */
	const char *types;
	const uint16_t *interfaces; /* of each argument that is o, O or n */
	uint8_t since;		    /* version of the interface */
	uint8_t fds;		    /* how many h */
	bool destructor;
};

struct protocol_interface {
	const char *name;
	uint32_t version;
	const struct protocol_message *requests;
	unsigned n_requests;
	const struct protocol_message *events;
	unsigned n_events;
};

extern const struct protocol_interface protocol[PROTOCOL_INTERFACES];

/* Index of the interface of that name, or PROTOCOL_ANY. */
uint16_t protocol_find(const char *name, size_t n);

#endif
