/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vmrun-stage: record, descriptors, namespaces.  The person's own authority. */
#include "host/vm/stagespawn.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/own.h"
#include "host/vm/idmap.h"
#include "seal/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define FDS_MAX 62 /* a table of proc_spawn() has 64 */

int stage_program(const char *name, char **path, struct err *e)
{
	const char *dir = getenv("VMRUN_LIBEXECDIR");

	if (!dir || dir[0] != '/')
		dir = VMRUN_LIBEXECDIR;
	if (asprintf(path, "%s/%s", dir, name) < 0) {
		*path = NULL;
		return err_set(e, ENOMEM, "%s", name);
	}
	if (access(*path, X_OK) < 0) {
		err_set(e, errno, "cannot find %s", *path);
		return err_hint(e, "run `make install`, or set "
				   "VMRUN_LIBEXECDIR to the build's folder");
	}
	return 0;
}

int stage_pair(int type, int *a, int *b, struct err *e)
{
	int two[2];

	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, two) < 0)
		return err_set(e, errno, "making a socket pair");
	*a = two[0];
	*b = two[1];
	return 0;
}

static int make_record(const struct setup *s, struct err *e)
{
	struct buf b;
	int fd;

	buf_init(&b, SETUP_MAX);
	setup_encode(&b, s);
	fd = b.bad ? err_set(e, E2BIG, "the plan is too large")
		   : io_memfd("setup", b.data, b.len, e);
	buf_free(&b);
	return fd;
}

/* Who am I now: the stage to be, in its own user namespace, as the person. */
static int stage_side(void *arg, struct err *e)
{
	(void)arg;
	return seal_keep_caps(setup_stage_caps, setup_n_stage_caps, e);
}

static uint64_t namespaces(enum stage_network network)
{
	uint64_t flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID |
			 CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP;

	switch (network) {
	case STAGE_NETWORK_EMPTY:
		return flags | CLONE_NEWNET;
	case STAGE_NETWORK_PERSON:
		break;
	}
	return flags;
}

int stage_spawn(const struct stage_spec *s, struct child *c, int *userns,
		struct err *e)
{
	const struct facts *f = s->facts;
	struct idmap map = {f->uid,	  f->gid,	   f->sub_first,
			    f->sub_count, f->subgid_first, f->subgid_count};
	char *argv[] = {(char *)(uintptr_t)s->path, NULL};
	char *env[] = {NULL};
	struct proc_fd fds[FDS_MAX + 2] = {{STDERR_FILENO, STDERR_FILENO}};
	struct proc_spec spec = {
		.path = s->path,
		.argv = argv,
		.envp = env,
		.fds = fds,
		.n_fds = 1,
		.clone_flags = namespaces(s->network),
		.parent = idmap_write,
		.child = stage_side,
		.arg = &map,
	};
	own_fd record = make_record(s->setup, e);
	char ns[64];

	if (record < 0)
		return -1;
	if (s->n_fds > FDS_MAX)
		return err_set(e, EMFILE, "the sandbox's descriptors");
	fds[spec.n_fds].from = record;
	fds[spec.n_fds++].to = SETUP_FD_RECORD;
	for (size_t i = 0; i < s->n_fds; i++) {
		if (s->fds[i] < 0)
			continue;
		fds[spec.n_fds].from = s->fds[i];
		fds[spec.n_fds++].to = (int)i;
	}
	if (proc_spawn(&spec, c, e) < 0)
		return -1;
	snprintf(ns, sizeof(ns), "/proc/%d/ns/user", (int)c->pid);
	*userns = open(ns, O_RDONLY | O_CLOEXEC);
	if (*userns < 0) {
		err_set(e, errno, "%s", ns);
		child_kill(c);
		return -1;
	}
	return 0;
}
