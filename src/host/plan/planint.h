/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The steps of plan_make(), in their order.  For plan*.c and its tests only. */
#ifndef HOST_PLANINT_H
#define HOST_PLANINT_H

#include "host/plan/plan.h"

#include <stdbool.h>
#include <sys/stat.h>

/*
 * Is this source one that nobody should hand to a guest?  Asks for the path,
 * which is canonical, and for dev and ino, so that a bind mount of a refused
 * place is refused as well.  0: it may be shared; -1 with the reason.
 */
int places_check(const struct facts *f, const char *path, const struct stat *st,
		 bool rw, struct err *e);

/*
 * The canonical form of an absolute path, by links that only root or the
 * person can have made; allocated.  NULL and e, for the caller to wrap: a link
 * elsewhere may be what an earlier guest wants to be shared next.
 */
char *places_resolve(const struct facts *f, const char *path, struct err *e);

/* The person's --rw, --ro and --tmp, and the closures of store paths. */
int plan_shares(struct plan *p, char ***store_bins, struct err *e);
/* --home.  After plan_shares(). */
int plan_home(struct plan *p, struct err *e);
/*
 * Something is to be mounted at `path` below the alias's home `home`: 0, and
 * where there is nothing yet, it is in the list of what is to be made.
 */
int plan_home_place(struct plan *p, const struct plan_share *home,
		    const char *path, bool file, struct err *e);
/*
 * The directory of an alias's home, canonical as far as it is there; with NULL
 * the one that all of them are in.  Allocated; NULL and e.
 */
char *plan_home_path(const struct facts *f, const char *alias, struct err *e);
/* Is this one of them, as rows of the database have it? */
bool plan_is_home(const struct facts *f, const char *path);
/* Nothing of the guest's own is at this place, nor anything else yet. */
int plan_check_dst(const struct plan *p, const char *dst, struct err *e);

/*
 * The place in the guest where nothing else was said: the canonical source.
 * Below the home directory it is as the person calls that, also where it is
 * reached through a link.  The caller's, or NULL and e.
 */
char *plan_default_dst(const struct facts *f, const char *src, struct err *e);

/* The person's --include-keys. */
int plan_keys(struct plan *p, struct err *e);
/* This machine's userland, or --root's.  After plan_shares(). */
int plan_system(struct plan *p, struct err *e);
/* Looks which mounts inside of shares the VM will not see. */
int plan_hidden(struct plan *p, struct err *e);
/* The same for a text like that of /proc/self/mountinfo, which it changes. */
int plan_hidden_by(struct plan *p, char *text, struct err *e);
int plan_nics(struct plan *p, struct err *e);
/* What a PCI device wants locked; knows p->mem. */
int plan_memlock(struct plan *p, struct err *e);
/* --firewall: its rules, and nothing of an application. */
int plan_firewall(struct plan *p, struct err *e);
/* --net; after plan_nics(). */
int plan_net(struct plan *p, struct err *e);
/* Orders the mounts and refuses those that cannot be made. */
int plan_mounts(struct plan *p, struct err *e);
/* In the guest: where the transport connects to, and what it serves. */
#define PLAN_TRANSPORT "/run/vmrun/waypipe"
#define PLAN_DISPLAY "wayland-0"
#define PLAN_X11 ":0"
/* What waypipe is preloaded with, if plan_system() could share it. */
#define PLAN_PRELOAD "/etc/vmrun/waypipe.so"

/* Is there a --socket wayland or x11? */
bool plan_wants_windows(const struct options *o);
/*
 * What is behind a socket that is not forwarded, for a message; NULL if it may
 * be.  Asks for its canonical path and what was found there: it is the
 * session's own as well if a variable of the environment leads to the same
 * file.
 */
const char *plan_danger(const struct facts *f, const char *path,
			const struct stat *st);
/* The person's --socket.  After plan_mounts(). */
int plan_sockets(struct plan *p, struct err *e);
/* The variables that say where they are. */
int plan_sockets_env(struct plan *p, struct err *e);
int plan_env(struct plan *p, char *const *store_bins, struct err *e);
int plan_cwd(struct plan *p, struct err *e);
/* The commands beside the application.  After plan_env(). */
int plan_helpers(struct plan *p, struct err *e);

/* The source as an absolute path without trailing slashes, not canonical. */
char *plan_absolute(const struct facts *f, const char *src, struct err *e);

/*
 * A share at the end of the list, with the next free name.  src and dst are
 * copied, fd is taken (also on failure).  Returns it, or NULL and e.
 */
struct plan_share *plan_add_share(struct plan *p, const char *src,
				  const char *dst, int fd,
				  const struct stat *st, struct err *e);
/* Which of the guest's two shared trees it is in. */
enum launch_tree plan_tree_of(const struct plan_share *s);
/*
 * A mount at the end of the list: share, dst and target are copied, NULL ones
 * become "".
 */
int plan_add_mount(struct plan *p, const struct launch_mount *m, struct err *e);
/* A link of the guest's at `dst`; both are copied. */
int plan_add_link(struct plan *p, const char *dst, const char *target,
		  struct err *e);
/* The mount at exactly this place, or NULL. */
const struct launch_mount *plan_mount_at(const struct plan *p, const char *dst);

/* A source that was opened, for plan_is_plain(). */
struct plan_source {
	int fd; /* O_PATH; borrowed */
	const struct stat *st;
	bool rw;
	const char *shown;
};

/*
 * Is this on a file system where no ACL entry can be made, or none should?
 * 1 and *out; 0: it has ACLs; -1: it cannot be shared in either way.
 */
int plan_is_plain(const struct facts *f, const struct plan_source *s,
		  struct plan_plain *out, struct err *e);

/* Can everybody use it: o+rx of a directory, o+r of a file? */
bool plan_open_to_all(const struct stat *st);

#endif
