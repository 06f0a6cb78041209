/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The sandbox of one VM: what is staged, who runs in it, and which descriptor
 * joins whom.  sandbox_setup() is pure and also serves --dry-run;
 * sandbox_start() does it.
 */
#ifndef HOST_SANDBOX_H
#define HOST_SANDBOX_H

#include "host/live/manage.h"
#include "host/plan/plan.h"
#include "host/probe/probe.h"
#include "proc/spawn.h"
#include "wire/setup.h"

struct err;

/* Members in the order of the setup record. */
enum sandbox_member {
	MEMBER_FS,    /* not of a firewall */
	MEMBER_PLAIN, /* only if plan_has_plain() */
	MEMBER_MUX,
	MEMBER_WAYLAND, /* with windows only, and so the next */
	MEMBER_WAYPIPE,
	MEMBER_VMM,
	MEMBERS,
};

struct tools {
	struct probe_tool qemu, virtiofsd;
	char *stage, *mux; /* paths of our own programs; owned */
	char *waypipe;	   /* owned; NULL: not installed */
};

/* Finds the programs; -1 with a remedy. */
int tools_find(struct tools *t, struct err *e);
void tools_free(struct tools *t);
/* Are those there that this plan needs?  0; -1 with a remedy. */
int tools_check(const struct tools *t, const struct plan *p, struct err *e);

/*
 * Fills the setup record for the plan, with everything that setup_free()
 * frees.  Pure but for stat() of the files that members see.
 */
int sandbox_setup(const struct plan *p, const struct tools *t, uid_t uid,
		  gid_t gid, struct setup *s, struct err *e);

struct sandbox {
	struct child stage; /* PID 1 of the sandbox */
	int ctl;	    /* SEQPACKET: struct stage_record */
	int edge;	    /* SEQPACKET: struct edge_record */
	int wayland;	    /* SEQPACKET: struct wayland_record, or -1 */
	int userns; /* the stage's user namespace, for giving files back */
	int console, log; /* ring files, read side */
};

/* clang-format off */
#define SANDBOX_NONE { CHILD_NONE, -1, -1, -1, -1, -1, -1 }
/* clang-format on */

/* 0, or -1 and e with nothing left running. */
int sandbox_start(struct sandbox *s, const struct plan *p,
		  const struct tools *t, uid_t uid, gid_t gid,
		  const struct run_dir *d, struct err *e);
/*
 * Kills everything in it and does not wait, so that something else can be done
 * while the kernel takes it apart; sandbox_kill() has to follow.
 */
void sandbox_doom(const struct sandbox *s);
/*
 * Ends everything in it.  When this returns no process of the VM is left: the
 * kernel reaps a whole pid namespace before its first process is gone
 * (pid_namespaces(7)).  Keeps userns open.
 */
void sandbox_kill(struct sandbox *s);
void sandbox_close(struct sandbox *s);

/* The member at this place of the setup record; MEMBERS: there is none. */
enum sandbox_member sandbox_member_at(const struct plan *p, uint32_t index);
const char *sandbox_member_name(enum sandbox_member member);

#endif
