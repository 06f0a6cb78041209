/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rulesets: reading them.  The person's own authority. */
#include "host/net/rulesetint.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/own.h"
#include "host/text.h"
#include "wire/dns.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>

/* Part of nft's words that belong around a chain, not into it. */
static const char *const outer_words[] = {"table",   "chain",  "flush",
					  "include", "delete", "destroy",
					  "reset",   "type",   "policy"};

static int bad_line(const struct ruleset *r, size_t line, const char *what,
		    struct err *e)
{
	char shown[TEXT_SHOWN];

	return err_set(e, 0, "%s:%zu: %s",
		       text_show(shown, sizeof(shown), r->path), line, what);
}

/* The next line at *p without its end, or NULL. */
char *ruleset_next_line(const char **p, struct err *e)
{
	size_t n = strcspn(*p, "\n");
	char *line;

	if (!**p)
		return NULL;
	line = text_fmt(e, "%.*s", (int)n, *p);
	*p += n + ((*p)[n] == '\n');
	return line;
}

static const char *skip_space(const char *p)
{
	return p + strspn(p, " \t");
}

/* The word at p ends there. */
static size_t word_length(const char *p)
{
	return strspn(p, "abcdefghijklmnopqrstuvwxyz"
			 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
}

static bool is_word(const char *p, size_t n, const char *word)
{
	return strlen(word) == n && !strncmp(p, word, n);
}

struct line ruleset_line(const char *text)
{
	struct line l = {.rule = text};
	const char *p = skip_space(text);
	size_t n = word_length(p);

	if (is_word(p, n, "allow-host"))
		l.kind = LINE_HOST;
	else if (is_word(p, n, "allow-net"))
		l.kind = LINE_NET;
	else if (is_word(p, n, "refuse-list"))
		l.kind = LINE_REFUSE;
	else
		return l;
	l.what = skip_space(p + n);
	l.n = strcspn(l.what, " \t#");
	l.rule = skip_space(l.what + l.n);
	return l;
}

bool ruleset_has_match(const struct line *l)
{
	return *l->rule && *l->rule != '#';
}

int ruleset_net_family(const char *net)
{
	static const struct {
		int family;
		uint64_t bits;
	} kinds[] = {{AF_INET, 32}, {AF_INET6, 128}};
	const char *slash = strchr(net, '/');
	char address[INET6_ADDRSTRLEN];
	unsigned char bytes[16];
	uint64_t prefix;

	if (!slash || (size_t)(slash - net) >= sizeof(address))
		return 0;
	memcpy(address, net, (size_t)(slash - net));
	address[slash - net] = '\0';
	for (size_t i = 0; i < 2; i++)
		if (inet_pton(kinds[i].family, address, bytes) == 1 &&
		    text_number(slash + 1, kinds[i].bits, &prefix) == 0)
			return kinds[i].family;
	return 0;
}

static int take_net(struct ruleset *r, size_t line, const struct line *l,
		    struct err *e)
{
	own_free char *net = text_fmt(e, "%.*s", (int)l->n, l->what);
	int family = net ? ruleset_net_family(net) : 0;
	char ***to = family == AF_INET ? &r->nets4 : &r->nets6;

	if (!net)
		return -1;
	if (!family)
		return bad_line(r, line,
				"allow-net wants a network such as "
				"192.168.0.0/16",
				e);
	/* Of one with a match only that part: rulecompose.c. */
	if (ruleset_has_match(l))
		return 0;
	if (*to && strv_len(*to) == RULESET_NETS_MAX)
		return bad_line(r, line, "too many networks", e);
	return text_add(to, net, e);
}

static int take_host(struct ruleset *r, size_t line, const struct line *l,
		     struct err *e)
{
	own_free char *host = text_fmt(e, "%.*s", (int)l->n, l->what);

	if (!host)
		return -1;
	if (l->n > RULESET_HOST_MAX || !dns_is_pattern(host))
		return bad_line(r, line,
				"allow-host wants a name in small letters, "
				"such as example.org or .example.org",
				e);
	for (char **h = r->hosts; h && *h; h++)
		if (!strcmp(*h, host))
			return 0;
	if (r->hosts && strv_len(r->hosts) == RULESET_HOSTS_MAX)
		return bad_line(r, line, "too many names", e);
	return text_add(&r->hosts, host, e);
}

static int take_list(struct ruleset *r, size_t line, const struct line *l,
		     const char *const *dirs, struct err *e)
{
	own_free char *name = text_fmt(e, "%.*s", (int)l->n, l->what);
	char shown[TEXT_SHOWN];

	if (!name)
		return -1;
	if (!text_is_name(name) || ruleset_has_match(l))
		return bad_line(r, line,
				"refuse-list wants the name of a list and no "
				"more, such as doh",
				e);
	if (ruleset_take_list(r, name, dirs, e) == 0)
		return 0;
	return err_wrap(e, "%s:%zu", text_show(shown, sizeof(shown), r->path),
			line);
}

/* What a scan of the body knows between lines. */
struct scan {
	size_t line, depth, open_line;
	bool first;   /* at the beginning of a statement */
	bool several; /* the line has more than one */
};

static int scan_word(const struct ruleset *r, const struct scan *s,
		     const char *p, size_t n, struct err *e)
{
	size_t words = sizeof(outer_words) / sizeof(*outer_words);

	for (size_t i = 0; s->first && i < words; i++)
		if (is_word(p, n, outer_words[i])) {
			bad_line(r, s->line, "this does not belong here", e);
			return err_hint(e, "a ruleset is the body of one "
					   "chain: rules only");
		}
	return 0;
}

/* Braces outside of strings and comments; what would leave the chain. */
static int scan_line(const struct ruleset *r, struct scan *s, const char *p,
		     struct err *e)
{
	bool string = false;

	s->first = s->depth == 0;
	s->several = false;
	for (; *p; p++) {
		size_t n = string ? 0 : word_length(p);

		if (n) {
			if (scan_word(r, s, p, n, e))
				return -1;
			s->first = false;
			p += n - 1;
		} else if (*p == '"') {
			string = !string;
		} else if (!string && *p == '#') {
			return 0;
		} else if (!string && *p == ';') {
			s->first = s->several = true;
		} else if (!string && *p == '{') {
			s->open_line = s->depth++ ? s->open_line : s->line;
		} else if (!string && *p == '}' && !s->depth--) {
			return bad_line(r, s->line, "\"}\" without \"{\"", e);
		} else if ((unsigned char)*p < ' ' && *p != '\t') {
			return bad_line(r, s->line, "a control character", e);
		}
	}
	return string ? bad_line(r, s->line, "the string has no end", e) : 0;
}

/* A second rule would lack the network or name, and open all the world. */
static int check_match(const struct ruleset *r, const struct scan *s,
		       struct err *e)
{
	if (!s->several && !s->depth)
		return 0;
	return bad_line(r, s->line,
			"behind allow-net or allow-host is one match, on one "
			"line and without \";\"",
			e);
}

static int take_line(struct ruleset *r, size_t line, const struct line *l,
		     const char *const *dirs, struct err *e)
{
	switch (l->kind) {
	case LINE_RULE:
		return 0;
	case LINE_HOST:
		return take_host(r, line, l, e);
	case LINE_NET:
		return take_net(r, line, l, e);
	case LINE_REFUSE:
		return take_list(r, line, l, dirs, e);
	}
	return 0;
}

static int parse(struct ruleset *r, const char *const *dirs, struct err *e)
{
	const char *p = r->text;
	struct scan s = {0};

	while (*p) {
		own_free char *text = ruleset_next_line(&p, e);
		struct line l = {.rule = text};

		s.line++;
		if (!text)
			return -1;
		if (!s.depth) /* else in the middle of a set */
			l = ruleset_line(text);
		if (take_line(r, s.line, &l, dirs, e) ||
		    scan_line(r, &s, l.rule, e) ||
		    (l.kind != LINE_RULE && check_match(r, &s, e)))
			return -1;
	}
	return s.depth ? bad_line(r, s.open_line, "\"{\" without \"}\"", e) : 0;
}

static int load(struct ruleset *r, const char *const *dirs, struct err *e)
{
	struct buf b;
	int ret;

	buf_init(&b, RULESET_MAX);
	ret = io_read_file(AT_FDCWD, r->path, &b, e);
	if (ret == 0 && memchr(b.data ? b.data : (const void *)"", 0, b.len))
		ret = err_set(e, 0, "%s is not text", r->path);
	if (ret == 0) {
		r->text = text_fmt(e, "%.*s", (int)b.len,
				   b.len ? (char *)b.data : "");
		ret = r->text ? parse(r, dirs, e) : -1;
	}
	buf_free(&b);
	return ret;
}

int ruleset_read(struct ruleset *r, const char *path,
		 const char *const *config_dirs, struct err *e)
{
	memset(r, 0, sizeof(*r));
	r->name = text_dup("file", e);
	r->path = text_dup(path, e);
	if (r->name && r->path && load(r, config_dirs, e) == 0)
		return 0;
	ruleset_free(r);
	return -1;
}

int ruleset_routing(struct ruleset *r, struct err *e)
{
	static const char *const no_lists[] = {NULL};

	memset(r, 0, sizeof(*r));
	r->name = text_dup("routing", e);
	r->path = text_dup("(everything passes)", e);
	r->text = text_dup("allow-net 0.0.0.0/0\nallow-net ::/0\n", e);
	if (r->name && r->path && r->text && parse(r, no_lists, e) == 0)
		return 0;
	ruleset_free(r);
	return -1;
}

bool ruleset_is_name(const char *name)
{
	return text_is_name(name) && strcmp(name, "none") != 0;
}

int ruleset_find(struct ruleset *r, const char *name,
		 const char *const *config_dirs, struct err *e)
{
	char shown[TEXT_SHOWN];

	memset(r, 0, sizeof(*r));
	if (!ruleset_is_name(name))
		return err_set(e, 0, "\"%s\" is not the name of a ruleset",
			       text_show(shown, sizeof(shown), name));
	for (const char *const *d = config_dirs; *d; d++) {
		own_free char *path = text_fmt(e, "%s/net/%s.nft", *d, name);
		int there = path ? io_find(path, e) : -1;

		if (there < 0)
			return -1;
		if (!there)
			continue;
		if (ruleset_read(r, path, config_dirs, e) < 0)
			return -1;
		free(r->name);
		r->name = text_dup(name, e);
		return r->name ? 0 : -1;
	}
	err_set(e, 0, "there is no ruleset \"%s\"", name);
	return err_hint(e, "`vmrunctl net list` shows those that are there");
}

void ruleset_free(struct ruleset *r)
{
	free(r->name);
	free(r->path);
	free(r->text);
	strv_free(r->nets4);
	strv_free(r->nets6);
	strv_free(r->hosts);
	strv_free(r->refused4);
	strv_free(r->refused6);
	memset(r, 0, sizeof(*r));
}
