/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The kernel modules that a guest needs, and what they depend on.
 *
 * Theory of operation
 *
 * Wanted are a few features, each in a group that vmrun-init loads at its own
 * moment.  A feature may be built in (the text file modules.builtin says so),
 * may be a module, or may be missing.  What a module depends on is read from
 * the module itself, by libkmod: a package has no modules.dep yet, depmod makes
 * that when it is installed.
 *
 * Modules are unpacked here, so that the guest's init need not know how, and
 * stripped (host/imagestrip.h): 0.1 to 0.2 seconds less at each start of an
 * emulated guest.
 */
#ifndef HOST_IMAGEMODULES_H
#define HOST_IMAGEMODULES_H

#include <stddef.h>

struct err;

/*
 * Groups: "boot" is loaded first and always; "disk" if the VM has a disk;
 * "net" if it has a network card, "nft" if it is a firewall, "bridge" if that
 * has no address; "late" when the application runs; "dev:NAME" if /dev/NAME is
 * wanted.
 */
struct imagemodules_row {
	const char *group; /* static */
	char *file;	   /* "virtio_console.ko", owned */
};

struct imagemodules {
	struct imagemodules_row *rows; /* in the order of loading */
	size_t n;
};

/*
 * src: a lib/modules/RELEASE folder, out: an empty folder that the modules are
 * written to; both borrowed.  A module that "boot" or its own group already has
 * is not repeated.  Links in src are not followed.  *m is empty on failure.
 */
int imagemodules_collect(int src, const char *release, int out,
			 struct imagemodules *m, struct err *e);
void imagemodules_free(struct imagemodules *m);

#endif
