/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Packages: what an honest one gives, and what hostile ones do not get. */
#include "fakekernel.h"
#include "tap.h"

#include "base/err.h"
#include "base/own.h"
#include "host/image/guestimage.h"
#include "host/image/imagedeb.h"
#include "host/image/imagedir.h"

#include <sys/sysmacros.h>

#define REL "6.5.4-x"
#define MOD "./usr/lib/modules/" REL

static int top; /* holds canary, deb, and out/ */
static char dir[] = "/tmp/vmrun-imagedeb-XXXXXX";

struct item {
	const char *name;
	unsigned type;	  /* AE_IF* */
	const char *link; /* target; of a hard link with AE_IFREG */
	const char *data;
	int64_t size; /* 0: that of data */
};

static void add_item(struct archive *a, const struct item *i)
{
	struct archive_entry *entry = archive_entry_new();
	size_t n = i->data ? strlen(i->data) : 0;

	archive_entry_set_pathname(entry, i->name);
	archive_entry_set_filetype(entry, i->type);
	archive_entry_set_perm(entry, 07777);
	archive_entry_set_size(entry, i->size ? i->size : (int64_t)n);
	if (i->type == AE_IFLNK)
		archive_entry_set_symlink(entry, i->link);
	else if (i->link)
		archive_entry_set_hardlink(entry, i->link);
	if (i->type == AE_IFCHR)
		archive_entry_set_rdev(entry, makedev(1, 3));
	assert(archive_write_header(a, entry) >= ARCHIVE_WARN);
	if (n)
		archive_write_data(a, i->data, n);
	archive_entry_free(entry);
}

static void make_tar(struct buf *tar, const struct item *items, size_t n,
		     int (*filter)(struct archive *))
{
	struct archive *a = archive_write_new();
	size_t used = 0;
	const size_t room = 1 << 20;
	void *p = malloc(room);

	assert(a && p);
	archive_write_set_format_gnutar(a);
	assert(filter(a) == ARCHIVE_OK);
	assert(archive_write_open_memory(a, p, room, &used) == ARCHIVE_OK);
	for (size_t i = 0; i < n; i++)
		add_item(a, &items[i]);
	archive_write_close(a);
	archive_write_free(a);
	buf_put(tar, p, used);
	free(p);
}

static void ar_member(struct buf *deb, const char *name, const void *p,
		      size_t n)
{
	buf_printf(deb, "%-16s%-12d%-6d%-6d%-8s%-10zu`\n", name, 0, 0, 0,
		   "100644", n);
	buf_put(deb, p, n);
	if (n % 2)
		buf_put(deb, "\n", 1);
}

static void make_deb(const char *member, const struct buf *tar)
{
	struct buf deb;

	buf_init(&deb, FAKE_MAX);
	buf_put(&deb, "!<arch>\n", 8);
	ar_member(&deb, "debian-binary", "2.0\n", 4);
	ar_member(&deb, "control.tar.xz", "whatever", 8);
	ar_member(&deb, member, tar->data, tar->len);
	fake_write(top, "deb", deb.data, deb.len);
	buf_free(&deb);
}

/* Extracts the file "deb" into a new out/; 0 or -1. */
static int extract(const struct imagedeb_limits *limits, struct err *e)
{
	char path[64];
	own_fd out = -1;

	assert(imagedir_remove(top, "out", e) == 0);
	assert(mkdirat(top, "out", 0700) == 0);
	out = openat(top, "out", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(path, sizeof(path), "%s/deb", dir);
	return imagedeb_extract(path, out, limits ? limits : &imagedeb_limits,
				e);
}

static int try_items(const struct item *items, size_t n,
		     const struct imagedeb_limits *limits, struct err *e)
{
	struct buf tar;

	buf_init(&tar, FAKE_MAX);
	make_tar(&tar, items, n, archive_write_add_filter_gzip);
	make_deb("data.tar.gz", &tar);
	buf_free(&tar);
	return extract(limits, e);
}

static int canary_whole(void)
{
	char got[16] = "";
	own_fd fd = openat(top, "canary", O_RDONLY | O_CLOEXEC);
	struct stat st;

	return fd >= 0 && read(fd, got, sizeof(got)) == 6 &&
	       !memcmp(got, "canary", 6) && fstat(fd, &st) == 0 &&
	       st.st_nlink == 1 && (st.st_mode & 07777) == 0600;
}

static void refused_list(const struct item *items, size_t n, const char *part,
			 const char *what)
{
	struct err e = ERR_INIT;
	int r = try_items(items, n, NULL, &e);

	if (!tap_ok(r < 0 && strstr(e.msg, part) && canary_whole(),
		    "refused: %s", what))
		printf("# %s\n", r < 0 ? e.msg : "taken");
}

static void refused(struct item item, const char *part, const char *what)
{
	refused_list(&item, 1, part, what);
}

static void test_hostile(void)
{
	const struct item over_link[] = {
		{MOD "/d", AE_IFLNK, "../../../..", NULL, 0},
		{MOD "/d/canary", AE_IFREG, NULL, "gotcha", 0},
	};
	const struct item twice[] = {
		{MOD "/f.ko", AE_IFREG, NULL, "one", 0},
		{MOD "/f.ko", AE_IFREG, NULL, "two", 0},
	};
	const struct item file_as_dir[] = {
		{MOD "/f", AE_IFREG, NULL, "one", 0},
		{MOD "/f/g", AE_IFREG, NULL, "two", 0},
	};
	const struct item merged[] = {
		{"./lib/modules/f.ko", AE_IFREG, NULL, "one", 0},
		{"usr//lib/modules/./f.ko", AE_IFREG, NULL, "two", 0},
	};
	struct err e = ERR_INIT;
	char deep[2 * 65 + 1];

	for (size_t i = 0; i < 65; i++)
		memcpy(deep + 2 * i, "d/", 3);
	refused((struct item){"../canary", AE_IFREG, NULL, "gotcha", 0},
		"no name", "a name with ..");
	refused((struct item){"./boot/vmlinuz-/../../../canary", AE_IFREG, NULL,
			      "gotcha", 0},
		"no name", ".. behind a good beginning");
	refused((struct item){"lib/modules/..", AE_IFREG, NULL, "x", 0},
		"no name", ".. at the end");
	refused((struct item){"/tmp/canary", AE_IFREG, NULL, "gotcha", 0},
		"no name", "an absolute name");
	refused((struct item){deep, AE_IFREG, NULL, "x", 0}, "no name",
		"a deep name");
	refused((struct item){MOD "/x", AE_IFREG, "../canary", NULL, 0},
		"second name", "a hard link");
	refused((struct item){"./boot/vmlinuz-" REL, AE_IFCHR, NULL, NULL, 0},
		"neither a file", "a device");
	refused((struct item){MOD "/x", AE_IFIFO, NULL, NULL, 0},
		"neither a file", "a FIFO");
	refused((struct item){"./usr/share/huge", AE_IFREG, NULL, NULL,
			      (int64_t)513 << 20},
		"too large", "a huge file that would be skipped");
	refused_list(twice, 2, "there twice", "a file twice");
	refused_list(merged, 2, "there twice", "a file by two names");
	refused_list(file_as_dir, 2, "Not a directory", "a file as a folder");
	tap_ok(try_items(over_link, 2, NULL, &e) == 0 && canary_whole() &&
		       faccessat(top, "out/lib/modules/" REL "/d/canary", F_OK,
				 AT_SYMLINK_NOFOLLOW) == 0,
	       "a link is left out: writing \"through\" it stays inside");
}

static void test_shown(void)
{
	const struct item evil = {"x\033]0;\007/../y", AE_IFREG, NULL, "", 0};
	struct err e = ERR_INIT;

	tap_ok(try_items(&evil, 1, NULL, &e) < 0 && !strchr(e.msg, '\033') &&
		       strstr(e.msg, "x\\x1b]0;\\x07/../y"),
	       "a hostile name is escaped in the message");
}

/* A block of ustar(5) in front of n bytes. */
static void put_header(struct buf *tar, const char *name, char type, size_t n)
{
	char h[512] = {0};
	unsigned sum = 0;

	snprintf(h, 100, "%s", name);
	snprintf(h + 100, 8, "0000644");
	snprintf(h + 124, 12, "%011zo", n);
	memset(h + 148, ' ', 8);
	h[156] = type;
	memcpy(h + 257, "ustar", 6);
	h[263] = h[264] = '0';
	for (size_t i = 0; i < sizeof(h); i++)
		sum += (unsigned char)h[i];
	snprintf(h + 148, 8, "%06o", sum);
	buf_put(tar, h, sizeof(h));
}

/* Of one that says it has a byte there is a block of 4 KiB. */
static void test_lie(void)
{
	static const char says[512] = "25 GNU.sparse.realsize=1\n";
	static const char body[4096], end[1024];
	const struct imagedeb_limits few = {8192, 2000, 8};
	struct err e = ERR_INIT;
	struct buf tar;

	buf_init(&tar, FAKE_MAX);
	put_header(&tar, "x", 'x', strlen(says));
	buf_put(&tar, says, sizeof(says));
	put_header(&tar, MOD "/a", '0', sizeof(body));
	buf_put(&tar, body, sizeof(body));
	buf_put(&tar, end, sizeof(end));
	make_deb("data.tar", &tar);
	buf_free(&tar);
	tap_ok(extract(&few, &e) < 0 && strstr(e.msg, "larger than it says"),
	       "refused: more than the header says, which is what is counted");
}

static void test_limits(void)
{
	const struct imagedeb_limits few = {100, 250, 3};
	struct item items[] = {
		{"a", AE_IFREG, NULL, NULL, 100},
		{"b", AE_IFREG, NULL, NULL, 100},
		{"c", AE_IFREG, NULL, NULL, 100},
		{"d", AE_IFREG, NULL, NULL, 1},
	};
	struct err e = ERR_INIT;

	tap_ok(try_items(items, 2, &few, &e) == 0, "below all limits");
	tap_ok(try_items(items, 3, &few, &e) < 0 &&
		       strstr(e.msg, "unpacks to more"),
	       "refused: too much, even if skipped");
	items[0].size = 101;
	tap_ok(try_items(items, 1, &few, &e) < 0 && strstr(e.msg, "too large"),
	       "refused: one too large");
	for (size_t i = 0; i < 4; i++)
		items[i].size = 1;
	tap_ok(try_items(items, 4, &few, &e) < 0 &&
		       strstr(e.msg, "more than 3 entries"),
	       "refused: too many");
}

static void test_damaged(void)
{
	const struct item item = {"./boot/vmlinuz-" REL, AE_IFREG, NULL,
				  "kernel", 0};
	struct err e = ERR_INIT;
	struct buf tar;
	size_t cut_taken = 0;

	fake_write(top, "deb", "no archive", 10);
	tap_ok(extract(NULL, &e) < 0 && strstr(e.msg, "not a Debian package"),
	       "refused: no archive");
	fake_write(top, "deb", "", 0);
	tap_ok(extract(NULL, &e) < 0, "refused: nothing");
	fake_write(top, "deb", "!<arch>\n", 8);
	tap_ok(extract(NULL, &e) < 0 && strstr(e.msg, "not a Debian package"),
	       "refused: an empty archive");
	buf_init(&tar, FAKE_MAX);
	make_tar(&tar, &item, 1, archive_write_add_filter_xz);
	make_deb("data.tar.rot13", &tar);
	tap_ok(extract(NULL, &e) < 0 && strstr(e.msg, "unknown way"),
	       "refused: an unknown compression");
	for (tar.len--; tar.len > 20; tar.len -= 20) {
		make_deb("data.tar.xz", &tar);
		cut_taken += extract(NULL, &e) == 0;
	}
	tap_ok(cut_taken == 0, "refused: cut anywhere");
	buf_free(&tar);
}

/* A file below out/ holds exactly that, and only its owner may touch it. */
static void check_file(const char *path, const char *want)
{
	char got[64] = "";
	own_fd fd = openat(top, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	ssize_t n = fd < 0 ? -1 : read(fd, got, sizeof(got) - 1);

	tap_ok(n == (ssize_t)strlen(want) && !strcmp(got, want) &&
		       fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0600,
	       "%s is there, and its mode is ours", path);
}

static void test_honest(void)
{
	static const struct {
		const char *member;
		int (*filter)(struct archive *);
	} kinds[] = {
		{"data.tar", archive_write_add_filter_none},
		{"data.tar.gz", archive_write_add_filter_gzip},
		{"data.tar.xz", archive_write_add_filter_xz},
		{"data.tar.zst/", archive_write_add_filter_zstd},
	};
	const struct item items[] = {
		{"./", AE_IFDIR, NULL, NULL, 0},
		{"./boot/", AE_IFDIR, NULL, NULL, 0},
		{"./boot/config-" REL, AE_IFREG, NULL, "config", 0},
		{"./boot/vmlinuz-" REL, AE_IFREG, NULL, "kernel", 0},
		{MOD "/kernel/a.ko", AE_IFREG, NULL, "module", 0},
		{MOD "/build", AE_IFLNK, "/usr/src/x", NULL, 0},
		{"./usr/share/doc/x", AE_IFREG, NULL, "text", 0},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct err e = ERR_INIT;
		struct buf tar;

		buf_init(&tar, FAKE_MAX);
		make_tar(&tar, items, sizeof(items) / sizeof(items[0]),
			 kinds[i].filter);
		make_deb(kinds[i].member, &tar);
		buf_free(&tar);
		tap_ok(extract(NULL, &e) == 0, "%s", kinds[i].member);
		check_file("out/boot/vmlinuz-" REL, "kernel");
		check_file("out/lib/modules/" REL "/kernel/a.ko", "module");
		tap_ok(faccessat(top, "out/boot/config-" REL, F_OK, 0) < 0 &&
			       faccessat(top, "out/usr", F_OK, 0) < 0 &&
			       faccessat(top, "out/lib/modules/" REL "/build",
					 F_OK, AT_SYMLINK_NOFOLLOW) < 0,
		       "and nothing else");
	}
}

/* Through the whole import: the package has no kernel. */
static void test_no_kernel(void)
{
	const struct item item = {"./usr/share/doc/x", AE_IFREG, NULL, "text",
				  0};
	struct err e = ERR_INIT;
	char deb[64], data[64];
	char *debs[] = {deb, NULL};

	try_items(&item, 1, NULL, &e);
	snprintf(deb, sizeof(deb), "%s/deb", dir);
	snprintf(data, sizeof(data), "%s/data", dir);
	tap_ok(guestimage_import_debs(data, NULL, debs, "/dev/null", &e) < 0 &&
		       strstr(e.msg, "no kernel") && e.hint[0],
	       "refused: a package without a kernel");
	tap_ok(faccessat(top, "data/images/default", F_OK, 0) < 0,
	       "and there is no image");
}

int main(void)
{
	struct err e = ERR_INIT;

	assert(mkdtemp(dir));
	top = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fake_write(top, "canary", "canary", 6);
	test_hostile();
	test_shown();
	test_limits();
	test_lie();
	test_damaged();
	test_honest();
	test_no_kernel();
	tap_ok(imagedir_remove(AT_FDCWD, dir, &e) == 0, "cleaned up");
	close(top);
	return tap_done();
}
