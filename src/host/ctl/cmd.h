/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The verbs of vmrunctl: a row of a table and a small file each.
 *
 * A verb gets argv with its own name at argv[0], prints its own errors, and
 * returns the exit status.
 */
#ifndef HOST_CMD_H
#define HOST_CMD_H

struct cmd {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *usage; /* what follows the name: "[--json] ID" */
	const char *help;  /* one line */
};

int cmd_ps(int argc, char **argv);
int cmd_stop(int argc, char **argv);
int cmd_kill(int argc, char **argv);
int cmd_logs(int argc, char **argv);
int cmd_console(int argc, char **argv);
int cmd_exec(int argc, char **argv);
int cmd_alias(int argc, char **argv);
/* 0: all is clean; 1: something is left; 125: it could not be done. */
int cmd_gc(int argc, char **argv);
int cmd_wayland(int argc, char **argv);
int cmd_grants(int argc, char **argv);
int cmd_why(int argc, char **argv);
int cmd_revoke(int argc, char **argv);
int cmd_reclaim(int argc, char **argv);
int cmd_net(int argc, char **argv);
/* argv[0] is "tap". */
int cmd_net_tap(int argc, char **argv);
int cmd_image(int argc, char **argv);
/* 0: vmrun can run here; 1: something that it needs is missing. */
int cmd_doctor(int argc, char **argv);

#endif
