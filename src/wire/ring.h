/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A log of bounded size in a file: the last RING_DATA bytes that were put.
 *
 * The file is RING_HEADER + RING_DATA bytes: u64 count of all bytes ever put,
 * u64 count that is being put, both in the host's byte order, then the ring.
 * vmrun makes it full of zeros, vmrun-mux maps and fills it (the bytes are the
 * guest's).  Readers treat the counts and the bytes as hostile, and read the
 * file into memory with pread() where its writer could shorten it: touching
 * the missing part of a mapping is a SIGBUS.
 */
#ifndef WIRE_RING_H
#define WIRE_RING_H

#include <stddef.h>
#include <stdint.h>

#define RING_HEADER 16u
#define RING_DATA (256u * 1024)
#define RING_SIZE (RING_HEADER + RING_DATA)

/* One writer; file: RING_SIZE bytes, mapped, 8-byte aligned. */
void ring_put(void *file, const void *p, size_t n);
/*
 * Copies bytes from position `from` (a count of bytes ever put) on to out;
 * skips what is already overwritten, also while it copies.  Returns how many
 * (0: there are none yet), and sets *next to the position after them.
 */
size_t ring_get(const void *file, uint64_t from, void *out, size_t outsz,
		uint64_t *next);
/* The bytes ever put. */
uint64_t ring_total(const void *file);

#endif
