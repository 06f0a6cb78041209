/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The property test of grants with a person at work: see edits.c.
 *
 * Shares no code with vmrun, so that what it judges by is not what it judges.
 */
#ifndef TESTS_SYS_EDITS_H
#define TESTS_SYS_EDITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* ---- edits-acl.c: an ACL, as the kernel stores it for user space */

#define PACL_MAX 32
#define PACL_ACCESS "system.posix_acl_access"
#define PACL_DEFAULT "system.posix_acl_default"

enum { U_OBJ = 1, U_NAMED = 2, G_OBJ = 4, G_NAMED = 8, MASK = 16, OTHERS = 32 };

struct pacl {
	unsigned n; /* 0: there is none */
	struct pentry {
		uint16_t tag, perm;
		uint32_t id;
	} e[PACL_MAX];
};

/* Both end the test with a message where the kernel refuses. */
void pacl_read(const char *path, const char *xattr, struct pacl *a);
/* 0, or -1 and errno; without entries the xattr is removed. */
int pacl_write(const char *path, const char *xattr, const struct pacl *a);
void pacl_from_mode(struct pacl *a, mode_t mode);
bool pacl_same(const struct pacl *a, const struct pacl *b);
/* An entry's permissions; -1 if there is none. */
int pacl_perm(const struct pacl *a, unsigned tag, uint32_t id);
/* What the entry gives, after the mask; -1 if there is none. */
int pacl_gives(const struct pacl *a, unsigned tag, uint32_t id);
void pacl_set(struct pacl *a, unsigned tag, uint32_t id, unsigned perm);
void pacl_drop(struct pacl *a, unsigned tag, uint32_t id);
/* The mask as setfacl(1) computes it: all that it cuts, together. */
void pacl_compute_mask(struct pacl *a);
bool pacl_has_named(const struct pacl *a);
void pacl_print(const char *what, const struct pacl *a);

/* ---- edits-tree.c: one tree, on disk twice, and what was done to it */

#define NAMES_MAX 160
#define SIDES 2

enum side { SIDE_VMRUN, SIDE_TWIN };

/* What new files of a directory inherit. */
enum inherits { INHERITS_NOTHING, INHERITS_OURS, INHERITS_PERSONS };

struct inode {
	mode_t type;
	unsigned names;
	bool made;     /* during the run */
	bool chmodded; /* the same */
	bool acl_set;  /* the same */
	bool remasked; /* its mask was computed anew after a chmod */
	bool masked;   /* it got a mask, which may be taken for a chmod */
	unsigned named_mask;
	enum inherits inherits;
	unsigned group, others; /* of INHERITS_OURS: what they may get */
	bool from_ours;		/* made where that was so, with: */
	unsigned got_group, got_others;
	/* On vmrun's side, whenever something was done to it: what the group's
	 * entry gave, and what of a chmod is lost, see edits.c. */
	unsigned had_group, ambiguous;
};

struct name {
	bool used;
	int parent; /* a name; -1: one of the two roots */
	int inode;
	char text[24];
};

/* Ids that may not be met afterwards, as owners or in ACLs. */
struct ids {
	uint32_t first, count;
};

struct tree {
	struct ids uids, gids; /* of the VMs */
	bool is_run;	       /* a grant is in force */
	bool stays;	       /* nothing leaves the tree, or comes in */
	bool is_loud;
	mode_t umask;
	struct name names[NAMES_MAX];
	struct inode inodes[NAMES_MAX];
	unsigned n_inodes, serial;
};

#define ROOT_TREE 0 /* "t", which is granted */
#define ROOT_OUT 1  /* "out", beside it */

unsigned edits_random(unsigned n); /* 0 .. n-1 */
void edits_seed(uint64_t seed);
_Noreturn void edits_die(const char *what);

/* A new one; uids, gids and stays are set. */
void tree_make(struct tree *t, mode_t umask);
/* Something that a person does, on both sides. */
void tree_edit(struct tree *t);
/* Before the revoke. */
void tree_note_all(struct tree *t);
/* Grants were made: what directories hand down from now on. */
void tree_granted(struct tree *t, bool is_rw);
char *tree_path(const struct tree *t, int name, enum side side, char *out,
		size_t n);
void tree_remove(void);

/* ---- edits-judge.c: whether the two are the same */

struct verdict {
	uint64_t inodes, exact, lost, remasked, wrong;
};

void judge_after(const struct tree *t, struct verdict *v);
/* How many traces of the VMs are at and below the root. */
unsigned judge_traces(const struct tree *t, int root);

#endif
