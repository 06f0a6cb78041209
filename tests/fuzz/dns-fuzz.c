/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * DNS messages: any bytes, as a client's question and as a resolver's answer
 * to the question of the seeds.  What is made of them must be readable, fit
 * where it goes, and say the same.
 */
#include "fuzz.h"

#include "base/buf.h"
#include "wire/dns.h"

#include <stdlib.h>
#include <string.h>

#define ID 0x1234

static void must(bool so)
{
	if (!so)
		abort();
}

static void try_question(const uint8_t *data, size_t n)
{
	struct dns_question q, again;
	struct buf b;

	if (dns_get_question(data, n, &q) < 0)
		return;
	must(strlen(q.text) < DNS_NAME_MAX && q.name.n <= DNS_NAME_MAX);
	buf_init(&b, DNS_ANSWER_MAX);
	dns_put_question(&b, &q, ID);
	must(!b.bad && dns_get_question(b.data, b.len, &again) == 0);
	must(again.id == ID && again.type == q.type &&
	     !strcmp(again.text, q.text) && again.name.n == q.name.n &&
	     !memcmp(again.name.wire, q.name.wire, q.name.n));
	buf_free(&b);
}

static void try_answer(const uint8_t *data, size_t n, uint16_t type)
{
	static const uint8_t name[] = "\1a\7example";
	struct dns_question q = {.id = ID, .type = type};
	struct dns_answer a, again;
	struct buf b;

	memcpy(q.name.wire, name, sizeof(name));
	q.name.n = sizeof(name);
	if (dns_get_answer(data, n, &q, ID, &a) < 0)
		return;
	must(a.n <= DNS_ADDRS_MAX && a.ttl <= INT32_MAX);
	buf_init(&b, DNS_ANSWER_MAX);
	dns_put_answer(&b, &q, &a);
	must(!b.bad && dns_get_answer(b.data, b.len, &q, ID, &again) == 0);
	must(again.n == a.n && again.code == a.code &&
	     !memcmp(again.ip, a.ip, sizeof(a.ip)));
	buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	try_question(data, n);
	try_answer(data, n, DNS_A);
	try_answer(data, n, DNS_AAAA);
	return 0;
}
