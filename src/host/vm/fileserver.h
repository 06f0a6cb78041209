/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The distribution's virtiofsd, in either of its forms: its command line, and
 * the socket that joins it to QEMU.
 */
#ifndef HOST_FILESERVER_H
#define HOST_FILESERVER_H

#include "host/probe/probe.h"
#include "wire/setup.h"

struct err;

/* The listening socket's number in virtiofsd. */
#define FILESERVER_FD 3

/* Where the second file server's program is in its root. */
#define FILESERVER_PLAIN "/virtiofsd"

/*
 * The command line, as a NULL-terminated vector for strv_free(); the shared
 * tree is at /tree.  Pure.  NULL without memory.  tree: what it serves; the
 * plain one has neither ACLs nor attributes, and its program is at
 * FILESERVER_PLAIN.
 */
char **fileserver_argv(const struct probe_tool *tool, enum setup_tree tree);

/*
 * A listening socket and a socket connected to it.  Both virtiofsds want to
 * accept(), so the pair is made through a name in the run's own 0700 directory
 * (dirfd), which is gone again before this returns.
 */
int fileserver_pair(int dirfd, int *listener, int *connected, struct err *e);

#endif
