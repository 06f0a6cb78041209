/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The stage's second life: PID 1 of the sandbox. */
#ifndef STAGE_PID1_H
#define STAGE_PID1_H

#include "wire/setup.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

/* One record to vmrun.  0, or -1 and e when vmrun is not there any more. */
int pid1_report(enum stage_kind kind, size_t member, int status, struct err *e);
/* STAGE_EV_MEMBER, with the descriptor of its /run; -1: it has none. */
int pid1_report_started(size_t member, int run, struct err *e);
/* STAGE_EV_ERROR with what went wrong. */
int pid1_report_error(const struct err *what, struct err *e);

/*
 * Gives up: every descriptor but the control socket (0-2 become `null`, which
 * this takes), dumps, all capabilities, every system call that waiting and
 * reporting does not need.  Must be done already: all members started, SIGCHLD
 * blocked. Returns a descriptor that becomes readable when a child ends, or -1
 * and e.
 */
int pid1_seal(int null, struct err *e);

/*
 * Reaps and reports until vmrun closes its end of the control socket or says
 * anything at all.  When it returns the caller exits, and with PID 1 the
 * kernel kills everything in the sandbox.  children: from pid1_seal().
 */
void pid1_run(const pid_t *pids, size_t n, int children);

#endif
