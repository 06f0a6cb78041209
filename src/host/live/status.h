/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a run tells its parent beside the exit status: --json-status-fd,
 * --ready-fd, and READY=1 to $NOTIFY_SOCKET.
 */
#ifndef HOST_STATUS_H
#define HOST_STATUS_H

#include <stdint.h>
#include <sys/types.h>

/* How a run ended; each has its own exit status and its own word in JSON. */
enum outcome_kind {
	OUTCOME_NONE,	   /* not yet */
	OUTCOME_EXIT,	   /* "exit": the application's own status */
	OUTCOME_SIGNAL,	   /* "signal": value is the signal, status 128+n */
	OUTCOME_NOT_FOUND, /* "not-found": 127 */
	OUTCOME_NOT_EXEC,  /* "not-executable": 126 */
	OUTCOME_SETUP,	   /* "setup": 125, vmrun could not do it */
	OUTCOME_LOST,	   /* "output": 125, the application did well, but not
			      all that it said could be written */
	OUTCOME_UNREAD,	   /* "input": 125, the same of what it was given */
	OUTCOME_TIMEOUT,   /* "timeout": 128+SIGTERM, as timeout(1)
			      --preserve-status */
	OUTCOME_KILLED, /* "killed": by vmrunctl, a second signal; 128+value */
	OUTCOME_GONE,	/* "gone": 255, the guest vanished without a report */
};

struct outcome {
	enum outcome_kind kind;
	int value;
};

struct err;

/*
 * Sets e to which stream (enum edge_stdio bits) could not be written or read,
 * and why (an errno).  For what a helper reported: any two values are all
 * right.
 */
void outcome_lost(uint32_t stdio, uint32_t error, struct err *e);
/* Of a command that ended with `code`; error 0: its streams are whole. */
enum outcome_kind outcome_exited(int code, uint32_t stdio, uint32_t error);

/* The exit status of vmrun for it. */
int outcome_status(const struct outcome *o);
const char *outcome_word(enum outcome_kind k);

struct status_sinks {
	int json_fd;  /* -1: none */
	int ready_fd; /* -1: none */
};

/* {"vm":N,"uid":U,"pid":P} */
void status_started(const struct status_sinks *s, int64_t run, uid_t uid);
/* {"ready":true}, the newline, and READY=1. */
void status_ready(const struct status_sinks *s);
/* {"exit-code":N,"reason":"WORD"} */
void status_ended(const struct status_sinks *s, const struct outcome *o);

#endif
