/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Arithmetic on one POSIX ACL.  Pure: no system calls, no authority.
 *
 * Works on the bytes of system.posix_acl_access and system.posix_acl_default
 * and not through libacl: what counts here is that the bytes come back as they
 * were, which is below libacl's interface, and a tree of a million files is
 * walked without an allocation for each.
 *
 * Theory of operation
 *
 * Our entry is u:U:P.  In an ACL that has named entries, all of them and the
 * owning group are cut by the mask, and the mask is what stat() and chmod()
 * call the group's bits.
 *
 * Adding.  The mask must let P through.  Without a mask, it becomes the union
 * of the owning group and P, which leaves everybody's rights alone.  With one,
 * it is widened by the bits of P it lacks, unless some other entry holds one of
 * these bits too: that entry would silently gain a right that the person (or a
 * chmod) took away.  Then the answer is ACL_MASKED and nothing is changed.
 *
 * Removing.  Bits of the mask that only our entry explains go.  Everything
 * else in the mask stays: it was there, or came from a chmod since.  If we made
 * the mask it goes altogether, and what it said becomes the owning group's
 * bits, without those only we explain.  So a chmod during a run survives; one
 * that asks the group for exactly the bits that our entry already showed there
 * cannot be told from no chmod, and is lost: on the side of fewer rights.
 *
 * The note.  Whether a mask was there before us, and which of its bits nobody
 * used, cannot be seen afterwards.  Where there was one we add a second entry,
 * g:G:K, G being U's own group: "the mask is not ours; keep its bits K".  It
 * lives where the guest cannot write, costs eight bytes, and gives nothing: K
 * is part of P, and only U has the group G.  In a default ACL the note says
 * that the ACL itself is not ours.  A default ACL without a mask has a note
 * that no other can have: K shares bits with the owning group's (or is rwx
 * where the group has none).  Files inherit notes from default ACLs, and mean
 * the same.
 *
 * Several VMs.  An entry of another id in the person's subordinate range is
 * taken for another VM's; if it has a note then ours gets one, if not then the
 * mask is vmrun's and goes with the last of them.
 *
 * A default ACL that we make holds the owner too, so that files made by U are
 * usable.  One that is the person's own is not given an owner entry: it
 * could not be told afterwards from one of the person's.
 *
 * Known to differ afterwards: a mask rwx over an owning group without rights
 * and no named entries, once U had rwx on it, is dropped.  Nobody's rights
 * change.
 *
 * Known to differ after edits during a run (tests/sys/edits.c is the whole
 * list): while U has an entry, a chmod, and the mode that something is made
 * with, say what the mask is, as with any ACL.  So a mask that is set by itself
 * is taken for a chmod; and setfacl, which computes it anew, gives the owning
 * group what its own entry said all the time.
 */
#ifndef GRANT_ACL_H
#define GRANT_ACL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct grant_who;

/* XATTR_SIZE_MAX is 64 KiB: four bytes of header, eight for each entry. */
#define ACL_BYTES_MAX 65536u
#define ACL_ENTRIES_MAX ((ACL_BYTES_MAX - 4u) / 8u)

#define ACL_R 4u
#define ACL_W 2u
#define ACL_X 1u
#define ACL_RWX 7u

struct acl_entry {
	uint16_t tag;  /* ACL_USER_OBJ ... of <linux/posix_acl.h> */
	uint16_t perm; /* ACL_R | ACL_W | ACL_X */
	uint32_t id;   /* of ACL_USER and ACL_GROUP; else all ones */
};

struct acl {
	size_t n;
	struct acl_entry e[ACL_ENTRIES_MAX];
};

enum acl_kind { ACL_ACCESS, ACL_DEFAULT };

enum acl_change {
	ACL_SAME,    /* nothing to do; the ACL is unchanged */
	ACL_CHANGED, /* to be written */
	ACL_GONE,    /* a default ACL that was all ours: to be removed */
	ACL_MASKED,  /* cannot be done without giving others more; unchanged */
	ACL_FULL,    /* no room for another entry; unchanged */
};

/*
 * Reads the xattr's bytes.  0, or -1 if the kernel would not accept them:
 * length, version, order, permissions, what must be there once.  Ids that are
 * not mapped here (all ones) are refused too: such an ACL cannot be put back.
 */
int acl_decode(struct acl *a, const void *p, size_t n);

/* Writes the xattr's bytes; their number, or 0 if `room` is too small. */
size_t acl_encode(const struct acl *a, void *p, size_t room);

/* The three entries that the mode bits of an inode stand for. */
void acl_from_mode(struct acl *a, mode_t mode);

/* What U may do: by its entry, else as one of the others. */
unsigned acl_rights(const struct acl *a, const struct grant_who *who);

/* U's own entry as it stands, unmasked; -1 if there is none. */
int acl_entry_of(const struct acl *a, const struct grant_who *who);

/*
 * Gives U at least `perm`.  With ACL_DEFAULT, `a` is a default ACL that exists;
 * see acl_make_default() for one that does not.
 */
enum acl_change acl_add(struct acl *a, enum acl_kind kind,
			const struct grant_who *who, unsigned perm);

/* Takes U's entry and its note away, and puts the mask back. */
enum acl_change acl_remove(struct acl *a, enum acl_kind kind,
			   const struct grant_who *who);

/*
 * Takes back a raise: U's entry, which is there, becomes `perm`, a part of what
 * it is now.
 */
enum acl_change acl_lower(struct acl *a, const struct grant_who *who,
			  unsigned perm);

/*
 * For an inode that U owns and is about to lose: U's entry gets what it had as
 * the owner, and everybody else keeps what he could really do, also where the
 * mask becomes wider for it.  The person's entry, of no use to the owner, stays
 * as it is: acl_remove() knows it by that.
 */
enum acl_change acl_keep(struct acl *a, const struct grant_who *who);

/*
 * For an inode that U owns and is about to lose, which may have any entry that
 * U chose: cuts them to what `from`, the default ACL of the directory that it
 * is in (NULL: there is none), gives to a new file there, and drops those that
 * it does not give.  U's own and its group's stay, for acl_remove().  Of a
 * default ACL the owning group's and others' bits are cut to those of `from` as
 * well.
 */
enum acl_change acl_sweep(struct acl *a, enum acl_kind kind,
			  const struct acl *from, const struct grant_who *who);

/*
 * The default ACL for a directory that has none: U and the owner rwx, group
 * and others what the directory gives them, without what the person's umask
 * takes, because the kernel no longer applies it.
 */
void acl_make_default(struct acl *d, const struct acl *access,
		      const struct grant_who *who);

/* Whether U or its group has an entry. */
bool acl_names(const struct acl *a, const struct grant_who *who);

/* What the mask lets through; rwx where there is none. */
unsigned acl_mask(const struct acl *a);

/*
 * What others than the owner and vmrun's own ids may do, all of them together:
 * as if no VM had an entry.
 */
unsigned acl_persons(const struct acl *a, const struct grant_who *who);

/* For going through the named entries: at = 0 before the first. */
struct acl_named {
	size_t at;
	bool is_group;
	uint32_t id;
	unsigned perm;
};

/* The next one; false at the end. */
bool acl_next_named(const struct acl *a, struct acl_named *n);

/* Whether each named id is the owner's or in the subordinate ranges. */
bool acl_is_expressible(const struct acl *a, const struct grant_who *who);

#endif
