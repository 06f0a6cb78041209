/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small file and socket helpers.  All descriptors made here are close-on-exec.
 */
#ifndef BASE_IO_H
#define BASE_IO_H

#include <stddef.h>
#include <sys/types.h>

struct buf;
struct err;

/* Writes all n bytes; restarts on EINTR.  0, or -1 with errno. */
int io_write_all(int fd, const void *p, size_t n);
/* Reads until n bytes or end of file.  The count, or -1 with errno. */
ssize_t io_read_full(int fd, void *p, size_t n);
/* Appends a whole file to b, up to b's maximum (EFBIG past it). */
int io_read_file(int dirfd, const char *path, struct buf *b, struct err *e);
/* The same and a NUL, for those that read strings. */
int io_read_text(int dirfd, const char *path, struct buf *b, struct err *e);
/*
 * Whether something has that name: 1, or 0 if nothing has.  -1 and e for a
 * link, the path's own or one on its way, that leads to nothing: to a volume
 * that is not mounted, say.  Who made it wants no other file instead.
 */
int io_find(const char *path, struct err *e);
/*
 * A sealed memory file holding n bytes, offset 0; the descriptor is the
 * caller's.  -1 and e on failure.
 */
int io_memfd(const char *name, const void *p, size_t n, struct err *e);
/*
 * One message on a SOCK_SEQPACKET socket with at most IO_FDS_MAX descriptors
 * beside it.  0, or -1 with errno.  The descriptors stay the caller's.
 */
#define IO_FDS_MAX 8
int io_send(int sock, const void *p, size_t n, const int *fds, size_t nfds);
/*
 * Receives one message.  Returns its length (0 is end of file), or -1 with
 * errno; EMSGSIZE if it did not fit (it is dropped and its descriptors are
 * closed).  *nfds is the room in fds and becomes the number received; they are
 * the caller's now.  fds may be NULL with nfds NULL: descriptors are refused.
 */
ssize_t io_recv(int sock, void *p, size_t n, int *fds, size_t *nfds);
/* mkdir -p: what is missing of an absolute path is made, 0700. */
int io_make_dirs(const char *path, struct err *e);
/* Sets or clears O_NONBLOCK.  0, or -1 with errno. */
int io_nonblock(int fd, int on);

#endif
