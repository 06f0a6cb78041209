/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Making a kernel module quicker to load: without the signature that the
 * kernel would check, and without debugging data (.BTF, .debug_*) that it would
 * parse.  Kernels that insist on signatures (sig_enforce) cannot use such
 * modules; distributions do not insist unless secure boot is on, and a guest
 * of ours has none.
 */
#ifndef HOST_IMAGESTRIP_H
#define HOST_IMAGESTRIP_H

#include <stddef.h>

struct buf;

/*
 * Appends the smaller module to out.  Section numbers stay what they are: a
 * dropped section becomes an empty one.  -1 and an empty out if the n bytes are
 * not understood: then use them as they are.  Pure.
 */
int imagestrip_module(const void *p, size_t n, struct buf *out);

#endif
