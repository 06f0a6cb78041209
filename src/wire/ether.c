/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading Ethernet frames.  Pure; runs in vmrun-switch on hostile bytes. */
#include "wire/ether.h"

#include <string.h>

/* Bytes that are still to be read. */
struct span {
	const unsigned char *p;
	size_t n;
};

/* The next n bytes, or NULL if there are fewer. */
static const unsigned char *take(struct span *s, size_t n)
{
	const unsigned char *was = s->p;

	if (s->n < n)
		return NULL;
	s->p += n;
	s->n -= n;
	return was;
}

static uint16_t be16(const unsigned char *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static enum ether_kind kind_of(uint16_t type)
{
	switch (type) {
	case ETHER_TYPE_ARP:
		return ETHER_ARP;
	case ETHER_TYPE_IP4:
		return ETHER_IP4;
	case ETHER_TYPE_IP6:
		return ETHER_IP6;
	case ETHER_TYPE_VLAN:
	case ETHER_TYPE_QINQ:
		return ETHER_VLAN;
	default:
		return ETHER_OTHER;
	}
}

/* RFC 826: u16 hardware, u16 protocol, u8 and u8 lengths, u16 operation,
 * sender's MAC and IP, target's MAC and IP. */
static int decode_arp(struct span *s, struct ether_arp *a)
{
	static const unsigned char head[] = {0,	   1,	       0x08,
					     0x00, ETHER_ADDR, IP4_ADDR};
	const unsigned char *p = take(s, 28);

	if (!p || memcmp(p, head, sizeof(head)))
		return -1;
	a->op = be16(p + 6);
	memcpy(a->mac, p + 8, ETHER_ADDR);
	memcpy(a->ip4, p + 14, IP4_ADDR);
	return a->op == 1 || a->op == 2 ? 0 : -1;
}

static int decode_ip4(struct span *s, unsigned char *ip4)
{
	size_t whole = s->n, header, total;
	const unsigned char *p = take(s, 20);

	if (!p || p[0] >> 4 != 4)
		return -1;
	header = (size_t)(p[0] & 15) * 4;
	total = be16(p + 2);
	if (header < 20 || total < header || total > whole)
		return -1;
	memcpy(ip4, p + 12, IP4_ADDR);
	return 0;
}

enum { OPTION_SOURCE_MAC = 1, OPTION_TARGET_MAC = 2 };

/* An option is u8 type, u8 length in units of 8 bytes, header included. */
static int decode_nd_options(struct span *s, struct ether_ip6 *v)
{
	for (unsigned i = 0; s->n; i++) {
		size_t n = s->n < 2 ? 0 : (size_t)s->p[1] * 8;
		const unsigned char *p = n ? take(s, n) : NULL;

		if (!p || i == ND_OPTIONS_MAX)
			return -1;
		if (p[0] != OPTION_SOURCE_MAC && p[0] != OPTION_TARGET_MAC)
			continue;
		if (n != 8 || (v->has_mac && memcmp(v->mac, p + 2, ETHER_ADDR)))
			return -1;
		memcpy(v->mac, p + 2, ETHER_ADDR);
		v->has_mac = true;
	}
	return 0;
}

/* Type and length of what stands before the options, type and checksum
 * included (RFC 4861). */
static size_t nd_header(unsigned char type, enum ether_nd *nd)
{
	switch (type) {
	case 133:
		*nd = ND_ROUTER_SOLICIT;
		return 8;
	case 134:
		*nd = ND_ROUTER_ADVERT;
		return 16;
	case 135:
		*nd = ND_SOLICIT;
		return 24;
	case 136:
		*nd = ND_ADVERT;
		return 24;
	case 137:
		*nd = ND_REDIRECT;
		return 40;
	case 130:
	case 131:
	case 132:
	case 143:
		*nd = ND_GROUPS;
		return 0;
	default:
		*nd = ND_NONE;
		return 0;
	}
}

static int decode_icmp6(struct span *s, struct ether_ip6 *v)
{
	const unsigned char *p;
	size_t n;

	if (s->n < 4)
		return -1;
	n = nd_header(s->p[0], &v->nd);
	if (!n)
		return 0;
	p = take(s, n);
	/* A fragment of ND is never whole, and nobody may send one (RFC 6980).
	 */
	if (!p || v->fragment)
		return -1;
	if (n >= 24)
		memcpy(v->target, p + 8, IP6_ADDR);
	return decode_nd_options(s, v);
}

enum {
	NEXT_HOP_BY_HOP = 0,
	NEXT_TCP = 6,
	NEXT_ROUTING = 43,
	NEXT_FRAGMENT = 44,
	NEXT_AUTH = 51,
	NEXT_ICMP6 = 58,
	NEXT_OPTIONS = 60,
};

/*
 * Steps over the extension header at the front.  1: done, *next is what
 * follows; 0: it is none; -1: it is not whole.
 */
static int skip_header(struct span *s, unsigned char *next, bool *later)
{
	size_t n;

	*later = false;
	switch (*next) {
	case NEXT_HOP_BY_HOP:
	case NEXT_ROUTING:
	case NEXT_OPTIONS:
		n = s->n < 2 ? 0 : ((size_t)s->p[1] + 1) * 8;
		break;
	case NEXT_AUTH:
		n = s->n < 2 ? 0 : ((size_t)s->p[1] + 2) * 4;
		break;
	case NEXT_FRAGMENT:
		n = 8;
		*later = s->n >= n && be16(s->p + 2) & 0xfff8;
		break;
	default:
		return 0;
	}
	if (!n || s->n < n)
		return -1;
	*next = take(s, n)[0];
	return 1;
}

/* From behind the fixed header to what the packet carries. */
static int decode_ip6_rest(struct span *s, unsigned char next,
			   struct ether_ip6 *v)
{
	for (unsigned i = 0; i <= IP6_HEADERS_MAX; i++) {
		bool is_fragment = next == NEXT_FRAGMENT, later;
		int r = skip_header(s, &next, &later);

		if (r < 0)
			return -1;
		v->fragment |= is_fragment;
		/* Of a later fragment nothing can be said; the first one, with
		 * whose headers it is put together, was looked at. */
		if (later)
			return 0;
		if (r == 0)
			return next == NEXT_ICMP6 ? decode_icmp6(s, v) : 0;
	}
	return -1;
}

static int decode_ip6(struct span *s, struct ether_ip6 *v)
{
	const unsigned char *p = take(s, 40);
	size_t payload;

	if (!p || p[0] >> 4 != 6)
		return -1;
	payload = be16(p + 4);
	if (payload > s->n)
		return -1;
	s->n = payload;
	memcpy(v->src, p + 8, IP6_ADDR);
	return decode_ip6_rest(s, p[6], v);
}

int ether_decode(const void *bytes, size_t n, struct ether *f)
{
	struct span s = {bytes, n};
	const unsigned char *p = take(&s, ETHER_HEADER);

	memset(f, 0, sizeof(*f));
	if (!p)
		return -1;
	memcpy(f->dst, p, ETHER_ADDR);
	memcpy(f->src, p + 6, ETHER_ADDR);
	f->kind = kind_of(be16(p + 12));
	switch (f->kind) {
	case ETHER_ARP:
		return decode_arp(&s, &f->arp);
	case ETHER_IP4:
		return decode_ip4(&s, f->ip4);
	case ETHER_IP6:
		return decode_ip6(&s, &f->ip6);
	case ETHER_VLAN:
	case ETHER_OTHER:
		break;
	}
	return 0;
}
