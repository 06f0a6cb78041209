/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Walks under attack, thousands of them in one process.
 *
 *   race DIR WALKS
 *
 * Makes DIR/tree, large enough for the walks to start second threads, and
 * DIR/out.  Two attackers swap names in the tree without a pause: directories
 * with links to the outside (RENAME_EXCHANGE), and files with such links, which
 * are put in their place and replaced again.  Meanwhile the tree is granted to
 * one UID and revoked, and to another that the outside has entries of from the
 * beginning.  After each walk nothing outside has an entry of the first, and
 * everything still has that of the second.
 */
#include "base/err.h"
#include "base/own.h"
#include "grant/grant.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define DIRS 26
#define FILES 48
#define ATTACKED 6 /* directories, and files in another one */
#define OUTSIDE 64
#define ACCESS_NAME "system.posix_acl_access"
#define DEFAULT_NAME "system.posix_acl_default"

static const uid_t uid[] = {104711, 104712};
static atomic_uint seconds; /* threads */

/*
 * In place of the C library's, to count: a walk's first thread is started by
 * its caller, all others by a thread.
 */
int pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*f)(void *),
		   void *arg)
{
	int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *),
		    void *);

	*(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
	if (gettid() != getpid())
		atomic_fetch_add(&seconds, 1);
	return real(t, a, f, arg);
}

_Noreturn static void die(const char *what)
{
	printf("# %s: %s\n", what, strerror(errno));
	exit(1);
}

static void make_file(const char *path)
{
	own_fd fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	if (fd < 0)
		die(path);
}

static void make_tree(void)
{
	char path[64], link[64];

	if (mkdir("tree", 0700) < 0 || mkdir("out", 0700) < 0)
		die("mkdir");
	for (int i = 0; i < OUTSIDE; i++) {
		snprintf(path, sizeof(path), "out/%d", i);
		make_file(path);
	}
	for (int d = 0; d < DIRS; d++) {
		snprintf(path, sizeof(path), "tree/%d", d);
		if (mkdir(path, 0700) < 0)
			die(path);
		for (int i = 0; i < FILES; i++) {
			snprintf(path, sizeof(path), "tree/%d/%d", d, i);
			make_file(path);
		}
	}
	for (int i = 0; i < ATTACKED; i++) {
		snprintf(link, sizeof(link), "tree/link%d", i);
		if (symlink("../out", link) < 0)
			die(link);
	}
}

/* Ends when it is killed, or with the test. */
static pid_t start(void (*attack)(unsigned n))
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (unsigned n = 0;; n++)
		attack(n);
}

static void swap_dirs(unsigned n)
{
	char dir[64], link[64];

	snprintf(dir, sizeof(dir), "tree/%u", n % ATTACKED);
	snprintf(link, sizeof(link), "tree/link%u", n % ATTACKED);
	if (renameat2(AT_FDCWD, dir, AT_FDCWD, link, RENAME_EXCHANGE) < 0)
		die("swapping");
}

/* The file is away for a moment, and its name leads outside. */
static void swap_files(unsigned n)
{
	char file[64], away[64], target[64];

	snprintf(file, sizeof(file), "tree/%d/%u", DIRS - 1, n % ATTACKED);
	snprintf(away, sizeof(away), "tree/%d/away", DIRS - 1);
	snprintf(target, sizeof(target), "../../out/%u", n % OUTSIDE);
	if (rename(file, away) < 0 || symlink(target, file) < 0 ||
	    rename(away, file) < 0)
		die("replacing");
}

/* ---- what is outside ---- */

static bool has_entry(const char *path, const char *name, uid_t id)
{
	unsigned char b[1024];
	ssize_t n = lgetxattr(path, name, b, sizeof(b));

	for (ssize_t at = 4; at + 8 <= n; at += 8)
		if (b[at] == 2 && !memcmp(b + at + 4, &id, 4))
			return true;
	return false;
}

static unsigned count_outside(uid_t id)
{
	unsigned n = has_entry("out", ACCESS_NAME, id) +
		     has_entry("out", DEFAULT_NAME, id);
	char path[64];

	for (int i = 0; i < OUTSIDE; i++) {
		snprintf(path, sizeof(path), "out/%d", i);
		n += has_entry(path, ACCESS_NAME, id);
	}
	return n;
}

static struct grant_who who_of(int n)
{
	return (struct grant_who){.uid = uid[n],
				  .gid = uid[n],
				  .owner = geteuid(),
				  .owner_gid = getegid(),
				  .umask = 022};
}

static void need(int r, const char *what, const struct err *e)
{
	if (r == 0)
		return;
	printf("# %s: %s\n", what, e->msg);
	exit(1);
}

static void walk(int n, bool grant, const char *path)
{
	own_fd root = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	const struct grant_tree tree = {.root = root, .mode = GRANT_RW};
	const struct grant_who who = who_of(n);
	struct err e = ERR_INIT;
	struct grant_stats st;
	uint64_t left;

	if (grant)
		need(grant_apply(&tree, &who, &st, &e), "granting", &e);
	else
		need(grant_revoke(root, &who, &st, &left, &e), "revoking", &e);
}

int main(int argc, char **argv)
{
	unsigned walks = argc == 3 ? (unsigned)atoi(argv[2]) : 0;
	unsigned leaked = 0, lost = 0, all, n, alive;
	const bool has_two = sysconf(_SC_NPROCESSORS_ONLN) > 1;
	pid_t attackers[2];

	if (!walks || chdir(argv[1]) < 0)
		return 125;
	setvbuf(stdout, NULL, _IOLBF, 0);
	make_tree();
	walk(1, true, "out");
	all = count_outside(uid[1]);
	attackers[0] = start(swap_dirs);
	attackers[1] = start(swap_files);
	/* More of them where busy processors start few threads. */
	for (n = 0;
	     n < walks || (has_two && seconds < walks / 2 && n < 10 * walks);
	     n++) {
		walk(n / 2 % 2, n % 2 == 0, "tree");
		leaked += count_outside(uid[0]);
		lost += all - count_outside(uid[1]);
		if (n % 1000 == 999)
			printf("# %u walks, %u leaked, %u lost\n", n + 1,
			       leaked, lost);
	}
	alive = waitpid(-1, NULL, WNOHANG) == 0;
	for (int i = 0; i < 2; i++) {
		kill(attackers[i], SIGKILL);
		waitpid(attackers[i], NULL, 0);
	}
	for (int i = 0; i < 2; i++)
		walk(i, false, "tree");
	printf("# %u walks of %d names, %u second threads: %u entries got "
	       "outside, %u of %u lost there%s\n",
	       n, DIRS * (FILES + 1), atomic_load(&seconds), leaked, lost,
	       all * n, alive ? "" : "; the attack ended");
	if (has_two && seconds < walks / 2) {
		puts("# too few of them for a test of walks with threads");
		return 1;
	}
	return leaked || lost || !alive || all != OUTSIDE + 2;
}
