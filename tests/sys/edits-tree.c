/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A random tree, twice on the disk, and random things that a person does with
 * both.  See edits.c.
 */
#include "edits.h"

#include "../unit/rmtree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define PATH_SIZE 2048

static const char *const tops[SIDES] = {"vmrun", "twin"};
static uint64_t state;

void edits_seed(uint64_t seed)
{
	state = seed * 0x9e3779b97f4a7c15u + 1;
}

unsigned edits_random(unsigned n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)(state >> 33) % n;
}

char *tree_path(const struct tree *t, int name, enum side side, char *out,
		size_t n)
{
	int up[NAMES_MAX];
	size_t used = (size_t)snprintf(out, n, "%s", tops[side]);
	int depth = 0;

	for (; name >= 0; name = t->names[name].parent)
		up[depth++] = name;
	while (depth-- > 0 && used < n)
		used += (size_t)snprintf(out + used, n - used, "/%s",
					 t->names[up[depth]].text);
	if (used >= n)
		edits_die("a path");
	return out;
}

/* ---- picking ---- */

static struct inode *inode_of(struct tree *t, int name)
{
	return &t->inodes[t->names[name].inode];
}

/* One of the names of a type (0: any), or -1. */
static int pick(struct tree *t, mode_t type)
{
	int fit[NAMES_MAX] = {0};
	unsigned n = 0;

	for (int i = 0; i < NAMES_MAX; i++)
		if (t->names[i].used && !(t->stays && i == ROOT_OUT) &&
		    (!type || inode_of(t, i)->type == type))
			fit[n++] = i;
	return n ? fit[edits_random(n)] : -1;
}

static int pick_free(const struct tree *t)
{
	for (int i = 2; i < NAMES_MAX; i++)
		if (!t->names[i].used)
			return i;
	return -1;
}

/* ---- one act, on both sides ---- */

enum act {
	ACT_MKFILE,
	ACT_MKDIR,
	ACT_SYMLINK,
	ACT_FIFO,
	ACT_LINK,
	ACT_UNLINK,
	ACT_RENAME,
	ACT_REPLACE,
	ACT_CHMOD,
	ACT_ENTRY,
	ACT_NO_ENTRY,
	ACT_MASK,
	ACT_NO_ACL,
	ACT_DEFAULT,
	ACT_NO_DEFAULT,
	ACT_XATTR,
	ACTS,
};

struct deed {
	enum act act;
	int name;  /* what is done something to; the parent of a new one */
	int other; /* ACT_REPLACE: the name that it replaces */
	int made;  /* the place of a new name */
	mode_t mode;
	unsigned tag, perm;
	uint32_t id;
	struct pacl acl;
};

/* As setfacl does it: the rest of the ACL is left alone. */
static int edit_acl(const char *path, const struct deed *d)
{
	struct stat st;
	struct pacl a;

	pacl_read(path, PACL_ACCESS, &a);
	if (!a.n && stat(path, &st) == 0)
		pacl_from_mode(&a, st.st_mode);
	if (d->act == ACT_NO_ENTRY && pacl_perm(&a, d->tag, d->id) < 0)
		return 0;
	if (d->act == ACT_ENTRY)
		pacl_set(&a, d->tag, d->id, d->perm);
	else if (d->act == ACT_NO_ENTRY)
		pacl_drop(&a, d->tag, d->id);
	if (d->act == ACT_MASK)
		pacl_set(&a, MASK, 0, d->perm);
	else if (d->act == ACT_NO_ACL) /* -b */
		pacl_from_mode(&a, (mode_t)pacl_perm(&a, U_OBJ, 0) << 6 |
					   (mode_t)pacl_gives(&a, G_OBJ, 0)
						   << 3 |
					   (mode_t)pacl_perm(&a, OTHERS, 0));
	else
		pacl_compute_mask(&a);
	return pacl_write(path, PACL_ACCESS, &a);
}

static int make(const struct deed *d, const char *path)
{
	int fd;

	if (d->act == ACT_MKDIR)
		return mkdir(path, d->mode);
	if (d->act == ACT_SYMLINK)
		return symlink("/etc/passwd", path);
	if (d->act == ACT_FIFO)
		return mkfifo(path, d->mode);
	fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, d->mode);
	return fd < 0 ? -1 : close(fd);
}

static int act_on(const struct tree *t, const struct deed *d, enum side side)
{
	char path[PATH_SIZE], other[PATH_SIZE];

	tree_path(t, d->name, side, path, sizeof(path));
	switch (d->act) {
	case ACT_MKFILE:
	case ACT_MKDIR:
	case ACT_SYMLINK:
	case ACT_FIFO:
		tree_path(t, d->made, side, path, sizeof(path));
		return make(d, path);
	case ACT_LINK:
		tree_path(t, d->made, side, other, sizeof(other));
		return link(path, other);
	case ACT_UNLINK:
		return remove(path);
	case ACT_RENAME:
		tree_path(t, d->made, side, other, sizeof(other));
		return rename(path, other);
	case ACT_REPLACE:
		tree_path(t, d->other, side, other, sizeof(other));
		return rename(path, other);
	case ACT_CHMOD:
		return chmod(path, d->mode);
	case ACT_ENTRY:
	case ACT_NO_ENTRY:
	case ACT_MASK:
	case ACT_NO_ACL:
		return edit_acl(path, d);
	case ACT_DEFAULT:
	case ACT_NO_DEFAULT:
		return pacl_write(path, PACL_DEFAULT, &d->acl);
	case ACT_XATTR:
		if (setxattr(path, "user.note", &d->perm, 1, 0) < 0 &&
		    errno != EOPNOTSUPP)
			return -1;
		return 0;
	case ACTS:
		break;
	}
	abort();
}

/* What it means for the model. */

static void note_new(struct tree *t, const struct deed *d)
{
	struct name *n = &t->names[d->made];
	struct inode *i = &t->inodes[t->n_inodes];
	const struct inode *up = inode_of(t, n->parent);

	n->used = true;
	n->inode = (int)t->n_inodes++;
	*i = (struct inode){.names = 1, .made = t->is_run};
	i->type = d->act == ACT_MKDIR	  ? S_IFDIR
		  : d->act == ACT_SYMLINK ? S_IFLNK
		  : d->act == ACT_FIFO	  ? S_IFIFO
					  : S_IFREG;
	if (i->type == S_IFDIR)
		i->inherits = up->inherits;
	i->from_ours = up->inherits == INHERITS_OURS && i->type != S_IFLNK;
	i->group = i->got_group = up->group;
	i->others = i->got_others = up->others;
}

static void drop_name(struct tree *t, int name)
{
	inode_of(t, name)->names--;
	t->names[name].used = false;
}

static void note_rename(struct tree *t, const struct deed *d)
{
	struct name *from = &t->names[d->name], *to;

	if (d->act == ACT_RENAME) {
		to = &t->names[d->made];
	} else {
		to = &t->names[d->other];
		/* Two names of one file: rename(2) does nothing then. */
		if (to->inode == from->inode)
			return;
		drop_name(t, d->other);
	}
	/* In place, because names in it have this one as their parent. */
	from->parent = to->parent;
	memcpy(from->text, to->text, sizeof(from->text));
}

static void note_acl(struct inode *i, const struct deed *d)
{
	i->acl_set = true;
	if (d->act == ACT_MASK) {
		i->masked = true;
		i->named_mask |= d->perm;
	} else if (i->chmodded || i->masked) {
		i->remasked = true;
	}
}

static void note(struct tree *t, const struct deed *d)
{
	struct inode *i = inode_of(t, d->name);

	switch (d->act) {
	case ACT_MKFILE:
	case ACT_MKDIR:
	case ACT_SYMLINK:
	case ACT_FIFO:
		note_new(t, d);
		break;
	case ACT_LINK:
		t->names[d->made].used = true;
		t->names[d->made].inode = t->names[d->name].inode;
		i->names++;
		break;
	case ACT_UNLINK:
		drop_name(t, d->name);
		break;
	case ACT_RENAME:
	case ACT_REPLACE:
		note_rename(t, d);
		break;
	case ACT_CHMOD:
		i->chmodded = i->chmodded || t->is_run;
		break;
	case ACT_ENTRY:
	case ACT_NO_ENTRY:
	case ACT_MASK:
	case ACT_NO_ACL:
		if (t->is_run)
			note_acl(i, d);
		break;
	case ACT_DEFAULT:
		i->inherits = INHERITS_PERSONS;
		break;
	case ACT_NO_DEFAULT:
		i->inherits = INHERITS_NOTHING;
		break;
	case ACT_XATTR:
	case ACTS:
		break;
	}
}

/* What vmrun has made of an inode that a chmod may have been on. */
static void note_group(struct tree *t, int name)
{
	struct inode *i = inode_of(t, name);
	char path[PATH_SIZE];
	unsigned perm = 0, group;
	struct pacl a;

	if (!t->is_run || (i->type != S_IFDIR && i->type != S_IFREG))
		return;
	pacl_read(tree_path(t, name, SIDE_VMRUN, path, sizeof(path)),
		  PACL_ACCESS, &a);
	for (unsigned k = 0; k < a.n; k++)
		if (a.e[k].tag == U_NAMED && a.e[k].id >= t->uids.first &&
		    a.e[k].id - t->uids.first < t->uids.count)
			perm |= a.e[k].perm;
	if (!perm)
		return;
	group = (unsigned)pacl_perm(&a, G_OBJ, 0);
	i->had_group |= group;
	if (i->chmodded)
		i->ambiguous |= perm & ~group;
}

void tree_note_all(struct tree *t)
{
	for (int i = 0; i < NAMES_MAX; i++)
		if (t->names[i].used)
			note_group(t, i);
}

/* A person may do no less, and no more, than without vmrun. */
static void carry_out(struct tree *t, const struct deed *d)
{
	int twin, vmrun, code;

	umask(t->umask);
	if (t->is_loud)
		printf("# act %d on %d (%s), to %d: mode %o, entry %x(%u)=%o\n",
		       d->act, d->name, t->names[d->name].text, d->made,
		       d->mode, d->tag, d->id, d->perm);
	twin = act_on(t, d, SIDE_TWIN);
	code = twin < 0 ? errno : 0;
	vmrun = act_on(t, d, SIDE_VMRUN);
	if (twin == 0 && vmrun == 0) {
		note(t, d);
		if (t->names[d->name].used)
			note_group(t, d->name);
		return;
	}
	if (twin == vmrun && code == errno)
		return;
	printf("# act %d: %s with vmrun, without: ", d->act,
	       vmrun < 0 ? strerror(errno) : "done");
	errno = code;
	edits_die("they differ");
}

/* ---- random deeds ---- */

static uint32_t random_id(void)
{
	static const uint32_t ids[] = {3000, 3001, 4000000};

	return ids[edits_random(3)];
}

/* Without the one form that grant/acl.h says is not kept. */
static void random_default(struct pacl *a)
{
	pacl_from_mode(a, 0400 | edits_random(01000));
	for (unsigned n = edits_random(3); n; n--)
		pacl_set(a, edits_random(2) ? U_NAMED : G_NAMED, random_id(),
			 edits_random(8));
	if (pacl_has_named(a) || edits_random(2))
		pacl_set(a, MASK, 0, edits_random(8));
	if (!pacl_has_named(a) && pacl_perm(a, G_OBJ, 0) == 0 &&
	    pacl_perm(a, MASK, 0) == 7)
		pacl_set(a, G_OBJ, 0, 1);
}

/* A place for a new name in some directory; -1: there is none. */
static int new_name(struct tree *t)
{
	int at = pick_free(t);
	struct name *n;

	if (at < 0 || t->n_inodes == NAMES_MAX)
		return -1;
	n = &t->names[at];
	n->parent = pick(t, S_IFDIR);
	snprintf(n->text, sizeof(n->text), "%u", t->serial++);
	return at;
}

static mode_t random_mode(mode_t type)
{
	/* Its owner can always go into a directory: see granttrees-test. */
	if (type == S_IFDIR)
		return 0700 | edits_random(0100) |
		       (edits_random(8) ? 0 : 01000);
	return edits_random(01000) | (edits_random(16) ? 0 : S_ISUID);
}

static enum act random_act(void)
{
	static const unsigned char odds[ACTS] = {
		[ACT_MKFILE] = 20, [ACT_MKDIR] = 10,   [ACT_SYMLINK] = 2,
		[ACT_FIFO] = 1,	   [ACT_LINK] = 3,     [ACT_UNLINK] = 4,
		[ACT_RENAME] = 8,  [ACT_REPLACE] = 3,  [ACT_CHMOD] = 12,
		[ACT_ENTRY] = 6,   [ACT_NO_ENTRY] = 2, [ACT_MASK] = 2,
		[ACT_NO_ACL] = 2,  [ACT_DEFAULT] = 4,  [ACT_NO_DEFAULT] = 1,
		[ACT_XATTR] = 2,
	};
	unsigned sum = 0, r;

	for (unsigned i = 0; i < ACTS; i++)
		sum += odds[i];
	r = edits_random(sum);
	for (unsigned i = 0; i < ACTS; i++) {
		if (r < odds[i])
			return (enum act)i;
		r -= odds[i];
	}
	abort();
}

static bool is_kept(const struct tree *t, const struct deed *d)
{
	mode_t type = t->inodes[t->names[d->name].inode].type;

	if (d->act == ACT_UNLINK || d->act == ACT_RENAME ||
	    d->act == ACT_REPLACE)
		return d->name > ROOT_OUT && d->other > ROOT_OUT;
	/* With a mask on it vmrun would not start. */
	if (t->stays && d->name == ROOT_TREE && d->act >= ACT_ENTRY)
		return false;
	if (d->act == ACT_LINK)
		return type != S_IFDIR && type != S_IFLNK;
	if (d->act >= ACT_CHMOD)
		return type == S_IFDIR || type == S_IFREG;
	return true;
}

void tree_edit(struct tree *t)
{
	struct deed d = {.act = random_act(), .other = ROOT_OUT + 1};
	bool of_dir = d.act == ACT_DEFAULT || d.act == ACT_NO_DEFAULT;

	d.name = pick(t, of_dir ? S_IFDIR : 0);
	if (d.act == ACT_REPLACE)
		d.other = pick(t, 0);
	d.made = new_name(t);
	if (d.made < 0 || !is_kept(t, &d))
		return;
	d.mode = random_mode(d.act == ACT_MKDIR	  ? S_IFDIR
			     : d.act == ACT_CHMOD ? inode_of(t, d.name)->type
						  : S_IFREG);
	d.tag = edits_random(3) ? U_NAMED : G_NAMED;
	d.id = random_id();
	d.perm = edits_random(8);
	if (d.act == ACT_DEFAULT)
		random_default(&d.acl);
	carry_out(t, &d);
}

static void make_root(struct tree *t, int name, const char *text)
{
	struct name *n = &t->names[name];
	char path[PATH_SIZE];

	*n = (struct name){.used = true, .parent = -1, .inode = name};
	snprintf(n->text, sizeof(n->text), "%s", text);
	t->inodes[name] = (struct inode){.type = S_IFDIR, .names = 1};
	t->n_inodes++;
	for (int s = 0; s < SIDES; s++)
		if (mkdir(tree_path(t, name, (enum side)s, path, sizeof(path)),
			  0700) < 0)
			edits_die(path);
}

void tree_make(struct tree *t, mode_t mask)
{
	t->is_run = false;
	t->umask = mask;
	memset(t->names, 0, sizeof(t->names));
	t->n_inodes = t->serial = 0;
	for (int s = 0; s < SIDES; s++)
		if (mkdir(tops[s], 0755) < 0 || chmod(tops[s], 0755) < 0)
			edits_die(tops[s]);
	make_root(t, ROOT_TREE, "t");
	make_root(t, ROOT_OUT, "out");
}

void tree_granted(struct tree *t, bool is_rw)
{
	char path[PATH_SIZE];

	t->is_run = true;
	for (int i = 0; is_rw && i < NAMES_MAX; i++) {
		struct inode *n = &t->inodes[t->names[i].inode];
		struct stat st;
		struct pacl a;
		int up = i;

		if (!t->names[i].used || n->type != S_IFDIR ||
		    n->inherits != INHERITS_NOTHING)
			continue;
		while (t->names[up].parent >= 0)
			up = t->names[up].parent;
		if (up != ROOT_TREE)
			continue;
		tree_path(t, i, SIDE_TWIN, path, sizeof(path));
		if (stat(path, &st) < 0)
			edits_die(path);
		pacl_read(path, PACL_ACCESS, &a);
		if (!a.n)
			pacl_from_mode(&a, st.st_mode);
		n->inherits = INHERITS_OURS;
		n->group = (unsigned)pacl_gives(&a, G_OBJ, 0) &
			   ~(t->umask >> 3 & 7);
		n->others = (unsigned)pacl_perm(&a, OTHERS, 0) & ~t->umask;
		/* It has less than its twin itself. */
		if (n->from_ours)
			n->group &= n->got_group;
		if (n->from_ours && !n->chmodded)
			n->others &= n->got_others;
		/* That was said to the mask, if U had an entry already. */
		if (n->chmodded || n->masked || n->remasked)
			n->group = 0;
	}
}

void tree_remove(void)
{
	for (int s = 0; s < SIDES; s++)
		if (rmtree(tops[s]) != 0)
			edits_die("removing a tree");
}
