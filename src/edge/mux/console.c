/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Console bytes into rings.  Runs in vmrun-mux as U, sealed; parses nothing. */
#include "console.h"

#include "base/err.h"
#include "base/own.h"
#include "wire/ring.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int console_init(struct console *c, int fd, int file, struct err *e)
{
	own_fd ring = file;
	struct stat st;
	void *at;

	*c = (struct console){.fd = fd, .slot = -1};
	if (ring < 0)
		return 0;
	if (fstat(ring, &st) < 0)
		return err_set(e, errno, "the ring file %d", ring);
	if (st.st_size < (off_t)RING_SIZE)
		return err_set(e, 0, "the ring file %d is too small", ring);
	at = mmap(NULL, RING_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, ring, 0);
	if (at == MAP_FAILED)
		return err_set(e, errno, "mapping the ring file %d", ring);
	c->ring = at;
	return 0;
}

void console_watch(struct console *c, struct watch *w)
{
	c->slot = watch_add(w, c->fd, POLLIN);
}

void console_turn(struct console *c, const struct watch *w)
{
	char chunk[16384];
	ssize_t got;

	if (!watch_got(w, c->slot))
		return;
	got = read(c->fd, chunk, sizeof(chunk));
	if (got > 0) {
		if (c->ring)
			ring_put(c->ring, chunk, (size_t)got);
		return;
	}
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	close(c->fd);
	c->fd = -1;
}
