/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The socket to vmrun: records of wire/edge.h both ways.
 *
 * Never waits for vmrun.  Records that matter are kept until it reads them:
 * HOST_QUEUE of them, and commands are only read while half of that is free,
 * which is more than sessions and connections can add without a new command.
 * Log records are dropped, and counted, beyond HOST_LOG_RATE a second or when
 * the queue is not empty.
 */
#ifndef EDGE_MUX_HOST_H
#define EDGE_MUX_HOST_H

#include "watch.h"
#include "wire/edge.h"

#include "base/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HOST_QUEUE 512u
#define HOST_LOG_RATE 20u

struct host {
	int fd; /* borrowed: it lives as long as the program */
	int slot;
	struct edge_record *queue; /* owned; HOST_QUEUE of them */
	size_t head, len;
	uint64_t second;  /* of the monotonic clock, for the log rate */
	unsigned logged;  /* in that second */
	uint64_t dropped; /* log records since the last that was sent */
};

/* Makes the socket non-blocking.  0, or -1 and e. */
int host_init(struct host *h, int fd, struct err *e);
void host_free(struct host *h);

void host_watch(struct host *h, struct watch *w);
/* There may be commands to read. */
bool host_has_commands(const struct host *h, const struct watch *w);

/*
 * One command.  1: *r and *n descriptors in fds (room for IO_FDS_MAX), the
 * caller's now.  0: none.  -1: vmrun is gone, and so should we.
 */
int host_command(struct host *h, struct edge_record *r, int *fds, size_t *n);

/* Sets the record's text, cut to what fits. */
void host_text(struct edge_record *r, const char *text);
/* Version is filled in.  Never fails: see above. */
void host_send(struct host *h, const struct edge_record *r);
void host_event(struct host *h, enum edge_kind kind, uint32_t session);
/* Text may be the guest's: the receiver escapes it. */
void host_log(struct host *h, enum log_level level, const char *text);
/* Sends what waits.  -1: vmrun is gone. */
int host_flush(struct host *h);

#endif
