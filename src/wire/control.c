/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Control messages: encode and decode.  Pure; runs in vmrun, vmrun-mux (which
 * reads the guest's) and the guest's init (which reads the host's).
 */
#include "wire/control.h"

#include "base/err.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define HEADER 8u
#define SIGNAL_MAX 64u
#define LEVEL_MAX 3u
/* The least that one mount of the list takes on the wire. */
#define MOUNT_MIN 33u

/* Puts the header; the value is for end(). */
static size_t begin(struct buf *b, enum ctl_type type)
{
	size_t at;

	buf_put_u32(b, (uint32_t)type);
	at = b->len;
	buf_put_u32(b, 0);
	return at;
}

/* Writes the length, which is known only now. */
static void end(struct buf *b, size_t at)
{
	size_t n;

	if (b->bad)
		return;
	n = b->len - at - 4;
	if (n > UINT32_MAX) {
		b->bad = true;
		return;
	}
	for (size_t i = 0; i < 4; i++)
		b->data[at + i] = (unsigned char)(n >> (8 * i));
}

static void put_text(struct buf *b, const char *text)
{
	size_t n = text ? strnlen(text, CTL_TEXT_MAX) : 0;

	buf_put_u32(b, (uint32_t)n);
	buf_put(b, text, n);
}

void ctl_put_hello(struct buf *b)
{
	size_t at = begin(b, CTL_HELLO);

	buf_put_u32(b, CTL_VERSION);
	end(b, at);
}

void ctl_put_session(struct buf *b, enum ctl_type type, uint32_t session)
{
	size_t at = begin(b, type);

	assert(type == CTL_STARTED || type == CTL_READY);
	buf_put_u32(b, session);
	end(b, at);
}

void ctl_put_exit(struct buf *b, uint32_t session, enum ctl_exit kind,
		  uint32_t value, const char *text)
{
	size_t at = begin(b, CTL_EXIT);

	buf_put_u32(b, session);
	buf_put_u32(b, (uint32_t)kind);
	buf_put_u32(b, value);
	put_text(b, text);
	end(b, at);
}

void ctl_put_log(struct buf *b, uint32_t level, const char *text)
{
	size_t at = begin(b, CTL_LOG);

	buf_put_u32(b, level);
	put_text(b, text);
	end(b, at);
}

static void put_winsize(struct buf *b, const struct winsize_msg *w)
{
	buf_put_u16(b, w->rows);
	buf_put_u16(b, w->cols);
	buf_put_u16(b, w->xpixels);
	buf_put_u16(b, w->ypixels);
}

static void put_spec(struct buf *b, const struct session_spec *s)
{
	buf_put_u32(b, s->session);
	buf_put_u32(b, s->in);
	buf_put_u32(b, s->out);
	buf_put_u32(b, s->err);
	buf_put_u8(b, s->terminal);
	put_winsize(b, &s->win);
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

void ctl_put_launch(struct buf *b, const struct launch *l)
{
	size_t at = begin(b, CTL_LAUNCH);

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
	buf_put_u64(b, l->clock_ns);
	buf_put_u32(b, (uint32_t)l->n_mounts);
	for (size_t i = 0; i < l->n_mounts; i++)
		put_mount(b, &l->mounts[i]);
	buf_put_strv(b, l->devices);
	buf_put_strv(b, l->sockets);
	buf_put_strv(b, l->before);
	nics_put(b, l->nics, l->n_nics);
	buf_put_str(b, l->firewall ? l->firewall : "");
	put_spec(b, &l->app);
	end(b, at);
}

void ctl_put_exec(struct buf *b, const struct session_spec *s)
{
	size_t at = begin(b, CTL_EXEC);

	put_spec(b, s);
	end(b, at);
}

void ctl_put_signal(struct buf *b, uint32_t session, uint32_t signo)
{
	size_t at = begin(b, CTL_SIGNAL);

	buf_put_u32(b, session);
	buf_put_u32(b, signo);
	end(b, at);
}

void ctl_put_winsize(struct buf *b, uint32_t session,
		     const struct winsize_msg *w)
{
	size_t at = begin(b, CTL_WINSIZE);

	buf_put_u32(b, session);
	put_winsize(b, w);
	end(b, at);
}

void ctl_put_clock(struct buf *b, uint64_t ns)
{
	size_t at = begin(b, CTL_CLOCK);

	buf_put_u64(b, ns);
	end(b, at);
}

void ctl_put_stop(struct buf *b)
{
	end(b, begin(b, CTL_STOP));
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

static bool get_bool(struct rd *r)
{
	uint8_t v = rd_u8(r);

	if (v > 1)
		r->bad = true;
	return v == 1;
}

static uint32_t get_max(struct rd *r, uint32_t max)
{
	uint32_t v = rd_u32(r);

	if (v > max)
		r->bad = true;
	return v;
}

/* Into a fixed array: the guest's messages are decoded without allocation. */
static void get_text(struct rd *r, char *out)
{
	size_t n = get_max(r, CTL_TEXT_MAX);
	const unsigned char *at = rd_get(r, n);

	if (!at)
		return;
	if (memchr(at, 0, n)) {
		r->bad = true;
		return;
	}
	memcpy(out, at, n);
	out[n] = '\0';
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

static void get_winsize(struct rd *r, struct winsize_msg *w)
{
	w->rows = rd_u16(r);
	w->cols = rd_u16(r);
	w->xpixels = rd_u16(r);
	w->ypixels = rd_u16(r);
}

static void get_spec(struct rd *r, struct session_spec *s)
{
	s->session = get_max(r, CTL_SESSIONS - 1);
	s->in = rd_u32(r);
	s->out = rd_u32(r);
	s->err = rd_u32(r);
	s->terminal = get_bool(r);
	get_winsize(r, &s->win);
	s->ready_fd = rd_u32(r);
	s->cwd = get_path(r, false);
	s->argv = rd_strv(r, LAUNCH_STRINGS_MAX, LAUNCH_STRING_MAX);
	s->env = rd_strv(r, LAUNCH_STRINGS_MAX, LAUNCH_STRING_MAX);
	if (!s->argv || !s->argv[0])
		r->bad = true;
	if (s->terminal && (!s->out || s->in || s->err))
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
	m->readonly = get_bool(r);
	m->file = get_bool(r);
	m->disk = rd_u32(r);
	m->mode = rd_u32(r);
	m->owned = get_bool(r);
	m->size = rd_u64(r);
	m->share = rd_str(r, LAUNCH_PATH_MAX);
	m->dst = get_path(r, false);
	m->target = rd_str(r, LAUNCH_PATH_MAX);
	if (!r->bad && !mount_is_sane(m))
		r->bad = true;
}

static void get_mounts(struct rd *r, struct launch *l)
{
	size_t n = get_max(r, LAUNCH_MOUNTS_MAX);

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

static void get_launch(struct rd *r, struct launch *l)
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
	l->clock_ns = rd_u64(r);
	get_mounts(r, l);
	l->devices = rd_strv(r, LAUNCH_MOUNTS_MAX, LAUNCH_NAME_MAX);
	l->sockets = rd_strv(r, LAUNCH_SOCKETS_MAX, LAUNCH_SOCKET_MAX);
	l->before = rd_strv(r, LAUNCH_STRINGS_MAX, LAUNCH_STRING_MAX);
	l->n_nics = nics_get(r, l->nics);
	l->firewall = rd_str(r, LAUNCH_FIREWALL_MAX);
	get_spec(r, &l->app);
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

/*
 * The header: 1 and the payload's reader, 0 for more, -1 if the length or the
 * type cannot be right.  The length is judged before the payload is there, so
 * that no sender can make us wait for what will be refused.
 */
static int open_message(const void *p, size_t n, size_t max, uint32_t *type,
			struct rd *r, struct err *e)
{
	uint32_t len;

	rd_init(r, p, n);
	if (n < HEADER)
		return 0;
	*type = rd_u32(r);
	len = rd_u32(r);
	if (len > max - HEADER)
		return err_set(e, 0,
			       "control message %u of %u bytes is too long",
			       *type, len);
	if (r->left < len)
		return 0;
	r->left = len;
	return 1;
}

static int malformed(uint32_t type, struct err *e)
{
	return err_set(e, 0, "control message of type %u is malformed", type);
}

static bool guest_may_say(uint32_t type)
{
	return type >= CTL_HELLO && type <= CTL_LOG;
}

static bool host_may_say(uint32_t type)
{
	return type >= CTL_LAUNCH && type <= CTL_STOP;
}

static void get_exit(struct rd *r, struct ctl_guest_msg *m)
{
	m->session = get_max(r, CTL_SESSIONS - 1);
	m->kind = get_max(r, CTL_EXIT_SETUP);
	m->value = rd_u32(r);
	get_text(r, m->text);
	if (m->kind == CTL_EXIT_CODE && m->value > 255)
		r->bad = true;
	if (m->kind == CTL_EXIT_SIGNAL && (!m->value || m->value > SIGNAL_MAX))
		r->bad = true;
}

static void get_guest(struct rd *r, struct ctl_guest_msg *m)
{
	switch (m->type) {
	case CTL_HELLO:
		m->version = rd_u32(r);
		break;
	case CTL_STARTED:
	case CTL_READY:
		m->session = get_max(r, CTL_SESSIONS - 1);
		break;
	case CTL_EXIT:
		get_exit(r, m);
		break;
	case CTL_LOG:
		m->level = get_max(r, LEVEL_MAX);
		get_text(r, m->text);
		break;
	case CTL_LAUNCH:
	case CTL_EXEC:
	case CTL_SIGNAL:
	case CTL_WINSIZE:
	case CTL_CLOCK:
	case CTL_STOP:
		r->bad = true;
		break;
	}
}

int ctl_get_guest(const void *p, size_t n, size_t *used,
		  struct ctl_guest_msg *m, struct err *e)
{
	uint32_t type = 0;
	struct rd r;
	int have;

	memset(m, 0, sizeof(*m));
	*used = 0;
	have = open_message(p, n, CTL_GUEST_MAX, &type, &r, e);
	if (have < 0)
		return -1;
	if (n >= HEADER && !guest_may_say(type))
		return err_set(e, 0, "the guest may not say message type %u",
			       type);
	if (!have)
		return 0;
	m->type = (enum ctl_type)type;
	get_guest(&r, m);
	if (r.bad || r.left)
		return malformed(type, e);
	*used = (size_t)(r.p - (const unsigned char *)p);
	return 1;
}

static void get_signal(struct rd *r, struct ctl_host_msg *m)
{
	m->session = get_max(r, CTL_SESSIONS - 1);
	m->signo = get_max(r, SIGNAL_MAX);
	if (!m->signo)
		r->bad = true;
}

static void get_host(struct rd *r, struct ctl_host_msg *m)
{
	switch (m->type) {
	case CTL_LAUNCH:
		get_launch(r, &m->launch);
		break;
	case CTL_EXEC:
		get_spec(r, &m->exec);
		m->session = m->exec.session;
		if (!m->session)
			r->bad = true;
		break;
	case CTL_SIGNAL:
		get_signal(r, m);
		break;
	case CTL_WINSIZE:
		m->session = get_max(r, CTL_SESSIONS - 1);
		get_winsize(r, &m->win);
		break;
	case CTL_CLOCK:
		m->clock_ns = rd_u64(r);
		break;
	case CTL_STOP:
		break;
	case CTL_HELLO:
	case CTL_STARTED:
	case CTL_READY:
	case CTL_EXIT:
	case CTL_LOG:
		r->bad = true;
		break;
	}
}

int ctl_get_host(const void *p, size_t n, size_t *used, struct ctl_host_msg *m,
		 struct err *e)
{
	uint32_t type = 0;
	struct rd r;
	int have;

	memset(m, 0, sizeof(*m));
	*used = 0;
	have = open_message(p, n, CTL_HOST_MAX, &type, &r, e);
	if (have < 0)
		return -1;
	if (n >= HEADER && !host_may_say(type))
		return err_set(e, 0, "the host may not say message type %u",
			       type);
	if (!have)
		return 0;
	m->type = (enum ctl_type)type;
	get_host(&r, m);
	if (r.bad || r.left) {
		launch_free(&m->launch);
		session_spec_free(&m->exec);
		return malformed(type, e);
	}
	*used = (size_t)(r.p - (const unsigned char *)p);
	return 1;
}
