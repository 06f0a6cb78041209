/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Writing an initramfs: a newc cpio, not compressed, the same bytes for the
 * same content (no times, no owners, numbered inodes).
 */
#ifndef HOST_IMAGECPIO_H
#define HOST_IMAGECPIO_H

#include <stddef.h>
#include <sys/types.h>

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
