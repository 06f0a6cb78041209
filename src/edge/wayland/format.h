/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Formats of pixels in shared memory. */
#ifndef EDGE_WAYLAND_FORMAT_H
#define EDGE_WAYLAND_FORMAT_H

#include <stdint.h>

/*
 * Bytes of one pixel of a format of wl_shm (drm_fourcc.h, but for its 0 and 1),
 * if a buffer of it is what offset, stride and height say: one plane.  0 for
 * all others.  Of those with more planes compositors look behind the first for
 * the next, and not all of them know where the pool ends.
 */
unsigned format_bytes(uint32_t format);

#endif
