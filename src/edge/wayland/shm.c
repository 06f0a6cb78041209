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
 *   of ours, to which copy.c copies what is shown.
 * - Anything else is refused: reading it could wait for somebody.
 *
 * Each pool holds its limits until the pool and all its buffers are gone, as
 * the compositor's mapping does.
 */
#include "shm.h"

#include "format.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static_assert(sizeof(struct shm) + BUFFERS_MAX * sizeof(struct buffer) <=
		      CLIENT_SHM_MAX,
	      "tables of shared memory are too large");

static struct shm *get_shm(struct client *c)
{
	if (!c->shm) {
		c->shm = calloc(1, sizeof(*c->shm));
		if (!c->shm)
			client_bad(c, BAD_MEMORY, "no memory");
	}
	return c->shm;
}

/* One of a pool's, if it is open. */
static void close_file(struct client *c, int *fd)
{
	if (*fd < 0)
		return;
	close(*fd);
	*fd = -1;
	c->filter->files--;
}

static void unref(struct client *c, struct pool *p)
{
	struct shm *s = c->shm;

	if (--p->refs)
		return;
	s->bytes -= p->size;
	c->filter->pools--;
	close_file(c, &p->file);
	if (!p->copy)
		return;
	munmap(p->copy, p->size);
	close_file(c, &p->own);
	c->filter->copied -= p->copied;
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
		unref(c, &s->pools[i]);
	}
	free(s->buffers);
	free(s);
	c->shm = NULL;
}

static void free_buffer(struct client *c, struct buffer *b)
{
	b->used = false;
	copy_gone(c, b);
	unref(c, &c->shm->pools[b->pool]);
}

void shm_gone(struct client *c, const struct object *o)
{
	struct shm *s = c->shm;
	struct buffer *b;

	if (o->interface == IF_WL_SHM_POOL) {
		struct pool *p = &s->pools[o->data - 1];

		if (!p->copy)
			close_file(c, &p->file);
		unref(c, p);
		return;
	}
	b = &s->buffers[o->data - 1];
	if (!b->destroyed)
		free_buffer(c, b);
}

/* May a pool of `was` bytes become one of `size` (of wl_shm, as an int)? */
static enum verdict check_size(struct client *c, uint32_t size, uint32_t was)
{
	const struct wayland_policy *p = c->filter->policy;

	if (!size || size > INT32_MAX || size > p->pool)
		return client_bad(c, BAD_MEMORY, "a pool of %d bytes",
				  (int)size);
	if (size < was)
		return client_bad(c, BAD_MEMORY, "a pool of %d bytes, not %u",
				  (int)size, was);
	if (c->shm->bytes - was + size > p->memory)
		return client_bad(c, BAD_MEMORY,
				  "pools of more than %" PRIu64 " MiB together",
				  p->memory >> 20);
	return VERDICT_PASS;
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
	p->copied = 0;
	c->filter->files += 2;
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
				  "a pool of %u bytes in a smaller file",
				  p->size);
	p->file = fcntl(*fd, F_DUPFD_CLOEXEC, 0);
	if (p->file < 0)
		return client_bad(c, BAD_MEMORY, "no memory for a pool");
	c->filter->files++;
	return VERDICT_PASS;
}

static size_t count_files(const struct shm *s)
{
	size_t n = 0;

	for (size_t i = 0; i < POOLS_MAX; i++)
		n += s->pools[i].refs && s->pools[i].file >= 0;
	return n;
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
	if (i == POOLS_MAX || count_files(s) >= FILES_MAX)
		return client_bad(c, BAD_MEMORY, "too many pools");
	if (c->filter->files > FILTER_FILES_MAX - 2 ||
	    c->filter->pools >= FILTER_POOLS_MAX)
		return client_bad(c, BAD_MEMORY,
				  "the VM's windows have too many pools; "
				  "close some");
	if (check_size(c, size, 0) != VERDICT_PASS)
		return VERDICT_BAD;
	p = &s->pools[i];
	p->size = size;
	if (secure(c, p, &fds[0]) != VERDICT_PASS)
		return VERDICT_BAD;
	p->refs = 1;
	c->filter->pools++;
	s->bytes += size;
	objects_get(&c->objects, m->args[ID].value)->data = (uint32_t)i + 1;
	return VERDICT_PASS;
}

static enum verdict resize(struct client *c, struct pool *p, uint32_t size)
{
	void *copy;

	if (check_size(c, size, p->size) != VERDICT_PASS)
		return VERDICT_BAD;
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
	enum { ID, OFFSET, WIDTH, HEIGHT, STRIDE, FORMAT };
	const struct wire_arg *a = m->args;
	struct shm *s = c->shm;
	struct buffer *b;
	uint32_t row;
	uint64_t end = (uint64_t)a[OFFSET].value +
		       (uint64_t)a[STRIDE].value * a[HEIGHT].value;
	uint64_t pixel = format_bytes(a[FORMAT].value);

	if (!pixel)
		return client_bad(c, BAD_OBJECT, "a buffer of format 0x%x",
				  (unsigned)a[FORMAT].value);
	if (a[OFFSET].value > INT32_MAX || a[STRIDE].value > INT32_MAX ||
	    a[HEIGHT].value > INT32_MAX ||
	    a[WIDTH].value * pixel > a[STRIDE].value || !a[WIDTH].value ||
	    !a[HEIGHT].value || end > s->pools[pool].size)
		return client_bad(c, BAD_OBJECT,
				  "a buffer of %dx%d, stride %d, at %d of %u",
				  (int)a[WIDTH].value, (int)a[HEIGHT].value,
				  (int)a[STRIDE].value, (int)a[OFFSET].value,
				  s->pools[pool].size);
	b = new_buffer(s, &row);
	if (!b)
		return client_bad(c, BAD_MEMORY, "too many buffers");
	*b = (struct buffer){
		.used = true,
		.id = a[ID].value,
		.pool = pool,
		.offset = a[OFFSET].value,
		.stride = a[STRIDE].value,
		.rows = a[HEIGHT].value,
		.to = a[STRIDE].value * a[HEIGHT].value,
	};
	s->pools[pool].refs++;
	objects_get(&c->objects, a[ID].value)->data = row + 1;
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

/* What the compositor has of a copy it keeps until it says so. */
static enum verdict buffer_request(struct client *c,
				   const struct wire_message *m)
{
	uint32_t row = objects_get(&c->objects, m->id)->data;
	struct buffer *b = row ? &c->shm->buffers[row - 1] : NULL;

	if (m->opcode != RQ_WL_BUFFER_DESTROY || !b || !b->held)
		return VERDICT_PASS;
	b->destroyed = true;
	return VERDICT_DONE;
}

void shm_released(struct client *c, uint32_t id)
{
	uint32_t row = objects_get(&c->objects, id)->data;
	struct buffer *b = row ? &c->shm->buffers[row - 1] : NULL;
	unsigned char room[WIRE_HEADER];
	struct wire_build w;

	/* What was destroyed may have had a row that is another's now. */
	if (!b || !b->used || b->id != id)
		return;
	b->held = false;
	if (!b->destroyed)
		return;
	free_buffer(c, b);
	wire_begin(&w, room, sizeof(room), id, RQ_WL_BUFFER_DESTROY);
	client_to_host(c, room, wire_end(&w), NULL, 0);
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
		return c->shm ? copy_request(c, m) : VERDICT_PASS;
	case IF_WL_BUFFER:
		return buffer_request(c, m);
	default:
		return VERDICT_PASS;
	}
}
