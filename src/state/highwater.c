/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The side file of used UIDs.  The person's own authority. */
#include "state/highwater.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/own.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>

#define NAME "highwater"
#define NAME_NEW "highwater.new"
#define HEAD "# vmrun: UIDs handed out, from FIRST up to before NEXT\n"
#define FILE_MAX 8192

/* Decimal digits up to `stop`, which is skipped. */
static bool get_id(const char **p, const char *end, char stop, uint32_t *v)
{
	uint64_t n = 0;
	const char *at = *p;

	for (; at < end && *at >= '0' && *at <= '9'; at++) {
		n = n * 10 + (uint64_t)(*at - '0');
		if (n > UINT32_MAX)
			return false;
	}
	if (at == *p || at == end || *at != stop)
		return false;
	*p = at + 1;
	*v = (uint32_t)n;
	return true;
}

#define CLAIMS "claims "

/* The line with the number; there may be none. */
static bool get_claims(const char **p, const char *end, uint64_t *v)
{
	const size_t n = strlen(CLAIMS);
	uint32_t id;

	if ((size_t)(end - *p) < n || memcmp(*p, CLAIMS, n) != 0)
		return true;
	*p += n;
	if (!get_id(p, end, '\n', &id))
		return false;
	*v = id;
	return true;
}

int highwater_parse(const char *text, size_t n, struct highwater *h)
{
	const char *p = text, *end = text + n;

	h->n = 0;
	h->claims = 0;
	/* The head is always written: without it the file was cut. */
	if (n < strlen(HEAD) || memcmp(text, HEAD, strlen(HEAD)))
		return -1;
	p += strlen(HEAD);
	if (!get_claims(&p, end, &h->claims))
		return -1;
	while (p < end) {
		uint32_t first, next;

		if (!get_id(&p, end, ' ', &first) ||
		    !get_id(&p, end, '\n', &next) || first >= next)
			return -1;
		if (highwater_add(h, first, next) < 0)
			return -1;
	}
	return 0;
}

int highwater_load(int dir, struct highwater *h, struct err *e)
{
	struct buf b;
	int r;

	h->n = 0;
	h->claims = 0;
	buf_init(&b, FILE_MAX);
	if (io_read_file(dir, NAME, &b, e) < 0) {
		buf_free(&b);
		if (e->code != ENOENT)
			return err_wrap(e, "reading the list of used UIDs");
		e->code = 0;
		e->msg[0] = '\0';
		return 0;
	}
	r = highwater_parse(b.data ? (const char *)b.data : "", b.len, h);
	buf_free(&b);
	if (r == 0)
		return 0;
	err_set(e, 0,
		"the list of used UIDs, `" NAME "` beside the state "
		"database, is damaged");
	return err_hint(e, "the database has the same list: if it is intact, "
			   "remove the file");
}

static int write_new(int dir, struct buf *b, struct err *e)
{
	own_fd fd = openat(
		dir, NAME_NEW,
		O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd >= 0 && io_write_all(fd, b->data, b->len) == 0 && fsync(fd) == 0)
		return 0;
	return err_set(e, errno, "writing the list of used UIDs");
}

int highwater_store(int dir, const struct highwater *h, struct err *e)
{
	struct buf b;
	int r;

	buf_init(&b, FILE_MAX);
	buf_printf(&b, "%s", HEAD);
	if (h->claims)
		buf_printf(&b, CLAIMS "%llu\n", (unsigned long long)h->claims);
	for (size_t i = 0; i < h->n; i++)
		buf_printf(&b, "%u %u\n", h->used[i].first, h->used[i].next);
	r = b.bad ? err_set(e, ENOMEM, "the list of used UIDs")
		  : write_new(dir, &b, e);
	buf_free(&b);
	if (r < 0)
		return -1;
	if (renameat(dir, NAME_NEW, dir, NAME) < 0 || fsync(dir) < 0)
		return err_set(e, errno, "replacing the list of used UIDs");
	return 0;
}

uint32_t highwater_skip(const struct highwater *h, uint32_t uid)
{
	/* Intervals do not touch each other: one jump is enough. */
	for (size_t i = 0; i < h->n; i++)
		if (uid >= h->used[i].first && uid < h->used[i].next)
			return h->used[i].next;
	return uid;
}

int highwater_add(struct highwater *h, uint32_t first, uint32_t next)
{
	size_t keep = 0;

	for (size_t i = 0; i < h->n; i++) {
		uint32_t a = h->used[i].first, b = h->used[i].next;

		if (b < first || a > next) {
			h->used[keep].first = a;
			h->used[keep++].next = b;
			continue;
		}
		first = a < first ? a : first;
		next = b > next ? b : next;
	}
	h->n = keep;
	if (h->n == HIGHWATER_MAX)
		return -1;
	h->used[h->n].first = first;
	h->used[h->n++].next = next;
	return 0;
}

int highwater_join(struct highwater *h, const struct highwater *from)
{
	for (size_t i = 0; i < from->n; i++)
		if (highwater_add(h, from->used[i].first, from->used[i].next) <
		    0)
			return -1;
	return 0;
}
