/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Finding what ids left in a tree, giving to what came into it later, and
 * stopping half-way.
 */
#include "base/own.h"
#include "grant-rig.h"
#include "grant/acl.h"
#include "grant/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#define TRACES (TRACE_DEFAULT_GROUP + 1)

struct finds {
	unsigned n, of[TRACES], wrong_fd;
	unsigned refuse_at; /* the callback fails then; 0: never */
	char shown[256], raw[256];
	unsigned perm, mask; /* of the last */
	uint64_t seen;	     /* as it was told */
};

static int found(void *arg, const struct grant_found *f, struct err *fe)
{
	struct finds *s = arg;
	struct stat now;

	s->n++;
	s->of[f->trace]++;
	s->perm = f->perm;
	s->mask = f->mask;
	s->wrong_fd += fstat(f->fd, &now) < 0 || now.st_ino != f->st->st_ino;
	grant_found_shown(f, s->shown, sizeof(s->shown));
	if (grant_found_raw(f, s->raw, sizeof(s->raw)) < 0)
		s->raw[0] = '?';
	if (s->n == s->refuse_at)
		return err_set(fe, EREMOTE, "enough");
	return 0;
}

static struct grant_ids all_ids(void)
{
	return (struct grant_ids){who1.sub_first, who1.sub_count,
				  who1.subgid_first, who1.subgid_count};
}

static void seen(void *arg, uint64_t n)
{
	struct finds *s = arg;

	s->seen += n;
}

static int scan(const char *path, struct grant_ids ids, struct finds *s)
{
	own_fd fd = open_path(path);
	const struct grant_scan ask = {
		.root = fd, .ids = ids, .found = found, .seen = seen, .arg = s};

	return grant_scan(&ask, &st, &e);
}

static void test_nothing(void)
{
	struct finds s = {0};

	make_dir("n", 0700);
	make_file("n/f", 0600);
	need_ok(symlink("f", "n/l") == 0 && mkfifo("n/p", 0600) == 0, "n");
	tap_ok(scan("n", all_ids(), &s) == 0 && s.n == 0 && st.seen == 4,
	       "a tree that no VM ever had: all looked at, nothing found");
	remove_tree("n");
}

static void test_entries(void)
{
	struct finds s = {0};

	make_dir("t", 0700);
	make_dir("t/d", 0700);
	make_file("t/d/f", 0600);
	need_ok(apply("t", GRANT_RW, &who1) == 0 &&
			apply("t/d", GRANT_RO, &who2) == 0,
		e.msg);
	tap_ok(scan("t", all_ids(), &s) == 0 && s.of[TRACE_USER] == 5 &&
		       s.of[TRACE_DEFAULT_USER] == 2 &&
		       s.of[TRACE_OWNER] == 0 && !s.wrong_fd,
	       "every entry of two VMs is found");
	s = (struct finds){0};
	tap_ok(scan("t", (struct grant_ids){who2.uid, 1, who2.gid, 1}, &s) ==
			       0 &&
		       s.of[TRACE_USER] == 2 && s.of[TRACE_DEFAULT_USER] == 0,
	       "those of one id too");
	/* Out of the share by a rename, with its entry. */
	make_dir("out", 0700);
	need_ok(rename("t/d/f", "out/moved\n") == 0, "rename");
	s = (struct finds){0};
	tap_ok(scan("out", (struct grant_ids){who1.uid, 1, 0, 0}, &s) == 0 &&
		       s.n == 1 && s.perm == 6 && s.mask == 6,
	       "a file that was moved out is found by its entry");
	tap_str(s.raw, "moved\n", "with its path as it is");
	tap_str(s.shown, "moved\\x0a", "and escaped for a terminal");
	need_ok(chmod("out/moved\n", 0600) == 0, "chmod");
	tap_ok(scan("out", (struct grant_ids){who1.uid, 1, 0, 0}, &s) == 0 &&
		       s.n == 2 && s.perm == 6 && s.mask == 0,
	       "and what a chmod left of it is told");
	remove_tree("t");
	remove_tree("out");
}

static void test_notes(void)
{
	static struct acl a;
	unsigned char b[256];
	struct grant_who bob = {.uid = 4000, .gid = 4000};
	struct finds s = {0};

	make_dir("o", 0700);
	acl_from_mode(&a, 0700);
	acl_add(&a, ACL_ACCESS, &bob, 7);
	need_ok(setxattr("o", ACCESS_NAME, b, acl_encode(&a, b, sizeof(b)),
			 0) == 0,
		"o");
	need_ok(apply("o", GRANT_RO, &who1) == 0, e.msg);
	tap_ok(scan("o", (struct grant_ids){0, 0, who1.gid, 1}, &s) == 0 &&
		       s.n == 1 && s.of[TRACE_ACL_GROUP] == 1,
	       "a note is found by its group");
	remove_tree("o");
}

static void test_owners(void)
{
	struct grant_ids me = {geteuid(), 1, 0, 0};
	struct finds s = {0};
	struct stat now;

	make_dir("w", 0700);
	make_file("w/f", 0640);
	need_ok(symlink("/", "w/l") == 0 && mkfifo("w/p", 0600) == 0, "w");
	need_ok(stat("w", &now) == 0, "w");
	tap_ok(scan("w", me, &s) == 0 && s.of[TRACE_OWNER] == 4 && s.n == 4,
	       "files, directories, links and FIFOs are found by owner");
	s = (struct finds){0};
	me = (struct grant_ids){0, 0, now.st_gid, 1};
	tap_ok(scan("w", me, &s) == 0 && s.of[TRACE_GROUP] == 4 && s.n == 4,
	       "and by group");
	remove_tree("w");
}

static void test_root_only(void)
{
	own_fd fd = -1;
	struct finds s = {0};
	struct grant_scan ask = {
		.ids = all_ids(), .only_root = true, .found = found, .arg = &s};

	make_dir("r", 0700);
	make_file("r/f", 0600);
	need_ok(apply("r", GRANT_RO, &who1) == 0, e.msg);
	ask.root = fd = open_path("r");
	tap_ok(grant_scan(&ask, &st, &e) == 0 && s.n == 1 && st.seen == 1,
	       "one directory alone");
	tap_str(s.shown, ".", "is shown as .");
	tap_str(s.raw, "", "and has no path below itself");
	own_close(&fd);
	ask.root = fd = open_path("r/f");
	tap_ok(grant_scan(&ask, &st, &e) == 0 && s.n == 2, "one file alone");
	remove_tree("r");
}

static void test_incomplete(void)
{
	struct finds s = {.refuse_at = 2};

	make_dir("i", 0700);
	make_file("i/a", 0600);
	make_file("i/b", 0600);
	make_dir("i/closed", 0700);
	need_ok(apply("i", GRANT_RO, &who1) == 0, e.msg);
	tap_ok(scan("i", all_ids(), &s) < 0 && e.code == EREMOTE && s.n == 2,
	       "the callback can end it, with its error");
	need_ok(chmod("i/closed", 0) == 0, "chmod");
	s = (struct finds){0};
	tap_ok(scan("i", all_ids(), &s) == 0 && st.closed == 1 && s.n == 4,
	       "a directory that cannot be listed is counted");
	chmod("i/closed", 0700);
	remove_tree("i");
}

/* ---- stopping ---------------------------------------------------------- */

static int stop_pipe[2] = {-1, -1};
static unsigned stop_at;      /* this write from now; 0: none */
static unsigned fail_read_at; /* this read of an ACL from now; 0: none */

/* In place of the C library's: the library under test is linked statically. */
int fsetxattr(int fd, const char *name, const void *value, size_t size,
	      int flags)
{
	if (stop_at && --stop_at == 0)
		need_ok(write(stop_pipe[1], "x", 1) == 1, "pipe");
	return (int)syscall(SYS_fsetxattr, fd, name, value, size, flags);
}

static void drain(void)
{
	char c;

	need_ok(read(stop_pipe[0], &c, 1) == 1, "pipe");
}

static struct grant_tree stoppable(int fd, enum grant_mode mode)
{
	return (struct grant_tree){
		.root = fd, .mode = mode, .stop = &stop_pipe[0]};
}

#define MANY 3000u

static void make_many(const char *dir)
{
	make_dir(dir, 0700);
	for (unsigned i = 0; i < MANY; i++) {
		char name[64];

		snprintf(name, sizeof(name), "%s/%u", dir, i);
		make_file(name, 0600);
	}
}

static unsigned with_entry(const char *dir)
{
	unsigned n = 0;

	for (unsigned i = 0; i < MANY; i++) {
		char name[64];

		snprintf(name, sizeof(name), "%s/%u", dir, i);
		n += entry(name, ACCESS_NAME, &who1) >= 0;
	}
	return n;
}

static void test_stop(void)
{
	struct finds s = {0};
	own_fd fd = -1;
	struct grant_tree t;
	struct grant_scan ask = {.ids = all_ids(),
				 .stop = &stop_pipe[0],
				 .found = found,
				 .arg = &s};

	need_ok(pipe2(stop_pipe, O_CLOEXEC) == 0, "pipe");
	make_many("s");
	fd = open_path("s");
	t = stoppable(fd, GRANT_RW);
	stop_at = 100;
	tap_ok(grant_apply(&t, &who1, &st, &e) < 0 && e.code == ECANCELED &&
		       stop_at == 0 && st.edited >= 100 && st.edited < MANY,
	       "a grant can be stopped half-way");
	tap_ok(with_entry("s") == 0 && !has_acl("s", DEFAULT_NAME) &&
		       mode_of("s") == 0700 && mode_of("s/7") == 0600,
	       "and is taken back");
	ask.root = fd;
	tap_ok(grant_scan(&ask, &st, &e) < 0 && e.code == ECANCELED &&
		       st.seen < MANY,
	       "so can a scan");
	tap_ok(grant_survey(&t, &who1, &st, &e) < 0 && e.code == ECANCELED,
	       "and a survey");
	drain();
	stop_at = 100;
	tap_ok(grant_verify(&t, &who1, &st, &e) < 0 && e.code == ECANCELED &&
		       with_entry("s") + 2 >= st.edited &&
		       with_entry("s") < MANY,
	       "a verify stops too, and keeps what it gave");
	drain();
	tap_ok(grant_verify(&t, &who1, &st, &e) == 0 && with_entry("s") == MANY,
	       "the next one does the rest");
	s.seen = 0;
	tap_ok(scan("s", all_ids(), &s) == 0 && s.seen &&
		       s.seen % GRANT_SCAN_STEP == 0 && s.seen <= st.seen,
	       "a scan tells how far it is");
	close(stop_pipe[0]);
	close(stop_pipe[1]);
	remove_tree("s");
}

/* ---- what came in later ------------------------------------------------ */

static void test_verify(void)
{
	own_fd fd = -1;
	struct grant_tree t = {.mode = GRANT_RW};

	make_dir("v", 0700);
	make_dir("v/d", 0700);
	make_dir("in", 0700);
	make_dir("in/e", 0700);
	make_file("in/f", 0600);
	make_file("in/e/g", 0640);
	need_ok(apply("v", GRANT_RW, &who1) == 0, e.msg);
	t.root = fd = open_path("v");
	tap_ok(grant_verify(&t, &who1, &st, &e) == 0 && st.edited == 0 &&
		       st.seen == 2,
	       "nothing came in: nothing is edited");
	need_ok(rename("in/f", "v/f") == 0 && rename("in/e", "v/d/e") == 0,
		"rename");
	tap_ok(grant_verify(&t, &who1, &st, &e) == 0 && st.edited == 4,
	       "what was moved in gets its entries");
	tap_ok(entry("v/f", ACCESS_NAME, &who1) == 6 &&
		       entry("v/d/e", DEFAULT_NAME, &who1) == 7 &&
		       entry("v/d/e/g", ACCESS_NAME, &who1) == 6,
	       "the right ones");
	tap_ok(grant_verify(&t, &who1, &st, &e) == 0 && st.edited == 0, "once");
	need_ok(take_back("v", &who1) == 0 && left == 0, e.msg);
	tap_ok(!has_acl("v/d/e/g", ACCESS_NAME) && mode_of("v/f") == 0600,
	       "and revoking takes them with the rest");
	remove_tree("v");
	remove_tree("in");
}

/* In place of the C library's, as above. */
ssize_t getxattr(const char *path, const char *name, void *value, size_t size)
{
	if (fail_read_at && --fail_read_at == 0) {
		errno = EIO;
		return -1;
	}
	return syscall(SYS_getxattr, path, name, value, size);
}

static void test_unreadable(void)
{
	struct finds s = {0};

	make_dir("x", 0700);
	for (unsigned i = 0; i < 8; i++) {
		char name[8];

		snprintf(name, sizeof(name), "x/%u", i);
		make_file(name, 0600);
	}
	need_ok(apply("x", GRANT_RO, &who1) == 0, e.msg);
	fail_read_at = 3;
	tap_ok(scan("x", all_ids(), &s) < 0 && e.code == EIO && s.n == 8,
	       "an ACL that cannot be read: the rest is looked at, but not 0");
	tap_ok(fail_read_at == 0 && strstr(e.msg, ": reading an ACL"),
	       "and it is named");
	remove_tree("x");
}

int main(void)
{
	if (rig_start()) {
		test_nothing();
		test_entries();
		test_notes();
		test_owners();
		test_root_only();
		test_incomplete();
		test_stop();
		test_verify();
		test_unreadable();
	}
	rig_tear_down();
	return tap_done();
}
