/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The plan: everything that a run will do, decided before anything is done.
 * Part of vmrun; the person's own authority, only looks.
 */
#include "host/plan/plan.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "host/image/guestimage.h"
#include "host/plan/planint.h"
#include "host/probe/probe.h"
#include "host/text.h"

#include <ctype.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>

#define MIB (UINT64_C(1) << 20)
#define MEM_DEFAULT (1024 * MIB)
/* A guest under software emulation on a busy machine takes long; one that
 * takes longer than this has hung. */
#define BOOT_MS 180000u
#define MEM_FIREWALL (128 * MIB) /* 55 are free when it is ready */

static int choose_accel(struct plan *p, struct err *e)
{
	const char *word = text_getenv(p->facts->environ, "VMRUN_ACCEL");
	enum opt_accel want = p->opt->accel;
	struct err unused = ERR_INIT;

	if (want == ACCEL_AUTO && word && *word) {
		if (!strcmp(word, "tcg"))
			want = ACCEL_TCG;
		else if (!strcmp(word, "kvm"))
			want = ACCEL_KVM;
		else if (strcmp(word, "auto"))
			return err_set(e, 0,
				       "VMRUN_ACCEL in the environment is not "
				       "auto, kvm or tcg");
	}
	switch (want) {
	case ACCEL_AUTO:
		p->accel = probe_kvm(&unused) ? ACCEL_TCG : ACCEL_KVM;
		return 0;
	case ACCEL_KVM:
		p->accel = want;
		return probe_kvm(e) ? err_wrap(e, "--accel kvm") : 0;
	case ACCEL_TCG:
		p->accel = want;
		return 0;
	}
	return 0;
}

static int choose_boot_time(struct plan *p, struct err *e)
{
	const char *text = text_getenv(p->facts->environ, "VMRUN_BOOT_TIMEOUT");

	p->boot_ms = BOOT_MS;
	if (!text || !*text ||
	    (text_duration(text, &p->boot_ms) == 0 && p->boot_ms))
		return 0;
	return err_set(e, 0,
		       "VMRUN_BOOT_TIMEOUT in the environment is no time such "
		       "as 10m");
}

static int choose_machine(struct plan *p, struct err *e)
{
	uint64_t ram = (uint64_t)sysconf(_SC_PHYS_PAGES) *
		       (uint64_t)sysconf(_SC_PAGESIZE) / MIB;

	p->cpus = p->opt->cpus ? p->opt->cpus : 1;
	if (p->cpus > p->facts->cpus)
		return err_set(e, 0,
			       "--cpus: %u are more than the %u that this "
			       "machine has",
			       p->cpus, p->facts->cpus);
	/* QEMU wants whole pages, the guest likes whole MiB. */
	p->mem = p->opt->firewall_fd ? MEM_FIREWALL : MEM_DEFAULT;
	if (p->opt->mem)
		p->mem = p->opt->mem / MIB * MIB;
	if (p->mem / MIB > ram)
		return err_set(e, 0,
			       "--mem: %llu MiB are more than the %llu MiB "
			       "that this machine has",
			       (unsigned long long)(p->mem / MIB),
			       (unsigned long long)ram);
	return choose_boot_time(p, e) ? -1 : choose_accel(p, e);
}

/* An ELF file, or the magic of the x86 boot protocol (boot.rst: 0x1fe, HdrS).
 */
static bool is_kernel(const char *path)
{
	own_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	unsigned char head[0x206];

	if (fd < 0 || pread(fd, head, sizeof(head), 0) != sizeof(head))
		return false;
	return !memcmp(head, "\177ELF", 4) ||
	       (head[0x1fe] == 0x55 && head[0x1ff] == 0xaa &&
		!memcmp(head + 0x202, "HdrS", 4));
}

/* --kernel: QEMU reads it as U, which is nobody in particular. */
static int own_kernel(struct plan *p, struct err *e)
{
	own_free char *real = realpath(p->opt->kernel, NULL);
	char shown[TEXT_SHOWN];
	struct stat st;
	own_fd fd = real ? plan_open(real, &st) : -1;

	text_show(shown, sizeof(shown), p->opt->kernel);
	if (fd < 0)
		return err_set(e, errno, "--kernel: cannot use %s", shown);
	if (!S_ISREG(st.st_mode))
		return err_set(e, 0, "--kernel: %s is not a file", shown);
	if (!plan_open_to_all(&st)) {
		err_set(e, 0,
			"--kernel: %s is not readable by everybody, and so "
			"not by the VM",
			shown);
		return err_hint(e, "chmod o+r %s, or copy it", shown);
	}
	if (!is_kernel(real)) {
		err_set(e, 0, "--kernel: %s is not an x86 Linux kernel", shown);
		return err_hint(e, "a vmlinuz or an uncompressed vmlinux is "
				   "wanted");
	}
	p->kernel = steal_ptr(&real);
	return 0;
}

static char **image_for(const struct plan *p, struct guestimage *img)
{
	if (plan_has_pci(p))
		return &img->pci;
	return p->firewall ? &img->firewall : &img->initramfs;
}

static int choose_image(struct plan *p, struct err *e)
{
	struct guestimage img;

	if (guestimage_find(p->facts->data_home, p->opt->image, &img, e))
		return -1;
	p->kernel = steal_ptr(&img.kernel);
	p->initramfs = steal_ptr(image_for(p, &img));
	guestimage_free(&img);
	if (access(p->initramfs, R_OK) < 0) {
		err_set(e, 0, "this guest image is none for a firewall%s",
			plan_has_pci(p) ? " with a PCI device" : "");
		return err_hint(e, "install nftables, then import the image "
				   "again: `vmrunctl image import`");
	}
	if (!p->opt->kernel)
		return 0;
	free(p->kernel);
	p->kernel = NULL;
	return own_kernel(p, e);
}

/* The alias, else the command's name, as far as a host name can say it. */
static int choose_hostname(struct plan *p, struct err *e)
{
	const char *slash = strrchr(p->opt->argv[0], '/');
	const char *name = slash ? slash + 1 : p->opt->argv[0];
	char host[64] = "";
	size_t n = 0;

	if (p->opt->alias)
		name = p->opt->alias;
	for (; *name && n + 1 < sizeof(host); name++) {
		unsigned char c = (unsigned char)*name;

		if (isascii(c) && isalnum(c))
			host[n++] = (char)tolower(c);
		else if (n && host[n - 1] != '-')
			host[n++] = '-';
	}
	while (n && host[n - 1] == '-')
		n--;
	host[n] = '\0';
	p->hostname = text_dup(n ? host : "vmrun", e);
	return p->hostname ? 0 : -1;
}

static int choose_home(struct plan *p, struct err *e)
{
	const char *home = p->facts->home;

	if (home && home[0] == '/' && strcmp(home, "/"))
		return path_clean(home, &p->home, e) ? err_wrap(e, "HOME") : 0;
	p->home = text_fmt(e, "/home/%s", p->facts->user);
	return p->home ? 0 : -1;
}

static int choose_terminal(struct plan *p, struct err *e)
{
	const struct facts *f = p->facts;

	switch (p->opt->tty) {
	case TTY_AUTO:
		p->terminal = f->in_tty && f->out_tty && f->in_front;
		return 0;
	case TTY_NO:
		p->terminal = false;
		return 0;
	case TTY_YES:
		p->terminal = true;
		if (f->in_tty && f->out_tty)
			return 0;
		err_set(e, 0,
			"--tty: standard input and output are not a terminal");
		return err_hint(e, "leave --tty out, or run vmrun from a "
				   "terminal");
	}
	return 0;
}

static int make(struct plan *p, char ***store_bins, struct err *e)
{
	if (plan_nics(p, e) || plan_net(p, e) || choose_hostname(p, e) ||
	    choose_machine(p, e) || plan_memlock(p, e))
		return -1;
	if (p->opt->firewall_fd > 0)
		return plan_firewall(p, e) ? -1 : choose_image(p, e);
	if (choose_terminal(p, e) || choose_home(p, e))
		return -1;
	if (plan_shares(p, store_bins, e) || plan_home(p, e) ||
	    plan_keys(p, e) || plan_system(p, e) || plan_hidden(p, e) ||
	    plan_mounts(p, e) || plan_sockets(p, e))
		return -1;
	if (plan_env(p, *store_bins, e) || plan_helpers(p, e) || plan_cwd(p, e))
		return -1;
	return choose_image(p, e);
}

/* What execve(2) takes: of more the guest could say no more than that. */
static int check_env(const struct plan *p, struct err *e)
{
	for (size_t i = 0; p->env && p->env[i]; i++) {
		size_t name = strcspn(p->env[i], "=");

		if (strlen(p->env[i]) >= LAUNCH_STRING_MAX)
			return err_set(e, E2BIG,
				       "the variable %.*s, of %zu bytes",
				       (int)(name > 64 ? 64 : name), p->env[i],
				       strlen(p->env[i]));
	}
	return 0;
}

int plan_make(struct plan *p, const struct options *o, const struct facts *f,
	      struct err *e)
{
	char **store_bins = NULL;
	int ret;

	memset(p, 0, sizeof(*p));
	p->opt = o;
	p->facts = f;
	p->windows = -1;
	ret = strv_len(o->argv) > LAUNCH_STRINGS_MAX
		      ? err_set(e, E2BIG,
				"a command of %zu words, more than %u",
				strv_len(o->argv), LAUNCH_STRINGS_MAX)
		      : make(p, &store_bins, e);
	if (!ret)
		ret = check_env(p, e);
	strv_free(store_bins);
	if (ret)
		plan_free(p);
	return ret;
}

void plan_free(struct plan *p)
{
	for (size_t i = 0; i < p->n_shares; i++) {
		free(p->shares[i].src);
		free(p->shares[i].dst);
		free(p->shares[i].name);
		free(p->shares[i].hidden);
		own_close(&p->shares[i].fd);
	}
	for (size_t i = 0; i < p->n_disks; i++)
		free(p->disks[i].dst);
	for (size_t i = 0; i < p->n_sockets; i++) {
		free(p->sockets[i].src);
		free(p->sockets[i].dst);
	}
	for (size_t i = 0; i < p->n_places; i++)
		free(p->places[i].path);
	for (size_t i = 0; i < p->n_mounts; i++) {
		free(p->mounts[i].share);
		free(p->mounts[i].dst);
		free(p->mounts[i].target);
	}
	free(p->pci.node);
	free(p->shares);
	free(p->keys);
	free(p->disks);
	free(p->sockets);
	wayland_policy_free(&p->policy);
	free(p->mounts);
	free(p->places);
	free(p->firewall);
	free(p->home);
	free(p->cwd);
	free(p->shell);
	free(p->hostname);
	strv_free(p->env);
	strv_free(p->before);
	free(p->kernel);
	free(p->initramfs);
	free(p->net);
	free(p->net_file);
	free(p->net_way);
	memset(p, 0, sizeof(*p));
}

bool plan_has_plain(const struct plan *p)
{
	for (size_t i = 0; i < p->n_shares; i++)
		if (p->shares[i].use == SHARE_PLAIN)
			return true;
	return false;
}

static const char runtime_name[] = "XDG_RUNTIME_DIR";
static const char bus_name[] = "DBUS_SESSION_BUS_ADDRESS";

/* The plan's rows, and those that depend on the uid; the caller's. */
static char **launch_env(const struct plan *p, uid_t uid)
{
	const char *asked = text_getenv(p->env, runtime_name);
	struct err unused = ERR_INIT;
	char **env = NULL;
	own_free char *dir =
		asked ? text_dup(asked, &unused)
		      : text_fmt(&unused, "/run/user/%u", (unsigned)uid);
	own_free char *bus =
		dir ? text_fmt(&unused, "unix:path=%s/bus", dir) : NULL;

	for (char **row = p->env; row && *row; row++)
		if (text_add(&env, *row, &unused) < 0)
			abort();
	if (!bus || text_setenv(&env, runtime_name, dir, &unused) < 0 ||
	    (p->opt->dbus && text_setenv(&env, bus_name, bus, &unused) < 0))
		abort();
	return env;
}

void plan_launch(const struct plan *p, uid_t uid, gid_t gid, struct launch *l)
{
	const struct facts *f = p->facts;

	memset(l, 0, sizeof(*l));
	l->uid = uid;
	l->gid = gid;
	l->user = l->host_user = f->user;
	l->group = l->host_group = f->group;
	l->host_uid = f->uid;
	l->host_gid = f->gid;
	l->home = p->home;
	l->shell = p->shell;
	l->hostname = p->hostname;
	l->n_mounts = p->n_mounts;
	l->mounts = calloc(p->n_mounts + 1, sizeof(*l->mounts));
	if (!l->mounts)
		abort();
	if (p->n_mounts)
		memcpy(l->mounts, p->mounts, p->n_mounts * sizeof(*l->mounts));
	l->n_nics = p->n_nics;
	for (size_t i = 0; i < p->n_nics; i++)
		l->nics[i] = p->nics[i].nic;
	l->devices = p->opt->devices;
	l->sockets = calloc(p->n_sockets + 1, sizeof(*l->sockets));
	if (!l->sockets)
		abort();
	for (size_t i = 0; i < p->n_sockets; i++)
		l->sockets[i] = p->sockets[i].dst;
	l->firewall = p->firewall;
	l->before = p->before;
	l->restricted = p->opt->restricted;
	l->app.terminal = p->terminal;
	l->app.win = f->win;
	l->app.ready_fd = p->opt->notify_fd;
	l->app.cwd = p->cwd;
	l->app.argv = p->opt->argv;
	l->app.env = launch_env(p, uid);
}

void plan_launch_done(struct launch *l)
{
	strv_free(l->app.env);
	free(l->mounts);
	free(l->sockets);
	memset(l, 0, sizeof(*l));
}
