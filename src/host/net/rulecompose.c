/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is generated around a ruleset.  Pure; the person's own authority.
 *
 * The text does not begin with `flush ruleset`: tables, sets and base chains
 * are declared first, so that they are there, then rules and sets are emptied
 * but those of names, then all is filled.  It is one transaction, the first
 * time and at each reload, and what the firewall's resolver gave out stays.
 */
#include "host/net/rulesetint.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "host/net/netaddr.h"

#include <stdio.h>
#include <string.h>

struct set {
	const char *name, *type;
	const char *const *elements, *const *more;
};

#define SETS 8

static void list_sets(struct set *s, const struct ruleset *r,
		      const struct ruleset_net *n)
{
	const struct set all[SETS] = {
		{"host4", "ipv4_addr", n->host_addrs4, NULL},
		{"host6", "ipv6_addr", n->host_addrs6, NULL},
		{"open4", "ipv4_addr", (const char *const *)r->nets4, NULL},
		{"open6", "ipv6_addr", (const char *const *)r->nets6, NULL},
		{"private4", "ipv4_addr", ruleset_private4, NULL},
		{"private6", "ipv6_addr", ruleset_private6, n->links6},
		{"refused4", "ipv4_addr", (const char *const *)r->refused4,
		 NULL},
		{"refused6", "ipv6_addr", (const char *const *)r->refused6,
		 NULL},
	};

	memcpy(s, all, sizeof(all));
}

static void put_elements(struct buf *b, const struct set *s)
{
	const char *const *both[] = {s->elements, s->more};
	size_t n = 0;

	for (size_t i = 0; i < 2; i++)
		for (const char *const *p = both[i]; p && *p; p++)
			buf_printf(b, "%s %s", n++ ? "," : "\t\telements = {",
				   *p);
	/* An empty set has no elements to name. */
	buf_printf(b, "%s", n ? " }\n" : "");
}

enum contents { CONTENTS_NONE, CONTENTS_ALL };

static void put_sets(struct buf *b, const struct set *s, enum contents c)
{
	for (size_t i = 0; i < SETS; i++) {
		buf_printf(b,
			   "\tset %s {\n\t\ttype %s\n\t\tflags interval\n"
			   "\t\tauto-merge\n",
			   s[i].name, s[i].type);
		if (c == CONTENTS_ALL)
			put_elements(b, &s[i]);
		buf_printf(b, "\t}\n");
	}
}

/* Who has how many connections, its own and to its published ports; which of
 * them passt has not answered yet. */
static const char dynamic_sets[] =
	"\tset busy4 { type ipv4_addr; flags dynamic; size 256; }\n"
	"\tset busy6 { type ipv6_addr; flags dynamic; size 256; }\n"
	"\tset served4 { type ipv4_addr; flags dynamic; size 256; }\n"
	"\tset served6 { type ipv6_addr; flags dynamic; size 256; }\n"
	"\tset asked4 { type ipv4_addr . inet_service . ipv4_addr . "
	"inet_service; flags dynamic, timeout; timeout 10s; size 16384; }\n"
	"\tset asked6 { type ipv6_addr . inet_service . ipv6_addr . "
	"inet_service; flags dynamic, timeout; timeout 10s; size 16384; }\n";

/* Everything there is, with nothing in it: declared twice it is there once. */
static void put_declarations(struct buf *b, const struct ruleset *r,
			     const struct set *s)
{
	buf_printf(b, "table inet vmrun {\n%s", dynamic_sets);
	put_sets(b, s, CONTENTS_NONE);
	for (char **h = r->hosts; h && *h; h++)
		buf_printf(b,
			   "\tset h4_%s { type ipv4_addr; flags timeout; "
			   "size 16384; }\n"
			   "\tset h6_%s { type ipv6_addr; flags timeout; "
			   "size 16384; }\n",
			   *h, *h);
	buf_printf(b, "}\nflush table inet vmrun\n");
	for (size_t i = 0; i < SETS; i++)
		buf_printf(b, "flush set inet vmrun %s\n", s[i].name);
}

/* From here on only what was allowed before, or is allowed now, passes. */
static const char deny_chain[] =
	"\tchain deny {\n"
	"\t\tlimit rate 5/second burst 20 packets log prefix \"vmrun-deny \"\n"
	/* Not rate-limited as ICMP is, and heard by both families. */
	"\t\tmeta l4proto tcp counter reject with tcp reset\n"
	"\t\tcounter reject with icmpx admin-prohibited\n"
	"\t}\n";

static const char own_chains[] =
	"\tchain input {\n"
	"\t\ttype filter hook input priority filter; policy drop;\n"
	"\t\tiifname \"lo\" accept\n"
	"\t\tct state established,related accept\n"
	"\t\ticmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept\n"
	"\t\tiifname $inner icmp type echo-request limit rate 10/second "
	"accept\n"
	"\t\tiifname $inner icmpv6 type echo-request limit rate 10/second "
	"accept\n"
	"\t}\n"
	"\tchain output {\n"
	"\t\ttype filter hook output priority filter; policy drop;\n"
	"\t\toifname \"lo\" accept\n"
	"\t\tct state established,related accept\n"
	/* What reject and the way itself say. */
	"\t\ticmp type { destination-unreachable, time-exceeded } accept\n"
	"\t\ticmpv6 type { destination-unreachable, packet-too-big, "
	"time-exceeded, parameter-problem } accept\n"
	"\t\ticmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept\n"
	"\t}\n";

static const char forward_begin[] =
	"\tchain forward {\n"
	"\t\ttype filter hook forward priority filter; policy drop;\n"
	"\t\tct state invalid drop\n"
	"\t\tct direction reply ct state { established, related } accept\n"
	/* ICMP errors from outside, those about published connections, too,
	 * which no text ends.  What a client says about a server's packets is
	 * its own word: as the rest of that connection. */
	"\t\tiifname $outer ct state related accept\n"
	/* Of this text; of an earlier one it is judged again. */
	"\t\tct state { established, related } ct mark $generation accept\n"
	"\t\tct state related drop\n";

static const char forward_clients[] =
	"\t\tiifname != $inner drop\n"
	"\t\toifname != $outer drop\n"
	"\t\tmeta nfproto ipv4 ip saddr != $clients4 drop\n"
	"\t\tmeta nfproto ipv6 ip6 saddr != $clients6 drop\n"
	/* A quarter of the table (guest-init/firewall.c): no client closes
	 * the firewall to its neighbours. */
	"\t\tct state new add @busy4 { ip saddr ct count over 4096 } "
	"goto deny\n"
	"\t\tct state new add @busy6 { ip6 saddr ct count over 4096 } "
	"goto deny\n";

/* Behind what opens one address, and behind what opens a part of a network:
 * put_closed(). */
static const char closed_host[] = "\t\tip daddr @host4 goto deny\n"
				  "\t\tip6 daddr @host6 goto deny\n";
static const char closed_end[] =
	"\t\tip daddr != @open4 ip daddr @private4 goto deny\n"
	"\t\tip6 daddr != @open6 ip6 daddr @private6 goto deny\n"
	"\t}\n";

static const char forward_end[] =
	/* IPv4 in IPv6's clothes: passt would connect to that IPv4 address. */
	"\t\tip6 daddr ::/80 goto deny\n"
	"\t\tjump closed\n"
	"\t\tip daddr @refused4 goto deny\n"
	"\t\tip6 daddr @refused6 goto deny\n"
	"\t\tjump allow\n"
	"\t\tgoto deny\n"
	"\t}\n"
	/* What passed that chain, by whichever rule; not what answers it, nor
	 * an ICMP error about it, which the kernel takes for part of it. */
	"\tchain passed {\n"
	"\t\ttype filter hook forward priority filter + 10; policy accept;\n"
	"\t\tct direction original ct state { new, established } "
	"ct mark set $generation\n"
	"\t}\n";

/*
 * One packet of a connection and no other until passt has answered it, or until
 * passt gives it up, which is after 10 s.  A passt older than September 2023
 * (Debian 12's) never comes out of its loop when it reads a first packet
 * (SYN, or a client's SYN and ACK) with another one of that connection behind
 * it: that one is counted twice.  A repeated SYN, which it takes for an error,
 * is enough; it comes in the same read after anything that stood still.  The
 * kernel may have kept a connection that is over for passt: hence nothing
 * follows what was asked, whatever became of that connection before, and a SYN
 * asks anew.  In a connection from outside the client's own SYN and ACK are
 * that, and passt answers them by a plain ACK.
 */
static const char passt_chains[] =
	"\tchain answered {\n"
	"\t\ttype filter hook forward priority filter - 10; policy accept;\n"
	"\t\tiifname != $outer accept\n"
	"\t\ttcp flags & (syn | rst) == 0 ct status assured accept\n"
	"\t\tdelete @asked4 "
	"{ ip daddr . tcp dport . ip saddr . tcp sport }\n"
	"\t\tdelete @asked6 "
	"{ ip6 daddr . tcp dport . ip6 saddr . tcp sport }\n"
	"\t}\n"
	"\tchain ask {\n"
	"\t\ttype filter hook postrouting priority filter; policy accept;\n"
	"\t\toifname != $outer accept\n"
	"\t\tct direction reply tcp flags & syn == 0 ct status assured "
	"accept\n"
	"\t\tip saddr . tcp sport . ip daddr . tcp dport @asked4 drop\n"
	"\t\tip6 saddr . tcp sport . ip6 daddr . tcp dport @asked6 drop\n"
	"\t\ttcp flags & syn == 0 ct status assured accept\n"
	"\t\tadd @asked4 { ip saddr . tcp sport . ip daddr . tcp dport }\n"
	"\t\tadd @asked6 { ip6 saddr . tcp sport . ip6 daddr . tcp dport }\n"
	"\t}\n";

static const char *protocol_name(enum ruleset_protocol p)
{
	switch (p) {
	case RULESET_TCP:
		return "tcp";
	case RULESET_UDP:
		return "udp";
	}
	return "";
}

static bool is_ip6(const struct ruleset_publish *p)
{
	return strchr(p->address, ':') != NULL;
}

/* DNS by one family. */
struct dns {
	const char *ip, *gateway;
	const char *resolver; /* NULL: there is none */
};

#define FAMILIES 2

static void list_dns(struct dns d[FAMILIES], const struct ruleset_net *n)
{
	d[0] = (struct dns){"ip", "$gateway4", n->resolver4};
	d[1] = (struct dns){"ip6", "$gateway6", n->resolver6};
}

/* It goes to the resolver as a whole, unless there are names to look at. */
static bool passes_dns(const struct ruleset *r, const struct dns *d)
{
	return d->resolver && !r->hosts;
}

/* The firewall's own resolver looks at them, and asks one of these. */
static bool has_resolver(const struct ruleset *r, const struct ruleset_net *n)
{
	return r->hosts && (n->resolver4 || n->resolver6);
}

/* passt takes the resolver's address for itself by UDP only: with TCP it would
 * connect this machine to who has it in its network (tcp_conn_from_tap()). */
static const char *dns_protocols(const struct ruleset_net *n)
{
	return n->passt ? "udp" : "{ tcp, udp }";
}

/* Counted by themselves, so that who floods a published port takes no way out
 * from the client, and no more of the table than the client may. */
static const char published_count[] =
	"\t\tiifname $outer oifname $inner ct status dnat ct state new "
	"add @served4 { ip daddr ct count over 4096 } drop\n"
	"\t\tiifname $outer oifname $inner ct status dnat ct state new "
	"add @served6 { ip6 daddr ct count over 4096 } drop\n";

static void put_published(struct buf *b, const struct ruleset_net *n)
{
	buf_printf(b, "%s", n->n_publish ? published_count : "");
	for (size_t i = 0; i < n->n_publish; i++) {
		const struct ruleset_publish *p = &n->publish[i];

		buf_printf(b,
			   "\t\tiifname $outer oifname $inner ct status dnat "
			   "%s daddr %s %s dport %u accept\n",
			   is_ip6(p) ? "ip6" : "ip", p->address,
			   protocol_name(p->protocol), p->port);
	}
}

/*
 * Past the firewall's own resolver these would say any name, and a network that
 * is open may have them inside: the one that it asks, and whatever is behind
 * that, those of a net VM and of passt.
 */
static void put_closed_dns(struct buf *b, const struct ruleset_net *n)
{
	const struct net_segment *net_vm = netaddr_segment(NET_OF_NET_VM);
	const char *const all[] = {n->resolver4,     n->resolver6,
				   net_vm->gateway4, net_vm->gateway6,
				   NET_RESOLVER4,    NET_RESOLVER6};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (all[i])
			buf_printf(b,
				   "\t\t%s daddr %s meta l4proto { tcp, udp } "
				   "th dport { 53, 853 } goto deny\n",
				   strchr(all[i], ':') ? "ip6" : "ip", all[i]);
}

static void put_forward(struct buf *b, const struct ruleset *r,
			const struct ruleset_net *n)
{
	struct dns d[FAMILIES];

	list_dns(d, n);
	buf_printf(b, "%s", forward_begin);
	put_published(b, n);
	buf_printf(b, "%s", forward_clients);
	for (size_t i = 0; i < FAMILIES; i++)
		if (passes_dns(r, &d[i]))
			buf_printf(b,
				   "\t\tct status dnat %s daddr %s meta "
				   "l4proto %s th dport 53 accept\n",
				   d[i].ip, d[i].resolver, dns_protocols(n));
	if (r->hosts)
		put_closed_dns(b, n);
	buf_printf(b, "%s", forward_end);
}

/* DNS that goes nowhere, of passt's what is not translated, fails at once: a
 * client has both addresses as resolvers, and asks the other one then. */
static void put_no_dns(struct buf *b, const struct dns *d)
{
	buf_printf(b,
		   "\tchain input {\n"
		   "\t\tiifname $inner %s daddr %s tcp dport 53 "
		   "reject with tcp reset\n"
		   "\t\tiifname $inner %s daddr %s udp dport 53 "
		   "reject with icmpx port-unreachable\n"
		   "\t}\n",
		   d->ip, d->gateway, d->ip, d->gateway);
}

/* The firewall's own resolver: asked from inside, asking others. */
static void put_resolver(struct buf *b, const struct ruleset *r,
			 const struct ruleset_net *n)
{
	struct dns d[FAMILIES];

	list_dns(d, n);
	if (!has_resolver(r, n)) {
		for (size_t i = 0; i < FAMILIES; i++)
			if (!d[i].resolver || n->passt)
				put_no_dns(b, &d[i]);
		return;
	}
	buf_printf(b, "\tchain input {\n"
		      "\t\tiifname $inner ct state new "
		      "add @busy4 { ip saddr ct count over 4096 } drop\n"
		      "\t\tiifname $inner ct state new "
		      "add @busy6 { ip6 saddr ct count over 4096 } drop\n"
		      "\t\tiifname $inner udp dport 53 accept\n"
		      "\t\tiifname $inner tcp dport 53 "
		      "reject with tcp reset\n"
		      "\t}\n"
		      "\tchain output {\n");
	for (size_t i = 0; i < FAMILIES; i++)
		if (d[i].resolver)
			buf_printf(b,
				   "\t\toifname $outer %s daddr %s "
				   "udp dport 53 accept\n",
				   d[i].ip, d[i].resolver);
	buf_printf(b, "\t}\n");
}

static void put_translation(struct buf *b, const struct ruleset *r,
			    const struct ruleset_net *n)
{
	struct dns d[FAMILIES];

	list_dns(d, n);
	buf_printf(b, "\tchain prerouting {\n"
		      "\t\ttype nat hook prerouting priority dstnat;\n");
	for (size_t i = 0; i < FAMILIES; i++)
		if (passes_dns(r, &d[i]))
			buf_printf(b,
				   "\t\tiifname $inner %s daddr %s "
				   "meta l4proto %s th dport 53 "
				   "dnat %s to %s\n",
				   d[i].ip, d[i].gateway, dns_protocols(n),
				   d[i].ip, d[i].resolver);
	for (size_t i = 0; i < n->n_publish; i++) {
		const struct ruleset_publish *p = &n->publish[i];

		buf_printf(b, "\t\tiifname $outer %s dport %u ",
			   protocol_name(p->protocol), p->outer_port);
		buf_printf(b,
			   is_ip6(p) ? "dnat ip6 to [%s]:%u\n"
				     : "dnat ip to %s:%u\n",
			   p->address, p->port);
	}
	buf_printf(b, "\t}\n"
		      "\tchain postrouting {\n"
		      "\t\ttype nat hook postrouting priority srcnat;\n"
		      "\t\toifname $outer masquerade\n"
		      "\t}\n");
}

/* A line of the file as a line of the chain. */
static void put_line(struct buf *b, const char *text)
{
	struct line l = ruleset_line(text);
	int len = (int)strcspn(l.rule, "#"), n = (int)l.n;

	switch (l.kind) {
	case LINE_RULE:
		buf_printf(b, "%s\n", text);
		break;
	case LINE_HOST:
		buf_printf(b,
			   "ip daddr @h4_%.*s %.*s accept; "
			   "ip6 daddr @h6_%.*s %.*s accept\n",
			   n, l.what, len, l.rule, n, l.what, len, l.rule);
		break;
	case LINE_NET:
		buf_printf(b, "%s daddr %.*s %.*s accept\n",
			   memchr(l.what, ':', l.n) ? "ip6" : "ip", n, l.what,
			   len, l.rule);
		break;
	case LINE_REFUSE: /* before all that is allowed: forward_end */
		buf_printf(b, "\n");
		break;
	}
}

/* Whether it names one address, which may be this machine's. */
static bool is_alone(const struct line *l)
{
	const char *end = memchr(l->what, ':', l->n) ? "/128" : "/32";
	size_t n = strlen(end);

	return l->n > n && !strncmp(l->what + l->n - n, end, n);
}

/* What an allow-net line opens of a network, for what the allow chain has to
 * say about it: other lines of the file open nothing private. */
static void put_opening(struct buf *b, const struct line *l)
{
	buf_printf(b, "\t\t%s daddr %.*s %.*s return\n",
		   memchr(l->what, ':', l->n) ? "ip6" : "ip", (int)l->n,
		   l->what, (int)strcspn(l->rule, "#"), l->rule);
}

static void put_address(struct buf *b, const char *text)
{
	struct line l = ruleset_line(text);

	if (l.kind == LINE_NET && is_alone(&l))
		put_opening(b, &l);
}

static void put_part(struct buf *b, const char *text)
{
	struct line l = ruleset_line(text);

	if (l.kind == LINE_NET && !is_alone(&l) && ruleset_has_match(&l))
		put_opening(b, &l);
}

static void put_lines(struct buf *b, const struct ruleset *r,
		      void (*put)(struct buf *b, const char *text))
{
	const char *p = r->text;
	struct err e = ERR_INIT;

	while (*p) {
		own_free char *line = ruleset_next_line(&p, &e);

		if (!line) {
			b->bad = true;
			return;
		}
		put(b, line);
	}
}

/* Behind the allow chain, so that nft finds an error of a line there first. */
static void put_closed(struct buf *b, const struct ruleset *r)
{
	buf_printf(b, "\tchain closed {\n");
	put_lines(b, r, put_address);
	buf_printf(b, "%s", closed_host);
	put_lines(b, r, put_part);
	buf_printf(b, "%s", closed_end);
}

/* For the resolver; comments to nft.  Nothing of the file is before these. */
static void put_hosts(struct buf *b, const struct ruleset *r,
		      const struct ruleset_net *n)
{
	struct dns d[FAMILIES];

	if (!has_resolver(r, n))
		return;
	list_dns(d, n);
	for (size_t i = 0; i < FAMILIES; i++)
		if (d[i].resolver)
			buf_printf(b, "#@ resolver %s\n", d[i].resolver);
	for (char **h = r->hosts; *h; h++)
		buf_printf(b, "#@ name %s\n", *h);
}

#define GENERATION "0x00000000"

/* The text's own number, in the place that was kept for it: FNV-1a, not 0. */
static void put_generation(struct buf *b, size_t at)
{
	uint32_t hash = 2166136261u;
	char digits[sizeof(GENERATION)];

	if (b->bad)
		return;
	for (size_t i = 0; i < b->len; i++)
		hash = (hash ^ b->data[i]) * 16777619u;
	snprintf(digits, sizeof(digits), "0x%08x", hash ? hash : 1);
	memcpy(b->data + at, digits, strlen(digits));
}

void ruleset_compose(const struct ruleset *r, const struct ruleset_net *n,
		     struct buf *out, size_t *first)
{
	struct set sets[SETS];
	size_t at;

	list_sets(sets, r, n);
	put_hosts(out, r, n);
	buf_printf(out, "define generation = ");
	at = out->len;
	buf_printf(out,
		   GENERATION "\ndefine inner = \"%s\"\n"
			      "define outer = \"%s\"\n"
			      "define clients4 = %s\ndefine clients6 = %s\n"
			      "define gateway4 = %s\ndefine gateway6 = %s\n",
		   n->inner, n->outer, n->clients4, n->clients6, n->gateway4,
		   n->gateway6);
	put_declarations(out, r, sets);
	buf_printf(out, "table inet vmrun {\n");
	put_sets(out, sets, CONTENTS_ALL);
	buf_printf(out, "\tchain allow {\n");
	*first = 1;
	for (size_t i = 0; i < out->len; i++)
		*first += out->data[i] == '\n';
	put_lines(out, r, put_line);
	buf_printf(out, "\t}\n%s%s", deny_chain, own_chains);
	put_closed(out, r);
	put_forward(out, r, n);
	put_resolver(out, r, n);
	put_translation(out, r, n);
	buf_printf(out, "%s}\n", n->passt ? passt_chains : "");
	put_generation(out, at);
}
