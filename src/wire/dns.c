/* SPDX-License-Identifier: GPL-3.0-or-later */
/* DNS messages.  Pure; runs in a firewall's guest, where both sides of a
 * question may be hostile. */
#include "wire/dns.h"

#include "base/buf.h"

#include <string.h>

#define HEADER 12u
#define LABEL_MAX 63u
#define RECORDS_MAX 128u /* of an answer */
#define ALIASES_MAX 8u
#define POINTERS_MAX 64u /* in one name */
#define CLASS_IN 1u
#define TYPE_CNAME 5u
#define TYPE_OPT 41u
/* Of a header's flags */
#define FLAG_ANSWER 0x8000u
#define FLAG_OPCODE 0x7800u
#define FLAG_CUT 0x0200u
#define FLAG_RECURSE 0x0100u
#define FLAG_CAN_RECURSE 0x0080u
#define FLAG_CODE 0x000fu

/* A message that is being read; `bad` is sticky. */
struct msg {
	const unsigned char *p;
	size_t n, at;
	bool bad;
};

static uint32_t get(struct msg *m, size_t bytes)
{
	uint32_t v = 0;

	if (m->bad || m->n - m->at < bytes) {
		m->bad = true;
		return 0;
	}
	while (bytes--)
		v = v << 8 | m->p[m->at++];
	return v;
}

static void skip(struct msg *m, size_t bytes)
{
	if (m->bad || m->n - m->at < bytes)
		m->bad = true;
	else
		m->at += bytes;
}

/*
 * One label to the name; false after the last one, which is empty.  *at moves
 * past it.
 */
static bool get_label(struct msg *m, size_t *at, struct dns_name *name)
{
	size_t len = m->p[*at];

	if (len > LABEL_MAX || m->n - *at <= len ||
	    name->n + 1 + len > DNS_NAME_MAX) {
		m->bad = true;
		return false;
	}
	memcpy(name->wire + name->n, m->p + *at, 1 + len);
	name->n += 1 + len;
	*at += 1 + len;
	return len > 0;
}

enum pointers { POINTERS_NO, POINTERS_BACK };

/* A name at m->at, which moves past it.  Pointers lead back only, each one
 * further than the last, so that none can lead in a circle. */
static void get_name(struct msg *m, enum pointers pointers,
		     struct dns_name *name)
{
	size_t at = m->at, lowest = m->at, jumps = 0;

	name->n = 0;
	while (!m->bad) {
		if (at >= m->n) {
			m->bad = true;
		} else if (m->p[at] >= 0xc0) {
			size_t to;

			if (pointers == POINTERS_NO || m->n - at < 2 ||
			    jumps++ == POINTERS_MAX) {
				m->bad = true;
				return;
			}
			to = (size_t)(m->p[at] & 0x3f) << 8 | m->p[at + 1];
			if (jumps == 1)
				m->at = at + 2;
			if (to < HEADER || to >= lowest)
				m->bad = true;
			at = lowest = to;
		} else if (!get_label(m, &at, name)) {
			break;
		}
	}
	if (!jumps)
		m->at = at;
}

static unsigned char small(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c | 0x20) : c;
}

static bool is_same(const struct dns_name *a, const struct dns_name *b)
{
	if (a->n != b->n)
		return false;
	/* The lengths of labels are below 64 and are no letters. */
	for (size_t i = 0; i < a->n; i++)
		if (small(a->wire[i]) != small(b->wire[i]))
			return false;
	return true;
}

static bool is_of_host(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
	       c == '_';
}

static void spell(struct dns_question *q)
{
	const struct dns_name *name = &q->name;
	size_t n = 0;

	for (size_t i = 0; name->wire[i]; i += 1 + name->wire[i]) {
		if (i)
			q->text[n++] = '.';
		for (size_t j = 1; j <= name->wire[i]; j++) {
			unsigned char c = small(name->wire[i + j]);

			q->text[n++] = is_of_host(c) ? (char)c : '?';
		}
	}
	q->text[n] = '\0';
}

int dns_get_question(const void *p, size_t n, struct dns_question *q)
{
	struct msg m = {.p = p, .n = n};
	uint32_t flags;

	memset(q, 0, sizeof(*q));
	if (n > DNS_MESSAGE_MAX)
		return -1;
	q->id = (uint16_t)get(&m, 2);
	flags = get(&m, 2);
	q->recurse = flags & FLAG_RECURSE;
	/* One question, no answer, no authority; what a client adds about
	 * itself (EDNS) is not needed. */
	if (flags & (FLAG_ANSWER | FLAG_OPCODE) || get(&m, 2) != 1 ||
	    get(&m, 2) || get(&m, 2))
		return -1;
	skip(&m, 2);
	if (m.bad)
		return -1;
	get_name(&m, POINTERS_NO, &q->name);
	q->type = (uint16_t)get(&m, 2);
	if (get(&m, 2) != CLASS_IN || m.bad)
		return -1;
	spell(q);
	return 0;
}

static void put(struct buf *b, uint32_t v, size_t bytes)
{
	while (bytes--)
		buf_put_u8(b, (uint8_t)(v >> (8 * bytes)));
}

static void put_head(struct buf *b, uint32_t id, uint32_t flags, size_t answers,
		     uint32_t additional)
{
	put(b, id, 2);
	put(b, flags, 2);
	put(b, 1, 2);
	put(b, (uint32_t)answers, 2);
	put(b, 0, 2);
	put(b, additional, 2);
}

static void put_asked(struct buf *b, const struct dns_question *q)
{
	buf_put(b, q->name.wire, q->name.n);
	put(b, q->type, 2);
	put(b, CLASS_IN, 2);
}

void dns_put_question(struct buf *b, const struct dns_question *q, uint16_t id)
{
	put_head(b, id, FLAG_RECURSE, 0, 1);
	put_asked(b, q);
	/* EDNS: how long an answer may be. */
	put(b, 0, 1);
	put(b, TYPE_OPT, 2);
	put(b, DNS_MESSAGE_MAX, 2);
	put(b, 0, 4);
	put(b, 0, 2);
}

size_t dns_addr_size(uint16_t type)
{
	return type == DNS_A ? 4 : 16;
}

struct record {
	struct dns_name owner;
	uint32_t type, class, ttl;
	size_t at, len; /* its data */
};

static void get_record(struct msg *m, struct record *r)
{
	get_name(m, POINTERS_BACK, &r->owner);
	r->type = get(m, 2);
	r->class = get(m, 2);
	r->ttl = get(m, 4);
	r->len = get(m, 2);
	r->at = m->at;
	skip(m, r->len);
}

static void lower_ttl(struct dns_answer *a, uint32_t ttl)
{
	/* RFC 2181, 8: with the highest bit set it is 0. */
	if (ttl > INT32_MAX)
		ttl = 0;
	if (ttl < a->ttl)
		a->ttl = ttl;
}

/* True if `name` is an alias; then it is replaced by what it stands for. */
static bool follow(struct msg records, size_t n, struct dns_name *name,
		   struct dns_answer *a)
{
	for (size_t i = 0; i < n; i++) {
		struct record r;
		struct msg data;

		get_record(&records, &r);
		if (r.type != TYPE_CNAME || r.class != CLASS_IN ||
		    !is_same(&r.owner, name))
			continue;
		data = records;
		data.at = r.at;
		get_name(&data, POINTERS_BACK, name);
		lower_ttl(a, r.ttl);
		return !data.bad && data.at == r.at + r.len;
	}
	return false;
}

static void collect(struct msg records, size_t n, const struct dns_name *name,
		    uint16_t type, struct dns_answer *a)
{
	for (size_t i = 0; i < n && a->n < DNS_ADDRS_MAX; i++) {
		struct record r;

		get_record(&records, &r);
		if (r.type != type || r.class != CLASS_IN ||
		    r.len != dns_addr_size(type) || !is_same(&r.owner, name))
			continue;
		memcpy(a->ip[a->n++], records.p + r.at, r.len);
		lower_ttl(a, r.ttl);
	}
}

/* All of them are there, whatever they say. */
static bool is_whole(struct msg records, size_t n)
{
	struct record r;

	while (n-- && !records.bad)
		get_record(&records, &r);
	return !records.bad;
}

static bool is_about(struct msg *m, const struct dns_question *q, uint16_t id,
		     uint32_t *flags, size_t *n)
{
	struct dns_name name;

	if (get(m, 2) != id)
		return false;
	*flags = get(m, 2);
	if (!(*flags & FLAG_ANSWER) || *flags & FLAG_OPCODE || get(m, 2) != 1)
		return false;
	*n = get(m, 2);
	skip(m, 4);
	if (m->bad)
		return false;
	get_name(m, POINTERS_NO, &name);
	return get(m, 2) == q->type && get(m, 2) == CLASS_IN && !m->bad &&
	       is_same(&name, &q->name);
}

int dns_get_answer(const void *p, size_t n, const struct dns_question *q,
		   uint16_t id, struct dns_answer *a)
{
	struct msg m = {.p = p, .n = n};
	struct dns_name name = q->name;
	size_t records, hops = 0;
	uint32_t flags;

	memset(a, 0, sizeof(*a));
	if (n > DNS_MESSAGE_MAX || !is_about(&m, q, id, &flags, &records) ||
	    records > RECORDS_MAX)
		return -1;
	a->code = flags & FLAG_CODE;
	if (a->code != DNS_OK)
		return 0;
	if (!is_whole(m, records))
		return -1;
	a->ttl = INT32_MAX;
	while (hops++ < ALIASES_MAX && follow(m, records, &name, a))
		;
	if (q->type == DNS_A || q->type == DNS_AAAA)
		collect(m, records, &name, q->type, a);
	/* Addresses were left out, or what leads to them. */
	if (flags & FLAG_CUT && !a->n)
		a->code = DNS_FAILED;
	return 0;
}

void dns_put_answer(struct buf *b, const struct dns_question *q,
		    const struct dns_answer *a)
{
	uint32_t flags = FLAG_ANSWER | FLAG_CAN_RECURSE | (a->code & FLAG_CODE);
	size_t size = dns_addr_size(q->type);

	put_head(b, q->id, flags | (q->recurse ? FLAG_RECURSE : 0), a->n, 0);
	put_asked(b, q);
	for (size_t i = 0; i < a->n; i++) {
		put(b, 0xc000 | HEADER, 2); /* the name of the question */
		put(b, q->type, 2);
		put(b, CLASS_IN, 2);
		put(b, a->ttl, 4);
		put(b, (uint32_t)size, 2);
		buf_put(b, a->ip[i], size);
	}
}

bool dns_matches(const char *pattern, const char *text)
{
	size_t p = strlen(pattern), t = strlen(text);

	if (pattern[0] != '.')
		return !strcmp(pattern, text);
	if (!strcmp(pattern + 1, text))
		return true;
	return t > p && !strcmp(text + (t - p), pattern);
}

bool dns_is_pattern(const char *pattern)
{
	size_t label = 0, n = strlen(pattern);

	if (*pattern == '.')
		pattern++;
	if (!*pattern || n > DNS_NAME_MAX - 2)
		return false;
	for (; *pattern; pattern++) {
		if (*pattern == '.' ? !label
				    : !is_of_host((unsigned char)*pattern))
			return false;
		label = *pattern == '.' ? 0 : label + 1;
		if (label > LABEL_MAX)
			return false;
	}
	return label > 0;
}
