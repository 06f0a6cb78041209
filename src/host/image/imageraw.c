/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Unpacking one compressed stream.  Runs in vmrunctl, as the person. */
#include "host/image/imageraw.h"

#include "base/err.h"
#include "base/io.h"
#include "base/own.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>

/* clang-format off */
static const struct {
	enum imageraw_kind kind;
	unsigned char len;
	const char *magic;
} magics[] = {
	{ IMAGERAW_GZIP, 2, "\x1f\x8b" },
	{ IMAGERAW_BZIP2, 3, "BZh" },
	{ IMAGERAW_XZ, 6, "\xfd" "7zXZ\0" },
	{ IMAGERAW_LZMA, 3, "\x5d\0\0" },
	{ IMAGERAW_LZ4, 4, "\x02\x21\x4c\x18" }, /* legacy: what Linux uses */
	{ IMAGERAW_LZ4, 4, "\x04\x22\x4d\x18" },
	{ IMAGERAW_ZSTD, 4, "\x28\xb5\x2f\xfd" },
	{ IMAGERAW_LZO, 4, "\x89" "LZO" },
};
/* clang-format on */

enum imageraw_kind imageraw_kind(const void *p, size_t n)
{
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
		if (n >= magics[i].len &&
		    !memcmp(p, magics[i].magic, magics[i].len))
			return magics[i].kind;
	return IMAGERAW_NONE;
}

int imageraw_filter(struct archive *a, enum imageraw_kind kind, struct err *e)
{
	int r = ARCHIVE_FATAL;

	switch (kind) {
	case IMAGERAW_NONE:
		r = archive_read_support_filter_none(a);
		break;
	case IMAGERAW_GZIP:
		r = archive_read_support_filter_gzip(a);
		break;
	case IMAGERAW_BZIP2:
		r = archive_read_support_filter_bzip2(a);
		break;
	case IMAGERAW_XZ:
		r = archive_read_support_filter_xz(a);
		break;
	case IMAGERAW_LZMA:
		r = archive_read_support_filter_lzma(a);
		break;
	case IMAGERAW_LZ4:
		r = archive_read_support_filter_lz4(a);
		break;
	case IMAGERAW_ZSTD:
		r = archive_read_support_filter_zstd(a);
		break;
	case IMAGERAW_LZO:
		break; /* libarchive would start a program for it */
	}
	/* A warning means: by another program. */
	if (r != ARCHIVE_OK)
		return err_set(e, 0,
			       "compressed in a way that is not "
			       "supported here");
	return 0;
}

static int copy_out(struct archive *a, size_t max, int out, uint64_t *len,
		    struct err *e)
{
	char chunk[65536];
	la_ssize_t got;

	*len = 0;
	while ((got = archive_read_data(a, chunk, sizeof(chunk))) > 0) {
		*len += (uint64_t)got;
		if (*len > max)
			return err_set(e, 0, "unpacks to more than %zu MiB",
				       max >> 20);
		if (io_write_all(out, chunk, (size_t)got) < 0)
			return err_set(e, errno, "writing");
	}
	if (got < 0)
		return err_set(e, 0, "its compressed data is damaged");
	return 0;
}

static int unpack(struct archive *a, enum imageraw_kind kind, const void *p,
		  size_t n, struct err *e)
{
	struct archive_entry *entry;

	if (archive_read_support_format_raw(a) != ARCHIVE_OK)
		return err_set(e, 0, "this libarchive has no raw reader");
	if (imageraw_filter(a, kind, e) < 0)
		return -1;
	if (archive_read_open_memory(a, p, n) != ARCHIVE_OK ||
	    archive_read_next_header(a, &entry) != ARCHIVE_OK)
		return err_set(e, 0, "its compressed data is damaged");
	return 0;
}

int imageraw_unpack(const void *p, size_t n, size_t max, int out, uint64_t *len,
		    struct err *e)
{
	enum imageraw_kind kind = imageraw_kind(p, n);
	struct archive *a;
	uint64_t copied = n;
	int r;

	if (!len)
		len = &copied;
	if (kind == IMAGERAW_NONE) {
		*len = n;
		if (n > max)
			return err_set(e, EFBIG, "more than %zu MiB",
				       max >> 20);
		if (io_write_all(out, p, n) < 0)
			return err_set(e, errno, "writing");
		return 0;
	}
	a = archive_read_new();
	if (!a)
		return err_set(e, ENOMEM, "unpacking");
	r = unpack(a, kind, p, n, e);
	if (r == 0)
		r = copy_out(a, max, out, len, e);
	archive_read_free(a);
	return r;
}
