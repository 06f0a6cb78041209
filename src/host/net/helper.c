/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs of the programs of a network.  The person's own authority. */
#include "host/net/helper.h"

#include "base/err.h"
#include "base/io.h"
#include "base/log.h"
#include "base/own.h"
#include "host/probe/probe.h"
#include "host/reclaim.h"
#include "host/vm/member.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

static struct reclaim reclaim_of(const struct helper_home *home, int userns)
{
	return (struct reclaim){.state = home->state,
				.state_dir = home->state_dir,
				.facts = home->facts,
				.userns = userns};
}

static int claim(struct helper *h, const struct helper_home *home,
		 const struct helper_spec *spec, struct err *e)
{
	const struct reclaim rc = reclaim_of(home, -1);
	const struct state_alias_claim c = {
		.range = home->range,
		.alias = spec->alias,
		.command = spec->command,
		.kind = RUN_VM,
		.may_make = true,
		.is_used = probe_uid_used,
	};
	struct err old = ERR_INIT;
	int r = state_claim_alias(home->state, &c, &h->id, e);

	/* An earlier one whose service was killed.  Only then: what other dead
	 * runs had may take long to give back, and a network waits here. */
	if (r < 0 && e->code == EAGAIN) {
		if (reclaim_dead_runs(&rc, &old) < 0)
			log_err(LOG_LEVEL_WARN, &old);
		*e = (struct err)ERR_INIT;
		r = state_claim_alias(home->state, &c, &h->id, e);
	}
	if (r < 0)
		/* We have the lock of the network in this runtime directory. */
		return e->code == EALREADY
			       ? err_hint(e,
					  "a session with another "
					  "XDG_RUNTIME_DIR has this network: "
					  "set the same one, or end it there "
					  "(`vmrunctl net stop`)")
			       : -1;
	h->claimed = true;
	if (h->id.status == IDENTITY_ACTIVE)
		return 0;
	return state_set_status(home->state, h->id.run, IDENTITY_ACTIVE, e);
}

int helper_pipe(int *ours, int *theirs, struct err *e)
{
	int two[2];

	if (pipe2(two, O_CLOEXEC) < 0)
		return err_set(e, errno, "making a pipe");
	*ours = two[0];
	*theirs = two[1];
	return io_nonblock(*ours, 1) < 0 ? err_set(e, errno, "making a pipe")
					 : 0;
}

static int make_wires(struct helper *h, const struct helper_spec *spec,
		      int fds[HELPER_FDS], struct err *e)
{
	if (stage_pair(SOCK_SEQPACKET, &h->ctl, &fds[SETUP_FD_CTL], e) < 0)
		return -1;
	if (helper_pipe(&h->said, &fds[HELPER_FD_ERR], e) < 0)
		return -1;
	for (size_t i = 0; i < spec->n_fds; i++) {
		fds[HELPER_FD_FIRST + i] =
			fcntl(spec->fds[i], F_DUPFD_CLOEXEC, 3);
		if (fds[HELPER_FD_FIRST + i] < 0)
			return err_set(e, errno, "descriptor %d", spec->fds[i]);
	}
	return 0;
}

static int spawn(struct helper *h, const struct helper_home *home,
		 const struct helper_spec *spec, struct err *e)
{
	int fds[HELPER_FDS];
	const struct setup setup = {
		.uid = h->id.uid,
		.gid = h->id.gid,
		.host_uid = home->facts->uid,
		.host_gid = home->facts->gid,
		.members = spec->member,
		.n_members = 1,
	};
	const struct stage_spec stage = {
		.facts = home->facts,
		.path = home->stage,
		.setup = &setup,
		.network = spec->network,
		.fds = fds,
		.n_fds = HELPER_FDS,
	};
	int r;

	for (int i = 0; i < HELPER_FDS; i++)
		fds[i] = -1;
	member_fd(spec->member, HELPER_FD_ERR, STDERR_FILENO);
	r = make_wires(h, spec, fds, e);
	if (r == 0)
		r = stage_spawn(&stage, &h->stage, &h->userns, e);
	for (int i = 0; i < HELPER_FDS; i++)
		own_close(&fds[i]);
	return r;
}

int helper_start(struct helper *h, const struct helper_home *home,
		 const struct helper_spec *spec, struct err *e)
{
	struct setup taken = {.members = spec->member, .n_members = 1};
	int r;

	*h = (struct helper)HELPER_NONE;
	r = claim(h, home, spec, e);
	if (r == 0)
		r = spawn(h, home, spec, e);
	if (r < 0) {
		err_wrap(e, "cannot start %s", spec->member->name);
		helper_stop(h, home);
	}
	setup_free(&taken);
	return r;
}

int helper_on_ctl(struct helper *h, const char *name, struct err *e)
{
	struct stage_record r;
	ssize_t got = io_recv(h->ctl, &r, sizeof(r), NULL, NULL);

	if (got != (ssize_t)sizeof(r) || r.version != SETUP_VERSION)
		return err_set(e, 0, "the sandbox of %s is gone", name);
	r.text[sizeof(r.text) - 1] = '\0';
	r.hint[sizeof(r.hint) - 1] = '\0';
	switch (r.kind) {
	case STAGE_EV_GONE:
		if (WIFSIGNALED(r.status))
			return err_set(e, 0, "%s was killed by signal %d", name,
				       WTERMSIG(r.status));
		return err_set(e, 0, "%s ended with status %d", name,
			       WEXITSTATUS(r.status));
	case STAGE_EV_ERROR:
		err_set(e, 0, "cannot start %s: %s", name, r.text);
		e->code = r.code;
		return err_hint(e, "%s", r.hint);
	default:
		return 0;
	}
}

void helper_stop(struct helper *h, const struct helper_home *home)
{
	const struct reclaim rc = reclaim_of(home, h->userns);
	struct err e = ERR_INIT;

	child_kill(&h->stage);
	if (h->claimed && reclaim_run(&rc, &h->id, 0, &e) < 0)
		log_err(LOG_LEVEL_WARN, &e);
	h->claimed = false;
	own_close(&h->id.lock_fd);
	own_close(&h->ctl);
	own_close(&h->said);
	own_close(&h->userns);
}
