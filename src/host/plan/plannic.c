/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is at the other end of --nic?  Part of vmrun; only looks. */
#include "host/plan/planint.h"

#include "base/err.h"
#include "base/own.h"
#include "host/net/tap.h"
#include "host/text.h"

#include <errno.h>
#include <string.h>
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
	if (tap_check(fd, e) < 0)
		return e->code ? no_link(fd, e) : err_wrap(e, "--nic");
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

bool plan_has_pci(const struct plan *p)
{
	return p->pci.device.address[0];
}

static int find_device(struct plan *p, const char *address, struct err *e)
{
	struct plan_pci *d = &p->pci;
	struct stat st;
	own_fd fd = -1;

	if (pci_find(&pci_machine, address, p->facts->uid, &d->device, e) < 0)
		return -1;
	d->node = text_fmt(e, "/dev/vfio/%u", d->device.group);
	if (!d->node)
		return -1;
	fd = plan_open(d->node, &st);
	if (fd < 0 || !S_ISCHR(st.st_mode))
		return err_set(e, fd < 0 ? errno : ENODEV, "%s", d->node);
	d->dev = st.st_dev;
	d->ino = st.st_ino;
	return 0;
}

int plan_memlock(struct plan *p, struct err *e)
{
	if (!plan_has_pci(p))
		return 0;
	p->pci.memlock = p->mem + PCI_MEMLOCK_MORE;
	return pci_check_memlock(p->pci.memlock, p->facts->user, e);
}

static int find_end(struct plan *p, const struct opt_nic *o, struct plan_nic *n,
		    struct err *e)
{
	if (!o->pci[0])
		return find_link(n->fd, &n->link, e);
	n->link = LINK_PCI;
	n->nic.pci = true;
	return find_device(p, o->pci, e);
}

int plan_nics(struct plan *p, struct err *e)
{
	for (size_t i = 0; i < p->opt->n_nics; i++) {
		p->nics[i] = (struct plan_nic){.fd = p->opt->nics[i].fd,
					       .nic = p->opt->nics[i].nic};
		if (find_end(p, &p->opt->nics[i], &p->nics[i], e))
			return -1;
		p->n_nics++;
	}
	return 0;
}
