/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Grants on real files: nothing is left of them afterwards, nothing is edited
 * that need not be, nothing outside is touched.  As root it becomes an
 * ordinary user first; what needs another user is skipped otherwise.
 */
#include "base/err.h"
#include "base/own.h"
#include "grant/acl.h"
#include "grant/grant.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#define TREES 500
#define NODES 40
#define PLAIN_UID 54321

static struct grant_who who1, who2;
static struct grant_stats st;
static struct err e;
static uint64_t left;
static int was_root;
static int top = -1; /* a scratch directory; the process is in it */
static struct acl scratch;

/* ---- small tools ------------------------------------------------------- */

static unsigned rnd(unsigned n)
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

static void need_ok(int ok, const char *what)
{
	if (!ok)
		bail(what);
}

static void make_file(const char *path, mode_t mode)
{
	own_fd fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	need_ok(fd >= 0 && fchmod(fd, mode) == 0, path);
}

static void make_dir(const char *path, mode_t mode)
{
	need_ok(mkdir(path, 0700) == 0 && chmod(path, mode) == 0, path);
}

static int open_path(const char *path)
{
	int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	need_ok(fd >= 0, path);
	return fd;
}

static int apply(const char *path, enum grant_mode m, const struct grant_who *w)
{
	own_fd fd = open_path(path);

	return grant_apply(fd, m, w, &st, &e);
}

static int survey(const char *path, enum grant_mode m)
{
	own_fd fd = open_path(path);

	return grant_survey(fd, m, &who1, &st, &e);
}

static int take_back(const char *path, const struct grant_who *w)
{
	own_fd fd = open_path(path);

	return grant_revoke(fd, w, &st, &left, &e);
}

static mode_t mode_of(const char *path)
{
	struct stat s;

	need_ok(lstat(path, &s) == 0, path);
	return s.st_mode & 07777;
}

static int has_acl(const char *path, const char *name)
{
	return lgetxattr(path, name, NULL, 0) > 0;
}

/* U's entry on a path, -1 if there is none. */
static int entry(const char *path, const char *name, const struct grant_who *w)
{
	static unsigned char b[ACL_BYTES_MAX];
	ssize_t n = lgetxattr(path, name, b, sizeof(b));

	if (n < 0)
		return -1;
	need_ok(acl_decode(&scratch, b, (size_t)n) == 0, path);
	return acl_entry_of(&scratch, w);
}

#define ACCESS_NAME "system.posix_acl_access"
#define DEFAULT_NAME "system.posix_acl_default"

static void remove_tree(const char *path)
{
	char cmd[512];

	snprintf(cmd, sizeof(cmd),
		 "chmod -R u+rwx -- '%s' 2>/dev/null; "
		 "rm -rf -- '%s'",
		 path, path);
	need_ok(system(cmd) == 0, cmd);
}

/* ---- random trees ------------------------------------------------------ */

struct node {
	char path[512];
	mode_t mode;
	int n_access, n_default; /* bytes, or -1 */
	unsigned char access[256], dflt[256];
};

static struct node nodes[NODES];
static size_t n_nodes;

static void look_at(struct node *n)
{
	n->mode = mode_of(n->path);
	n->n_access = (int)lgetxattr(n->path, ACCESS_NAME, n->access,
				     sizeof(n->access));
	n->n_default =
		(int)lgetxattr(n->path, DEFAULT_NAME, n->dflt, sizeof(n->dflt));
}

static int is_as_before(const struct node *n)
{
	static struct node now;

	snprintf(now.path, sizeof(now.path), "%s", n->path);
	look_at(&now);
	return now.mode == n->mode && now.n_access == n->n_access &&
	       now.n_default == n->n_default &&
	       (n->n_access <= 0 ||
		!memcmp(now.access, n->access, (size_t)n->n_access)) &&
	       (n->n_default <= 0 ||
		!memcmp(now.dflt, n->dflt, (size_t)n->n_default));
}

/* A random ACL, without the one form that acl.h says is not kept. */
static void random_acl(const char *path, const char *name)
{
	static struct acl a;
	unsigned char b[256];
	unsigned ids[] = {3000, 3001, 100900};
	bool named = false;
	size_t n;

	a.n = 0;
	a.e[a.n++] = (struct acl_entry){1, (uint16_t)(4 | rnd(8)), ~0u};
	for (unsigned i = 0; i < 3; i++)
		if (rnd(3) == 0)
			a.e[a.n++] =
				(struct acl_entry){2, (uint16_t)rnd(8), ids[i]};
	a.e[a.n++] = (struct acl_entry){4, (uint16_t)rnd(8), ~0u};
	named = a.n > 2;
	if (rnd(3) == 0) {
		a.e[a.n++] = (struct acl_entry){8, (uint16_t)rnd(8), 3002};
		named = true;
	}
	if (named || rnd(2))
		a.e[a.n++] = (struct acl_entry){16, (uint16_t)rnd(8), ~0u};
	a.e[a.n++] = (struct acl_entry){32, (uint16_t)rnd(8), ~0u};
	if (!named && a.n == 4 && a.e[1].perm == 0 && a.e[2].perm == 7)
		a.e[1].perm = 1;
	n = acl_encode(&a, b, sizeof(b));
	need_ok(setxattr(path, name, b, n, 0) == 0, path);
}

static void random_node(const char *dir, unsigned depth)
{
	struct node *n;
	char target[520];

	if (n_nodes == NODES)
		return;
	n = &nodes[n_nodes++];
	snprintf(n->path, sizeof(n->path), "%.480s/%zu", dir, n_nodes);
	switch (rnd(10)) {
	case 0:
		need_ok(symlink("/etc/passwd", n->path) == 0, n->path);
		return;
	case 1:
		need_ok(mkfifo(n->path, 0600) == 0, n->path);
		return;
	case 2:
		make_file(n->path, 0640);
		snprintf(target, sizeof(target), "%s.link", n->path);
		need_ok(link(n->path, target) == 0, target);
		return;
	case 3:
	case 4:
	case 5:
		make_dir(n->path, 0700);
		for (unsigned i = rnd(4); depth && i; i--)
			random_node(n->path, depth - 1);
		chmod(n->path, 0500 | rnd(01000) | (rnd(6) ? 0 : S_ISVTX));
		if (rnd(8) == 0)
			chmod(n->path, rnd(0400)); /* not to be listed */
		if (rnd(3) == 0)
			random_acl(n->path, ACCESS_NAME);
		if (rnd(3) == 0)
			random_acl(n->path, DEFAULT_NAME);
		return;
	default:
		make_file(n->path, rnd(01000) | (rnd(9) ? 0 : S_ISUID));
		if (rnd(3) == 0)
			random_acl(n->path, ACCESS_NAME);
	}
}

static void random_tree(void)
{
	n_nodes = 1;
	snprintf(nodes[0].path, sizeof(nodes[0].path), "t");
	make_dir("t", 0700);
	for (unsigned i = 2 + rnd(6); i; i--)
		random_node("t", 3);
	if (rnd(3) == 0)
		random_acl("t", DEFAULT_NAME);
}

/*
 * Some directories cannot be entered by their owner, so looking happens before
 * they are closed and after they are open again: modes are noted and set back.
 */
static size_t changed_nodes(void)
{
	size_t changed = 0;

	for (size_t i = 0; i < n_nodes; i++)
		if (!is_as_before(&nodes[i])) {
			printf("# changed: %s %o\n", nodes[i].path,
			       nodes[i].mode);
			changed++;
		}
	return changed;
}

/* Nodes below a directory that may not be searched are not compared. */
static void look_at_all(void)
{
	size_t kept = 0;

	for (size_t i = 0; i < n_nodes; i++) {
		struct stat s;

		if (lstat(nodes[i].path, &s) < 0)
			continue;
		if (kept != i)
			nodes[kept] = nodes[i];
		look_at(&nodes[kept++]);
	}
	n_nodes = kept;
}

static void test_random_trees(void)
{
	unsigned applied = 0, edited = 0, changed = 0, errors = 0, drift = 0;

	for (unsigned i = 0; i < TREES; i++) {
		enum grant_mode m1 = rnd(2) ? GRANT_RW : GRANT_RO;
		enum grant_mode m2 = rnd(2) ? GRANT_RW : GRANT_RO;
		bool two = rnd(2);
		uint64_t would;

		random_tree();
		look_at_all();
		e.msg[0] = '\0';
		errors += survey("t", m1) < 0;
		would = st.edited;
		changed += changed_nodes() != 0;
		errors += apply("t", m1, &who1) < 0;
		drift += st.edited != would;
		applied++;
		edited += st.edited != 0;
		errors += two && apply("t", m2, &who2) < 0;
		errors += two && rnd(2) && take_back("t", &who1) < 0;
		errors += two && take_back("t", &who2) < 0;
		errors += take_back("t", &who1) < 0;
		if (changed_nodes()) {
			changed++;
			printf("# tree %u\n", i);
		}
		if (e.msg[0])
			printf("# tree %u: %s\n", i, e.msg);
		remove_tree("t");
	}
	printf("# %u trees, %u of them edited\n", applied, edited);
	tap_ok(edited > TREES / 2, "most random trees need edits");
	tap_ok(!drift, "a survey tells what a grant will edit");
	tap_ok(!errors, "random trees are granted and revoked");
	tap_ok(!changed, "random trees are as before afterwards");
}

/* ---- one property each ------------------------------------------------- */

static void test_only_what_is_needed(void)
{
	make_dir("n", 0755);
	make_file("n/open", 0644);
	make_file("n/private", 0600);
	make_dir("n/sub", 0711);
	make_file("n/sub/run", 0755);
	tap_ok(apply("n", GRANT_RO, &who1) == 0 && st.seen == 5 &&
		       st.edited == 2,
	       "--ro edits only what others cannot read");
	tap_ok(entry("n/private", ACCESS_NAME, &who1) == 4 &&
		       entry("n/sub", ACCESS_NAME, &who1) == 5,
	       "files get r, directories r-x");
	tap_ok(!has_acl("n", DEFAULT_NAME), "--ro sets no default ACL");
	tap_ok(apply("n", GRANT_RO, &who1) == 0 && st.edited == 0,
	       "a second --ro edits nothing");
	tap_ok(apply("n", GRANT_RW, &who1) == 0 &&
		       entry("n/private", ACCESS_NAME, &who1) == 6 &&
		       entry("n/sub/run", ACCESS_NAME, &who1) == 7 &&
		       entry("n/sub", DEFAULT_NAME, &who1) == 7,
	       "--rw raises it and sets default ACLs");
	tap_ok(apply("n", GRANT_RW, &who1) == 0 && st.edited == 0,
	       "a second --rw edits nothing");
	tap_ok(take_back("n", &who1) == 0 && left == 0 && st.edited > 0 &&
		       !has_acl("n", ACCESS_NAME) &&
		       !has_acl("n/private", ACCESS_NAME) &&
		       !has_acl("n/sub", DEFAULT_NAME) &&
		       mode_of("n/private") == 0600 && mode_of("n/sub") == 0711,
	       "revoking leaves nothing");
	tap_ok(take_back("n", &who1) == 0 && st.edited == 0,
	       "revoking again edits nothing");
	remove_tree("n");
}

static void test_left_out(void)
{
	own_fd fifo = -1;

	make_dir("l", 0755);
	make_file("l/a", 0600);
	need_ok(link("l/a", "outside") == 0, "link");
	need_ok(symlink("../outside", "l/s") == 0, "symlink");
	need_ok(mkfifo("l/p", 0600) == 0, "mkfifo");
	tap_ok(apply("l", GRANT_RO, &who1) == 0 && st.links == 1 &&
		       st.special == 1 && st.edited == 0,
	       "links, symbolic links and FIFOs are left out");
	tap_ok(!has_acl("outside", ACCESS_NAME), "nothing outside is edited");
	tap_str(st.example, "a", "the example is what was left out");
	make_file("l/\033[2J\n", 0600);
	need_ok(link("l/\033[2J\n", "out2") == 0 && unlink("l/a") == 0, "link");
	tap_ok(survey("l", GRANT_RO) == 0, "survey");
	tap_str(st.example, "\\x1b[2J\\x0a", "names are escaped");
	tap_ok(apply("outside", GRANT_RW, &who1) == 0 ||
		       !has_acl("outside", ACCESS_NAME),
	       "a root is judged too");
	fifo = open_path("l/p");
	tap_ok(grant_apply(fifo, GRANT_RO, &who1, &st, &e) < 0 &&
		       e.code == EINVAL,
	       "a FIFO cannot be shared");
	remove_tree("l");
	unlink("outside");
	unlink("out2");
}

static void test_link_root(void)
{
	make_file("one", 0600);
	need_ok(link("one", "two") == 0, "link");
	tap_ok(apply("one", GRANT_RO, &who1) < 0 && e.code == EPERM &&
		       e.hint[0] && !has_acl("one", ACCESS_NAME),
	       "a root that is left out is an error with a remedy");
	unlink("two");
	tap_ok(apply("one", GRANT_RO, &who1) == 0 && st.edited == 1 &&
		       mode_of("one") == 0640,
	       "a single file can be shared");
	tap_ok(take_back("one", &who1) == 0 && mode_of("one") == 0600,
	       "and taken back");
	unlink("one");
}

static void test_chmod(void)
{
	make_dir("c", 0700);
	make_file("c/a", 0600);
	make_file("c/b", 0640);
	make_file("c/c", 0600);
	need_ok(apply("c", GRANT_RW, &who1) == 0, e.msg);
	need_ok(chmod("c/a", 0600) == 0 && chmod("c/b", 0755) == 0 &&
			chmod("c", 0750) == 0,
		"chmod");
	need_ok(take_back("c", &who1) == 0, e.msg);
	tap_ok(mode_of("c/a") == 0600 && mode_of("c/b") == 0755 &&
		       mode_of("c/c") == 0600 && !has_acl("c/b", ACCESS_NAME),
	       "a chmod during a run stays");
	/* r-x is what U's entry showed: asking for it cannot be seen. */
	tap_ok(mode_of("c") == 0700, "and gives the group nothing by mistake");
	remove_tree("c");
}

static void test_new_files(void)
{
	static const mode_t masks[] = {022, 077, 007};

	for (unsigned i = 0; i < 3; i++) {
		struct grant_who w = who1;
		mode_t was = umask(masks[i]);
		mode_t file, dir;
		own_fd fd = -1;

		w.umask = masks[i];
		make_dir("k", 0755);
		need_ok(apply("k", GRANT_RW, &w) == 0, e.msg);
		fd = open("k/f", O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
		need_ok(fd >= 0 && mkdir("k/d", 0777) == 0, "k/f");
		file = mode_of("k/f");
		dir = mode_of("k/d");
		tap_ok(!(file & masks[i] & 07) && !(dir & masks[i] & 07),
		       "umask %03o: others get no more than it leaves",
		       masks[i]);
		tap_ok(entry("k/f", ACCESS_NAME, &w) == 7 &&
			       entry("k/d", DEFAULT_NAME, &w) == 7,
		       "umask %03o: U has the new files", masks[i]);
		need_ok(take_back("k", &w) == 0, e.msg);
		tap_ok(mode_of("k/f") == (0644 & ~masks[i]) &&
			       mode_of("k/d") == (0755 & ~masks[i]) &&
			       !has_acl("k/f", ACCESS_NAME) &&
			       !has_acl("k/d", ACCESS_NAME) &&
			       !has_acl("k/d", DEFAULT_NAME),
		       "umask %03o: they end as if vmrun had not been there",
		       masks[i]);
		remove_tree("k");
		umask(was);
	}
}

/* Fills a file's ACL until there is no room for us. */
static void fill(const char *path)
{
	static struct acl a, more;
	static unsigned char b[ACL_BYTES_MAX];
	struct grant_who w = who1;

	acl_from_mode(&a, 0600);
	w.sub_count = 0;
	for (w.uid = w.gid = 300000; a.n < ACL_ENTRIES_MAX; w.uid++, w.gid++) {
		more = a;
		if (acl_add(&more, ACL_ACCESS, &w, 4) != ACL_CHANGED)
			break;
		if (setxattr(path, ACCESS_NAME, b,
			     acl_encode(&more, b, sizeof(b)), 0) < 0)
			break;
		a = more;
	}
}

static void test_rollback(void)
{
	unsigned wrong = 0;

	make_dir("r", 0700);
	make_dir("r/a", 0700);
	make_file("r/a/f", 0600);
	make_file("r/full", 0600);
	fill("r/full");
	make_dir("r/z", 0700);
	make_file("r/z/f", 0600);
	for (unsigned i = 0; i < 20; i++) {
		char name[16];

		/* Before and behind the full one, whatever the order. */
		snprintf(name, sizeof(name), "r/n%u", i);
		make_dir(name, 0700);
		need_ok(i % 2 || apply(name, GRANT_RO, &who1) == 0, e.msg);
	}
	need_ok(apply("r/a", GRANT_RO, &who1) == 0, e.msg);
	tap_ok(apply("r", GRANT_RW, &who1) < 0 &&
		       (e.code == ENOSPC || e.code == E2BIG) && e.hint[0],
	       "a full ACL is an error with a remedy");
	tap_ok(strstr(e.msg, "full: ") != NULL, "that names the file");
	tap_ok(!has_acl("r", ACCESS_NAME) && !has_acl("r", DEFAULT_NAME) &&
		       !has_acl("r/z", DEFAULT_NAME) &&
		       !has_acl("r/z/f", ACCESS_NAME) && mode_of("r") == 0700 &&
		       mode_of("r/z/f") == 0600,
	       "and everything is put back");
	tap_ok(entry("r/a", ACCESS_NAME, &who1) == 5 &&
		       !has_acl("r/a", DEFAULT_NAME) &&
		       entry("r/a/f", ACCESS_NAME, &who1) == 4,
	       "to what an earlier grant had given");
	for (unsigned i = 0; i < 20; i++) {
		char name[16];

		snprintf(name, sizeof(name), "r/n%u", i);
		wrong += entry(name, ACCESS_NAME, &who1) != (i % 2 ? -1 : 5) ||
			 has_acl(name, DEFAULT_NAME);
	}
	tap_ok(!wrong, "on either side of the full one");
	remove_tree("r");
}

static void test_no_acls(void)
{
	own_fd fd = -1;

	/* A directory of ours on a file system that has no ACLs. */
	prctl(PR_SET_DUMPABLE, 1);
	fd = open("/proc/self/task", O_PATH | O_CLOEXEC);
	need_ok(fd >= 0, "/proc/self/task");
	tap_ok(grant_apply(fd, GRANT_RW, &who1, &st, &e) < 0 &&
		       e.code == EOPNOTSUPP && e.hint[0],
	       "no ACLs: an error with a remedy");
	tap_ok(grant_survey(fd, GRANT_RW, &who1, &st, &e) < 0 &&
		       e.code == EOPNOTSUPP,
	       "no ACLs: the survey says so too");
}

static void test_identity(void)
{
	struct grant_who w = who1;

	make_dir("i", 0700);
	w.uid = w.owner;
	tap_ok(apply("i", GRANT_RO, &w) < 0 && e.code == EINVAL,
	       "the owner is no identity");
	w = who1;
	w.gid = 0;
	tap_ok(apply("i", GRANT_RW, &w) < 0 && take_back("i", &w) < 0,
	       "nor is group 0");
	tap_ok(!has_acl("i", ACCESS_NAME), "and nothing is edited");
	remove_tree("i");
}

static void test_unmapped(void)
{
	static struct acl a;
	unsigned char b[256];
	struct grant_who w = who1;

	make_dir("u", 0700);
	make_file("u/f", 0600);
	make_file("u/g", 0600);
	acl_from_mode(&a, 0600);
	w.uid = 4000;
	acl_add(&a, ACL_ACCESS, &w, 4);
	need_ok(setxattr("u/f", ACCESS_NAME, b, acl_encode(&a, b, sizeof(b)),
			 0) == 0,
		"u/f");
	tap_ok(apply("u", GRANT_RO, &who1) == 0 && st.unmapped == 1,
	       "an ACL that the guest cannot express is counted");
	tap_str(st.example, "f", "and named");
	take_back("u", &who1);
	remove_tree("u");
}

static void test_lock(void)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	own_fd other = -1;
	own_fd lock = grant_lock(top, &e);

	tap_ok(lock >= 0, "the lock is taken");
	other = open("grant.lock", O_RDWR | O_CLOEXEC);
	tap_ok(other >= 0 && fcntl(other, F_OFD_SETLK, &whole) < 0 &&
		       errno == EAGAIN,
	       "and keeps others out");
	own_close(&lock);
	tap_ok(fcntl(other, F_OFD_SETLK, &whole) == 0, "until it is let go");
	unlink("grant.lock");
	need_ok(symlink("nowhere", "grant.lock") == 0, "symlink");
	tap_ok(grant_lock(top, &e) < 0, "a link in its place is refused");
	unlink("grant.lock");
}

/* Deep enough that neither descriptors nor path lengths would do. */
static void test_deep(void)
{
	const struct rlimit few = {64, 64};
	struct rlimit was;
	own_fd at = -1;
	const int depth = 5000;
	int made = 0;

	make_dir("d", 0700);
	at = open("d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (; made < depth; made++) {
		int next;

		if (mkdirat(at, "deeper", 0700) < 0)
			break;
		close(openat(at, "x", O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
		close(openat(at, "y", O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
		next = openat(at, "deeper", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		need_ok(next >= 0, "deeper");
		close(at);
		at = next;
	}
	need_ok(made == depth, "making a deep tree");
	getrlimit(RLIMIT_NOFILE, &was);
	setrlimit(RLIMIT_NOFILE, &(struct rlimit){few.rlim_cur, was.rlim_max});
	tap_ok(apply("d", GRANT_RO, &who1) == 0 &&
		       st.seen == 1 + 3 * (uint64_t)depth &&
		       st.edited == 1 + (uint64_t)depth,
	       "5000 levels: all of it, with 64 descriptors");
	tap_ok(take_back("d", &who1) == 0 && st.edited == 1 + (uint64_t)depth,
	       "5000 levels: and back");
	setrlimit(RLIMIT_NOFILE, &was);
	need_ok(system("rm -rf d") == 0, "rm");
}

/* Runs as U, or another user: can it open the path in that way? */
static int can(uid_t uid, const char *path, int flags)
{
	pid_t pid = fork();
	int status;

	need_ok(pid >= 0, "fork");
	if (pid == 0) {
		if (setresuid(0, 0, 0) < 0 || setgroups(0, NULL) < 0 ||
		    setresgid(uid, uid, uid) < 0 ||
		    setresuid(uid, uid, uid) < 0)
			_exit(2);
		_exit(open(path, flags | O_CLOEXEC) < 0);
	}
	need_ok(waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
			WEXITSTATUS(status) != 2,
		"becoming another user");
	return !WEXITSTATUS(status);
}

static void test_as_others(void)
{
	uid_t u = who1.uid, bob = 3000;

	if (!was_root) {
		tap_skip("what U and others can do", "needs root");
		return;
	}
	make_dir("o", 0700);
	make_file("o/f", 0600);
	tap_ok(!can(u, "o/f", O_RDONLY), "before: U cannot read");
	need_ok(apply("o", GRANT_RO, &who1) == 0, e.msg);
	tap_ok(can(u, "o/f", O_RDONLY) && !can(u, "o/f", O_WRONLY),
	       "--ro: U can read, not write");
	tap_ok(!can(bob, "o/f", O_RDONLY) && !can(bob, "o", O_RDONLY),
	       "--ro: others can do neither");
	need_ok(apply("o", GRANT_RW, &who1) == 0, e.msg);
	tap_ok(can(u, "o/f", O_RDWR) && !can(bob, "o/f", O_RDONLY),
	       "--rw: U can write, others nothing");
	need_ok(take_back("o", &who1) == 0, e.msg);
	tap_ok(!can(u, "o", O_RDONLY), "after: U can do nothing");
	remove_tree("o");
}

/* As root, for an instant: seteuid() back and forth. */
static void test_foreign(void)
{
	if (!was_root) {
		tap_skip("other owners and groups", "needs root");
		return;
	}
	make_dir("g", 0755);
	make_dir("g/team", 0750);
	make_file("g/hers", 0600);
	make_file("g/open", 0644);
	make_file("g/tail", 0600);
	need_ok(seteuid(0) == 0 && chown("g/team", PLAIN_UID, 4444) == 0 &&
			chmod("g/team", 02750) == 0 &&
			chown("g/hers", 4444, 4444) == 0 &&
			chown("g/open", 4444, 4444) == 0 &&
			seteuid(PLAIN_UID) == 0,
		"chown");
	tap_ok(apply("g", GRANT_RO, &who1) == 0 && st.foreign == 1 &&
		       st.setgid == 1 && st.edited == 1,
	       "other owners' files and foreign setgid directories are left");
	tap_ok(mode_of("g/team") == 02750, "the setgid bit is still there");
	tap_ok(take_back("g", &who1) == 0, "revoking does not mind them");
	tap_ok(apply("g/team", GRANT_RO, &who1) < 0 && e.hint[0],
	       "sharing such a directory is an error");
	need_ok(seteuid(0) == 0, "seteuid");
	remove_tree("g");
	need_ok(seteuid(PLAIN_UID) == 0, "seteuid");
}

/* What a guest may leave behind; made here by taking U's place. */
static void test_reclaim(void)
{
	struct stat s;
	own_fd fd = -1;

	if (!was_root) {
		tap_skip("giving files back", "needs root");
		return;
	}
	make_dir("b", 0777);
	make_file("b/mine", 04755);
	need_ok(apply("b", GRANT_RW, &who1) == 0, e.msg);
	need_ok(seteuid(0) == 0 && setegid(who1.gid) == 0 &&
			seteuid(who1.uid) == 0,
		"becoming U");
	make_file("b/suid", 06755);
	make_dir("b/closed", 0700);
	make_file("b/closed/f", 0600);
	need_ok(chmod("b/closed", 0) == 0 && mkfifo("b/pipe", 0600) == 0 &&
			symlink("/", "b/link") == 0 &&
			mknod("b/gone", S_IFCHR | 0600, 0) == 0,
		"what a guest leaves");
	need_ok(seteuid(0) == 0 && setegid(0) == 0, "becoming root");
	fd = open_path("b");
	tap_ok(grant_reclaim(fd, who1.uid, who1.gid, who1.owner, who1.owner_gid,
			     &st, &e) == 0 &&
		       st.edited == 4 && st.special == 2,
	       "files are given back");
	tap_ok(lstat("b/suid", &s) == 0 && s.st_uid == who1.owner &&
		       s.st_gid == who1.owner_gid && mode_of("b/suid") == 0755,
	       "without setuid and setgid");
	tap_ok(lstat("b/pipe", &s) < 0 && lstat("b/gone", &s) < 0,
	       "FIFOs and whiteouts are gone");
	tap_ok(lstat("b/closed/f", &s) == 0 && s.st_uid == who1.owner,
	       "closed directories are no refuge");
	tap_ok(lstat("b/link", &s) == 0 && s.st_uid == who1.owner &&
		       lstat("/", &s) == 0 && s.st_uid == 0,
	       "links are given back, not what they point to");
	need_ok(setegid(PLAIN_UID) == 0 && seteuid(PLAIN_UID) == 0 &&
			chmod("b/closed", 0700) == 0,
		"becoming the owner");
	tap_ok(take_back("b", &who1) == 0 && !has_acl("b/suid", ACCESS_NAME) &&
		       !has_acl("b/closed/f", ACCESS_NAME) &&
		       !has_acl("b/closed", DEFAULT_NAME),
	       "and then nothing of U is left");
	tap_ok(mode_of("b/mine") == 04755, "the owner's files are left alone");
	remove_tree("b");
}

static int is_acl_fs(void)
{
	char v[4];

	return getxattr(".", ACCESS_NAME, v, sizeof(v)) >= 0 ||
	       errno != EOPNOTSUPP;
}

static void set_up(char *dir)
{
	umask(022);
	was_root = geteuid() == 0;
	need_ok(mkdtemp(dir) && chmod(dir, 0755) == 0 && chdir(dir) == 0, dir);
	if (was_root)
		need_ok(chown(dir, PLAIN_UID, PLAIN_UID) == 0 &&
				setgroups(0, NULL) == 0 &&
				setegid(PLAIN_UID) == 0 &&
				setresuid(0, PLAIN_UID, 0) == 0,
			"becoming an ordinary user");
	top = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
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

int main(void)
{
	const char *tmp = getenv("TMPDIR");
	char dir[512];

	snprintf(dir, sizeof(dir), "%.480s/vmrun-grant-XXXXXX",
		 tmp ? tmp : "/var/tmp");
	set_up(dir);
	if (is_acl_fs()) {
		test_identity();
		test_only_what_is_needed();
		test_left_out();
		test_link_root();
		test_chmod();
		test_new_files();
		test_rollback();
		test_unmapped();
		test_as_others();
		test_foreign();
		test_reclaim();
		test_deep();
		test_random_trees();
	} else if (getenv("VMRUN_MUST_WORK")) {
		tap_ok(0, "ACLs in %s", dir);
	} else {
		tap_skip("grants on files", "no ACLs here; set TMPDIR");
	}
	test_no_acls();
	test_lock();
	need_ok(!was_root || seteuid(0) == 0, "seteuid");
	need_ok(chdir("/") == 0, "/");
	rmdir(dir);
	return tap_done();
}
