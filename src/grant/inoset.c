/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inodes that are kept in mind.  See inoset.h. */
#include "grant/inoset.h"

#include <stdlib.h>

#define ROOM_FIRST 256u
#define ROOM_MAX 1048576u

/* Where it is, or where it would be; there is always a free slot. */
static struct inoset_slot *place(const struct inoset *s, uint32_t dev,
				 uint64_t ino)
{
	/* Inode numbers come in rows: spread them. */
	uint64_t h = (ino ^ (uint64_t)dev << 40) * 0x9e3779b97f4a7c15u;
	size_t i = (size_t)(h >> 32) & (s->room - 1);

	while (s->slots[i].ino &&
	       (s->slots[i].ino != ino || s->slots[i].dev != dev))
		i = (i + 1) & (s->room - 1);
	return &s->slots[i];
}

static bool grow(struct inoset *s)
{
	struct inoset more = {.room = s->room ? 2 * s->room : ROOM_FIRST};

	if (more.room > ROOM_MAX)
		return false;
	more.slots = calloc(more.room, sizeof(*more.slots));
	if (!more.slots)
		return false;
	for (size_t i = 0; i < s->room; i++)
		if (s->slots[i].ino)
			*place(&more, s->slots[i].dev, s->slots[i].ino) =
				s->slots[i];
	free(s->slots);
	s->slots = more.slots;
	s->room = more.room;
	return true;
}

uint32_t inoset_add(struct inoset *s, uint32_t dev, uint64_t ino)
{
	struct inoset_slot *at = inoset_find(s, dev, ino);

	if (!at) {
		if (!ino || (4 * s->n >= 3 * s->room && !grow(s))) {
			s->full = true;
			return 0;
		}
		at = place(s, dev, ino);
		at->ino = ino;
		at->dev = dev;
		s->n++;
	}
	return ++at->count;
}

struct inoset_slot *inoset_find(const struct inoset *s, uint32_t dev,
				uint64_t ino)
{
	struct inoset_slot *at;

	if (!s->room || !ino)
		return NULL;
	at = place(s, dev, ino);
	return at->ino ? at : NULL;
}

void inoset_free(struct inoset *s)
{
	free(s->slots);
	*s = (struct inoset){0};
}
