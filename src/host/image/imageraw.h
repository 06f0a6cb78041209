/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One compressed stream, unpacked to a file: a kernel's payload, a module.
 *
 * gzip, bzip2, xz, lzma, lz4 and zstd by libarchive's own code; its filters
 * that start other programs are never switched on.
 */
#ifndef HOST_IMAGERAW_H
#define HOST_IMAGERAW_H

#include <stddef.h>
#include <stdint.h>

struct archive;
struct err;

enum imageraw_kind {
	IMAGERAW_NONE, /* not compressed in a way known here */
	IMAGERAW_GZIP,
	IMAGERAW_BZIP2,
	IMAGERAW_XZ,
	IMAGERAW_LZMA,
	IMAGERAW_LZ4,
	IMAGERAW_ZSTD,
	IMAGERAW_LZO, /* known, and not supported */
};

/* By the first bytes. */
enum imageraw_kind imageraw_kind(const void *p, size_t n);

/* Switches on exactly this filter of a reader (none for IMAGERAW_NONE). */
int imageraw_filter(struct archive *a, enum imageraw_kind kind, struct err *e);

/*
 * Appends what the n bytes unpack to (they themselves if they are not
 * compressed) to the descriptor `out`, at most `max` bytes.  *len, which may
 * be NULL, is how many.  On failure a part may have been written.
 */
int imageraw_unpack(const void *p, size_t n, size_t max, int out, uint64_t *len,
		    struct err *e);

#endif
