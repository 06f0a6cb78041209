/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Copies of shared memory that takes no seals.  Sealed, as U; hostile files.
 *
 * Theory of operation
 *
 * At each wl_surface.commit the attached buffer is copied from the client's
 * file with pread(), for which a missing part is no danger: as many rows as
 * may differ from the last copy, if the client says so.
 *
 * A pool may be far larger than what is used of it, and its pages cost nothing
 * before they are.  So what counts is each buffer that was shown, in whole
 * pages, from its first commit on: the compositor may look at all of it, and
 * looking takes memory too where nothing was written.  All clients of the VM
 * share one limit.
 *
 * What a client has copied in a turn is limited, as the others wait: a commit
 * that takes more is done piece by piece, and passed on with the last.
 *
 * A buffer's pages are freed with it, but for those that another one has.  The
 * compositor may show what its client has destroyed, until it sends
 * wl_buffer.release, and never says so of a buffer that is gone: so it hears
 * of the end after it has released the buffer (shm.c).
 */
#include "shm.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * What is kept of a surface, in struct object's data: the number of the buffer,
 * and whether it was attached after the last commit.  No client has so many
 * objects.
 */
#define PENDING (1u << 30)
static_assert(OBJECTS_MAX < PENDING, "a client's number is no flag");

/* Looking at a buffer takes as long as copying so many bytes. */
#define LOOK 16

static void spend(struct filter *f, size_t n)
{
	f->left -= n < f->left ? n : f->left;
}

/* Whole pages of a pool. */
struct pages {
	uint32_t from, to;
};

static struct pages pages_of(const struct buffer *b)
{
	uint32_t less = (uint32_t)sysconf(_SC_PAGESIZE) - 1;
	uint32_t end = b->offset + b->stride * b->rows;

	return (struct pages){b->offset & ~less, (end + less) & ~less};
}

/*
 * The end of a buffer that has the page `at`, or `at`; then *next is less, if
 * another buffer begins before.
 */
static uint32_t end_of_used(const struct shm *s, uint32_t pool, uint32_t at,
			    uint32_t *next)
{
	uint32_t end = at;

	for (size_t i = 0; i < s->n_buffers; i++) {
		const struct buffer *b = &s->buffers[i];
		struct pages has;

		if (!b->used || !b->counted || b->pool != pool)
			continue;
		has = pages_of(b);
		if (has.from <= at && has.to > end)
			end = has.to;
		else if (has.from > at && has.from < *next)
			*next = has.from;
	}
	return end;
}

void copy_gone(struct client *c, const struct buffer *b)
{
	struct pool *p = &c->shm->pools[b->pool];
	struct pages had = pages_of(b);
	uint32_t at = had.from;

	if (!b->counted)
		return;
	while (at < had.to) {
		uint32_t next = had.to;
		uint32_t end = end_of_used(c->shm, b->pool, at, &next);

		/* A guest can make this long as well. */
		spend(c->filter, c->shm->n_buffers * LOOK);

		/* Also of the compositor's mapping, and of the file. */
		if (end == at && madvise(p->copy + at, next - at, MADV_REMOVE))
			return;
		at = end > at ? end : next;
	}
	p->copied -= had.to - had.from;
	c->filter->copied -= had.to - had.from;
}

/* Before the compositor may look at it. */
static enum verdict count(struct client *c, struct buffer *b)
{
	struct filter *f = c->filter;
	struct pages has = pages_of(b);
	uint32_t n = has.to - has.from;

	if (b->counted)
		return VERDICT_PASS;
	if (n > f->policy->copies - f->copied)
		return client_bad(c, BAD_MEMORY,
				  "the VM's windows would take more than "
				  "%" PRIu64 " MiB; close some",
				  f->policy->copies >> 20);
	b->counted = true;
	c->shm->pools[b->pool].copied += n;
	f->copied += n;
	return VERDICT_PASS;
}

/* Every buffer that showed this surface before may now differ from it. */
static void damage(struct shm *s, uint32_t surface, uint32_t row, uint32_t rows)
{
	for (size_t i = 0; i < s->n_buffers; i++) {
		struct buffer *b = &s->buffers[i];
		uint32_t from, to;

		if (!b->used || b->surface != surface || row >= b->rows)
			continue;
		from = row * b->stride;
		to = rows < b->rows - row ? from + rows * b->stride
					  : b->rows * b->stride;
		if (b->from == b->to) {
			b->from = from;
			b->to = to;
			continue;
		}
		b->from = b->from < from ? b->from : from;
		b->to = b->to > to ? b->to : to;
	}
}

/* Rows of wl_surface.damage_buffer: y and height. */
static void damage_rows(struct shm *s, uint32_t surface, uint32_t y,
			uint32_t height)
{
	/* Above the buffer: whatever it is, all of it. */
	if (y > INT32_MAX)
		damage(s, surface, 0, INT32_MAX);
	else if (height <= INT32_MAX)
		damage(s, surface, y, height);
}

/* A buffer with a copy, or NULL. */
static struct buffer *find(struct client *c, uint32_t id)
{
	const struct object *o = objects_live(&c->objects, id, IF_WL_BUFFER);
	struct buffer *b = o && o->data ? &c->shm->buffers[o->data - 1] : NULL;

	return b && c->shm->pools[b->pool].copy ? b : NULL;
}

static void attach(struct client *c, uint32_t surface, uint32_t id)
{
	struct buffer *b = find(c, id);

	objects_get(&c->objects, surface)->data = b ? id | PENDING : 0;
	if (b && b->surface != surface) {
		/* Nothing is known of how it came to be. */
		b->surface = surface;
		b->from = 0;
		b->to = b->rows * b->stride;
	}
}

/* As far as this turn goes; from and to are the same when all is done. */
static void copy(struct client *c, struct buffer *b)
{
	const struct pool *p = &c->shm->pools[b->pool];
	struct filter *f = c->filter;

	while (b->from < b->to && f->left) {
		size_t at = (size_t)b->offset + b->from;
		size_t n = b->to - b->from;
		ssize_t got = pread(p->file, p->copy + at,
				    n < f->left ? n : f->left, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			b->from = b->to; /* that stays as it was */
			break;
		}
		b->from += (uint32_t)got;
		spend(f, (size_t)got);
	}
}

static enum verdict commit(struct client *c, uint32_t surface)
{
	struct object *o = objects_get(&c->objects, surface);
	struct buffer *b = find(c, o->data & ~PENDING);

	if (!b)
		return VERDICT_PASS;
	if (count(c, b) != VERDICT_PASS)
		return VERDICT_BAD;
	copy(c, b);
	if (b->from < b->to)
		return VERDICT_LATER;
	/* No surface's: another one that has got the number since. */
	if (o->data & PENDING && b->surface)
		b->held = true;
	o->data &= ~PENDING;
	return VERDICT_PASS;
}

/* The number of the surface will be another's. */
static void forget(struct shm *s, uint32_t surface)
{
	for (size_t i = 0; i < s->n_buffers; i++)
		if (s->buffers[i].surface == surface)
			s->buffers[i].surface = 0;
}

enum verdict copy_request(struct client *c, const struct wire_message *m)
{
	/* Only who has copies needs any of this. */
	if (!c->shm->n_copied && m->opcode != RQ_WL_SURFACE_ATTACH)
		return VERDICT_PASS;
	switch (m->opcode) {
	case RQ_WL_SURFACE_ATTACH:
		attach(c, m->id, m->args[0].value);
		break;
	case RQ_WL_SURFACE_DAMAGE:
		/* In the surface's coordinates, which are not the buffer's. */
		damage(c->shm, m->id, 0, INT32_MAX);
		break;
	case RQ_WL_SURFACE_DAMAGE_BUFFER:
		damage_rows(c->shm, m->id, m->args[1].value, m->args[3].value);
		break;
	case RQ_WL_SURFACE_COMMIT:
		return commit(c, m->id);
	case RQ_WL_SURFACE_DESTROY:
		forget(c->shm, m->id);
		break;
	default:
		break;
	}
	return VERDICT_PASS;
}
