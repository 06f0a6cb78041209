/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Smaller kernel modules.  Runs in vmrunctl, as the person. */
#include "host/image/imagestrip.h"

#include "base/buf.h"
#include "base/own.h"

#include <elf.h>
#include <stdbool.h>
#include <string.h>

/* scripts/sign-file.c: signature, this, the magic. */
struct signature_end {
	unsigned char kind[8];
	unsigned char len[4]; /* big-endian */
};

static const char signature_magic[] = "~Module signature appended~\n";

struct elf {
	const unsigned char *p;
	size_t n;
	Elf64_Ehdr eh;
	Elf64_Shdr *sh;	   /* owned, eh.e_shnum of them */
	const char *names; /* of sections, within p */
	size_t names_len;
};

/* The length without the signature. */
static size_t unsigned_len(const unsigned char *p, size_t n)
{
	const size_t magic = sizeof(signature_magic) - 1;
	struct signature_end end;
	size_t len;

	if (n < magic + sizeof(end) ||
	    memcmp(p + n - magic, signature_magic, magic))
		return n;
	n -= magic + sizeof(end);
	memcpy(&end, p + n, sizeof(end));
	len = (size_t)end.len[0] << 24 | (size_t)end.len[1] << 16 |
	      (size_t)end.len[2] << 8 | end.len[3];
	return len <= n ? n - len : n + magic + sizeof(end);
}

static bool has_data(const Elf64_Shdr *s)
{
	return s->sh_type != SHT_NULL && s->sh_type != SHT_NOBITS;
}

static bool sections_fit(const struct elf *f)
{
	for (size_t i = 0; i < f->eh.e_shnum; i++) {
		const Elf64_Shdr *s = &f->sh[i];

		if (s->sh_addralign > 4096 ||
		    (s->sh_addralign & (s->sh_addralign - 1)))
			return false;
		if (has_data(s) &&
		    (s->sh_offset > f->n || s->sh_size > f->n - s->sh_offset))
			return false;
	}
	return true;
}

/* f->p and f->n are set.  f->sh is the caller's to free in any case. */
static bool parse(struct elf *f)
{
	const Elf64_Shdr *names;
	size_t size;

	if (f->n < sizeof(f->eh))
		return false;
	memcpy(&f->eh, f->p, sizeof(f->eh));
	if (memcmp(f->eh.e_ident, ELFMAG, SELFMAG) ||
	    f->eh.e_ident[EI_CLASS] != ELFCLASS64 ||
	    f->eh.e_ident[EI_DATA] != ELFDATA2LSB || f->eh.e_type != ET_REL ||
	    f->eh.e_phnum || f->eh.e_shentsize != sizeof(Elf64_Shdr) ||
	    f->eh.e_shnum < 2 || f->eh.e_shstrndx >= f->eh.e_shnum)
		return false;
	size = f->eh.e_shnum * sizeof(Elf64_Shdr);
	if (f->eh.e_shoff > f->n || size > f->n - f->eh.e_shoff)
		return false;
	f->sh = malloc(size);
	if (!f->sh)
		return false;
	memcpy(f->sh, f->p + f->eh.e_shoff, size);
	if (!sections_fit(f))
		return false;
	names = &f->sh[f->eh.e_shstrndx];
	f->names = (const char *)f->p + names->sh_offset;
	f->names_len = has_data(names) ? names->sh_size : 0;
	/* So that each name in it ends. */
	return f->names_len && !f->names[f->names_len - 1];
}

static bool is_debugging(const struct elf *f, const Elf64_Shdr *s)
{
	const char *name;

	if (s->sh_name >= f->names_len)
		return false;
	name = f->names + s->sh_name;
	return !strcmp(name, ".BTF") || !strncmp(name, ".debug_", 7);
}

/* Relocations of what is dropped go with it. */
static bool is_dropped(const struct elf *f, size_t i)
{
	const Elf64_Shdr *s = &f->sh[i];

	if (i == f->eh.e_shstrndx || !has_data(s))
		return false;
	if (is_debugging(f, s))
		return true;
	return s->sh_type == SHT_RELA && s->sh_info < f->eh.e_shnum &&
	       is_debugging(f, &f->sh[s->sh_info]);
}

static void pad(struct buf *out, size_t start, size_t align)
{
	while (align > 1 && (out->len - start) % align)
		buf_put_u8(out, 0);
}

static void write_module(struct elf *f, struct buf *out)
{
	const size_t start = out->len;
	size_t shoff;

	buf_put(out, &f->eh, sizeof(f->eh));
	/* The names are still looked at while sections are written. */
	for (size_t i = 0; i < f->eh.e_shnum; i++) {
		Elf64_Shdr *s = &f->sh[i];
		uint64_t from = s->sh_offset;

		if (is_dropped(f, i) || s->sh_type == SHT_NULL)
			continue;
		pad(out, start, s->sh_addralign);
		s->sh_offset = out->len - start;
		if (has_data(s))
			buf_put(out, f->p + from, s->sh_size);
	}
	pad(out, start, 8);
	shoff = out->len - start;
	for (size_t i = 0; i < f->eh.e_shnum; i++) {
		static const Elf64_Shdr none;

		buf_put(out, is_dropped(f, i) ? &none : &f->sh[i],
			sizeof(none));
	}
	if (out->bad)
		return;
	f->eh.e_shoff = shoff;
	memcpy(out->data + start, &f->eh, sizeof(f->eh));
}

int imagestrip_module(const void *p, size_t n, struct buf *out)
{
	struct elf f = {.p = p, .n = unsigned_len(p, n)};
	const size_t start = out->len;
	bool good = parse(&f);

	if (good)
		write_module(&f, out);
	free(f.sh);
	if (good && !out->bad)
		return 0;
	out->bad = false;
	out->len = start;
	return -1;
}
