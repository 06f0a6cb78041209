/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writing an initramfs: a newc cpio, not compressed, the same bytes for the
 * same content (no times, no owners, numbered inodes), filled up with zeros to
 * whole pages.
 *
 * Why whole pages: QEMU loads the initramfs as high as it can, at a page's
 * beginning (x86_load_linux() of hw/i386/x86-common.c), and a microvm sets
 * nothing aside for the ACPI tables that the firmware has put at the very end
 * of memory.  What the last page has left over is all that is between them: a
 * file that ended 1 KiB below the end of a page destroyed the table of the
 * virtio devices, and the guest found none.  With whole pages one page is left.
 */
#ifndef HOST_IMAGECPIO_H
#define HOST_IMAGECPIO_H

#include <stddef.h>
#include <sys/types.h>

#define IMAGECPIO_PAGE 4096

struct err;
struct imagecpio; /* opaque */

/* `out` is borrowed until imagecpio_end().  NULL and e on failure. */
struct imagecpio *imagecpio_begin(int out, struct err *e);

/* Names are relative, without "./"; a parent comes before what is in it. */
int imagecpio_dir(struct imagecpio *c, const char *name, mode_t mode,
		  struct err *e);
int imagecpio_bytes(struct imagecpio *c, const char *name, mode_t mode,
		    const void *p, size_t n, struct err *e);
/* A regular file's content, from its beginning; fd is borrowed. */
int imagecpio_file(struct imagecpio *c, const char *name, mode_t mode, int fd,
		   struct err *e);

/* Writes the end.  *c is freed and NULL in any case; a NULL *c is allowed. */
int imagecpio_end(struct imagecpio **c, struct err *e);

#endif
