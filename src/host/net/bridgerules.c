/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rules of a bridge VM.  Pure; the person's own authority. */
#include "host/net/bridgerules.h"

#include "base/buf.h"
#include "host/net/netaddr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define MAC_TEXT 18
/* Not a group. */
#define TO_ONE "ether daddr & 01:00:00:00:00:00 == 00:00:00:00:00:00"
/* IPv6's question who has an address goes to a group that is made from it. */
#define TO_ASKED                                                               \
	"ether daddr 33:33:ff:00:00:00-33:33:ff:ff:ff:ff "                     \
	"ip6 daddr ff02::1:ff00:0/104"
#define ARP_WHOLE                                                              \
	"arp htype 1 arp ptype 0x0800 arp hlen 6 arp plen 4 "                  \
	"arp operation { request, reply } "
#define ARP_UP                                                                 \
	ARP_WHOLE "ether saddr . arp saddr ip @below4 "                        \
		  "arp saddr ether . arp saddr ip @below4 "                    \
		  "arp daddr ip != @ours4 "
/* RFC 4861, 7.1: from this segment, by no router. */
#define LOCAL "ip6 hoplimit 255 icmpv6 code 0 "
#define ADVERT "icmpv6 type nd-neighbor-advert " LOCAL
#define SOLICIT "icmpv6 type nd-neighbor-solicit " LOCAL
#define ND                                                                     \
	"meta l4proto ipv6-icmp icmpv6 type "                                  \
	"{ nd-neighbor-solicit, nd-neighbor-advert } "
/* Routers and their adverts, redirects, who listens to which group. */
#define NOT_ND                                                                 \
	"meta l4proto ipv6-icmp icmpv6 type "                                  \
	"{ 130-134, 137, 141-143, 148-153 } "

static char *mac_text(char out[MAC_TEXT], const unsigned char m[NIC_MAC])
{
	snprintf(out, MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1],
		 m[2], m[3], m[4], m[5]);
	return out;
}

/* Each address of a machine below, the one that its card makes included. */
typedef void (*each_fn)(struct buf *b, const unsigned char mac[NIC_MAC],
			const char *ip);

static void each(const struct bridgerules *r, enum nic_family family,
		 each_fn fn, struct buf *b)
{
	const int af = family == NIC_IP6 ? AF_INET6 : AF_INET;
	unsigned char own[16];
	char ip[INET6_ADDRSTRLEN];

	for (size_t i = 0; i < r->n_below; i++) {
		const struct nic *n = &r->below[i];

		for (size_t j = 0; j < n->n_addrs; j++)
			if (n->addrs[j].family == family &&
			    inet_ntop(af, n->addrs[j].ip, ip, sizeof(ip)))
				fn(b, n->mac, ip);
		netaddr_link_local(n->mac, own);
		if (family == NIC_IP6 && inet_ntop(af, own, ip, sizeof(ip)))
			fn(b, n->mac, ip);
	}
}

static void put_ip(struct buf *b, const unsigned char mac[NIC_MAC],
		   const char *ip)
{
	(void)mac;
	buf_printf(b, " %s,", ip);
}

static void put_pair(struct buf *b, const unsigned char mac[NIC_MAC],
		     const char *ip)
{
	char text[MAC_TEXT];

	buf_printf(b, " %s . %s,", mac_text(text, mac), ip);
}

/* nft of Debian 12 has no word for the address that is asked for. */
static void put_raw(struct buf *b, const char *ip)
{
	unsigned char raw[16] = {0};

	inet_pton(AF_INET6, ip, raw);
	buf_printf(b, " 0x");
	for (size_t i = 0; i < sizeof(raw); i++)
		buf_printf(b, "%02x", raw[i]);
	buf_printf(b, ",");
}

static void put_number(struct buf *b, const unsigned char mac[NIC_MAC],
		       const char *ip)
{
	(void)mac;
	put_raw(b, ip);
}

static void put_numbers(struct buf *b, const unsigned char mac[NIC_MAC],
			const char *ip)
{
	char text[MAC_TEXT];

	buf_printf(b, " %s .", mac_text(text, mac));
	put_raw(b, ip);
}

/* nft takes the comma behind the last element; it takes no empty list. */
static void put_set(struct buf *b, const struct bridgerules *r,
		    const char *name, enum nic_family family, each_fn fn)
{
	const char *type = family == NIC_IP6 ? "ipv6_addr" : "ipv4_addr";
	struct buf elements;

	buf_init(&elements, b->max);
	each(r, family, fn, &elements);
	buf_printf(b, "\tset %s {\n\t\ttype %s%s\n", name,
		   fn == put_pair ? "ether_addr . " : "", type);
	if (elements.len)
		buf_printf(b, "\t\telements = {%.*s }\n", (int)elements.len,
			   (const char *)elements.data);
	buf_printf(b, "\t}\n");
	b->bad = b->bad || elements.bad;
	buf_free(&elements);
}

static void put_sets(struct buf *b, const struct bridgerules *r)
{
	char text[MAC_TEXT];

	buf_printf(b, "\tset ours {\n\t\ttype ether_addr\n\t\telements = {");
	for (size_t i = 0; i < r->n_below; i++)
		buf_printf(b, " %s,", mac_text(text, r->below[i].mac));
	buf_printf(b, " }\n\t}\n");
	put_set(b, r, "ours4", NIC_IP4, put_ip);
	put_set(b, r, "ours6", NIC_IP6, put_ip);
	put_set(b, r, "below4", NIC_IP4, put_pair);
	put_set(b, r, "below6", NIC_IP6, put_pair);
}

/* `refuse`: what is for a group is everywhere, and said in silence. */
static const char ends[] =
	"\tchain deny {\n"
	"\t\tlimit rate 5/second burst 20 packets log prefix \"vmrun-deny \"\n"
	"\t\tdrop\n"
	"\t}\n"
	"\tchain refuse {\n"
	"\t\t" TO_ONE " goto deny\n"
	"\t\tdrop\n"
	"\t}\n";

/* Who is above, as nft says it. */
struct above {
	char to[160], from[160];
};

static struct above name_above(const struct bridgerules *r)
{
	struct above a;
	char text[MAC_TEXT];

	if (r->above) {
		mac_text(text, r->above);
		snprintf(a.to, sizeof(a.to), "ether daddr %s", text);
		snprintf(a.from, sizeof(a.from), "ether saddr != %s", text);
		return a;
	}
	snprintf(a.to, sizeof(a.to), "%s ether daddr != @ours", TO_ONE);
	snprintf(a.from, sizeof(a.from), "ether saddr @ours");
	return a;
}

/*
 * A frame that ends before what a rule looks at makes that rule pass it by: so
 * what lets a frame through names all that must be there.
 */
static void put_up(struct buf *b, const struct above *a)
{
	buf_printf(b,
		   "\tchain up_arp {\n"
		   "\t\t" ARP_UP "%s fwd to \"outer\"\n"
		   "\t\t" ARP_UP "ether daddr ff:ff:ff:ff:ff:ff "
		   "fwd to \"outer\"\n"
		   "\t\tgoto deny\n\t}\n",
		   a->to);
	buf_printf(b,
		   "\tchain up_ip4 {\n"
		   "\t\tip version 4 ether saddr . ip saddr @below4 "
		   "ip daddr != @ours4 %s fwd to \"outer\"\n"
		   "\t\tether saddr . ip saddr @below4 goto refuse\n"
		   "\t\tgoto deny\n\t}\n",
		   a->to);
}

static void put_up6(struct buf *b, const struct bridgerules *r,
		    const struct above *a)
{
	buf_printf(b, "\tchain up_nd {\n"
		      "\t\t" ADVERT "ether saddr . @th,64,128 {");
	each(r, NIC_IP6, put_numbers, b);
	buf_printf(b,
		   " } %s fwd to \"outer\"\n"
		   "\t\t" SOLICIT "%s fwd to \"outer\"\n"
		   "\t\t" SOLICIT TO_ASKED " fwd to \"outer\"\n"
		   "\t\tgoto refuse\n\t}\n",
		   a->to, a->to);
	buf_printf(b,
		   "\tchain up_own6 {\n"
		   "\t\t" ND "goto up_nd\n"
		   "\t\t" NOT_ND "goto refuse\n"
		   "\t\tip6 daddr != @ours6 %s fwd to \"outer\"\n"
		   "\t\tgoto refuse\n\t}\n"
		   "\tchain up_ip6 {\n"
		   "\t\tip6 version 6 ether saddr . ip6 saddr @below6 "
		   "goto up_own6\n"
		   "\t\tip6 saddr :: goto refuse\n"
		   "\t\tgoto deny\n\t}\n",
		   a->to);
}

static void put_down(struct buf *b)
{
	buf_printf(b, "\tchain down_arp {\n"
		      "\t\tarp saddr ip @ours4 goto deny\n"
		      "\t\tarp saddr ether @ours goto deny\n"
		      "\t\t" ARP_WHOLE "ether daddr . arp daddr ip @below4 "
		      "fwd to \"inner\"\n"
		      "\t\t" ARP_WHOLE "arp daddr ip @ours4 "
		      "ether daddr ff:ff:ff:ff:ff:ff fwd to \"inner\"\n"
		      "\t\tgoto refuse\n\t}\n"
		      "\tchain down_ip4 {\n"
		      "\t\tip saddr @ours4 goto deny\n"
		      "\t\tip version 4 ether daddr . ip daddr @below4 "
		      "fwd to \"inner\"\n"
		      "\t\tgoto refuse\n\t}\n");
}

static void put_down6(struct buf *b, const struct bridgerules *r)
{
	buf_printf(b, "\tchain down_nd {\n"
		      "\t\t" ADVERT "ether daddr . ip6 daddr @below6 "
		      "fwd to \"inner\"\n"
		      "\t\t" SOLICIT "ether daddr . ip6 daddr @below6 "
		      "fwd to \"inner\"\n"
		      "\t\t" SOLICIT TO_ASKED " @th,64,128 {");
	each(r, NIC_IP6, put_number, b);
	buf_printf(b, " } fwd to \"inner\"\n"
		      "\t\tgoto refuse\n\t}\n"
		      "\tchain down_ip6 {\n"
		      "\t\tip6 saddr @ours6 goto deny\n"
		      "\t\t" ND "goto down_nd\n"
		      "\t\t" NOT_ND "goto refuse\n"
		      "\t\tip6 version 6 ether daddr . ip6 daddr @below6 "
		      "fwd to \"inner\"\n"
		      "\t\tgoto refuse\n\t}\n");
}

/* By what stands in the frame: a tag of a VLAN is a type like any other. */
static void put_base(struct buf *b, const char *card, const char *way,
		     const char *check)
{
	buf_printf(b,
		   "\tchain %s {\n"
		   "\t\ttype filter hook ingress device \"%s\" "
		   "priority filter; policy drop;\n"
		   "%s"
		   "\t\tether type arp goto %s_arp\n"
		   "\t\tether type ip goto %s_ip4\n"
		   "\t\tether type ip6 goto %s_ip6\n"
		   "\t\tgoto refuse\n\t}\n",
		   card, card, check, way, way, way);
}

void bridgerules_compose(const struct bridgerules *r, struct buf *out)
{
	const struct above a = name_above(r);
	char check[256];

	snprintf(check, sizeof(check), "\t\t%s goto deny\n", a.from);
	buf_printf(out, "table netdev vmrun {\n");
	put_sets(out, r);
	buf_printf(out, "%s", ends);
	put_up(out, &a);
	put_up6(out, r, &a);
	put_down(out);
	put_down6(out, r);
	put_base(out, "inner", "up", "");
	put_base(out, "outer", "down", check);
	buf_printf(out, "}\n");
}
