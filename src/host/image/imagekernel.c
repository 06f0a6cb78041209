/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Kernels: bzImage to vmlinux.  Runs in vmrunctl, as the person. */
#include "host/image/imagekernel.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/own.h"
#include "host/image/imageraw.h"

#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* Offsets in the setup header of a bzImage. */
enum {
	HDR_SETUP_SECTS = 0x1f1,
	HDR_BOOT_FLAG = 0x1fe,
	HDR_MAGIC = 0x202,
	HDR_VERSION = 0x206,
	HDR_KERNEL_VERSION = 0x20e,
	HDR_PAYLOAD_OFFSET = 0x248,
	HDR_PAYLOAD_LENGTH = 0x24c,
	HDR_END = 0x250,
};

#define SECTOR 512u
#define PROTOCOL_WITH_PAYLOAD 0x208
#define XEN_NOTE_PHYS32_ENTRY 18 /* xen/interface/elfnote.h */

static uint32_t le(const unsigned char *p, size_t n)
{
	uint32_t v = 0;

	while (n--)
		v = v << 8 | p[n];
	return v;
}

int imagekernel_is_release(const char *s)
{
	static const char ok[] = "abcdefghijklmnopqrstuvwxyz"
				 "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "0123456789.-_+~";
	size_t n = strlen(s);

	return n > 0 && n < IMAGEKERNEL_RELEASE_MAX && s[0] >= '0' &&
	       s[0] <= '9' && strspn(s, ok) == n;
}

/* The first word at p, if it is a release. */
static bool take_release(const unsigned char *p, size_t n,
			 char release[IMAGEKERNEL_RELEASE_MAX])
{
	size_t len = 0;

	while (len < n && p[len] && p[len] != ' ')
		len++;
	if (len >= IMAGEKERNEL_RELEASE_MAX || memchr(p, 0, len))
		return false;
	memcpy(release, p, len);
	release[len] = '\0';
	return imagekernel_is_release(release);
}

int imagekernel_header(const void *data, size_t n, struct imagekernel *k,
		       struct err *e)
{
	const unsigned char *p = data;
	size_t start, at;

	memset(k, 0, sizeof(*k));
	if (n < HDR_END || le(p + HDR_BOOT_FLAG, 2) != 0xaa55 ||
	    memcmp(p + HDR_MAGIC, "HdrS", 4))
		return err_set(e, 0, "not an x86 kernel (bzImage or vmlinux)");
	if (le(p + HDR_VERSION, 2) < PROTOCOL_WITH_PAYLOAD)
		return err_set(e, 0, "a kernel older than Linux 2.6.26");
	/* Zero stands for four, from the days of floppy disks. */
	start = p[HDR_SETUP_SECTS] ? p[HDR_SETUP_SECTS] : 4;
	start = (start + 1) * SECTOR;
	at = le(p + HDR_PAYLOAD_OFFSET, 4);
	k->payload_len = le(p + HDR_PAYLOAD_LENGTH, 4);
	if (start > n || at > n - start || k->payload_len > n - start - at)
		return err_set(e, 0,
			       "cut short: its compressed part would "
			       "end behind the file");
	if (k->payload_len <= 4)
		return err_set(e, 0, "it has no compressed part");
	k->payload = start + at;

	at = le(p + HDR_KERNEL_VERSION, 2) + 0x200;
	if (at == 0x200 || at >= start ||
	    !take_release(p + at, start - at, k->release))
		return err_set(e, 0,
			       "its header does not say which release "
			       "it is");
	return 0;
}

int imagekernel_is_elf(const void *p, size_t n)
{
	return n >= SELFMAG && !memcmp(p, ELFMAG, SELFMAG);
}

/* Looks through the notes of one segment, n bytes. */
static bool has_pvh_note(const unsigned char *p, size_t n)
{
	while (n >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr h;
		size_t name, desc;

		memcpy(&h, p, sizeof(h));
		p += sizeof(h);
		n -= sizeof(h);
		name = ((size_t)h.n_namesz + 3) & ~(size_t)3;
		desc = ((size_t)h.n_descsz + 3) & ~(size_t)3;
		if (name > n || desc > n - name)
			return false;
		if (h.n_type == XEN_NOTE_PHYS32_ENTRY && h.n_descsz >= 4 &&
		    h.n_namesz == 4 && !memcmp(p, "Xen", 4))
			return true;
		p += name + desc;
		n -= name + desc;
	}
	return false;
}

int imagekernel_check_elf(const void *data, size_t n, struct err *e)
{
	const unsigned char *p = data;
	Elf64_Ehdr eh;

	if (n < sizeof(eh) || !imagekernel_is_elf(p, n))
		return err_set(e, 0, "what is inside it is not an ELF kernel");
	memcpy(&eh, p, sizeof(eh));
	if (eh.e_ident[EI_CLASS] != ELFCLASS64 ||
	    eh.e_ident[EI_DATA] != ELFDATA2LSB || eh.e_machine != EM_X86_64)
		return err_set(e, 0, "not a kernel for x86-64");
	if (eh.e_phentsize != sizeof(Elf64_Phdr) || eh.e_phoff > n ||
	    eh.e_phnum > (n - eh.e_phoff) / sizeof(Elf64_Phdr))
		return err_set(e, 0, "its ELF header is damaged");
	for (size_t i = 0; i < eh.e_phnum; i++) {
		Elf64_Phdr ph;

		memcpy(&ph, p + eh.e_phoff + i * sizeof(ph), sizeof(ph));
		if (ph.p_offset > n || ph.p_filesz > n - ph.p_offset)
			return err_set(e, 0,
				       "cut short: a segment would end "
				       "behind the file");
		if (ph.p_type == PT_NOTE &&
		    has_pvh_note(p + ph.p_offset, ph.p_filesz))
			return 0;
	}
	err_set(e, 0, "it cannot be booted directly: built without CONFIG_PVH");
	return err_hint(e, "Debian's cloud kernels have it "
			   "(linux-image-cloud-amd64)");
}

/* A vmlinux says its release in its banner only. */
static int release_of_elf(const unsigned char *p, size_t n,
			  char release[IMAGEKERNEL_RELEASE_MAX], struct err *e)
{
	static const char banner[] = "Linux version ";
	const size_t len = sizeof(banner) - 1;
	const unsigned char *end = p + n;

	while ((p = memmem(p, (size_t)(end - p), banner, len))) {
		p += len;
		if (take_release(p, (size_t)(end - p), release))
			return 0;
	}
	return err_set(e, 0, "it does not say which release it is");
}

static int unpack_payload(const unsigned char *p, size_t n, int out,
			  struct err *e)
{
	uint32_t says = le(p + n - 4, 4);
	uint64_t len;

	/*
	 * The last four bytes are the size that it unpacks to: gzip has that
	 * by itself, for the others the kernel's makefiles append it.
	 */
	if (imageraw_kind(p, n) != IMAGERAW_GZIP)
		n -= 4;
	if (imageraw_unpack(p, n, IMAGEKERNEL_MAX, out, &len, e) < 0)
		return -1;
	if (len != says)
		return err_set(e, 0,
			       "damaged: its compressed part is not as "
			       "long as it says");
	return 0;
}

static int check_written(int fd, struct err *e)
{
	struct stat st;
	void *p;
	int r;

	if (fstat(fd, &st) < 0)
		return err_set(e, errno, "reading the vmlinux back");
	if (st.st_size == 0)
		return err_set(e, 0, "what is inside it is empty");
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return err_set(e, errno, "reading the vmlinux back");
	r = imagekernel_check_elf(p, (size_t)st.st_size, e);
	munmap(p, (size_t)st.st_size);
	return r;
}

static int unpack_bytes(const struct buf *b, int out,
			char release[IMAGEKERNEL_RELEASE_MAX], struct err *e)
{
	struct imagekernel k;

	if (!b->len)
		return err_set(e, 0, "the file is empty");
	if (imagekernel_is_elf(b->data, b->len)) {
		if (release_of_elf(b->data, b->len, release, e) < 0)
			return -1;
		if (io_write_all(out, b->data, b->len) < 0)
			return err_set(e, errno, "writing the vmlinux");
	} else {
		if (imagekernel_header(b->data, b->len, &k, e) < 0)
			return -1;
		memcpy(release, k.release, IMAGEKERNEL_RELEASE_MAX);
		if (unpack_payload(b->data + k.payload, k.payload_len, out, e) <
		    0)
			return -1;
	}
	return check_written(out, e);
}

int imagekernel_unpack(int dirfd, const char *path, int out,
		       char release[IMAGEKERNEL_RELEASE_MAX], struct err *e)
{
	struct buf b;
	int r;

	buf_init(&b, IMAGEKERNEL_MAX);
	r = io_read_file(dirfd, path, &b, e);
	if (r == 0) {
		r = unpack_bytes(&b, out, release, e);
		if (r < 0)
			err_wrap(e, "kernel %s", path);
	}
	buf_free(&b);
	return r;
}

/*
 * The path of the kernel of that release below root, the caller's; NULL if
 * there is none.
 */
static char *kernel_of(int root, const char *release)
{
	char path[64 + IMAGEKERNEL_RELEASE_MAX];

	snprintf(path, sizeof(path), "boot/vmlinuz-%s", release);
	if (faccessat(root, path, F_OK, 0) == 0)
		return strdup(path);
	snprintf(path, sizeof(path), "lib/modules/%s/vmlinuz", release);
	if (faccessat(root, path, F_OK, 0) == 0)
		return strdup(path);
	return NULL;
}

/* The newest release with modules and a kernel; "" if there is none. */
static void newest(DIR *d, int root, char release[IMAGEKERNEL_RELEASE_MAX])
{
	struct dirent *de;

	release[0] = '\0';
	while ((de = readdir(d))) {
		own_free char *kernel = NULL;

		if (!imagekernel_is_release(de->d_name) ||
		    strverscmp(de->d_name, release) <= 0)
			continue;
		kernel = kernel_of(root, de->d_name);
		if (kernel)
			memcpy(release, de->d_name, strlen(de->d_name) + 1);
	}
}

int imagekernel_installed(int root, char **kernel, char **modules,
			  struct err *e)
{
	char release[IMAGEKERNEL_RELEASE_MAX] = "";
	own_free char *path = NULL;
	own_dir d = NULL;
	own_fd fd =
		openat(root, "lib/modules", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno != ENOENT)
		return err_set(e, errno, "lib/modules");
	d = fd < 0 ? NULL : fdopendir(fd);
	if (d) {
		steal_fd(&fd);
		newest(d, root, release);
	}
	if (!release[0]) {
		err_set(e, 0, "no kernel with its modules");
		e->code = ENOENT; /* for the caller, who knows where */
		return -1;
	}
	path = kernel_of(root, release);
	if (!path || asprintf(modules, "lib/modules/%s", release) < 0)
		return err_set(e, ENOMEM, "looking for a kernel");
	*kernel = steal_ptr(&path);
	return 0;
}
