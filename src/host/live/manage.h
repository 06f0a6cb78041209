/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A run's own directory and the socket by which vmrunctl reaches it.
 *
 * RUNTIME/<run>/ (0700) holds: `ctl`, a SOCK_SEQPACKET socket; `console`, the
 * ring of the guest's console; `log`, the ring of what QEMU and virtiofsd
 * printed; `display`, where windows of the guest come out of their transport;
 * for a moment `context`, where the compositor listens.
 * Both ends of the socket are the person's own processes; the peer's
 * uid is checked all the same.
 */
#ifndef HOST_MANAGE_H
#define HOST_MANAGE_H

#include "wire/control.h"

#include <stdint.h>
#include <sys/types.h>

struct err;

#define MANAGE_VERSION 3u
#define MANAGE_TEXT_MAX 512u

enum manage_kind {
	/* vmrunctl asks */
	MANAGE_STOP =
		1, /* value: signal for the application; then it is over */
	MANAGE_KILL = 2,    /* end the VM now */
	MANAGE_EXEC = 3,    /* fds: memfd with a CTL_EXEC message, then stdio;
			     * value 0: the application's working directory */
	MANAGE_SIGNAL = 4,  /* on a connection that has a session; value */
	MANAGE_WINSIZE = 5, /* likewise; win */
	MANAGE_PAUSE = 7,   /* likewise: its terminal is not read */
	MANAGE_RESUME = 8,  /* and is again */
	MANAGE_WINDOWS = 6, /* ROWs about vmrun-wayland, then DONE */
	/* vmrun answers */
	MANAGE_DONE = 32,
	MANAGE_FAILED = 33, /* text, hint */
	MANAGE_ENDED = 34,  /* the session ended; exit, value, text; error and
			     * stdio: a stream that failed */
	MANAGE_ROW = 35,    /* text: a line to print */
};

struct manage_record {
	uint32_t version; /* MANAGE_VERSION */
	uint32_t kind;
	uint32_t value;
	uint32_t exit;	/* enum ctl_exit */
	uint32_t stdio; /* enum edge_stdio bits */
	uint32_t error; /* errno, or 0 */
	struct winsize_msg win;
	char text[MANAGE_TEXT_MAX];
	char hint[MANAGE_TEXT_MAX];
};

struct run_dir {
	int fd;	       /* O_PATH|O_DIRECTORY; -1: none.  Owned. */
	char *runtime; /* parent directory; owned */
	int64_t run;
};

/* clang-format off */
#define RUN_DIR_NONE { -1, NULL, 0 }
/* clang-format on */

/* Makes (or empties) the directory of a run, and its parents, 0700. */
int run_dir_make(struct run_dir *d, const char *runtime, int64_t run,
		 struct err *e);
/* Removes it with everything in it, if it exists. */
void run_dir_remove(const char *runtime, int64_t run);
void run_dir_close(struct run_dir *d);

/* A ring file in it, RING_SIZE bytes of zeros, 0600; the caller's. */
int run_dir_ring(const struct run_dir *d, const char *name, struct err *e);

/* A listening stream socket named display, 0666; non-blocking; the caller's. */
int run_dir_display(const struct run_dir *d, struct err *e);

/* The listening control socket; non-blocking; the caller's. */
int manage_listen(const struct run_dir *d, struct err *e);
/* Connects to a run's control socket; the caller's. */
int manage_connect(const char *runtime, int64_t run, struct err *e);
/* One record with at most 4 descriptors; as io_send(). */
int manage_send(int sock, const struct manage_record *r, const int *fds,
		size_t n);
/* 1 and *r: a record, checked; 0: end of file; -1: e. */
int manage_recv(int sock, struct manage_record *r, int *fds, size_t *n,
		struct err *e);

#endif
