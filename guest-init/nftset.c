/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Addresses into a named set of nf_tables, for a time.  Runs in the guest of a
 * firewall as PID 1.
 *
 * By nfnetlink: each change is a batch of messages, taken whole or not at all.
 * An element that is there keeps its time when it is added again (before Linux
 * 6.12), so it is removed and added in one batch: no packet sees it missing.
 * Only for a longer time: who got the address by an earlier answer may use it
 * for as long as that one said.
 */
#include "guest-init/init.h"

#include "base/err.h"
#include "base/own.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#define TABLE "vmrun"
#define FAMILY_INET 1 /* NFPROTO_INET */

/* A batch: a message at each of these numbers. */
enum seq { SEQ_BEGIN = 1, SEQ_REMOVE, SEQ_ADD, SEQ_END, SEQ_LOOK };

struct batch {
	_Alignas(struct nlmsghdr) unsigned char data[2048];
	size_t n;
};

static void *grow(struct batch *b, size_t n)
{
	void *at = b->data + b->n;

	b->n += NLMSG_ALIGN(n);
	return at;
}

/* Everything is far smaller than the batch: names have 255 bytes. */
static struct nlmsghdr *begin(struct batch *b, int type, int flags,
			      enum seq seq)
{
	struct nlmsghdr *h = grow(b, NLMSG_HDRLEN);
	struct nfgenmsg *g = grow(b, sizeof(*g));

	h->nlmsg_type = (uint16_t)type;
	h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	h->nlmsg_seq = seq;
	if (type == NFNL_MSG_BATCH_BEGIN || type == NFNL_MSG_BATCH_END) {
		g->res_id = htons(NFNL_SUBSYS_NFTABLES);
	} else {
		g->nfgen_family = FAMILY_INET;
		h->nlmsg_type |= NFNL_SUBSYS_NFTABLES << 8;
	}
	return h;
}

static void end(struct batch *b, struct nlmsghdr *h)
{
	h->nlmsg_len = (uint32_t)(b->data + b->n - (unsigned char *)h);
}

static struct nlattr *nest(struct batch *b, int type)
{
	struct nlattr *a = grow(b, sizeof(*a));

	a->nla_type = (uint16_t)(type | NLA_F_NESTED);
	return a;
}

static void nest_end(struct batch *b, struct nlattr *a)
{
	a->nla_len = (uint16_t)(b->data + b->n - (unsigned char *)a);
}

static void put(struct batch *b, int type, const void *p, size_t n)
{
	struct nlattr *a = grow(b, sizeof(*a));

	a->nla_type = (uint16_t)type;
	a->nla_len = (uint16_t)(sizeof(*a) + n);
	memcpy(grow(b, n), p, n);
}

static void put_element(struct batch *b, enum seq seq, const char *set,
			const struct nft_address *a)
{
	static const struct {
		int type, flags;
	} how[] = {
		[SEQ_REMOVE] = {NFT_MSG_DELSETELEM, NLM_F_ACK},
		[SEQ_ADD] = {NFT_MSG_NEWSETELEM, NLM_F_ACK | NLM_F_CREATE},
		[SEQ_LOOK] = {NFT_MSG_GETSETELEM, 0},
	};
	struct nlmsghdr *h = begin(b, how[seq].type, how[seq].flags, seq);
	struct nlattr *list, *one, *key;
	uint64_t ms = htobe64(a->seconds * UINT64_C(1000));

	put(b, NFTA_SET_ELEM_LIST_TABLE, TABLE, sizeof(TABLE));
	put(b, NFTA_SET_ELEM_LIST_SET, set, strlen(set) + 1);
	list = nest(b, NFTA_SET_ELEM_LIST_ELEMENTS);
	one = nest(b, NFTA_LIST_ELEM);
	key = nest(b, NFTA_SET_ELEM_KEY);
	put(b, NFTA_DATA_VALUE, a->ip, a->size);
	nest_end(b, key);
	if (seq == SEQ_ADD)
		put(b, NFTA_SET_ELEM_TIMEOUT, &ms, sizeof(ms));
	nest_end(b, one);
	nest_end(b, list);
	end(b, h);
}

/* The kernel's answers to the messages of a batch: 0, or the first error. */
static int answers(int s, int n)
{
	int first = 0;

	while (n-- > 0) {
		struct {
			struct nlmsghdr h;
			struct nlmsgerr e;
			unsigned char more[1024];
		} a;
		ssize_t got = recv(s, &a, sizeof(a), 0);

		if (got < 0)
			return errno;
		if (got < (ssize_t)(sizeof(a.h) + sizeof(a.e)) ||
		    a.h.nlmsg_type != NLMSG_ERROR)
			return EPROTO;
		if (!first)
			first = -a.e.error;
	}
	return first;
}

/* The attribute of that type, of n bytes of them; NULL: there is none. */
static const struct nlattr *find(const void *p, size_t n, int type)
{
	const unsigned char *at = p;

	while (n >= NLA_HDRLEN) {
		const struct nlattr *a = (const void *)at;
		size_t len = NLA_ALIGN(a->nla_len);

		if (a->nla_len < NLA_HDRLEN || a->nla_len > n)
			return NULL;
		if ((a->nla_type & NLA_TYPE_MASK) == type)
			return a;
		if (len >= n)
			return NULL;
		at += len;
		n -= len;
	}
	return NULL;
}

static const struct nlattr *find_in(const struct nlattr *a, int type)
{
	return a ? find(a + 1, a->nla_len - NLA_HDRLEN, type) : NULL;
}

/* Milliseconds that it stays in the set; 0: it is not there, or nobody knows.
 */
static uint64_t remaining(int s, const char *set, const struct nft_address *a)
{
	struct batch b = {.n = 0};
	struct {
		struct nlmsghdr h;
		struct nfgenmsg g;
		unsigned char more[2048];
	} m;
	const size_t head = sizeof(m.h) + sizeof(m.g);
	const struct nlattr *at;
	uint64_t ms;
	ssize_t n;

	put_element(&b, SEQ_LOOK, set, a);
	if (send(s, b.data, b.n, 0) < 0)
		return 0;
	n = recv(s, &m, sizeof(m), 0);
	if (n < (ssize_t)head || m.h.nlmsg_type == NLMSG_ERROR)
		return 0;
	at = find(m.more, (size_t)n - head, NFTA_SET_ELEM_LIST_ELEMENTS);
	at = find_in(find_in(at, NFTA_LIST_ELEM), NFTA_SET_ELEM_EXPIRATION);
	if (!at || at->nla_len != NLA_HDRLEN + sizeof(ms))
		return 0;
	memcpy(&ms, at + 1, sizeof(ms));
	return be64toh(ms);
}

enum way { WAY_RENEW, WAY_ADD };

static int change(int s, const char *set, const struct nft_address *a,
		  enum way way)
{
	struct batch b = {.n = 0};
	struct nlmsghdr *h;

	h = begin(&b, NFNL_MSG_BATCH_BEGIN, 0, SEQ_BEGIN);
	end(&b, h);
	if (way == WAY_RENEW)
		put_element(&b, SEQ_REMOVE, set, a);
	put_element(&b, SEQ_ADD, set, a);
	h = begin(&b, NFNL_MSG_BATCH_END, 0, SEQ_END);
	end(&b, h);
	if (send(s, b.data, b.n, 0) < 0)
		return errno;
	return answers(s, way == WAY_RENEW ? 2 : 1);
}

int nftset_open(struct err *e)
{
	const struct timeval wait = {.tv_sec = 5};
	own_fd s =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

	if (s < 0 ||
	    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) < 0)
		return err_set(e, errno, "a socket for nf_tables");
	return steal_fd(&s);
}

int nftset_add(int s, const char *set, const struct nft_address *a)
{
	int code;

	if (remaining(s, set, a) >= a->seconds * UINT64_C(1000))
		return 0;
	code = change(s, set, a, WAY_RENEW);
	/* It was not there. */
	if (code == ENOENT)
		code = change(s, set, a, WAY_ADD);
	errno = code;
	return code ? -1 : 0;
}
