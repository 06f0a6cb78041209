/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The launch record: all that the guest learns of its VM.  The host makes it,
 * the guest's init reads it; it goes by the message CTL_LAUNCH of
 * wire/control.h.
 */
#ifndef WIRE_LAUNCH_H
#define WIRE_LAUNCH_H

#include "base/buf.h"
#include "wire/nic.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CTL_READY_FD_MIN 3u
#define CTL_READY_FD_MAX 900u /* below the soft limit on descriptors */
#define CTL_SESSIONS 32u      /* of one VM, the application's included */
#define LAUNCH_MOUNTS_MAX 4096u
#define LAUNCH_STRINGS_MAX 65536u
#define LAUNCH_STRING_MAX (128u * 1024) /* the kernel's MAX_ARG_STRLEN */
#define LAUNCH_PATH_MAX 4095u
#define LAUNCH_NAME_MAX 255u
#define LAUNCH_FIREWALL_MAX (64u * 1024) /* bytes of nft's input */
#define LAUNCH_SOCKETS_MAX 32u
#define LAUNCH_SOCKET_MAX 107u /* bytes: what sun_path holds, and a NUL */

struct winsize_msg {
	uint16_t rows, cols, xpixels, ypixels;
};

/* A command of the guest with its streams. */
struct session_spec {
	uint32_t session;      /* 0: the application */
	uint32_t in, out, err; /* stream ids, opened by the host before this
				* message; 0: /dev/null.  With a terminal `out`
				* carries it both ways, and in is 0; err is 0
				* if that goes to the terminal, too. */
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
	struct launch_mount *mounts; /* n_mounts of them */
	size_t n_mounts;
	char **devices;	 /* names below /dev that are wanted beside the usual
			    ones */
	char **sockets;	 /* absolute paths where the guest listens for the user;
			  * each connection is a stream of the service with the
			  * path's place in the list */
	char **before;	 /* commands beside the application, with its user and
			  * environment, an empty string between two of them;
			  * each starts when there is a newline on descriptor 3
			  * of the one before it, and the application last */
	bool restricted; /* what the kernel does for them all is fenced in */
	struct nic nics[NICS_MAX]; /* n_nics of them */
	size_t n_nics;
	char *firewall; /* nft's input; then there is no application and no
			 * mount, only what goes from the first card to the
			 * second.  "": an ordinary guest */
	struct session_spec app; /* session 0 */
};

/*
 * Each `put` appends its record to b.  Each `get` reads one from r, and sets
 * r->bad where it is not as described above or memory is short; what it fills
 * is to be freed in either case.
 */
void winsize_put(struct buf *b, const struct winsize_msg *w);
void winsize_get(struct rd *r, struct winsize_msg *w);
void session_spec_put(struct buf *b, const struct session_spec *s);
void session_spec_get(struct rd *r, struct session_spec *s);
void session_spec_free(struct session_spec *s);
void launch_put(struct buf *b, const struct launch *l);
void launch_get(struct rd *r, struct launch *l);
void launch_free(struct launch *l);

#endif
