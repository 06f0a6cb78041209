/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What host and guest say on the control stream, and the launch record.
 *
 * Theory of operation
 *
 * The guest boots with nothing about its VM on the kernel command line and
 * says HELLO.  The host answers LAUNCH, once; from then on there is at least
 * one session (number 0, the application).  `vmrunctl exec` adds sessions.
 *
 *     guest                                   host
 *     HELLO version                      ->
 *                                        <-   LAUNCH record
 *     STARTED session | EXIT session     ->
 *     READY session                      ->
 *                                        <-   EXEC record | SIGNAL | WINSIZE |
 * CLOCK EXIT session kind value            ->   (session 0: all files are
 * synced)
 *                                        <-   STOP
 *
 * A message is: u32 type, u32 length, length bytes.  The guest's are at most
 * CTL_GUEST_MAX bytes (they are hostile), the host's at most CTL_HOST_MAX.
 * Unknown types, wrong lengths and trailing bytes are violations.
 */
#ifndef WIRE_CONTROL_H
#define WIRE_CONTROL_H

#include "base/buf.h"
#include "wire/nic.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CTL_VERSION 6u
#define CTL_GUEST_MAX 1024u
#define CTL_HOST_MAX (4u * 1024 * 1024)
#define CTL_TEXT_MAX 512u /* bytes of LOG and EXIT text */
#define CTL_SESSIONS 32u

#define LAUNCH_MOUNTS_MAX 4096u
#define LAUNCH_STRINGS_MAX 65536u
#define LAUNCH_STRING_MAX (128u * 1024) /* the kernel's MAX_ARG_STRLEN */
#define LAUNCH_PATH_MAX 4095u
#define LAUNCH_NAME_MAX 255u
#define LAUNCH_FIREWALL_MAX (64u * 1024) /* bytes of nft's input */
#define LAUNCH_SOCKETS_MAX 32u
#define LAUNCH_SOCKET_MAX 107u /* bytes: what sun_path holds, and a NUL */

struct err;

enum ctl_type {
	/* guest to host */
	CTL_HELLO = 1,	 /* u32 version */
	CTL_STARTED = 2, /* u32 session */
	CTL_READY = 3,	 /* u32 session */
	CTL_EXIT = 4, /* u32 session, u32 enum ctl_exit, u32 value, str text */
	CTL_LOG = 5,  /* u32 level (enum log_level), str text */
	/* host to guest */
	CTL_LAUNCH = 32,  /* struct launch */
	CTL_EXEC = 33,	  /* struct session_spec */
	CTL_SIGNAL = 34,  /* u32 session, u32 Linux signal number */
	CTL_WINSIZE = 35, /* u32 session, u16 rows, cols, xpixels, ypixels */
	CTL_CLOCK = 36,	  /* u64 nanoseconds since the epoch */
	CTL_STOP = 37,	  /* end everything, sync, power off */
};

enum ctl_exit {
	CTL_EXIT_CODE = 0,	/* value: exit status 0..255 */
	CTL_EXIT_SIGNAL = 1,	/* value: signal number */
	CTL_EXIT_NOT_FOUND = 2, /* 127; text says what */
	CTL_EXIT_NOT_EXEC = 3,	/* 126; value: errno; text says what */
	CTL_EXIT_SETUP = 4, /* the guest could not be set up; value: errno */
};

struct winsize_msg {
	uint16_t rows, cols, xpixels, ypixels;
};

/* A command of the guest with its streams. */
struct session_spec {
	uint32_t session;      /* 0: the application */
	uint32_t in, out, err; /* stream ids, opened by the host before this
				* message; 0: /dev/null.  With a terminal `out`
				* carries it both ways, in and err are 0. */
	bool terminal;
	struct winsize_msg win; /* with terminal */
	uint32_t ready_fd; /* a newline on this descriptor of the command means
			    * ready; 0: none (NOTIFY_SOCKET is always there) */
	char *cwd;   /* absolute; created by nobody: an error if missing */
	char **argv; /* at least one */
	char **env;  /* NAME=value, the whole environment */
};

enum launch_mount_kind {
	LAUNCH_SHARE, /* share: name below the shared tree's root */
	LAUNCH_TMPFS, /* size in bytes, 0: the guest's default */
	LAUNCH_DISK, /* disk: index of the virtio-blk device; ext4, owned by the
			VM */
	LAUNCH_SYMLINK, /* dst becomes a link to `target` */
};

/* The file servers, each a virtio-fs device with a tag of its own. */
enum launch_tree {
	LAUNCH_TREE_GRANTED, /* tag "vmrun": shown to the VM by mode and ACL */
	LAUNCH_TREE_PLAIN,   /* tag "vmrun-plain": what has no ACLs */
};

struct launch_mount {
	enum launch_mount_kind kind;
	enum launch_tree tree; /* LAUNCH_SHARE: whose shared tree */
	bool readonly;	       /* re-mounted read-only in the guest too */
	bool file;	       /* the share is a single file */
	uint32_t disk;
	uint32_t mode; /* LAUNCH_TMPFS and LAUNCH_DISK: permission bits */
	bool owned;    /* LAUNCH_TMPFS: owner is the VM's user, else root */
	uint64_t size;
	char *share;  /* "" unless LAUNCH_SHARE; relative to the shared tree's
		       * root, may have several components, none of them ".." */
	char *dst;    /* absolute path in the guest */
	char *target; /* "" unless LAUNCH_SYMLINK */
};

/*
 * Everything that the guest learns.  Mounts are applied in order onto an empty
 * tmpfs root; missing parents of a dst are made, root-owned 0755.
 */
struct launch {
	uint32_t uid, gid;  /* numerically the host's */
	char *user, *group; /* names for uid and gid in the guest */
	uint32_t host_uid,
		host_gid; /* the person's own ids: owner of shared files */
	char *host_user, *host_group;
	char *home;  /* becomes HOME of passwd; a mount of the list provides it
		      */
	char *shell; /* passwd's shell field */
	char *hostname;
	uint64_t clock_ns;	     /* nanoseconds since the epoch */
	struct launch_mount *mounts; /* n_mounts of them */
	size_t n_mounts;
	char **devices; /* names below /dev that are wanted beside the usual
			   ones */
	char **sockets; /* absolute paths where the guest listens for the user;
			 * each connection is a stream of the service with the
			 * path's place in the list */
	char **before;	/* a command beside the application, with its user and
			 * environment, that the application waits for until
			 * there is a newline on descriptor 3; empty: none */
	struct nic nics[NICS_MAX]; /* n_nics of them */
	size_t n_nics;
	char *firewall; /* nft's input; then there is no application and no
			 * mount, only what goes from the first card to the
			 * second.  "": an ordinary guest */
	struct session_spec app; /* session 0 */
};

void session_spec_free(struct session_spec *s);
void launch_free(struct launch *l);

/* Encoders append a whole message, header included. */
void ctl_put_hello(struct buf *b);
void ctl_put_session(struct buf *b, enum ctl_type type, uint32_t session);
void ctl_put_exit(struct buf *b, uint32_t session, enum ctl_exit kind,
		  uint32_t value, const char *text);
void ctl_put_log(struct buf *b, uint32_t level, const char *text);
void ctl_put_launch(struct buf *b, const struct launch *l);
void ctl_put_exec(struct buf *b, const struct session_spec *s);
void ctl_put_signal(struct buf *b, uint32_t session, uint32_t signo);
void ctl_put_winsize(struct buf *b, uint32_t session,
		     const struct winsize_msg *w);
void ctl_put_clock(struct buf *b, uint64_t ns);
void ctl_put_stop(struct buf *b);

/* A message of the guest: small, fixed, no allocation. */
struct ctl_guest_msg {
	enum ctl_type type;
	uint32_t session, kind, value, version, level;
	char text[CTL_TEXT_MAX + 1]; /* as sent: escape before showing */
};

/*
 * Decode one message from p[0..n).  1 and *used: a message; 0: more bytes are
 * needed; -1 and e: a violation.
 */
int ctl_get_guest(const void *p, size_t n, size_t *used,
		  struct ctl_guest_msg *m, struct err *e);

struct ctl_host_msg {
	enum ctl_type type;
	uint32_t session, signo;
	struct winsize_msg win;
	uint64_t clock_ns;
	struct launch launch;	  /* CTL_LAUNCH: owned, launch_free() */
	struct session_spec exec; /* CTL_EXEC: owned, session_spec_free() */
};

int ctl_get_host(const void *p, size_t n, size_t *used, struct ctl_host_msg *m,
		 struct err *e);

#endif
