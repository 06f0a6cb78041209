/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hard links: a file is granted if all of its links are in the tree. */
#include "base/own.h"
#include "grant-rig.h"
#include "grant/inoset.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

static void test_set(void)
{
	struct inoset s = {0};
	unsigned wrong = 0;

	tap_ok(!inoset_find(&s, 1, 1), "an empty set has nothing");
	for (uint64_t i = 1; i <= 50000; i++)
		wrong += inoset_add(&s, (uint32_t)(i % 3), i << 12) != 1;
	for (uint64_t i = 1; i <= 50000; i += 7)
		wrong += inoset_add(&s, (uint32_t)(i % 3), i << 12) != 2;
	for (uint64_t i = 1; i <= 50000; i++) {
		const struct inoset_slot *at =
			inoset_find(&s, (uint32_t)(i % 3), i << 12);

		wrong += !at || at->count != (i % 7 == 1 ? 2 : 1);
		wrong += inoset_find(&s, (uint32_t)((i + 1) % 3), i << 12) !=
			 NULL;
	}
	tap_ok(!wrong && s.n == 50000 && !s.full, "it counts what is added");
	inoset_free(&s);
	for (uint64_t i = 1; i <= INOSET_MAX; i++)
		wrong += inoset_add(&s, 0, i) != 1;
	tap_ok(!wrong && !s.full, "up to its limit");
	tap_ok(inoset_add(&s, 0, INOSET_MAX + 1) == 0 && s.full &&
		       inoset_find(&s, 0, 7)->count == 1,
	       "and no more, which it says");
	inoset_free(&s);
}

static void make_links(void)
{
	make_dir("l", 0755);
	make_dir("l/d", 0755);
	make_file("l/a", 0600);
	need_ok(link("l/a", "l/d/b") == 0 && link("l/a", "l/d/c") == 0, "link");
	make_file("l/x", 0600);
	need_ok(link("l/x", "outside") == 0, "link");
}

static void test_inside(void)
{
	make_links();
	tap_ok(survey("l", GRANT_RO) == 0 && st.edited == 1 && st.links == 1,
	       "a survey counts a file once, and the names left out");
	tap_str(st.example, "x", "of which it tells one");
	tap_ok(apply("l", GRANT_RO, &who1) == 0 && st.edited == 1 &&
		       st.links == 1,
	       "a file with all links in the tree is granted");
	tap_ok(entry("l/d/c", ACCESS_NAME, &who1) == 4 &&
		       !has_acl("outside", ACCESS_NAME) &&
		       mode_of("outside") == 0600,
	       "one with a link outside is not");
	tap_ok(apply("l", GRANT_RO, &who1) == 0 && st.edited == 0,
	       "a second time nothing is edited");
	tap_ok(take_back("l", &who1) == 0 && st.edited == 1 &&
		       mode_of("l/a") == 0600 && !has_acl("l/a", ACCESS_NAME),
	       "and it is taken back once");
	tap_ok(apply("l/d", GRANT_RO, &who1) == 0 && st.edited == 0 &&
		       st.links == 2,
	       "a part of the links is not enough");
	tap_ok(apply("l/a", GRANT_RO, &who1) < 0 && e.hint[0],
	       "nor is one, shared by itself");
	remove_tree("l");
	unlink("outside");
}

/* ---- somebody who is at work meanwhile --------------------------------- */

static unsigned acts;
static bool acting;

/*
 * In place of the C library's: the library under test is linked statically.
 * Each time that the link is looked at, it goes to the other directory, which
 * may be listed later: then it is met again.
 */
ssize_t lgetxattr(const char *path, const char *name, void *value, size_t size)
{
	ssize_t r = syscall(SYS_lgetxattr, path, name, value, size);
	int code = errno;

	if (!acting || strcmp(path, "link"))
		return r;
	acts++;
	/* The walk has a working directory of its own. */
	if (renameat(top, "l/1/link", top, "l/2/link") < 0)
		need_ok(renameat(top, "l/2/link", top, "l/1/link") == 0,
			"rename");
	errno = code;
	return r;
}

static void test_renamed(const char *begin)
{
	make_dir("l", 0755);
	make_dir("l/1", 0755);
	make_dir("l/2", 0755);
	make_file(begin, 0600);
	need_ok(link(begin, "outside") == 0, "link");
	acts = 0;
	acting = true;
	tap_ok(apply("l", GRANT_RO, &who1) == 0 && st.edited == 0 &&
		       !has_acl("outside", ACCESS_NAME),
	       "a link that is renamed under way is not taken for two");
	acting = false;
	acting = false;
	tap_ok(acts >= 4 && st.links >= 1,
	       "the tree does not come to rest: links are left out");
	remove_tree("l");
	unlink("outside");
}

int main(void)
{
	test_set();
	if (rig_start()) {
		test_inside();
		test_renamed("l/1/link");
		test_renamed("l/2/link");
	}
	rig_tear_down();
	return tap_done();
}
