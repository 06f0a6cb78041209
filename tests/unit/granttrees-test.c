/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Random trees with random modes and ACLs: after granting and taking back, by
 * one VM or two in any order, and after a write that fails at any point, modes
 * and ACLs are what they were, byte for byte.
 */
#include "grant-rig.h"
#include "grant/acl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#define TREES 500
#define FAULTY_TREES 60
#define NODES 40

struct node {
	char path[512];
	mode_t mode;
	int n_access, n_default; /* bytes, or -1 */
	unsigned char access[256], dflt[256];
};

static struct node nodes[NODES];
static size_t n_nodes;

static void look_at(struct node *n)
{
	n->mode = mode_of(n->path);
	n->n_access = (int)lgetxattr(n->path, ACCESS_NAME, n->access,
				     sizeof(n->access));
	n->n_default =
		(int)lgetxattr(n->path, DEFAULT_NAME, n->dflt, sizeof(n->dflt));
}

static int is_as_before(const struct node *n)
{
	static struct node now;

	now = *n;
	look_at(&now);
	return now.mode == n->mode && now.n_access == n->n_access &&
	       now.n_default == n->n_default &&
	       (n->n_access <= 0 ||
		!memcmp(now.access, n->access, (size_t)n->n_access)) &&
	       (n->n_default <= 0 ||
		!memcmp(now.dflt, n->dflt, (size_t)n->n_default));
}

/* A random ACL, without the one form that acl.h says is not kept. */
static void random_acl(const char *path, const char *name)
{
	static struct acl a;
	unsigned char b[256];
	unsigned ids[] = {3000, 3001, 100900};
	bool named = false;
	size_t n;

	a.n = 0;
	a.e[a.n++] = (struct acl_entry){1, (uint16_t)(4 | rnd(8)), ~0u};
	for (unsigned i = 0; i < 3; i++)
		if (rnd(3) == 0)
			a.e[a.n++] =
				(struct acl_entry){2, (uint16_t)rnd(8), ids[i]};
	a.e[a.n++] = (struct acl_entry){4, (uint16_t)rnd(8), ~0u};
	named = a.n > 2;
	if (rnd(3) == 0) {
		a.e[a.n++] = (struct acl_entry){8, (uint16_t)rnd(8), 3002};
		named = true;
	}
	if (named || rnd(2))
		a.e[a.n++] = (struct acl_entry){16, (uint16_t)rnd(8), ~0u};
	a.e[a.n++] = (struct acl_entry){32, (uint16_t)rnd(8), ~0u};
	if (!named && a.n == 4 && a.e[1].perm == 0 && a.e[2].perm == 7)
		a.e[1].perm = 1;
	n = acl_encode(&a, b, sizeof(b));
	need_ok(setxattr(path, name, b, n, 0) == 0, path);
}

static void random_node(const char *dir, unsigned depth)
{
	struct node *n;
	char target[520];

	if (n_nodes == NODES)
		return;
	n = &nodes[n_nodes++];
	snprintf(n->path, sizeof(n->path), "%.480s/%zu", dir, n_nodes);
	switch (rnd(10)) {
	case 0:
		need_ok(symlink("/etc/passwd", n->path) == 0, n->path);
		return;
	case 1:
		need_ok(mkfifo(n->path, 0600) == 0, n->path);
		return;
	case 2:
		make_file(n->path, 0640);
		snprintf(target, sizeof(target), "%s.link", n->path);
		need_ok(link(n->path, target) == 0, target);
		return;
	case 3:
	case 4:
	case 5:
		make_dir(n->path, 0700);
		for (unsigned i = rnd(4); depth && i; i--)
			random_node(n->path, depth - 1);
		chmod(n->path, 0500 | rnd(01000) | (rnd(6) ? 0 : S_ISVTX));
		if (rnd(8) == 0)
			chmod(n->path, rnd(0400)); /* not to be listed */
		if (rnd(3) == 0)
			random_acl(n->path, ACCESS_NAME);
		if (rnd(3) == 0)
			random_acl(n->path, DEFAULT_NAME);
		return;
	default:
		make_file(n->path, rnd(01000) | (rnd(9) ? 0 : S_ISUID));
		if (rnd(3) == 0)
			random_acl(n->path, ACCESS_NAME);
	}
}

static void random_tree(void)
{
	n_nodes = 1;
	snprintf(nodes[0].path, sizeof(nodes[0].path), "t");
	make_dir("t", 0700);
	for (unsigned i = 2 + rnd(6); i; i--)
		random_node("t", 3);
	if (rnd(3) == 0)
		random_acl("t", DEFAULT_NAME);
}

/*
 * Some directories cannot be entered by their owner, so looking happens before
 * they are closed and after they are open again: modes are noted and set back.
 */
static size_t changed_nodes(void)
{
	size_t changed = 0;

	for (size_t i = 0; i < n_nodes; i++)
		if (!is_as_before(&nodes[i])) {
			printf("# changed: %s %o\n", nodes[i].path,
			       nodes[i].mode);
			changed++;
		}
	return changed;
}

/* Nodes below a directory that may not be searched are not compared. */
static void look_at_all(void)
{
	size_t kept = 0;

	for (size_t i = 0; i < n_nodes; i++) {
		struct stat s;

		if (lstat(nodes[i].path, &s) < 0)
			continue;
		if (kept != i)
			nodes[kept] = nodes[i];
		look_at(&nodes[kept++]);
	}
	n_nodes = kept;
}

static void test_random_trees(void)
{
	unsigned applied = 0, edited = 0, changed = 0, errors = 0, drift = 0;

	for (unsigned i = 0; i < TREES; i++) {
		enum grant_mode m1 = rnd(2) ? GRANT_RW : GRANT_RO;
		enum grant_mode m2 = rnd(2) ? GRANT_RW : GRANT_RO;
		bool two = rnd(2);
		uint64_t would;

		random_tree();
		look_at_all();
		e.msg[0] = '\0';
		errors += survey("t", m1) < 0;
		would = st.edited;
		changed += changed_nodes() != 0;
		errors += apply("t", m1, &who1) < 0;
		if (st.edited != would) {
			drift++;
			printf("# tree %u: %llu surveyed, %llu edited\n", i,
			       (unsigned long long)would,
			       (unsigned long long)st.edited);
		}
		applied++;
		edited += st.edited != 0;
		errors += two && apply("t", m2, &who2) < 0;
		errors += two && rnd(2) && take_back("t", &who1) < 0;
		errors += two && take_back("t", &who2) < 0;
		errors += take_back("t", &who1) < 0;
		if (changed_nodes()) {
			changed++;
			printf("# tree %u\n", i);
		}
		if (e.msg[0])
			printf("# tree %u: %s\n", i, e.msg);
		remove_tree("t");
	}
	printf("# %u trees, %u of them edited\n", applied, edited);
	tap_ok(edited > TREES / 2, "most random trees need edits");
	tap_ok(!drift, "a survey tells what a grant will edit");
	tap_ok(!errors, "random trees are granted and revoked");
	tap_ok(!changed, "random trees are as before afterwards");
}

/* ---- a write that fails ------------------------------------------------ */

static unsigned fail_at; /* this write from now; 0: none */

/* In place of the C library's: the library under test is linked statically. */
int fsetxattr(int fd, const char *name, const void *value, size_t size,
	      int flags)
{
	if (fail_at && --fail_at == 0) {
		errno = ENOSPC;
		return -1;
	}
	return (int)syscall(SYS_fsetxattr, fd, name, value, size, flags);
}

static void test_faults(void)
{
	unsigned points = 0, silent = 0, changed = 0;

	for (unsigned i = 0; i < FAULTY_TREES; i++) {
		uint64_t writes;

		random_tree();
		look_at_all();
		writes = survey("t", GRANT_RW) < 0 ? 0 : st.edited;
		for (unsigned at = 1; at <= writes; at++) {
			bool granted, failed;

			fail_at = at;
			granted = apply("t", GRANT_RW, &who1) == 0;
			failed = fail_at == 0;
			fail_at = 0;
			/* Files that cannot be read go by setxattr(). */
			points += failed && !granted && e.code == ENOSPC;
			silent += failed && granted;
			if (granted)
				take_back("t", &who1);
			changed += changed_nodes() != 0;
		}
		remove_tree("t");
	}
	printf("# %u failed writes\n", points);
	tap_ok(points > FAULTY_TREES, "writes fail at many points");
	tap_ok(!silent, "each is reported");
	tap_ok(!changed, "and each time everything is put back");
}

int main(void)
{
	if (rig_start()) {
		test_random_trees();
		test_faults();
	}
	rig_tear_down();
	return tap_done();
}
