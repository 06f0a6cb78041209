/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is at the other end of --nic?  Part of vmrun; only looks. */
#include "host/plan/planint.h"

#include "base/err.h"

#include <errno.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static int option(int fd, int name)
{
	socklen_t n = sizeof(int);
	int value = -1;

	return getsockopt(fd, SOL_SOCKET, name, &value, &n) < 0 ? -1 : value;
}

static int no_link(int fd, struct err *e)
{
	err_set(e, 0, "--nic: descriptor %d is nothing that frames come from",
		fd);
	return err_hint(e, "it is to be a connected Unix socket (SEQPACKET, "
			   "DGRAM or STREAM), or a TAP");
}

/* Also macvtap's, which has a device of its own. */
static int find_tap(int fd, enum plan_link *link, struct err *e)
{
	struct ifreq q = {.ifr_flags = 0};

	if (ioctl(fd, TUNGETIFF, &q) < 0)
		return no_link(fd, e);
	if (!(q.ifr_flags & IFF_TAP) || !(q.ifr_flags & IFF_NO_PI))
		return err_set(e, 0,
			       "--nic: descriptor %d is not a TAP without "
			       "packet information (IFF_TAP, IFF_NO_PI)",
			       fd);
	*link = LINK_TAP;
	return 0;
}

static int find_link(int fd, enum plan_link *link, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set(e, errno, "--nic: descriptor %d", fd);
	if (S_ISCHR(st.st_mode))
		return find_tap(fd, link, e);
	if (!S_ISSOCK(st.st_mode) || option(fd, SO_DOMAIN) != AF_UNIX ||
	    option(fd, SO_ACCEPTCONN) != 0)
		return no_link(fd, e);
	switch (option(fd, SO_TYPE)) {
	case SOCK_SEQPACKET:
	case SOCK_DGRAM:
		*link = LINK_MESSAGES;
		return 0;
	case SOCK_STREAM:
		*link = LINK_STREAM;
		return 0;
	default:
		return no_link(fd, e);
	}
}

int plan_nics(struct plan *p, struct err *e)
{
	for (size_t i = 0; i < p->opt->n_nics; i++) {
		p->nics[i] = (struct plan_nic){.fd = p->opt->nics[i].fd,
					       .nic = p->opt->nics[i].nic};
		if (find_link(p->nics[i].fd, &p->nics[i].link, e))
			return -1;
		p->n_nics++;
	}
	return 0;
}
