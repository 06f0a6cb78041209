/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The launch record: encode and decode.  Pure; runs in vmrun, which writes it,
 * and in the guest's init, which reads it.
 */
#include "wire/launch.h"

#include <stdlib.h>
#include <string.h>

/* The least that one mount of the list takes on the wire. */
#define MOUNT_MIN 33u

void winsize_put(struct buf *b, const struct winsize_msg *w)
{
	buf_put_u16(b, w->rows);
	buf_put_u16(b, w->cols);
	buf_put_u16(b, w->xpixels);
	buf_put_u16(b, w->ypixels);
}

void session_spec_put(struct buf *b, const struct session_spec *s)
{
	buf_put_u32(b, s->session);
	buf_put_u32(b, s->in);
	buf_put_u32(b, s->out);
	buf_put_u32(b, s->err);
	buf_put_u8(b, s->terminal);
	winsize_put(b, &s->win);
	buf_put_u32(b, s->ready_fd);
	buf_put_str(b, s->cwd);
	buf_put_strv(b, s->argv);
	buf_put_strv(b, s->env);
}

static void put_mount(struct buf *b, const struct launch_mount *m)
{
	buf_put_u8(b, (uint8_t)m->kind);
	buf_put_u8(b, (uint8_t)m->tree);
	buf_put_u8(b, m->readonly);
	buf_put_u8(b, m->file);
	buf_put_u32(b, m->disk);
	buf_put_u32(b, m->mode);
	buf_put_u8(b, m->owned);
	buf_put_u64(b, m->size);
	buf_put_str(b, m->share);
	buf_put_str(b, m->dst);
	buf_put_str(b, m->target);
}

void launch_put(struct buf *b, const struct launch *l)
{
	buf_put_u32(b, l->uid);
	buf_put_u32(b, l->gid);
	buf_put_str(b, l->user);
	buf_put_str(b, l->group);
	buf_put_u32(b, l->host_uid);
	buf_put_u32(b, l->host_gid);
	buf_put_str(b, l->host_user);
	buf_put_str(b, l->host_group);
	buf_put_str(b, l->home);
	buf_put_str(b, l->shell);
	buf_put_str(b, l->hostname);
	buf_put_u32(b, (uint32_t)l->n_mounts);
	for (size_t i = 0; i < l->n_mounts; i++)
		put_mount(b, &l->mounts[i]);
	buf_put_strv(b, l->devices);
	buf_put_strv(b, l->sockets);
	buf_put_strv(b, l->before);
	buf_put_u8(b, l->restricted);
	nics_put(b, l->nics, l->n_nics);
	buf_put_str(b, l->firewall ? l->firewall : "");
	session_spec_put(b, &l->app);
}

void session_spec_free(struct session_spec *s)
{
	free(s->cwd);
	strv_free(s->argv);
	strv_free(s->env);
	memset(s, 0, sizeof(*s));
}

void launch_free(struct launch *l)
{
	free(l->user);
	free(l->group);
	free(l->host_user);
	free(l->host_group);
	free(l->home);
	free(l->shell);
	free(l->hostname);
	for (size_t i = 0; i < l->n_mounts; i++) {
		free(l->mounts[i].share);
		free(l->mounts[i].dst);
		free(l->mounts[i].target);
	}
	free(l->mounts);
	strv_free(l->devices);
	strv_free(l->sockets);
	strv_free(l->before);
	free(l->firewall);
	session_spec_free(&l->app);
	memset(l, 0, sizeof(*l));
}

/* An absolute path; "" too where that means "none". */
static char *get_path(struct rd *r, bool may_be_empty)
{
	char *s = rd_str(r, LAUNCH_PATH_MAX);

	if (s && s[0] != '/' && !(may_be_empty && !s[0]))
		r->bad = true;
	return s;
}

/* Whether a relative path has a component that leads up, or is absolute. */
static bool leads_out(const char *s)
{
	if (s[0] == '/')
		return true;
	while (*s) {
		size_t n = strcspn(s, "/");

		if (n == 2 && s[0] == '.' && s[1] == '.')
			return true;
		s += n;
		s += *s == '/';
	}
	return false;
}

void winsize_get(struct rd *r, struct winsize_msg *w)
{
	w->rows = rd_u16(r);
	w->cols = rd_u16(r);
	w->xpixels = rd_u16(r);
	w->ypixels = rd_u16(r);
}

void session_spec_get(struct rd *r, struct session_spec *s)
{
	s->session = rd_max(r, CTL_SESSIONS - 1);
	s->in = rd_u32(r);
	s->out = rd_u32(r);
	s->err = rd_u32(r);
	s->terminal = rd_bool(r);
	winsize_get(r, &s->win);
	s->ready_fd = rd_u32(r);
	s->cwd = get_path(r, false);
	s->argv = rd_strv(r, LAUNCH_STRINGS_MAX, LAUNCH_STRING_MAX);
	s->env = rd_strv(r, LAUNCH_STRINGS_MAX, LAUNCH_STRING_MAX);
	if (!s->argv || !s->argv[0])
		r->bad = true;
	if (s->terminal && (!s->out || s->in))
		r->bad = true;
	for (char **v = s->env; v && *v; v++)
		if (!strchr(*v, '=') || (*v)[0] == '=')
			r->bad = true;
}

/* Whether the strings of a mount fit its kind. */
static bool mount_is_sane(const struct launch_mount *m)
{
	if (m->mode > 07777 ||
	    (m->kind != LAUNCH_SHARE && m->tree != LAUNCH_TREE_GRANTED))
		return false;
	switch (m->kind) {
	case LAUNCH_SHARE:
		return m->share[0] && !leads_out(m->share) && !m->target[0];
	case LAUNCH_TMPFS:
	case LAUNCH_DISK:
		return !m->share[0] && !m->target[0];
	case LAUNCH_SYMLINK:
		return !m->share[0] && m->target[0];
	}
	return false;
}

static void get_mount(struct rd *r, struct launch_mount *m)
{
	uint8_t kind = rd_u8(r), tree = rd_u8(r);

	if (kind > LAUNCH_SYMLINK || tree > LAUNCH_TREE_PLAIN)
		r->bad = true;
	m->kind = (enum launch_mount_kind)kind;
	m->tree = (enum launch_tree)tree;
	m->readonly = rd_bool(r);
	m->file = rd_bool(r);
	m->disk = rd_u32(r);
	m->mode = rd_u32(r);
	m->owned = rd_bool(r);
	m->size = rd_u64(r);
	m->share = rd_str(r, LAUNCH_PATH_MAX);
	m->dst = get_path(r, false);
	m->target = rd_str(r, LAUNCH_PATH_MAX);
	if (!r->bad && !mount_is_sane(m))
		r->bad = true;
}

static void get_mounts(struct rd *r, struct launch *l)
{
	size_t n = rd_max(r, LAUNCH_MOUNTS_MAX);

	/* No count asks for more memory than a small multiple of what came. */
	if (n > r->left / MOUNT_MIN)
		r->bad = true;
	if (r->bad || !n)
		return;
	l->mounts = calloc(n, sizeof(*l->mounts));
	if (!l->mounts) {
		r->bad = true;
		return;
	}
	l->n_mounts = n;
	for (size_t i = 0; i < n && !r->bad; i++)
		get_mount(r, &l->mounts[i]);
}

void launch_get(struct rd *r, struct launch *l)
{
	l->uid = rd_u32(r);
	l->gid = rd_u32(r);
	l->user = rd_str(r, LAUNCH_NAME_MAX);
	l->group = rd_str(r, LAUNCH_NAME_MAX);
	l->host_uid = rd_u32(r);
	l->host_gid = rd_u32(r);
	l->host_user = rd_str(r, LAUNCH_NAME_MAX);
	l->host_group = rd_str(r, LAUNCH_NAME_MAX);
	l->home = get_path(r, true);
	l->shell = get_path(r, true);
	l->hostname = rd_str(r, LAUNCH_NAME_MAX);
	get_mounts(r, l);
	l->devices = rd_strv(r, LAUNCH_MOUNTS_MAX, LAUNCH_NAME_MAX);
	l->sockets = rd_strv(r, LAUNCH_SOCKETS_MAX, LAUNCH_SOCKET_MAX);
	l->before = rd_strv(r, LAUNCH_STRINGS_MAX, LAUNCH_STRING_MAX);
	l->restricted = rd_bool(r);
	l->n_nics = nics_get(r, l->nics);
	l->firewall = rd_str(r, LAUNCH_FIREWALL_MAX);
	session_spec_get(r, &l->app);
	if (l->app.session)
		r->bad = true;
	if (l->firewall && l->firewall[0] && (l->n_nics != 2 || l->n_mounts))
		r->bad = true;
	for (char **v = l->devices; v && *v; v++)
		if (!**v || leads_out(*v))
			r->bad = true;
	for (char **v = l->sockets; v && *v; v++)
		if (**v != '/' || leads_out(*v + 1) ||
		    (*v)[strlen(*v) - 1] == '/')
			r->bad = true;
}
