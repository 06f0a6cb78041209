/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the verbs about running VMs share. */
#ifndef HOST_CMD_VMS_H
#define HOST_CMD_VMS_H

#include "host/plan/plan.h"
#include "state/state.h"

struct err;

struct vms {
	struct facts facts;
	struct state_run *runs; /* the living ones first to last */
	size_t n;
};

/* Reads the database; 0, or -1 and e. */
int vms_open(struct vms *v, struct err *e);
void vms_close(struct vms *v);

/*
 * The living VM of that number or alias, or of that command's name if only one
 * has it.
 */
const struct state_run *vms_find(const struct vms *v, const char *name,
				 struct err *e);

/* The command's first word without its folder; at most n-1 bytes. */
void vms_name(const struct state_run *r, char *out, size_t n);

#endif
