/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The plan: everything that a run will do, decided before anything is done.
 *
 * plan_make() reads (opens sources, asks nix-store for closures) and changes
 * nothing.  What follows acts on the plan and asks no questions.
 */
#ifndef HOST_PLAN_H
#define HOST_PLAN_H

#include "host/option/options.h"
#include "host/probe/pci.h"
#include "wire/control.h"
#include "wire/wayland.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

/* What the machine and the person are like; filled by probe.c. */
struct facts {
	uid_t uid;
	gid_t gid;
	char *user, *group, *home, *shell;
	char *login_home; /* of the account; NULL: home is */
	mode_t umask;
	char *cwd;	/* canonical, or NULL */
	char *term;	/* $TERM or NULL */
	char **environ; /* borrowed */
	bool in_tty, out_tty;
	bool in_front; /* no background job of in_tty's shell */
	struct winsize_msg win;
	char *config_home; /* $XDG_CONFIG_HOME/vmrun */
	char *data_home;   /* $XDG_DATA_HOME/vmrun */
	char *state_home;  /* $XDG_STATE_HOME/vmrun */
	char *runtime;	   /* $XDG_RUNTIME_DIR/vmrun*, or a private fallback */
	char *libexec;	   /* where our own programs are */
	uint32_t sub_first, sub_count, subgid_first, subgid_count;
	unsigned cpus; /* online */
};

struct grant_inode; /* see grant/grant.h */
struct grant_tree;

enum share_use {
	SHARE_PERSON, /* --ro, --rw of something the person owns: a grant is
			 made */
	SHARE_OPEN,  /* readable by everybody (or by U through others' bits): no
			grant */
	SHARE_PLAIN, /* no ACLs there, or none to rely on: served with the
			person's rights by the second file server */
};

/* Why a share is plain; for messages. */
struct plan_plain {
	const char *fs; /* what kind of file system; static */
	bool network;	/* others decide there, too */
	bool read_only; /* it has ACLs, but is mounted read-only */
};

struct plan_share {
	char *src;  /* canonical host path */
	char *dst;  /* absolute guest path */
	char *name; /* name below the shared tree: "0", "1", … */
	uint64_t dev, ino;
	enum share_use use;
	struct plan_plain plain; /* SHARE_PLAIN */
	bool rw, file, exec;
	bool system; /* of the userland (/usr, /etc/…), not asked for by name */
	/* --home: of the alias's own; fd is -1, and dev and ino are 0, while it
	 * has not been made (host/home.h) */
	bool home;
	int fd;	      /* O_PATH, owned; what grants are made on */
	uint64_t mnt; /* the number of the mount that it is on; 0: not known */
	/* Mounts inside it that the VM does not see, and one of them (owned) */
	size_t n_hidden;
	char *hidden;
};

struct plan_disk {
	char *dst;
	uint64_t size; /* bytes */
};

/* A place in the alias's home that something else is mounted at. */
struct plan_place {
	char *path; /* below the home; owned */
	bool file;
};

/* --socket; its number in the list is its name for the guest. */
struct plan_socket {
	enum opt_socket_kind kind;
	char *src;   /* canonical host path */
	char *dst;   /* absolute guest path */
	uid_t owner; /* of the socket: must still be when it is connected to */
};

/* What the other end of a network card is. */
enum plan_link {
	LINK_MESSAGES, /* a socket, one frame in each message */
	LINK_STREAM,   /* a socket, each frame behind its length */
	LINK_TAP,
	LINK_PCI, /* a device of this machine's; no descriptor */
};

struct plan_nic {
	enum plan_link link;
	int fd; /* borrowed; -1: none, or none yet */
	struct nic nic;
};

/* The device of LINK_PCI. */
struct plan_pci {
	struct pci_device device; /* its address is "": there is none */
	char *node;		  /* of its group; owned */
	uint64_t dev, ino;	  /* of the node */
	uint64_t memlock;	  /* bytes that QEMU locks for it */
};

struct netjoin; /* see net/netjoin.h */

struct plan {
	const struct options *opt; /* borrowed */
	const struct facts *facts; /* borrowed */
	struct plan_share *shares;
	size_t n_shares;
	struct grant_inode *keys; /* --include-keys; owned */
	size_t n_keys;
	struct plan_disk
		*disks; /* --tmp, in the order of the virtio-blk devices */
	size_t n_disks;
	struct plan_socket *sockets; /* --socket, in order */
	size_t n_sockets;
	struct plan_nic nics[NICS_MAX];
	size_t n_nics;
	struct plan_pci pci;
	char *firewall; /* nft's input; NULL: there is an application */
	/* --net: the last card is of this network, with what it would have if
	 * it were the only one there; else NULL. */
	char *net, *net_file, *net_way;
	const char *net_bridge; /* static: on which sides */
	struct netjoin *join;	/* its port, once it has one; borrowed */
	/* --socket wayland, else -1: which of them is the compositor's */
	int windows;
	struct wayland_policy policy;
	bool x11;      /* an X server in the guest, for windows */
	char **before; /* commands beside the application: wire/control.h */
	bool terminal;
	uint64_t mem;	  /* bytes */
	uint64_t boot_ms; /* that the guest may take to say something */
	unsigned cpus;
	char *home, *cwd, *shell; /* in the guest */
	bool cwd_forgotten;	  /* what is written to it is not kept */
	char *hostname;
	char **env;		     /* but for XDG_RUNTIME_DIR */
	struct launch_mount *mounts; /* the guest's mount list, in order */
	size_t n_mounts;
	struct plan_place *places; /* that the alias's home needs, in order */
	size_t n_places;
	/* The image: paths of host files, canonical. */
	char *kernel, *initramfs;
	enum opt_accel accel; /* ACCEL_KVM or ACCEL_TCG, decided */
};

/* 0, or -1 and e.  Never partial: *p is freed on failure. */
int plan_make(struct plan *p, const struct options *o, const struct facts *f,
	      struct err *e);
void plan_free(struct plan *p);

/*
 * Does the VM see what is mounted inside of it?  Of the userland it does; of
 * what the person named, only what he named too.
 */
bool plan_shows_inner(const struct plan_share *s);

bool plan_has_pci(const struct plan *p);

/* Is there a SHARE_PLAIN? */
bool plan_has_plain(const struct plan *p);

/* How a share of the person's is to be granted; borrows from the plan. */
void plan_tree(const struct plan *p, const struct plan_share *s,
	       struct grant_tree *t);

/*
 * The guest's record for session 0, borrowing the plan's strings: nothing of it
 * is to be freed but by plan_launch_done().  Adds XDG_RUNTIME_DIR, which has
 * the uid in its name.  app's stream ids are left 0.  Aborts without memory.
 */
void plan_launch(const struct plan *p, uid_t uid, gid_t gid, struct launch *l);
void plan_launch_done(struct launch *l);

/*
 * Opens a canonical path without following any link, and stats it.  The
 * descriptor (O_PATH), or -1 with errno.
 */
int plan_open(const char *path, struct stat *st);

int facts_probe(struct facts *f, struct err *e);
void facts_free(struct facts *f);

#endif
