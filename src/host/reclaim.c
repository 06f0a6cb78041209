/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The end of a run.  The person's own authority, in the initial user namespace
 * but for one step: giving files back needs a namespace in which both the
 * person and U exist, so a child of ours goes there.
 */
#include "host/reclaim.h"

#include "base/err.h"
#include "base/log.h"
#include "base/own.h"
#include "grant/grant.h"
#include "host/editlock.h"
#include "host/keep.h"
#include "host/live/manage.h"
#include "host/probe/probe.h"
#include "host/vm/idmap.h"
#include "proc/spawn.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

void reclaim_who(const struct facts *f, uid_t uid, gid_t gid,
		 struct grant_who *w)
{
	w->uid = uid;
	w->gid = gid;
	w->owner = f->uid;
	w->owner_gid = f->gid;
	w->umask = f->umask;
	w->sub_first = f->sub_first;
	w->sub_count = f->sub_count;
	w->subgid_first = f->subgid_first;
	w->subgid_count = f->subgid_count;
}

/* Arguments of a step that runs as a child in the VM's user namespace. */
struct inside {
	struct idmap map; /* first: idmap_write() gets the whole struct */
	int userns;	  /* -1: a new one is being made */
	int root;
	const struct state_identity *id;
	const struct facts *facts;
	int64_t since_ns;
	bool *changed; /* shared with the parent */
};

/* Nothing outlives the run but what the alias keeps. */
static bool is_kept(const struct state_identity *id)
{
	return id->has_alias && id->status != IDENTITY_REVOKING;
}

/* Who am I now: a child of vmrun, all capabilities in the namespace that maps
 * the person and U, none outside. */
static int give_back(void *arg, struct err *e)
{
	struct inside *in = arg;
	struct grant_stats st = {0};
	struct grant_who who;
	int r;

	if (in->userns >= 0 && setns(in->userns, CLONE_NEWUSER) < 0)
		return err_set(e, errno, "entering the VM's user namespace");
	reclaim_who(in->facts, in->id->uid, in->id->gid, &who);
	if (is_kept(in->id))
		r = grant_reclaim_kept(in->root, &who, in->since_ns, &st, e);
	else
		r = grant_reclaim(in->root, who.uid, who.gid, who.owner,
				  who.owner_gid, &st, e);
	*in->changed = st.edited || st.special;
	return r;
}

/* The same child, about to become U: everything of that UID goes. */
static int kill_all(void *arg, struct err *e)
{
	struct inside *in = arg;

	if (in->userns >= 0 && setns(in->userns, CLONE_NEWUSER) < 0)
		return err_set(e, errno, "entering the VM's user namespace");
	if (setresuid(in->id->uid, in->id->uid, in->id->uid) < 0)
		return err_set(e, errno, "becoming UID %u", in->id->uid);
	/* Signals itself last: kill(-1) spares the caller. */
	if (kill(-1, SIGKILL) < 0 && errno != ESRCH)
		return err_set(e, errno, "killing UID %u", in->id->uid);
	return 0;
}

static int run_inside(int (*step)(void *, struct err *), struct inside *in,
		      struct err *e)
{
	struct proc_spec s = {.child = step, .arg = in, .keep_mask = true};

	if (in->userns < 0) {
		s.clone_flags = CLONE_NEWUSER;
		s.parent = idmap_write;
	}
	return proc_run(&s, e);
}

static void inside_init(struct inside *in, const struct state_identity *id,
			const struct facts *f, int userns)
{
	const struct idmap map = {f->uid,	   f->gid,
				  f->sub_first,	   f->sub_count,
				  f->subgid_first, f->subgid_count};

	in->map = map;
	in->userns = userns;
	in->root = -1;
	in->since_ns = 0;
	in->changed = NULL;
	in->id = id;
	in->facts = f;
}

/* Can a namespace have the UID and its group?  Not once /etc/subuid or subgid
 * give the person another range. */
static bool is_mapped(const struct state_identity *id, const struct facts *f)
{
	return id->uid >= f->sub_first &&
	       id->uid - f->sub_first < f->sub_count &&
	       id->gid >= f->subgid_first &&
	       id->gid - f->subgid_first < f->subgid_count;
}

int64_t reclaim_birth(int fd)
{
	struct statx x;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &x) < 0 ||
	    !(x.stx_mask & STATX_BTIME))
		return 0;
	return x.stx_btime.tv_sec * 1000000000 + x.stx_btime.tv_nsec;
}

bool reclaim_is_root(int fd, const struct state_root *root)
{
	struct stat st;

	/* Many file systems have another number after each boot. */
	return fstat(fd, &st) == 0 && st.st_ino == root->ino &&
	       (st.st_dev == root->dev || !root->is_boot) &&
	       (!root->btime || reclaim_birth(fd) == root->btime);
}

int reclaim_open(const struct state_grant *g, int *root, struct err *e)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC,
			       .resolve = RESOLVE_NO_SYMLINKS |
					  RESOLVE_NO_MAGICLINKS};
	own_fd fd =
		(int)syscall(SYS_openat2, AT_FDCWD, g->path, &how, sizeof(how));
	const struct state_root was = {.dev = g->dev,
				       .ino = g->ino,
				       .btime = g->btime,
				       .is_boot = g->is_boot};
	char shown[512];

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return 0;
	if (fd < 0)
		return err_set(e, errno, "cannot take back %s",
			       log_escape(shown, sizeof(shown), g->path,
					  strlen(g->path)));
	if (!reclaim_is_root(fd, &was))
		return 0;
	*root = steal_fd(&fd);
	return 1;
}

/* What was edited is on the disk before the row says so (design: order). */
int reclaim_sync(int root, struct err *e)
{
	own_fd fd = -1;
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", root);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == EACCES) { /* its owner may not read it */
		sync();
		return 0;
	}
	if (fd < 0 || syncfs(fd) < 0)
		return err_set(e, errno, "syncing");
	return 0;
}

int reclaim_give_back(const struct reclaim *r, const struct state_identity *id,
		      int root, struct err *e)
{
	struct inside in;
	int ret;

	/* That may be a mistake which is put right: not for good. */
	if (!r->facts->sub_count)
		return err_set(e, 0,
			       "files of UID %u cannot be given back without a "
			       "subordinate range",
			       id->uid);
	if (!is_mapped(id, r->facts)) {
		log_warn("UID %u is not in your subordinate range any more: "
			 "files that it made stay its own",
			 id->uid);
		return 1;
	}
	inside_init(&in, id, r->facts, r->userns);
	in.root = root;
	in.since_ns = r->since_ns;
	in.changed = mmap(NULL, sizeof(*in.changed), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (in.changed == MAP_FAILED)
		return err_set(e, errno, "giving files back");
	ret = run_inside(give_back, &in, e);
	if (ret == 0 && *in.changed)
		ret = reclaim_sync(root, e);
	munmap(in.changed, sizeof(*in.changed));
	return ret;
}

/* Takes U's entries out of one tree, alone among the person's vmruns. */
static int take_back(const struct reclaim *r, const struct state_identity *id,
		     int root, struct grant_stats *st, struct err *e)
{
	own_fd lock = edit_lock(r->state_dir, r->stop, e);
	struct grant_who who;
	uint64_t left = 0;

	if (lock < 0)
		return -1;
	reclaim_who(r->facts, id->uid, id->gid, &who);
	return grant_revoke(root, &who, st, &left, e);
}

void reclaim_tell_others(const char *path, uid_t uid,
			 const struct grant_stats *st)
{
	char shown[512];

	if (!st->others)
		return;
	log_warn("UID %u keeps %llu ACL entries on files of other owners in "
		 "%s, such as %s of UID %u",
		 (unsigned)uid, (unsigned long long)st->others,
		 log_escape(shown, sizeof(shown), path, strlen(path)),
		 st->example, (unsigned)st->others_uid);
	log_warn("hint: `sudo setfacl -x u:%u FILE` takes one out; no VM is "
		 "given that UID before",
		 (unsigned)uid);
}

bool reclaim_is_device(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode);
}

/* The walk's own words have paths from the root on, or none. */
static int about(const struct state_grant *g, struct err *e)
{
	char shown[512];

	return err_wrap(
		e, "cannot take back %s",
		log_escape(shown, sizeof(shown), g->path, strlen(g->path)));
}

int reclaim_grant(const struct reclaim *r, const struct state_identity *id,
		  const struct state_grant *g, struct err *e)
{
	struct grant_stats st = {0};
	own_fd root = -1;
	int found = reclaim_open(g, &root, e);

	if (found < 0)
		return -1;
	if (!found) {
		char shown[512];

		/* Nothing can be done at this path, now or later; the UID is
		 * not used again before a scan finds nothing of it. */
		log_warn("%s is no longer what was granted; if it was moved, "
			 "entries of UID %u are still in its ACLs",
			 log_escape(shown, sizeof(shown), g->path,
				    strlen(g->path)),
			 id->uid);
		return state_grant_done(r->state, g->id, e);
	}
	if (reclaim_is_device(root)) {
		/* U made no file there, and nothing of it is on a disk; it is
		 * not even to be opened. */
		if (take_back(r, id, root, &st, e) < 0)
			return about(g, e);
		return state_grant_done(r->state, g->id, e);
	}
	if ((g->access == ACCESS_RW && reclaim_give_back(r, id, root, e) < 0) ||
	    take_back(r, id, root, &st, e) < 0)
		return about(g, e);
	reclaim_tell_others(g->path, id->uid, &st);
	/* Whoever began this before us may have been killed before he could. */
	if ((st.edited || id->status == IDENTITY_REVOKING || id->has_alias) &&
	    reclaim_sync(root, e) < 0)
		return about(g, e);
	return state_grant_done(r->state, g->id, e);
}

static int undo_grants(const struct reclaim *rc,
		       const struct state_identity *id, struct err *e)
{
	struct state_grant *g = NULL;
	struct err one = ERR_INIT;
	size_t n = 0;
	int r = 0;

	if (state_grants(rc->state, id->run, &g, &n, e) < 0)
		return -1;
	for (size_t i = n; i-- > 0;) {
		if (reclaim_grant(rc, id, &g[i], &one) == 0)
			continue;
		if (r == 0)
			*e = one;
		r = -1;
	}
	state_grants_free(g, n);
	return r;
}

int reclaim_begin(const struct reclaim *rc, struct state_identity *id,
		  struct err *e)
{
	state_ending(id);
	if (id->has_alias || id->status == IDENTITY_REVOKING)
		return 0;
	if (state_set_status(rc->state, id->run, IDENTITY_REVOKING, e) < 0)
		return -1;
	id->status = IDENTITY_REVOKING;
	return 0;
}

int reclaim_run(const struct reclaim *rc, struct state_identity *id,
		int exit_code, struct err *e)
{
	int r;

	state_ending(id);
	if (is_kept(id)) {
		r = keep_end(rc, id, e);
	} else {
		r = reclaim_begin(rc, id, e);
		if (r == 0)
			r = undo_grants(rc, id, e);
	}
	run_dir_remove(rc->facts->runtime, id->run);
	if (r == 0)
		r = state_release(rc->state, id, exit_code, e);
	return r;
}

/* Nobody can become the UID to end what it has: nothing may be there. */
static int check_over(const struct state_identity *id, struct err *e)
{
	if (!probe_proc_hidden() && !probe_uid_used(NULL, id->uid))
		return 0;
	err_set(e, 0,
		"UID %u is not in your subordinate range any more, and "
		"processes of it may be running",
		id->uid);
	return err_hint(e,
			"end them as root: pkill -KILL -U %u; or put the "
			"former range back into /etc/subuid and /etc/subgid",
			id->uid);
}

/*
 * No process of the UID may be left before its rights are taken away.  The
 * kernel ends the sandbox with vmrun; this is for what it could not, and it is
 * done once without looking, because /proc may be mounted with hidepid.
 */
static int kill_uid(const struct state_identity *id, const struct facts *f,
		    struct err *e)
{
	struct inside in;

	if (!is_mapped(id, f))
		return check_over(id, e);
	inside_init(&in, id, f, -1);
	for (int tries = 0; tries < 200; tries++) {
		if (run_inside(kill_all, &in, e) < 0)
			return -1;
		if (!probe_uid_used(NULL, id->uid))
			return 0;
		/* A killed process takes its time to die: wait for the
		 * kernel, 10 ms a turn, at most two seconds. */
		poll(NULL, 0, 10);
	}
	err_set(e, 0, "processes of UID %u do not end", id->uid);
	return err_hint(e, "look at them: ps -u %u", id->uid);
}

static int reclaim_dead(const struct reclaim *rc, const struct state_run *run,
			struct err *e)
{
	struct state_identity id = run->id;
	int mine;
	int r;

	id.lock_fd = -1;
	mine = state_adopt(rc->state, run->id.run, &id, e);
	if (mine <= 0)
		return mine;
	log_info("cleaning up after VM %lld (UID %u), whose vmrun is gone",
		 (long long)id.run, id.uid);
	state_ending(&id);
	r = kill_uid(&id, rc->facts, e);
	if (r == 0)
		r = reclaim_run(rc, &id, 255, e);
	own_close(&id.lock_fd);
	return r < 0 ? err_wrap(e, "cleaning up after VM %lld",
				(long long)run->id.run)
		     : 1;
}

int reclaim_dead_runs(const struct reclaim *rc, struct err *e)
{
	struct state_run *runs = NULL;
	struct err one = ERR_INIT;
	size_t n = 0;
	int cleaned = 0;
	int r = 0;

	if (state_runs(rc->state, &runs, &n, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		int did;

		if (runs[i].alive)
			continue;
		did = reclaim_dead(rc, &runs[i], &one);
		if (did < 0 && r == 0) {
			*e = one;
			r = -1;
		}
		if (did > 0)
			cleaned++;
	}
	state_runs_free(runs, n);
	return r < 0 ? -1 : cleaned;
}
