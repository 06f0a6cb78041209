/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Probes and facts: what they refuse, and where they look. */
#include "base/err.h"
#include "base/own.h"
#include "host/plan/plan.h"
#include "host/probe/probe.h"
#include "rmtree.h"
#include "tap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

static char base[] = "/tmp/vmrun-probe-test-XXXXXX";
static struct err e;

static void put(const char *path, const char *text, mode_t mode)
{
	own_fd fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		printf("# cannot write %s\n", path);
	fchmod(fd, mode);
}

static void test_version(void)
{
	unsigned a = 0, b = 0;

	tap_ok(probe_parse_version("QEMU emulator version 7.2.22 (Debian "
				   "1:7.2+dfsg-7+deb12u18)\n",
				   &a, &b) == 0 &&
		       a == 7 && b == 2,
	       "QEMU's version");
	tap_ok(probe_parse_version("virtiofsd 1.13.0\n", &a, &b) == 0 &&
		       a == 1 && b == 13,
	       "the Rust virtiofsd's version");
	tap_ok(probe_parse_version("x86_64 tool 10.0", &a, &b) == 0 &&
		       a == 10 && b == 0,
	       "digits of a name are not it");
	tap_ok(probe_parse_version("", &a, &b) < 0 &&
		       probe_parse_version("version 7", &a, &b) < 0 &&
		       probe_parse_version("7.", &a, &b) < 0 &&
		       probe_parse_version("7.x", &a, &b) < 0 &&
		       probe_parse_version("1234567.1", &a, &b) < 0,
	       "text without a version");
}

static void test_getsubids(void)
{
	uint32_t first = 0, count = 0;

	tap_ok(probe_parse_getsubids("", 1000, &first, &count) < 0 &&
		       probe_parse_getsubids("0: ann 100000 10\n", 1000, &first,
					     &count) < 0 &&
		       probe_parse_getsubids("ann 100000 65536\n", 1000, &first,
					     &count) < 0 &&
		       probe_parse_getsubids("0: ann 0 65536\n", 1000, &first,
					     &count) < 0 &&
		       probe_parse_getsubids("Error fetching ranges\n", 1000,
					     &first, &count) < 0,
	       "getsubids that names no wide range");
	tap_ok(probe_parse_getsubids("0: ann 5 10\n1: ann 200000 65536\n", 1000,
				     &first, &count) == 0 &&
		       first == 200000 && count == 65536,
	       "the second range of getsubids");
}

static bool used_with(const char *status)
{
	char proc[64], path[128];

	snprintf(proc, sizeof(proc), "%s/proc", base);
	snprintf(path, sizeof(path), "%s/77", proc);
	mkdir(proc, 0700);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/77/status", proc);
	put(path, status, 0600);
	return probe_uid_used_in(proc, 100005);
}

#define STATUS(state, ids, threads)                                            \
	"Name:\tx\nState:\t" state "\nUid:\t" ids "\nGid:\t0\t0\t0\t0\n"       \
	"Threads:\t" threads "\n"

static void test_used(void)
{
	char none[64];

	snprintf(none, sizeof(none), "%s/none", base);
	tap_ok(probe_uid_used_in(none, 1), "without /proc every id is used");
	tap_ok(used_with(STATUS("S", "100005\t0\t0\t0", "1")) &&
		       used_with(STATUS("S", "0\t100005\t0\t0", "1")) &&
		       used_with(STATUS("S", "0\t0\t100005\t0", "1")) &&
		       used_with(STATUS("S", "0\t0\t0\t100005", "1")),
	       "an id counts in each of the four places");
	tap_ok(!used_with(STATUS("S", "100004\t1\t1000050\t10000", "1")) &&
		       !used_with("Name:\tUid:\t100005\n") && !used_with(""),
	       "other ids do not");
	tap_ok(!used_with(STATUS("Z (zombie)", "100005\t0\t0\t0", "1")),
	       "nor does a zombie");
	tap_ok(used_with(STATUS("Z (zombie)", "100005\t0\t0\t0", "2")),
	       "but one whose threads live on does");
	tap_ok(used_with(STATUS("T", "100005\t0\t0\t0", "1")),
	       "a stopped process does");
	tap_ok(probe_uid_used(NULL, getuid()), "this process is seen");
	tap_ok(!probe_uid_used(NULL, 4294967294u), "an id of nobody is not");
}

/* Any device that is closed to others will do. */
static void test_closed_device(void)
{
	static const char *const some[] = {"/dev/kvm",	   "/dev/mem",
					   "/dev/console", "/dev/kmsg",
					   "/dev/tty0",	   "/dev/loop-control"};
	static const char what[] = "a device that others may not open";
	struct stat st;

	for (size_t i = 0; i < sizeof(some) / sizeof(*some); i++) {
		if (stat(some[i], &st) < 0 || !S_ISCHR(st.st_mode) ||
		    (st.st_mode & 06) == 06)
			continue;
		tap_ok(probe_kvm_at(some[i], &e) < 0 &&
			       strstr(e.msg, "closed to the VM's UID") &&
			       strstr(e.hint, "o+rw"),
		       "%s, with a remedy", what);
		return;
	}
	if (getenv("VMRUN_MUST_WORK"))
		tap_ok(0, "%s: there is none here", what);
	else
		tap_skip(what, "there is none here");
}

static void test_kvm(void)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/file", base);
	put(path, "", 0666);
	tap_ok(probe_kvm_at(path, &e) < 0 && strstr(e.msg, "is not a device"),
	       "a file is not KVM");
	tap_ok(probe_kvm_at("/dev/null/x", &e) < 0 && e.hint[0],
	       "what is not there is not KVM");
	tap_ok(probe_kvm_at("/dev/null", &e) < 0 &&
		       strstr(e.msg, "does not answer"),
	       "another device is not KVM");
	test_closed_device();
}

static void test_tools(void)
{
	struct probe_tool t;
	char path[64];

	snprintf(path, sizeof(path), "%s/tool", base);
	put(path, "#!/bin/sh\necho version 9.8.7\n", 0700);
	setenv("VMRUN_QEMU", path, 1);
	tap_ok(probe_qemu(&t, &e) == 0 && !strcmp(t.path, path) &&
		       probe_version(&t, &e) == 0 && t.major == 9 &&
		       t.minor == 8,
	       "VMRUN_QEMU is taken, and asked for its version");
	probe_tool_free(&t);
	setenv("VMRUN_QEMU", "qemu-system-x86_64", 1);
	tap_ok(probe_qemu(&t, &e) < 0 && !t.path && e.hint[0],
	       "a relative VMRUN_QEMU is refused");
	setenv("VMRUN_QEMU", base, 1);
	tap_ok(probe_qemu(&t, &e) < 0, "so is a directory");
	put(path, "", 0600);
	setenv("VMRUN_QEMU", path, 1);
	tap_ok(probe_qemu(&t, &e) < 0, "so is a file that is no program");
	unsetenv("VMRUN_QEMU");
	put(path, "\177ELF RUST_BACKTRACE ", 0700);
	setenv("VMRUN_VIRTIOFSD", path, 1);
	tap_ok(probe_virtiofsd(&t, &e) == 0 && t.kind == FILESERVER_RUST,
	       "a Rust virtiofsd is known as such");
	probe_tool_free(&t);
	put(path, "\177ELF", 0700);
	tap_ok(probe_virtiofsd(&t, &e) == 0 && t.kind == FILESERVER_C,
	       "else it is the C one");
	tap_ok(probe_version(&t, &e) < 0 && t.major == 0,
	       "what cannot be run has no version");
	probe_tool_free(&t);
	unsetenv("VMRUN_VIRTIOFSD");
}

static void set_dirs(const char *config, const char *run)
{
	setenv("HOME", "/h//", 1);
	setenv("XDG_CONFIG_HOME", config, 1);
	setenv("XDG_DATA_HOME", "relative", 1);
	unsetenv("XDG_STATE_HOME");
	setenv("XDG_RUNTIME_DIR", run, 1);
}

static void test_dirs(void)
{
	struct facts f;
	char want[128];

	set_dirs("/c/", base);
	if (!tap_ok(facts_probe(&f, &e) == 0, "facts are found"))
		return;
	tap_str(f.home, "/h", "HOME, without its slashes");
	tap_str(f.config_home, "/c/vmrun", "XDG_CONFIG_HOME");
	tap_str(f.data_home, "/h/.local/share/vmrun",
		"a relative XDG_DATA_HOME is ignored");
	tap_str(f.state_home, "/h/.local/state/vmrun",
		"XDG_STATE_HOME is not set");
	snprintf(want, sizeof(want), "%s/vmrun", base);
	tap_str(f.runtime, want, "a private XDG_RUNTIME_DIR");
	tap_ok(f.uid == getuid() && f.sub_count == 0 && f.cpus > 0,
	       "the rest is as it is");
	facts_free(&f);
	chmod(base, 0755);
	facts_probe(&f, &e);
	tap_str(f.runtime, "/h/.local/state/vmrun/run",
		"one that is open to others is not used");
	facts_free(&f);
	chmod(base, 0700);
	set_dirs("", "/nonexistent");
	facts_probe(&f, &e);
	tap_str(f.runtime, "/h/.local/state/vmrun/run",
		"nor is one that is not there");
	tap_str(f.config_home, "/h/.config/vmrun", "an empty one is not set");
	facts_free(&f);
	setenv("HOME", "/", 1);
	facts_probe(&f, &e);
	tap_str(f.state_home, "/.local/state/vmrun", "HOME may be the root");
	facts_free(&f);
}

static void test_unchanged(void)
{
	struct facts f;
	mode_t was = umask(027);
	mode_t now;

	facts_probe(&f, &e);
	now = umask(was);
	tap_ok(f.umask == 027 && now == 027, "the umask is read and kept");
	facts_free(&f);
}

int main(void)
{
	if (!mkdtemp(base))
		return 1;
	test_version();
	test_getsubids();
	test_used();
	test_kvm();
	test_tools();
	test_dirs();
	test_unchanged();
	rmtree(base);
	return tap_done();
}
