/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Shared memory that the compositor maps.  Sealed, as U; hostile descriptors.
 *
 * Theory of operation
 *
 * A file that is cut short under a mapping kills who reads it (SIGBUS).  So
 * the compositor gets files that nobody can shorten:
 *
 * - A memory file that takes F_SEAL_SHRINK, or has it, is passed on: what most
 *   toolkits make.
 * - One that takes no seals (waypipe's) is kept, and the compositor gets one
 *   of ours.  At each wl_surface.commit the attached buffer is copied from the
 *   client's file with pread(), for which a missing part is no danger: as many
 *   rows as may differ from the last copy, if the client says so.
 * - Anything else is refused: reading it could wait for somebody.
 *
 * Each pool holds its limits until the pool and all its buffers are gone, as
 * the compositor's mapping does.
 */
#include "filter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of one client, each. */
#define POOLS_MAX 256u
#define BUFFERS_MAX 2048u

struct pool {
	unsigned refs; /* the object, and buffers; 0: this row is free */
	size_t size;
	/*
	 * The client's file: for copies, else for the size that resize()
	 * wants, as long as there is an object to ask for it; then -1.
	 */
	int file;
	int own;	     /* ours, else -1 */
	unsigned char *copy; /* ours, mapped; NULL: passed on */
};

struct buffer {
	bool used;
	uint32_t pool; /* row */
	size_t offset, stride, rows;
	uint32_t surface; /* whose content it was last, 0: none's yet */
	size_t from, to;  /* rows that may differ from the copy */
};

struct shm {
	struct pool pools[POOLS_MAX];
	struct buffer *buffers; /* owned */
	size_t n_buffers;
	uint64_t bytes;	 /* of all pools */
	size_t n_copied; /* pools with a copy */
};

/* What is kept of a surface, in struct object's data: the buffer's number. */

static struct shm *get_shm(struct client *c)
{
	if (!c->shm) {
		c->shm = calloc(1, sizeof(*c->shm));
		if (!c->shm)
			client_bad(c, BAD_MEMORY, "no memory");
	}
	return c->shm;
}

static void unref(struct shm *s, struct pool *p)
{
	if (--p->refs)
		return;
	s->bytes -= p->size;
	if (p->file >= 0)
		close(p->file);
	if (!p->copy)
		return;
	munmap(p->copy, p->size);
	close(p->own);
	s->n_copied--;
}

void shm_free(struct client *c)
{
	struct shm *s = c->shm;

	if (!s)
		return;
	for (size_t i = 0; i < POOLS_MAX; i++) {
		if (!s->pools[i].refs)
			continue;
		s->pools[i].refs = 1;
		unref(s, &s->pools[i]);
	}
	free(s->buffers);
	free(s);
	c->shm = NULL;
}

void shm_gone(struct client *c, const struct object *o)
{
	struct shm *s = c->shm;
	struct buffer *b;

	if (o->interface == IF_WL_SHM_POOL) {
		struct pool *p = &s->pools[o->data - 1];

		if (!p->copy) {
			close(p->file);
			p->file = -1;
		}
		unref(s, p);
		return;
	}
	b = &s->buffers[o->data - 1];
	b->used = false;
	unref(s, &s->pools[b->pool]);
}

/* May a pool of `was` bytes become one of `size` (of wl_shm, as an int)? */
static bool fits(struct client *c, uint32_t size, size_t was)
{
	const struct wayland_policy *p = c->filter->policy;

	return size && size <= INT32_MAX && size >= was && size <= p->pool &&
	       c->shm->bytes - was + size <= p->memory;
}

/* A file of ours in place of the client's, which takes no seals. */
static enum verdict make_copy(struct client *c, struct pool *p, int *fd)
{
	int own = memfd_create("vmrun", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int theirs = own < 0 ? -1 : fcntl(own, F_DUPFD_CLOEXEC, 0);
	void *copy = MAP_FAILED;

	if (theirs >= 0 && ftruncate(own, (off_t)p->size) == 0 &&
	    fcntl(own, F_ADD_SEALS, F_SEAL_SHRINK) == 0)
		copy = mmap(NULL, p->size, PROT_READ | PROT_WRITE, MAP_SHARED,
			    own, 0);
	if (copy == MAP_FAILED) {
		if (own >= 0)
			close(own);
		if (theirs >= 0)
			close(theirs);
		return client_bad(c, BAD_MEMORY, "no memory for a pool");
	}
	p->file = *fd;
	p->own = own;
	p->copy = copy;
	*fd = theirs;
	c->shm->n_copied++;
	return VERDICT_PASS;
}

/* With F_SEAL_SHRINK, for good. */
static bool has_size(int fd, size_t size)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_size >= (off_t)size;
}

/* After which nobody can shorten what the compositor maps. */
static enum verdict secure(struct client *c, struct pool *p, int *fd)
{
	int seals = fcntl(*fd, F_GET_SEALS);

	p->file = p->own = -1;
	p->copy = NULL;
	if (seals < 0)
		return client_bad(c, BAD_OBJECT,
				  "a pool that is no memory file");
	if (!(seals & F_SEAL_SHRINK) &&
	    fcntl(*fd, F_ADD_SEALS, F_SEAL_SHRINK) < 0)
		return make_copy(c, p, fd);
	if (!has_size(*fd, p->size))
		return client_bad(c, BAD_OBJECT,
				  "a pool of %zu bytes in a smaller file",
				  p->size);
	p->file = fcntl(*fd, F_DUPFD_CLOEXEC, 0);
	if (p->file < 0)
		return client_bad(c, BAD_MEMORY, "no memory for a pool");
	return VERDICT_PASS;
}

static enum verdict create_pool(struct client *c, const struct wire_message *m,
				int *fds)
{
	enum { ID, FD, SIZE };
	uint32_t size = m->args[SIZE].value;
	struct shm *s = get_shm(c);
	struct pool *p;
	size_t i = 0;

	if (!s)
		return VERDICT_BAD;
	while (i < POOLS_MAX && s->pools[i].refs)
		i++;
	if (i == POOLS_MAX)
		return client_bad(c, BAD_MEMORY, "too many pools");
	if (!fits(c, size, 0))
		return client_bad(c, BAD_MEMORY, "a pool of %d bytes",
				  (int)size);
	p = &s->pools[i];
	p->size = size;
	if (secure(c, p, &fds[0]) != VERDICT_PASS)
		return VERDICT_BAD;
	p->refs = 1;
	s->bytes += size;
	objects_get(&c->objects, m->args[ID].value)->data = (uint32_t)i + 1;
	return VERDICT_PASS;
}

static enum verdict resize(struct client *c, struct pool *p, uint32_t size)
{
	void *copy;

	if (!fits(c, size, p->size))
		return client_bad(c, BAD_MEMORY, "a pool of %d bytes, not %zu",
				  (int)size, p->size);
	if (!p->copy && !has_size(p->file, size))
		return client_bad(c, BAD_OBJECT,
				  "a pool of %d bytes in a smaller file",
				  (int)size);
	if (p->copy) {
		if (ftruncate(p->own, (off_t)size) < 0)
			return client_bad(c, BAD_MEMORY, "a larger pool");
		copy = mremap(p->copy, p->size, size, MREMAP_MAYMOVE);
		if (copy == MAP_FAILED)
			return client_bad(c, BAD_MEMORY, "a larger pool");
		p->copy = copy;
	}
	c->shm->bytes += size - p->size;
	p->size = size;
	return VERDICT_PASS;
}

static struct buffer *new_buffer(struct shm *s, uint32_t *row)
{
	void *more;
	size_t i = 0;

	while (i < s->n_buffers && s->buffers[i].used)
		i++;
	*row = (uint32_t)i;
	if (i < s->n_buffers)
		return &s->buffers[i];
	if (i == BUFFERS_MAX)
		return NULL;
	more = realloc(s->buffers, (i + 1) * sizeof(*s->buffers));
	if (!more)
		return NULL;
	s->buffers = more;
	s->n_buffers++;
	return &s->buffers[i];
}

static enum verdict create_buffer(struct client *c,
				  const struct wire_message *m, uint32_t pool)
{
	enum { ID, OFFSET, WIDTH, HEIGHT, STRIDE };
	const struct wire_arg *a = m->args;
	struct shm *s = c->shm;
	struct buffer *b;
	uint32_t row;
	uint64_t end = (uint64_t)a[OFFSET].value +
		       (uint64_t)a[STRIDE].value * a[HEIGHT].value;

	if (a[OFFSET].value > INT32_MAX || a[STRIDE].value > INT32_MAX ||
	    a[HEIGHT].value > INT32_MAX || a[WIDTH].value > a[STRIDE].value ||
	    !a[WIDTH].value || !a[HEIGHT].value || end > s->pools[pool].size)
		return client_bad(c, BAD_OBJECT,
				  "a buffer of %dx%d, stride %d, at %d of %zu",
				  (int)a[WIDTH].value, (int)a[HEIGHT].value,
				  (int)a[STRIDE].value, (int)a[OFFSET].value,
				  s->pools[pool].size);
	b = new_buffer(s, &row);
	if (!b)
		return client_bad(c, BAD_MEMORY, "too many buffers");
	*b = (struct buffer){
		.used = true,
		.pool = pool,
		.offset = a[OFFSET].value,
		.stride = a[STRIDE].value,
		.rows = a[HEIGHT].value,
		.to = a[HEIGHT].value,
	};
	s->pools[pool].refs++;
	objects_get(&c->objects, a[ID].value)->data = row + 1;
	return VERDICT_PASS;
}

/* Every buffer that showed this surface before may now differ from it. */
static void damage(struct shm *s, uint32_t surface, size_t from, size_t to)
{
	for (size_t i = 0; i < s->n_buffers; i++) {
		struct buffer *b = &s->buffers[i];
		size_t end = to < b->rows ? to : b->rows;

		if (!b->used || b->surface != surface || from >= end)
			continue;
		if (b->from == b->to) {
			b->from = from;
			b->to = end;
			continue;
		}
		b->from = b->from < from ? b->from : from;
		b->to = b->to > end ? b->to : end;
	}
}

static struct buffer *attached(struct client *c, uint32_t surface)
{
	const struct object *o = objects_get(&c->objects, surface);

	o = objects_live(&c->objects, o->data, IF_WL_BUFFER);
	return o && o->data ? &c->shm->buffers[o->data - 1] : NULL;
}

static void attach(struct client *c, uint32_t surface, uint32_t buffer)
{
	struct buffer *b;

	objects_get(&c->objects, surface)->data = buffer;
	b = attached(c, surface);
	if (b && b->surface != surface) {
		/* Nothing is known of how it came to be. */
		b->surface = surface;
		b->from = 0;
		b->to = b->rows;
	}
}

static void commit(struct client *c, uint32_t surface)
{
	struct buffer *b = attached(c, surface);
	const struct pool *p;
	size_t at, n;

	if (!b || b->from == b->to)
		return;
	p = &c->shm->pools[b->pool];
	at = b->offset + b->from * b->stride;
	n = (b->to - b->from) * b->stride;
	b->from = b->to = 0;
	while (p->copy && n) {
		ssize_t got = pread(p->file, p->copy + at, n, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break; /* what it took away stays as it was */
		at += (size_t)got;
		n -= (size_t)got;
	}
}

/* Rows of wl_surface.damage_buffer: y and height. */
static void damage_rows(struct shm *s, uint32_t surface, uint32_t y,
			uint32_t height)
{
	size_t from = y > INT32_MAX ? 0 : y;
	size_t to = height > INT32_MAX ? 0 : (size_t)y + height;

	if (y > INT32_MAX) /* above the buffer: whatever it is, all of it */
		to = INT32_MAX;
	damage(s, surface, from, to);
}

/* The number of the surface will be another's. */
static void forget(struct shm *s, uint32_t surface)
{
	for (size_t i = 0; i < s->n_buffers; i++)
		if (s->buffers[i].surface == surface)
			s->buffers[i].surface = 0;
}

static enum verdict surface(struct client *c, const struct wire_message *m)
{
	/* Only who has copies needs any of this. */
	if (!c->shm || !c->shm->n_copied)
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
		commit(c, m->id);
		break;
	case RQ_WL_SURFACE_DESTROY:
		forget(c->shm, m->id);
		break;
	default:
		break;
	}
	return VERDICT_PASS;
}

static enum verdict pool_request(struct client *c, const struct wire_message *m)
{
	uint32_t row = objects_get(&c->objects, m->id)->data - 1;

	switch (m->opcode) {
	case RQ_WL_SHM_POOL_CREATE_BUFFER:
		return create_buffer(c, m, row);
	case RQ_WL_SHM_POOL_RESIZE:
		return resize(c, &c->shm->pools[row], m->args[0].value);
	default:
		return VERDICT_PASS;
	}
}

enum verdict shm_request(struct client *c, const struct wire_message *m,
			 uint16_t interface, int *fds)
{
	switch (interface) {
	case IF_WL_SHM:
		return m->opcode == RQ_WL_SHM_CREATE_POOL
			       ? create_pool(c, m, fds)
			       : VERDICT_PASS;
	case IF_WL_SHM_POOL:
		return pool_request(c, m);
	case IF_WL_SURFACE:
		return surface(c, m);
	default:
		return VERDICT_PASS;
	}
}
