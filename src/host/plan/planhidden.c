/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Mounts inside of what is shared: the VM does not see them (stage/cover.c does
 * that), and the person is told.  Part of vmrun; only looks.
 */
#include "host/plan/planint.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/mountinfo.h"
#include "host/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

bool plan_shows_inner(const struct plan_share *s)
{
	return s->system && strcmp(s->dst, "/") != 0; /* --root has a name */
}

/* A mount that is a share itself is seen at its own place. */
static bool is_shared(const struct plan *p, const struct mountinfo *m)
{
	for (size_t i = 0; i < p->n_shares; i++)
		if (!strcmp(p->shares[i].src, m->point))
			return true;
	return false;
}

static int note(struct plan_share *s, const struct mountinfo *m, struct err *e)
{
	if (s->n_hidden++)
		return 0;
	s->hidden = text_dup(m->point, e);
	return s->hidden ? 0 : -1;
}

int plan_hidden_by(struct plan *p, char *text, struct err *e)
{
	struct mountinfo m;
	int r;

	while ((r = mountinfo_next(&text, &m)) > 0) {
		for (size_t i = 0; i < p->n_shares; i++) {
			struct plan_share *s = &p->shares[i];

			if (s->mnt != m.parent || plan_shows_inner(s) ||
			    !path_is_below(m.point, s->src) || is_shared(p, &m))
				continue;
			if (note(s, &m, e))
				return -1;
		}
	}
	return r < 0 ? err_set(e, EINVAL, "/proc/self/mountinfo") : 0;
}

int plan_hidden(struct plan *p, struct err *e)
{
	struct buf text;
	int r;

	buf_init(&text, MOUNTINFO_MAX);
	r = io_read_text(AT_FDCWD, "/proc/self/mountinfo", &text, e);
	if (r == 0)
		r = plan_hidden_by(p, (char *)text.data, e);
	buf_free(&text);
	return r;
}
