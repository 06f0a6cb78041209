/* SPDX-License-Identifier: GPL-3.0-or-later */
/* DNS messages: what is refused, what is not believed, what comes of the rest.
 */
#include "tap.h"

#include "base/buf.h"
#include "wire/dns.h"

#include <stdlib.h>
#include <string.h>

#define ID 0x1234

/* A message under construction. */
static unsigned char m[4096];
static size_t n;

static void put(uint64_t v, size_t bytes)
{
	while (bytes--)
		m[n++] = (unsigned char)(v >> (8 * bytes));
}

static void head(unsigned flags, unsigned questions, unsigned answers)
{
	n = 0;
	put(ID, 2);
	put(flags, 2);
	put(questions, 2);
	put(answers, 2);
	put(0, 4);
}

/* "a.example"; a word `*N` at its end is a pointer to N. */
static void name(const char *text)
{
	while (*text && *text != '*') {
		size_t len = strcspn(text, ".*");

		put(len, 1);
		memcpy(m + n, text, len);
		n += len;
		text += len + (text[len] == '.');
	}
	if (*text)
		put(0xc000u | (unsigned)atoi(text + 1), 2);
	else
		put(0, 1);
}

static void question(const char *text, unsigned type)
{
	name(text);
	put(type, 2);
	put(1, 2);
}

static void record(const char *owner, unsigned type, uint32_t ttl, unsigned len)
{
	name(owner);
	put(type, 2);
	put(1, 2);
	put(ttl, 4);
	put(len, 2);
}

static void address(const char *owner, uint32_t ip, uint32_t ttl)
{
	record(owner, DNS_A, ttl, 4);
	put(ip, 4);
}

static struct dns_question q;

static void no_question(const char *what)
{
	tap_ok(dns_get_question(m, n, &q) < 0, "no question: %s", what);
}

static void test_questions_refused(void)
{
	head(0x100, 1, 0);
	no_question("a head alone");
	head(0x8100, 1, 0);
	question("a.example", 1);
	no_question("an answer");
	head(0x2900, 1, 0);
	question("a.example", 1);
	no_question("an update");
	head(0x100, 2, 0);
	question("a.example", 1);
	question("b.example", 1);
	no_question("two of them");
	head(0x100, 1, 1);
	question("a.example", 1);
	address("a.example", 1, 1);
	no_question("with an answer");
	head(0x100, 1, 0);
	question("a*12", 1);
	no_question("a name with a pointer");
	head(0x100, 1, 0);
	name("a.example");
	put(1, 2);
	put(3, 2);
	no_question("another class");
	head(0x100, 1, 0);
	put(64, 1);
	n += 64;
	put(0, 5);
	no_question("a label of 64 bytes");
	head(0x100, 1, 0);
	for (int i = 0; i < 128; i++)
		put(0x0161, 2);
	put(0x0000010001, 5);
	no_question("a name of 257 bytes");
}

static void test_question(void)
{
	struct dns_question again;
	struct buf b;

	head(0x100, 1, 0);
	question("WWW.A-1_x.eXample", DNS_AAAA);
	tap_ok(dns_get_question(m, n, &q) == 0 && q.id == ID && q.recurse &&
		       q.type == DNS_AAAA,
	       "a question");
	tap_str(q.text, "www.a-1_x.example", "its name in small letters");
	buf_init(&b, DNS_ANSWER_MAX);
	dns_put_question(&b, &q, 77);
	tap_ok(dns_get_question(b.data, b.len, &again) == 0 && again.id == 77 &&
		       again.type == DNS_AAAA &&
		       !memcmp(again.name.wire, q.name.wire, q.name.n),
	       "is asked anew with another number, letters as they were");
	buf_free(&b);
	head(0x100, 1, 0);
	question("a/b.\xff\n.example", 1);
	tap_ok(dns_get_question(m, n, &q) == 0, "what no host is called");
	tap_str(q.text, "a?b.??.example", "is not spelled out");
	head(0x100, 1, 0);
	question("", 2);
	tap_ok(dns_get_question(m, n, &q) == 0 && !q.text[0],
	       "the root has an empty name");
}

static struct dns_answer a;

static int answer(void)
{
	return dns_get_answer(m, n, &q, ID, &a);
}

static void asked(unsigned type)
{
	head(0x100, 1, 0);
	question("a.example", type);
	if (dns_get_question(m, n, &q) < 0)
		abort();
}

static void begin_answer(unsigned answers)
{
	head(0x8180, 1, answers);
	question("A.example", q.type);
}

static void test_answers_refused(void)
{
	asked(DNS_A);
	begin_answer(1);
	address("*12", 1, 1);
	m[0] ^= 1;
	tap_ok(answer() < 0, "refused: another number");
	head(0x0180, 1, 0);
	question("a.example", 1);
	tap_ok(answer() < 0, "refused: a question");
	head(0x8180, 1, 1);
	question("b.example", 1);
	address("*12", 1, 1);
	tap_ok(answer() < 0, "refused: of another name");
	head(0x8180, 1, 1);
	question("a.example", DNS_AAAA);
	tap_ok(answer() < 0, "refused: of another kind");
	begin_answer(2);
	address("*12", 1, 1);
	tap_ok(answer() < 0, "refused: one record fewer than it says");
	begin_answer(129);
	tap_ok(answer() < 0, "refused: too many records");
	begin_answer(1);
	address("*27", 1, 1);
	tap_ok(answer() < 0, "refused: a name that points to itself");
	begin_answer(1);
	address("*43", 1, 1);
	put(0, 1);
	tap_ok(answer() < 0, "refused: a name that points ahead");
	begin_answer(1);
	address("*3", 1, 1);
	tap_ok(answer() < 0, "refused: a name in the head");
	begin_answer(1);
	address("*12", 1, 1);
	for (size_t i = 0, all = n; i < all; i++) {
		n = i;
		if (answer() == 0)
			break;
		n = all;
	}
	tap_ok(n > 40, "refused: cut short anywhere");
}

static void test_answers(void)
{
	asked(DNS_A);
	begin_answer(3);
	address("*12", 0xc6336407, 300);
	address("b.example", 0xc6336408, 5);
	address("*12", 0xc6336409, 200);
	tap_ok(answer() == 0 && a.code == DNS_OK && a.n == 2 && a.ttl == 200 &&
		       !memcmp(a.ip[1], "\xc6\x33\x64\x09", 4),
	       "addresses of the name, and of no other; the least time");
	begin_answer(2);
	address("b.c.example", 0xc6336408, 400);
	record("*12", 5, 60, 6);
	name("b.c*14");
	tap_ok(answer() == 0 && a.n == 1 && a.ttl == 60,
	       "an alias, behind what it stands for");
	begin_answer(2);
	record("*12", 5, 60, 2);
	name("*12");
	address("*12", 1, 1);
	tap_ok(answer() == 0, "an alias of itself comes to an end");
	begin_answer(1);
	record("*12", DNS_AAAA, 300, 16);
	n += 16;
	tap_ok(answer() == 0 && a.n == 0, "no address of the other kind");
	begin_answer(1);
	record("*12", DNS_A, 300, 3);
	put(1, 3);
	tap_ok(answer() == 0 && a.n == 0, "none of three bytes");
	begin_answer(1);
	address("*12", 1, 0x80000000);
	tap_ok(answer() == 0 && a.n == 1 && a.ttl == 0,
	       "a time beyond all bounds is none");
	head(0x8183, 1, 0);
	question("a.example", 1);
	tap_ok(answer() == 0 && a.code == DNS_NO_NAME && !a.n,
	       "that there is no such name");
	head(0x8380, 1, 0);
	question("a.example", 1);
	tap_ok(answer() == 0 && a.code == DNS_FAILED && !a.n,
	       "cut, and without an address: not that there is none");
	head(0x8380, 1, 1);
	question("a.example", 1);
	address("*12", 0xc6336407, 300);
	tap_ok(answer() == 0 && a.code == DNS_OK && a.n == 1,
	       "cut: the addresses that it has");
}

static void test_our_answer(void)
{
	struct dns_answer again;
	struct buf b;

	head(0x100, 1, 0);
	for (int i = 0; i < 127; i++)
		put(0x0161, 2);
	put(0, 1);
	put(DNS_AAAA, 2);
	put(1, 2);
	a = (struct dns_answer){.ttl = 60, .n = DNS_ADDRS_MAX};
	memset(a.ip, 7, sizeof(a.ip));
	buf_init(&b, DNS_ANSWER_MAX);
	if (dns_get_question(m, n, &q) < 0)
		abort();
	dns_put_answer(&b, &q, &a);
	tap_ok(!b.bad && b.len <= DNS_ANSWER_MAX,
	       "the longest name and all addresses fit into 512 bytes");
	tap_ok(dns_get_answer(b.data, b.len, &q, ID, &again) == 0 &&
		       again.n == DNS_ADDRS_MAX && again.ttl == 60 &&
		       !memcmp(again.ip, a.ip, sizeof(a.ip)),
	       "and come back");
	buf_free(&b);
}

static void test_patterns(void)
{
	static const char *const good[] = {"a", "a.example", ".example",
					   "_x-1.a", "1.2.3.4"};
	static const char *const bad[] = {"",	  ".",	 "a.",	"..a",
					  "a..b", "A.b", "a b", "a;b",
					  "a\"b", "*.a", "a\n", "\xc3\xa4"};
	char label[65];

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		tap_ok(dns_is_pattern(good[i]), "a pattern: %s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		tap_ok(!dns_is_pattern(bad[i]), "no pattern: number %zu", i);
	memset(label, 'a', 64);
	label[64] = '\0';
	tap_ok(!dns_is_pattern(label) && dns_is_pattern(label + 1),
	       "labels have 63 bytes at most");
	tap_ok(dns_matches("a.org", "a.org") &&
		       !dns_matches("a.org", "b.org") &&
		       !dns_matches("a.org", "x.a.org") &&
		       !dns_matches("a.org", "a.org.evil"),
	       "a name is that name alone");
	tap_ok(dns_matches(".a.org", "x.y.a.org") &&
		       dns_matches(".a.org", "a.org") &&
		       !dns_matches(".a.org", "xa.org") &&
		       !dns_matches(".a.org", "org"),
	       "with a dot in front all below it, too");
}

int main(void)
{
	test_questions_refused();
	test_question();
	test_answers_refused();
	test_answers();
	test_our_answer();
	test_patterns();
	return tap_done();
}
