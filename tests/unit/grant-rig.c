/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the tests of grants.  See grant-rig.h. */
#include "grant-rig.h"

#include "base/own.h"
#include "grant/acl.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/xattr.h>

struct grant_who who1, who2;
struct grant_stats st;
struct err e;
uint64_t left;
int was_root;
int top = -1;
static char scratch[512];
static struct acl acl;

unsigned rnd(unsigned n)
{
	static uint64_t x;

	if (!x) {
		const char *seed = getenv("VMRUN_TEST_SEED");

		x = seed ? strtoull(seed, NULL, 0) : 20240229;
		printf("# VMRUN_TEST_SEED=%llu\n", (unsigned long long)x);
	}
	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (unsigned)(x >> 33) % n;
}

__attribute__((noreturn)) static void bail(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

void need_ok(int ok, const char *what)
{
	if (!ok)
		bail(what);
}

void make_file(const char *path, mode_t mode)
{
	own_fd fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	need_ok(fd >= 0 && fchmod(fd, mode) == 0, path);
}

void make_dir(const char *path, mode_t mode)
{
	need_ok(mkdir(path, 0700) == 0 && chmod(path, mode) == 0, path);
}

int open_path(const char *path)
{
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	need_ok(fd >= 0, path);
	return fd;
}

int apply(const char *path, enum grant_mode m, const struct grant_who *w)
{
	own_fd fd = open_path(path);

	return grant_apply(&(struct grant_tree){.root = fd, .mode = m}, w, &st,
			   &e);
}

int survey(const char *path, enum grant_mode m)
{
	own_fd fd = open_path(path);

	return grant_survey(&(struct grant_tree){.root = fd, .mode = m}, &who1,
			    &st, &e);
}

int take_back(const char *path, const struct grant_who *w)
{
	own_fd fd = open_path(path);

	return grant_revoke(fd, w, &st, &left, &e);
}

mode_t mode_of(const char *path)
{
	struct stat s;

	need_ok(lstat(path, &s) == 0, path);
	return s.st_mode & 07777;
}

int has_acl(const char *path, const char *name)
{
	return lgetxattr(path, name, NULL, 0) > 0;
}

/* U's entry on a path, -1 if there is none. */
int entry(const char *path, const char *name, const struct grant_who *w)
{
	static unsigned char b[ACL_BYTES_MAX];
	ssize_t n = lgetxattr(path, name, b, sizeof(b));

	if (n < 0)
		return -1;
	need_ok(acl_decode(&acl, b, (size_t)n) == 0, path);
	return acl_entry_of(&acl, w);
}

void remove_tree(const char *path)
{
	char cmd[512];

	snprintf(cmd, sizeof(cmd),
		 "chmod -R u+rwx -- '%s' 2>/dev/null; "
		 "rm -rf -- '%s'",
		 path, path);
	/* NOLINTNEXTLINE(cert-env33-c): on names of our own */
	need_ok(system(cmd) == 0, cmd);
}

static bool is_acl_fs(void)
{
	char v[4];

	return getxattr(".", ACCESS_NAME, v, sizeof(v)) >= 0 ||
	       errno != EOPNOTSUPP;
}

static void make_identities(void)
{
	who1 = (struct grant_who){.uid = 100007,
				  .gid = 200007,
				  .owner = geteuid(),
				  .owner_gid = getegid(),
				  .umask = 022,
				  .sub_first = 100000,
				  .sub_count = 800,
				  .subgid_first = 200000,
				  .subgid_count = 800};
	who2 = who1;
	who2.uid++;
	who2.gid++;
}

bool rig_set_up(void)
{
	const char *tmp = getenv("TMPDIR");

	umask(022);
	was_root = geteuid() == 0;
	snprintf(scratch, sizeof(scratch), "%.480s/vmrun-grant-XXXXXX",
		 tmp ? tmp : "/var/tmp");
	need_ok(mkdtemp(scratch) && chmod(scratch, 0755) == 0 &&
			chdir(scratch) == 0,
		scratch);
	if (was_root)
		need_ok(chown(scratch, PLAIN_UID, PLAIN_UID) == 0 &&
				setgroups(0, NULL) == 0 &&
				setegid(PLAIN_UID) == 0 &&
				setresuid(0, PLAIN_UID, 0) == 0,
			"becoming an ordinary user");
	top = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	make_identities();
	return is_acl_fs();
}

void rig_tear_down(void)
{
	need_ok(!was_root || seteuid(0) == 0, "seteuid");
	need_ok(chdir("/") == 0 && rmdir(scratch) == 0, scratch);
}
