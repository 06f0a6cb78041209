/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Id maps.  Runs with the person's own authority. */
#include "host/vm/idmap.h"

#include "base/err.h"
#include "proc/spawn.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* Debian's place, then those of NixOS and of a local installation. */
static const char *const uid_places[] = {"/usr/bin/newuidmap",
					 "/run/wrappers/bin/newuidmap",
					 "/usr/local/bin/newuidmap", NULL};
static const char *const gid_places[] = {"/usr/bin/newgidmap",
					 "/run/wrappers/bin/newgidmap",
					 "/usr/local/bin/newgidmap", NULL};

/* Starts `newXidmap PID own own 1 first first count`, empty environment. */
static int start_helper(const char *const *places, pid_t pid, unsigned own,
			unsigned first, unsigned count, struct child *c,
			struct err *e)
{
	const char *path = proc_find(places);
	char num[4][16];
	char *argv[9];
	char *env[] = {NULL};
	const struct proc_fd fds[] = {{STDERR_FILENO, STDERR_FILENO}};
	struct proc_spec s = {.path = path,
			      .argv = argv,
			      .envp = env,
			      .fds = fds,
			      .n_fds = 1,
			      .keep_mask = true};

	if (!path) {
		err_set(e, ENOENT, "%s", places[0]);
		return err_hint(e, "install it: sudo apt install uidmap");
	}
	snprintf(num[0], sizeof(num[0]), "%d", (int)pid);
	snprintf(num[1], sizeof(num[1]), "%u", own);
	snprintf(num[2], sizeof(num[2]), "%u", first);
	snprintf(num[3], sizeof(num[3]), "%u", count);
	argv[0] = (char *)(uintptr_t)path;
	argv[1] = num[0];
	argv[2] = argv[3] = num[1];
	argv[4] = (char *)(uintptr_t) "1";
	argv[5] = argv[6] = num[2];
	argv[7] = num[3];
	argv[8] = NULL;
	return proc_spawn(&s, c, e);
}

static int check_helper(struct child *c, const char *name, const char *file,
			struct err *e)
{
	const struct passwd *p;
	int st = child_wait(c);

	if (st == 0)
		return 0;
	err_set(e, 0, "%s refused to map the subordinate ids", name);
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		return err_hint(e, "this session was started with "
				   "no_new_privs, under which it cannot "
				   "(NoNewPrivileges= of a unit, setpriv, a "
				   "sandbox or container)");
	p = getpwuid(getuid());
	if (p && p->pw_gid != getgid())
		return err_hint(e, "it wants your group to be the one of "
				   "/etc/passwd: run `newgrp` without a name, "
				   "or log in again");
	return err_hint(e,
			"its message is above; %s must list them, and %s "
			"must be setuid root: run `vmrunctl doctor`",
			file, name);
}

int idmap_write(void *arg, pid_t pid, struct err *e)
{
	const struct idmap *m = arg;
	struct child u = CHILD_NONE;
	struct child g = CHILD_NONE;
	int r;

	/* Side by side: each takes a few milliseconds. */
	if (start_helper(uid_places, pid, m->uid, m->sub_first, m->sub_count,
			 &u, e) < 0)
		return -1;
	if (start_helper(gid_places, pid, m->gid, m->subgid_first,
			 m->subgid_count, &g, e) < 0) {
		child_kill(&u);
		return -1;
	}
	r = check_helper(&u, "newuidmap", "/etc/subuid", e);
	if (r < 0)
		child_kill(&g);
	else
		r = check_helper(&g, "newgidmap", "/etc/subgid", e);
	return r;
}
