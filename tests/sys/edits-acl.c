/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An ACL, as the kernel stores it for user space.  See edits.h and acl(5). */
#include "edits.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

#define NO_ID UINT32_MAX
#define BYTES_MAX (4 + 8 * PACL_MAX)

static bool is_named(unsigned tag)
{
	return tag == U_NAMED || tag == G_NAMED;
}

void pacl_read(const char *path, const char *xattr, struct pacl *a)
{
	unsigned char b[BYTES_MAX];
	ssize_t n = lgetxattr(path, xattr, b, sizeof(b));

	a->n = 0;
	if (n < 0 && errno != ENODATA && errno != EOPNOTSUPP)
		edits_die(path);
	for (ssize_t at = 4; at + 8 <= n; at += 8, a->n++) {
		struct pentry *e = &a->e[a->n];

		memcpy(&e->tag, b + at, 2);
		memcpy(&e->perm, b + at + 2, 2);
		memcpy(&e->id, b + at + 4, 4);
		if (!is_named(e->tag))
			e->id = NO_ID;
	}
}

int pacl_write(const char *path, const char *xattr, const struct pacl *a)
{
	unsigned char b[BYTES_MAX] = {2};
	size_t n = 4;

	if (!a->n)
		return removexattr(path, xattr) < 0 && errno != ENODATA ? -1
									: 0;
	for (unsigned i = 0; i < a->n; i++, n += 8) {
		memcpy(b + n, &a->e[i].tag, 2);
		memcpy(b + n + 2, &a->e[i].perm, 2);
		memcpy(b + n + 4, &a->e[i].id, 4);
	}
	return setxattr(path, xattr, b, n, 0);
}

void pacl_from_mode(struct pacl *a, mode_t mode)
{
	a->n = 0;
	pacl_set(a, U_OBJ, NO_ID, mode >> 6 & 7);
	pacl_set(a, G_OBJ, NO_ID, mode >> 3 & 7);
	pacl_set(a, OTHERS, NO_ID, mode & 7);
}

bool pacl_same(const struct pacl *a, const struct pacl *b)
{
	return a->n == b->n && !memcmp(a->e, b->e, a->n * sizeof(a->e[0]));
}

static int find(const struct pacl *a, unsigned tag, uint32_t id)
{
	for (unsigned i = 0; i < a->n; i++)
		if (a->e[i].tag == tag && (!is_named(tag) || a->e[i].id == id))
			return (int)i;
	return -1;
}

int pacl_perm(const struct pacl *a, unsigned tag, uint32_t id)
{
	int i = find(a, tag, id);

	return i < 0 ? -1 : a->e[i].perm;
}

int pacl_gives(const struct pacl *a, unsigned tag, uint32_t id)
{
	int perm = pacl_perm(a, tag, id), mask = pacl_perm(a, MASK, 0);

	if (perm < 0 || mask < 0 || tag == U_OBJ || tag == OTHERS)
		return perm;
	return perm & mask;
}

void pacl_set(struct pacl *a, unsigned tag, uint32_t id, unsigned perm)
{
	int i = find(a, tag, id);
	unsigned at = a->n;

	if (i >= 0) {
		a->e[i].perm = (uint16_t)perm;
		return;
	}
	while (at > 0 && (a->e[at - 1].tag > tag ||
			  (a->e[at - 1].tag == tag && a->e[at - 1].id > id)))
		at--;
	memmove(&a->e[at + 1], &a->e[at], (a->n - at) * sizeof(a->e[0]));
	a->e[at] = (struct pentry){(uint16_t)tag, (uint16_t)perm,
				   is_named(tag) ? id : NO_ID};
	a->n++;
}

void pacl_drop(struct pacl *a, unsigned tag, uint32_t id)
{
	int i = find(a, tag, id);

	if (i < 0)
		return;
	a->n--;
	memmove(&a->e[i], &a->e[i + 1], (a->n - (unsigned)i) * sizeof(a->e[0]));
}

void pacl_compute_mask(struct pacl *a)
{
	unsigned all = 0;

	for (unsigned i = 0; i < a->n; i++)
		if (is_named(a->e[i].tag) || a->e[i].tag == G_OBJ)
			all |= a->e[i].perm;
	pacl_set(a, MASK, NO_ID, all);
}

bool pacl_has_named(const struct pacl *a)
{
	for (unsigned i = 0; i < a->n; i++)
		if (is_named(a->e[i].tag))
			return true;
	return false;
}

void pacl_print(const char *what, const struct pacl *a)
{
	printf("#   %s:", what);
	for (unsigned i = 0; i < a->n; i++) {
		printf(" %x", a->e[i].tag);
		if (is_named(a->e[i].tag))
			printf("(%u)", a->e[i].id);
		printf("=%o", a->e[i].perm);
	}
	puts("");
}
