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

#include <stdio.h>
#include <string.h>

/* RFC 6890: what is not of the Internet at large. */
static const char *const private4[] = {"0.0.0.0/8",
				       "10.0.0.0/8",
				       "100.64.0.0/10",
				       "127.0.0.0/8",
				       "169.254.0.0/16",
				       "172.16.0.0/12",
				       "192.0.0.0/24",
				       "192.168.0.0/16",
				       "198.18.0.0/15",
				       "224.0.0.0/3",
				       NULL};
static const char *const private6[] = {
	"::/96",    "64:ff9b::/96", "100::/64", "2002::/16",
	"fc00::/7", "fe80::/10",    "ff00::/8", NULL};

struct set {
	const char *name, *type;
	const char *const *elements;
};

#define SETS 6

static void list_sets(struct set *s, const struct ruleset *r,
		      const struct ruleset_net *n)
{
	const struct set all[SETS] = {
		{"host4", "ipv4_addr", n->host_addrs4},
		{"host6", "ipv6_addr", n->host_addrs6},
		{"open4", "ipv4_addr", (const char *const *)r->nets4},
		{"open6", "ipv6_addr", (const char *const *)r->nets6},
		{"private4", "ipv4_addr", private4},
		{"private6", "ipv6_addr", private6},
	};

	memcpy(s, all, sizeof(all));
}

static void put_elements(struct buf *b, const char *const *elements)
{
	/* An empty set has no elements to name. */
	if (!elements || !*elements)
		return;
	buf_printf(b, "\t\telements = {");
	for (size_t i = 0; elements[i]; i++)
		buf_printf(b, "%s %s", i ? "," : "", elements[i]);
	buf_printf(b, " }\n");
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
			put_elements(b, s[i].elements);
		buf_printf(b, "\t}\n");
	}
}

/* Who has how many connections. */
static const char busy_sets[] =
	"\tset busy4 { type ipv4_addr; flags dynamic; size 256; }\n"
	"\tset busy6 { type ipv6_addr; flags dynamic; size 256; }\n";

/* Everything there is, with nothing in it: declared twice it is there once. */
static void put_declarations(struct buf *b, const struct ruleset *r,
			     const struct set *s)
{
	buf_printf(b, "table inet vmrun {\n%s", busy_sets);
	put_sets(b, s, CONTENTS_NONE);
	for (char **h = r->hosts; h && *h; h++)
		buf_printf(b,
			   "\tset h4_%s { type ipv4_addr; flags timeout; "
			   "size 1024; }\n"
			   "\tset h6_%s { type ipv6_addr; flags timeout; "
			   "size 1024; }\n",
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
	"\t\tct direction reply ct state established accept\n"
	"\t\tct state related accept\n"
	/* Of this text; of an earlier one it is judged again. */
	"\t\tct state established ct mark $generation accept\n";

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

static const char forward_end[] =
	"\t\tip daddr != @open4 ip daddr @host4 goto deny\n"
	"\t\tip6 daddr != @open6 ip6 daddr @host6 goto deny\n"
	"\t\tip daddr != @open4 ip daddr @private4 goto deny\n"
	"\t\tip6 daddr != @open6 ip6 daddr @private6 goto deny\n"
	"\t\tjump allow\n"
	"\t\tgoto deny\n"
	"\t}\n"
	/* What passed that chain, by whichever rule. */
	"\tchain passed {\n"
	"\t\ttype filter hook forward priority filter + 10; policy accept;\n"
	"\t\tct mark set $generation\n"
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

/* DNS as a whole goes to the resolver, unless there are names to look at. */
static bool passes_dns(const struct ruleset *r, const struct ruleset_net *n)
{
	return n->resolver4 && !r->hosts;
}

static void put_forward(struct buf *b, const struct ruleset *r,
			const struct ruleset_net *n)
{
	buf_printf(b, "%s", forward_begin);
	for (size_t i = 0; i < n->n_publish; i++) {
		const struct ruleset_publish *p = &n->publish[i];

		buf_printf(b,
			   "\t\tiifname $outer oifname $inner ct status dnat "
			   "%s daddr %s %s dport %u accept\n",
			   is_ip6(p) ? "ip6" : "ip", p->address,
			   protocol_name(p->protocol), p->port);
	}
	buf_printf(b, "%s", forward_clients);
	if (passes_dns(r, n))
		buf_printf(b,
			   "\t\tct status dnat ip daddr %s "
			   "meta l4proto { tcp, udp } th dport 53 accept\n",
			   n->resolver4);
	buf_printf(b, "%s", forward_end);
}

/* The firewall's own resolver: asked from inside, asking one other. */
static void put_resolver(struct buf *b, const struct ruleset *r,
			 const struct ruleset_net *n)
{
	if (!r->hosts || !n->resolver4)
		return;
	buf_printf(b,
		   "\tchain input {\n"
		   "\t\tiifname $inner ct state new "
		   "add @busy4 { ip saddr ct count over 4096 } drop\n"
		   "\t\tiifname $inner ct state new "
		   "add @busy6 { ip6 saddr ct count over 4096 } drop\n"
		   "\t\tiifname $inner udp dport 53 accept\n"
		   "\t}\n"
		   "\tchain output {\n"
		   "\t\toifname $outer ip daddr %s udp dport 53 accept\n"
		   "\t}\n",
		   n->resolver4);
}

static void put_translation(struct buf *b, const struct ruleset *r,
			    const struct ruleset_net *n)
{
	buf_printf(b, "\tchain prerouting {\n"
		      "\t\ttype nat hook prerouting priority dstnat;\n");
	if (passes_dns(r, n))
		buf_printf(b,
			   "\t\tiifname $inner ip daddr $gateway4 "
			   "meta l4proto { tcp, udp } th dport 53 "
			   "dnat ip to %s\n",
			   n->resolver4);
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
	}
}

static void put_allow(struct buf *b, const struct ruleset *r)
{
	const char *p = r->text;
	struct err e = ERR_INIT;

	while (*p) {
		own_free char *line = ruleset_next_line(&p, &e);

		if (!line) {
			b->bad = true;
			return;
		}
		put_line(b, line);
	}
}

/* For the resolver; comments to nft.  Nothing of the file is before these. */
static void put_hosts(struct buf *b, const struct ruleset *r,
		      const struct ruleset_net *n)
{
	if (!r->hosts || !n->resolver4)
		return;
	buf_printf(b, "#@ resolver %s\n", n->resolver4);
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
	put_allow(out, r);
	buf_printf(out, "\t}\n%s%s", deny_chain, own_chains);
	put_forward(out, r, n);
	put_resolver(out, r, n);
	put_translation(out, r, n);
	buf_printf(out, "}\n");
	put_generation(out, at);
}
