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
	"--cache=auto",
	"--inode-file-handles=never",
	"--no-announce-submounts",
	"--log-level=error",
	NULL,
};
static const char *const rust_granted[] = {"--posix-acl", "--xattr", NULL};

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
	"cache=auto",
	"-o",
	"log_level=err",
	"-o",
	/* NOLINTNEXTLINE(bugprone-suspicious-missing-comma): one word */
	"modcaps=-setuid:-setgid:-chown:-dac_override:-fowner:-fsetid:"
	"-setfcap:-mknod",
	NULL,
};
static const char *const c_granted[] = {"-o", "posix_acl", "-o", "xattr", NULL};

static size_t count(const char *const *args)
{
	size_t n = 0;

	while (args[n])
		n++;
	return n;
}

static int append(char **v, size_t *n, const char *const *args)
{
	for (; *args; args++) {
		v[*n] = strdup(*args);
		if (!v[(*n)++])
			return -1;
	}
	return 0;
}

char **fileserver_argv(const struct probe_tool *tool, enum setup_tree tree)
{
	bool rust = tool->kind == FILESERVER_RUST;
	bool plain = tree == SETUP_TREE_PLAIN;
	const char *const program[] = {plain ? FILESERVER_PLAIN : tool->path,
				       NULL};
	const char *const *args = rust ? rust_args : c_args;
	const char *const *more = rust ? rust_granted : c_granted;
	char **v = calloc(count(args) + count(more) + 2, sizeof(*v));
	size_t n = 0;

	if (!v)
		return NULL;
	if (append(v, &n, program) || append(v, &n, args) ||
	    (!plain && append(v, &n, more))) {
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
