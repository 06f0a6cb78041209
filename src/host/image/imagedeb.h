/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Taking the kernel and its modules out of a Debian package.
 *
 * The package is untrusted: nobody checked a signature.  Only regular files
 * below boot/vmlinuz-* and lib/modules (or usr/lib/modules) are written, below
 * a given folder and nowhere else, with modes of ours.  Names that leave the
 * root, links between files and device nodes make the whole package refused;
 * symbolic links are left out.  Sizes and counts have maxima, also of what is
 * skipped.
 */
#ifndef HOST_IMAGEDEB_H
#define HOST_IMAGEDEB_H

#include <stddef.h>
#include <stdint.h>

struct err;

/* What a package may hold; smaller ones are for tests. */
struct imagedeb_limits {
	uint64_t file, total; /* bytes, unpacked */
	size_t entries;
};

extern const struct imagedeb_limits imagedeb_limits;

/*
 * Adds the contents of the package `deb` to the private folder `dir`
 * (borrowed) as boot/vmlinuz-REL and lib/modules/REL.  On failure a part is
 * there; the caller removes the folder.
 */
int imagedeb_extract(const char *deb, int dir,
		     const struct imagedeb_limits *limits, struct err *e);

#endif
