/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Guest images: from a made-up kernel and its modules to the folder. */
#include "fakekernel.h"
#include "tap.h"

#include "base/err.h"
#include "base/json.h"
#include "base/own.h"
#include "host/image/guestimage.h"
#include "host/image/imagedir.h"
#include "host/image/imagemodules.h"

#include <dirent.h>

static int top; /* the test's folder */
static char data[64], init[64], kernel[64], modules[64];

#define MODULES "lib/modules/" FAKE_RELEASE

static void add(const char *file, const char *depends, const char *softdep)
{
	char path[128];

	snprintf(path, sizeof(path), MODULES "/%s", file);
	fake_add_module(top, path, depends, softdep, FAKE_RELEASE, NULL);
}

static void built_in(const char *lines)
{
	fake_write(top, MODULES "/modules.builtin", lines, strlen(lines));
}

/* A kernel that has the usual things as modules. */
static void fake_modules(void)
{
	struct err e = ERR_INIT;

	assert(imagedir_remove(top, "lib", &e) == 0);
	fake_mkdirs(top, MODULES "/kernel/virtio");
	fake_mkdirs(top, MODULES "/kernel/fs");
	fake_mkdirs(top, MODULES "/updates");
	built_in("kernel/x/rng-core.ko\nkernel/crypto/crc16.ko\n");
	add("kernel/virtio/virtio.ko", "", "");
	add("kernel/virtio/virtio_ring.ko", "virtio", "");
	add("kernel/virtio/virtio_mmio.ko", "virtio_ring,virtio", "");
	fake_add_module(top, MODULES "/kernel/virtio/virtio_console.ko.xz",
			"virtio,virtio_ring", "", FAKE_RELEASE,
			archive_write_add_filter_xz);
	fake_add_module(top, MODULES "/kernel/fs/virtiofs.ko.zst", "fuse", "",
			FAKE_RELEASE, archive_write_add_filter_zstd);
	add("kernel/fs/fuse.ko", "", "");
	add("kernel/fs/ext4.ko", "jbd2,crc16",
	    "pre: crc32c nothing-like-it post: fuse");
	add("kernel/fs/jbd2.ko", "", "");
	add("kernel/fs/crc32c_generic.ko", "", "");
	add("kernel/virtio/virtio-rng.ko", "rng-core", "");
	add("kernel/virtio/loop.ko", "jbd2", "");
	add("kernel/virtio/unused.ko", "nowhere", "");
	add("kernel/virtio/nf_tables.ko", "virtio", "");
}

/* The groups and files as text, or the error's. */
static const char *collect(struct err *e)
{
	static char text[2048];
	own_fd src = openat(top, MODULES, O_RDONLY | O_DIRECTORY);
	own_fd out = -1;
	struct imagemodules m;
	size_t n = 0;

	assert(src >= 0 && imagedir_remove(top, "out", e) == 0);
	mkdirat(top, "out", 0700);
	out = openat(top, "out", O_RDONLY | O_DIRECTORY);
	if (imagemodules_collect(src, FAKE_RELEASE, out, &m, e) < 0)
		return e->msg;
	text[0] = '\0';
	for (size_t i = 0; i < m.n; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s %s\n",
				      m.rows[i].group, m.rows[i].file);
	imagemodules_free(&m);
	return text;
}

static void test_modules(void)
{
	struct err e = ERR_INIT;

	fake_modules();
	tap_str(collect(&e),
		"boot virtio.ko\nboot virtio_ring.ko\nboot virtio_mmio.ko\n"
		"boot virtio_console.ko\nboot fuse.ko\nboot virtiofs.ko\n"
		"nft nf_tables.ko\nbridge nf_tables.ko\n"
		"disk jbd2.ko\ndisk crc32c_generic.ko\ndisk ext4.ko\n"
		"late virtio-rng.ko\n"
		"dev:loop-control jbd2.ko\ndev:loop-control loop.ko\n",
		"dependencies come first, in each group that is loaded alone");
	built_in("kernel/a/virtio_mmio.ko\nkernel/a/virtio_console.ko\n"
		 "kernel/a/virtiofs.ko\nkernel/a/ext4.ko\nkernel/a/loop.ko\n"
		 "kernel/a/virtio-rng.ko\nkernel/a/nf_tables.ko\n");
	tap_str(collect(&e), "dev:fuse fuse.ko\n",
		"what is built in needs nothing");
}

static void refused(const char *part, const char *what)
{
	struct err e = ERR_INIT;
	const char *got = collect(&e);

	if (!tap_ok(e.msg[0] && strstr(e.msg, part), "refused: %s", what))
		printf("# %s\n", got);
}

static void test_bad_modules(void)
{
	fake_modules();
	unlinkat(top, MODULES "/kernel/fs/virtiofs.ko.zst", 0);
	refused("has no virtiofs, neither", "no virtiofs");

	fake_modules();
	unlinkat(top, MODULES "/kernel/fs/fuse.ko", 0);
	refused("module fuse is missing", "a missing dependency");

	fake_modules();
	assert(symlinkat("/etc/passwd", top,
			 MODULES "/kernel/fs/virtiofs.ko") == 0);
	unlinkat(top, MODULES "/kernel/fs/virtiofs.ko.zst", 0);
	refused("has no virtiofs, neither", "a link in a module's place");

	fake_modules();
	add("kernel/virtio/virtio.ko", "virtio_ring", "");
	refused("depends on itself", "a circle");

	fake_modules();
	fake_add_module(top, MODULES "/kernel/virtio/virtio.ko", "", "",
			"9.8.7-tests", NULL);
	refused("for another kernel: 9.8.7-tests", "another kernel's modules");

	fake_modules();
	fake_write(top, MODULES "/kernel/virtio/virtio.ko", "no ELF file", 11);
	refused("not a kernel module", "a module that is none");

	fake_modules();
	fake_write(top, MODULES "/kernel/virtio/virtio.ko", "", 0);
	refused("empty", "an empty module");

	fake_modules();
	fake_write(top, MODULES "/kernel/fs/virtiofs.ko.zst",
		   "\x28\xb5\x2f\xfdnonsense", 12);
	refused("damaged", "a damaged module");

	fake_modules();
	unlinkat(top, MODULES "/modules.builtin", 0);
	refused("modules.builtin", "no modules.builtin");
}

/* The initramfs as text: a line for each entry. */
static void read_cpio(const char *path, struct buf *text)
{
	struct archive *a = archive_read_new();
	struct archive_entry *entry;
	char list[512];

	archive_read_support_format_cpio(a);
	assert(archive_read_open_filename(a, path, 65536) == ARCHIVE_OK);
	while (archive_read_next_header(a, &entry) == ARCHIVE_OK) {
		const char *name = archive_entry_pathname(entry);

		buf_printf(text, "%s %o %d %d %d\n", name,
			   archive_entry_mode(entry),
			   (int)archive_entry_uid(entry),
			   (int)archive_entry_gid(entry),
			   (int)archive_entry_mtime(entry));
		if (!strcmp(name, "modules/list") || !strcmp(name, "init")) {
			la_ssize_t n = archive_read_data(a, list, sizeof(list));

			buf_put(text, list, n > 0 ? (size_t)n : 0);
		}
	}
	buf_put_u8(text, 0);
	archive_read_free(a);
}

static void check_mode(const char *path, mode_t mode, const char *what)
{
	struct stat st;

	tap_ok(fstatat(top, path, &st, 0) == 0 && (st.st_mode & 07777) == mode,
	       "%s is %04o whatever the umask", what, (unsigned)mode);
}

/* Nothing but the lock and the images is in the folder. */
static int entries(void)
{
	own_fd fd = openat(top, "data/images", O_RDONLY | O_DIRECTORY);
	own_dir d = fdopendir(steal_fd(&fd));
	int n = 0;

	while (readdir(d))
		n++;
	return n - 3; /* . .. .lock */
}

static void test_cpio(struct guestimage *img)
{
	struct buf text;

	buf_init(&text, 65536);
	read_cpio(img->initramfs, &text);
	tap_str((char *)text.data,
		"dev 40755 0 0 0\nmodules 40755 0 0 0\nnewroot 40755 0 0 0\n"
		"proc 40755 0 0 0\nsys 40755 0 0 0\n"
		"init 100755 0 0 0\nI am init\n"
		"modules/list 100644 0 0 0\n"
		"boot virtio.ko\nboot virtio_ring.ko\nboot virtio_mmio.ko\n"
		"boot virtio_console.ko\nboot fuse.ko\nboot virtiofs.ko\n"
		"disk jbd2.ko\ndisk crc32c_generic.ko\ndisk ext4.ko\n"
		"late virtio-rng.ko\n"
		"dev:loop-control jbd2.ko\ndev:loop-control loop.ko\n"
		"modules/virtio.ko 100644 0 0 0\n"
		"modules/virtio_ring.ko 100644 0 0 0\n"
		"modules/virtio_mmio.ko 100644 0 0 0\n"
		"modules/virtio_console.ko 100644 0 0 0\n"
		"modules/fuse.ko 100644 0 0 0\n"
		"modules/virtiofs.ko 100644 0 0 0\n"
		"modules/jbd2.ko 100644 0 0 0\n"
		"modules/crc32c_generic.ko 100644 0 0 0\n"
		"modules/ext4.ko 100644 0 0 0\n"
		"modules/virtio-rng.ko 100644 0 0 0\n"
		"modules/loop.ko 100644 0 0 0\n",
		"the initramfs holds init, the list and each module once");
	buf_free(&text);
}

/* The other one: nft beside init, and the modules that it needs. */
static void test_firewall(struct guestimage *img)
{
	static const char *const entries[] = {
		"init 100755 ",	   "nft/ld.so 100755 ",	   "nft/nft 100755 ",
		"nft/libc.so.6 ",  "boot virtio.ko\n",	   "nft nf_tables.ko\n",
		"late virtio-rng", "modules/nf_tables.ko "};
	static const char *const others[] = {"disk ext4.ko", "modules/ext4.ko",
					     "dev:"};
	struct buf text;

	if (access("/usr/sbin/nft", X_OK) < 0) {
		tap_skip("an initramfs for firewalls", "no nft here");
		return;
	}
	buf_init(&text, 65536);
	read_cpio(img->firewall, &text);
	for (size_t i = 0; i < sizeof(entries) / sizeof(*entries); i++)
		tap_ok(strstr((char *)text.data, entries[i]) != NULL,
		       "the firewall's initramfs has %s", entries[i]);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		tap_ok(!strstr((char *)text.data, others[i]), "and has no %s",
		       others[i]);
	buf_free(&text);
}

static void read_whole(const char *path, struct buf *b)
{
	struct err e = ERR_INIT;

	buf_clear(b);
	assert(io_read_file(AT_FDCWD, path, b, &e) == 0);
}

static void test_import(void)
{
	struct err e = ERR_INIT;
	struct guestimage img;
	struct buf one, two;

	buf_init(&one, FAKE_MAX);
	buf_init(&two, FAKE_MAX);
	umask(077);
	fake_modules();
	tap_ok(guestimage_find(data, "absent", &img, &e) < 0 &&
		       e.code == ENOENT &&
		       strstr(e.hint, "vmrunctl image import"),
	       "no image: the remedy is named");
	tap_ok(guestimage_import(data, NULL, kernel, modules, init, &e) == 0,
	       "import");
	tap_ok(guestimage_find(data, NULL, &img, &e) == 0, "find");
	tap_str(img.release, FAKE_RELEASE, "the release");
	tap_str(img.name, "default", "the name");
	tap_ok(img.bytes > 5000, "the size");
	check_mode("data/images/default", 0755, "the folder");
	check_mode("data/images/default/vmlinux", 0644, "the kernel");
	check_mode("data/images/default/initramfs", 0644, "the initramfs");
	check_mode("data/images/default/image.json", 0644, "the description");
	test_cpio(&img);
	test_firewall(&img);
	read_whole(img.initramfs, &one);
	tap_ok(one.len && one.len % 4096 == 0,
	       "whole pages, so that QEMU leaves one for the ACPI tables");
	tap_ok(guestimage_import(data, NULL, kernel, modules, init, &e) == 0,
	       "import in the place of another");
	read_whole(img.initramfs, &two);
	tap_ok(one.len == two.len && !memcmp(one.data, two.data, one.len),
	       "the same initramfs, byte for byte");
	tap_ok(entries() == 1, "nothing is left behind");
	guestimage_free(&img);
	buf_free(&one);
	buf_free(&two);
}

static void test_failures(void)
{
	struct err e = ERR_INIT;
	struct guestimage img;
	struct buf b;

	fake_modules();
	tap_ok(guestimage_import(data, NULL, "/dev/null", modules, init, &e) <
		       0,
	       "refused: no kernel");
	tap_ok(guestimage_import(data, NULL, kernel, "/nonexistent", init, &e) <
		       0,
	       "refused: no modules");
	tap_ok(guestimage_import(data, NULL, kernel, modules, "/nonexistent",
				 &e) < 0 &&
		       strstr(e.hint, "VMRUN_LIBEXECDIR"),
	       "refused: no init");
	unlinkat(top, MODULES "/kernel/fs/fuse.ko", 0);
	tap_ok(guestimage_import(data, NULL, kernel, modules, init, &e) < 0,
	       "refused: incomplete modules");
	tap_ok(guestimage_find(data, NULL, &img, &e) == 0,
	       "the earlier image is still there");
	tap_ok(entries() == 1, "nothing is left behind by failures");
	/* As if an import had been killed. */
	fake_mkdirs(top, "data/images/.tmp-0123/image/deep");
	buf_init(&b, 16);
	buf_put(&b, "x", 1);
	fake_write(top, "data/images/.tmp-0123/image/deep/f", b.data, 1);
	buf_free(&b);
	assert(symlinkat(init, top, "data/images/.tmp-0123/link") == 0);
	tap_ok(guestimage_import(data, NULL, "/dev/null", NULL, init, &e) < 0 &&
		       entries() == 1,
	       "what a killed import left is removed by the next");
	tap_ok(access(init, F_OK) == 0, "links in it are not followed");
	guestimage_free(&img);
}

/* An installation's images are listed as well: there may be more. */
static int lists(const struct guestimage *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(list[i].name, name))
			return 1;
	return 0;
}

static int is_sorted(const struct guestimage *list, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (strcmp(list[i - 1].name, list[i].name) >= 0)
			return 0;
	return n > 0;
}

static void test_list_remove(void)
{
	static const char older[] =
		"{\"format\":3,\"protocol\":1,\"release\":\"6.1.0\"}";
	struct err e = ERR_INIT;
	struct guestimage *list, img;
	size_t n;

	tap_ok(guestimage_import(data, "another", kernel, NULL, init, &e) == 0,
	       "import without modules");
	fake_mkdirs(top, "data/images/broken");
	tap_ok(guestimage_list(data, &list, &n, &e) == 0 &&
		       lists(list, n, "another") && lists(list, n, "default") &&
		       !lists(list, n, "broken"),
	       "the list has both, and no broken images");
	tap_ok(is_sorted(list, n), "it is sorted");
	while (n)
		guestimage_free(&list[--n]);
	free(list);
	tap_ok(guestimage_remove(data, "none", &e) < 0,
	       "refused: removing what is not there");
	tap_ok(guestimage_remove(data, "../data", &e) < 0 &&
		       guestimage_remove(data, ".lock", &e) < 0 &&
		       guestimage_remove(data, "", &e) < 0,
	       "refused: removing what is no image's name");
	tap_ok(guestimage_remove(data, "broken", &e) == 0 &&
		       guestimage_remove(data, "another", &e) == 0 &&
		       entries() == 1,
	       "removed");
	fake_write(top, "data/images/default/image.json", "{\"format\":3}", 12);
	tap_ok(guestimage_find(data, "default", &img, &e) < 0 &&
		       strstr(e.msg, "cannot be used") && e.code != ENOENT,
	       "refused: a description of another version");
	fake_write(top, "data/images/default/image.json", older, strlen(older));
	tap_ok(guestimage_find(data, "default", &img, &e) < 0 &&
		       strstr(e.msg, "another version"),
	       "refused: an image whose vmrun-init speaks another protocol");
}

int main(void)
{
	char dir[] = "/tmp/vmrun-guestimage-XXXXXX";
	struct err e = ERR_INIT;
	struct buf b;

	assert(mkdtemp(dir));
	top = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(data, sizeof(data), "%s/data", dir);
	snprintf(init, sizeof(init), "%s/init", dir);
	snprintf(kernel, sizeof(kernel), "%s/kernel", dir);
	snprintf(modules, sizeof(modules), "%s/" MODULES, dir);
	fake_write(top, "init", "I am init\n", 10);
	buf_init(&b, FAKE_MAX);
	fake_kernel(&b);
	fake_write(top, "kernel", b.data, b.len);
	buf_free(&b);

	test_bad_modules();
	test_modules();
	test_import();
	test_failures();
	test_list_remove();

	tap_ok(imagedir_remove(AT_FDCWD, dir, &e) == 0, "cleaned up");
	close(top);
	return tap_done();
}
