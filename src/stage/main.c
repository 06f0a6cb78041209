/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * vmrun-stage: builds a VM's sandbox, then is its PID 1.
 *
 * vmrun starts it in new user, mount, pid, ipc, uts, net and cgroup
 * namespaces as the person's own uid with the capabilities of
 * setup_stage_caps.  It decides nothing: all is in the record of wire/setup.h.
 *
 *     0-2  whatever vmrun gave; unused
 *     3    control socket to vmrun
 *     4    the record, a sealed memory file
 *     5..  the members' descriptors
 */
#include "base/err.h"
#include "base/io.h"
#include "base/log.h"
#include "base/own.h"
#include "seal/seal.h"
#include "stage/member.h"
#include "stage/mounts.h"
#include "stage/pid1.h"
#include "stage/root.h"
#include "wire/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* Of 1000: half of the machine's memory more than it uses. */
#define OOM_SCORE 500

/* Cuts what a child has in common with the person's session. */
static int leave_session(struct err *e)
{
	sigset_t set;

	umask(022);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return err_set(e, errno, "tying the sandbox to vmrun");
	/* No controlling terminal: no ^C, and nobody to push input to. */
	if (setsid() < 0)
		return err_set(e, errno, "leaving the session");
	/* The session's keyring may hold keys of the person's, and whoever
	 * possesses it may read them, U or not.  No kernel support, or a
	 * container that forbids the call: then the members have none either.
	 */
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 &&
	    errno != ENOSYS && errno != EPERM)
		return err_set(e, errno, "leaving the session's keyring");
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return err_set(e, errno, "blocking a signal");
	return seal_inherited(e);
}

static int read_record(struct setup *s, struct err *e)
{
	const int seals =
		F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	int have = fcntl(SETUP_FD_RECORD, F_GET_SEALS);
	own_free char *bytes = NULL;
	struct stat st;
	size_t n;

	if (have < 0 || (have & seals) != seals ||
	    fstat(SETUP_FD_RECORD, &st) < 0 || st.st_size > (off_t)SETUP_MAX)
		return err_set(e, 0, "the setup record is no sealed file");
	n = (size_t)st.st_size;
	bytes = malloc(n + 1);
	if (!bytes)
		return err_set(e, ENOMEM, "the setup record");
	if (pread(SETUP_FD_RECORD, bytes, n, 0) != (ssize_t)n)
		return err_set(e, errno, "reading the setup record");
	return setup_decode(bytes, n, s, e);
}

static int build(const struct setup *s, struct base *b, struct err *e)
{
	if (mounts_begin(b, e) < 0 ||
	    mounts_tree(b, b->dir, s, SETUP_TREE_GRANTED, e) < 0)
		return -1;
	for (size_t i = 0; i < s->n_members; i++)
		if (root_build(b, s, i, e) < 0)
			return -1;
	/* Only now: the person's groups may be what opens a source. */
	if (setgroups(0, NULL) < 0)
		return err_set(e, errno, "leaving the person's groups");
	return mounts_end(b, e);
}

/*
 * Who is out of memory kills a VM before the rest of the person's session.
 * What is set higher stays, and where /proc is closed all is as for any other
 * program.
 */
static void die_first(void)
{
	own_fd fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
	char have[16] = "";

	if (fd >= 0 && read(fd, have, sizeof(have) - 1) > 0 &&
	    atoi(have) < OOM_SCORE)
		dprintf(fd, "%d\n", OOM_SCORE);
}

static int tell_started(const struct setup *s, size_t index, struct err *e)
{
	own_fd run = -1;

	if (s->members[index].scratch && (run = root_scratch(index, e)) < 0)
		return -1;
	if (s->members[index].memory && root_drop(index, "ram", e) < 0)
		return -1;
	return pid1_report_started(index, run, e);
}

/* From the record to running members.  *null is the caller's. */
static int stage(struct setup *s, pid_t *pids, int *null, struct err *e)
{
	struct base b = BASE_NONE;
	own_fd limit = -1;
	int r;

	if (leave_session(e) < 0 || read_record(s, e) < 0)
		return -1;
	*null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (*null < 0)
		return err_set(e, errno, "/dev/null");
	/* Read-only in some containers: a second wall is missing then. */
	limit = open("/proc/sys/user/max_user_namespaces",
		     O_WRONLY | O_CLOEXEC);
	r = build(s, &b, e);
	if (r == 0) {
		die_first();
		r = members_start(s, limit, *null, pids, tell_started, e);
	}
	mounts_close(&b);
	return r;
}

int main(void)
{
	static pid_t pids[SETUP_MEMBERS_MAX];
	struct err e = ERR_INIT;
	struct err unsaid = ERR_INIT;
	struct setup s;
	int children = -1;
	int null = -1;

	memset(&s, 0, sizeof(s));
	log_setup("vmrun-stage", LOG_LEVEL_WARN);
	if (getpid() != 1) {
		log_error("only vmrun starts this program");
		return 125;
	}
	if (stage(&s, pids, &null, &e) == 0)
		children = pid1_seal(null, &e);
	if (children < 0) {
		if (pid1_report_error(&e, &unsaid) < 0)
			log_err(LOG_LEVEL_ERR, &e);
		_exit(125);
	}
	if (pid1_report(STAGE_EV_READY, 0, 0, &e) == 0)
		pid1_run(pids, s.n_members, children);
	/* With PID 1 everything in the sandbox ends.  _exit: what exit() calls
	 * was given up. */
	_exit(0);
}
