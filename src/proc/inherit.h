/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a program has from whoever started it, for those that people start. */
#ifndef PROC_INHERIT_H
#define PROC_INHERIT_H

#include <signal.h>
#include <stdbool.h>

struct err;

/*
 * First of all, before anything is opened or started.
 *
 * Puts something in the place of what is closed of standard input, output and
 * error: else whatever is opened next has that number, and gets what is meant
 * for the person.  As with a closed descriptor, reading standard input then
 * fails with EBADF, and so does writing the others (glibc does the same for
 * set-user-ID programs: csu/check_fds.c).
 *
 * SIGCHLD is not ignored from here on: it survives execve(), and where it is,
 * waitpid() finds no child that ended.
 */
int proc_begin(struct err *e);

/* The soft limit (RLIMIT_*) becomes the hard one.  What is started has it, too.
 */
void proc_lift_limit(int which);

/* Whether it asks a program to end, whatever it does by itself. */
bool proc_is_end(int signo);
/* One of those that is blocked and has come; 0 if none has. */
int proc_end_waits(void);

/*
 * All of those, and SIGUSR1 and SIGUSR2, the two that are the person's to
 * give a meaning: but what was ignored when we were started (nohup(1); a shell
 * for its background jobs).
 */
void proc_asked_by(sigset_t *set);

#endif
