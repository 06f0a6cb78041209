/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Messages of the Wayland wire, by the tables: pure, and strict where
 * libwayland is not (nothing may follow the last argument).
 *
 * A message is u32 object, u32 size << 16 | opcode, arguments in multiples of
 * four bytes, all in the host's byte order.
 */
#ifndef EDGE_WAYLAND_WIRE_H
#define EDGE_WAYLAND_WIRE_H

#include "protocol.h"

#include <stddef.h>
#include <stdint.h>

#define WIRE_HEADER 8u
#define WIRE_MAX 65532u /* what 16 bits in multiples of four can say */
#define WIRE_LIBWAYLAND_MAX 4096u /* what it makes, and takes by itself */
/* Ids from here on are given by the compositor. */
#define WIRE_SERVER_ID 0xff000000u

struct wire_arg {
	uint32_t value;	   /* i u f o n; the length of s and a */
	const char *text;  /* s, without its NUL in value; NULL: null.  a */
	unsigned char *at; /* of the argument's first word, in the message */
};

struct wire_message {
	uint32_t id;
	unsigned opcode;
	size_t size;
	unsigned char *bytes; /* borrowed; size of them */
	const struct protocol_message *proto;
	unsigned n_args;
	struct wire_arg args[PROTOCOL_ARGS_MAX];
};

enum wire_got {
	WIRE_MORE, /* bytes are needed */
	WIRE_BAD,  /* no such message can be */
	WIRE_ONE,
};

static inline uint32_t wire_u32(const unsigned char *p)
{
	uint32_t v;

	__builtin_memcpy(&v, p, sizeof(v));
	return v;
}

static inline void wire_set_u32(unsigned char *p, uint32_t v)
{
	__builtin_memcpy(p, &v, sizeof(v));
}

/* The header of the message that begins at p. */
enum wire_got wire_next(unsigned char *p, size_t n, struct wire_message *m);
/* The arguments of m by m->proto.  0, or -1: they are not what it says. */
int wire_args(struct wire_message *m);

/*
 * Building one: begin, arguments, end.  The room is the caller's; what does not
 * fit makes wire_end() return 0.
 */
struct wire_build {
	unsigned char *p;
	size_t at, room;
	unsigned opcode;
};

void wire_begin(struct wire_build *b, void *room, size_t n, uint32_t id,
		unsigned opcode);
void wire_put(struct wire_build *b, uint32_t v);
/* n bytes of text; NUL and padding are added. */
void wire_put_text(struct wire_build *b, const char *text, size_t n);
/* The size of the message, or 0. */
size_t wire_end(struct wire_build *b);

#endif
