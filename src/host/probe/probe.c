/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who the person is to the system: privileges, subordinate ids, and whether
 * somebody is using one of them.  The person's own authority.
 */
#include "host/probe/probe.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/own.h"
#include "host/plan/plan.h"
#include "proc/spawn.h"
#include "seal/seal.h"
#include "state/state.h"

#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <string.h>

#define SUBID_FILE_MAX (4u << 20)
#define STATUS_MAX 4096
#define GETSUBIDS "/usr/bin/getsubids"

struct range {
	uint32_t first, count;
};

enum id_kind { ID_UID, ID_GID };

int probe_privilege(struct err *e)
{
	if (!seal_is_privileged())
		return 0;
	err_set(e, 0, "vmrun does not run as root or with capabilities");
	return err_hint(e, "start it as an ordinary user; in a system service, "
			   "set User= to one");
}

static bool has_id(const struct range *r, uint32_t id)
{
	return id >= r->first && id - r->first < r->count;
}

/* The line `subid:` of nsswitch.conf, if it names something else than files. */
static bool nss_has_subids(void)
{
	own_file f = fopen("/etc/nsswitch.conf", "re");
	char line[512];
	char word[64];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, " subid: %63s", word) == 1)
			return strcmp(word, "files") != 0 && word[0] != '#';
	return false;
}

static int from_file(enum id_kind kind, const struct facts *f, struct range *r,
		     struct err *e)
{
	const char *path = kind == ID_UID ? "/etc/subuid" : "/etc/subgid";
	struct buf b;
	int ret;

	buf_init(&b, SUBID_FILE_MAX);
	ret = io_read_file(AT_FDCWD, path, &b, e);
	/* No file is a file without lines. */
	if (ret == 0 || e->code == ENOENT)
		ret = subid_parse(b.data ? (const char *)b.data : "", b.len,
				  f->user, f->uid, PROBE_RANGE_MIN, path,
				  &r->first, &r->count, e);
	buf_free(&b);
	return ret;
}

int probe_parse_getsubids(const char *text, uint32_t min, uint32_t *first,
			  uint32_t *count)
{
	while (*text) {
		uint32_t a, n;
		int used = 0;

		/* "0: ann 100000 65536" */
		if (sscanf(text, "%*[0-9]: %*[^ \n] %" SCNu32 " %" SCNu32 "%n",
			   &a, &n, &used) == 2 &&
		    text[used] == '\n' && a && n >= min &&
		    (uint64_t)a + n <= UINT32_MAX) {
			*first = a;
			*count = n;
			return 0;
		}
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	return -1;
}

/* Where subordinate ids come from a directory service, its tool knows them. */
static int from_service(enum id_kind kind, const struct facts *f,
			struct range *r, struct err *e)
{
	char *with_g[] = {(char *)(uintptr_t) "getsubids",
			  (char *)(uintptr_t) "-g", f->user, NULL};
	char *plain[] = {(char *)(uintptr_t) "getsubids", f->user, NULL};
	char *env[] = {(char *)(uintptr_t) "LC_ALL=C", NULL};
	struct proc_spec s = {.path = GETSUBIDS,
			      .argv = kind == ID_GID ? with_g : plain,
			      .envp = env};
	struct buf b;
	int ret;

	buf_init(&b, 65536);
	ret = proc_capture(&s, &b, e);
	if (ret >= 0) {
		buf_put_u8(&b, 0);
		ret = b.bad ? -1
			    : probe_parse_getsubids((const char *)b.data,
						    PROBE_RANGE_MIN, &r->first,
						    &r->count);
		if (ret < 0) {
			err_set(e, 0,
				"%s has no range of %u subordinate %s ids or "
				"more",
				f->user, PROBE_RANGE_MIN,
				kind == ID_UID ? "user" : "group");
			err_hint(e,
				 "nsswitch.conf takes them from a service: ask "
				 "its administrator, or see `getsubids %s%s`",
				 kind == ID_GID ? "-g " : "", f->user);
		}
	}
	buf_free(&b);
	return ret;
}

static int taken(const struct range *r, const char *what, uint32_t id,
		 const char *name, struct err *e)
{
	err_set(e, 0, "the subordinate range %u-%u contains the %s %u of %s",
		r->first, r->first + r->count - 1, what, id, name);
	return err_hint(e,
			"a VM with that id would be %s: move the range to "
			"ids that nobody has",
			name);
}

static int check_users(const struct facts *f, const struct range *r,
		       struct err *e)
{
	struct passwd *p;
	int ret = 0;

	if (has_id(r, f->uid))
		return taken(r, "user id", f->uid, f->user, e);
	setpwent();
	while (ret == 0 && (p = getpwent()))
		if (has_id(r, p->pw_uid))
			ret = taken(r, "user id", p->pw_uid, p->pw_name, e);
	endpwent();
	return ret;
}

static int check_groups(const struct facts *f, const struct range *r,
			struct err *e)
{
	struct group *g;
	int ret = 0;

	if (has_id(r, f->gid))
		return taken(r, "group id", f->gid, f->group, e);
	setgrent();
	while (ret == 0 && (g = getgrent()))
		if (has_id(r, g->gr_gid))
			ret = taken(r, "group id", g->gr_gid, g->gr_name, e);
	endgrent();
	return ret;
}

static int find_range(enum id_kind kind, const struct facts *f, struct range *r,
		      struct err *e)
{
	if (nss_has_subids() && access(GETSUBIDS, X_OK) == 0)
		return from_service(kind, f, r, e);
	return from_file(kind, f, r, e);
}

int probe_subids(struct facts *f, struct state_range *r, struct err *e)
{
	struct range u = {0, 0};
	struct range g = {0, 0};

	f->sub_first = f->sub_count = 0;
	f->subgid_first = f->subgid_count = 0;
	if (find_range(ID_UID, f, &u, e) < 0 ||
	    find_range(ID_GID, f, &g, e) < 0 || check_users(f, &u, e) < 0 ||
	    check_groups(f, &g, e) < 0)
		return -1;
	f->sub_first = u.first;
	f->sub_count = u.count;
	f->subgid_first = g.first;
	f->subgid_count = g.count;
	r->uid_first = u.first;
	r->gid_first = g.first;
	r->count = u.count < g.count ? u.count : g.count;
	return 0;
}

/*
 * What /proc/PID/status says; false if it counts for nothing: a zombie does
 * not, unless it is the dead leader of threads that live on.
 */
static bool status_uids(const char *text, uid_t id[4])
{
	const char *at = strstr(text, "\nUid:");
	const char *state = strstr(text, "\nState:\tZ");
	const char *threads = strstr(text, "\nThreads:");

	if (state && threads && strtoul(threads + 9, NULL, 10) <= 1)
		return false;
	return at && sscanf(at, "\nUid: %u %u %u %u", &id[0], &id[1], &id[2],
			    &id[3]) == 4;
}

static bool process_uids(int proc, const char *pid, uid_t id[4])
{
	char path[300];
	char text[STATUS_MAX];
	own_fd fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/status", pid);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	/* It ended meanwhile.  (Where /proc is mounted with hidepid, nothing
	 * of other users is seen at all: probe_proc_hidden().) */
	if (fd < 0)
		return false;
	n = io_read_full(fd, text, sizeof(text) - 1);
	if (n < 0)
		return false;
	text[n] = '\0';
	return status_uids(text, id);
}

static bool process_has_uid(int proc, const char *pid, uid_t uid)
{
	uid_t id[4];

	return process_uids(proc, pid, id) &&
	       (id[0] == uid || id[1] == uid || id[2] == uid || id[3] == uid);
}

int probe_uids(void (*found)(void *arg, uid_t uid), void *arg, struct err *e)
{
	own_dir d = opendir("/proc");
	struct dirent *de;
	uid_t id[4];

	if (!d)
		return err_set(e, errno, "/proc");
	while ((de = readdir(d))) {
		if (de->d_name[0] < '1' || de->d_name[0] > '9' ||
		    !process_uids(dirfd(d), de->d_name, id))
			continue;
		for (int i = 0; i < 4; i++)
			found(arg, id[i]);
	}
	return 0;
}

bool probe_uid_used_in(const char *proc, uid_t uid)
{
	own_dir d = opendir(proc);
	struct dirent *de;

	if (!d)
		return true;
	while ((de = readdir(d)))
		if (de->d_name[0] >= '1' && de->d_name[0] <= '9' &&
		    process_has_uid(dirfd(d), de->d_name, uid))
			return true;
	return false;
}

bool probe_uid_used(void *unused, uid_t uid)
{
	(void)unused;
	return probe_uid_used_in("/proc", uid);
}

bool probe_proc_hidden(void)
{
	/* Process 1 is root's, and always there. */
	return access("/proc/1/status", R_OK) < 0;
}
