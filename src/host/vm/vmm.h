/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The virtual machine monitor behind one function: plan in, command line out.
 */
#ifndef HOST_VMM_H
#define HOST_VMM_H

#include "host/plan/plan.h"

/* Descriptors of QEMU; disk n is VMM_FD_DISK + n, card n VMM_FD_NIC + n. */
enum {
	VMM_FD_MUX = 3,
	VMM_FD_CONSOLE = 4,
	VMM_FD_FS = 5,
	VMM_FD_PLAIN = 6, /* the second file server, if there is one */
	VMM_FD_DISK = 7,
};

#define VMM_DISKS_MAX 16u
#define VMM_FD_NIC (VMM_FD_DISK + VMM_DISKS_MAX)

/* Where the image's files are in QEMU's root. */
#define VMM_KERNEL "/image/kernel"
#define VMM_INITRAMFS "/image/initramfs"
/* The guest's memory, in a file system that vmrun-stage makes for it. */
#define VMM_MEMORY "/ram/guest"

/*
 * QEMU's whole command line for the plan, NULL-terminated, for strv_free();
 * NULL without memory.  khz: the rate of the host's time stamp counter, 0 if
 * it is not constant (host/tsc.h).  Pure: same arguments, same vector.
 */
char **vmm_argv(const struct plan *p, const char *qemu, uint32_t khz);

#endif
