/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the person asked for: the command line, the profile and vmrun.conf,
 * merged.  Pure data; nothing has been looked at on the disk.
 *
 * Precedence: command line, then the alias's file, then --profile (or the
 * profile named like the command), then vmrun.conf.  Of each file the first one
 * that exists is read: user before /etc before the installed ones.  Repeatable
 * options add up, vmrun.conf's first, the command line's last; single ones: the
 * command line wins.
 */
#ifndef HOST_OPTIONS_H
#define HOST_OPTIONS_H

#include "host/net/publish.h"
#include "host/probe/pci.h"
#include "wire/nic.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

enum opt_share_kind { OPT_RW, OPT_RO, OPT_TMP };

struct opt_share {
	enum opt_share_kind kind;
	bool try;      /* --rw-try, --ro-try: leave out if missing */
	char *src;     /* as written, escapes and ~/ resolved; "" for OPT_TMP */
	char *dst;     /* "" means: the same as the canonical src */
	uint64_t size; /* OPT_TMP: bytes, 0 is the default */
};

/* OPT_SOCKET_PATH: src is a path; the others: where the environment says. */
enum opt_socket_kind {
	OPT_SOCKET_PATH,
	OPT_SOCKET_SSH_AGENT,
	OPT_SOCKET_WAYLAND, /* the compositor, through vmrun-wayland */
	OPT_SOCKET_X11,	    /* the same, behind an X server in the guest */
};

struct opt_socket {
	enum opt_socket_kind kind;
	char *src; /* as written, escapes and ~/ resolved */
	char *dst; /* in the guest; "": the usual place */
};

struct opt_nic {
	int fd; /* open; borrowed from whoever started us; -1: a PCI device */
	char pci[PCI_ADDRESS]; /* its address; "": none */
	struct nic nic;
};

enum opt_accel { ACCEL_AUTO, ACCEL_KVM, ACCEL_TCG };
enum opt_tty { TTY_AUTO, TTY_YES, TTY_NO };
enum opt_format { FORMAT_TEXT, FORMAT_JSON };

struct options {
	struct opt_share *shares; /* in order */
	size_t n_shares;
	struct opt_socket *sockets; /* in order */
	size_t n_sockets;
	char *clipboard; /* off, in, out, both; NULL: off */
	char **wayland_allow, **wayland_deny; /* interfaces */
	char **env;	 /* NAME=value, or NAME to inherit */
	char **path_add; /* VAR=DIR */
	char **devices;
	char **include_keys;
	char **qemu_args;
	char **append;		       /* kernel parameters */
	struct opt_nic nics[NICS_MAX]; /* in order */
	size_t n_nics;
	char *net; /* a ruleset's name, or none; NULL: not given */
	struct publish publish[PUBLISH_MAX]; /* each once */
	size_t n_publish;
	char *root, *image, *cwd, *kernel; /* NULL: not given */
	unsigned cpus;			   /* 0: default (1) */
	uint64_t mem;			   /* bytes, 0: default */
	enum opt_accel accel;
	enum opt_tty tty;
	enum opt_format format;
	uint64_t timeout_ms; /* 0: none */
	bool dbus;	     /* a message bus in the guest */
	bool restricted;     /* fewer system calls there */
	bool verify;	     /* what an alias has is looked through first */
	bool home;	     /* the alias has a home of its own */
	bool partial;	     /* start without what cannot be shared */
	bool dry_run, quiet, no_profile, show_help, show_version;
	unsigned verbose;	 /* number of -v */
	int status_fd, ready_fd; /* --json-status-fd, --ready-fd; -1: none */
	unsigned notify_fd;	 /* --notify-fd N: the guest's side; 0: none */
	int firewall_fd;	 /* --firewall: nft's input; 0: none */
	char *alias;		 /* NULL: a UID for this run only */
	char *profile;		 /* name asked for, or NULL */
	/* paths of the files that were read, or NULL */
	char *profile_used, *alias_used;
	char **argv; /* the command; owned; empty with --help and --version */
};

/*
 * Parses argv (main()'s).  config_dirs is a NULL-terminated list of the folders
 * that may hold vmrun.conf, profiles/ and aliases/ (…/vmrun each), the user's
 * first.  home is for `~/`.  Descriptors named by options are checked to be
 * open, and
 * --args' are read.  0, or -1 and e: then the exit status is 125, and of *o
 * only status_fd is left, where it was read before what is wrong.  With --help
 * or --version nothing after that option is looked at, and no file is read.
 */
int options_parse(struct options *o, int argc, char *const *argv,
		  const char *home, const char *const *config_dirs,
		  struct err *e);
void options_free(struct options *o);
/* Prints --help from the option table. */
void options_help(void);

#endif
