/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Kernels, modules and packages made up for the guest image's tests. */
#ifndef TESTS_UNIT_FAKEKERNEL_H
#define TESTS_UNIT_FAKEKERNEL_H

#include "base/buf.h"
#include "base/io.h"

#include <archive.h>
#include <archive_entry.h>
#include <assert.h>
#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FAKE_RELEASE "9.8.7-test"
#define FAKE_MAX (64u * 1024 * 1024)

__attribute__((unused)) static void fake_write(int dir, const char *path,
					       const void *p, size_t n)
{
	int fd = openat(dir, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			0600);

	assert(fd >= 0 && io_write_all(fd, p, n) == 0 && close(fd) == 0);
}

__attribute__((unused)) static void fake_mkdirs(int dir, const char *path)
{
	char copy[256];

	assert(snprintf(copy, sizeof(copy), "%s/", path) < 256);
	for (char *at = copy; (at = strchr(at, '/')); *at++ = '/') {
		*at = '\0';
		mkdirat(dir, copy, 0755);
	}
}

/* An ELF kernel of `extra` bytes more than its headers; note: its PVH entry. */
__attribute__((unused)) static void fake_vmlinux(struct buf *b, int note,
						 size_t extra)
{
	struct {
		Elf64_Ehdr eh;
		Elf64_Phdr ph[2];
		Elf64_Nhdr nh[2];
		char name[4];
		uint32_t desc[2];
	} v;

	memset(&v, 0, sizeof(v));
	memcpy(v.eh.e_ident, ELFMAG, SELFMAG);
	v.eh.e_ident[EI_CLASS] = ELFCLASS64;
	v.eh.e_ident[EI_DATA] = ELFDATA2LSB;
	v.eh.e_machine = EM_X86_64;
	v.eh.e_phoff = offsetof(__typeof__(v), ph);
	v.eh.e_phentsize = sizeof(Elf64_Phdr);
	v.eh.e_phnum = 2;
	v.ph[0].p_type = PT_LOAD;
	v.ph[1].p_type = PT_NOTE;
	v.ph[1].p_offset = offsetof(__typeof__(v), nh);
	v.ph[1].p_filesz = sizeof(v) - v.ph[1].p_offset;
	v.nh[0].n_type = 1; /* an empty note before the one that matters */
	v.nh[1].n_namesz = 4;
	v.nh[1].n_descsz = 8;
	v.nh[1].n_type = note ? 18 : 17;
	memcpy(v.name, "Xen", 4);
	buf_put(b, &v, sizeof(v));
	while (extra--)
		buf_put_u8(b, (uint8_t)(extra * 7 >> 3));
}

/* filter: one of libarchive's archive_write_add_filter_*(). */
__attribute__((unused)) static void
fake_compress(struct buf *out, const struct buf *in,
	      int (*filter)(struct archive *))
{
	struct archive *a = archive_write_new();
	struct archive_entry *entry = archive_entry_new();
	size_t room = in->len + 65536, used = 0;
	unsigned char *p = malloc(room);

	assert(a && entry && p);
	assert(archive_write_set_format_raw(a) == ARCHIVE_OK);
	assert(filter(a) == ARCHIVE_OK);
	archive_write_set_bytes_in_last_block(a, 1);
	assert(archive_write_open_memory(a, p, room, &used) == ARCHIVE_OK);
	archive_entry_set_filetype(entry, AE_IFREG);
	assert(archive_write_header(a, entry) == ARCHIVE_OK);
	assert(archive_write_data(a, in->data, in->len) == (la_ssize_t)in->len);
	assert(archive_write_close(a) == ARCHIVE_OK);
	buf_put(out, p, used);
	archive_entry_free(entry);
	archive_write_free(a);
	free(p);
}

#define FAKE_START 1024u /* one setup sector */
#define FAKE_PAYLOAD 16u

static inline void fake_le(struct buf *b, size_t at, uint32_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		b->data[at + i] = (unsigned char)(v >> 8 * i);
}

/* A bzImage around a compressed payload, as the kernel's makefiles make it. */
__attribute__((unused)) static void fake_bzimage(struct buf *b,
						 const struct buf *payload)
{
	static const char version[] = FAKE_RELEASE " (me@here) #1 SMP";

	memset(buf_grow(b, FAKE_START + FAKE_PAYLOAD), 0,
	       FAKE_START + FAKE_PAYLOAD);
	b->data[0x1f1] = 1;
	fake_le(b, 0x1fe, 0xaa55, 2);
	memcpy(b->data + 0x202, "HdrS", 4);
	fake_le(b, 0x206, 0x20f, 2);
	fake_le(b, 0x20e, 0x100, 2);
	memcpy(b->data + 0x300, version, sizeof(version));
	fake_le(b, 0x248, FAKE_PAYLOAD, 4);
	fake_le(b, 0x24c, (uint32_t)payload->len, 4);
	buf_put(b, payload->data, payload->len);
	buf_put(b, "tail", 4);
}

/* A whole one, with xz. */
__attribute__((unused)) static void fake_kernel(struct buf *b)
{
	struct buf elf, packed;

	buf_init(&elf, FAKE_MAX);
	buf_init(&packed, FAKE_MAX);
	fake_vmlinux(&elf, 1, 5000);
	fake_compress(&packed, &elf, archive_write_add_filter_xz);
	buf_put_u32(&packed, (uint32_t)elf.len);
	fake_bzimage(b, &packed);
	buf_free(&elf);
	buf_free(&packed);
}

/*
 * A relocatable ELF file with a .modinfo; info is a list of "key=value"
 * strings, each with its NUL.
 */
__attribute__((unused)) static void fake_module(struct buf *b, const char *info,
						size_t n)
{
	static const char names[] = "\0.modinfo\0.shstrtab";
	struct {
		Elf64_Ehdr eh;
		Elf64_Shdr sh[3];
	} v;

	memset(&v, 0, sizeof(v));
	memcpy(v.eh.e_ident, ELFMAG, SELFMAG);
	v.eh.e_ident[EI_CLASS] = ELFCLASS64;
	v.eh.e_ident[EI_DATA] = ELFDATA2LSB;
	v.eh.e_type = ET_REL;
	v.eh.e_machine = EM_X86_64;
	v.eh.e_shoff = offsetof(__typeof__(v), sh);
	v.eh.e_shentsize = sizeof(Elf64_Shdr);
	v.eh.e_shnum = 3;
	v.eh.e_shstrndx = 2;
	v.sh[1].sh_name = 1;
	v.sh[1].sh_type = SHT_PROGBITS;
	v.sh[1].sh_offset = sizeof(v);
	v.sh[1].sh_size = n;
	v.sh[2].sh_name = 10;
	v.sh[2].sh_type = SHT_STRTAB;
	v.sh[2].sh_offset = sizeof(v) + n;
	v.sh[2].sh_size = sizeof(names);
	buf_put(b, &v, sizeof(v));
	buf_put(b, info, n);
	buf_put(b, names, sizeof(names));
}

/* Adds one to a folder; depends and softdep may be "". */
__attribute__((unused)) static void
fake_add_module(int dir, const char *path, const char *depends,
		const char *softdep, const char *release,
		int (*filter)(struct archive *))
{
	struct buf info, ko, packed;

	buf_init(&info, 4096);
	buf_init(&ko, FAKE_MAX);
	buf_init(&packed, FAKE_MAX);
	buf_printf(&info, "license=GPL");
	buf_put_u8(&info, 0);
	buf_printf(&info, "depends=%s", depends);
	buf_put_u8(&info, 0);
	if (softdep[0]) {
		buf_printf(&info, "softdep=%s", softdep);
		buf_put_u8(&info, 0);
	}
	buf_printf(&info, "vermagic=%s SMP mod_unload ", release);
	buf_put_u8(&info, 0);
	fake_module(&ko, (char *)info.data, info.len);
	if (filter) {
		fake_compress(&packed, &ko, filter);
		fake_write(dir, path, packed.data, packed.len);
	} else {
		fake_write(dir, path, ko.data, ko.len);
	}
	buf_free(&info);
	buf_free(&ko);
	buf_free(&packed);
}

#endif
