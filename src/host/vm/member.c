/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows of a setup record.  The person's own authority; pure but for stat(). */
#include "host/vm/member.h"

#include "base/buf.h"
#include "base/err.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

char **member_vector(const char *const *from)
{
	size_t n = 0;
	char **v;

	while (from[n])
		n++;
	v = calloc(n + 1, sizeof(*v));
	for (size_t i = 0; v && i < n; i++) {
		v[i] = strdup(from[i]);
		if (!v[i]) {
			strv_free(v);
			return NULL;
		}
	}
	return v;
}

int member_file(struct setup_member *m, const char *src, const char *dst,
		struct err *e)
{
	struct setup_file *f = &m->files[m->n_files];
	struct stat st;

	if (stat(src, &st) < 0)
		return err_set(e, errno, "%s", src);
	f->src = realpath(src, NULL);
	f->dst = strdup(dst);
	f->dev = st.st_dev;
	f->ino = st.st_ino;
	m->n_files++;
	return f->src && f->dst ? 0 : err_set(e, errno, "%s", src);
}

void member_fd(struct setup_member *m, uint32_t from, uint32_t to)
{
	m->fds[m->n_fds].from = from;
	m->fds[m->n_fds++].to = to;
}

int member_room(struct setup_member *m, const char *name,
		const char *const *devices)
{
	static const char *const env[] = {"LC_ALL=C", NULL};

	m->name = strdup(name);
	m->env = member_vector(env);
	m->devices = member_vector(devices);
	m->files = calloc(MEMBER_FILES, sizeof(*m->files));
	m->fds = calloc(SETUP_FDS_MAX, sizeof(*m->fds));
	return m->name && m->env && m->devices && m->files && m->fds ? 0 : -1;
}
