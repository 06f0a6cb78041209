/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A scratch directory, two identities and short names for the tests of grants.
 * As root a test becomes an ordinary user first, with the way back open.
 */
#ifndef TESTS_UNIT_GRANT_RIG_H
#define TESTS_UNIT_GRANT_RIG_H

#include "base/err.h"
#include "grant/grant.h"
#include "tap.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/types.h>

#define PLAIN_UID 54321
#define ACCESS_NAME "system.posix_acl_access"
#define DEFAULT_NAME "system.posix_acl_default"

extern struct grant_who who1, who2; /* two VMs of one person */
extern struct grant_stats st;	    /* of the last call */
extern struct err e;
extern uint64_t left;
extern int was_root;
extern int top; /* the scratch directory, which the process is in */

/* A skip; with VMRUN_MUST_WORK a failure. */
__attribute__((unused)) static void rig_skip(const char *what, const char *why)
{
	if (getenv("VMRUN_MUST_WORK"))
		tap_ok(0, "%s: %s", what, why);
	else
		tap_skip(what, why);
}

/* Makes the directory; false if there are no ACLs in it. */
bool rig_set_up(void);
void rig_tear_down(void);

/* The same, and says so. */
__attribute__((unused)) static bool rig_start(void)
{
	if (rig_set_up())
		return true;
	rig_skip("grants on files", "no ACLs there; set TMPDIR");
	return false;
}

/* Below n; VMRUN_TEST_SEED chooses the sequence, which is printed. */
unsigned rnd(unsigned n);
/* Ends the test if a step that has to work did not. */
void need_ok(int ok, const char *what);

void make_file(const char *path, mode_t mode);
void make_dir(const char *path, mode_t mode);
int open_path(const char *path);
mode_t mode_of(const char *path);
int has_acl(const char *path, const char *name);
/* U's entry on a path; -1 if there is none. */
int entry(const char *path, const char *name, const struct grant_who *w);
void remove_tree(const char *path);

int apply(const char *path, enum grant_mode m, const struct grant_who *w);
int survey(const char *path, enum grant_mode m);
int take_back(const char *path, const struct grant_who *w);

#endif
