/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The setup record, encoded by vmrun and decoded by vmrun-stage.  Pure.
 *
 * The two programs belong to the same person, so a bad record is a bug and no
 * attack; it is checked all the same, because what the stage does with it is
 * the whole of the sandbox.
 */
#include "wire/setup.h"

#include "base/err.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>

const int setup_stage_caps[] = {
	/* mounting, pivot_root(), new namespaces, the children's id maps */
	CAP_SYS_ADMIN,
	/* becoming U, and U in the maps of nested namespaces */
	CAP_SETUID,
	/* the same for groups; giving up the person's supplementary groups */
	CAP_SETGID,
	/* dropping from the bounding set, so that members cannot regain */
	CAP_SETPCAP,
	/* the namespace's own limits: no further user namespaces */
	CAP_SYS_RESOURCE,
	/* for the C file server, which enters its tree with chroot() */
	CAP_SYS_CHROOT,
};
const size_t setup_n_stage_caps =
	sizeof(setup_stage_caps) / sizeof(setup_stage_caps[0]);

static void member_free(struct setup_member *m)
{
	for (size_t i = 0; i < m->n_files; i++) {
		free(m->files[i].src);
		free(m->files[i].dst);
	}
	free(m->files);
	free(m->fds);
	free(m->name);
	strv_free(m->argv);
	strv_free(m->env);
	strv_free(m->devices);
	free(m->pci);
}

void setup_free(struct setup *s)
{
	for (size_t i = 0; i < s->n_mounts; i++) {
		free(s->mounts[i].src);
		free(s->mounts[i].name);
	}
	for (size_t i = 0; i < s->n_members; i++)
		member_free(&s->members[i]);
	free(s->mounts);
	free(s->members);
	memset(s, 0, sizeof(*s));
}

static void put_count(struct buf *b, size_t n, size_t max)
{
	if (n > max)
		b->bad = true;
	buf_put_u32(b, (uint32_t)n);
}

static void put_member(struct buf *b, const struct setup_member *m)
{
	buf_put_str(b, m->name);
	buf_put_u8(b, (uint8_t)m->view);
	buf_put_u8(b, (uint8_t)m->caps);
	buf_put_strv(b, m->argv);
	buf_put_strv(b, m->env);
	buf_put_strv(b, m->devices);
	put_count(b, m->n_files, SETUP_FILES_MAX);
	for (size_t i = 0; i < m->n_files; i++) {
		buf_put_str(b, m->files[i].src);
		buf_put_str(b, m->files[i].dst);
		buf_put_u64(b, m->files[i].dev);
		buf_put_u64(b, m->files[i].ino);
	}
	put_count(b, m->n_fds, SETUP_FDS_MAX);
	for (size_t i = 0; i < m->n_fds; i++) {
		buf_put_u32(b, m->fds[i].from);
		buf_put_u32(b, m->fds[i].to);
	}
	buf_put_u64(b, m->nofile);
	buf_put_u8(b, (uint8_t)m->calls);
	buf_put_u64(b, m->fsize);
	buf_put_u64(b, m->scratch);
	buf_put_u64(b, m->memory);
	buf_put_str(b, m->pci ? m->pci : "");
	buf_put_u32(b, m->iommu_group);
	buf_put_u64(b, m->memlock);
}

void setup_encode(struct buf *b, const struct setup *s)
{
	buf_put_u32(b, SETUP_VERSION);
	buf_put_u32(b, s->uid);
	buf_put_u32(b, s->gid);
	buf_put_u32(b, s->host_uid);
	buf_put_u32(b, s->host_gid);
	put_count(b, s->n_mounts, SETUP_MOUNTS_MAX);
	for (size_t i = 0; i < s->n_mounts; i++) {
		const struct setup_mount *m = &s->mounts[i];

		buf_put_str(b, m->src);
		buf_put_str(b, m->name);
		buf_put_u64(b, m->dev);
		buf_put_u64(b, m->ino);
		buf_put_u8(b, m->readonly);
		buf_put_u8(b, m->file);
		buf_put_u8(b, m->exec);
		buf_put_u8(b, m->inner);
		buf_put_u8(b, (uint8_t)m->tree);
	}
	put_count(b, s->n_members, SETUP_MEMBERS_MAX);
	for (size_t i = 0; i < s->n_members; i++)
		put_member(b, &s->members[i]);
}

/*
 * A count, and zeroed memory for that many rows of `size` bytes, each of which
 * takes `least` bytes of the record: no count asks for more than was sent.
 */
static void *get_rows(struct rd *r, size_t *n, size_t max, size_t least,
		      size_t size)
{
	uint32_t count = rd_u32(r);
	void *rows;

	if (r->bad || count > max || count > r->left / least) {
		r->bad = true;
		return NULL;
	}
	rows = calloc((size_t)count + 1, size);
	if (!rows)
		r->bad = true;
	else
		*n = count;
	return rows;
}

/* A component of a path: not empty, not "." or "..", no slash. */
static bool is_component(const char *s, size_t n)
{
	if (!n || n > SETUP_NAME_MAX || memchr(s, '/', n))
		return false;
	return !(s[0] == '.' && (n == 1 || (n == 2 && s[1] == '.')));
}

/* Absolute, below the root, nothing in it that could be left out. */
static bool is_canonical(const char *s)
{
	if (strlen(s) > SETUP_PATH_MAX || *s != '/')
		return false;
	while (*s) {
		size_t n = strcspn(++s, "/");

		if (!is_component(s, n))
			return false;
		s += n;
	}
	return true;
}

/* Names of ours, not of the person's files. */
static bool is_plain_name(const char *s)
{
	size_t n = strlen(s);

	return n && n <= 32 &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

static void get_mount(struct rd *r, struct setup_mount *m)
{
	uint8_t tree;

	m->src = rd_str(r, SETUP_PATH_MAX);
	m->name = rd_str(r, SETUP_NAME_MAX);
	m->dev = rd_u64(r);
	m->ino = rd_u64(r);
	m->readonly = rd_bool(r);
	m->file = rd_bool(r);
	m->exec = rd_bool(r);
	m->inner = rd_bool(r);
	tree = rd_u8(r);
	if (tree > SETUP_TREE_PLAIN)
		r->bad = true;
	m->tree = (enum setup_tree)tree;
}

static void get_files(struct rd *r, struct setup_member *m)
{
	m->files = get_rows(r, &m->n_files, SETUP_FILES_MAX, 24,
			    sizeof(*m->files));
	for (size_t i = 0; i < m->n_files && !r->bad; i++) {
		m->files[i].src = rd_str(r, SETUP_PATH_MAX);
		m->files[i].dst = rd_str(r, SETUP_PATH_MAX);
		m->files[i].dev = rd_u64(r);
		m->files[i].ino = rd_u64(r);
	}
}

static void get_fds(struct rd *r, struct setup_member *m)
{
	m->fds = get_rows(r, &m->n_fds, SETUP_FDS_MAX, 8, sizeof(*m->fds));
	for (size_t i = 0; i < m->n_fds && !r->bad; i++) {
		m->fds[i].from = rd_u32(r);
		m->fds[i].to = rd_u32(r);
	}
}

static void get_member(struct rd *r, struct setup_member *m)
{
	uint8_t view, caps, calls;

	m->name = rd_str(r, SETUP_NAME_MAX);
	view = rd_u8(r);
	caps = rd_u8(r);
	if (view > SETUP_VIEW_UPLINK || caps > SETUP_CAPS_FILESERVER)
		r->bad = true;
	m->view = (enum setup_view)view;
	m->caps = (enum setup_caps)caps;
	m->argv = rd_strv(r, SETUP_STRINGS_MAX, SETUP_STRING_MAX);
	m->env = rd_strv(r, SETUP_STRINGS_MAX, SETUP_STRING_MAX);
	m->devices = rd_strv(r, SETUP_DEVICES_MAX, SETUP_NAME_MAX);
	get_files(r, m);
	get_fds(r, m);
	m->nofile = rd_u64(r);
	calls = rd_u8(r);
	if (calls > SETUP_CALLS_UPLINK)
		r->bad = true;
	m->calls = (enum setup_calls)calls;
	m->fsize = rd_u64(r);
	m->scratch = rd_u64(r);
	m->memory = rd_u64(r);
	m->pci = rd_str(r, SETUP_NAME_MAX);
	m->iommu_group = rd_u32(r);
	m->memlock = rd_u64(r);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int check_mounts(const struct setup *s, struct err *e)
{
	const char **names = calloc(s->n_mounts + 1, sizeof(*names));
	int r = 0;

	if (!names)
		return err_set(e, ENOMEM, "the setup record");
	for (size_t i = 0; i < s->n_mounts && r == 0; i++) {
		names[i] = s->mounts[i].name;
		if (!is_canonical(s->mounts[i].src))
			r = err_set(e, 0, "source %zu is no canonical path", i);
		/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker) */
		else if (!is_component(names[i], strlen(names[i])))
			r = err_set(e, 0, "source %zu has no proper name", i);
	}
	if (r == 0 && s->n_mounts)
		qsort(names, s->n_mounts, sizeof(*names), by_text);
	for (size_t i = 1; i < s->n_mounts && r == 0; i++)
		if (!strcmp(names[i - 1], names[i]))
			r = err_set(e, 0, "two sources have one name");
	free(names);
	return r;
}

static int check_fds(const struct setup_member *m, struct err *e)
{
	for (size_t i = 0; i < m->n_fds; i++) {
		const struct setup_fd *fd = &m->fds[i];

		if (fd->from < SETUP_FD_FIRST || fd->from >= SETUP_FD_LIMIT ||
		    fd->to >= SETUP_FD_LIMIT)
			return err_set(e, 0, "%s: no such descriptor", m->name);
		for (size_t k = 0; k < i; k++)
			if (m->fds[k].to == fd->to)
				return err_set(e, 0, "%s: descriptor %u twice",
					       m->name, fd->to);
	}
	return 0;
}

/* The address of a PCI device; a component of a path in any case. */
static bool is_pci(const char *s)
{
	return strlen(s) == strlen("0000:00:00.0") &&
	       strspn(s, "0123456789abcdef:.") == strlen(s);
}

static int check_member(const struct setup_member *m, struct err *e)
{
	if (!is_plain_name(m->name))
		return err_set(e, 0, "a member has no proper name");
	if (!m->argv[0] || !is_canonical(m->argv[0]))
		return err_set(e, 0, "%s: its program is no canonical path",
			       m->name);
	if (m->caps != SETUP_CAPS_NONE && m->view != SETUP_VIEW_TREE &&
	    m->view != SETUP_VIEW_PLAIN)
		return err_set(e, 0, "%s: only a file server has capabilities",
			       m->name);
	if (m->scratch && m->view == SETUP_VIEW_TREE)
		return err_set(e, 0, "%s: a file server has no /run", m->name);
	if (m->memory && m->view != SETUP_VIEW_VMM)
		return err_set(e, 0, "%s: only a VMM has /ram", m->name);
	if (m->pci[0] && (m->view != SETUP_VIEW_VMM || !is_pci(m->pci)))
		return err_set(e, 0, "%s: PCI device", m->name);
	if ((m->view == SETUP_VIEW_UPLINK) != (m->calls == SETUP_CALLS_UPLINK))
		return err_set(e, 0, "%s: half an uplink", m->name);
	for (size_t i = 0; m->env[i]; i++)
		if (!strchr(m->env[i], '=') || m->env[i][0] == '=')
			return err_set(e, 0, "%s: environment", m->name);
	for (size_t i = 0; m->devices[i]; i++)
		if (!is_plain_name(m->devices[i]))
			return err_set(e, 0, "%s: device name", m->name);
	for (size_t i = 0; i < m->n_files; i++)
		if (!is_canonical(m->files[i].src) ||
		    !is_canonical(m->files[i].dst))
			return err_set(e, 0,
				       "%s: file %zu is no canonical path",
				       m->name, i);
	return check_fds(m, e);
}

/* Ids that can be U's: neither root nor the person nor "no change". */
static int check_ids(const struct setup *s, struct err *e)
{
	const uint32_t none = (uint32_t)-1;

	if (!s->uid || !s->gid || s->uid == none || s->gid == none ||
	    !s->host_uid || s->host_uid == none || s->host_gid == none ||
	    s->uid == s->host_uid || s->gid == s->host_gid)
		return err_set(e, 0, "impossible ids");
	return 0;
}

static int check(const struct setup *s, struct err *e)
{
	if (check_ids(s, e) < 0 || check_mounts(s, e) < 0)
		return -1;
	if (!s->n_members)
		return err_set(e, 0, "no members");
	for (size_t i = 0; i < s->n_members; i++)
		if (check_member(&s->members[i], e) < 0)
			return -1;
	return 0;
}

int setup_decode(const void *p, size_t n, struct setup *s, struct err *e)
{
	struct rd r;
	int bad = 0;

	memset(s, 0, sizeof(*s));
	rd_init(&r, p, n);
	if (n > SETUP_MAX)
		return err_set(e, 0, "the setup record is too long");
	if (rd_u32(&r) != SETUP_VERSION)
		return err_set(e, 0, "the setup record has another version");
	s->uid = rd_u32(&r);
	s->gid = rd_u32(&r);
	s->host_uid = rd_u32(&r);
	s->host_gid = rd_u32(&r);
	s->mounts = get_rows(&r, &s->n_mounts, SETUP_MOUNTS_MAX, 29,
			     sizeof(*s->mounts));
	for (size_t i = 0; i < s->n_mounts && !r.bad; i++)
		get_mount(&r, &s->mounts[i]);
	s->members = get_rows(&r, &s->n_members, SETUP_MEMBERS_MAX, 75,
			      sizeof(*s->members));
	for (size_t i = 0; i < s->n_members && !r.bad; i++)
		get_member(&r, &s->members[i]);
	if (r.bad || r.left)
		bad = err_set(e, 0, "the setup record is damaged");
	else
		bad = check(s, e);
	if (bad < 0)
		setup_free(s);
	return bad;
}
