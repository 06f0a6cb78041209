/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How the person's trees are granted: whether everything must be, and which
 * private keys may be.  Part of vmrun; the person's own authority, only looks.
 */
#include "host/plan/planint.h"

#include "base/err.h"
#include "base/own.h"
#include "grant/grant.h"
#include "host/text.h"

#include <sys/stat.h>

static int find_key(const struct plan *p, const char *asked,
		    struct grant_inode *key, struct err *e)
{
	own_free char *path = plan_absolute(p->facts, asked, e);
	own_free char *real = path ? places_resolve(p->facts, path, e) : NULL;
	own_fd fd = -1;
	struct stat st;

	if (!real)
		return -1;
	fd = plan_open(real, &st);
	if (fd < 0)
		return err_set(e, errno, "opening it");
	key->dev = st.st_dev;
	key->ino = st.st_ino;
	return 0;
}

int plan_keys(struct plan *p, struct err *e)
{
	char *const *asked = p->opt->include_keys;
	char shown[TEXT_SHOWN];

	p->keys = calloc(strv_len(asked) + 1, sizeof(*p->keys));
	if (!p->keys)
		return err_set(e, ENOMEM, "no memory for a list");
	for (; asked && asked[p->n_keys]; p->n_keys++)
		if (find_key(p, asked[p->n_keys], &p->keys[p->n_keys], e))
			return err_wrap(e, "--include-keys %s",
					text_show(shown, sizeof(shown),
						  asked[p->n_keys]));
	return 0;
}

void plan_tree(const struct plan *p, const struct plan_share *s,
	       struct grant_tree *t)
{
	/* The keys in its own home are the alias's. */
	*t = (struct grant_tree){.root = s->fd,
				 .mode = s->rw ? GRANT_RW : GRANT_RO,
				 .whole = !p->opt->partial,
				 .spare_keys = !s->home,
				 .keys = p->keys,
				 .n_keys = p->n_keys};
}
