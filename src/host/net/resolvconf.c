/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whom resolv.conf names.  The person's own authority; only looks. */
#include "host/net/resolvconf.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/own.h"
#include "host/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define FILE_MAX (256u * 1024)

int resolvconf_parse(const char *text, char ***servers, struct err *e)
{
	for (const char *p = text; p; p = strchr(p, '\n')) {
		char address[64];

		p += *p == '\n';
		if (sscanf(p, "nameserver%*1[ \t] %63s", address) == 1 &&
		    text_add(servers, address, e) < 0)
			return -1;
	}
	return 0;
}

int resolvconf_read(const char *path, char ***servers, struct err *e)
{
	struct buf b;
	int r;

	if (access(path, R_OK) < 0)
		return 0;
	buf_init(&b, FILE_MAX);
	r = io_read_text(AT_FDCWD, path, &b, e);
	if (r == 0)
		r = resolvconf_parse((const char *)b.data, servers, e);
	buf_free(&b);
	return r;
}

/* The folder that a path is in; what happens to names there.  Writing is only
 * over when the file is closed. */
static int watch_folder(int fd, const char *path)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');

	snprintf(folder, sizeof(folder), "%.*s",
		 slash == path ? 1 : (int)(slash - path), path);
	return inotify_add_watch(fd, folder,
				 IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM |
					 IN_CREATE | IN_DELETE | IN_ONLYDIR);
}

/* The file itself is watched, too: it may be mounted there, and then what is
 * done to it under its other name is not in the folder. */
static int watch_all(int fd, const char *path)
{
	char real[PATH_MAX];

	if (realpath(path, real)) {
		inotify_add_watch(fd, real, IN_CLOSE_WRITE | IN_MOVE_SELF);
		watch_folder(fd, real);
	}
	return watch_folder(fd, path);
}

int resolvconf_watch(const char *path, struct err *e)
{
	own_fd fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	if (fd < 0 || watch_all(fd, path) < 0)
		return err_set(e, errno, "watching %s", path);
	return steal_fd(&fd);
}

void resolvconf_seen(int fd, const char *path)
{
	char unread[4096];

	while (read(fd, unread, sizeof(unread)) > 0)
		;
	watch_all(fd, path);
}
