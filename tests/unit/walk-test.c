/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Walking a tree that changes under the walk.  Here the attack is made from
 * inside visit(), so that it comes at the same place every time.
 */
#include "base/own.h"
#include "grant-rig.h"
#include "grant/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct seen {
	void (*act)(struct seen *s, const char *path);
	enum walk_next (*say)(struct seen *s, const char *path);
	unsigned visits, wrong, links, special, closed;
	bool done;
	char last[256];
};

static enum walk_next visit(void *arg, const struct walk *w,
			    struct walk_item *it, struct err *we)
{
	struct seen *s = arg;

	walk_path(w, s->last, sizeof(s->last));
	s->visits++;
	s->wrong += strstr(it->name, "secret") != NULL;
	s->links += S_ISLNK(it->st.st_mode);
	s->special += S_ISFIFO(it->st.st_mode);
	s->closed += S_ISDIR(it->st.st_mode) && it->is_path;
	if (s->act)
		s->act(s, it->name);
	if (!s->say)
		return WALK_ON;
	switch (s->say(s, it->name)) {
	case WALK_STOP:
		err_set(we, EIO, "stopped");
		return WALK_STOP;
	case WALK_SKIP:
		return WALK_SKIP;
	case WALK_ON:
		break;
	}
	return WALK_ON;
}

static int walk(const char *path, struct seen *s, struct walk_ops how,
		struct walk_counts *c)
{
	own_fd fd = open_path(path);

	memset(c, 0, sizeof(*c));
	how.visit = visit;
	how.arg = s;
	return walk_tree(fd, &how, c, &e);
}

/* A chain of directories "d", each with a few files; its depth is given. */
static void make_chain(const char *at, unsigned depth)
{
	own_fd dir = -1;

	make_dir(at, 0755);
	dir = open(at, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (unsigned i = 0; i < depth; i++) {
		int next;

		need_ok(mkdirat(dir, "d", 0755) == 0, "d");
		for (unsigned f = 0; f < 5; f++) {
			char name[8];

			snprintf(name, sizeof(name), "f%u", f);
			close(openat(dir, name, O_CREAT | O_CLOEXEC, 0600));
		}
		next = openat(dir, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		need_ok(next >= 0, "d");
		close(dir);
		dir = next;
	}
	need_ok(mkdirat(dir, "bottom", 0755) == 0, "bottom");
}

static void move_away(struct seen *s, const char *name)
{
	if (strcmp(name, "bottom") || s->done)
		return;
	s->done = true;
	need_ok(rename("in/d/d/d/d", "out/moved") == 0, "rename");
}

static void test_moved(void)
{
	struct seen s = {.act = move_away};
	struct walk_counts c;

	make_chain("in", 40);
	make_dir("out", 0755);
	make_file("out/secret", 0600);
	tap_ok(walk("in", &s, (struct walk_ops){0}, &c) == 0 && s.done,
	       "a directory is moved out while the walk is in it");
	tap_ok(!s.wrong, "the walk does not go up to where it is now");
	tap_ok(c.disturbed, "and tells that something moved");
	/* The root, 40 levels with five files each, and the bottom. */
	tap_ok(s.visits == 1 + 40 * 6 + 1, "it goes on where it had been");
	remove_tree("in");
	remove_tree("out");
}

static void bury(struct seen *s, const char *name)
{
	if (strcmp(name, "bottom") || s->done)
		return;
	s->done = true;
	need_ok(rename("in/d", "out/d") == 0 && mkdir("in/d", 0755) == 0,
		"rename");
	make_file("in/d/secret", 0600);
}

static void test_replaced(void)
{
	struct seen s = {.act = bury};
	struct walk_counts c;

	make_chain("in", 40);
	make_dir("out", 0755);
	tap_ok(walk("in", &s, (struct walk_ops){0}, &c) == 0 && s.done &&
		       !s.wrong && c.disturbed,
	       "another directory of the same name is not taken for it");
	remove_tree("in");
	remove_tree("out");
}

/* When the first of two names is visited, the second becomes a link. */
static void swap_other(struct seen *s, const char *name)
{
	const char *other = !strcmp(name, "a") ? "in/b" : "in/a";

	if (!name[0] || s->done)
		return;
	s->done = true;
	need_ok(rename(other, "aside") == 0 && symlink("../out", other) == 0,
		"symlink");
}

static void test_swapped(bool dirs)
{
	struct seen s = {.act = swap_other};
	struct walk_counts c;

	make_dir("in", 0755);
	make_dir("out", 0755);
	make_file("out/secret", 0600);
	if (dirs) {
		make_dir("in/a", 0755);
		make_dir("in/b", 0755);
	} else {
		make_file("in/a", 0600);
		make_file("in/b", 0600);
	}
	tap_ok(walk("in", &s, (struct walk_ops){0}, &c) == 0 && s.done &&
		       !s.wrong && !s.links && s.visits == 2,
	       "a %s that becomes a link is not followed",
	       dirs ? "directory" : "file");
	remove_tree("in");
	remove_tree("out");
	remove_tree("aside");
}

static enum walk_next skip_d(struct seen *s, const char *name)
{
	(void)s;
	return strcmp(name, "d") ? WALK_ON : WALK_SKIP;
}

static enum walk_next stop_d(struct seen *s, const char *name)
{
	if (strcmp(name, "d") || ++s->special < 2)
		return WALK_ON;
	return WALK_STOP;
}

static void test_answers(void)
{
	struct seen skip = {.say = skip_d}, stop = {.say = stop_d};
	struct walk_counts c;

	make_chain("in", 3);
	tap_ok(walk("in", &skip, (struct walk_ops){0}, &c) == 0 &&
		       skip.visits == 7,
	       "a skipped directory is not entered");
	tap_ok(walk("in", &stop, (struct walk_ops){0}, &c) < 0 && e.code == EIO,
	       "a walk can be stopped");
	tap_str(e.msg, "d/d: stopped: Input/output error", "and tells where");
	remove_tree("in");
}

static void test_kinds(void)
{
	struct seen some = {0}, all = {0};
	struct walk_counts c;

	make_dir("in", 0755);
	make_file("in/f", 0600);
	make_file("in/none", 0);
	make_dir("in/closed", 0);
	need_ok(symlink("f", "in/l") == 0 && mkfifo("in/p", 0600) == 0, "l");
	tap_ok(walk("in", &some, (struct walk_ops){0}, &c) == 0 &&
		       some.visits == 4 && c.special == 1,
	       "links and FIFOs are passed by");
	tap_ok(some.closed == 1 && c.refused == 1,
	       "a closed directory is seen, not entered");
	tap_ok(walk("in", &all, (struct walk_ops){.want_all = true}, &c) == 0 &&
		       all.visits == 6 && all.links == 1 && all.special == 1,
	       "unless they are wanted");
	remove_tree("in");
}

static void test_too_deep(void)
{
	struct walk_ops how = {.go_on = true, .depth_max = 9};
	struct seen s = {0}, strict = {0};
	struct walk_counts c;

	make_chain("in", 40);
	make_dir("in/beside", 0755);
	make_dir("in/beside/it", 0755);
	tap_ok(walk("in", &s, how, &c) == 0 && c.failed == 1,
	       "a tree that is too deep is one fault");
	tap_str(e.msg,
		"d/d/d/d/d/d/d/d/d: more than 9 directories deep: "
		"File name too long",
		"which is told, with the place");
	/* The root, nine directories of six names, the last of which is not
	 * entered, and
	 * the two beside. */
	tap_ok(s.visits == 1 + 9 * 6 + 2, "all else is walked");
	how.go_on = false;
	tap_ok(walk("in", &strict, how, &c) < 0 && e.code == ENAMETOOLONG,
	       "a walk that stops at faults stops there");
	remove_tree("in");
}

static void test_mount(void)
{
	struct seen s = {0};
	struct walk_counts c;

	if (!was_root) {
		tap_skip("mount points", "needs root");
		return;
	}
	make_dir("in", 0755);
	make_dir("in/m", 0755);
	make_file("in/f", 0600);
	make_dir("src", 0755);
	make_file("src/secret", 0600);
	need_ok(seteuid(0) == 0 && unshare(CLONE_NEWNS) == 0 &&
			mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ==
				0 &&
			mount("src", "in/m", NULL, MS_BIND, NULL) == 0 &&
			mount("src/secret", "in/f", NULL, MS_BIND, NULL) == 0 &&
			seteuid(PLAIN_UID) == 0,
		"mounting");
	tap_ok(walk("in", &s, (struct walk_ops){0}, &c) == 0 && s.visits == 1 &&
		       !s.wrong && c.mounts == 2,
	       "mounts of the same file system are not entered either");
	need_ok(seteuid(0) == 0 && umount("in/m") == 0 && umount("in/f") == 0 &&
			seteuid(PLAIN_UID) == 0,
		"unmounting");
	remove_tree("in");
	remove_tree("src");
}

int main(void)
{
	if (rig_start()) {
		test_moved();
		test_replaced();
		test_swapped(true);
		test_swapped(false);
		test_answers();
		test_kinds();
		test_too_deep();
		test_mount();
	}
	rig_tear_down();
	return tap_done();
}
