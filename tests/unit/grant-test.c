/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Grants on real files: nothing is edited that need not be, nothing outside is
 * touched, and nothing is left.  One function for each property.
 */
#include "base/own.h"
#include "grant-rig.h"
#include "grant/acl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>

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
	tap_ok(grant_apply(&(struct grant_tree){.root = fifo, .mode = GRANT_RO},
			   &who1, &st, &e) < 0 &&
		       e.code == EINVAL,
	       "a FIFO cannot be shared");
	remove_tree("l");
	unlink("outside");
	unlink("out2");
}

/*
 * A second has begun, and the clock of time stamps has not noticed.  What is
 * looked at and changed now is dated after it by a kernel that has multigrain
 * time stamps.
 */
static void await_second(void)
{
	struct timespec now, coarse;

	do {
		clock_gettime(CLOCK_REALTIME_COARSE, &coarse);
		clock_gettime(CLOCK_REALTIME, &now);
	} while (now.tv_sec == coarse.tv_sec);
}

static void test_link_young(void)
{
	unsigned left_out = 0, edited = 0;

	for (int i = 0; i < 3; i++) {
		await_second();
		make_dir("y", 0755);
		make_file("y/a", 0600);
		need_ok(mode_of("y") == 0755 && link("y/a", "y/b") == 0 &&
				survey("y", GRANT_RO) == 0,
			"y");
		left_out += st.links != 0;
		edited += st.edited == 1;
		remove_tree("y");
	}
	tap_ok(edited == 3 && !left_out, "links are counted at once");
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

/* Of a directory that the person closes during a run, and opens again. */
static void closed_by(mode_t mode, const char *what)
{
	make_dir("x", 0755);
	make_dir("x/d", 0700);
	make_file("x/d/f", 0600);
	need_ok(apply("x", GRANT_RO, &who1) == 0 && chmod("x/d", mode) == 0,
		"closing it");
	tap_ok(take_back("x", &who1) < 0 && e.code == EACCES,
	       "what is below a directory %s is not forgotten", what);
	tap_ok(take_back("x", &who1) < 0, "the second time neither");
	need_ok(chmod("x/d", 0700) == 0, "opening it");
	tap_ok(take_back("x", &who1) == 0 && !has_acl("x/d", ACCESS_NAME) &&
		       !has_acl("x/d/f", ACCESS_NAME),
	       "but taken back when it is open again");
	remove_tree("x");
}

static void test_closed(void)
{
	closed_by(0600, "of which no name can be opened");
	closed_by(0100, "that cannot be listed");
	make_dir("x", 0755);
	make_dir("x/d", 0700);
	make_file("x/d/f", 0600);
	need_ok(chmod("x/d", 0600) == 0, "closing it");
	tap_ok(apply("x", GRANT_RO, &who1) == 0 && st.foreign == 1 &&
		       !has_acl("x/d", ACCESS_NAME),
	       "one that is closed before is not granted");
	tap_ok(take_back("x", &who1) == 0, "and nothing is missed in it");
	need_ok(chmod("x/d", 0700) == 0 && unlink("x/d/f") == 0 &&
			chmod("x/d", 0600) == 0,
		"an empty one");
	tap_ok(apply("x", GRANT_RO, &who1) == 0 && st.foreign == 0 &&
		       take_back("x", &who1) == 0 &&
		       !has_acl("x/d", ACCESS_NAME),
	       "one with nothing in it is no obstacle");
	remove_tree("x");
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

enum fill_what { FILL_ACCESS, FILL_BOTH, FILL_OTHERS };

/* Fills a file's ACLs until there is no room for us. */
static void fill(const char *path, enum fill_what what)
{
	static struct acl a, more;
	static unsigned char b[ACL_BYTES_MAX];
	struct grant_who w = who1;
	size_t n;

	acl_from_mode(&a, 0700);
	w.sub_count = 0;
	for (w.uid = w.gid = 300000; a.n < ACL_ENTRIES_MAX; w.uid++, w.gid++) {
		more = a;
		if (acl_add(&more, ACL_ACCESS, &w, 4) != ACL_CHANGED)
			break;
		n = acl_encode(&more, b, sizeof(b));
		if (setxattr(path, ACCESS_NAME, b, n, 0) < 0)
			break;
		if (what == FILL_BOTH &&
		    setxattr(path, DEFAULT_NAME, b, n, 0) < 0)
			break;
		a = more;
	}
}

static struct timespec changed(const char *path)
{
	struct stat s = {0};

	need_ok(stat(path, &s) == 0, path);
	return s.st_ctim;
}

/* Other attributes, until nothing fits any more.  False: there is no end. */
static bool fill_others(const char *path)
{
	static const char value[4096];
	char name[] = "user.a";

	for (size_t n = sizeof(value); n; n /= 2) {
		while (setxattr(path, name, value, n, 0) == 0)
			if (++name[5] > 'p')
				return false;
	}
	return true;
}

/* A share that is a single file is tried as others are. */
static void test_room_root(void)
{
	mode_t was;

	make_dir("l", 0700);
	make_file("l/f", 0600);
	fill("l/f", FILL_ACCESS);
	was = mode_of("l/f");
	tap_ok(survey("l/f", GRANT_RW) < 0 && e.code == E2BIG,
	       "a single file is full, and a dry run says so");
	tap_ok(apply("l/f", GRANT_RW, &who1) < 0 && e.code == E2BIG &&
		       mode_of("l/f") == was,
	       "and nothing is edited");
	remove_tree("l");
}

/* What has no room is known before the first edit. */
static void room(const char *full, enum fill_what what)
{
	struct timespec t[2], now[2];

	make_dir("l", 0700);
	make_file("l/f", 0600);
	if (what == FILL_BOTH)
		make_dir(full, 0700);
	else
		make_file(full, 0600);
	if (what != FILL_OTHERS)
		fill(full, what);
	else if (!fill_others(full)) {
		tap_ok(1, "%s # SKIP attributes without an end here", full);
		remove_tree("l");
		return;
	}
	t[0] = changed("l");
	t[1] = changed("l/f");
	tap_ok(apply("l", GRANT_RW, &who1) < 0 && e.code == E2BIG, "%s is full",
	       full);
	now[0] = changed("l");
	now[1] = changed("l/f");
	tap_ok(!memcmp(t, now, sizeof(t)), "and nothing was edited");
	tap_ok(survey("l", GRANT_RW) < 0, "a dry run says so too");
	remove_tree("l");
}

static void test_rollback(void)
{
	unsigned wrong = 0;

	make_dir("r", 0700);
	make_dir("r/a", 0700);
	make_file("r/a/f", 0600);
	make_file("r/full", 0600);
	fill("r/full", FILL_ACCESS);
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
	tap_ok(grant_apply(&(struct grant_tree){.root = fd, .mode = GRANT_RW},
			   &who1, &st, &e) < 0 &&
		       e.code == EOPNOTSUPP && e.hint[0],
	       "no ACLs: an error with a remedy");
	tap_ok(grant_survey(&(struct grant_tree){.root = fd, .mode = GRANT_RW},
			    &who1, &st, &e) < 0 &&
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
	own_fd other = -1, second = -1;
	own_fd lock = grant_lock_open(top, &e);
	pid_t holder = -1;

	tap_ok(lock >= 0 && grant_lock_try(lock, &holder, &e) == 1,
	       "the lock is taken");
	second = grant_lock_open(top, &e);
	tap_ok(grant_lock_try(second, &holder, &e) == 0 && holder == getpid(),
	       "a second one does not get it, and learns who has it");
	other = open("grant.lock", O_RDWR | O_CLOEXEC);
	tap_ok(other >= 0 && fcntl(other, F_OFD_SETLK, &whole) < 0 &&
		       errno == EAGAIN,
	       "and keeps others out");
	own_close(&lock);
	tap_ok(grant_lock_wait(second, &e) == 0, "until it is let go");
	own_close(&second);
	tap_ok(fcntl(other, F_OFD_SETLK, &whole) == 0, "by all who have it");
	tap_ok(ftruncate(other, 0) == 0 &&
		       grant_lock_try(lock = grant_lock_open(top, &e), &holder,
				      &e) == 0 &&
		       holder == 0,
	       "a holder that wrote nothing is not known");
	own_close(&lock);
	unlink("grant.lock");
	need_ok(symlink("nowhere", "grant.lock") == 0, "symlink");
	tap_ok(grant_lock_open(top, &e) < 0, "a link in its place is refused");
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
	/* NOLINTNEXTLINE(cert-env33-c): deeper than we could walk */
	need_ok(system("rm -rf d") == 0, "rm");
}

int main(void)
{
	if (rig_start()) {
		test_identity();
		test_only_what_is_needed();
		test_left_out();
		test_link_young();
		test_link_root();
		test_chmod();
		test_closed();
		test_new_files();
		room("l/full", FILL_ACCESS);
		room("l/both", FILL_BOTH);
		room("l/others", FILL_OTHERS);
		test_room_root();
		test_rollback();
		test_unmapped();
		test_deep();
	}
	test_no_acls();
	test_lock();
	rig_tear_down();
	return tap_done();
}
