/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is taken for a private key, and that it is left out of a grant. */
#include "base/own.h"
#include "grant-rig.h"
#include "grant/job.h"
#include "grant/judge.h"
#include "grant/keys.h"

#include <fcntl.h>
#include <sys/stat.h>

static void test_names(void)
{
	tap_ok(key_name("id_rsa") && key_name("id_ed25519_work") &&
		       key_name("server.key") && key_name("Server.PEM") &&
		       key_name(".netrc") && key_name("vault.kdbx"),
	       "keys are known by their names");
	tap_ok(!key_name("id_rsa.pub") && !key_name("keynote.txt") &&
		       !key_name("pem") && !key_name("a.key.txt") &&
		       !key_name("idea") && !key_name(""),
	       "others are not taken for them");
	tap_ok(key_dir(".ssh") && key_dir(".gnupg") && !key_dir("ssh") &&
		       !key_dir(".sshd"),
	       "so are directories of keys");
}

static int starts(const char *s)
{
	return key_starts(s, strlen(s));
}

static void test_bytes(void)
{
	char text[] = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
	int early = 0;

	tap_ok(starts(text) && starts("-----BEGIN RSA PRIVATE KEY-----\nM") &&
		       starts("-----BEGIN PGP PRIVATE KEY BLOCK-----\n") &&
		       starts("PuTTY-User-Key-File-3: ssh-rsa\n") &&
		       starts("AGE-SECRET-KEY-1QQ") &&
		       starts("# created: 2021-01-02T15:30:45+01:00\n"
			      "# public key: age1abc\n"),
	       "keys are known by their first bytes");
	tap_ok(!starts("-----BEGIN CERTIFICATE-----\nPRIVATE KEY") &&
		       !starts("-----BEGIN PUBLIC KEY-----\n") &&
		       !starts(" -----BEGIN RSA PRIVATE KEY-----\n") &&
		       !starts("") && !starts("#!/bin/sh\n"),
	       "others are not taken for them");
	for (size_t n = 0; n < 30; n++)
		early += key_starts(text, n);
	tap_ok(!early, "nor is a part of one, at whatever length");
}

static void make_text(const char *path, mode_t mode, const char *text)
{
	own_fd fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	need_ok(fd >= 0 && write(fd, text, strlen(text)) >= 0 &&
			fchmod(fd, mode) == 0,
		path);
}

static void make_tree(void)
{
	make_dir("k", 0755);
	make_text("k/plain", 0600, "hello\n");
	make_text("k/id_rsa", 0600, "");
	make_text("k/secret", 0600, "-----BEGIN RSA PRIVATE KEY-----\n");
	make_text("k/cert.pem", 0640, "-----BEGIN CERTIFICATE-----\n");
	make_dir("k/.ssh", 0700);
	make_text("k/.ssh/known_hosts", 0600, "");
	make_text("k/.ssh/id_x", 0600, "");
}

static int keyed_for(const struct grant_who *w, const char *ask)
{
	own_fd fd = open_path("k");
	struct grant_tree t = {
		.root = fd, .mode = GRANT_RO, .spare_keys = true};
	struct grant_inode in;
	struct stat s;

	if (ask) {
		need_ok(stat(ask, &s) == 0, ask);
		in = (struct grant_inode){s.st_dev, s.st_ino};
		t.keys = &in;
		t.n_keys = 1;
	}
	return grant_apply(&t, w, &st, &e);
}

static int keyed(const char *ask)
{
	return keyed_for(&who1, ask);
}

static void test_left_out(void)
{
	struct stat before, after;

	make_tree();
	need_ok(stat("k/secret", &before) == 0, "stat");
	tap_ok(keyed(NULL) == 0 && st.keys == 3 && st.edited == 2,
	       "keys are left out of a grant, and counted");
	tap_ok(entry("k/plain", ACCESS_NAME, &who1) == 4 &&
		       entry("k/cert.pem", ACCESS_NAME, &who1) == 4 &&
		       !has_acl("k/id_rsa", ACCESS_NAME) &&
		       !has_acl("k/secret", ACCESS_NAME) &&
		       !has_acl("k/.ssh", ACCESS_NAME) &&
		       !has_acl("k/.ssh/known_hosts", ACCESS_NAME),
	       "the rest is granted");
	tap_ok(mode_of("k/secret") == 0600 && mode_of("k/id_rsa") == 0600,
	       "their modes are such that ssh takes them");
	need_ok(stat("k/secret", &after) == 0, "stat");
	tap_ok(before.st_atim.tv_sec == after.st_atim.tv_sec &&
		       before.st_atim.tv_nsec == after.st_atim.tv_nsec,
	       "and nobody can see that they were looked at");
	take_back("k", &who1);
	remove_tree("k");
}

static void test_asked_for(void)
{
	make_tree();
	tap_ok(keyed("k/id_rsa") == 0 && st.keys == 2 &&
		       entry("k/id_rsa", ACCESS_NAME, &who1) == 4,
	       "a key that was named is shared");
	take_back("k", &who1);
	tap_ok(keyed("k/.ssh") == 0 && st.keys == 2 &&
		       entry("k/.ssh/id_x", ACCESS_NAME, &who1) == 4 &&
		       entry("k/.ssh/known_hosts", ACCESS_NAME, &who1) == 4,
	       "so is all of a directory that was named");
	take_back("k", &who1);
	tap_ok(keyed("k") == 0 && st.keys == 0 && st.edited == 7,
	       "or the whole tree");
	take_back("k", &who1);
	tap_ok(apply("k", GRANT_RO, &who1) == 0 && st.keys == 0 &&
		       st.edited == 7,
	       "or nobody asks to spare them");
	take_back("k", &who1);
	tap_ok(apply("k/id_rsa", GRANT_RO, &who1) == 0 && st.edited == 1,
	       "a key that is the share itself was named too");
	remove_tree("k");
}

/* The entry of one VM shows in the mode as the group's bits. */
static void test_next_vm(void)
{
	make_tree();
	need_ok(keyed("k") == 0, e.msg);
	tap_ok(keyed_for(&who2, NULL) == 0 && st.keys == 3 &&
		       entry("k/plain", ACCESS_NAME, &who2) == 4,
	       "what one VM was given, keys and all, is given to the next");
	tap_ok(entry("k/id_rsa", ACCESS_NAME, &who2) < 0 &&
		       entry("k/secret", ACCESS_NAME, &who2) < 0 &&
		       entry("k/.ssh", ACCESS_NAME, &who2) < 0 &&
		       entry("k/.ssh/id_x", ACCESS_NAME, &who2) < 0,
	       "without the keys");
	take_back("k", &who2);
	take_back("k", &who1);
	tap_ok(keyed_for(&who1, "k") == 0 && chmod("k/secret", 0604) == 0 &&
		       keyed_for(&who2, NULL) == 0 && st.keys == 2,
	       "what others may read is no key, whatever VMs may");
	remove_tree("k");
}

/* A file that the survey did not judge: it has another one's number. */
static void test_unjudged(void)
{
	struct walk_ops ops = {.visit = judge_visit, .peek = judge_peek};
	const struct grant_tree tree = {.mode = GRANT_RO, .spare_keys = true};
	struct walk_counts c;
	own_fd fd = -1;
	own_task t = NULL;

	make_tree();
	fd = open_path("k");
	t = task_new(fd, AIM_APPLY, &who1, &e);
	need_ok(t != NULL, e.msg);
	t->tree = &tree;
	tap_ok(task_walk(t, &ops, &st, &c, &e) == 0 && st.keys == 3 &&
		       entry("k/plain", ACCESS_NAME, &who1) == 4 &&
		       !has_acl("k/id_rsa", ACCESS_NAME) &&
		       !has_acl("k/secret", ACCESS_NAME),
	       "the walk that edits knows keys as well");
	take_back("k", &who1);
	remove_tree("k");
}

int main(void)
{
	test_names();
	test_bytes();
	if (rig_start()) {
		test_left_out();
		test_asked_for();
		test_next_vm();
		test_unjudged();
	}
	rig_tear_down();
	return tap_done();
}
