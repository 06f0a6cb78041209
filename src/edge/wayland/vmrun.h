/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The socket to vmrun: records of wire/wayland.h both ways.
 *
 * Never waits for vmrun.  Records that matter are kept until it reads them:
 * commands are read, and clients taken, only while there is room for all that
 * may follow from one.  Log records are the guest's to cause, and a terminal
 * or a journal has an end: VMRUN_LOG_FIRST of them are sent, then one for each
 * VMRUN_LOG_EACH_MS, which says how many were left out.  So are they when
 * others wait.
 */
#ifndef EDGE_WAYLAND_VMRUN_H
#define EDGE_WAYLAND_VMRUN_H

#include "base/log.h"
#include "wire/wayland.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VMRUN_QUEUE 512u
#define VMRUN_LOG_FIRST 8u
#define VMRUN_LOG_EACH_MS 60000u

struct vmrun {
	int fd; /* borrowed: it lives as long as the program */
	struct wayland_record *queue; /* owned; VMRUN_QUEUE of them */
	size_t head, len;
	uint64_t may;	  /* so many log records are sent as they come, */
	uint64_t since;	  /* counted up to this; monotonic, ms */
	uint64_t dropped; /* log records since the last that was sent */
};

/* Makes the socket non-blocking.  0, or -1 and e. */
int vmrun_init(struct vmrun *v, int fd, struct err *e);
void vmrun_free(struct vmrun *v);

/* There is room for what a command, or a new client, brings. */
bool vmrun_has_room(const struct vmrun *v);
/*
 * One command.  1: *r, and *fd, which is the caller's, or -1, also if there was
 * no place for one.  0: none.  -1: vmrun is gone, and so should we.
 */
int vmrun_command(struct vmrun *v, struct wayland_record *r, int *fd);

/* Version is filled in.  Never fails: see above. */
void vmrun_send(struct vmrun *v, const struct wayland_record *r);
/* A log_record for struct filter; now_ms is the monotonic clock. */
void vmrun_log(struct vmrun *v, uint64_t now_ms, enum log_level level,
	       const char *text);
/* Sends what waits.  -1: vmrun is gone. */
int vmrun_flush(struct vmrun *v);

#endif
