/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writing an initramfs with libarchive.  Runs in vmrunctl, as the person. */
#include "host/image/imagecpio.h"

#include "base/err.h"
#include "base/own.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

struct imagecpio {
	struct archive *a;
	int64_t ino; /* of the last entry */
};

struct imagecpio *imagecpio_begin(int out, struct err *e)
{
	struct imagecpio *c = calloc(1, sizeof(*c));

	if (!c) {
		err_set(e, ENOMEM, "writing the initramfs");
		return NULL;
	}
	c->a = archive_write_new();
	if (!c->a || archive_write_set_format_cpio_newc(c->a) != ARCHIVE_OK ||
	    archive_write_add_filter_none(c->a) != ARCHIVE_OK ||
	    archive_write_set_bytes_per_block(c->a, 16 * IMAGECPIO_PAGE) !=
		    ARCHIVE_OK ||
	    archive_write_set_bytes_in_last_block(c->a, IMAGECPIO_PAGE) !=
		    ARCHIVE_OK ||
	    archive_write_open_fd(c->a, out) != ARCHIVE_OK) {
		err_set(e, c->a ? archive_errno(c->a) : ENOMEM,
			"writing the initramfs");
		archive_write_free(c->a);
		free(c);
		return NULL;
	}
	return c;
}

static int put(struct imagecpio *c, const char *name, mode_t mode,
	       const void *p, size_t n, struct err *e)
{
	struct archive_entry *entry = archive_entry_new();
	int r = 0;

	if (!entry)
		return err_set(e, ENOMEM, "writing the initramfs");
	archive_entry_set_pathname(entry, name);
	archive_entry_set_mode(entry, mode);
	archive_entry_set_size(entry, (la_int64_t)n);
	/* Equal numbers with more than one link would be one file. */
	archive_entry_set_ino64(entry, ++c->ino);
	archive_entry_set_nlink(entry, S_ISDIR(mode) ? 2 : 1);
	archive_entry_set_mtime(entry, 0, 0);
	if (archive_write_header(c->a, entry) != ARCHIVE_OK ||
	    (n && archive_write_data(c->a, p, n) != (la_ssize_t)n))
		r = err_set(e, archive_errno(c->a),
			    "writing %s into the initramfs", name);
	archive_entry_free(entry);
	return r;
}

int imagecpio_dir(struct imagecpio *c, const char *name, mode_t mode,
		  struct err *e)
{
	return put(c, name, S_IFDIR | mode, NULL, 0, e);
}

int imagecpio_bytes(struct imagecpio *c, const char *name, mode_t mode,
		    const void *p, size_t n, struct err *e)
{
	return put(c, name, S_IFREG | mode, p, n, e);
}

int imagecpio_file(struct imagecpio *c, const char *name, mode_t mode, int fd,
		   struct err *e)
{
	struct stat st;
	void *p;
	int r;

	if (fstat(fd, &st) < 0)
		return err_set(e, errno, "reading %s", name);
	if (!S_ISREG(st.st_mode) || st.st_size == 0)
		return err_set(e, 0, "reading %s: not a file with content",
			       name);
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return err_set(e, errno, "reading %s", name);
	r = put(c, name, S_IFREG | mode, p, (size_t)st.st_size, e);
	munmap(p, (size_t)st.st_size);
	return r;
}

int imagecpio_end(struct imagecpio **cp, struct err *e)
{
	struct imagecpio *c = *cp;
	int r = 0;

	*cp = NULL;
	if (!c)
		return 0;
	if (archive_write_close(c->a) != ARCHIVE_OK)
		r = err_set(e, archive_errno(c->a), "writing the initramfs");
	archive_write_free(c->a);
	free(c);
	return r;
}
