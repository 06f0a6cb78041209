/* SPDX-License-Identifier: GPL-3.0-or-later */
/* File and socket helpers.  Used by every program; no authority of their own.
 */
#include "base/io.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

int io_write_all(int fd, const void *p, size_t n)
{
	const char *at = p;

	while (n) {
		ssize_t put = write(fd, at, n);

		if (put < 0) {
			if (errno == EINTR)
				continue;
			return -1;
		}
		at += put;
		n -= (size_t)put;
	}
	return 0;
}

ssize_t io_read_full(int fd, void *p, size_t n)
{
	size_t have = 0;

	while (have < n) {
		ssize_t got = read(fd, (char *)p + have, n - have);

		if (got < 0) {
			if (errno == EINTR)
				continue;
			return -1;
		}
		if (!got)
			break;
		have += (size_t)got;
	}
	return (ssize_t)have;
}

int io_read_file(int dirfd, const char *path, struct buf *b, struct err *e)
{
	own_fd fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char chunk[16384];
	ssize_t got;

	if (fd < 0)
		return err_set(e, errno, "%s", path);
	while ((got = io_read_full(fd, chunk, sizeof(chunk))) > 0) {
		buf_put(b, chunk, (size_t)got);
		if (b->bad)
			return err_set(e, EFBIG, "%s", path);
	}
	if (got < 0)
		return err_set(e, errno, "%s", path);
	return 0;
}

int io_read_text(int dirfd, const char *path, struct buf *b, struct err *e)
{
	if (io_read_file(dirfd, path, b, e) < 0)
		return -1;
	buf_put_u8(b, 0);
	return b->bad ? err_set(e, EFBIG, "%s", path) : 0;
}

int io_find(const char *path, struct err *e)
{
	own_free char *at = NULL;
	struct stat st;

	/* What else is wrong with it is for who opens it to say. */
	if (stat(path, &st) == 0 || errno != ENOENT)
		return 1;
	at = strdup(path);
	if (!at)
		return err_set(e, ENOMEM, "%s", path);
	/* Down to the first name on its way that something has. */
	while (lstat(at, &st) < 0) {
		char *slash = strrchr(at, '/');

		if (!slash || slash == at)
			return 0;
		*slash = '\0';
	}
	if (!S_ISLNK(st.st_mode) || stat(at, &st) == 0)
		return 0;
	err_set(e, 0, "%s: %s leads to nothing", path,
		strcmp(at, path) != 0 ? at : "the link");
	return err_hint(e, "where it leads may have to be mounted first");
}

int io_memfd(const char *name, const void *p, size_t n, struct err *e)
{
	own_fd fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return err_set(e, errno, "making a memory file");
	if (io_write_all(fd, p, n) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return err_set(e, errno, "writing a memory file");
	if (fcntl(fd, F_ADD_SEALS,
		  F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		return err_set(e, errno, "sealing a memory file");
	return steal_fd(&fd);
}

int io_send(int sock, const void *p, size_t n, const int *fds, size_t nfds)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int) * IO_FDS_MAX)];
	} c;
	struct iovec iov = {.iov_base = (void *)(uintptr_t)p, .iov_len = n};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

	if (nfds > IO_FDS_MAX) {
		errno = EINVAL;
		return -1;
	}
	if (nfds) {
		struct cmsghdr *h;

		memset(&c, 0, sizeof(c));
		m.msg_control = c.room;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * nfds);
		h = CMSG_FIRSTHDR(&m);
		h->cmsg_level = SOL_SOCKET;
		h->cmsg_type = SCM_RIGHTS;
		h->cmsg_len = CMSG_LEN(sizeof(int) * nfds);
		memcpy(CMSG_DATA(h), fds, sizeof(int) * nfds);
	}
	while (sendmsg(sock, &m, MSG_NOSIGNAL) < 0)
		if (errno != EINTR)
			return -1;
	return 0;
}

/* Collects the descriptors of a message; those past the room are closed. */
static size_t take_fds(struct msghdr *m, int *fds, size_t room)
{
	size_t have = 0;

	for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h; h = CMSG_NXTHDR(m, h)) {
		size_t n;

		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(h) + i * sizeof(int), sizeof(fd));
			if (have < room)
				fds[have++] = fd;
			else
				close(fd);
		}
	}
	return have;
}

ssize_t io_recv(int sock, void *p, size_t n, int *fds, size_t *nfds)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int) * IO_FDS_MAX)];
	} c;
	struct iovec iov = {.iov_base = p, .iov_len = n};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
	size_t have = 0;
	ssize_t got;

	m.msg_control = c.room;
	m.msg_controllen = sizeof(c.room);
	do
		got = recvmsg(sock, &m, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -1;
	have = take_fds(&m, fds, nfds ? *nfds : 0);
	if (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		while (have)
			close(fds[--have]);
		if (nfds)
			*nfds = 0;
		errno = EMSGSIZE;
		return -1;
	}
	if (nfds)
		*nfds = have;
	return got;
}

int io_nonblock(int fd, int on)
{
	int fl = fcntl(fd, F_GETFL);

	if (fl < 0)
		return -1;
	fl = on ? fl | O_NONBLOCK : fl & ~O_NONBLOCK;
	return fcntl(fd, F_SETFL, fl);
}

int io_make_dirs(const char *path, struct err *e)
{
	own_free char *p = strdup(path);

	if (!p)
		return err_set(e, ENOMEM, "%s", path);
	for (char *s = p + 1;; s++) {
		char was = *s;

		if (was != '/' && was != '\0')
			continue;
		*s = '\0';
		if (mkdir(p, 0700) < 0 && errno != EEXIST)
			return err_set(e, errno, "making %s", p);
		*s = was;
		if (was == '\0')
			return 0;
	}
}
