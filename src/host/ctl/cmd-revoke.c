/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vmrunctl revoke and reclaim: taking back from an alias, or from whoever left
 * files. */
#include "base/err.h"
#include "base/log.h"
#include "base/own.h"
#include "host/ctl/cmd-state.h"
#include "host/ctl/cmd.h"
#include "host/plan/planint.h"
#include "host/probe/probe.h"
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

/* The row, also if a link is now where the directory was; as find_row(). */
static int64_t find_any(struct ctl_state *c, const struct state_identity *id,
			const char *path, const char *typed, struct err *e)
{
	int64_t row = find_row(c, id, path, e);
	own_free char *named = row ? NULL : ctl_path_named(c, typed, e);

	if (row)
		return row;
	return named ? find_row(c, id, named, e) : -1;
}

static int take_back(struct ctl_state *c, char **argv, const char *path,
		     struct state_identity *id, struct err *e)
{
	const char *name = argv[1];
	char shown[TEXT_SHOWN];
	int64_t row = find_any(c, id, path, argv[2], e);
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
	if (ctl_state_open(&c, CTL_CHANGE, &e) < 0)
		return failed(&e, "revoke it");
	path = ctl_path(&c, argv[2], &e);
	r = path ? ctl_take_alias(&c, argv[1], "vmrunctl revoke", &id, &e) : -1;
	if (r == 0) {
		r = take_back(&c, argv, path, &id, &e);
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
	/* What aliases have that do not run: the first n_idle of n_ledger. */
	struct state_grant *ledger;
	size_t n_ledger, n_idle;
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

/* The alias that has the UID.  1; 0: it cannot be had, which is said; -1. */
static int take_alias(struct reclaiming *r, uid_t uid,
		      struct state_identity *id, struct err *e)
{
	struct state_alias *list;
	struct err why = ERR_INIT;
	size_t n, i = 0;
	int got = 0;

	if (state_aliases(r->c.state, &list, &n, e) < 0)
		return -1;
	while (i < n && list[i].uid != uid)
		i++;
	if (i < n && ctl_take_alias(&r->c, list[i].name, "vmrunctl reclaim", id,
				    &why) == 0)
		got = 1;
	else if (i < n) {
		err_wrap(&why, "what alias %s has was left", list[i].name);
		log_err(LOG_LEVEL_WARN, &why);
	}
	free(list);
	return got;
}

/*
 * What the alias made in what is granted to it: the entries there are the
 * grant, and stay; alias forget takes those.
 */
static int take_granted(struct reclaiming *r, const struct state_identity *id,
			const struct state_grant *g, size_t n,
			const struct sweep_trace *t, struct err *e)
{
	int gave = 0;

	for (size_t i = 0; i < n; i++) {
		bool above = path_is_at_or_below(r->path, g[i].path);
		struct stat st;
		own_fd root = -1;
		int got;

		if (!above && !path_is_below(g[i].path, r->path))
			continue;
		root = plan_open(above ? r->path : g[i].path, &st);
		if (root < 0)
			continue;
		got = reclaim_give_back(&r->c.rc, id, root, e);
		if (got < 0)
			return -1;
		gave = gave || !got;
	}
	r->files += gave ? t->granted : 0;
	return gave;
}

/* Is anything of it in the place, or is that in something of it? */
static bool is_beside(const struct state_grant *g, size_t n, const char *place)
{
	for (size_t i = 0; i < n; i++)
		if (path_is_at_or_below(place, g[i].path) ||
		    path_is_below(g[i].path, place))
			return false;
	return true;
}

/*
 * What it has elsewhere, entries and all.  Not from a directory that holds
 * something granted as well: that would go too.
 */
static int take_strays(struct reclaiming *r, const struct state_identity *id,
		       const struct state_grant *g, size_t n,
		       const struct sweep_trace *t, struct err *e)
{
	struct sweep_cleaned did;
	char shown[TEXT_SHOWN];
	own_fd root = -1;
	int got = 1;

	if (is_beside(g, n, t->spot[0].at)) {
		if (sweep_clean(&r->c.rc, id, t, &did, e) < 0)
			return -1;
		r->files += did.files;
		r->entries += did.entries;
		return did.files > 0;
	}
	log_warn("entries that UID %u, an alias's, has outside of what is "
		 "granted to it were left, such as at %s",
		 (unsigned)id->uid,
		 text_show(shown, sizeof(shown), t->example));
	log_warn("hint: `vmrunctl reclaim` of a directory that holds nothing "
		 "granted to it takes them");
	root = t->owned && !t->others ? sweep_open(&t->spot[0]) : -1;
	if (root >= 0)
		got = reclaim_give_back(&r->c.rc, id, root, e);
	r->files += got == 0 ? t->owned : 0;
	return got < 0 ? -1 : !got;
}

static int take_both(struct reclaiming *r, const struct state_identity *id,
		     const struct sweep_trace *t, struct err *e)
{
	struct state_grant *g;
	int gave = 0, more = 0;
	size_t n;

	/* As it is now; the list that was looked with is older. */
	if (state_grants(r->c.state, id->run, &g, &n, e) < 0)
		return -1;
	if (t->n_spots)
		more = take_strays(r, id, g, n, t, e);
	if (more >= 0 && t->granted && !t->granted_others)
		gave = take_granted(r, id, g, n, t, e);
	state_grants_free(g, n);
	return more < 0 || gave < 0 ? -1 : more || gave;
}

static int take_from_alias(struct reclaiming *r, uid_t uid,
			   const struct sweep_trace *t, struct err *e)
{
	struct err other = ERR_INIT;
	struct state_identity id;
	int got;

	r->others += t->granted_others;
	if (!t->n_spots && (!t->granted || t->granted_others))
		return 0;
	got = take_alias(r, uid, &id, e);
	if (got <= 0)
		return got;
	got = take_both(r, &id, t, e);
	/* In each case: the alias must not stay taken. */
	if (reclaim_run(&r->c.rc, &id, 0, got < 0 ? &other : e) < 0)
		got = -1;
	own_close(&id.lock_fd);
	return got;
}

/*
 * Does a process have the UID?  A VM whose database was lost, or a container.
 * Where that is hidden, it is not asked of UIDs whose VMs the database knows.
 */
static bool is_running(const struct state_owner *o, uid_t uid)
{
	bool hidden = (!o || !o->since) && probe_proc_hidden();

	if (hidden)
		log_warn("/proc hides whether UID %u has processes: what it "
			 "has was left",
			 (unsigned)uid);
	else if (probe_uid_used(NULL, uid))
		log_warn("UID %u has processes: what it has was left",
			 (unsigned)uid);
	else
		return false;
	return true;
}

/* 1: something was given back; 0: nothing was to be; -1 and e. */
static int take_one(struct reclaiming *r, uint32_t n, struct sweep_trace *t,
		    struct err *e)
{
	uid_t uid = r->c.range.uid_first + n;
	gid_t gid = r->c.range.gid_first + n;
	const struct state_identity id = {.uid = uid, .gid = gid};
	const struct state_owner *o = owner_of(r, uid);
	struct sweep_cleaned did;
	int mine;

	if (o && o->is_live) {
		r->live = true;
		return 0;
	}
	if (!r->all && (!o || (o->found && !o->since))) {
		r->others += t->owned + t->entries;
		return 0;
	}
	r->others += t->others;
	if (o && o->is_alias)
		return take_from_alias(r, uid, t, e);
	/* The list is as old as the look; a VM may have it by now. */
	mine = state_pin(r->c.state, uid, gid, e);
	if (mine <= 0) {
		r->live = r->live || mine == 0;
		return mine;
	}
	if (is_running(o, uid))
		return 0;
	if ((t->others && state_shared(r->c.state, uid, e) < 0) ||
	    sweep_clean(&r->c.rc, &id, t, &did, e) < 0)
		return -1;
	r->files += did.files;
	r->entries += did.entries;
	return did.files || did.entries;
}

/* 1: something was done, so that more may be seen now; 0; -1 and e. */
static int one_pass(struct reclaiming *r, struct err *e)
{
	struct sweep s;
	int did = 0, got;

	r->others = 0;
	if (sweep_init(&s, &r->c.range, e) < 0)
		return -1;
	s.ledger = r->ledger;
	s.n_ledger = r->n_idle;
	if (!r->all)
		sweep_lives(&s, r->owners, r->n_owners);
	got = sweep_look(&s, r->path, e);
	if (got == 0)
		got = err_set(e, ENOENT, "%s", r->path);
	for (uint32_t n = 0; got > 0 && n < s.range.count; n++) {
		if (!s.trace[n].example && !s.trace[n].granted)
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

/* What goes by its name is cleaned in its directory, with what else is there.
 */
static int check_path(const char *path, struct err *e)
{
	char shown[TEXT_SHOWN];
	struct stat st;

	if (lstat(path, &st) < 0 || S_ISDIR(st.st_mode) || S_ISREG(st.st_mode))
		return 0;
	err_set(e, 0, "%s is neither a directory nor a regular file",
		text_show(shown, sizeof(shown), path));
	return err_hint(e, "reclaim the directory that it is in");
}

static int list_granted(struct reclaiming *r, struct err *e)
{
	if (state_ledger(r->c.state, &r->ledger, &r->n_ledger, e) < 0)
		return -1;
	for (size_t i = 0; i < r->n_ledger; i++) {
		const struct state_grant g = r->ledger[i];
		const struct state_owner *o = owner_of(r, g.uid);

		if (!o || !o->is_alias || o->is_live)
			continue;
		r->ledger[i] = r->ledger[r->n_idle];
		r->ledger[r->n_idle++] = g;
	}
	return 0;
}

static int reclaim(struct reclaiming *r, struct err *e)
{
	struct err old = ERR_INIT;
	int more;

	/* A dead run, an earlier reclaim's too, would count as one that
	 * lives. */
	if (reclaim_dead_runs(&r->c.rc, &old) < 0)
		log_err(LOG_LEVEL_WARN, &old);
	if (state_owners(r->c.state, &r->owners, &r->n_owners, e) < 0)
		return -1;
	more = list_granted(r, e);
	if (more == 0)
		do
			more = one_pass(r, e);
		while (more > 0);
	state_grants_free(r->ledger, r->n_ledger);
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
		log_warn("%llu traces of UIDs that vmrun does not know, or "
			 "not of that time, were left",
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
	if (ctl_state_open(&r.c, CTL_CHANGE, &e) < 0)
		return failed(&e, "give files back");
	path = ctl_path(&r.c, argv[1 + r.all], &e);
	r.path = path;
	ret = path && check_path(path, &e) == 0 ? reclaim(&r, &e) : -1;
	ctl_state_close(&r.c);
	if (ret < 0)
		return failed(&e, "give files back");
	report(&r);
	return 0;
}
