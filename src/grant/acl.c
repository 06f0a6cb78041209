/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Arithmetic on one POSIX ACL.  Pure; see acl.h for the reasoning. */
#include "grant/acl.h"

#include "grant/grant.h"

#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <string.h>

#define NO_ID ((uint32_t)ACL_UNDEFINED_ID)

static uint16_t get16(const unsigned char *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t get32(const unsigned char *p)
{
	return get16(p) | (uint32_t)get16(p + 2) << 16;
}

static void put16(unsigned char *p, uint16_t v)
{
	p[0] = (unsigned char)v;
	p[1] = (unsigned char)(v >> 8);
}

static void put32(unsigned char *p, uint32_t v)
{
	put16(p, (uint16_t)v);
	put16(p + 2, (uint16_t)(v >> 16));
}

static bool is_named(const struct acl_entry *e)
{
	return e->tag == ACL_USER || e->tag == ACL_GROUP;
}

/* Cut by the mask: named entries and the owning group. */
static bool is_masked(const struct acl_entry *e)
{
	return is_named(e) || e->tag == ACL_GROUP_OBJ;
}

/* The first entry of that tag and id; NULL if there is none. */
static struct acl_entry *find(const struct acl *a, uint16_t tag, uint32_t id)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->e[i].tag == tag &&
		    (!is_named(&a->e[i]) || a->e[i].id == id))
			return (struct acl_entry *)&a->e[i];
	return NULL;
}

/*
 * Tags ascend, as the kernel demands (posix_acl_valid()); each of the four
 * without an id comes at most once, and three of them at least.
 */
static bool is_valid(const struct acl *a)
{
	unsigned seen = 0;

	for (size_t i = 0; i < a->n; i++) {
		const struct acl_entry *e = &a->e[i];
		bool named = is_named(e);

		switch (e->tag) {
		case ACL_USER_OBJ:
		case ACL_USER:
		case ACL_GROUP_OBJ:
		case ACL_GROUP:
		case ACL_MASK:
		case ACL_OTHER:
			break;
		default:
			return false;
		}
		if (seen >= 2u * e->tag)
			return false; /* something later came before */
		if (!named && (seen & e->tag))
			return false;
		if (e->perm > ACL_RWX || (named && e->id == NO_ID))
			return false;
		seen |= e->tag;
	}
	if ((seen & (ACL_USER | ACL_GROUP)) && !(seen & ACL_MASK))
		return false;
	return (seen & ACL_USER_OBJ) && (seen & ACL_GROUP_OBJ) &&
	       (seen & ACL_OTHER);
}

int acl_decode(struct acl *a, const void *p, size_t n)
{
	const unsigned char *b = p;

	a->n = 0;
	if (n < 4 || n > ACL_BYTES_MAX || (n - 4) % 8 ||
	    get32(b) != POSIX_ACL_XATTR_VERSION)
		return -1;
	for (b += 4; a->n < (n - 4) / 8; b += 8) {
		struct acl_entry *e = &a->e[a->n++];

		e->tag = get16(b);
		e->perm = get16(b + 2);
		e->id = is_named(e) ? get32(b + 4) : NO_ID;
	}
	return is_valid(a) ? 0 : -1;
}

size_t acl_encode(const struct acl *a, void *p, size_t room)
{
	unsigned char *b = p;

	if (room < 4 + 8 * a->n)
		return 0;
	put32(b, POSIX_ACL_XATTR_VERSION);
	b += 4;
	for (size_t i = 0; i < a->n; i++, b += 8) {
		put16(b, a->e[i].tag);
		put16(b + 2, a->e[i].perm);
		put32(b + 4, a->e[i].id);
	}
	return 4 + 8 * a->n;
}

void acl_from_mode(struct acl *a, mode_t mode)
{
	const struct acl_entry e[3] = {
		{ACL_USER_OBJ, mode >> 6 & 7, NO_ID},
		{ACL_GROUP_OBJ, mode >> 3 & 7, NO_ID},
		{ACL_OTHER, mode & 7, NO_ID},
	};

	memcpy(a->e, e, sizeof(e));
	a->n = 3;
}

static void drop(struct acl *a, struct acl_entry *e)
{
	size_t i = (size_t)(e - a->e);

	memmove(e, e + 1, (a->n - i - 1) * sizeof(*e));
	a->n--;
}

/* Sets an entry, making it at its place in the order if it is missing. */
static void set(struct acl *a, uint16_t tag, uint32_t id, unsigned perm)
{
	struct acl_entry *e = find(a, tag, id);
	size_t i = a->n;

	if (!e) {
		while (i > 0 &&
		       (a->e[i - 1].tag > tag ||
			(a->e[i - 1].tag == tag && a->e[i - 1].id > id)))
			i--;
		e = &a->e[i];
		memmove(e + 1, e, (a->n - i) * sizeof(*e));
		a->n++;
		e->tag = tag;
		e->id = id;
	}
	e->perm = (uint16_t)perm;
}

static bool in_range(uint32_t id, uint32_t first, uint32_t count)
{
	return id >= first && id - first < count;
}

/* An entry of another VM of the same person, as far as one can tell. */
static bool is_sibling(const struct acl_entry *e, const struct grant_who *who)
{
	return e->tag == ACL_USER && e->id != who->uid &&
	       in_range(e->id, who->sub_first, who->sub_count);
}

/* The note of a sibling: its group has the same place in the other range. */
static struct acl_entry *sibling_note(const struct acl *a,
				      const struct acl_entry *e,
				      const struct grant_who *who)
{
	return find(a, ACL_GROUP, who->subgid_first + (e->id - who->sub_first));
}

/* What the other VMs have in this ACL. */
struct siblings {
	unsigned n;
	unsigned perms; /* union of their entries */
	unsigned kept;	/* union of their notes */
	bool noted;
	bool no_mask; /* a note says that there was no mask */
};

static bool says_no_mask(unsigned kept, unsigned group)
{
	return (kept & group) || (!group && kept == ACL_RWX);
}

static struct siblings siblings_of(const struct acl *a,
				   const struct grant_who *who)
{
	unsigned group = find(a, ACL_GROUP_OBJ, NO_ID)->perm;
	struct siblings s = {0};

	for (size_t i = 0; i < a->n; i++) {
		const struct acl_entry *note;

		if (!is_sibling(&a->e[i], who))
			continue;
		s.n++;
		s.perms |= a->e[i].perm;
		note = sibling_note(a, &a->e[i], who);
		if (!note)
			continue;
		s.noted = true;
		s.kept |= note->perm;
		s.no_mask = s.no_mask || says_no_mask(note->perm, group);
	}
	return s;
}

/* Union of what the mask cuts, without U's entry and note. */
static unsigned others_union(const struct acl *a, const struct grant_who *who)
{
	unsigned u = 0;

	for (size_t i = 0; i < a->n; i++)
		if (is_masked(&a->e[i]) &&
		    !(a->e[i].tag == ACL_USER && a->e[i].id == who->uid) &&
		    !(a->e[i].tag == ACL_GROUP && a->e[i].id == who->gid))
			u |= a->e[i].perm;
	return u;
}

/* An entry or a note of U's or of a sibling's. */
static bool is_vmruns(const struct acl_entry *e, const struct grant_who *who)
{
	if (e->tag == ACL_GROUP)
		return e->id == who->gid ||
		       in_range(e->id, who->subgid_first, who->subgid_count);
	return is_sibling(e, who) || (e->tag == ACL_USER && e->id == who->uid);
}

/* The same without the siblings' entries and notes: what is not vmrun's. */
static unsigned persons_union(const struct acl *a, const struct grant_who *who)
{
	unsigned u = 0;

	for (size_t i = 0; i < a->n; i++)
		if (is_masked(&a->e[i]) && !is_vmruns(&a->e[i], who))
			u |= a->e[i].perm;
	return u;
}

unsigned acl_rights(const struct acl *a, const struct grant_who *who)
{
	const struct acl_entry *e = find(a, ACL_USER, who->uid);

	/* An ACL with a named entry has a mask, see is_valid(). */
	if (e)
		return e->perm & find(a, ACL_MASK, NO_ID)->perm;
	return find(a, ACL_OTHER, NO_ID)->perm;
}

int acl_entry_of(const struct acl *a, const struct grant_who *who)
{
	const struct acl_entry *e = find(a, ACL_USER, who->uid);

	return e ? e->perm : -1;
}

/*
 * The note's bits for an ACL whose mask was there before us: what the mask
 * lets through of `fresh` although nothing but vmrun's entries uses it, unless
 * a sibling widened the mask by it.
 */
static unsigned bits_to_keep(const struct acl *a, const struct grant_who *who,
			     const struct siblings *s, unsigned fresh)
{
	unsigned group = find(a, ACL_GROUP_OBJ, NO_ID)->perm;
	unsigned mask = find(a, ACL_MASK, NO_ID)->perm;

	if (s->no_mask)
		return group ? group : fresh;
	return mask & fresh & ~persons_union(a, who) & (s->kept | ~s->perms);
}

static enum acl_change add_masked(struct acl *a, const struct grant_who *who,
				  unsigned perm)
{
	unsigned mask = find(a, ACL_MASK, NO_ID)->perm;
	struct acl_entry *mine = find(a, ACL_USER, who->uid);
	struct acl_entry *note = find(a, ACL_GROUP, who->gid);
	struct siblings s = siblings_of(a, who);
	unsigned had = mine ? mine->perm : 0;
	unsigned want = had | perm;
	bool noted = mine ? note != NULL : s.noted || s.n == 0;
	unsigned keep = note ? note->perm : 0;

	if (mine && had == want && !(want & ~mask))
		return ACL_SAME;
	if (want & ~mask & others_union(a, who))
		return ACL_MASKED;
	if (a->n + 2 > ACL_ENTRIES_MAX)
		return ACL_FULL;
	keep |= bits_to_keep(a, who, &s, want & ~had);
	set(a, ACL_USER, who->uid, want);
	if (noted)
		set(a, ACL_GROUP, who->gid, keep);
	set(a, ACL_MASK, NO_ID, mask | want);
	return ACL_CHANGED;
}

enum acl_change acl_add(struct acl *a, enum acl_kind kind,
			const struct grant_who *who, unsigned perm)
{
	unsigned group = find(a, ACL_GROUP_OBJ, NO_ID)->perm;

	if (find(a, ACL_MASK, NO_ID))
		return add_masked(a, who, perm);
	if (a->n + 3 > ACL_ENTRIES_MAX)
		return ACL_FULL;
	set(a, ACL_USER, who->uid, perm);
	/* A default ACL of the person's that has no mask: see acl.h. */
	if (kind == ACL_DEFAULT)
		set(a, ACL_GROUP, who->gid, group ? group : ACL_RWX);
	set(a, ACL_MASK, NO_ID,
	    group | perm | (kind == ACL_DEFAULT ? ACL_RWX : 0));
	return ACL_CHANGED;
}

static bool has_named(const struct acl *a)
{
	for (size_t i = 0; i < a->n; i++)
		if (is_named(&a->e[i]))
			return true;
	return false;
}

/*
 * The owner's entry in an ACL that vmrun made, once no VM is left in it: it
 * came from acl_make_default(), by way of inheritance or directly.
 */
static unsigned drop_owner(struct acl *a, const struct grant_who *who)
{
	struct acl_entry *e = find(a, ACL_USER, who->owner);

	for (size_t i = 0; i < a->n; i++)
		if (is_sibling(&a->e[i], who))
			return 0;
	if (!e || e->perm != ACL_RWX)
		return 0;
	drop(a, e);
	return ACL_RWX;
}

/* Drops every entry of that tag and id; the union of what they gave, or -1. */
static int drop_all(struct acl *a, uint16_t tag, uint32_t id)
{
	struct acl_entry *e;
	int perm = -1;

	/* The kernel does not mind an id that comes twice. */
	while ((e = find(a, tag, id))) {
		perm = (perm < 0 ? 0 : perm) | e->perm;
		drop(a, e);
	}
	return perm;
}

enum acl_change acl_remove(struct acl *a, enum acl_kind kind,
			   const struct grant_who *who)
{
	int had = drop_all(a, ACL_USER, who->uid);
	int note = drop_all(a, ACL_GROUP, who->gid);
	unsigned perm = had < 0 ? 0 : (unsigned)had;
	unsigned keep = note < 0 ? 0 : (unsigned)note;
	struct acl_entry *group, *mask;
	bool ours; /* the mask */

	if (had < 0 && note < 0)
		return ACL_SAME;
	if (note < 0)
		perm |= drop_owner(a, who);
	group = find(a, ACL_GROUP_OBJ, NO_ID);
	mask = find(a, ACL_MASK, NO_ID);
	ours = note < 0 || says_no_mask(keep, group->perm);
	if (!ours || has_named(a)) {
		mask->perm &= others_union(a, who) | keep | ~perm;
		return ACL_CHANGED;
	}
	group->perm = mask->perm & (group->perm | ~perm);
	drop(a, mask);
	return kind == ACL_DEFAULT && note < 0 ? ACL_GONE : ACL_CHANGED;
}

enum acl_change acl_lower(struct acl *a, const struct grant_who *who,
			  unsigned perm)
{
	unsigned group = find(a, ACL_GROUP_OBJ, NO_ID)->perm;
	struct acl_entry *mine = find(a, ACL_USER, who->uid);
	struct acl_entry *note = find(a, ACL_GROUP, who->gid);
	struct acl_entry *mask = find(a, ACL_MASK, NO_ID);
	unsigned gone = mine->perm & ~perm;
	unsigned keep = note ? note->perm : 0;

	if (!gone)
		return ACL_SAME;
	mask->perm &= others_union(a, who) | keep | ~gone;
	mine->perm &= perm;
	/* Bits that the group has too are not there to be kept. */
	if (note && !(keep & group))
		note->perm &= perm;
	return ACL_CHANGED;
}

/* The owner's to be: as the owner he does not need it. */
static bool is_owners(const struct acl_entry *e, const struct grant_who *who)
{
	return e->tag == ACL_USER && e->id == who->owner;
}

enum acl_change acl_keep(struct acl *a, const struct grant_who *who)
{
	const struct acl_entry *mask = find(a, ACL_MASK, NO_ID);
	unsigned cut = mask ? mask->perm : ACL_RWX, all = 0;

	if (a->n + 2 > ACL_ENTRIES_MAX)
		return ACL_FULL;
	for (size_t i = 0; i < a->n; i++)
		if (is_masked(&a->e[i]) && !is_owners(&a->e[i], who))
			a->e[i].perm &= (uint16_t)cut;
	set(a, ACL_USER, who->uid, find(a, ACL_USER_OBJ, NO_ID)->perm);
	for (size_t i = 0; i < a->n; i++)
		if (is_masked(&a->e[i]) && !is_owners(&a->e[i], who))
			all |= a->e[i].perm;
	set(a, ACL_MASK, NO_ID, all);
	return ACL_CHANGED;
}

static bool is_own(const struct acl_entry *e, const struct grant_who *who)
{
	return e->id == (e->tag == ACL_USER ? who->uid : who->gid);
}

/* What a new file in a directory with this default ACL has for that id. */
static unsigned given(const struct acl *from, const struct acl_entry *e)
{
	const struct acl_entry *had = from ? find(from, e->tag, e->id) : NULL;

	return had ? had->perm : 0;
}

/* Cuts an entry to what `from` has; whether it had more. */
static bool cut(struct acl_entry *e, const struct acl *from)
{
	unsigned was = e->perm;

	e->perm &= (uint16_t)given(from, e);
	return e->perm != was;
}

enum acl_change acl_sweep(struct acl *a, enum acl_kind kind,
			  const struct acl *from, const struct grant_who *who)
{
	struct acl_entry *mask;
	bool changed = false;
	size_t i = 0;

	if (kind == ACL_DEFAULT && !from)
		return ACL_GONE;
	while (i < a->n) {
		struct acl_entry *e = &a->e[i++];

		if (!is_named(e) || is_own(e, who) || !cut(e, from))
			continue;
		changed = true;
		if (!from || !find(from, e->tag, e->id))
			drop(a, &a->e[--i]);
	}
	if (kind == ACL_DEFAULT) {
		changed = cut(find(a, ACL_GROUP_OBJ, NO_ID), from) || changed;
		changed = cut(find(a, ACL_OTHER, NO_ID), from) || changed;
	}
	mask = find(a, ACL_MASK, NO_ID);
	if (changed && mask && !has_named(a)) {
		find(a, ACL_GROUP_OBJ, NO_ID)->perm &= mask->perm;
		drop(a, mask);
	}
	return changed ? ACL_CHANGED : ACL_SAME;
}

void acl_make_default(struct acl *d, const struct acl *access,
		      const struct grant_who *who)
{
	const struct acl_entry *mask = find(access, ACL_MASK, NO_ID);
	unsigned group = find(access, ACL_GROUP_OBJ, NO_ID)->perm;
	unsigned other = find(access, ACL_OTHER, NO_ID)->perm;

	if (mask)
		group &= mask->perm;
	acl_from_mode(d, (0700u | group << 3 | other) & ~who->umask);
	set(d, ACL_USER, who->owner, ACL_RWX);
	set(d, ACL_USER, who->uid, ACL_RWX);
	set(d, ACL_MASK, NO_ID, ACL_RWX);
}

bool acl_names(const struct acl *a, const struct grant_who *who)
{
	return find(a, ACL_USER, who->uid) || find(a, ACL_GROUP, who->gid);
}

unsigned acl_mask(const struct acl *a)
{
	const struct acl_entry *mask = find(a, ACL_MASK, NO_ID);

	return mask ? mask->perm : ACL_RWX;
}

unsigned acl_persons(const struct acl *a, const struct grant_who *who)
{
	unsigned u = 0;

	for (size_t i = 0; i < a->n; i++)
		if (is_masked(&a->e[i]) && !is_vmruns(&a->e[i], who) &&
		    !is_owners(&a->e[i], who))
			u |= a->e[i].perm;
	return (u & acl_mask(a)) | find(a, ACL_OTHER, NO_ID)->perm;
}

bool acl_next_named(const struct acl *a, struct acl_named *n)
{
	while (n->at < a->n) {
		const struct acl_entry *e = &a->e[n->at++];

		if (!is_named(e))
			continue;
		n->is_group = e->tag == ACL_GROUP;
		n->id = e->id;
		n->perm = e->perm;
		return true;
	}
	return false;
}

bool acl_is_expressible(const struct acl *a, const struct grant_who *who)
{
	for (size_t i = 0; i < a->n; i++) {
		const struct acl_entry *e = &a->e[i];

		if (e->tag == ACL_USER && e->id != who->owner &&
		    e->id != who->uid &&
		    !in_range(e->id, who->sub_first, who->sub_count))
			return false;
		if (e->tag == ACL_GROUP && e->id != who->owner_gid &&
		    e->id != who->gid &&
		    !in_range(e->id, who->subgid_first, who->subgid_count))
			return false;
	}
	return true;
}
