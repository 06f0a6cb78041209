/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From a distribution's bzImage to the vmlinux that QEMU boots by PVH.
 *
 * A bzImage is a boot program with the compressed ELF kernel inside; its
 * header (Documentation/arch/x86/boot.rst) says where.  Booting the ELF itself
 * saves the guest the unpacking, at each start.
 */
#ifndef HOST_IMAGEKERNEL_H
#define HOST_IMAGEKERNEL_H

#include <stddef.h>
#include <stdint.h>

#define IMAGEKERNEL_RELEASE_MAX 64	     /* with the NUL; uname() has 65 */
#define IMAGEKERNEL_MAX (256u * 1024 * 1024) /* packed or unpacked */

struct err;

struct imagekernel {
	char release[IMAGEKERNEL_RELEASE_MAX]; /* "6.1.0-56-cloud-amd64" */
	size_t payload, payload_len;	       /* bytes of the file */
};

/* Nonzero if `s` can be a kernel release, and so one component of a path. */
int imagekernel_is_release(const char *s);

/* Reads a bzImage's header from the whole file.  Pure. */
int imagekernel_header(const void *p, size_t n, struct imagekernel *k,
		       struct err *e);
/* Nonzero if these bytes begin an ELF file. */
int imagekernel_is_elf(const void *p, size_t n);
/* Checks that an ELF kernel is for x86-64 and has a PVH entry.  Pure. */
int imagekernel_check_elf(const void *p, size_t n, struct err *e);

/*
 * Writes the vmlinux inside the file at `path` below dirfd (a bzImage, or a
 * vmlinux) to `out`, an empty file open for reading and writing, and says its
 * release.  On failure a part may have been written.
 */
int imagekernel_unpack(int dirfd, const char *path, int out,
		       char release[IMAGEKERNEL_RELEASE_MAX], struct err *e);

/*
 * The newest kernel below the folder root that has its modules there, as
 * boot/vmlinuz-RELEASE or lib/modules/RELEASE/vmlinuz.  Both paths are relative
 * to root and the caller's.  -1 and e->code ENOENT if there is none.
 */
int imagekernel_installed(int root, char **kernel, char **modules,
			  struct err *e);

#endif
