/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vmrunctl why: which VM may read or write a file, through what, and why not.
 */
#include "base/err.h"
#include "base/log.h"
#include "base/mountinfo.h"
#include "base/own.h"
#include "grant/grant.h"
#include "host/ctl/cmd-state.h"
#include "host/ctl/cmd.h"
#include "host/plan/planint.h"
#include "host/sweep.h"
#include "host/text.h"

#include <string.h>
#include <sys/stat.h>

#define R 4u
#define W 2u
#define X 1u

struct why {
	struct ctl_state c;
	char *path; /* owned */
	struct stat st;
	int fd;
};

static int failed(struct err *e)
{
	err_wrap(e, "cannot tell");
	log_err(LOG_LEVEL_ERR, e);
	return 125;
}

static const char *bits(unsigned perm)
{
	static const char *const text[] = {"---", "--x", "-w-", "-wx",
					   "r--", "r-x", "rw-", "rwx"};

	return text[perm & 7];
}

static void print_through(const struct sweep_rights *r, uid_t uid)
{
	switch (r->through) {
	case THROUGH_OWNER:
		printf("    it owns it (mode %s)\n", bits(r->perm));
		return;
	case THROUGH_ENTRY:
		printf("    entry user:%u:%s in the ACL\n", (unsigned)uid,
		       bits(r->entry));
		if (r->perm != r->entry)
			printf("    which the mask cuts to %s\n",
			       bits(r->perm));
		return;
	case THROUGH_GROUP:
		printf("    the file is in its group (%s)\n", bits(r->perm));
		return;
	case THROUGH_OTHERS:
		printf("    it has no entry; others have %s\n", bits(r->perm));
		return;
	}
}

static bool has_no_entry(const char *path, const struct state_grant *g)
{
	struct err e = ERR_INIT;
	struct sweep_rights r;
	struct stat st;
	own_fd fd = plan_open(path, &st);

	return fd >= 0 && sweep_rights(fd, g->uid, g->gid, &r, &e) == 0 &&
	       r.through == THROUGH_OTHERS;
}

/*
 * A directory between the granted one and the file that the UID cannot pass;
 * allocated.  NULL: there is none, or e is set.
 */
static char *barrier(const struct why *w, const struct state_grant *g,
		     struct err *e)
{
	own_free char *at = text_dup(w->path, e);

	while (at && path_is_below(at, g->path)) {
		char *slash = strrchr(at, '/');
		struct sweep_rights r;
		struct stat st;
		own_fd fd = -1;

		slash[slash == at] = '\0';
		fd = plan_open(at, &st);
		if (fd < 0 || sweep_rights(fd, g->uid, g->gid, &r, e) < 0)
			return NULL;
		if (!(r.perm & X))
			return steal_ptr(&at);
	}
	return NULL;
}

static const char *verdict(unsigned perm, bool rw)
{
	if (!(perm & R))
		return perm & W && rw ? "may write, not read"
				      : "may not read it";
	return perm & W && rw ? "may read and write it" : "may read it";
}

/* Why something in a share has no entry. */
static void print_missing(const struct why *w, const struct state_grant *g,
			  const char *path)
{
	struct grant_tree t = {.mode = g->access == ACCESS_RW ? GRANT_RW
							      : GRANT_RO};
	struct err e = ERR_INIT;
	struct grant_stats met;
	struct grant_who who;
	struct stat st;
	own_fd fd = plan_open(path, &st);

	if (fd < 0)
		return;
	t.root = fd;
	reclaim_who(&w->c.facts, g->uid, g->gid, &who);
	if (path_is_below(path, g->path) &&
	    grant_is_key(fd, strrchr(path, '/') + 1, &who)) {
		puts("    a start leaves it out: it looks like a private key, "
		     "see --include-keys");
	} else if (grant_survey(&t, &who, &met, &e) < 0) {
		printf("    a start leaves it out: %s\n", e.msg);
		if (e.hint[0])
			printf("    (%s)\n", e.hint);
	} else {
		printf("    it came into the directory without inheriting; "
		       "%s\n",
		       g->alias ? "the next start of the alias grants it"
				: "start the VM again");
	}
}

/* What is mounted inside of a share is hidden from a VM. */
static bool is_covered(const struct why *w, const struct state_grant *g)
{
	struct stat st;
	own_fd root = plan_open(g->path, &st);
	uint64_t share = root < 0 ? 0 : mountinfo_id(root);
	uint64_t here = mountinfo_id(w->fd);

	return share && here && share != here;
}

/* A grant that holds the path. */
static int explain(const struct why *w, const struct state_grant *g,
		   struct err *e)
{
	bool rw = g->access == ACCESS_RW;
	own_free char *wall = NULL;
	char who[CTL_WHO], shown[4096];
	struct sweep_rights r;

	if (is_covered(w, g)) {
		printf("%s may not reach it\n"
		       "    shared with %s: %s\n"
		       "    but it is on another mount, which is not shared "
		       "with that\n",
		       ctl_who(g, who), rw ? "--rw" : "--ro",
		       text_show(shown, sizeof(shown), g->path));
		return 0;
	}
	if (sweep_rights(w->fd, g->uid, g->gid, &r, e) < 0)
		return -1;
	wall = barrier(w, g, e);
	if (!wall && e->msg[0])
		return -1;
	printf("%s %s\n", ctl_who(g, who),
	       wall ? "may not reach it" : verdict(r.perm, rw));
	print_through(&r, g->uid);
	printf("    shared with %s: %s\n", rw ? "--rw" : "--ro",
	       text_show(shown, sizeof(shown), g->path));
	if (wall) {
		printf("    but it cannot pass %s\n",
		       text_show(shown, sizeof(shown), wall));
		if (has_no_entry(wall, g))
			print_missing(w, g, wall);
	} else if (!rw && (r.perm & W)) {
		puts("    the share is mounted read-only, whatever the mode "
		     "says");
	} else if (r.through == THROUGH_OTHERS && !(r.perm & R)) {
		print_missing(w, g, w->path);
	}
	return 0;
}

/* Traces on the file of UIDs to which nothing that holds it is granted. */
static int strays(const struct why *w, const struct state_grant *g, size_t n,
		  struct err *e)
{
	struct sweep s;
	int r;

	if (sweep_init(&s, &w->c.range, e) < 0)
		return -1;
	s.ledger = g;
	s.n_ledger = n;
	s.only_root = true;
	r = sweep_look(&s, w->path, e);
	for (uint32_t i = 0; r > 0 && i < s.range.count; i++)
		if (s.trace[i].example)
			printf("UID %u has an entry in the ACL or owns it, but "
			       "nothing that holds it is granted to it\n"
			       "    `vmrunctl gc --deep` or `vmrunctl reclaim` "
			       "cleans it\n",
			       (unsigned)(s.range.uid_first + i));
	sweep_free(&s);
	return r < 0 ? -1 : 0;
}

static int tell(struct why *w, struct err *e)
{
	struct state_grant *g;
	size_t n, holding = 0;
	char shown[4096];
	int r = 0;

	if (state_ledger(w->c.state, &g, &n, e) < 0)
		return -1;
	for (size_t i = 0; r == 0 && i < n; i++) {
		if (!path_is_at_or_below(w->path, g[i].path))
			continue;
		holding++;
		r = explain(w, &g[i], e);
	}
	if (r == 0 && !holding)
		printf("no grant to a VM or an alias holds %s\n"
		       "    what is shared without one is not listed here: "
		       "FAT, FUSE, read-only mounts, and what others own and "
		       "all may read\n",
		       text_show(shown, sizeof(shown), w->path));
	if (r == 0)
		r = strays(w, g, n, e);
	state_grants_free(g, n);
	return r;
}

int cmd_why(int argc, char **argv)
{
	struct err e = ERR_INIT;
	struct why w = {.fd = -1};
	int r = -1;

	if (argc != 2 || argv[1][0] == '-') {
		log_error("why: one path is needed");
		log_error("hint: usage: vmrunctl why PATH");
		return 125;
	}
	if (ctl_state_open(&w.c, CTL_LOOK, &e) < 0)
		return failed(&e);
	w.path = ctl_path(&w.c, argv[1], &e);
	if (w.path)
		w.fd = plan_open(w.path, &w.st);
	if (w.path && w.fd < 0)
		err_set(&e, errno, "%s", argv[1]);
	else if (w.path)
		r = tell(&w, &e);
	own_close(&w.fd);
	free(w.path);
	ctl_state_close(&w.c);
	if (r < 0)
		return failed(&e);
	return 0;
}
