/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * DNS messages, as far as the resolver in a firewall's guest needs them: one
 * question about an address, and the addresses of the answer (RFC 1035, 3596,
 * 6891).  Pure.
 *
 * Nothing that came is ever passed on: a question is asked anew with a number
 * of one's own, and an answer is made from the addresses that were understood.
 * With DNS_ADDRS_MAX of them it fits into the 512 bytes that every client
 * takes, so nothing is ever cut and no TCP is needed.
 */
#ifndef WIRE_DNS_H
#define WIRE_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

#define DNS_PORT 53
#define DNS_NAME_MAX 255u     /* bytes on the wire, the last 0 included */
#define DNS_MESSAGE_MAX 1232u /* bytes that we read, and ask for at most */
#define DNS_ANSWER_MAX 512u   /* bytes of an answer of ours */
#define DNS_ADDRS_MAX 8u

enum dns_type { DNS_A = 1, DNS_AAAA = 28 };

enum dns_code {
	DNS_OK = 0, /* also: there is the name, but no such address */
	DNS_FAILED = 2,
	DNS_NO_NAME = 3,
};

struct dns_name {
	size_t n; /* bytes, the last 0 included */
	unsigned char wire[DNS_NAME_MAX];
};

struct dns_question {
	uint16_t id, type;
	bool recurse;
	struct dns_name name; /* as it was written */
	/* In small letters, without the last dot; "?" for what no host's name
	 * has. */
	char text[DNS_NAME_MAX];
};

struct dns_answer {
	uint8_t code; /* of enum dns_code, or any other below 16 */
	uint32_t ttl; /* seconds; the least of all that led here */
	size_t n;
	unsigned char ip[DNS_ADDRS_MAX][16]; /* DNS_A: 4 bytes of it */
};

/*
 * A client's question.  0, or -1: it is none (an answer, two questions, another
 * class than the Internet's), and nothing is to be said to it.
 */
int dns_get_question(const void *p, size_t n, struct dns_question *q);

/* The same question with another number, for a resolver. */
void dns_put_question(struct buf *b, const struct dns_question *q, uint16_t id);

/*
 * A resolver's answer to the question that was asked with that number.  Aliases
 * are followed inside of it, eight at most; records of other names are nothing
 * to us.  One that was cut (TC) says nothing about what is missing: if it has
 * no address it is DNS_FAILED.  0; or -1: it is malformed, or an answer to
 * something else.
 */
int dns_get_answer(const void *p, size_t n, const struct dns_question *q,
		   uint16_t id, struct dns_answer *a);

/* The answer for the client: at most DNS_ANSWER_MAX bytes. */
void dns_put_answer(struct buf *b, const struct dns_question *q,
		    const struct dns_answer *a);

/* Bytes of an address of that type. */
size_t dns_addr_size(uint16_t type);

/*
 * Whether a name is meant: "a.org" that name, ".a.org" it and all below it.
 * The pattern is in small letters.
 */
bool dns_matches(const char *pattern, const char *text);
/* A pattern that can match: labels of letters, digits, - and _. */
bool dns_is_pattern(const char *pattern);

#endif
