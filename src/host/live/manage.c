/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A run's directory and control socket.  The person's own authority. */
#include "host/live/manage.h"

#include "base/err.h"
#include "base/io.h"
#include "base/own.h"
#include "wire/ring.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

int run_dir_make(struct run_dir *d, const char *runtime, int64_t run,
		 struct err *e)
{
	char name[24];
	own_fd parent = -1;

	run_dir_remove(runtime, run);
	if (io_make_dirs(runtime, e) < 0)
		return -1;
	parent = open(runtime, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	snprintf(name, sizeof(name), "%lld", (long long)run);
	if (parent < 0 || mkdirat(parent, name, 0700) < 0)
		return err_set(e, errno, "making %s/%s", runtime, name);
	d->fd = openat(parent, name,
		       O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	d->run = run;
	d->runtime = strdup(runtime);
	if (d->fd < 0 || !d->runtime)
		return err_set(e, errno, "opening %s/%s", runtime, name);
	return 0;
}

void run_dir_remove(const char *runtime, int64_t run)
{
	static const char *const files[] = {"ctl", "console", "log",
					    "fs",  "display", "context"};
	char path[4096];
	own_fd dir = -1;

	snprintf(path, sizeof(path), "%s/%lld", runtime, (long long)run);
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (dir < 0)
		return;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		unlinkat(dir, files[i], 0);
	rmdir(path);
}

void run_dir_close(struct run_dir *d)
{
	own_close(&d->fd);
	own_free_ptr(&d->runtime);
}

int run_dir_ring(const struct run_dir *d, const char *name, struct err *e)
{
	own_fd fd = openat(d->fd, name,
			   O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
			   0600);
	int full;

	if (fd < 0)
		return err_set(e, errno, "making %s/%lld/%s", d->runtime,
			       (long long)d->run, name);
	/* vmrun-mux maps it: a hole on a full disk would kill it. */
	full = posix_fallocate(fd, 0, RING_SIZE);
	if (full)
		return err_set(e, full, "making %s/%lld/%s", d->runtime,
			       (long long)d->run, name);
	return steal_fd(&fd);
}

int manage_listen(const struct run_dir *d, struct err *e)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	own_fd s = socket(AF_UNIX,
			  SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/ctl", d->fd);
	if (s < 0 || bind(s, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	    listen(s, 16) < 0)
		return err_set(e, errno, "making the control socket");
	return steal_fd(&s);
}

int run_dir_display(const struct run_dir *d, struct err *e)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	own_fd s =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/display",
		 d->fd);
	/* In a directory that is the person's alone: for the VM's UID, which
	 * is shown this one name. */
	if (s < 0 || bind(s, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	    fchmodat(d->fd, "display", 0666, 0) < 0 || listen(s, 64) < 0)
		return err_set(e, errno, "making the display's socket");
	return steal_fd(&s);
}

int manage_connect(const char *runtime, int64_t run, struct err *e)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	char path[4096];
	own_fd dir = -1;
	own_fd s = -1;

	snprintf(path, sizeof(path), "%s/%lld", runtime, (long long)run);
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/ctl", dir);
	if (dir < 0 || s < 0 ||
	    connect(s, (struct sockaddr *)&a, sizeof(a)) < 0) {
		bool nowhere = errno == ENOENT;

		err_set(e, errno, "cannot reach VM %lld", (long long)run);
		return nowhere ? err_hint(e, "was it started with another "
					     "XDG_RUNTIME_DIR?")
			       : err_hint(e, "`vmrunctl ps` lists the running "
					     "ones");
	}
	return steal_fd(&s);
}

int manage_send(int sock, const struct manage_record *r, const int *fds,
		size_t n)
{
	return io_send(sock, r, sizeof(*r), fds, n);
}

int manage_recv(int sock, struct manage_record *r, int *fds, size_t *n,
		struct err *e)
{
	ssize_t got = io_recv(sock, r, sizeof(*r), fds, n);

	if (got == 0 || (got < 0 && errno == ECONNRESET))
		return 0;
	if (got < 0)
		return err_set(e, errno, "control socket");
	if (got != (ssize_t)sizeof(*r) || r->version != MANAGE_VERSION) {
		while (n && *n)
			close(fds[--*n]);
		return err_set(e, EPROTO,
			       "control socket: the other side is of another "
			       "version");
	}
	r->text[sizeof(r->text) - 1] = '\0';
	r->hint[sizeof(r->hint) - 1] = '\0';
	return 1;
}
