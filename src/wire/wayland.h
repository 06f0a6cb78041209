/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What vmrun and vmrun-wayland say to each other: the policy, in a sealed
 * memory file, and records on a SOCK_SEQPACKET socket, one message each, the
 * host's own byte order, fixed size.
 *
 * vmrun-wayland reads guest bytes and makes no connection itself: for each
 * client it asks with WAYLAND_EV_CONNECT, and vmrun, with the person's
 * authority, answers WAYLAND_CMD_COMPOSITOR with a connected socket beside it,
 * or WAYLAND_CMD_REFUSE.  vmrun checks each record again (version, kind, and
 * the text is escaped before it is shown); nothing in one makes it do more
 * than connect to the one compositor, and it need not remember any client.
 */
#ifndef WIRE_WAYLAND_H
#define WIRE_WAYLAND_H

#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

#define WAYLAND_VERSION 2u
#define WAYLAND_POLICY_MAX (32u * 1024)
#define WAYLAND_GLOBALS_MAX 256u
#define WAYLAND_INTERFACE_MAX 64u
#define WAYLAND_NAME_MAX 48u
#define WAYLAND_CLIENTS_MAX 64u
#define WAYLAND_POOL_MAX (1ull << 30) /* one shared memory pool, bytes */
#define WAYLAND_TEXT_MAX 256u

struct err;

/* Descriptors of vmrun-wayland. */
enum {
	WAYLAND_FD_VMRUN = 3,  /* the records */
	WAYLAND_FD_POLICY = 4, /* memory file with the encoded policy */
	/* listening SOCK_STREAM Unix socket, for the guest's clients */
	WAYLAND_FD_LISTEN = 5,
};

/* Directions in which copy and paste, and drag and drop, may go. */
enum wayland_clipboard {
	WAYLAND_CLIPBOARD_OFF = 0, /* inside the VM only */
	WAYLAND_CLIPBOARD_IN = 1,  /* what others copied may be pasted in it */
	WAYLAND_CLIPBOARD_OUT = 2, /* what it copied may be pasted elsewhere */
	WAYLAND_CLIPBOARD_BOTH = 3,
};

/* A global that the guest may see, if the compositor has it. */
struct wayland_global {
	char *interface;  /* wl_shm and the like: [a-z0-9_]+ */
	uint32_t version; /* at most this one; not 0 */
};

struct wayland_policy {
	/*
	 * The alias, or another name of the VM: what windows are marked with.
	 * [A-Za-z0-9_-]+; no dot, which separates it from the application's
	 * own id.
	 */
	char *name;
	enum wayland_clipboard clipboard;
	uint32_t clients; /* at a time; 1 to WAYLAND_CLIENTS_MAX */
	/*
	 * Bytes of one shared memory pool, and of all of a client's, used or
	 * not; and of the buffers of all clients that are shown from a copy.
	 */
	uint64_t pool, memory, copies;
	struct wayland_global *globals;
	size_t n_globals;
};

void wayland_policy_free(struct wayland_policy *p);
/* Appends the encoding to b (whose max should be WAYLAND_POLICY_MAX). */
void wayland_policy_encode(struct buf *b, const struct wayland_policy *p);
/*
 * Pure; checks every bound, and that no global is there twice.  0; or -1 and
 * e, and then *p holds nothing.
 */
int wayland_policy_decode(const void *bytes, size_t n, struct wayland_policy *p,
			  struct err *e);

enum wayland_kind {
	/* vmrun to vmrun-wayland */
	WAYLAND_CMD_COMPOSITOR = 1, /* client; one descriptor beside it */
	WAYLAND_CMD_REFUSE = 2,	    /* client; text says why, for the log */
	WAYLAND_CMD_STATS = 3,
	/* vmrun-wayland to vmrun */
	WAYLAND_EV_READY = 32,	 /* sealed; clients are taken from now on */
	WAYLAND_EV_CONNECT = 33, /* client wants a connected socket */
	WAYLAND_EV_LOG = 34,	 /* value: enum log_level; text */
	/* the answer to STATS: a row for each global seen, then the counts */
	WAYLAND_EV_GLOBAL = 35, /* text, value, theirs */
	WAYLAND_EV_STATS = 36,	/* counts */
};

struct wayland_counts {
	uint64_t clients;  /* connected now */
	uint64_t accepted; /* ever */
	uint64_t violated; /* of them, ended because of what they sent */
	uint64_t messages_to_host, messages_to_guest;
	uint64_t fds_to_host, fds_to_guest;
	uint64_t withheld; /* messages not passed on, by the policy */
};

struct wayland_record {
	uint32_t version; /* WAYLAND_VERSION */
	uint32_t kind;	  /* enum wayland_kind */
	uint32_t client;  /* counts from 1, never the same twice */
	/* LOG: level.  GLOBAL: the version offered to the guest, 0: none */
	uint32_t value;
	uint32_t theirs; /* GLOBAL: the compositor's version */
	uint32_t spare;	 /* 0 */
	struct wayland_counts counts;
	char text[WAYLAND_TEXT_MAX]; /* NUL-terminated */
};

#endif
