/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Wayland wire.  Runs in vmrun-wayland as U, on guest bytes; pure. */
#include "wire.h"

#include <stdbool.h>
#include <string.h>

enum wire_got wire_next(unsigned char *p, size_t n, struct wire_message *m)
{
	uint32_t word;

	if (n < WIRE_HEADER)
		return WIRE_MORE;
	word = wire_u32(p + 4);
	m->id = wire_u32(p);
	m->opcode = word & 0xffff;
	m->size = word >> 16;
	m->bytes = p;
	if (m->size < WIRE_HEADER || m->size % 4)
		return WIRE_BAD;
	return n < m->size ? WIRE_MORE : WIRE_ONE;
}

/* A string or array at *at of the message; false if it does not fit. */
static bool get_bytes(struct wire_message *m, size_t *at, struct wire_arg *a)
{
	size_t padded = ((size_t)a->value + 3) & ~(size_t)3;

	if (padded > m->size - *at)
		return false;
	a->text = (const char *)m->bytes + *at;
	*at += padded;
	return true;
}

/* The bytes that a string's length counts: the last one is its only NUL. */
static bool is_string(struct wire_arg *a, bool may_be_null)
{
	if (!a->value) {
		a->text = NULL;
		return may_be_null;
	}
	a->value--;
	return memchr(a->text, '\0', (size_t)a->value + 1) ==
	       a->text + a->value;
}

int wire_args(struct wire_message *m)
{
	const char *types = m->proto->types;
	size_t at = WIRE_HEADER;
	unsigned n = 0;

	for (; types[n]; n++) {
		struct wire_arg *a = &m->args[n];

		a->text = NULL;
		a->value = 0;
		if (types[n] == 'h')
			continue;
		if (m->size - at < 4)
			return -1;
		a->at = m->bytes + at;
		a->value = wire_u32(a->at);
		at += 4;
		switch (types[n]) {
		case 's':
		case 'S':
			if (!get_bytes(m, &at, a) ||
			    !is_string(a, types[n] == 'S'))
				return -1;
			break;
		case 'a':
			if (!get_bytes(m, &at, a))
				return -1;
			break;
		default: /* a word */
			break;
		}
	}
	m->n_args = n;
	return at == m->size ? 0 : -1;
}

void wire_begin(struct wire_build *b, void *room, size_t n, uint32_t id,
		unsigned opcode)
{
	*b = (struct wire_build){.p = room, .room = n, .opcode = opcode};
	wire_put(b, id);
	wire_put(b, 0);
}

void wire_put(struct wire_build *b, uint32_t v)
{
	if (b->at + 4 <= b->room)
		wire_set_u32(b->p + b->at, v);
	b->at += 4;
}

void wire_put_text(struct wire_build *b, const char *text, size_t n)
{
	size_t padded = (n + 1 + 3) & ~(size_t)3;

	wire_put(b, (uint32_t)n + 1);
	if (b->at + padded <= b->room) {
		memset(b->p + b->at, 0, padded);
		memcpy(b->p + b->at, text, n);
	}
	b->at += padded;
}

size_t wire_end(struct wire_build *b)
{
	if (b->at > b->room || b->at > WIRE_MAX)
		return 0;
	wire_set_u32(b->p + 4, (uint32_t)b->at << 16 | b->opcode);
	return b->at;
}
