/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TAPs.  The person's own authority, or root's of a namespace of its own. */
#include "host/net/tap.h"

#include "base/err.h"
#include "base/io.h"
#include "base/own.h"
#include "host/text.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* Whoever has the TAP answers at once, or it is lent to somebody else. */
#define LEND_SECONDS 10

struct address {
	int family;
	unsigned prefix;
	union {
		struct in_addr ip4;
		struct in6_addr ip6;
	};
};

/* The kernel's struct in6_ifreq, whose header does not go with libc's. */
struct address6_request {
	struct in6_addr ip;
	uint32_t prefix;
	int index;
};

static int parse(const char *text, struct address *a)
{
	char ip[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	uint64_t prefix;

	if (!slash || (size_t)(slash - text) >= sizeof(ip))
		return -1;
	memcpy(ip, text, (size_t)(slash - text));
	ip[slash - text] = '\0';
	if (inet_pton(AF_INET, ip, &a->ip4) == 1)
		a->family = AF_INET;
	else if (inet_pton(AF_INET6, ip, &a->ip6) == 1)
		a->family = AF_INET6;
	else
		return -1;
	if (text_number(slash + 1, a->family == AF_INET ? 32 : 128, &prefix) ||
	    !prefix)
		return -1;
	a->prefix = (unsigned)prefix;
	return 0;
}

bool tap_is_address(const char *text)
{
	struct address a;

	return parse(text, &a) == 0;
}

bool tap_is_name(const char *name)
{
	size_t n = strlen(name);

	if (!n || n >= IFNAMSIZ || !strcmp(name, ".") || !strcmp(name, ".."))
		return false;
	for (; *name; name++)
		if (*name == '/' || *name == ':' || *name == '%' ||
		    !isgraph((unsigned char)*name))
			return false;
	return true;
}

static int add_address4(int s, const char *name, const struct address *a)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr = a->ip4};
	struct ifreq q = {.ifr_flags = 0};

	memcpy(q.ifr_name, name, strlen(name));
	memcpy(&q.ifr_addr, &sin, sizeof(sin));
	if (ioctl(s, SIOCSIFADDR, &q) < 0)
		return -1;
	sin.sin_addr.s_addr = htonl(UINT32_MAX << (32 - a->prefix));
	memcpy(&q.ifr_netmask, &sin, sizeof(sin));
	return ioctl(s, SIOCSIFNETMASK, &q);
}

/* Nobody else is there who could have the address: no second to ask for it. */
static void trust_addresses(const char *name)
{
	char path[128];
	own_fd fd = -1;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/accept_dad",
		 name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	/* Where it is read-only, the second passes. */
	if (fd >= 0 && write(fd, "0", 1) < 0)
		errno = 0;
}

static int add_address6(const char *name, const struct address *a)
{
	own_fd s = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct address6_request q = {.ip = a->ip6,
				     .prefix = a->prefix,
				     .index = (int)if_nametoindex(name)};

	return s < 0 ? -1 : ioctl(s, SIOCSIFADDR, &q);
}

static int add_addresses(int s, const struct tap_spec *spec, struct err *e)
{
	struct address a;

	for (char *const *ip = spec->ips; ip && *ip; ip++)
		if (parse(*ip, &a) < 0 ||
		    (a.family == AF_INET ? add_address4(s, spec->name, &a)
					 : add_address6(spec->name, &a)) < 0)
			return err_set(e, errno, "address %s of %s", *ip,
				       spec->name);
	return 0;
}

static int set_up(int s, const char *name, struct err *e)
{
	struct ifreq q = {.ifr_flags = 0};

	memcpy(q.ifr_name, name, strlen(name));
	if (ioctl(s, SIOCGIFFLAGS, &q) < 0)
		return err_set(e, errno, "starting %s", name);
	q.ifr_flags |= IFF_UP;
	if (ioctl(s, SIOCSIFFLAGS, &q) < 0)
		return err_set(e, errno, "starting %s", name);
	return 0;
}

static int open_tun(struct err *e)
{
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	err_set(e, errno, "/dev/net/tun");
	return err_hint(e, errno == EACCES ? "ask for `chmod 0666 /dev/net/tun`"
					   : "the kernel wants its module: "
					     "sudo modprobe tun");
}

int tap_make(const struct tap_spec *spec, struct err *e)
{
	struct ifreq q = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_TUN_EXCL};
	own_fd s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	own_fd fd = open_tun(e);

	if (fd < 0)
		return -1;
	if (spec->vnet_hdr)
		q.ifr_flags |= IFF_VNET_HDR;
	memcpy(q.ifr_name, spec->name, strlen(spec->name));
	if (s < 0 || ioctl(fd, TUNSETIFF, &q) < 0)
		return err_set(e, errno, "making %s", spec->name);
	trust_addresses(spec->name);
	if (add_addresses(s, spec, e) < 0 || set_up(s, "lo", e) < 0 ||
	    set_up(s, spec->name, e) < 0)
		return -1;
	return steal_fd(&fd);
}

int tap_open(const char *name, struct err *e)
{
	struct ifreq q = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	own_fd fd = -1;

	/* Else it would be made, by whoever may. */
	if (!if_nametoindex(name)) {
		err_set(e, errno, "the TAP %s", name);
		return err_hint(e,
				"sudo ip tuntap add dev %s mode tap user "
				"\"$USER\"",
				name);
	}
	fd = open_tun(e);
	if (fd < 0)
		return -1;
	memcpy(q.ifr_name, name, strlen(name));
	if (ioctl(fd, TUNSETIFF, &q) == 0)
		return steal_fd(&fd);
	err_set(e, errno, "the TAP %s", name);
	switch (errno) {
	case EPERM:
		return err_hint(e, "it was not made for you (`ip tuntap add "
				   "... user ...`)");
	case EINVAL:
		return err_hint(e, "it is another kind of interface, or made "
				   "with other flags");
	case EBUSY:
		return err_hint(e, "another program has it");
	default:
		return -1;
	}
}

int tap_check(int fd, struct err *e)
{
	struct ifreq q = {.ifr_flags = 0};

	if (ioctl(fd, TUNGETIFF, &q) < 0)
		return err_set(e, errno, "descriptor %d is no TAP", fd);
	if (!(q.ifr_flags & IFF_TAP) || !(q.ifr_flags & IFF_NO_PI))
		return err_set(e, 0,
			       "descriptor %d is not a TAP without packet "
			       "information (IFF_TAP, IFF_NO_PI)",
			       fd);
	return 0;
}

/* ---- lending ---- */

static int address_of(const char *path, struct sockaddr_un *a, struct err *e)
{
	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(a->sun_path))
		return err_set(e, ENAMETOOLONG, "%s", path);
	memcpy(a->sun_path, path, strlen(path));
	return 0;
}

static int unix_socket(struct err *e)
{
	int s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	return s < 0 ? err_set(e, errno, "a socket") : s;
}

static bool is_left_over(const struct sockaddr_un *a)
{
	struct err e = ERR_INIT;
	own_fd s = unix_socket(&e);
	struct stat st;

	return lstat(a->sun_path, &st) == 0 && S_ISSOCK(st.st_mode) && s >= 0 &&
	       connect(s, (const struct sockaddr *)a, sizeof(*a)) < 0 &&
	       errno == ECONNREFUSED;
}

int tap_listen(const char *path, struct err *e)
{
	struct sockaddr_un a;
	own_fd s = unix_socket(e);
	mode_t mask;
	int r;

	if (s < 0 || address_of(path, &a, e) < 0)
		return -1;
	if (is_left_over(&a))
		unlink(path);
	mask = umask(0177);
	r = bind(s, (const struct sockaddr *)&a, sizeof(a));
	umask(mask);
	if (r < 0 || listen(s, 8) < 0)
		return err_set(e, errno, "%s", path);
	return steal_fd(&s);
}

int tap_lend(int listener, int tap)
{
	own_fd s =
		/* cppcheck-suppress nullPointer; no address is wanted */
		accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	struct ucred peer;
	socklen_t n = sizeof(peer);

	if (s < 0 || getsockopt(s, SOL_SOCKET, SO_PEERCRED, &peer, &n) < 0 ||
	    peer.uid != getuid() || io_send(s, "tap", 3, &tap, 1) < 0)
		return -1;
	return steal_fd(&s);
}

static int is_lent(const char *path, struct err *e)
{
	return err_set(e, 0, "%s: its TAP is lent to somebody else", path);
}

static int receive(int s, const char *path, struct err *e)
{
	own_fd fd = -1;
	size_t n = 1;
	char word[8];
	ssize_t got = io_recv(s, word, sizeof(word), &fd, &n);

	if (!n)
		fd = -1;
	if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return is_lent(path, e);
	if (got < 0)
		return err_set(e, errno, "%s", path);
	if (fd < 0 || tap_check(fd, e) < 0)
		return err_set(e, 0, "%s: no TAP comes from there", path);
	return steal_fd(&fd);
}

int tap_borrow(const char *path, int *loan, struct err *e)
{
	const struct timeval patience = {LEND_SECONDS, 0};
	struct sockaddr_un a;
	own_fd s = unix_socket(e);
	int tap;

	if (s < 0 || address_of(path, &a, e) < 0)
		return -1;
	/* Of connect(), too, which waits while many others do. */
	if (setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience,
		       sizeof(patience)) < 0 ||
	    setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &patience,
		       sizeof(patience)) < 0)
		return err_set(e, errno, "the TAP of %s", path);
	if (connect(s, (const struct sockaddr *)&a, sizeof(a)) < 0) {
		if (errno == EAGAIN)
			return is_lent(path, e);
		err_set(e, errno, "the TAP of %s", path);
		return err_hint(e, "`vmrunctl net tap --listen PATH` is to be "
				   "there before");
	}
	tap = receive(s, path, e);
	if (tap >= 0)
		*loan = steal_fd(&s);
	return tap;
}
