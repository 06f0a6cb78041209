/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Homes of aliases: what is planned, made, moved and deleted; and what an
 * earlier guest may have left in one. */
#include "host/home.h"

#include "base/own.h"
#include "host/plan/planint.h"
#include "planfixture.h"

static struct state *s;
static struct homes h;
static const struct state_range range = {100000, 200000, 50};

static const char *at(const char *name)
{
	return fmt("%s/homes/%s", state_home, name);
}

static bool is_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

static struct plan_share *planned(void)
{
	for (size_t i = 0; i < p.n_shares; i++)
		if (p.shares[i].home)
			return &p.shares[i];
	return NULL;
}

static bool is_refused(const char *line, const char *msg, const char *hint)
{
	bool yes =
		plan_of(line) < 0 && strstr(e.msg, msg) && strstr(e.hint, hint);

	if (!yes)
		printf("# %s\n# %s\n", e.msg, e.hint);
	done();
	return yes;
}

static void test_plan(void)
{
	const struct plan_share *sh;

	tap_ok(is_refused("--home|x", "--home goes with --alias",
			  "--alias NAME"),
	       "no home without an alias");
	tap_ok(is_refused(fmt("-n|a|--home|--rw|~/docs:%s|x", home),
			  "two things cannot both be", ""),
	       "one thing at its place");
	tap_ok(!plan_of("-n|a|--home|--rw|~/docs|--ro|~/file:~/x/y|x"),
	       "a plan with a home");
	sh = planned();
	tap_ok(sh && sh->fd < 0 && sh->rw && !strcmp(sh->src, at("a")) &&
		       !strcmp(sh->dst, home),
	       "it is to be made in the state folder");
	tap_ok(p.n_places == 2 && !strcmp(p.places[0].path, "docs") &&
		       !p.places[0].file && !strcmp(p.places[1].path, "x/y") &&
		       p.places[1].file,
	       "with places for what is in it");
	tap_ok(!is_there(at("")), "planning makes nothing");
	done();
}

static void test_open(void)
{
	struct stat st;

	tap_ok(!plan_of("-n|a|--home|--rw|~/docs|--ro|~/file:~/x/y|x") &&
		       home_open(&h, &p, &e) == 0 && planned()->fd >= 0,
	       "it is made");
	tap_ok(!stat(at("a"), &st) && (st.st_mode & 07777) == 0700 &&
		       planned()->ino == st.st_ino,
	       "for me alone");
	tap_ok(home_enter(&p, &e) == 0 && is_there(at("a/docs")) &&
		       is_there(at("a/x/y")),
	       "and the places in it");
	tap_ok(home_enter(&p, &e) == 0, "twice is harmless");
	rename(at("a"), at("b"));
	make_dir(at("a"), 0700);
	tap_ok(home_enter(&p, &e) < 0 && strstr(e.msg, "just now"),
	       "another directory in its place is noticed");
	rmdir(at("a"));
	rename(at("b"), at("a"));
	done();
	tap_ok(!plan_of("-n|a|--home|--rw|~/docs|x") && planned()->fd >= 0 &&
		       !p.n_places,
	       "the next plan finds it, and the place");
	done();
}

static void test_hostile(void)
{
	const char *const lines[] = {
		"-n|a|--home|--rw|~/docs:~/link|x",
		"-n|a|--home|--rw|~/docs:~/link/in|x",
		"-n|a|--home|--rw|~/docs:~/dead|x",
		"-n|a|--home|--rw|~/docs:~/plain|x",
		"-n|a|--home|--rw|~/docs:~/plain/in|x",
		"-n|a|--home|--ro|~/file:~/docs|x",
		"-n|a|--home|--ro|~/file:~/link|x",
	};

	if (symlink(in("open"), at("a/link")) || symlink("/no", at("a/dead")))
		tap_ok(0, "links");
	make_file(at("a/plain"), 0600, "x");
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		tap_ok(is_refused(lines[i], "something else there", at("a/")),
		       "what a guest left is not followed: %s", lines[i]);
	/* Put there after the look. */
	tap_ok(!plan_of("-n|a|--home|--rw|~/docs:~/late/in|x") &&
		       p.n_places == 1 && home_open(&h, &p, &e) == 0,
	       "a place that is not there");
	if (symlink(in("open"), at("a/late")))
		tap_ok(0, "a link");
	tap_ok(home_enter(&p, &e) < 0 && !is_there(in("open/in")),
	       "is not made behind a link");
	done();
	rename(at("a"), at("real"));
	if (symlink(in("open"), at("a")))
		tap_ok(0, "a link");
	tap_ok(plan_of("-n|a|--home|x") < 0, "a home that is a link is none");
	done();
	unlink(at("a"));
	rename(at("real"), at("a"));
}

static void new_alias(const char *name)
{
	const struct state_alias_claim c = {.range = &range,
					    .alias = name,
					    .kind = RUN_VM,
					    .may_make = true};
	struct state_identity id;

	if (state_claim_alias(s, &c, &id, &e) < 0 ||
	    state_set_status(s, id.run, IDENTITY_ACTIVE, &e) < 0 ||
	    state_release(s, &id, 0, &e) < 0)
		tap_ok(0, "an alias: %s", e.msg);
}

static void test_move(void)
{
	const char *homes = fmt("%s/homes", state_home);

	new_alias("a");
	tap_ok(state_alias_rename(s, "a", "c", homes, &e) == 0 &&
		       home_settle(&h, &e) == 0 && !is_there(at("a")) &&
		       is_there(at("c/plain")),
	       "a renamed alias's home is moved");
	tap_ok(home_settle(&h, &e) == 0, "once");
	/* Killed between the move and the row. */
	state_alias_rename(s, "c", "d", homes, &e);
	rename(at("c"), at("d"));
	tap_ok(home_settle(&h, &e) == 0 && is_there(at("d/plain")),
	       "one that is moved already is left there");
	state_alias_rename(s, "d", "f", homes, &e);
	make_dir(at("f"), 0700);
	tap_ok(home_settle(&h, &e) < 0 && is_there(at("d/plain")) &&
		       !plan_of("-n|f|--home|x") && home_open(&h, &p, &e) < 0,
	       "not over another one, and no run has that instead");
	done();
	rmdir(at("f"));
	tap_ok(home_settle(&h, &e) == 0 && is_there(at("f/plain")),
	       "once that is gone it is");
}

static void test_delete(void)
{
	own_fd deep = open(at("f"), O_PATH | O_CLOEXEC);
	size_t n = 0;

	/* Deeper than a path or a limit on descriptors. */
	for (int i = 0; i < 3000; i++) {
		own_fd dir = steal_fd(&deep);

		if (!mkdirat(dir, "d", 0700))
			deep = openat(dir, "d", O_PATH | O_CLOEXEC);
	}
	tap_ok(deep >= 0, "a deep home");
	make_dir(at("f/shut"), 0700);
	make_file(at("f/shut/in"), 0400, "x");
	make_dir(at("f/shut/sub"), 0500);
	chmod(at("f/shut"), 0);
	if (symlink(in("home"), at("f/home")))
		tap_ok(0, "a link");
	tap_ok(home_delete(&h, "f", &e) < 0 && strstr(e.msg, "an alias") &&
		       is_there(at("f/plain")),
	       "not while there is the alias");
	tap_ok(home_delete(&h, "nobody", &e) == 0, "nor one that is not there");
	rename(at("f"), at("g"));
	/* As a kill leaves it. */
	make_dir(at(".gone.0"), 0700);
	make_dir(at(".gone.0/x"), 0700);
	make_dir(at("empty"), 0700);
	tap_ok(home_sweep(&h, true, &n, &e) == 0 && n == 2 &&
		       is_there(at(".gone.0/x")),
	       "gc tells what it would do");
	tap_ok(home_sweep(&h, false, &n, &e) == 0 && n == 2 &&
		       !is_there(at(".gone.0")) && !is_there(at("empty")) &&
		       is_there(at("g/plain")),
	       "it finishes what was begun, and keeps homes");
	tap_ok(home_delete(&h, "g", &e) == 1, "a home is deleted");
	tap_ok(home_sweep(&h, true, &n, &e) == 0 && n == 0 &&
		       !is_there(at("g")) && !is_there(at(".gone.0")),
	       "altogether, whatever its modes and depth");
	tap_ok(is_there(in("home/docs")), "and no link was followed");
}

int main(void)
{
	own_fd dir = -1;

	fixture_make();
	make_dir(state_home, 0700);
	dir = open(state_home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (state_open(dir, &s, &e) < 0) {
		tap_ok(0, "%s", e.msg);
		return tap_done();
	}
	h = (struct homes){s, dir, &f};
	test_plan();
	test_open();
	test_hostile();
	test_move();
	test_delete();
	state_close(s);
	return fixture_end();
}
