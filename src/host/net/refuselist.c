/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lists of addresses that rulesets refuse.  The person's own authority. */
#include "host/net/rulesetint.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/own.h"
#include "host/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define LIST_MAX (64u * 1024) /* bytes of a file */

/* An address is a network of one. */
static int take_line(struct ruleset *r, const char *line, struct err *e)
{
	const char *p = line + strspn(line, " \t");
	size_t n = strcspn(p, " \t#");
	own_free char *net = text_fmt(e, "%.*s%s", (int)n, p,
				      memchr(p, '/', n)	  ? ""
				      : memchr(p, ':', n) ? "/128"
							  : "/32");
	int family = net ? ruleset_net_family(net) : 0;
	char ***to = family == AF_INET ? &r->refused4 : &r->refused6;

	if (!net)
		return -1;
	if (!n)
		return 0;
	if (!family || !strchr("#", p[n + strspn(p + n, " \t")]))
		return err_set(e, 0, "that is no address and no network");
	if (*to && strv_len(*to) == RULESET_REFUSED_MAX)
		return err_set(e, 0, "more than %u of a family",
			       RULESET_REFUSED_MAX);
	return text_add(to, net, e);
}

static int take_all(struct ruleset *r, const char *path, const char *text,
		    struct err *e)
{
	char shown[TEXT_SHOWN];

	for (size_t n = 1; *text; n++) {
		own_free char *line = ruleset_next_line(&text, e);

		if (!line)
			return -1;
		if (take_line(r, line, e))
			return err_wrap(e, "%s:%zu",
					text_show(shown, sizeof(shown), path),
					n);
	}
	return 0;
}

static int load(struct ruleset *r, const char *path, struct err *e)
{
	struct buf b;
	int ret;

	buf_init(&b, LIST_MAX);
	ret = io_read_text(AT_FDCWD, path, &b, e);
	if (ret == 0 && strlen((const char *)b.data) + 1 != b.len)
		ret = err_set(e, 0, "%s is not text", path);
	if (ret == 0)
		ret = take_all(r, path, (const char *)b.data, e);
	buf_free(&b);
	return ret;
}

int ruleset_take_list(struct ruleset *r, const char *name,
		      const char *const *config_dirs, struct err *e)
{
	for (; *config_dirs; config_dirs++) {
		own_free char *path =
			text_fmt(e, "%s/net/%s.list", *config_dirs, name);
		int there = path ? io_find(path, e) : -1;

		if (there)
			return there < 0 ? -1 : load(r, path, e);
	}
	return err_set(e, 0, "there is no list \"%s\"", name);
}
