/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The life of a VM, in order.  The person's own authority.
 *
 *     clean what died -> claim a UID -> grant -> stage and start -> supervise
 *     -> kill -> give back and revoke -> release
 *
 * A row of the database precedes each effect, so that whatever interrupts this
 * function, the next start can finish it.
 */
#include "host/run.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/log.h"
#include "base/own.h"
#include "grant/grant.h"
#include "host/editlock.h"
#include "host/home.h"
#include "host/keep.h"
#include "host/live/front.h"
#include "host/live/quote.h"
#include "host/live/supervise.h"
#include "host/live/windows.h"
#include "host/rebuild.h"
#include "host/reclaim.h"
#include "host/text.h"
#include "proc/inherit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

/* Everything that a run holds while it lasts. */
struct run {
	struct plan *plan; /* its home is not known before the claim */
	struct rebuilt db;
	struct state *state; /* of db; borrowed */
	int state_dir;	     /* of db; borrowed */
	struct state_identity id;
	struct state_want *wants; /* with an alias; owned */
	size_t n_wants;
	struct run_dir dir;
	struct context context; /* of the compositor, for windows */
	struct sandbox sandbox;
	int manage;
	int stop; /* readable once a signal has come that ends a run */
	bool claimed;
	int64_t began, clock_off; /* CLOCK_REALTIME at the claim; and its lead
				     over CLOCK_BOOTTIME */
	struct child verifier;	  /* of an alias; beside the VM */
	pid_t pid;		  /* our own, for the verifier */
	struct timespec since;
};

int run_open_state(const struct facts *f, struct state **s, int *dir,
		   struct err *e)
{
	if (io_make_dirs(f->state_home, e) < 0)
		return -1;
	*dir = open(f->state_home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*dir < 0)
		return err_set(e, errno, "%s", f->state_home);
	if (state_open(*dir, s, e) < 0) {
		own_close(dir);
		return -1;
	}
	return 0;
}

static void warn_count(const struct plan_share *sh, const struct grant_stats *g,
		       size_t of, const char *what)
{
	bool has_example = g->example[0] && g->example_of == of;
	char shown[TEXT_SHOWN];
	uint64_t n;

	memcpy(&n, (const char *)g + of, sizeof(n));
	if (n)
		log_warn("%s: %llu %s%s%s",
			 text_show(shown, sizeof(shown), sh->src),
			 (unsigned long long)n, what,
			 has_example ? ", for example " : "",
			 has_example ? g->example : "");
}

/* What the VM will not be able to use, though it was named. */
static void warn_about(const struct plan_share *sh, const struct grant_stats *g)
{
	static const struct {
		size_t of;
		const char *what;
	} all[] = {
		{offsetof(struct grant_stats, foreign),
		 "entries belong to others and stay closed"},
		{offsetof(struct grant_stats, fixed),
		 "entries are immutable and stay closed"},
		{offsetof(struct grant_stats, keys),
		 "files look like private keys and are left out (see "
		 "--include-keys)"},
		{offsetof(struct grant_stats, masked),
		 "entries have an ACL mask that shuts the VM out, and that "
		 "somebody else would profit from"},
		{offsetof(struct grant_stats, setgid),
		 "set-group-ID entries of a foreign group are left out"},
		{offsetof(struct grant_stats, links),
		 "files are left out because they have hard links elsewhere"},
		{offsetof(struct grant_stats, unmapped),
		 "entries have ACLs that name ids which the VM cannot express, "
		 "and cannot be read there"},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		warn_count(sh, g, all[i].of, all[i].what);
}

static void say_granted(const struct plan_share *sh, const char *shown,
			const struct grant_stats *g)
{
	log_info("granted %s %s: %llu entries seen, %llu edited",
		 sh->rw ? "rw" : "ro", shown, (unsigned long long)g->seen,
		 (unsigned long long)g->edited);
	if (g->special)
		log_info("%s: sockets, FIFOs and devices lead nowhere in the "
			 "VM: %llu",
			 shown, (unsigned long long)g->special);
	warn_about(sh, g);
}

/* One tree: the row first, then the edits, alone among the person's vmruns. */
static int grant_one(struct run *r, const struct plan_share *sh,
		     const struct grant_who *who, struct err *e)
{
	struct grant_stats g = {0};
	struct grant_tree tree;
	char shown[TEXT_SHOWN];
	own_fd lock = -1;
	int64_t row;

	text_show(shown, sizeof(shown), sh->src);
	if (state_grant_add(r->state, r->id.run, sh->src, sh->dev, sh->ino,
			    sh->rw ? ACCESS_RW : ACCESS_RO, &row, e) < 0)
		return -1;
	lock = edit_lock(r->state_dir, &r->stop, e);
	if (lock < 0)
		return -1;
	plan_tree(r->plan, sh, &tree);
	tree.stop = &r->stop;
	if (grant_apply(&tree, who, &g, e) < 0)
		return err_wrap(e, "cannot share %s", shown);
	say_granted(sh, shown, &g);
	return 0;
}

/*
 * The node of a PCI device's group, which U opens.  An alias does not keep it:
 * a row that is never whole is undone at the end of the run, by whoever ends
 * it.
 */
static int grant_device(struct run *r, const struct grant_who *who,
			struct err *e)
{
	const struct plan_pci *d = &r->plan->pci;
	struct grant_tree tree = {.mode = GRANT_RW, .device = true};
	struct grant_stats g = {0};
	struct stat st;
	own_fd node = plan_open(d->node, &st);
	own_fd lock = -1;
	const struct state_want want = {.path = d->node,
					.dev = d->dev,
					.ino = d->ino,
					.btime = reclaim_birth(node),
					.access = ACCESS_RW};
	int64_t row;

	if (node < 0 || st.st_dev != d->dev || st.st_ino != d->ino)
		return err_set(e, node < 0 ? errno : ESTALE, "%s", d->node);
	if (r->plan->opt->alias
		    ? state_grant_begin(r->state, r->id.run, &want, &row, e) < 0
		    : state_grant_add(r->state, r->id.run, d->node, d->dev,
				      d->ino, ACCESS_RW, &row, e) < 0)
		return -1;
	lock = edit_lock(r->state_dir, &r->stop, e);
	tree.root = node;
	tree.stop = &r->stop;
	if (lock < 0 || grant_apply(&tree, who, &g, e) < 0)
		return err_wrap(e, "cannot give %s to the VM", d->node);
	log_info("granted rw %s", d->node);
	return 0;
}

static int64_t now_of(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/*
 * When the run began, for comparing with time stamps of files: a second less,
 * because those come from a clock that lags.  0 if the clock was set back: then
 * they say nothing.
 */
static int64_t run_since(const struct run *r)
{
	int64_t second = 1000000000;
	int64_t off = now_of(CLOCK_REALTIME) - now_of(CLOCK_BOOTTIME);

	if (!r->began || off < r->clock_off - second / 2)
		return 0;
	return r->began - second;
}

static struct reclaim reclaim_of(const struct run *r, int userns)
{
	const struct reclaim rc = {r->state, r->state_dir, r->plan->facts,
				   userns,   run_since(r), &r->stop};

	return rc;
}

/* A share of an alias: nothing is done, and no tree walked, if it has it. */
static int grant_kept(struct run *r, const struct plan_share *sh,
		      const struct state_want *want, struct err *e)
{
	const struct reclaim rc = reclaim_of(r, -1);
	struct grant_stats g = {0};
	struct grant_tree tree;
	char shown[TEXT_SHOWN];

	text_show(shown, sizeof(shown), sh->src);
	if (want->grant && !r->plan->opt->verify) {
		log_info("%s has %s already", r->plan->opt->alias, shown);
		return 0;
	}
	plan_tree(r->plan, sh, &tree);
	tree.stop = &r->stop;
	if (want->grant) {
		if (keep_verify(&rc, &r->id, &tree, &g, e) < 0)
			return err_wrap(e, "cannot verify %s", shown);
		say_granted(sh, shown, &g);
		return 0;
	}
	if (keep_grant(&rc, &r->id, &tree, want, &g, e) < 0)
		return err_wrap(e, "cannot share %s with %s", shown,
				r->plan->opt->alias);
	say_granted(sh, shown, &g);
	return 0;
}

/*
 * Who am I now: a child of vmrun, beside the VM, with time that nobody else
 * wants.  Ends with vmrun at the latest; whatever it granted is right.
 */
static int verify_all(void *arg, struct err *e)
{
	const int who_process = 1, class_idle = 3 << 13;
	struct run *r = arg;
	const struct reclaim rc = reclaim_of(r, -1);
	size_t next = 0;

	/* Nothing is granted for a vmrun that is gone already. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != r->pid)
		return -1;
	/* That says that the run is alive: it is vmrun's alone. */
	own_close(&r->id.lock_fd);
	setpriority(PRIO_PROCESS, 0, 19);
	syscall(SYS_ioprio_set, who_process, 0, class_idle);
	for (size_t i = 0; i < r->plan->n_shares; i++) {
		const struct plan_share *sh = &r->plan->shares[i];
		struct grant_stats g = {0};
		const struct state_want *w;
		struct grant_tree tree;

		if (sh->use != SHARE_PERSON)
			continue;
		w = &r->wants[next++];
		plan_tree(r->plan, sh, &tree);
		if (w->grant && keep_verify(&rc, &r->id, &tree, &g, e) < 0)
			log_err(LOG_LEVEL_INFO, e);
		if (g.edited)
			log_info("granted %llu names that came into %s",
				 (unsigned long long)g.edited, sh->src);
	}
	return 0;
}

/* That it cannot be started is no reason to end the run. */
static void start_verifier(struct run *r)
{
	const struct proc_spec s = {
		.child = verify_all, .arg = r, .keep_mask = true};
	struct err e = ERR_INIT;

	r->pid = getpid();
	if (r->plan->opt->alias && !r->plan->opt->verify &&
	    proc_start(&s, &r->verifier, &e) < 0)
		log_err(LOG_LEVEL_WARN, &e);
}

static int apply_kept(struct run *r, struct err *e)
{
	const struct reclaim rc = reclaim_of(r, -1);
	const struct plan *p = r->plan;
	size_t next = 0;

	for (size_t i = 0; i < p->n_shares; i++)
		if (p->shares[i].use == SHARE_PERSON &&
		    grant_kept(r, &p->shares[i], &r->wants[next++], e) < 0)
			return -1;
	if (keep_mend(&rc, &r->id, e) < 0)
		return -1;
	if (r->id.status == IDENTITY_ACTIVE)
		return 0;
	return state_set_status(r->state, r->id.run, IDENTITY_ACTIVE, e);
}

/* Said once for each: nothing on the disk will tell it. */
static void tell_plain(const struct plan_share *sh)
{
	char shown[TEXT_SHOWN];
	const char *why = "which has no ACLs";

	if (sh->use != SHARE_PLAIN)
		return;
	if (sh->plain.network)
		why = "where this machine does not decide alone who may do "
		      "what";
	else if (sh->plain.read_only)
		why = "which is mounted read-only";
	log_warn("%s is on %s, %s: no ACL is edited there, it is served with "
		 "your own rights, by a server that can reach nothing else; "
		 "see vmrun-security(7)",
		 text_show(shown, sizeof(shown), sh->src), sh->plain.fs, why);
}

/* The same: what is mounted there may be all that the person cares for. */
static void tell_hidden(const struct plan_share *sh)
{
	char shown[TEXT_SHOWN], one[TEXT_SHOWN];

	if (!sh->n_hidden)
		return;
	text_show(shown, sizeof(shown), sh->src);
	text_show(one, sizeof(one), sh->hidden);
	if (sh->n_hidden == 1)
		log_warn("%s: what is mounted at %s is not shown; to share it "
			 "too, name it too",
			 shown, one);
	else
		log_warn("%s: what is mounted at %zu places in it is not "
			 "shown, for example at %s; to share one too, name it "
			 "too",
			 shown, sh->n_hidden, one);
}

static int apply_grants(struct run *r, struct err *e)
{
	const struct plan *p = r->plan;
	struct grant_who who;

	for (size_t i = 0; i < p->n_shares; i++) {
		tell_plain(&p->shares[i]);
		tell_hidden(&p->shares[i]);
	}
	reclaim_who(p->facts, r->id.uid, r->id.gid, &who);
	if (plan_has_pci(p) && grant_device(r, &who, e) < 0)
		return -1;
	if (p->opt->alias)
		return apply_kept(r, e);
	for (size_t i = 0; i < p->n_shares; i++)
		if (p->shares[i].use == SHARE_PERSON &&
		    grant_one(r, &p->shares[i], &who, e) < 0)
			return -1;
	return state_set_status(r->state, r->id.run, IDENTITY_ACTIVE, e);
}

/* The command as `vmrunctl ps` shows it. */
static void command_line(const struct plan *p, struct buf *b)
{
	for (char **a = p->opt->argv; a && *a; a++)
		buf_printf(b, "%s%s", a == p->opt->argv ? "" : " ", *a);
	buf_put_u8(b, 0);
}

static int claim_alias(struct run *r, const struct state_range *range,
		       const char *command, struct err *e)
{
	struct state_alias_claim c = {
		.range = range,
		.alias = r->plan->opt->alias,
		.command = command,
		.kind = RUN_VM,
		.may_make = true,
		.is_used = probe_uid_used,
	};

	if (keep_wants(r->plan, &r->wants, &r->n_wants, e) < 0)
		return -1;
	c.wants = r->wants;
	c.n_wants = r->n_wants;
	return state_claim_alias(r->state, &c, &r->id, e);
}

static int claim(struct run *r, const struct state_range *range, struct err *e)
{
	struct reclaim rc = {.facts = r->plan->facts, .userns = -1};
	struct err old = ERR_INIT;
	struct homes homes;
	struct buf cmd;
	int ret;

	if (rebuild_open(r->plan->facts, range, &r->db, e) < 0)
		return -1;
	r->state = r->db.state;
	r->state_dir = r->db.dir;
	r->began = now_of(CLOCK_REALTIME);
	r->clock_off = r->began - now_of(CLOCK_BOOTTIME);
	rc.stop = &r->stop;
	rc.state = r->state;
	rc.state_dir = r->state_dir;
	/* What an earlier vmrun could not finish; its failure is not ours. */
	if (reclaim_dead_runs(&rc, &old) < 0)
		log_err(LOG_LEVEL_WARN, &old);
	log_phase(&r->since, "state");
	homes = (struct homes){r->state, r->state_dir, r->plan->facts};
	if (home_open(&homes, r->plan, e) < 0)
		return -1;
	buf_init(&cmd, 1 << 20);
	command_line(r->plan, &cmd);
	if (r->plan->opt->alias)
		ret = claim_alias(r, range,
				  cmd.bad ? "" : (const char *)cmd.data, e);
	else
		ret = state_claim(r->state, range,
				  cmd.bad ? "" : (const char *)cmd.data,
				  probe_uid_used, NULL, &r->id, e);
	buf_free(&cmd);
	if (ret < 0)
		return -1;
	r->claimed = true;
	log_phase(&r->since, "claim");
	return home_enter(r->plan, e);
}

static int start(struct run *r, const struct tools *t, struct err *e)
{
	if (r->plan->terminal && front_take(STDIN_FILENO, e) < 0)
		return err_wrap(e, "--tty");
	if (apply_grants(r, e) < 0)
		return -1;
	log_phase(&r->since, "grant");
	if (run_dir_make(&r->dir, r->plan->facts->runtime, r->id.run, e) < 0)
		return -1;
	r->manage = manage_listen(&r->dir, e);
	if (r->manage < 0)
		return -1;
	if (windows_prepare(r->plan, &r->dir, r->stop, &r->context, e) < 0)
		return -1;
	if (sandbox_start(&r->sandbox, r->plan, t, r->id.uid, r->id.gid,
			  &r->dir, e) < 0)
		return -1;
	log_phase(&r->since, "spawn");
	start_verifier(r);
	return 0;
}

/* Everything back; also after a start that failed half-way. */
static void finish(struct run *r, int exit_code)
{
	const struct reclaim rc = reclaim_of(r, r->sandbox.userns);
	struct err e = ERR_INIT;

	clock_gettime(CLOCK_MONOTONIC, &r->since);
	sandbox_doom(&r->sandbox);
	/* While the kernel takes the VM apart; reclaim_run() does what fails
	 * here again, and no right goes before the last process is gone. */
	if (r->claimed)
		(void)reclaim_begin(&rc, &r->id, &e);
	child_kill(&r->verifier);
	sandbox_kill(&r->sandbox);
	log_phase(&r->since, "kill");
	if (r->claimed && reclaim_run(&rc, &r->id, exit_code, &e) < 0) {
		log_err(LOG_LEVEL_WARN, &e);
		log_warn("the next start of vmrun tries again");
	}
	log_phase(&r->since, "reclaim");
	sandbox_close(&r->sandbox);
	context_close(&r->context);
	own_close(&r->manage);
	own_close(&r->stop);
	run_dir_close(&r->dir);
	own_close(&r->id.lock_fd);
	free(r->wants);
	rebuild_close(&r->db);
}

/* A signal before the supervisor watches for them must not leave half a run:
 * they wait, and the supervisor finds them; grants look at `stop`.  A reader of
 * our messages that went away, or a limit on file sizes, is an error of
 * write(). */
static void hold_signals(struct run *r)
{
	sigset_t set;

	proc_asked_by(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	/* These two ask for no end. */
	sigdelset(&set, SIGUSR1);
	sigdelset(&set, SIGUSR2);
	r->stop = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
}

/* A start that failed, or was given up because somebody asked for the end. */
static void not_started(struct outcome *o, const struct err *e)
{
	int signo = e->code == ECANCELED ? proc_end_waits() : 0;

	o->kind = signo ? OUTCOME_KILLED : OUTCOME_SETUP;
	o->value = signo;
}

void run_plan(struct plan *p, const struct tools *t,
	      const struct state_range *range, const struct status_sinks *sinks,
	      struct outcome *o, struct err *e)
{
	struct run r = {.plan = p,
			.dir = RUN_DIR_NONE,
			.context = CONTEXT_NONE,
			.sandbox = SANDBOX_NONE,
			.manage = -1,
			.db = {.dir = -1, .ids = -1},
			.verifier = CHILD_NONE,
			.stop = -1,
			.state_dir = -1};
	struct supervise s = {.plan = p, .sinks = sinks};

	r.id.lock_fd = -1;
	clock_gettime(CLOCK_MONOTONIC, &r.since);
	hold_signals(&r);
	o->kind = OUTCOME_NONE;
	if (claim(&r, range, e) < 0 || start(&r, t, e) < 0) {
		not_started(o, e);
	} else {
		status_started(sinks, r.id.run, r.id.uid);
		s.context = &r.context;
		s.dir = &r.dir;
		s.sandbox = &r.sandbox;
		s.state = r.state;
		s.id = &r.id;
		s.manage = r.manage;
		supervise_run(&s, o, e);
		if (o->kind == OUTCOME_GONE)
			quote_rings(r.sandbox.console, r.sandbox.log);
	}
	finish(&r, outcome_status(o));
}
