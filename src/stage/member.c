/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Members.  Starts in vmrun-stage (the person's uid with the capabilities of
 * the sandbox's user namespace) and ends in each member as U.
 *
 * Theory of operation
 *
 * The file server runs in the sandbox's own user namespace, which maps the
 * person's id and the whole subordinate range, because owners and ACL names
 * must read the same inside and outside.  All others get a user namespace
 * below it that maps U and nothing else.  The stage makes it while it still is
 * the person: the owner of a namespace has every capability in it, so were U
 * the owner, the file server, which is U in the parent namespace, would rule
 * over the VMM.  As it is, the members are siblings of the same UID in
 * different user and pid namespaces: none can trace, signal or name another.
 *
 * One member may not be U outside: the file server of SETUP_VIEW_PLAIN, whose
 * sources have no ACLs to name U in.  Its namespace maps U to the person, so it
 * is the person towards the kernel, and what keeps it from everything else
 * that is the person's is that it can name none of it: no process (its own pid
 * namespace, and signals and traces go by pid), no file but its mounts, no
 * socket (its own network namespace), no key (see seal).  It has no rights in
 * its siblings' namespaces, which the person owns: the owner's rights are for
 * those in the namespace above.  It is started before any other, and can make
 * no user namespace either: see below.
 *
 * The nested ones are started first, and from the moment that the last of
 * their namespaces exists, before its member runs, no more can be made: not by
 * the VMM if it is the last of the record, and never by the file server.  An
 * uplink makes one more itself, and its is the last.
 *
 * execve() makes a process dumpable again, so it is the namespaces that keep
 * the members apart, not PR_SET_DUMPABLE.
 */
#include "stage/member.h"

#include "base/err.h"
#include "base/io.h"
#include "base/own.h"
#include "proc/spawn.h"
#include "seal/seal.h"
#include "stage/denied.h"
#include "stage/mounts.h"
#include "stage/root.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

/* Threads are for processors, disks and files; nobody needs thousands. */
#define MEMBER_NPROC 1024

/*
 * Private memory.  The guest's is a memory file and does not count; the most
 * that is left is QEMU's buffer for translated code, 1 GiB.  Not RLIMIT_AS: the
 * C library reserves address space by the processor.
 */
#define MEMBER_DATA (UINT64_C(4) << 30)
/*
 * waypipe has private memory of each pool's size, which a client takes up only
 * as far as it draws there: foot makes two of 512 MiB for each window.
 */
#define WAYPIPE_DATA (UINT64_C(128) << 30)

/*
 * What the C virtiofsd needs until its client has connected, and drops itself
 * then: it enters the tree with chroot(), and empties its bounding set.
 */
static const int fileserver_caps[] = {CAP_SYS_CHROOT, CAP_SETPCAP};

struct start {
	const struct setup *s;
	const struct setup_member *m; /* the one that is being started */
	size_t index;		      /* its number */
	int trees[SETUP_MEMBERS_MAX]; /* detached copies of the tree, or -1 */
	int limit;	    /* the sandbox's limit of user namespaces, or -1 */
	size_t nested_left; /* namespaces that are still to be made */
	size_t nested_most; /* how many there may ever be; 0: no more */
	int null;
};

static bool is_nested(const struct setup_member *m)
{
	return m->view != SETUP_VIEW_TREE;
}

/* Both limits to n, or to what the hard one already is. */
static int limit(int which, rlim_t n)
{
	struct rlimit have;

	if (getrlimit(which, &have) < 0)
		return -1;
	if (have.rlim_max > n)
		have.rlim_max = n;
	have.rlim_cur = have.rlim_max;
	return setrlimit(which, &have);
}

/*
 * Who ends a unit or a session signals all of its processes (systemd.kill(5)):
 * a VM that ended by that would leave the application no time.  vmrun alone
 * decides, and ends members with SIGKILL.  A file that is too large is an error
 * of the call that makes it so.
 */
static int shelter(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	signal(SIGXFSZ, SIG_IGN);
	return sigprocmask(SIG_BLOCK, &set, NULL);
}

/* Who am I now: U.  Capabilities and limits go, in this order: lowering
 * limits needs nothing, the bounding set needs a capability. */
static int confine(const struct setup_member *m, struct err *e)
{
	if (shelter() < 0)
		return err_set(e, errno, "holding signals back");
	if (m->scratch)
		umask(0); /* the person connects to what it makes there */
	if (m->fsize && limit(RLIMIT_FSIZE, m->fsize) < 0)
		return err_set(e, errno, "limiting files");
	/* Also where the soft limit was less. */
	if (m->pci[0] && limit(RLIMIT_MEMLOCK, m->memlock) < 0)
		return err_set(e, errno, "limiting locked memory");
	if (limit(RLIMIT_NPROC, MEMBER_NPROC) < 0)
		return err_set(e, errno, "limiting processes");
	if (limit(RLIMIT_DATA, m->calls == SETUP_CALLS_WAYPIPE
				       ? WAYPIPE_DATA
				       : MEMBER_DATA) < 0)
		return err_set(e, errno, "limiting memory");
	if (seal_nofile(m->nofile, e) < 0)
		return -1;
	switch (m->caps) {
	case SETUP_CAPS_NONE:
		if (seal_drop_caps(e) < 0)
			return -1;
		break;
	case SETUP_CAPS_FILESERVER:
		if (seal_keep_caps(fileserver_caps,
				   sizeof(fileserver_caps) /
					   sizeof(fileserver_caps[0]),
				   e) < 0)
			return -1;
		break;
	}
	/* The pid namespace takes care of it when the stage ends; this is for
	 * the case that somebody runs a member without one.  Last: a change
	 * of ids clears it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return err_set(e, errno, "tying %s to the stage", m->name);
	return 0;
}

/* Who am I now: the person's uid with capabilities; U from here on. */
static int become_u(const struct setup *s, struct err *e)
{
	if (setresgid(s->gid, s->gid, s->gid) < 0 ||
	    setresuid(s->uid, s->uid, s->uid) < 0) {
		err_set(e, errno, "becoming uid %u", s->uid);
		return err_hint(e, "is that id still in /etc/subuid and "
				   "/etc/subgid?");
	}
	return 0;
}

static int child_side(void *arg, struct err *e)
{
	const struct start *st = arg;

	if (root_enter(st->m, st->index, st->trees[st->index], e) < 0)
		return -1;
	if (become_u(st->s, e) < 0)
		return -1;
	if (confine(st->m, e) < 0)
		return -1;
	switch (st->m->calls) {
	case SETUP_CALLS_OWN:
		return denied_fence(DENIED_MEMBER, e);
	case SETUP_CALLS_UPLINK:
		return denied_fence(DENIED_UPLINK, e);
	case SETUP_CALLS_WAYPIPE:
		return waypipe_seal(e);
	}
	return 0;
}

/* All that are needed exist.  A user namespace is the way to much of the
 * kernel that an ordinary process does not reach. */
static int forbid_userns(const struct start *st, struct err *e)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%zu\n", st->nested_most);

	if (st->limit >= 0 && io_write_all(st->limit, text, (size_t)n) < 0)
		return err_set(e, errno, "forbidding user namespaces");
	return 0;
}

/* One id of the namespace: `inside`, which `outside` has here. */
static int write_map(pid_t pid, const char *file, uint32_t inside,
		     uint32_t outside, struct err *e)
{
	char text[64];

	snprintf(text, sizeof(text), "%u %u 1\n", inside, outside);
	return proc_write(pid, file, text, e);
}

/* In the stage: the maps of a nested user namespace, U and its group only. */
static int parent_side(void *arg, pid_t pid, struct err *e)
{
	struct start *st = arg;
	const struct setup *s = st->s;
	bool person = st->m->view == SETUP_VIEW_PLAIN;

	if (proc_write(pid, "setgroups", "deny", e) < 0 ||
	    write_map(pid, "gid_map", s->gid, person ? s->host_gid : s->gid,
		      e) < 0 ||
	    write_map(pid, "uid_map", s->uid, person ? s->host_uid : s->uid,
		      e) < 0)
		return -1;
	return --st->nested_left ? 0 : forbid_userns(st, e);
}

/* The member's descriptors: those of the record, else 0-2 are /dev/null. */
static size_t make_fds(const struct setup_member *m, int null,
		       struct proc_fd *fds)
{
	bool has[3] = {false, false, false};
	size_t n = 0;

	for (size_t i = 0; i < m->n_fds; i++) {
		fds[n].from = (int)m->fds[i].from;
		fds[n++].to = (int)m->fds[i].to;
		if (m->fds[i].to < 3)
			has[m->fds[i].to] = true;
	}
	for (int fd = 0; fd < 3; fd++)
		if (!has[fd]) {
			fds[n].from = null;
			fds[n++].to = fd;
		}
	return n;
}

static int start_one(struct start *st, pid_t *pid, struct err *e)
{
	struct proc_fd fds[SETUP_FDS_MAX + 3];
	struct proc_spec spec = {
		.path = st->m->argv[0],
		.argv = st->m->argv,
		.envp = st->m->env,
		.fds = fds,
		.n_fds = make_fds(st->m, st->null, fds),
		.clone_flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC,
		.child = child_side,
		.arg = st,
	};
	struct child c = CHILD_NONE;

	if (is_nested(st->m)) {
		/* A network of its own: abstract sockets are in there. */
		spec.clone_flags |=
			CLONE_NEWUSER | CLONE_NEWUTS | CLONE_NEWCGROUP;
		if (st->m->view != SETUP_VIEW_UPLINK)
			spec.clone_flags |= CLONE_NEWNET;
		spec.parent = parent_side;
	}
	if (proc_spawn(&spec, &c, e) < 0)
		return err_wrap(e, "cannot start %s", st->m->name);
	*pid = c.pid;
	own_close(&c.pidfd); /* PID 1 reaps by pid; nobody else can */
	if (st->m->view == SETUP_VIEW_PLAIN)
		return root_drop(st->index, "tree", e);
	return 0;
}

/* One copy of the tree for each file server; none stays with the others. */
static int copy_trees(const struct setup *s, int *trees, struct err *e)
{
	for (size_t i = 0; i < s->n_members; i++) {
		if (s->members[i].view != SETUP_VIEW_TREE)
			continue;
		trees[i] = mounts_copy_tree(e);
		if (trees[i] < 0)
			return -1;
	}
	return mounts_drop_tree(e);
}

static size_t count_nested(const struct setup *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_members; i++)
		n += is_nested(&s->members[i]);
	return n;
}

/*
 * The limit counts what is there, so with an uplink it is the namespaces of
 * all members and the one that it makes.
 */
static size_t most_nested(const struct setup *s)
{
	size_t uplinks = 0;

	for (size_t i = 0; i < s->n_members; i++)
		uplinks += s->members[i].calls == SETUP_CALLS_UPLINK;
	return uplinks ? count_nested(s) + uplinks : 0;
}

/* All members whose being nested is `nested`, in order. */
static int
start_some(const struct setup *s, struct start *st, bool nested, pid_t *pids,
	   int (*started)(const struct setup *s, size_t index, struct err *e),
	   struct err *e)
{
	for (size_t i = 0; i < s->n_members; i++) {
		if (is_nested(&s->members[i]) != nested)
			continue;
		st->m = &s->members[i];
		st->index = i;
		if (start_one(st, &pids[i], e) < 0 || started(s, i, e) < 0)
			return -1;
	}
	return 0;
}

int members_start(const struct setup *s, int limit, int null, pid_t *pids,
		  int (*started)(const struct setup *s, size_t index,
				 struct err *e),
		  struct err *e)
{
	struct start st = {.s = s, .null = null, .limit = limit};
	int r;

	st.nested_left = count_nested(s);
	st.nested_most = most_nested(s);
	for (size_t i = 0; i < SETUP_MEMBERS_MAX; i++)
		st.trees[i] = -1;
	r = copy_trees(s, st.trees, e);
	if (r == 0 && !st.nested_left)
		r = forbid_userns(&st, e);
	if (r == 0)
		r = start_some(s, &st, true, pids, started, e);
	if (r == 0)
		r = start_some(s, &st, false, pids, started, e);
	for (size_t i = 0; i < s->n_members; i++)
		own_close(&st.trees[i]);
	return r;
}
