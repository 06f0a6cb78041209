/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the machine has: QEMU, virtiofsd, KVM, user namespaces, ACLs.  The
 * person's own authority.
 */
#include "host/probe/probe.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/own.h"
#include "host/plan/plan.h"
#include "host/text.h"
#include "host/vm/idmap.h"
#include "proc/spawn.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <linux/kvm.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>

#define QEMU_NAME "qemu-system-x86_64"
#define KVM_PATH "/dev/kvm"
#define ACL_XATTR "system.posix_acl_access"
#define CAPS_XATTR "security.capability"

static const char *const qemu_places[] = {
	"/usr/bin/" QEMU_NAME,
	"/usr/local/bin/" QEMU_NAME,
	NULL,
};

static const struct {
	const char *path;
	enum fileserver_kind kind;
} virtiofsd_places[] = {
	{"/usr/libexec/virtiofsd", FILESERVER_RUST},
	{"/usr/lib/virtiofsd", FILESERVER_RUST},
	{"/usr/local/libexec/virtiofsd", FILESERVER_RUST},
	{"/usr/lib/qemu/virtiofsd", FILESERVER_C},
};

/* A directory may be executable too. */
static bool is_program(const char *path)
{
	struct stat st;

	return access(path, X_OK) == 0 && stat(path, &st) == 0 &&
	       S_ISREG(st.st_mode);
}

/* 1: the variable names a program; 0: it is not set; -1 and e. */
static int from_env(const char *name, struct probe_tool *t, struct err *e)
{
	const char *path = getenv(name);

	if (!path || !*path)
		return 0;
	if (path[0] != '/' || !is_program(path)) {
		err_set(e, 0, "%s is not a program", path);
		return err_hint(e,
				"%s is set to it: unset it, or set it to an "
				"absolute path",
				name);
	}
	t->path = text_dup(path, e);
	return t->path ? 1 : -1;
}

/* Absolute directories of PATH only: a program of "." is somebody else's. */
static int from_path(const char *name, struct probe_tool *t, struct err *e)
{
	const char *p = getenv("PATH");

	while (p && *p) {
		size_t n = strcspn(p, ":");

		if (p[0] == '/') {
			t->path = text_fmt(e, "%.*s/%s", (int)n, p, name);
			if (!t->path)
				return -1;
			if (is_program(t->path))
				return 0;
			free(t->path);
			t->path = NULL;
		}
		p += n + (p[n] == ':');
	}
	return err_set(e, ENOENT, "%s", name);
}

int probe_qemu(struct probe_tool *t, struct err *e)
{
	int r;

	memset(t, 0, sizeof(*t));
	r = from_env("VMRUN_QEMU", t, e);
	if (r)
		return r < 0 ? -1 : 0;
	for (size_t i = 0; qemu_places[i]; i++) {
		if (!is_program(qemu_places[i]))
			continue;
		t->path = text_dup(qemu_places[i], e);
		return t->path ? 0 : -1;
	}
	if (from_path(QEMU_NAME, t, e) == 0)
		return 0;
	err_set(e, 0, "QEMU (" QEMU_NAME ") is not installed");
	return err_hint(e, "sudo apt install qemu-system-x86");
}

int probe_place(struct probe_tool *t, struct err *e)
{
	static const char *const places[] = {"/usr", "/bin", "/sbin", "/lib",
					     "/lib64"};
	own_free char *real = realpath(t->path, NULL);
	bool below = false;

	if (!real)
		return err_set(e, errno, "%s", t->path);
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		below = below || path_is_below(real, places[i]);
	if (!below) {
		err_set(e, 0, "%s: the sandbox has programs of /usr only",
			real);
		return err_hint(e, "install it there, with its libraries: "
				   "/usr/local will do");
	}
	free(t->path);
	t->path = steal_ptr(&real);
	return 0;
}

/*
 * The two forms take different options.  Every Rust program has the name of
 * that variable in it, from its standard library.
 */
static enum fileserver_kind kind_of(const char *path)
{
	own_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	enum fileserver_kind kind = FILESERVER_C;
	struct stat st;
	void *p;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size <= 0)
		return kind;
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (p == MAP_FAILED)
		return kind;
	if (memmem(p, (size_t)st.st_size, "RUST_BACKTRACE", 14))
		kind = FILESERVER_RUST;
	munmap(p, (size_t)st.st_size);
	return kind;
}

int probe_virtiofsd(struct probe_tool *t, struct err *e)
{
	int r;

	memset(t, 0, sizeof(*t));
	r = from_env("VMRUN_VIRTIOFSD", t, e);
	if (r < 0)
		return -1;
	if (r) {
		t->kind = kind_of(t->path);
		return 0;
	}
	for (size_t i = 0;
	     i < sizeof(virtiofsd_places) / sizeof(*virtiofsd_places); i++) {
		if (!is_program(virtiofsd_places[i].path))
			continue;
		t->kind = virtiofsd_places[i].kind;
		t->path = text_dup(virtiofsd_places[i].path, e);
		return t->path ? 0 : -1;
	}
	err_set(e, 0, "virtiofsd is not installed");
	return err_hint(e, "sudo apt install virtiofsd (on Debian 12 it comes "
			   "with qemu-system-common)");
}

int probe_parse_version(const char *text, unsigned *major, unsigned *minor)
{
	/* Digits of a name ("x86_64") have no point behind them. */
	for (const char *p = text; *p; p++) {
		size_t n = strspn(p, "0123456789");

		if (n && n < 6 && p[n] == '.' && p[n + 1] >= '0' &&
		    p[n + 1] <= '9') {
			*major = (unsigned)strtoul(p, NULL, 10);
			*minor = (unsigned)strtoul(p + n + 1, NULL, 10);
			return 0;
		}
		if (n)
			p += n - 1;
	}
	return -1;
}

int probe_version(struct probe_tool *t, struct err *e)
{
	char *argv[] = {t->path, (char *)(uintptr_t) "--version", NULL};
	char *env[] = {(char *)(uintptr_t) "LC_ALL=C", NULL};
	struct proc_spec s = {.path = t->path, .argv = argv, .envp = env};
	struct buf b;
	int r;

	buf_init(&b, 65536);
	r = proc_capture(&s, &b, e);
	if (r > 0)
		r = err_set(e, 0, "%s --version failed", t->path);
	buf_put_u8(&b, 0);
	if (r == 0 && (b.bad || probe_parse_version((const char *)b.data,
						    &t->major, &t->minor) < 0))
		r = err_set(e, 0, "%s --version names no version", t->path);
	buf_free(&b);
	if (r < 0 && !e->hint[0])
		err_hint(e, "see what it prints, or install it again");
	return r;
}

void probe_tool_free(struct probe_tool *t)
{
	free(t->path);
	t->path = NULL;
}

static int kvm_hint(const char *path, struct err *e)
{
	return err_hint(e,
			"VMs run without their person's groups, so it must be "
			"mode o+rw: `sudo chmod o+rw %s`, and for good a udev "
			"rule KERNEL==\"kvm\", MODE=\"0666\"",
			path);
}

int probe_kvm_at(const char *path, struct err *e)
{
	struct stat st;
	own_fd fd = -1;

	if (stat(path, &st) < 0) {
		err_set(e, errno, "%s", path);
		return err_hint(e, "load the module kvm_intel or kvm_amd, and "
				   "see that the firmware allows it");
	}
	if (!S_ISCHR(st.st_mode))
		return err_set(e, 0, "%s is not a device", path);
	/*
	 * An ACL's entry for `other` is what the mode shows.  Entries for
	 * named users and groups are for the person, not for the VM's UID.
	 */
	if ((st.st_mode & 06) != 06) {
		err_set(e, 0, "%s is closed to the VM's UID (mode %04o)", path,
			st.st_mode & 07777);
		return kvm_hint(path, e);
	}
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return err_set(e, errno, "%s", path);
	if (ioctl(fd, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
		return err_set(e, 0, "%s does not answer as KVM does", path);
	return 0;
}

int probe_kvm(struct err *e)
{
	return probe_kvm_at(KVM_PATH, e);
}

static int check_setuid(const char *name, struct err *e)
{
	struct probe_tool t = {.path = NULL};
	own_free char *path = NULL;
	struct statvfs fs;
	struct stat st;

	if (from_path(name, &t, e) < 0) {
		err_set(e, 0, "%s is not installed", name);
		return err_hint(e, "sudo apt install uidmap");
	}
	path = t.path;
	if (stat(path, &st) < 0 || statvfs(path, &fs) < 0)
		return err_set(e, errno, "%s", path);
	if (fs.f_flag & ST_NOSUID) {
		err_set(e, 0, "%s is on a file system mounted nosuid", path);
		return err_hint(e, "mount it without nosuid");
	}
	if (((st.st_mode & S_ISUID) && st.st_uid == 0) ||
	    getxattr(path, CAPS_XATTR, NULL, 0) > 0)
		return 0;
	err_set(e, 0, "%s is neither setuid root nor has capabilities", path);
	return err_hint(
		e, "sudo chmod u+s %s (reinstalling uidmap does it too)", path);
}

int probe_idmap_tools(struct err *e)
{
	return check_setuid("newuidmap", e) < 0 ? -1
						: check_setuid("newgidmap", e);
}

/* The first number in a file of /proc/sys, or `none`. */
static long sysctl_number(const char *path, long none)
{
	own_file f = fopen(path, "re");
	long v;

	return f && fscanf(f, "%ld", &v) == 1 ? v : none;
}

static int name_setting(struct err *e)
{
	static const struct {
		const char *path, *name;
		long bad, good;
	} settings[] = {
		{"/proc/sys/kernel/unprivileged_userns_clone",
		 "kernel.unprivileged_userns_clone", 0, 1},
		{"/proc/sys/user/max_user_namespaces",
		 "user.max_user_namespaces", 0, 10000},
		{"/proc/sys/user/max_mnt_namespaces", "user.max_mnt_namespaces",
		 0, 10000},
		{"/proc/sys/user/max_pid_namespaces", "user.max_pid_namespaces",
		 0, 10000},
		{"/proc/sys/user/max_net_namespaces", "user.max_net_namespaces",
		 0, 10000},
		{"/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
		 "kernel.apparmor_restrict_unprivileged_userns", 1, 0},
	};

	for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++) {
		if (sysctl_number(settings[i].path, settings[i].good) !=
		    settings[i].bad)
			continue;
		return err_hint(e, "sudo sysctl %s=%ld (now it is %ld)",
				settings[i].name, settings[i].good,
				settings[i].bad);
	}
	if (e->hint[0])
		return -1;
	return err_hint(e, "a container's seccomp filter or a security module "
			   "may forbid it; the kernel's log may say which");
}

/* Where a security module takes the capabilities away, this is what fails. */
static int try_mount(void *arg, struct err *e)
{
	(void)arg;
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_set(e, errno, "mounting in a new user namespace");
	return 0;
}

int probe_userns(const struct facts *f, struct err *e)
{
	struct idmap m = {
		.uid = f->uid,
		.gid = f->gid,
		.sub_first = f->sub_first,
		.sub_count = f->sub_count,
		.subgid_first = f->subgid_first,
		.subgid_count = f->subgid_count,
	};
	struct proc_spec s = {
		.clone_flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID |
			       CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWUTS |
			       CLONE_NEWCGROUP,
		.child = try_mount,
		.arg = &m,
	};

	/* Without a range the namespaces are worth trying all the same. */
	if (f->sub_count && f->subgid_count)
		s.parent = idmap_write;
	return proc_run(&s, e) < 0 ? name_setting(e) : 0;
}

/* A file without a name, or one that has lost it at once. */
static int temporary(const char *dir)
{
	own_free char *name = NULL;
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
		return fd;
	if (asprintf(&name, "%s/.vmrun-doctor-XXXXXX", dir) < 0) {
		name = NULL;
		errno = ENOMEM;
		return -1;
	}
	fd = mkostemp(name, O_CLOEXEC);
	if (fd >= 0)
		unlink(name);
	return fd;
}

int probe_acl(const char *dir, struct err *e)
{
	struct {
		struct posix_acl_xattr_header head;
		struct posix_acl_xattr_entry entry[5];
	} acl = {
		{POSIX_ACL_XATTR_VERSION},
		{{ACL_USER_OBJ, 6, (uint32_t)ACL_UNDEFINED_ID},
		 {ACL_USER, 4, getuid()},
		 {ACL_GROUP_OBJ, 0, (uint32_t)ACL_UNDEFINED_ID},
		 {ACL_MASK, 4, (uint32_t)ACL_UNDEFINED_ID},
		 {ACL_OTHER, 0, (uint32_t)ACL_UNDEFINED_ID}},
	};
	own_fd fd = temporary(dir);

	if (fd < 0)
		return err_set(e, errno, "making a temporary file in %s", dir);
	if (fsetxattr(fd, ACL_XATTR, &acl, sizeof(acl), 0) < 0 ||
	    fremovexattr(fd, ACL_XATTR) < 0) {
		err_set(e, errno, "setting an ACL in %s", dir);
		return err_hint(e, "vmrun shares directories by ACLs: mount "
				   "that file system with the option acl, or "
				   "share directories of another one");
	}
	return 0;
}

const char *probe_nft(void)
{
	static const char *const places[] = {"/usr/sbin/nft", "/sbin/nft",
					     "/usr/bin/nft", NULL};

	return proc_find(places);
}
