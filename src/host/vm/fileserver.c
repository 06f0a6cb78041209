/* SPDX-License-Identifier: GPL-3.0-or-later */
/* virtiofsd's command line and socket.  The person's own authority. */
#include "host/vm/fileserver.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

/*
 * Sub-mounts must not be announced: a FUSE sub-mount loses ACL support, and
 * the guest then refuses what the host allows.  The Rust server announces
 * them by default.
 */
static const char *const rust_args[] = {
	"--fd=3",
	"--shared-dir=/tree",
	"--sandbox=none",
	"--seccomp=kill",
	"--posix-acl",
	"--xattr",
	"--cache=auto",
	"--inode-file-handles=never",
	"--no-announce-submounts",
	"--log-level=error",
	NULL,
};

/*
 * The C server needs capabilities of its namespace until its client has
 * connected; modcaps leaves it none of them afterwards.
 */
static const char *const c_args[] = {
	"--fd=3",
	"-o",
	"source=/tree",
	"-o",
	"sandbox=chroot",
	"-o",
	"posix_acl",
	"-o",
	"xattr",
	"-o",
	"cache=auto",
	"-o",
	"log_level=err",
	"-o",
	/* NOLINTNEXTLINE(bugprone-suspicious-missing-comma): one word */
	"modcaps=-setuid:-setgid:-chown:-dac_override:-fowner:-fsetid:"
	"-setfcap:-mknod",
	NULL,
};

char **fileserver_argv(const struct probe_tool *tool)
{
	const char *const *args =
		tool->kind == FILESERVER_RUST ? rust_args : c_args;
	size_t n = 0;
	char **v;

	while (args[n])
		n++;
	v = calloc(n + 2, sizeof(*v));
	if (!v)
		return NULL;
	v[0] = strdup(tool->path);
	for (size_t i = 0; i < n && v[i]; i++)
		v[i + 1] = strdup(args[i]);
	if (!v[n]) {
		strv_free(v);
		return NULL;
	}
	return v;
}

int fileserver_pair(int dirfd, int *listener, int *connected, struct err *e)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	own_fd l = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	own_fd c = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r;

	if (l < 0 || c < 0)
		return err_set(e, errno, "making the file server's socket");
	/* By descriptor: the directory's own name may exceed sun_path. */
	snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/fs", dirfd);
	unlinkat(dirfd, "fs", 0);
	r = bind(l, (struct sockaddr *)&a, sizeof(a));
	if (r == 0)
		r = listen(l, 1);
	if (r == 0)
		r = connect(c, (struct sockaddr *)&a, sizeof(a));
	if (r < 0)
		err_set(e, errno, "making the file server's socket");
	unlinkat(dirfd, "fs", 0);
	if (r < 0)
		return -1;
	*listener = steal_fd(&l);
	*connected = steal_fd(&c);
	return 0;
}
