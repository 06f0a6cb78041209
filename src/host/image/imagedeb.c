/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Debian packages, as far as a kernel needs them.  Runs in vmrunctl, as the
 * person; every byte read here may be hostile.
 *
 * A package is an ar archive; its member data.tar.* is read as a stream by a
 * second reader on top of the first.
 */
#include "host/image/imagedeb.h"

#include "base/err.h"
#include "base/io.h"
#include "base/log.h"
#include "base/own.h"
#include "host/image/imageraw.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define DEPTH_MAX 64

const struct imagedeb_limits imagedeb_limits = {
	.file = 512u * 1024 * 1024,
	.total = 2048ull * 1024 * 1024,
	.entries = 100000,
};

struct extract {
	struct archive *outer, *inner;
	int dir;
	const struct imagedeb_limits *limits;
	uint64_t total;
	uint64_t size; /* that this entry says it has */
	size_t entries;
	char block[65536]; /* of the member, compressed */
	char chunk[65536]; /* of an entry */
};

/* A name out of the package, fit to be shown. */
static int refuse(struct err *e, const char *name, const char *why)
{
	char shown[256];

	log_escape(shown, sizeof(shown), name, strlen(name));
	return err_set(e, 0, "entry %s: %s", shown, why);
}

/*
 * Descends to the folder that `path` (relative, checked, changed and put back)
 * is in, making what is missing.  Returns its descriptor; *file is the last
 * component.
 */
static int enter_parent(int dir, char *path, char **file, struct err *e)
{
	struct open_how how = {
		.flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
			   RESOLVE_NO_MAGICLINKS,
	};
	own_fd at = openat(dir, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char *slash;

	while (at >= 0 && (slash = strchr(path, '/'))) {
		int next = -1;

		*slash = '\0';
		if (mkdirat(at, path, 0700) == 0 || errno == EEXIST)
			next = (int)syscall(SYS_openat2, at, path, &how,
					    sizeof(how));
		*slash = '/';
		if (next < 0)
			return refuse(e, path, strerror(errno));
		close(at);
		at = next;
		path = slash + 1;
	}
	if (at < 0)
		return err_set(e, errno, "opening the temporary folder");
	*file = path;
	return steal_fd(&at);
}

static int write_file(struct extract *x, const char *name, int fd,
		      struct err *e)
{
	uint64_t len = 0;
	la_ssize_t got;

	while ((got = archive_read_data(x->inner, x->chunk, sizeof(x->chunk))) >
	       0) {
		len += (uint64_t)got;
		/* What it says was counted; a sparse file may still lie. */
		if (len > x->size)
			return refuse(e, name, "larger than it says");
		if (io_write_all(fd, x->chunk, (size_t)got) < 0)
			return err_set(e, errno, "unpacking");
	}
	if (got < 0)
		return refuse(e, name, "its data is damaged");
	return 0;
}

static int extract_file(struct extract *x, char *path, struct err *e)
{
	char *file = NULL;
	own_fd parent = enter_parent(x->dir, path, &file, e);
	own_fd fd = -1;

	if (parent < 0)
		return -1;
	fd = openat(parent, file,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 && errno == EEXIST)
		return refuse(e, path, "it is there twice");
	if (fd < 0)
		return refuse(e, path, strerror(errno));
	return write_file(x, path, fd, e);
}

/* Writes the canonical form of an entry's name; -1 if it has none. */
static int clean_name(const char *name, char out[PATH_MAX])
{
	size_t n = 0, depth = 0;

	if (*name == '/')
		return -1;
	out[0] = '\0';
	while (*name) {
		size_t len = strcspn(name, "/");

		if (len == 2 && name[0] == '.' && name[1] == '.')
			return -1;
		if (len && !(len == 1 && name[0] == '.')) {
			if (n + len + 2 > PATH_MAX || len > NAME_MAX ||
			    ++depth > DEPTH_MAX)
				return -1;
			if (n)
				out[n++] = '/';
			memcpy(out + n, name, len);
			n += len;
			out[n] = '\0';
		}
		name += len + (name[len] == '/');
	}
	return 0;
}

/* The part of the path that we want, or NULL. */
static char *wanted(char *path)
{
	if (!strncmp(path, "usr/lib/modules/", 16))
		path += 4;
	if (!strncmp(path, "lib/modules/", 12))
		return path;
	if (!strncmp(path, "boot/vmlinuz-", 13) && !strchr(path + 5, '/'))
		return path;
	return NULL;
}

static int extract_entry(struct extract *x, struct archive_entry *entry,
			 struct err *e)
{
	const char *name = archive_entry_pathname(entry);
	la_int64_t size = archive_entry_size(entry);
	char path[PATH_MAX];
	char *want;

	if (++x->entries > x->limits->entries)
		return err_set(e, 0, "it has more than %zu entries",
			       x->limits->entries);
	/* Skipping costs as much as unpacking, so all sizes count. */
	if (size < 0 || (uint64_t)size > x->limits->file)
		return refuse(e, name ? name : "?", "too large");
	x->size = (uint64_t)size;
	x->total += x->size;
	if (x->total > x->limits->total)
		return err_set(e, 0, "it unpacks to more than %llu MiB",
			       (unsigned long long)x->limits->total >> 20);
	if (!name)
		return 0; /* not expressible here, so not one of ours */
	if (clean_name(name, path) < 0)
		return refuse(e, name, "no name that a package may have");
	want = wanted(path);
	if (!want)
		return 0;
	if (archive_entry_hardlink(entry))
		return refuse(e, name, "a second name of another file");
	switch (archive_entry_filetype(entry)) {
	case AE_IFREG:
		return extract_file(x, want, e);
	case AE_IFDIR:
	case AE_IFLNK: /* lib/modules/REL/build: into the headers */
		return 0;
	default:
		return refuse(e, name, "neither a file nor a folder");
	}
}

static int extract_tar(struct extract *x, struct err *e)
{
	struct archive_entry *entry;
	int r;

	while ((r = archive_read_next_header(x->inner, &entry)) == ARCHIVE_OK ||
	       r == ARCHIVE_WARN)
		if (extract_entry(x, entry, e) < 0)
			return -1;
	if (r != ARCHIVE_EOF)
		return err_set(e, 0, "its data.tar is damaged");
	return 0;
}

static la_ssize_t read_outer(struct archive *a, void *arg, const void **p)
{
	struct extract *x = arg;
	la_ssize_t got =
		archive_read_data(x->outer, x->block, sizeof(x->block));

	if (got < 0)
		archive_set_error(a, EIO, "the package is damaged");
	*p = x->block;
	return got < 0 ? ARCHIVE_FATAL : got;
}

/* By the end of the member's name, as dpkg does it. */
static int choose_filter(struct extract *x, const char *end, struct err *e)
{
	static const struct {
		const char *end;
		enum imageraw_kind kind;
	} kinds[] = {
		{"", IMAGERAW_NONE},	  {".gz", IMAGERAW_GZIP},
		{".xz", IMAGERAW_XZ},	  {".zst", IMAGERAW_ZSTD},
		{".bz2", IMAGERAW_BZIP2}, {".lzma", IMAGERAW_LZMA},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(end, kinds[i].end))
			return imageraw_filter(x->inner, kinds[i].kind, e);
	return err_set(e, 0, "its data.tar is compressed in an unknown way");
}

static int open_tar(struct extract *x, const char *end, struct err *e)
{
	if (choose_filter(x, end, e) < 0)
		return -1;
	if (archive_read_support_format_tar(x->inner) != ARCHIVE_OK ||
	    archive_read_open(x->inner, x, NULL, read_outer, NULL) !=
		    ARCHIVE_OK)
		return err_set(e, 0, "its data.tar is damaged");
	return extract_tar(x, e);
}

static int open_deb(struct extract *x, int deb, struct err *e)
{
	struct archive_entry *entry;

	if (archive_read_support_format_ar(x->outer) != ARCHIVE_OK)
		return err_set(e, 0, "this libarchive has no ar reader");
	if (archive_read_open_fd(x->outer, deb, 65536) != ARCHIVE_OK)
		return err_set(e, 0, "not a Debian package");
	for (int n = 0; n < 16; n++) {
		const char *name;

		if (archive_read_next_header(x->outer, &entry) != ARCHIVE_OK)
			break;
		name = archive_entry_pathname(entry);
		if (name && !strncmp(name, "data.tar", 8))
			return open_tar(x, name + 8, e);
	}
	return err_set(e, 0, "not a Debian package");
}

int imagedeb_extract(const char *deb, int dir,
		     const struct imagedeb_limits *limits, struct err *e)
{
	own_fd fd = open(deb, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct extract *x = fd < 0 ? NULL : calloc(1, sizeof(*x));
	int r = -1;

	if (!x)
		return err_set(e, errno, "package %s", deb);
	x->dir = dir;
	x->limits = limits;
	x->outer = archive_read_new();
	x->inner = archive_read_new();
	if (x->outer && x->inner)
		r = open_deb(x, fd, e);
	else
		err_set(e, ENOMEM, "reading it");
	archive_read_free(x->inner);
	archive_read_free(x->outer);
	free(x);
	return r < 0 ? err_wrap(e, "package %s", deb) : 0;
}
