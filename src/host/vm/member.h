/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Filling a member of a setup record; setup_free() frees what is made here. */
#ifndef HOST_MEMBER_H
#define HOST_MEMBER_H

#include "wire/setup.h"

struct err;

#define MEMBER_FILES 4u /* that member_file() may be called for one member */

/* A copy for strv_free(); NULL without memory. */
char **member_vector(const char *const *from);

/* Name, devices, LC_ALL=C, and room for files and descriptors; -1 without
 * memory. */
int member_room(struct setup_member *m, const char *name,
		const char *const *devices);

/* Descriptor `from` of vmrun-stage becomes its `to`. */
void member_fd(struct setup_member *m, uint32_t from, uint32_t to);

/* It sees the file src, as it is now, at dst.  -1 and e if there is none. */
int member_file(struct setup_member *m, const char *src, const char *dst,
		struct err *e);

#endif
