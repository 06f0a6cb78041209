/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Stripping modules: what stays, what goes, and damaged ones. */
#include "tap.h"

#include "base/buf.h"
#include "host/image/imagestrip.h"

#include <elf.h>
#include <stdbool.h>
#include <stdlib.h>

/* clang-format off */
static const char names[] = "\0.text\0.BTF\0.debug_info\0.rela.text\0.rela.x\0"
			    ".bss\0.shstrtab";
enum { N_TEXT = 1, N_BTF = 7, N_DEBUG = 12, N_RELA = 24, N_RELAX = 35,
       N_BSS = 43, N_NAMES = 48 };

static const struct {
	uint32_t name, type, info, align;
	const char *data;
} parts[] = {
	{ 0, SHT_NULL, 0, 0, "" },
	{ N_TEXT, SHT_PROGBITS, 0, 16, "the code" },
	{ N_BTF, SHT_PROGBITS, 0, 1, "types types types types types types" },
	{ N_DEBUG, SHT_PROGBITS, 0, 1, "lines lines lines lines lines" },
	{ N_RELA, SHT_RELA, 1, 8, "relocations of the code" },
	{ N_RELAX, SHT_RELA, 3, 8, "relocations of debugging data" },
	{ N_BSS, SHT_NOBITS, 0, 32, "" },
	{ N_NAMES, SHT_STRTAB, 0, 1, NULL },
};
/* clang-format on */

#define PARTS (sizeof(parts) / sizeof(parts[0]))

static size_t part_len(size_t i)
{
	return parts[i].data ? strlen(parts[i].data) : sizeof(names);
}

/* Headers first, then the parts. */
static void make_module(struct buf *b)
{
	Elf64_Ehdr eh = {.e_ident = ELFMAG,
			 .e_type = ET_REL,
			 .e_machine = EM_X86_64,
			 .e_shoff = sizeof(eh),
			 .e_shentsize = sizeof(Elf64_Shdr),
			 .e_shnum = PARTS,
			 .e_shstrndx = PARTS - 1};
	size_t at = sizeof(eh) + PARTS * sizeof(Elf64_Shdr);

	eh.e_ident[EI_CLASS] = ELFCLASS64;
	eh.e_ident[EI_DATA] = ELFDATA2LSB;
	buf_put(b, &eh, sizeof(eh));
	for (size_t i = 0; i < PARTS; i++) {
		Elf64_Shdr s = {.sh_name = parts[i].name,
				.sh_type = parts[i].type,
				.sh_info = parts[i].info,
				.sh_addralign = parts[i].align,
				.sh_offset = at,
				.sh_size = part_len(i)};

		if (i == 0)
			memset(&s, 0, sizeof(s));
		if (parts[i].type == SHT_NOBITS)
			s.sh_size = 1 << 30;
		buf_put(b, &s, sizeof(s));
		at += part_len(i);
	}
	for (size_t i = 0; i < PARTS; i++)
		buf_put(b, parts[i].data ? parts[i].data : names, part_len(i));
}

static void sign(struct buf *b, uint32_t says)
{
	static const char magic[] = "~Module signature appended~\n";
	unsigned char end[12] = {0};

	buf_put(b, "signature!", 10);
	for (size_t i = 0; i < 4; i++)
		end[8 + i] = (unsigned char)(says >> (24 - 8 * i));
	buf_put(b, end, sizeof(end));
	buf_put(b, magic, sizeof(magic) - 1);
}

static Elf64_Shdr section(const struct buf *b, size_t i)
{
	Elf64_Ehdr eh;
	Elf64_Shdr s;

	memcpy(&eh, b->data, sizeof(eh));
	memcpy(&s, b->data + eh.e_shoff + i * sizeof(s), sizeof(s));
	return s;
}

static bool is_kept(const struct buf *b, size_t i)
{
	Elf64_Shdr s = section(b, i);

	return s.sh_name == parts[i].name && s.sh_type == parts[i].type &&
	       s.sh_info == parts[i].info && s.sh_size == part_len(i) &&
	       s.sh_offset % parts[i].align == 0 &&
	       !memcmp(b->data + s.sh_offset,
		       parts[i].data ? parts[i].data : names, part_len(i));
}

static bool is_dropped(const struct buf *b, size_t i)
{
	static const Elf64_Shdr none;
	Elf64_Shdr s = section(b, i);

	return !memcmp(&s, &none, sizeof(s));
}

static void test_strip(void)
{
	struct buf b, out, again;

	buf_init(&b, 65536);
	buf_init(&out, 65536);
	buf_init(&again, 65536);
	make_module(&b);
	sign(&b, 10);
	tap_ok(imagestrip_module(b.data, b.len, &out) == 0, "stripped");
	tap_ok(is_dropped(&out, 2) && is_dropped(&out, 3), "no debugging data");
	tap_ok(is_dropped(&out, 5), "nor its relocations");
	tap_ok(is_kept(&out, 1) && is_kept(&out, 4) && is_kept(&out, 7),
	       "the rest is where its header says, aligned");
	tap_ok(section(&out, 6).sh_type == SHT_NOBITS &&
		       section(&out, 6).sh_size == 1 << 30,
	       "what has no data keeps its size");
	tap_ok(!memmem(out.data, out.len, "types", 5) &&
		       !memmem(out.data, out.len, "lines", 5) &&
		       !memmem(out.data, out.len, "debugging", 9) &&
		       !memmem(out.data, out.len, "signature", 9),
	       "no byte of what was dropped is left");
	tap_ok(imagestrip_module(out.data, out.len, &again) == 0 &&
		       again.len == out.len &&
		       !memcmp(again.data, out.data, out.len),
	       "twice is as good as once");
	buf_free(&b);
	buf_free(&out);
	buf_free(&again);
}

static void test_refused(void)
{
	struct buf b, out, whole_out;
	size_t taken = 0, whole;

	buf_init(&b, 65536);
	buf_init(&out, 65536);
	make_module(&b);
	whole = b.len;
	for (size_t n = 0; n < whole; n++) {
		/* A copy of exactly n bytes: reading past it is caught. */
		void *cut = malloc(n ? n : 1);

		memcpy(cut, b.data, n);
		taken += imagestrip_module(cut, n, &out) == 0 || out.len;
		free(cut);
	}
	tap_ok(taken == 0, "refused: cut anywhere, and nothing written");
	buf_init(&whole_out, 65536);
	imagestrip_module(b.data, whole, &whole_out);
	sign(&b, 0xffffffff);
	tap_ok(imagestrip_module(b.data, b.len, &out) == 0 &&
		       out.len == whole_out.len &&
		       !memcmp(out.data, whole_out.data, out.len),
	       "a signature's length is not believed");
	buf_free(&whole_out);
	buf_clear(&out);
	out.max = 100;
	tap_ok(imagestrip_module(b.data, whole, &out) < 0 && !out.len &&
		       !out.bad,
	       "refused: no room, and the buffer is as before");
	buf_free(&b);
	buf_free(&out);
}

/* Whatever the headers say, nothing is read past the file. */
static void test_flips(void)
{
	struct buf b, out;
	size_t refused = 0;
	const size_t headers = sizeof(Elf64_Ehdr) + PARTS * sizeof(Elf64_Shdr);

	buf_init(&b, 65536);
	buf_init(&out, 65536);
	make_module(&b);
	for (size_t i = 0; i < headers * 8; i++) {
		b.data[i / 8] ^= (unsigned char)(1 << i % 8);
		buf_clear(&out);
		refused += imagestrip_module(b.data, b.len, &out) < 0;
		b.data[i / 8] ^= (unsigned char)(1 << i % 8);
	}
	tap_ok(refused > 0 && refused < headers * 8,
	       "flipped bits: some matter, some do not");
	buf_free(&b);
	buf_free(&out);
}

int main(void)
{
	test_refused();
	test_flips();
	test_strip();
	return tap_done();
}
