/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Subordinate ids, from the text of /etc/subuid or /etc/subgid.  Pure.
 *
 * Read as strictly as newuidmap does: what it would not grant must not look
 * usable here.  A range that somebody else has as well is refused, because
 * that somebody could become the VM's UID.
 */
#include "state/state.h"

#include "base/err.h"
#include "base/log.h"

#include <string.h>

#define WIDTH_SUGGESTED 65536u
#define FIRST_SUGGESTED 100000u

struct line {
	const char *owner; /* into the text */
	size_t owner_len;
	uint32_t first, count; /* count > 0, no overflow */
};

/* Decimal digits from p up to end. */
static bool get_number(const char *p, const char *end, uint32_t *v)
{
	uint64_t n = 0;

	if (p == end)
		return false;
	for (; p < end; p++) {
		if (*p < '0' || *p > '9')
			return false;
		n = n * 10 + (uint64_t)(*p - '0');
		if (n > UINT32_MAX)
			return false;
	}
	*v = (uint32_t)n;
	return true;
}

static bool parse_line(const char *p, size_t n, struct line *l)
{
	const char *end = p + n;
	const char *one = memchr(p, ':', n);
	const char *two;

	if (!one || one == p || *p == '#' || memchr(p, '\0', n))
		return false;
	two = memchr(one + 1, ':', (size_t)(end - one - 1));
	if (!two || !get_number(one + 1, two, &l->first) ||
	    !get_number(two + 1, end, &l->count))
		return false;
	l->owner = p;
	l->owner_len = (size_t)(one - p);
	/* Id 0 is root, and 2^32-1 means "no id" to the kernel. */
	return l->count && l->first &&
	       (uint64_t)l->first + l->count <= UINT32_MAX;
}

/* The next line that says something; *p moves behind it. */
static bool next_line(const char **p, const char *end, struct line *l)
{
	while (*p < end) {
		const char *at = *p;
		const char *nl = memchr(at, '\n', (size_t)(end - at));
		size_t n = (size_t)((nl ? nl : end) - at);

		*p = nl ? nl + 1 : end;
		if (parse_line(at, n, l))
			return true;
	}
	return false;
}

static bool is_owner(const struct line *l, const char *name, uid_t uid)
{
	uint32_t v;

	if (strlen(name) == l->owner_len &&
	    !memcmp(l->owner, name, l->owner_len))
		return true;
	return get_number(l->owner, l->owner + l->owner_len, &v) && v == uid;
}

static bool overlaps(const struct line *a, const struct line *b)
{
	return (uint64_t)a->first < (uint64_t)b->first + b->count &&
	       (uint64_t)b->first < (uint64_t)a->first + a->count;
}

/* A line of somebody else that has an id of `mine` too. */
static bool find_rival(const char *text, size_t n, const char *name, uid_t uid,
		       const struct line *mine, struct line *rival)
{
	const char *p = text, *end = text + n;

	while (next_line(&p, end, rival))
		if (!is_owner(rival, name, uid) && overlaps(mine, rival))
			return true;
	return false;
}

/* Where a new range would collide with no line. */
static uint32_t suggest_first(const char *text, size_t n)
{
	const char *p = text, *end = text + n;
	uint64_t first = FIRST_SUGGESTED;
	struct line l;

	while (next_line(&p, end, &l))
		if ((uint64_t)l.first + l.count > first)
			first = (uint64_t)l.first + l.count;
	if (first + WIDTH_SUGGESTED > UINT32_MAX)
		return FIRST_SUGGESTED;
	return (uint32_t)first;
}

static int no_line(const char *text, size_t n, const char *name,
		   const char *file, struct err *e)
{
	uint32_t first = suggest_first(text, n);
	uint32_t last = first + WIDTH_SUGGESTED - 1;
	char who[128];

	log_escape(who, sizeof(who), name, strlen(name));
	err_set(e, 0, "%s has no subordinate ids in %s", who, file);
	/* The uid file is asked first: then both are missing, as a rule. */
	if (strstr(file, "gid"))
		return err_hint(e, "sudo usermod --add-subgids %u-%u %s", first,
				last, who);
	return err_hint(e,
			"sudo usermod --add-subuids %u-%u "
			"--add-subgids %u-%u %s",
			first, last, first, last, who);
}

static int refuse(const struct line *mine, const struct line *rival,
		  const char *file, struct err *e)
{
	char who[128];

	log_escape(who, sizeof(who), rival->owner, rival->owner_len);
	err_set(e, 0, "the range %u:%u in %s overlaps %s's range %u:%u",
		mine->first, mine->count, file, who, rival->first,
		rival->count);
	return err_hint(e,
			"edit %s so that no id has two owners: who shares "
			"ids with a VM can reach into it",
			file);
}

/* NOLINTNEXTLINE(readability-function-size): pure, so all comes in here */
int subid_parse(const char *text, size_t n, const char *name, uid_t uid,
		uint32_t min, const char *file, uint32_t *first,
		uint32_t *count, struct err *e)
{
	const char *p = text, *end = text + n;
	struct line l, rival, bad = {NULL, 0, 0, 0}, bad_rival;
	uint32_t widest = 0;

	while (next_line(&p, end, &l)) {
		if (!is_owner(&l, name, uid))
			continue;
		widest = l.count > widest ? l.count : widest;
		if (l.count < min)
			continue;
		if (!find_rival(text, n, name, uid, &l, &rival)) {
			*first = l.first;
			*count = l.count;
			return 0;
		}
		bad = l;
		bad_rival = rival;
	}
	if (bad.count)
		return refuse(&bad, &bad_rival, file, e);
	if (!widest)
		return no_line(text, n, name, file, e);
	err_set(e, 0, "the range in %s is %u ids wide; vmrun needs %u", file,
		widest, min);
	return err_hint(e, "widen it to %u with `usermod` or an editor",
			WIDTH_SUGGESTED);
}
