/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Arithmetic on one ACL: what is added comes off again, and nobody gains. */
#include "grant/acl.h"
#include "grant/grant.h"
#include "tap.h"

#include <linux/posix_acl.h>
#include <stdlib.h>

#define NONE (-1)
#define BOB 2000u
#define DEVS 2100u
#define NO_ID 0xffffffffu

static const struct grant_who u1 = {.uid = 100007,
				    .gid = 200007,
				    .owner = 1000,
				    .owner_gid = 1000,
				    .umask = 022,
				    .sub_first = 100000,
				    .sub_count = 65536,
				    .subgid_first = 200000,
				    .subgid_count = 65536};
static struct grant_who u2;

static void put(struct acl *a, unsigned tag, uint32_t id, int perm)
{
	if (perm != NONE)
		a->e[a->n++] =
			(struct acl_entry){(uint16_t)tag, (uint16_t)perm, id};
}

/* An ACL from the parts that vary; NONE leaves an entry out. */
static void build(struct acl *a, int bob, int group, int devs, int mask)
{
	a->n = 0;
	put(a, ACL_USER_OBJ, NO_ID, 6);
	put(a, ACL_USER, BOB, bob);
	put(a, ACL_GROUP_OBJ, NO_ID, group);
	put(a, ACL_GROUP, DEVS, devs);
	put(a, ACL_MASK, NO_ID, mask);
	put(a, ACL_OTHER, NO_ID, 4);
}

static int perm_of(const struct acl *a, unsigned tag, uint32_t id)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->e[i].tag == tag && (a->e[i].id == id || id == NO_ID))
			return a->e[i].perm;
	return NONE;
}

static int is_same(const struct acl *a, const struct acl *b)
{
	return a->n == b->n && !memcmp(a->e, b->e, a->n * sizeof(a->e[0]));
}

/* What the entry really gives. */
static unsigned effective(const struct acl *a, unsigned tag, uint32_t id)
{
	int perm = perm_of(a, tag, id);
	int mask = perm_of(a, ACL_MASK, NO_ID);

	if (perm == NONE)
		return 0;
	return (unsigned)(mask == NONE ? perm : perm & mask);
}

static int is_fair(const struct acl *a, const struct acl *b)
{
	return effective(a, ACL_USER, BOB) == effective(b, ACL_USER, BOB) &&
	       effective(a, ACL_GROUP, DEVS) == effective(b, ACL_GROUP, DEVS) &&
	       effective(a, ACL_GROUP_OBJ, NO_ID) ==
		       effective(b, ACL_GROUP_OBJ, NO_ID) &&
	       perm_of(a, ACL_OTHER, NO_ID) == perm_of(b, ACL_OTHER, NO_ID);
}

/* The kernel's view of chmod: the group's bits are the mask's if there is one.
 */
static void chmod_group(struct acl *a, unsigned bits)
{
	unsigned tag =
		perm_of(a, ACL_MASK, NO_ID) == NONE ? ACL_GROUP_OBJ : ACL_MASK;

	for (size_t i = 0; i < a->n; i++)
		if (a->e[i].tag == tag)
			a->e[i].perm = (uint16_t)bits;
}

static unsigned mode_group(const struct acl *a)
{
	int mask = perm_of(a, ACL_MASK, NO_ID);

	return (unsigned)(mask == NONE ? perm_of(a, ACL_GROUP_OBJ, NO_ID)
				       : mask);
}

struct totals {
	unsigned tried, masked;
	unsigned lost, unfair, weak, two, chmod, raise; /* failures */
};

static void show(const char *what, const struct acl *a)
{
	printf("# %s:", what);
	for (size_t i = 0; i < a->n; i++)
		printf(" %x:%d:%o", a->e[i].tag, (int)a->e[i].id, a->e[i].perm);
	printf("\n");
}

/* A failure is shown with the ACL that it began with. */
static void blame(unsigned *count, const struct acl *orig,
		  const struct acl *end)
{
	if ((*count)++)
		return;
	show("from", orig);
	show("to", end);
}

/* Another VM comes, and they leave in both orders. */
static void try_two(const struct acl *orig, enum acl_kind kind, unsigned p1,
		    unsigned p2, struct totals *t)
{
	static struct acl a;
	enum acl_change second;

	for (int order = 0; order < 2; order++) {
		a = *orig;
		acl_add(&a, kind, &u1, p1);
		second = acl_add(&a, kind, &u2, p2);
		if (second == ACL_CHANGED && !is_fair(&a, orig))
			blame(&t->unfair, orig, &a);
		acl_remove(&a, kind, order ? &u2 : &u1);
		if (second == ACL_CHANGED &&
		    acl_rights(&a, order ? &u1 : &u2) != (order ? p1 : p2))
			blame(&t->weak, orig, &a);
		acl_remove(&a, kind, order ? &u1 : &u2);
		if (!is_same(&a, orig))
			blame(&t->two, orig, &a);
	}
}

/* A chmod of each kind in between, against the same chmod without us. */
static void try_chmod(const struct acl *orig, const struct acl *granted,
		      unsigned perm, struct totals *t)
{
	static struct acl a, want;

	for (unsigned bits = 0; bits < 8; bits++) {
		a = *granted;
		chmod_group(&a, bits);
		acl_remove(&a, ACL_ACCESS, &u1);
		want = *orig;
		/* Bits that only our entry showed stay off, see acl.h. */
		chmod_group(&want, bits & (mode_group(orig) | ~perm));
		if (!is_same(&a, &want))
			blame(&t->chmod, orig, &a);
	}
}

static void try_one(const struct acl *orig, enum acl_kind kind, unsigned perm,
		    struct totals *t)
{
	static struct acl a, b;
	enum acl_change c;

	a = *orig;
	t->tried++;
	c = acl_add(&a, kind, &u1, perm);
	if (c == ACL_MASKED) {
		t->masked++;
		if (!is_same(&a, orig))
			blame(&t->lost, orig, &a);
		return;
	}
	if (c != ACL_CHANGED || acl_rights(&a, &u1) != perm)
		blame(&t->weak, orig, &a);
	if (!is_fair(&a, orig))
		blame(&t->unfair, orig, &a);
	b = a;
	if (acl_remove(&b, kind, &u1) != ACL_CHANGED || !is_same(&b, orig))
		blame(&t->lost, orig, &b);
	if (kind == ACL_ACCESS)
		try_chmod(orig, &a, perm, t);
	b = a;
	if (acl_add(&b, kind, &u1, ACL_RWX) == ACL_CHANGED) {
		acl_lower(&b, &u1, perm);
		if (!is_same(&b, &a))
			blame(&t->raise, orig, &b);
		acl_add(&b, kind, &u1, ACL_RWX);
		acl_remove(&b, kind, &u1);
		if (!is_same(&b, orig))
			blame(&t->raise, orig, &b);
	}
	for (unsigned p2 = kind == ACL_DEFAULT ? 7 : 1; p2 < 8; p2++)
		try_two(orig, kind, perm, p2, t);
}

/* The one form that is known not to come back, see acl.h. */
static int is_known(int bob, int group, int devs, int mask)
{
	return bob == NONE && devs == NONE && group == 0 && mask == 7;
}

static void try_all(enum acl_kind kind, struct totals *t)
{
	static struct acl a;

	for (int bob = NONE; bob < 8; bob++)
		for (int group = 0; group < 8; group++)
			for (int devs = NONE; devs < 8; devs += 4)
				for (int mask = NONE; mask < 8; mask++) {
					if (mask == NONE &&
					    (bob != NONE || devs != NONE))
						continue;
					if (is_known(bob, group, devs, mask))
						continue;
					build(&a, bob, group, devs, mask);
					for (unsigned p = kind == ACL_DEFAULT
								  ? 7
								  : 1;
					     p < 8; p++)
						try_one(&a, kind, p, t);
				}
}

static void test_exhaustive(void)
{
	static const char *const names[] = {"access ACL", "default ACL"};

	for (enum acl_kind k = ACL_ACCESS; k <= ACL_DEFAULT; k++) {
		struct totals t = {0};

		try_all(k, &t);
		printf("# %s: %u tried, %u would give others more\n", names[k],
		       t.tried, t.masked);
		tap_ok(t.tried > 100 && t.masked > 0 && t.masked < t.tried,
		       "%s: both outcomes are met", names[k]);
		tap_ok(!t.lost, "%s: removing is exact", names[k]);
		tap_ok(!t.unfair, "%s: nobody else gains or loses", names[k]);
		tap_ok(!t.weak, "%s: U has its rights", names[k]);
		tap_ok(!t.two, "%s: two VMs leave in any order", names[k]);
		tap_ok(!t.raise, "%s: a raise is taken back", names[k]);
		tap_ok(!t.chmod, "%s: a chmod in between stays", names[k]);
	}
}

/* posix_acl_create_masq(): what a new file's access ACL becomes. */
static void inherit(struct acl *a, const struct acl *d, unsigned mode)
{
	*a = *d;
	chmod_group(a, mode_group(a) & (mode >> 3));
	a->e[0].perm &= (uint16_t)(mode >> 6 & 7);
	a->e[a->n - 1].perm &= (uint16_t)(mode & 7);
}

static void test_new_files(void)
{
	static const unsigned dirs[] = {0755, 0700, 0775, 0750, 0711};
	static const unsigned masks[] = {0, 002, 022, 027, 077};
	static const unsigned modes[] = {0666, 0777, 0600, 0644, 0640};
	static struct acl dir, d, file, kept, want;
	unsigned wrong = 0, wide = 0, left = 0;

	for (unsigned i = 0; i < 125; i++) {
		unsigned dm = dirs[i % 5], mask = masks[i / 5 % 5];
		unsigned mode = modes[i / 25];
		struct grant_who who = u1;

		who.umask = mask;
		acl_from_mode(&dir, dm);
		acl_make_default(&d, &dir, &who);
		inherit(&file, &d, mode);
		/* While it runs: no more for others than the umask leaves. */
		if ((unsigned)perm_of(&file, ACL_OTHER, NO_ID) & mask)
			wide++;
		kept = file;
		acl_remove(&file, ACL_ACCESS, &who);
		acl_from_mode(&want, mode & (dm | 0700) & ~mask);
		if (!is_same(&file, &want))
			wrong++;
		/* An alias's, through any number of its runs. */
		acl_keep(&kept, &who);
		acl_keep(&kept, &who);
		if (acl_rights(&kept, &who) != (mode >> 6 & 7) ||
		    (unsigned)perm_of(&kept, ACL_OTHER, NO_ID) & mask)
			left++;
		acl_remove(&kept, ACL_ACCESS, &who);
		if (!is_same(&kept, &want))
			left++;
	}
	tap_ok(!wide, "a default ACL of ours does not undo the umask");
	tap_ok(!wrong, "a file made in a run ends without an ACL");
	tap_ok(!left, "so does one that an alias kept");
}

static void test_default_of_ours(void)
{
	static struct acl dir, d, a;

	acl_from_mode(&dir, 0755);
	acl_make_default(&d, &dir, &u1);
	a = d;
	tap_ok(acl_remove(&a, ACL_DEFAULT, &u1) == ACL_GONE,
	       "a default ACL of ours goes altogether");
	a = d;
	tap_ok(acl_add(&a, ACL_DEFAULT, &u2, 7) == ACL_CHANGED &&
		       perm_of(&a, ACL_GROUP, u2.gid) == NONE,
	       "the second VM knows that it is vmrun's");
	tap_ok(acl_remove(&a, ACL_DEFAULT, &u1) == ACL_CHANGED &&
		       perm_of(&a, ACL_USER, u1.owner) == 7,
	       "it stays while the second VM is there");
	tap_ok(acl_remove(&a, ACL_DEFAULT, &u2) == ACL_GONE,
	       "and goes with the last");
}

static void test_idle(void)
{
	static struct acl a, b;

	build(&a, 5, 4, 6, 7);
	b = a;
	tap_ok(acl_remove(&a, ACL_ACCESS, &u1) == ACL_SAME && is_same(&a, &b),
	       "removing what is not there changes nothing");
	acl_add(&a, ACL_ACCESS, &u1, 5);
	b = a;
	tap_ok(acl_add(&a, ACL_ACCESS, &u1, 4) == ACL_SAME && is_same(&a, &b),
	       "asking again changes nothing");
	chmod_group(&a, 0);
	b = a;
	tap_ok(acl_rights(&a, &u1) == 0 &&
		       acl_add(&a, ACL_ACCESS, &u1, 5) == ACL_MASKED &&
		       is_same(&a, &b),
	       "a chmod that took U's rights is not undone by a new grant");
	a = b;
	a.n++;
	for (size_t i = 0; i < a.n; i++)
		if (a.e[i].tag == ACL_USER && a.e[i].id == u1.uid) {
			memmove(&a.e[i + 1], &a.e[i],
				(a.n - 1 - i) * sizeof(a.e[0]));
			break;
		}
	acl_remove(&a, ACL_ACCESS, &u1);
	tap_ok(acl_entry_of(&a, &u1) == -1,
	       "an entry that is there twice goes");
}

static void test_full(void)
{
	static struct acl a, b;

	build(&a, 7, 4, 7, 7);
	while (a.n < ACL_ENTRIES_MAX - 1) {
		memmove(&a.e[2], &a.e[1], (a.n - 1) * sizeof(a.e[0]));
		a.n++;
	}
	b = a;
	tap_ok(acl_add(&a, ACL_ACCESS, &u1, 4) == ACL_FULL && is_same(&a, &b),
	       "a full ACL is left as it is");
}

static void test_bytes(void)
{
	unsigned char good[128], bad[128], again[128];
	static struct acl a;
	unsigned flips = 0, different = 0;
	size_t n;

	build(&a, 5, 4, 6, 7);
	n = acl_encode(&a, good, sizeof(good));
	tap_ok(n == 4 + 8 * 6 && acl_encode(&a, good, n - 1) == 0,
	       "encoding needs room");
	for (size_t i = 0; i < n; i++)
		if (acl_decode(&a, good, i) == 0)
			different++;
	tap_ok(!different, "a truncated ACL is refused");
	tap_ok(acl_decode(&a, good, n) == 0, "the whole is read");
	for (size_t bit = 0; bit < 8 * n; bit++) {
		memcpy(bad, good, n);
		bad[bit / 8] ^= (unsigned char)(1u << bit % 8);
		if (acl_decode(&a, bad, n) < 0)
			continue;
		flips++;
		acl_encode(&a, again, sizeof(again));
		/* Ids of entries without one are not ours to keep. */
		for (size_t i = 4; i < n; i += 8)
			if (bad[i] != ACL_USER && bad[i] != ACL_GROUP)
				memset(bad + i + 4, 0xff, 4);
		if (memcmp(again, bad, n))
			different++;
	}
	tap_ok(flips > 0 && !different, "what is read is written back alike");
}

static void refuse(const struct acl *a, const char *why)
{
	unsigned char b[128];
	static struct acl got;
	size_t n = acl_encode(a, b, sizeof(b));

	tap_ok(acl_decode(&got, b, n) < 0, "refused: %s", why);
}

static void test_refused(void)
{
	static struct acl a;

	build(&a, 5, 4, NONE, NONE);
	refuse(&a, "a named entry without a mask");
	build(&a, NONE, NONE, NONE, NONE);
	refuse(&a, "no owning group");
	build(&a, 5, 4, 6, 7);
	a.e[1].id = NO_ID;
	refuse(&a, "an id that is not mapped here");
	build(&a, 5, 4, 6, 7);
	a.e[2].tag = ACL_GROUP;
	a.e[3].tag = ACL_GROUP_OBJ;
	refuse(&a, "entries out of order");
	build(&a, 5, 4, 6, 7);
	a.e[3] = a.e[2];
	refuse(&a, "two owning groups");
	build(&a, 5, 4, 6, 7);
	a.e[4].perm = 8;
	refuse(&a, "a permission that there is not");
}

static void test_persons(void)
{
	struct acl a, d;

	acl_from_mode(&a, 0600);
	tap_ok(!acl_persons(&a, &u1), "a file of mode 600 is its owner's");
	acl_add(&a, ACL_ACCESS, &u1, ACL_R);
	acl_add(&a, ACL_ACCESS, &u2, ACL_RWX);
	tap_ok(!acl_persons(&a, &u1) && !acl_persons(&a, &u2),
	       "still, when VMs have entries");
	acl_make_default(&d, &a, &u1);
	tap_ok(!acl_persons(&d, &u1), "and he has one himself");
	build(&a, ACL_R, 0, 0, ACL_RWX);
	tap_ok(acl_persons(&a, &u1) == ACL_R, "somebody else counts");
	build(&a, ACL_R, ACL_W, ACL_X, 0);
	a.e[a.n - 1].perm = 0;
	tap_ok(!acl_persons(&a, &u1), "as far as the mask lets him");
	acl_from_mode(&a, 0620);
	tap_ok(acl_persons(&a, &u1) == ACL_W, "so does the group");
}

static void test_expressible(void)
{
	static struct acl a;

	acl_from_mode(&a, 0755);
	acl_add(&a, ACL_ACCESS, &u1, 7);
	acl_add(&a, ACL_ACCESS, &u2, 7);
	tap_ok(acl_is_expressible(&a, &u1),
	       "ids of the range can be expressed");
	build(&a, 5, 4, NONE, 7);
	tap_ok(!acl_is_expressible(&a, &u1), "another user cannot");
	build(&a, NONE, 4, 5, 7);
	tap_ok(!acl_is_expressible(&a, &u1), "another group cannot");
}

/* What U chose itself goes; what came from the directory stays. */
static void test_sweep(void)
{
	static struct acl from, a, was;

	build(&from, 5, 5, NONE, 7);
	build(&a, 4, 7, 6, 7); /* bob: less than he would have had */
	tap_ok(acl_sweep(&a, ACL_ACCESS, &from, &u1) == ACL_CHANGED &&
		       perm_of(&a, ACL_GROUP, DEVS) == NONE &&
		       perm_of(&a, ACL_USER, BOB) == 4,
	       "a planted group goes, an inherited user stays");
	was = a;
	tap_ok(acl_sweep(&a, ACL_ACCESS, &from, &u1) == ACL_SAME &&
		       is_same(&a, &was),
	       "and no more the second time");
	build(&a, 6, 5, NONE, 7);
	tap_ok(acl_sweep(&a, ACL_ACCESS, &from, &u1) == ACL_CHANGED &&
		       perm_of(&a, ACL_USER, BOB) == 4 &&
		       perm_of(&a, ACL_MASK, NO_ID) == 7,
	       "one that was widened is cut");
	build(&a, 6, 5, NONE, 7);
	tap_ok(acl_sweep(&a, ACL_ACCESS, NULL, &u1) == ACL_CHANGED &&
		       perm_of(&a, ACL_USER, BOB) == NONE &&
		       perm_of(&a, ACL_MASK, NO_ID) == NONE,
	       "with the last one the mask goes");
	build(&a, 6, 7, NONE, 4);
	tap_ok(acl_sweep(&a, ACL_ACCESS, NULL, &u1) == ACL_CHANGED &&
		       perm_of(&a, ACL_GROUP_OBJ, NO_ID) == 4,
	       "the group gets no more by that");
	build(&a, 0, 5, NONE, 5);
	put(&a, ACL_USER, u1.uid, 7);
	tap_ok(acl_sweep(&a, ACL_ACCESS, NULL, &u1) == ACL_SAME,
	       "who is shut out stays so, and U's own is for acl_remove()");
	build(&a, 4, 7, NONE, 7);
	tap_ok(acl_sweep(&a, ACL_DEFAULT, NULL, &u1) == ACL_GONE,
	       "a default ACL goes where the directory above has none");
	tap_ok(acl_sweep(&a, ACL_DEFAULT, &from, &u1) == ACL_CHANGED &&
		       perm_of(&a, ACL_GROUP_OBJ, NO_ID) == 5 &&
		       perm_of(&a, ACL_USER, BOB) == 4,
	       "where it has one, the group keeps what it had there");
	build(&a, 5, 5, NONE, 7);
	a.e[a.n - 1].perm = 7;
	tap_ok(acl_sweep(&a, ACL_DEFAULT, &from, &u1) == ACL_CHANGED &&
		       perm_of(&a, ACL_OTHER, NO_ID) == 4,
	       "and so do others");
}

int main(void)
{
	u2 = u1;
	u2.uid++;
	u2.gid++;
	test_bytes();
	test_refused();
	test_exhaustive();
	test_idle();
	test_full();
	test_new_files();
	test_default_of_ours();
	test_expressible();
	test_persons();
	test_sweep();
	return tap_done();
}
