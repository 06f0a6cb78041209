/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Kernels: what a bzImage's header may say, and what is inside. */
#include "fakekernel.h"
#include "tap.h"

#include "base/err.h"
#include "base/own.h"
#include "host/image/imagedir.h"
#include "host/image/imagekernel.h"
#include "host/image/imageraw.h"

#include <sys/mman.h>

static struct buf elf, packed, image;

static void setup(void)
{
	buf_init(&elf, FAKE_MAX);
	buf_init(&packed, FAKE_MAX);
	buf_init(&image, FAKE_MAX);
}

static void teardown(void)
{
	buf_free(&elf);
	buf_free(&packed);
	buf_free(&image);
}

/* Unpacks `image` by way of a file; the result's descriptor, or -1. */
static int unpack(char release[IMAGEKERNEL_RELEASE_MAX], struct err *e)
{
	own_fd in = memfd_create("in", MFD_CLOEXEC);
	own_fd out = memfd_create("out", MFD_CLOEXEC);
	char path[32];

	assert(in >= 0 && out >= 0);
	assert(io_write_all(in, image.data, image.len) == 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", in);
	if (imagekernel_unpack(AT_FDCWD, path, out, release, e) < 0)
		return -1;
	return steal_fd(&out);
}

static void unpacks_to_elf(const char *how)
{
	struct err e = ERR_INIT;
	char release[IMAGEKERNEL_RELEASE_MAX] = "";
	own_fd fd = unpack(release, &e);
	own_free unsigned char *got = malloc(elf.len + 1);
	ssize_t n = fd < 0 ? -1 : pread(fd, got, elf.len + 1, 0);

	tap_ok(n == (ssize_t)elf.len && !memcmp(got, elf.data, elf.len),
	       "%s: the vmlinux comes out", how);
	tap_str(release, FAKE_RELEASE, how);
	if (fd < 0)
		printf("# %s\n", e.msg);
}

static void refused(const char *part, const char *what)
{
	struct err e = ERR_INIT;
	char release[IMAGEKERNEL_RELEASE_MAX];
	own_fd fd = unpack(release, &e);

	if (!tap_ok(fd < 0 && strstr(e.msg, part), "refused: %s", what))
		printf("# %s\n", fd < 0 ? e.msg : "taken");
}

static void test_filters(void)
{
	static const struct {
		const char *name;
		int (*filter)(struct archive *);
	} all[] = {
		{"gzip", archive_write_add_filter_gzip},
		{"bzip2", archive_write_add_filter_bzip2},
		{"xz", archive_write_add_filter_xz},
		{"lzma", archive_write_add_filter_lzma},
		{"lz4", archive_write_add_filter_lz4},
		{"zstd", archive_write_add_filter_zstd},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		setup();
		fake_vmlinux(&elf, 1, 100000);
		fake_compress(&packed, &elf, all[i].filter);
		/* gzip ends with the size by itself */
		if (i)
			buf_put_u32(&packed, (uint32_t)elf.len);
		fake_bzimage(&image, &packed);
		unpacks_to_elf(all[i].name);
		teardown();
	}
}

/* The kernel's makefiles use lz4's legacy form: blocks, and no end. */
static void test_lz4_legacy(void)
{
	setup();
	fake_vmlinux(&elf, 1, 0);
	assert(elf.len >= 15 && elf.len - 15 < 255);
	buf_put_u32(&packed, 0x184c2102);
	buf_put_u32(&packed, (uint32_t)elf.len + 2);
	buf_put_u8(&packed, 0xf0); /* literals only, at least 15 */
	buf_put_u8(&packed, (uint8_t)(elf.len - 15));
	buf_put(&packed, elf.data, elf.len);
	buf_put_u32(&packed, (uint32_t)elf.len);
	fake_bzimage(&image, &packed);
	unpacks_to_elf("lz4 legacy");
	teardown();
}

static void test_vmlinux(void)
{
	struct err e = ERR_INIT;
	char release[IMAGEKERNEL_RELEASE_MAX] = "";
	own_fd fd = -1;

	setup();
	fake_vmlinux(&image, 1, 100);
	refused("which release", "a vmlinux without its banner");
	buf_put(&image, "Linux version %s (", 18);
	buf_put(&image, "Linux version 9.8.7-test (x", 27);
	fd = unpack(release, &e);
	tap_ok(fd >= 0, "a vmlinux is taken as it is");
	tap_str(release, FAKE_RELEASE, "its banner says the release");
	teardown();
}

/* Each lie is told by an otherwise good image. */
static void lie(size_t at, uint32_t v, size_t n, const char *part,
		const char *what)
{
	setup();
	fake_kernel(&image);
	fake_le(&image, at, v, n);
	refused(part, what);
	teardown();
}

static void test_lies(void)
{
	lie(0x1fe, 0, 2, "not an x86 kernel", "no boot flag");
	lie(0x202, 0, 4, "not an x86 kernel", "no magic");
	lie(0x206, 0x207, 2, "older", "an old boot protocol");
	lie(0x1f1, 0xff, 1, "cut short", "more setup sectors than file");
	lie(0x248, 0xffffffff, 4, "cut short", "payload offset of 4 GiB");
	lie(0x24c, 0xffffffff, 4, "cut short", "payload of 4 GiB");
	lie(0x24c, 0, 4, "no compressed part", "payload of nothing");
	lie(0x24c, 4, 4, "no compressed part", "payload of a size only");
	lie(0x248, 17, 4, "not as long", "payload one byte late");
	lie(0x20e, 0, 2, "which release", "no version");
	lie(0x20e, 0xffff, 2, "which release", "version behind the header");
	lie(0x300, '/', 1, "which release", "version with a slash");
	lie(0x300, 0, 1, "which release", "empty version");
	lie(FAKE_START + FAKE_PAYLOAD + 20, 0x5a5a5a5a, 4, "damaged",
	    "a flipped byte inside");
	lie(FAKE_START + FAKE_PAYLOAD, 0x4f5a4c89, 4, "not supported",
	    "lzo, which would need another program");
}

static void test_truncated(void)
{
	size_t bad = 0, whole;

	setup();
	fake_kernel(&image);
	whole = image.len - 4; /* behind the payload */
	for (size_t n = 1; n < whole; n += n < 1100 ? 1 : 7) {
		struct err e = ERR_INIT;
		struct imagekernel k;

		bad += imagekernel_header(image.data, n, &k, &e) < 0;
		bad -= 1;
	}
	tap_ok(bad == 0, "refused: cut anywhere");
	teardown();
}

static void test_sizes(void)
{
	setup();
	fake_vmlinux(&elf, 1, 1000);
	fake_compress(&packed, &elf, archive_write_add_filter_xz);
	buf_put_u32(&packed, (uint32_t)elf.len + 1);
	fake_bzimage(&image, &packed);
	refused("not as long", "a size that is not what comes out");
	teardown();

	setup();
	refused("empty", "an empty file");
	teardown();
}

/* A few KiB that unpack to one MiB more than is allowed. */
static void test_bomb(void)
{
	struct err e = ERR_INIT;
	own_fd out = memfd_create("out", MFD_CLOEXEC);
	struct buf zeros;
	uint64_t len;

	setup();
	buf_init(&zeros, FAKE_MAX);
	memset(buf_grow(&zeros, 3 << 20), 0, 3 << 20);
	fake_compress(&packed, &zeros, archive_write_add_filter_xz);
	tap_ok(imageraw_unpack(packed.data, packed.len, 2 << 20, out, &len,
			       &e) < 0 &&
		       strstr(e.msg, "more than 2 MiB"),
	       "refused: a bomb");
	tap_ok(lseek(out, 0, SEEK_END) <= 2 << 20,
	       "no more than the maximum was written");
	buf_free(&zeros);
	teardown();
}

static void test_elf(void)
{
	setup();
	fake_vmlinux(&elf, 0, 100);
	fake_compress(&packed, &elf, archive_write_add_filter_xz);
	buf_put_u32(&packed, (uint32_t)elf.len);
	fake_bzimage(&image, &packed);
	refused("CONFIG_PVH", "a kernel without a PVH entry");
	teardown();

	setup();
	buf_put(&elf, "no kernel at all", 16);
	fake_compress(&packed, &elf, archive_write_add_filter_xz);
	buf_put_u32(&packed, (uint32_t)elf.len);
	fake_bzimage(&image, &packed);
	refused("not an ELF", "something else inside");
	teardown();
}

/* Every byte of the headers changed, every length: no answer but yes or no. */
static void test_elf_flips(void)
{
	struct err e = ERR_INIT;
	size_t taken = 0;

	setup();
	fake_vmlinux(&elf, 1, 0);
	tap_ok(imagekernel_check_elf(elf.data, elf.len, &e) == 0,
	       "the sample is good");
	for (size_t n = 0; n < elf.len; n++) {
		/* A copy of exactly n bytes: reading past it is caught. */
		own_free void *cut = malloc(n ? n : 1);

		memcpy(cut, elf.data, n);
		taken += imagekernel_check_elf(cut, n, &e) == 0;
	}
	tap_ok(taken == 0, "refused: cut anywhere");
	for (size_t i = 0; i < elf.len * 8; i++) {
		elf.data[i / 8] ^= (unsigned char)(1 << i % 8);
		taken += imagekernel_check_elf(elf.data, elf.len, &e) == 0;
		elf.data[i / 8] ^= (unsigned char)(1 << i % 8);
	}
	tap_ok(taken > 0 && taken < elf.len * 8,
	       "flipped bits: some matter, some do not");
	teardown();
}

static void test_release(void)
{
	tap_ok(imagekernel_is_release("6.1.0-56-cloud-amd64") &&
		       imagekernel_is_release("6.12.107+deb12~rc1_x"),
	       "releases");
	tap_ok(!imagekernel_is_release("") && !imagekernel_is_release(".") &&
		       !imagekernel_is_release("..") &&
		       !imagekernel_is_release("6/1") &&
		       !imagekernel_is_release("6 1") &&
		       !imagekernel_is_release("-6"),
	       "no releases");
}

static void newest_is(int root, const char *want, const char *what)
{
	struct err e = ERR_INIT;
	own_free char *k = NULL;
	own_free char *modules = NULL;

	if (imagekernel_installed(root, &k, &modules, &e) < 0)
		tap_str(e.code == ENOENT ? "none" : e.msg, want, what);
	else
		tap_str(k, want, what);
	if (modules)
		tap_ok(faccessat(root, modules, F_OK, 0) == 0,
		       "and its modules");
}

static void test_installed(void)
{
	char dir[] = "/tmp/vmrun-imagekernel-XXXXXX";
	struct err e = ERR_INIT;
	own_fd root = -1;

	assert(mkdtemp(dir));
	root = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	newest_is(root, "none", "an empty root");
	fake_mkdirs(root, "boot");
	fake_write(root, "boot/vmlinuz-6.11.0-1", "x", 1);
	newest_is(root, "none", "a kernel without modules");
	fake_mkdirs(root, "lib/modules/6.12.0-1");
	newest_is(root, "none", "modules without their kernel");
	fake_mkdirs(root, "lib/modules/6.9.0-1");
	fake_write(root, "boot/vmlinuz-6.9.0-1", "x", 1);
	newest_is(root, "boot/vmlinuz-6.9.0-1", "one of each");
	fake_write(root, "lib/modules/6.12.0-1/vmlinuz", "x", 1);
	newest_is(root, "lib/modules/6.12.0-1/vmlinuz",
		  "the newest by number, in its other place");
	fake_mkdirs(root, "lib/modules/extra");
	fake_write(root, "boot/vmlinuz-extra", "x", 1);
	newest_is(root, "lib/modules/6.12.0-1/vmlinuz",
		  "what is no release is no kernel");
	tap_ok(imagedir_remove(AT_FDCWD, dir, &e) == 0, "cleaned up");
}

int main(void)
{
	test_release();
	test_installed();
	test_lies();
	test_truncated();
	test_sizes();
	test_bomb();
	test_elf();
	test_elf_flips();
	test_filters();
	test_lz4_legacy();
	test_vmlinux();
	return tap_done();
}
