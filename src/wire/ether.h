/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Ethernet frames as far as a switch must read them that lets nobody send
 * under another's name: addresses, and who claims to be who in ARP, IPv4,
 * IPv6 and neighbour discovery (ND).
 *
 * Nothing is repaired and nothing is guessed: what claims an address in a way
 * that cannot be read whole is bad.  Checksums are the receiver's matter.
 */
#ifndef WIRE_ETHER_H
#define WIRE_ETHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ETHER_HEADER 14u
/* Header included; room for an MTU of 9000 and then some. */
#define ETHER_FRAME_MAX 9216u
#define ETHER_ADDR 6u
#define IP4_ADDR 4u
#define IP6_ADDR 16u
/* Extension headers of one IPv6 packet; more is bad. */
#define IP6_HEADERS_MAX 8u
/* Options of one ND message; more is bad. */
#define ND_OPTIONS_MAX 16u

enum ether_type {
	ETHER_TYPE_IP4 = 0x0800,
	ETHER_TYPE_ARP = 0x0806,
	ETHER_TYPE_VLAN = 0x8100,
	ETHER_TYPE_IP6 = 0x86dd,
	ETHER_TYPE_QINQ = 0x88a8,
};

enum ether_kind {
	ETHER_OTHER, /* neither of the rest */
	ETHER_VLAN,
	ETHER_ARP,
	ETHER_IP4,
	ETHER_IP6,
};

/* What an IPv6 packet does about neighbours and groups. */
enum ether_nd {
	ND_NONE, /* nothing of that: any other packet */
	ND_ROUTER_SOLICIT,
	ND_ROUTER_ADVERT,
	ND_SOLICIT,
	ND_ADVERT,
	ND_REDIRECT,
	ND_GROUPS, /* multicast listeners (MLD): queries, reports, done */
};

struct ether_arp {
	uint16_t op;		       /* 1: request, 2: reply */
	unsigned char mac[ETHER_ADDR]; /* the sender's */
	unsigned char ip4[IP4_ADDR];   /* the sender's */
};

struct ether_ip6 {
	unsigned char src[IP6_ADDR];
	bool fragment; /* the first or a later one of several */
	enum ether_nd nd;
	unsigned char target[IP6_ADDR]; /* ND_SOLICIT, ND_ADVERT, ND_REDIRECT */
	/* The address in the option "source link-layer address" or "target
	 * link-layer address"; with several, different ones the message is
	 * bad. */
	bool has_mac;
	unsigned char mac[ETHER_ADDR];
};

struct ether {
	unsigned char dst[ETHER_ADDR], src[ETHER_ADDR];
	enum ether_kind kind;
	union {
		struct ether_arp arp;
		unsigned char ip4[IP4_ADDR]; /* the sender's */
		struct ether_ip6 ip6;
	};
};

/*
 * Reads the frame of n bytes at p.  Pure.  0; or -1: bad, and then addresses
 * and kind are those of the header if n is at least ETHER_HEADER.
 *
 * Bad are: a frame that is too short for what it says that it carries; ARP of
 * other than Ethernet and IPv4, or an operation that is neither request nor
 * reply; an IPv6 packet whose headers do not end within its first fragment or
 * are more than IP6_HEADERS_MAX (RFC 7112); ND that is not whole.
 */
int ether_decode(const void *p, size_t n, struct ether *f);

static inline bool ether_is_group(const unsigned char *mac)
{
	return mac[0] & 1;
}

#endif
