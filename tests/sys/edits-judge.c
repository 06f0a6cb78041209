/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whether a tree that vmrun had is as its twin that it never saw.  See edits.c
 * for what counts.
 */
#include "edits.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define PATH_SIZE 2048

/* An inode on one side. */
struct seen {
	struct stat st;
	struct pacl access, dflt;
	char note[8];
	ssize_t n_note;
	char target[64];
	ssize_t n_target;
};

static bool in(const struct ids *r, uint32_t id)
{
	return id >= r->first && id - r->first < r->count;
}

static void look(const char *path, struct seen *s)
{
	memset(s, 0, sizeof(*s));
	if (lstat(path, &s->st) < 0)
		edits_die(path);
	s->n_target = -1;
	if (S_ISLNK(s->st.st_mode)) {
		s->n_target = readlink(path, s->target, sizeof(s->target));
		return;
	}
	pacl_read(path, PACL_ACCESS, &s->access);
	if (S_ISDIR(s->st.st_mode))
		pacl_read(path, PACL_DEFAULT, &s->dflt);
	s->n_note = lgetxattr(path, "user.note", s->note, sizeof(s->note));
}

static bool is_traced(const struct pacl *a, const struct ids *uids,
		      const struct ids *gids)
{
	for (unsigned i = 0; i < a->n; i++)
		if ((a->e[i].tag == U_NAMED && in(uids, a->e[i].id)) ||
		    (a->e[i].tag == G_NAMED && in(gids, a->e[i].id)))
			return true;
	return false;
}

static bool has_trace(const struct tree *t, const struct seen *s)
{
	return in(&t->uids, s->st.st_uid) || in(&t->gids, s->st.st_gid) ||
	       is_traced(&s->access, &t->uids, &t->gids) ||
	       is_traced(&s->dflt, &t->uids, &t->gids);
}

static int root_of(const struct tree *t, int name)
{
	while (t->names[name].parent >= 0)
		name = t->names[name].parent;
	return name;
}

unsigned judge_traces(const struct tree *t, int root)
{
	char path[PATH_SIZE];
	unsigned n = 0;
	struct seen s;

	for (int i = 0; i < NAMES_MAX; i++) {
		if (!t->names[i].used || root_of(t, i) != root)
			continue;
		look(tree_path(t, i, SIDE_VMRUN, path, sizeof(path)), &s);
		n += has_trace(t, &s);
	}
	return n;
}

/* ---- the comparison ---- */

static bool is_exact(const struct seen *a, const struct seen *b)
{
	return a->st.st_mode == b->st.st_mode &&
	       pacl_same(&a->access, &b->access) &&
	       pacl_same(&a->dflt, &b->dflt);
}

/* What nothing that vmrun does may change. */
static bool is_same_thing(const struct seen *a, const struct seen *b)
{
	return (a->st.st_mode & S_IFMT) == (b->st.st_mode & S_IFMT) &&
	       (a->st.st_mode & 07700) == (b->st.st_mode & 07700) &&
	       a->st.st_uid == b->st.st_uid && a->st.st_gid == b->st.st_gid &&
	       a->st.st_nlink == b->st.st_nlink && a->n_note == b->n_note &&
	       !memcmp(a->note, b->note, sizeof(a->note)) &&
	       a->n_target == b->n_target &&
	       !memcmp(a->target, b->target, sizeof(a->target)) &&
	       pacl_same(&a->dflt, &b->dflt);
}

static void full(const struct seen *s, struct pacl *a)
{
	*a = s->access;
	if (!a->n)
		pacl_from_mode(a, s->st.st_mode);
}

/* Everybody but the owning group and the others may do the same. */
static bool same_named(const struct pacl *a, const struct pacl *b)
{
	unsigned na = 0, nb = 0;

	for (unsigned i = 0; i < b->n; i++)
		nb += b->e[i].tag == U_NAMED || b->e[i].tag == G_NAMED;
	for (unsigned i = 0; i < a->n; i++) {
		const struct pentry *e = &a->e[i];

		if (e->tag != U_NAMED && e->tag != G_NAMED)
			continue;
		na++;
		if (pacl_gives(a, e->tag, e->id) !=
		    pacl_gives(b, e->tag, e->id))
			return false;
	}
	return na == nb;
}

enum finding { AS_IT_SHOULD, LOST_KNOWN, REMASKED_KNOWN, WRONG };

/*
 * The form that grant/acl.h says is lost: nobody's rights change.
 */
static bool is_odd_form(const struct seen *sa, const struct seen *sb)
{
	struct pacl a, b;

	full(sa, &a);
	full(sb, &b);
	return !pacl_has_named(&b) && pacl_perm(&b, G_OBJ, 0) == 0 &&
	       pacl_perm(&b, MASK, 0) == 7 && !sa->access.n &&
	       pacl_perm(&a, G_OBJ, 0) == 0 &&
	       pacl_perm(&a, OTHERS, 0) == pacl_perm(&b, OTHERS, 0);
}

/* What was made or edited while a grant was there; see edits.c. */
static enum finding judge_edited(const struct inode *n, const struct seen *sa,
				 const struct seen *sb)
{
	unsigned ga, gb, oa, ob, handed_down = 7, shown;
	struct pacl a, b;

	full(sa, &a);
	full(sb, &b);
	if (!same_named(&a, &b))
		return WRONG;
	ga = (unsigned)pacl_gives(&a, G_OBJ, 0);
	gb = (unsigned)pacl_gives(&b, G_OBJ, 0);
	oa = (unsigned)pacl_perm(&a, OTHERS, 0);
	ob = (unsigned)pacl_perm(&b, OTHERS, 0);
	if (n->from_ours)
		handed_down = n->got_group;
	if (oa != ob &&
	    (!n->from_ours || n->chmodded || oa != (ob & n->got_others)))
		return WRONG;
	/* What ls(1) shows for the group. */
	shown = pacl_has_named(&b) ? gb : (unsigned)(sb->st.st_mode >> 3 & 7);
	if (ga != gb && (n->remasked || n->masked || (ga & ~gb & shown) ||
			 (n->made && n->acl_set)))
		return (ga & ~gb & ~n->had_group & ~shown) ? WRONG
							   : REMASKED_KNOWN;
	if ((ga & ~gb) || (gb & ~ga & handed_down & ~n->ambiguous))
		return WRONG;
	return ga == gb && oa == ob ? AS_IT_SHOULD : LOST_KNOWN;
}

static void tell(const struct tree *t, int name, const struct seen *a,
		 const struct seen *b)
{
	const struct inode *n = &t->inodes[t->names[name].inode];
	char path[PATH_SIZE];

	printf("# differs: %s, mode %o, without vmrun %o%s%s%s%s; "
	       "the group had %o, unclear %o\n",
	       tree_path(t, name, SIDE_VMRUN, path, sizeof(path)),
	       a->st.st_mode, b->st.st_mode, n->made ? ", made" : "",
	       n->chmodded ? ", chmod" : "", n->acl_set ? ", ACL set" : "",
	       n->from_ours ? ", inherited" : "", n->had_group, n->ambiguous);
	pacl_print("access", &a->access);
	pacl_print("  twin", &b->access);
	pacl_print("default", &a->dflt);
	pacl_print("   twin", &b->dflt);
}

static void judge_one(const struct tree *t, int name, struct verdict *v)
{
	const struct inode *n = &t->inodes[t->names[name].inode];
	enum finding f = AS_IT_SHOULD;
	char path[PATH_SIZE];
	struct seen a, b;

	look(tree_path(t, name, SIDE_VMRUN, path, sizeof(path)), &a);
	look(tree_path(t, name, SIDE_TWIN, path, sizeof(path)), &b);
	v->inodes++;
	if (!is_same_thing(&a, &b) || has_trace(t, &a))
		f = WRONG;
	else if (is_exact(&a, &b))
		v->exact++;
	else if (is_odd_form(&a, &b))
		f = LOST_KNOWN;
	else
		f = n->made || n->chmodded || n->acl_set
			    ? judge_edited(n, &a, &b)
			    : WRONG;
	v->lost += f == LOST_KNOWN;
	v->remasked += f == REMASKED_KNOWN;
	v->wrong += f == WRONG;
	if (f == WRONG)
		tell(t, name, &a, &b);
}

void judge_after(const struct tree *t, struct verdict *v)
{
	for (int i = 0; i < NAMES_MAX; i++)
		if (t->names[i].used)
			judge_one(t, i, v);
}
