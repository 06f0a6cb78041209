/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Forwarded sockets: we listen where the launch record says, and each
 * connection becomes a stream that we open.  Runs in the guest as PID 1.
 *
 * While there is no free stream connections wait in the kernel's queue, as at
 * any busy server.
 */
#include "guest-init/init.h"

#include "base/err.h"
#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define WAITING 128

/* In the directory that we stand in: sun_path is short. */
static int listen_here(const char *name, const struct launch *l)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	own_fd fd =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	if (strlen(name) >= sizeof(a.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(a.sun_path, name, strlen(name) + 1);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	    chmod(name, 0600) < 0 || lchown(name, l->uid, l->gid) < 0 ||
	    listen(fd, WAITING) < 0)
		return -1;
	return steal_fd(&fd);
}

static int open_one(int root, const char *path, const struct launch *l,
		    struct err *e)
{
	const char *name;
	own_fd dir = place_parent(root, path, &name, e);
	int fd;

	if (dir < 0)
		return err_wrap(e, "forwarded socket");
	if (place_is_shared(dir))
		return err_set(e, 0,
			       "forwarded socket %s: nothing is made inside a "
			       "shared directory",
			       path);
	if (fchdir(dir) < 0)
		return err_set(e, errno, "forwarded socket %s", path);
	fd = listen_here(name, l);
	if (fd < 0)
		err_set(e, errno, "forwarded socket %s", path);
	if (chdir("/") < 0)
		say("leaving a directory: %s", strerror(errno));
	return fd;
}

int sockets_open(struct init *in, int root, struct err *e)
{
	for (char **v = in->launch.sockets; v && *v; v++) {
		int fd = open_one(root, *v, &in->launch, e);

		if (fd < 0)
			return -1;
		in->sockets[in->n_sockets++] = fd;
	}
	return 0;
}

void sockets_accept(struct init *in, unsigned which)
{
	unsigned id;

	while ((id = stream_pick(in)) != 0) {
		int fd =
			/* cppcheck-suppress nullPointer; no address asked */
			accept4(in->sockets[which], NULL, NULL,
				SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0)
			return;
		if (mux_open(in->mux, id, MUX_SERVICE_SOCKET + which) < 0) {
			close(fd);
			return;
		}
		stream_opened(in, id);
		stream_bind(in, id, fd, STREAM_CONN);
	}
}
