/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Network cards, each configured as the launch record says; nothing is asked
 * of the network.  Runs in the guest as PID 1.
 *
 * By rtnetlink(7): one socket and one kind of message for both families.
 */
#include "guest-init/init.h"

#include "base/err.h"
#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>

#define ANSWER_SECONDS 30

struct request {
	struct nlmsghdr h;
	union {
		struct ifaddrmsg addr;
		struct rtmsg route;
	};
	unsigned char more[128];
};

static void add_attribute(struct request *q, unsigned short type, const void *p,
			  size_t n)
{
	struct rtattr *a =
		(struct rtattr *)((char *)q + NLMSG_ALIGN(q->h.nlmsg_len));

	a->rta_type = type;
	a->rta_len = (unsigned short)RTA_LENGTH(n);
	memcpy(RTA_DATA(a), p, n);
	q->h.nlmsg_len =
		(uint32_t)(NLMSG_ALIGN(q->h.nlmsg_len) + RTA_ALIGN(a->rta_len));
}

/* Sends it and waits for the kernel's answer.  0, or -1 with errno. */
static int ask(int s, struct request *q)
{
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
		unsigned char more[512];
	} a;
	ssize_t n;

	q->h.nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	if (send(s, q, q->h.nlmsg_len, 0) < 0)
		return -1;
	n = recv(s, &a, sizeof(a), 0);
	if (n < 0)
		return -1;
	if (n < (ssize_t)(sizeof(a.h) + sizeof(a.e)) ||
	    a.h.nlmsg_type != NLMSG_ERROR) {
		errno = EPROTO;
		return -1;
	}
	errno = -a.e.error;
	return a.e.error ? -1 : 0;
}

static unsigned char family_of(const struct nic_addr *a)
{
	return a->family == NIC_IP4 ? AF_INET : AF_INET6;
}

static int add_address(int s, unsigned index, const struct nic_addr *a)
{
	struct request q = {
		.h = {.nlmsg_len = NLMSG_LENGTH(sizeof(q.addr)),
		      .nlmsg_type = RTM_NEWADDR,
		      .nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL},
		.addr = {.ifa_family = family_of(a),
			 .ifa_prefixlen = a->prefix,
			 /* It is ours: nobody has to be asked (RFC 4862). */
			 .ifa_flags = IFA_F_NODAD | IFA_F_PERMANENT,
			 .ifa_index = index}};

	add_attribute(&q, IFA_LOCAL, a->ip, nic_addr_size(a->family));
	add_attribute(&q, IFA_ADDRESS, a->ip, nic_addr_size(a->family));
	return ask(s, &q);
}

static int add_default_route(int s, unsigned index, const struct nic_addr *gw)
{
	struct request q = {
		.h = {.nlmsg_len = NLMSG_LENGTH(sizeof(q.route)),
		      .nlmsg_type = RTM_NEWROUTE,
		      .nlmsg_flags = NLM_F_CREATE | NLM_F_APPEND},
		.route = {.rtm_family = family_of(gw),
			  .rtm_table = RT_TABLE_MAIN,
			  .rtm_protocol = RTPROT_BOOT,
			  .rtm_scope = RT_SCOPE_UNIVERSE,
			  .rtm_type = RTN_UNICAST,
			  /* The gateway need not be in the card's network. */
			  .rtm_flags = RTNH_F_ONLINK}};

	add_attribute(&q, RTA_GATEWAY, gw->ip, nic_addr_size(gw->family));
	add_attribute(&q, RTA_OIF, &index, sizeof(index));
	return ask(s, &q);
}

/* The kernel's own name of the card with this MAC. */
static int find_card(int s, const unsigned char *mac, struct ifreq *q)
{
	struct if_nameindex *all = if_nameindex();
	int found = -1;

	for (size_t i = 0; all && all[i].if_index && found < 0; i++) {
		memset(q, 0, sizeof(*q));
		strncpy(q->ifr_name, all[i].if_name, IFNAMSIZ - 1);
		if (ioctl(s, SIOCGIFHWADDR, q) == 0 &&
		    !memcmp(q->ifr_hwaddr.sa_data, mac, NIC_MAC))
			found = (int)all[i].if_index;
	}
	if_freenameindex(all);
	return found;
}

/* No address and no route comes from what a router says. */
static void refuse_adverts(const char *name)
{
	static const char *const files[] = {"accept_ra", "autoconf",
					    "accept_dad"};
	char path[128];

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		own_fd fd = -1;

		snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/%s",
			 name, files[i]);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		/* A kernel without IPv6 has nothing to refuse. */
		if (fd >= 0 && write(fd, "0", 1) < 0)
			say("%s: %s", path, strerror(errno));
	}
}

static int set_up(int s, const struct nic *n, struct ifreq *q, struct err *e)
{
	if (n->mtu) {
		q->ifr_mtu = (int)n->mtu;
		if (ioctl(s, SIOCSIFMTU, q) < 0)
			return err_set(e, errno, "an MTU of %u", n->mtu);
	}
	q->ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(s, SIOCSIFFLAGS, q) < 0)
		return err_set(e, errno, "starting a network card");
	return 0;
}

static int configure(int s, int netlink, const struct nic *n, struct err *e)
{
	struct ifreq q;
	int index = find_card(s, n->mac, &q);

	if (index < 0)
		return err_set(e, ENODEV,
			       "no network card %02x:%02x:%02x:%02x:%02x:%02x",
			       n->mac[0], n->mac[1], n->mac[2], n->mac[3],
			       n->mac[4], n->mac[5]);
	refuse_adverts(q.ifr_name);
	if (set_up(s, n, &q, e) < 0)
		return -1;
	for (size_t i = 0; i < n->n_addrs; i++)
		if (add_address(netlink, (unsigned)index, &n->addrs[i]) < 0)
			return err_set(e, errno,
				       "an address of a network card");
	for (size_t i = 0; i < n->n_gateways; i++)
		if (add_default_route(netlink, (unsigned)index,
				      &n->gateways[i]) < 0)
			return err_set(e, errno,
				       "the gateway of a network card");
	return 0;
}

int net_name(const struct launch *l, const char *const *names, struct err *e)
{
	own_fd s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	for (size_t i = 0; i < l->n_nics; i++) {
		struct ifreq q;

		if (s < 0 || find_card(s, l->nics[i].mac, &q) < 0)
			return err_set(e, ENODEV, "network card %zu", i);
		snprintf(q.ifr_newname, IFNAMSIZ, "%s", names[i]);
		if (ioctl(s, SIOCSIFNAME, &q) < 0)
			return err_set(e, errno, "naming network card %s",
				       names[i]);
	}
	return 0;
}

int net_configure(const struct launch *l, struct err *e)
{
	/* The kernel answers at once; an answer that is lost is an error. */
	const struct timeval wait = {.tv_sec = ANSWER_SECONDS};
	own_fd s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	own_fd netlink =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (!l->n_nics)
		return 0;
	if (s < 0 || netlink < 0 ||
	    setsockopt(netlink, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) <
		    0)
		return err_set(e, errno, "configuring the network");
	for (size_t i = 0; i < l->n_nics; i++)
		if (configure(s, netlink, &l->nics[i], e) < 0)
			return -1;
	return 0;
}
