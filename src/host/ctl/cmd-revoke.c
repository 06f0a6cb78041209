/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vmrunctl revoke and reclaim: taking back from an alias, or from whoever left
 * files. */
#include "base/err.h"
#include "base/log.h"
#include "base/own.h"
#include "host/ctl/cmd-state.h"
#include "host/ctl/cmd.h"
#include "host/plan/planint.h"
#include "host/sweep.h"
#include "host/text.h"

#include <string.h>
#include <sys/stat.h>

static int failed(struct err *e, const char *what)
{
	err_wrap(e, "cannot %s", what);
	log_err(LOG_LEVEL_ERR, e);
	return 125;
}

/* The row of the alias for the path; 0: it has none; -1 and e. */
static int64_t find_row(struct ctl_state *c, const struct state_identity *id,
			const char *path, struct err *e)
{
	struct state_grant *g;
	int64_t row = 0;
	size_t n;

	if (state_grants(c->state, id->run, &g, &n, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(g[i].path, path))
			row = g[i].id;
	state_grants_free(g, n);
	return row;
}

static int take_back(struct ctl_state *c, const char *name, const char *path,
		     struct state_identity *id, struct err *e)
{
	char shown[TEXT_SHOWN];
	int64_t row = find_row(c, id, path, e);
	int r = row < 0 ? -1 : 0;

	if (row > 0)
		r = state_grant_unmake(c->state, row, e);
	/* Ends the run in each case: the alias must not stay taken. */
	if (reclaim_run(&c->rc, id, 0, e) < 0 || r < 0)
		return -1;
	if (row > 0)
		return 0;
	err_set(e, 0, "alias %s has no grant of %s", name,
		text_show(shown, sizeof(shown), path));
	return err_hint(e, "`vmrunctl alias show %s` lists what it has", name);
}

int cmd_revoke(int argc, char **argv)
{
	struct err e = ERR_INIT;
	struct state_identity id;
	own_free char *path = NULL;
	struct ctl_state c;
	int r;

	if (argc != 3 || argv[1][0] == '-') {
		log_error("revoke: from which alias, and what?");
		log_error("hint: usage: vmrunctl revoke NAME PATH");
		return 125;
	}
	if (ctl_state_open(&c, &e) < 0)
		return failed(&e, "revoke it");
	path = ctl_path(&c, argv[2], &e);
	r = path ? ctl_take_alias(&c, argv[1], "vmrunctl revoke", &id, &e) : -1;
	if (r == 0) {
		r = take_back(&c, argv[1], path, &id, &e);
		own_close(&id.lock_fd);
	}
	ctl_state_close(&c);
	return r < 0 ? failed(&e, "revoke it") : 0;
}

/* ---- reclaim ---- */

struct reclaiming {
	struct ctl_state c;
	const char *path;
	bool all; /* also what vmrun does not know */
	struct state_owner *owners;
	size_t n_owners;
	uint64_t files, entries, others;
	bool live; /* something was left because its VM runs */
};

static const struct state_owner *owner_of(const struct reclaiming *r, uid_t uid)
{
	for (size_t i = 0; i < r->n_owners; i++)
		if (r->owners[i].uid == uid)
			return &r->owners[i];
	return NULL;
}

/* 1: something was given back; 0: nothing was to be; -1 and e. */
static int take_one(struct reclaiming *r, uint32_t n, struct sweep_trace *t,
		    struct err *e)
{
	uid_t uid = r->c.range.uid_first + n;
	const struct state_owner *o = owner_of(r, uid);

	if (o && o->is_live) {
		r->live = true;
		return 0;
	}
	if (!r->all && (!o || o->found)) {
		r->others += t->owned + t->entries;
		return 0;
	}
	if (o && o->is_alias) {
		const struct state_identity id = {.uid = uid, .gid = o->gid};
		struct stat st;
		own_fd root = t->owned ? plan_open(t->at, &st) : -1;

		/* Its entries are a grant; alias forget takes those. */
		if (root < 0)
			return 0;
		r->files += t->owned;
		return reclaim_give_back(&r->c.rc, &id, root, e) < 0 ? -1 : 1;
	}
	r->files += t->owned;
	r->entries += t->entries;
	return sweep_clean(&r->c.rc, uid, r->c.range.gid_first + n, t, e) < 0
		       ? -1
		       : 1;
}

/* 1: something was done, so that more may be seen now; 0; -1 and e. */
static int one_pass(struct reclaiming *r, struct err *e)
{
	struct sweep s;
	int did = 0, got;

	r->others = 0;
	if (sweep_init(&s, &r->c.range, e) < 0)
		return -1;
	got = sweep_look(&s, r->path, e);
	if (got == 0)
		got = err_set(e, ENOENT, "%s", r->path);
	for (uint32_t n = 0; got > 0 && n < s.range.count; n++) {
		if (!s.trace[n].example)
			continue;
		got = take_one(r, n, &s.trace[n], e);
		if (got > 0)
			did = 1;
		else if (got == 0)
			got = 1;
	}
	/* A directory that was closed to us is ours now: look into it. */
	did = did && s.closed;
	sweep_free(&s);
	return got < 0 ? -1 : did;
}

static int reclaim(struct reclaiming *r, struct err *e)
{
	int more;

	if (state_owners(r->c.state, &r->owners, &r->n_owners, e) < 0)
		return -1;
	do
		more = one_pass(r, e);
	while (more > 0);
	free(r->owners);
	return more;
}

static void report(const struct reclaiming *r)
{
	printf("%llu files given back, %llu ACL entries removed\n",
	       (unsigned long long)r->files, (unsigned long long)r->entries);
	if (r->live)
		log_warn("what VMs have that are running was left");
	if (r->others) {
		log_warn("%llu traces of UIDs that vmrun does not know were "
			 "left",
			 (unsigned long long)r->others);
		log_warn("hint: --all takes them too; they may belong to "
			 "containers, which use the same ids");
	}
}

int cmd_reclaim(int argc, char **argv)
{
	struct err e = ERR_INIT;
	struct reclaiming r = {0};
	own_free char *path = NULL;
	int ret;

	r.all = argc > 1 && !strcmp(argv[1], "--all");
	if (argc != 2 + r.all || argv[1 + r.all][0] == '-') {
		log_error("reclaim: one directory or file is needed");
		log_error("hint: usage: vmrunctl reclaim [--all] PATH");
		return 125;
	}
	if (ctl_state_open(&r.c, &e) < 0)
		return failed(&e, "give files back");
	path = ctl_path(&r.c, argv[1 + r.all], &e);
	r.path = path;
	ret = path ? reclaim(&r, &e) : -1;
	ctl_state_close(&r.c);
	if (ret < 0)
		return failed(&e, "give files back");
	report(&r);
	return fflush(stdout) == EOF ? 125 : 0;
}
