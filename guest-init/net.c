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
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
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
		struct ndmsg neighbour;
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

/*
 * Asks the gateway for its MAC, without anything to send to it.  passt sends to
 * the address that it has seen a frame from: what comes from outside first, to
 * a published port, would find nobody.
 */
static int greet(int s, unsigned index, const struct nic_addr *gw)
{
	struct request q = {
		.h = {.nlmsg_len = NLMSG_LENGTH(sizeof(q.neighbour)),
		      .nlmsg_type = RTM_NEWNEIGH,
		      .nlmsg_flags = NLM_F_CREATE},
		.neighbour = {.ndm_family = family_of(gw),
			      .ndm_ifindex = (int)index,
			      .ndm_flags = NTF_USE}};

	add_attribute(&q, NDA_DST, gw->ip, nic_addr_size(gw->family));
	return ask(s, &q);
}

/* Whether the row is this card's.  Without a MAC it is that of the Ethernet
 * card which no row names. */
static bool is_card(const struct launch *l, const struct nic *n,
		    const struct sockaddr *is)
{
	if (nic_has_mac(n))
		return !memcmp(is->sa_data, n->mac, NIC_MAC);
	if (is->sa_family != ARPHRD_ETHER)
		return false;
	for (size_t i = 0; i < l->n_nics; i++)
		if (!memcmp(is->sa_data, l->nics[i].mac, NIC_MAC))
			return false;
	return true;
}

static int no_card(const struct nic *n, struct err *e)
{
	const unsigned char *m = n->mac;

	if (nic_has_mac(n))
		return err_set(e, ENODEV,
			       "no network card %02x:%02x:%02x:%02x:%02x:%02x",
			       m[0], m[1], m[2], m[3], m[4], m[5]);
	err_set(e, ENODEV, "the PCI device is no network card here");
	return err_hint(e, "this image's kernel may have no driver for it, or "
			   "the driver wants firmware: see uplink = in "
			   "vmrunctl(1)");
}

/* The kernel's own name of the row's card, in q, and its number. */
static int find_card(int s, const struct launch *l, const struct nic *n,
		     struct ifreq *q, struct err *e)
{
	struct if_nameindex *all = if_nameindex();
	struct ifreq one;
	int found = -1;
	size_t cards = 0;

	for (size_t i = 0; all && all[i].if_index; i++) {
		memset(&one, 0, sizeof(one));
		strncpy(one.ifr_name, all[i].if_name, IFNAMSIZ - 1);
		if (ioctl(s, SIOCGIFHWADDR, &one) < 0 ||
		    !is_card(l, n, &one.ifr_hwaddr))
			continue;
		found = (int)all[i].if_index;
		*q = one;
		cards++;
	}
	if_freenameindex(all);
	if (cards > 1)
		return err_set(e, 0,
			       "the PCI device is %zu network cards: say "
			       "which with mac=",
			       cards);
	return found < 0 ? no_card(n, e) : found;
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

static int set_up(int s, const struct nic *n, short flags, struct ifreq *q,
		  struct err *e)
{
	if (n->mtu) {
		q->ifr_mtu = (int)n->mtu;
		if (ioctl(s, SIOCSIFMTU, q) < 0)
			return err_set(e, errno, "an MTU of %u", n->mtu);
	}
	q->ifr_flags = (short)(IFF_UP | IFF_RUNNING | flags);
	if (ioctl(s, SIOCSIFFLAGS, q) < 0)
		return err_set(e, errno, "starting a network card");
	return 0;
}

static int configure(int s, int netlink, const struct launch *l,
		     const struct nic *n, struct err *e)
{
	struct ifreq q;
	int index = find_card(s, l, n, &q, e);

	if (index < 0)
		return -1;
	refuse_adverts(q.ifr_name);
	if (set_up(s, n, 0, &q, e) < 0)
		return -1;
	for (size_t i = 0; i < n->n_addrs; i++)
		if (add_address(netlink, (unsigned)index, &n->addrs[i]) < 0)
			return err_set(e, errno,
				       "an address of a network card");
	for (size_t i = 0; i < n->n_gateways; i++)
		if (add_default_route(netlink, (unsigned)index,
				      &n->gateways[i]) < 0 ||
		    greet(netlink, (unsigned)index, &n->gateways[i]) < 0)
			return err_set(e, errno,
				       "the gateway of a network card");
	return 0;
}

int net_name(const struct launch *l, const char *const *names, struct err *e)
{
	own_fd s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	for (size_t i = 0; i < l->n_nics; i++) {
		struct ifreq q;

		if (s < 0)
			return err_set(e, errno, "naming network cards");
		if (find_card(s, l, &l->nics[i], &q, e) < 0)
			return -1;
		snprintf(q.ifr_newname, IFNAMSIZ, "%s", names[i]);
		if (ioctl(s, SIOCSIFNAME, &q) < 0)
			return err_set(e, errno, "naming network card %s",
				       names[i]);
	}
	return 0;
}

/* The only one of a machine may have each of its ports, the low ones, too.  By
 * a kernel that does not know this, root may. */
static void open_ports(void)
{
	own_fd fd = open("/proc/sys/net/ipv4/ip_unprivileged_port_start",
			 O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, "0", 1) < 0)
		say("ports below 1024: %s", strerror(errno));
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
	open_ports();
	for (size_t i = 0; i < l->n_nics; i++)
		if (configure(s, netlink, l, &l->nics[i], e) < 0)
			return -1;
	return 0;
}

bool net_is_bridge(const struct launch *l)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n_nics; i++)
		n += l->nics[i].n_addrs;
	return l->n_nics && !n;
}

/* Before a card is up, for it would make an address and tell of it.  A kernel
 * without IPv6 has nothing to switch off. */
static int no_ip6(const char *name, struct err *e)
{
	char path[128];
	own_fd fd = -1;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6",
		 name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 ? errno != ENOENT : write(fd, "1", 1) < 0)
		return err_set(e, errno, "%s", path);
	return 0;
}

/* Where the kernel tells that a card has a link. */
static int open_events(struct err *e)
{
	const struct timeval wait = {.tv_sec = ANSWER_SECONDS};
	const struct sockaddr_nl all = {.nl_family = AF_NETLINK,
					.nl_groups = RTMGRP_LINK};
	own_fd fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0 ||
	    bind(fd, (const struct sockaddr *)&all, sizeof(all)) < 0)
		return err_set(e, errno, "watching network cards");
	return steal_fd(&fd);
}

/* The kernel throws away what is to go out before, for up to a second, and
 * nobody here sends anything twice. */
static int wait_link(int s, int events, const struct launch *l,
		     const struct nic *n, struct err *e)
{
	char event[4096];
	struct ifreq q;

	for (;;) {
		if (find_card(s, l, n, &q, e) < 0)
			return -1;
		if (ioctl(s, SIOCGIFFLAGS, &q) == 0 &&
		    q.ifr_flags & IFF_RUNNING)
			return 0;
		/* What was lost is no news: the card is looked at again. */
		if (recv(events, event, sizeof(event), 0) < 0 &&
		    errno != ENOBUFS && errno != EINTR)
			return err_set(e, errno, "a network card has no link");
	}
}

int net_listen(const struct launch *l, struct err *e)
{
	own_fd s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	own_fd events = open_events(e);

	if (events < 0)
		return -1;
	if (s < 0)
		return err_set(e, errno, "configuring the network");
	if (no_ip6("all", e) < 0 || no_ip6("default", e) < 0)
		return -1;
	for (size_t i = 0; i < l->n_nics; i++) {
		const struct nic *n = &l->nics[i];
		struct ifreq q;

		if (find_card(s, l, n, &q, e) < 0)
			return -1;
		if (no_ip6(q.ifr_name, e) < 0 ||
		    set_up(s, n, IFF_PROMISC | IFF_NOARP, &q, e) < 0)
			return -1;
	}
	for (size_t i = 0; i < l->n_nics; i++)
		if (wait_link(s, events, l, &l->nics[i], e) < 0)
			return -1;
	return 0;
}
