/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Folder, lock and socket of a network's service.  The person's own
 * authority. */
#include "host/net/netproto.h"

#include "base/err.h"
#include "base/io.h"
#include "base/own.h"
#include "host/net/netaddr.h"
#include "host/net/netconf.h"
#include "host/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>

unsigned net_patience(unsigned failures)
{
	unsigned wait = 0;

	for (unsigned i = 0; i < failures && wait < NET_PATIENCE_MAX; i++)
		wait = wait ? wait * 2 : 1;
	return wait < NET_PATIENCE_MAX ? wait : NET_PATIENCE_MAX;
}

void net_alias(char out[NET_ALIAS], const char *network, const char *part)
{
	if (netconf_is_vm(network))
		snprintf(out, NET_ALIAS, "vmrun-netvm-%s-%s",
			 strchr(network, ':') + 1, part);
	else
		snprintf(out, NET_ALIAS, "vmrun-net-%s-%s", network, part);
}

int net_dir(const char *runtime, const char *name, struct err *e)
{
	own_free char *path = text_fmt(e, "%s/net-%s", runtime, name);
	int fd;

	if (!path || io_make_dirs(path, e) < 0)
		return -1;
	fd = net_find(runtime, name);
	return fd < 0 ? err_set(e, errno, "opening %s", path) : fd;
}

int net_find(const char *runtime, const char *name)
{
	struct err e = ERR_INIT;
	own_free char *path = text_fmt(&e, "%s/net-%s", runtime, name);

	return path ? open(path,
			   O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
		    : -1;
}

static int open_lock(int dir)
{
	return openat(dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
		      0600);
}

static struct flock whole_file(void)
{
	return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
}

int net_lock(int dir, struct err *e)
{
	struct flock l = whole_file();
	own_fd fd = open_lock(dir);

	if (fd < 0)
		return err_set(e, errno, "the lock of a network");
	while (fcntl(fd, F_OFD_SETLKW, &l) < 0)
		if (errno != EINTR)
			return err_set(e, errno, "the lock of a network");
	return steal_fd(&fd);
}

int net_try_lock(int dir)
{
	struct flock l = whole_file();
	own_fd fd = open_lock(dir);

	if (fd < 0 || fcntl(fd, F_OFD_SETLK, &l) < 0)
		return -1;
	return steal_fd(&fd);
}

void net_belong(int dir, bool on)
{
	/* Who looks has it for a moment; without it only less can be told. */
	while (flock(dir, on ? LOCK_SH : LOCK_UN) < 0 && errno == EINTR)
		;
}

bool net_is_used(int dir)
{
	if (flock(dir, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK;
	flock(dir, LOCK_UN);
	return false;
}

unsigned net_next(int dir)
{
	own_fd fd = openat(dir, "next", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char text[16] = "";
	uint64_t next;

	if (fd < 0 || pread(fd, text, sizeof(text) - 1, 0) < 0)
		return 0;
	text[strcspn(text, "\n")] = '\0';
	return text_number(text, NET_HOST_LAST, &next) < 0 ? 0 : (unsigned)next;
}

void net_set_next(int dir, unsigned next)
{
	own_fd fd = openat(dir, "next",
			   O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	char text[16];

	/* Always as long: one write, and whole. */
	snprintf(text, sizeof(text), "%03u\n", next);
	if (fd >= 0 && pwrite(fd, text, strlen(text), 0) < 0)
		return;
}

static struct sockaddr_un address(int dir)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/ctl", dir);
	return a;
}

int net_listen(int dir, struct err *e)
{
	const struct sockaddr_un a = address(dir);
	own_fd s = socket(AF_UNIX,
			  SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (unlinkat(dir, "ctl", 0) < 0 && errno != ENOENT)
		return err_set(e, errno, "the socket of a network");
	if (s < 0 || bind(s, (const struct sockaddr *)&a, sizeof(a)) < 0 ||
	    listen(s, 64) < 0)
		return err_set(e, errno, "the socket of a network");
	return steal_fd(&s);
}

int net_connect(int dir, bool patient)
{
	const struct sockaddr_un a = address(dir);
	own_fd s = socket(AF_UNIX,
			  SOCK_SEQPACKET | SOCK_CLOEXEC |
				  (patient ? 0 : SOCK_NONBLOCK),
			  0);

	if (s < 0 || connect(s, (const struct sockaddr *)&a, sizeof(a)) < 0 ||
	    io_nonblock(s, 0) < 0)
		return -1;
	return steal_fd(&s);
}

int net_send(int sock, const struct net_record *r, int fd)
{
	return io_send(sock, r, sizeof(*r), &fd, fd >= 0);
}

static bool has_valid_ports(const struct net_record *r)
{
	for (uint32_t i = 0; i < r->n_publish; i++)
		if (i == PUBLISH_MAX || !publish_is_valid(&r->publish[i]))
			return false;
	return true;
}

int net_recv(int sock, struct net_record *r, int *fd, struct err *e)
{
	size_t n = 1;
	ssize_t got;

	*fd = -1;
	got = io_recv(sock, r, sizeof(*r), fd, &n);
	if (!n)
		*fd = -1;
	if (got == 0 || (got < 0 && errno == ECONNRESET))
		return 0;
	if (got < 0)
		return err_set(e, errno, "the socket of a network");
	if (got != (ssize_t)sizeof(*r) || r->version != NET_VERSION ||
	    !has_valid_ports(r)) {
		own_close(fd);
		return err_set(e, EPROTO,
			       "the other side is of another version");
	}
	r->text[sizeof(r->text) - 1] = '\0';
	r->hint[sizeof(r->hint) - 1] = '\0';
	return 1;
}
