/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Guest images: a kernel and an initramfs with vmrun-init, in
 * $XDG_DATA_HOME/vmrun/images/NAME/ (vmlinux, initramfs, image.json), else in
 * the installed DATADIR/vmrun/images.  Where nft is installed there is a second
 * initramfs, with it, for firewalls, and a third one for those that have a PCI
 * device, with drivers.
 *
 * import: the bzImage's payload is unpacked to a vmlinux (booted by PVH),
 * libkmod says which modules the kernel does not have built in, libarchive
 * writes the cpio and reads .deb files.  Files are 0644 below 0755 directories,
 * because the VM's UID reads them; an image is made under a temporary name and
 * renamed, so that there is never half of one.
 */
#ifndef HOST_GUESTIMAGE_H
#define HOST_GUESTIMAGE_H

#include <stddef.h>
#include <stdint.h>

struct err;

#define GUESTIMAGE_DEFAULT "default"
#define GUESTIMAGE_FIREWALL "initramfs-firewall"
#define GUESTIMAGE_PCI "initramfs-pci"

struct guestimage {
	char *name, *dir;	  /* owned */
	char *kernel, *initramfs; /* absolute paths, owned */
	char *firewall, *pci;	  /* likewise; may name nothing */
	char *release;		  /* of the kernel: "6.1.0-56-cloud-amd64" */
	int64_t imported;	  /* seconds since the epoch */
	uint64_t bytes;		  /* on disk */
	char *made_by; /* version of the vmrun whose init is inside, or NULL */
};

/* Finds an image by name (NULL: the default).  -1 with a remedy if there is
 * none. */
int guestimage_find(const char *data_home, const char *name,
		    struct guestimage *img, struct err *e);
void guestimage_free(struct guestimage *img);

int guestimage_list(const char *data_home, struct guestimage **list, size_t *n,
		    struct err *e);
int guestimage_remove(const char *data_home, const char *name, struct err *e);

/*
 * Imports under `name` (NULL: the default), in the place of an earlier image of
 * that name.  kernel: bzImage or ELF vmlinux; modules: a lib/modules/RELEASE
 * directory (may be NULL: nothing is loaded); init: path of vmrun-init.  On
 * failure the earlier image is untouched and nothing is left behind.
 */
int guestimage_import(const char *data_home, const char *name,
		      const char *kernel, const char *modules, const char *init,
		      struct err *e);
/*
 * The same from a linux-image .deb (debs: NULL-terminated, for distributions
 * that put the modules into a package of their own), and from what is
 * installed here.
 */
int guestimage_import_debs(const char *data_home, const char *name,
			   char *const *debs, const char *init, struct err *e);
int guestimage_import_installed(const char *data_home, const char *name,
				const char *init, struct err *e);

#endif
