/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rulesets: what is refused, by line; what nft says of the rest. */
#include "base/buf.h"
#include "base/err.h"
#include "host/net/ruleset.h"
#include "tap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/ruleset-test-XXXXXX";
static char path[64];
static struct ruleset r;
static struct err e;

static int read_text(const char *text)
{
	FILE *f = fopen(path, "we");

	if (!f || fputs(text, f) < 0 || fclose(f))
		abort();
	e = (struct err)ERR_INIT;
	return ruleset_read(&r, path, &e);
}

/* The message is `PATH:LINE: want...`. */
static void refused(const char *text, int line, const char *want)
{
	char start[256];

	snprintf(start, sizeof(start), "%s:%d: %s", path, line, want);
	tap_ok(read_text(text) < 0 && !strncmp(e.msg, start, strlen(start)),
	       "refused: %s", want);
	if (strncmp(e.msg, start, strlen(start)))
		printf("# got:  %s\n# want: %s\n", e.msg, start);
	ruleset_free(&r);
}

static void test_refused(void)
{
	const char *place = "this does not belong here";

	refused("accept\n}\nchain x {\n", 2, "\"}\" without \"{\"");
	refused("# }\naccept \"}\" }", 2, "\"}\" without \"{\"");
	refused("tcp dport {\n80,\n", 1, "\"{\" without \"}\"");
	refused("accept\nchain x { }\n", 2, place);
	refused("accept; flush ruleset", 1, place);
	refused("\n\ninclude \"/etc/passwd\"", 3, place);
	refused("policy accept", 1, place);
	refused("table inet vmrun { }", 1, place);
	refused("log prefix \"x", 1, "the string has no end");
	refused("accept\r\n", 1, "a control character");
	refused("accept\nallow-host", 2, "allow-host wants");
	refused("allow-host *.org tcp dport 1", 1, "allow-host wants");
	refused("allow-host A.org", 1, "allow-host wants");
	refused("allow-host a.org. accept", 1, "allow-host wants");
	refused("allow-host a..org", 1, "allow-host wants");
	refused("allow-host a.org }", 1, "\"}\" without");
	refused("allow-host a.org; flush ruleset", 1, "allow-host wants");
	refused("allow-host a.org accept; flush ruleset", 1, place);
	refused("allow-net 10.0.0.0/8 }", 1, "\"}\" without");
	refused("allow-net 10.0.0.0", 1, "allow-net wants");
	refused("allow-net 10.0.0.0/33", 1, "allow-net wants");
	refused("allow-net host/8", 1, "allow-net wants");
}

static void nft_says(const char *text, int line, const char *want)
{
	char start[256];

	snprintf(start, sizeof(start), "%s:%d: %s", path, line, want);
	tap_ok(read_text(text) == 0 && ruleset_check(&r, &e) < 0 &&
		       !strncmp(e.msg, start, strlen(start)),
	       "nft refuses line %d: %s", line, want);
	if (strncmp(e.msg, start, strlen(start)))
		printf("# got:  %s\n# want: %s\n", e.msg, start);
	ruleset_free(&r);
}

static void nft_takes(const char *text, const char *what)
{
	tap_ok(read_text(text) == 0 && ruleset_check(&r, &e) == 0,
	       "nft takes %s", what);
	if (e.msg[0])
		printf("# %s\n", e.msg);
	ruleset_free(&r);
}

static void test_nft(void)
{
	nft_says("accept\ntcp dport 99999 accept\n", 2, "");
	nft_says("\n# x\n\nudp sport nonsense accept", 4, "");
	nft_says("allow-net fc00::/7\n\njump nowhere\n", 3, "");
	nft_says("allow-net 10.0.0.0/8 tcp dport foo\n", 1, "");
	nft_says("allow-host a.org\n\nallow-host b.org tcp dport foo\n", 3, "");
	nft_takes("allow-host a.org tcp dport 443\nallow-host .b-1_c.org\n"
		  "allow-host a.org udp dport 443 # QUIC\n",
		  "names, with and without a rule");
	nft_takes("", "an empty file");
	nft_takes("# a comment without an end of line", "a comment");
	nft_takes("allow-net 192.168.0.0/16 tcp dport 22\n"
		  "allow-net 192.168.1.0/24\nallow-net fc00::/7\n",
		  "networks that overlap");
	nft_takes("tcp dport {\n80, # web\n443 } accept; accept\n",
		  "a set on several lines");
}

/* Its body, whose place in the whole is what errors are found by. */
static const char body_want[] = "# first\n"
				"ip daddr 10.0.0.0/8 tcp dport 443  accept\n"
				"ip6 daddr fc00::/7  accept\n"
				"tcp dport 1 accept\n\t}\n\tchain deny {";

static void test_body(void)
{
	static const struct ruleset_net net = {.inner = "a",
					       .outer = "b",
					       .clients4 = "c",
					       .clients6 = "d",
					       .gateway4 = "e",
					       .gateway6 = "f"};
	const char *at;
	size_t first, lines = 1;
	struct buf b;

	if (read_text("# first\nallow-net 10.0.0.0/8 tcp dport 443 # why\n"
		      "allow-net fc00::/7\ntcp dport 1 accept") < 0)
		abort();
	buf_init(&b, RULESET_INPUT_MAX);
	ruleset_compose(&r, &net, &b, &first);
	buf_put_u8(&b, 0);
	at = strstr((char *)b.data, "# first");
	for (const char *p = (char *)b.data; at && p < at; p++)
		lines += *p == '\n';
	tap_ok(at && lines == first, "the body begins where it is said to");
	tap_ok(at && !strncmp(at, body_want, strlen(body_want)),
	       "each line of the file is one line");
	tap_ok(!strstr((char *)b.data, "dnat ip to"),
	       "without a resolver DNS goes nowhere");
	buf_free(&b);
	ruleset_free(&r);
}

/* The text for a ruleset, with a NUL; the caller's to free. */
static char *compose(const char *rules, size_t n_publish)
{
	static const struct ruleset_publish publish[] = {
		{RULESET_TCP, 8080, "10.213.1.2", 80},
		{RULESET_UDP, 53, "fd00::2", 5353}};
	static const struct ruleset_net net = {.inner = "a",
					       .outer = "b",
					       .clients4 = "c",
					       .clients6 = "d",
					       .gateway4 = "e",
					       .gateway6 = "f",
					       .resolver4 = "192.0.2.53",
					       .publish = publish};
	struct ruleset_net n = net;
	size_t first;
	struct buf b;
	char *text;

	n.n_publish = n_publish;
	if (read_text(rules) < 0)
		abort();
	buf_init(&b, RULESET_INPUT_MAX);
	ruleset_compose(&r, &n, &b, &first);
	buf_put_u8(&b, 0);
	text = b.bad ? NULL : strdup((char *)b.data);
	buf_free(&b);
	ruleset_free(&r);
	if (!text)
		abort();
	return text;
}

static bool has(const char *rules, size_t n_publish, const char *want)
{
	char *text = compose(rules, n_publish);
	bool found = strstr(text, want) != NULL;

	free(text);
	return found;
}

static bool is_same(const char *one, const char *two)
{
	char *a = compose(one, 0), *b = compose(two, 0);
	size_t n = strcspn(a, "\n");
	bool same = n == strcspn(b, "\n") && !strncmp(a, b, n);

	free(a);
	free(b);
	return same;
}

static void test_names(void)
{
	static const char start[] = "#@ resolver 192.0.2.53\n#@ name a.org\n"
				    "#@ name .b.org\ndefine ";
	char *text = compose("allow-host a.org\n#@ name c.org\n"
			     "allow-host .b.org\nallow-host a.org udp dport 1",
			     0);

	tap_ok(!strncmp(text, start, strlen(start)),
	       "names are told first, each once, and nothing of the file");
	tap_ok(strstr(text, "ip daddr @h4_a.org udp dport 1 accept; "
			    "ip6 daddr @h6_a.org udp dport 1 accept\n") != NULL,
	       "a name's line allows what is in its sets");
	tap_ok(!strstr(text, "dnat") &&
		       strstr(text, "iifname $inner udp dport 53 accept"),
	       "with names DNS goes to the firewall and no further");
	free(text);
	tap_ok(has("accept", 0, "dnat ip to 192.0.2.53\n") &&
		       has("accept", 0, "ct status dnat ip daddr 192.0.2.53"),
	       "without names it goes to the resolver");
}

static void test_publish(void)
{
	tap_ok(has("", 2,
		   "iifname $outer tcp dport 8080 "
		   "dnat ip to 10.213.1.2:80\n") &&
		       has("", 2,
			   "ct status dnat ip daddr 10.213.1.2 "
			   "tcp dport 80 accept\n"),
	       "a published port");
	tap_ok(has("", 2,
		   "iifname $outer udp dport 53 "
		   "dnat ip6 to [fd00::2]:5353\n") &&
		       has("", 2,
			   "ct status dnat ip6 daddr fd00::2 "
			   "udp dport 5353 accept\n"),
	       "one of a client's IPv6 address");
	tap_ok(!has("", 0, "oifname $inner"),
	       "nothing goes to clients without one");
}

static void test_generation(void)
{
	tap_ok(is_same("accept\n", "accept\n"),
	       "the same rules have the same number");
	tap_ok(!is_same("tcp dport 80 accept\n", "tcp dport 81 accept\n"),
	       "others have another");
}

static void test_shipped(void)
{
	static const char *const names[] = {"web", "mail", "lan", "any"};
	const char *top = getenv("top_srcdir");
	char file[4096];

	for (size_t i = 0; i < 4; i++) {
		snprintf(file, sizeof(file), "%s/rulesets/%s.nft",
			 top ? top : ".", names[i]);
		e = (struct err)ERR_INIT;
		tap_ok(ruleset_read(&r, file, &e) == 0 &&
			       ruleset_check(&r, &e) == 0,
		       "nft takes %s.nft", names[i]);
		if (e.msg[0])
			printf("# %s\n", e.msg);
		ruleset_free(&r);
	}
}

static void put_file(const char *name)
{
	char file[128];
	FILE *f;

	snprintf(file, sizeof(file), "%s/%s", dir, name);
	f = fopen(file, "we");
	if (!f || fputs("accept\n", f) < 0 || fclose(f))
		abort();
}

static void test_list(void)
{
	static const char *const files[] = {"a/net/web.nft",  "b/net/web.nft",
					    "b/net/aaa.nft",  "b/net/x.conf",
					    "b/net/none.nft", "b/net/.nft",
					    "b/net/a b.nft"};
	static const char *const folders[] = {"a", "b", "a/net", "b/net"};
	char a[64], b[64], c[64], at[128];
	const char *dirs[] = {a, c, b, NULL};
	struct ruleset_entry *list;
	size_t n;

	snprintf(a, sizeof(a), "%s/a", dir);
	snprintf(b, sizeof(b), "%s/b", dir);
	snprintf(c, sizeof(c), "%s/c", dir);
	for (size_t i = 0; i < 4; i++) {
		snprintf(at, sizeof(at), "%s/%s", dir, folders[i]);
		if (mkdir(at, 0700) < 0)
			abort();
	}
	for (size_t i = 0; i < 7; i++)
		put_file(files[i]);
	e = (struct err)ERR_INIT;
	tap_ok(ruleset_list(dirs, &list, &n, &e) == 0 && n == 2,
	       "two rulesets; other files are none");
	snprintf(at, sizeof(at), "%s/a/net/web.nft", dir);
	tap_ok(n == 2 && !strcmp(list[0].name, "aaa") &&
		       !strcmp(list[1].name, "web") &&
		       !strcmp(list[1].path, at),
	       "by name, each from the first folder");
	ruleset_list_free(list, n);
	tap_ok(ruleset_find(&r, "web", dirs, &e) == 0 && !strcmp(r.path, at),
	       "and that is the one that is found");
	ruleset_free(&r);
	tap_ok(ruleset_find(&r, "none", dirs, &e) < 0 &&
		       ruleset_find(&r, "../b/net/web", dirs, &e) < 0,
	       "\"none\" and paths are no names");
	tap_ok(ruleset_find(&r, "mail", dirs, &e) < 0 && e.hint[0],
	       "a ruleset that is not there");
	for (size_t i = 0; i < 7; i++) {
		snprintf(at, sizeof(at), "%s/%s", dir, files[i]);
		unlink(at);
	}
	for (size_t i = 4; i-- > 0;) {
		snprintf(at, sizeof(at), "%s/%s", dir, folders[i]);
		rmdir(at);
	}
}

int main(void)
{
	if (!mkdtemp(dir))
		abort();
	snprintf(path, sizeof(path), "%s/x.nft", dir);
	test_refused();
	test_body();
	test_names();
	test_publish();
	test_generation();
	test_nft();
	test_shipped();
	test_list();
	unlink(path);
	rmdir(dir);
	return tap_done();
}
