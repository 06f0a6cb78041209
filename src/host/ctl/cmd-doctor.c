/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * vmrunctl doctor: each thing that vmrun needs, found or not, with a remedy.
 * Runs with the person's own authority and leaves nothing changed.
 */
#include "host/ctl/cmd.h"

#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/opt.h"
#include "base/own.h"
#include "host/image/guestimage.h"
#include "host/net/passt.h"
#include "host/plan/plan.h"
#include "host/probe/probe.h"
#include "host/text.h"
#include "state/state.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define DETAIL_MAX ERR_MSG_MAX
#define SPACE_NEEDED (64ull << 20)
#define SPACE_WISHED (1ull << 30)

/* What a check found.  A warning lets vmrun run, with something missing. */
enum finding { FINDING_OK, FINDING_WARN, FINDING_FAIL };

static const char *const finding_names[] = {
	[FINDING_OK] = "ok",
	[FINDING_WARN] = "warn",
	[FINDING_FAIL] = "fail",
};

static const char *const finding_colours[] = {
	[FINDING_OK] = "\033[32m",
	[FINDING_WARN] = "\033[33m",
	[FINDING_FAIL] = "\033[31m",
};

struct report {
	struct facts *facts;
	char detail[DETAIL_MAX]; /* what is there; e->msg where nothing is */
	struct err e;
};

/* Fills r->detail, or r->e. */
struct check {
	const char *name;
	enum finding (*run)(struct report *r);
};

static enum finding fail_if(int ret)
{
	return ret < 0 ? FINDING_FAIL : FINDING_OK;
}

__attribute__((format(printf, 2, 3))) static void detail(struct report *r,
							 const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->detail, sizeof(r->detail), fmt, ap);
	va_end(ap);
}

static enum finding check_user(struct report *r)
{
	detail(r, "%s, without capabilities", r->facts->user);
	return fail_if(probe_privilege(&r->e));
}

static enum finding check_subids(struct report *r)
{
	struct facts *f = r->facts;
	struct state_range range;

	if (probe_subids(f, &range, &r->e) < 0)
		return FINDING_FAIL;
	detail(r, "%u-%u, groups %u-%u", f->sub_first,
	       f->sub_first + f->sub_count - 1, f->subgid_first,
	       f->subgid_first + f->subgid_count - 1);
	return FINDING_OK;
}

static enum finding check_idmap(struct report *r)
{
	detail(r, "newuidmap and newgidmap are privileged");
	return fail_if(probe_idmap_tools(&r->e));
}

static enum finding check_userns(struct report *r)
{
	detail(r, "%s",
	       r->facts->sub_count ? "made one with the subordinate ids"
				   : "made one, without subordinate ids");
	return fail_if(probe_userns(r->facts, &r->e));
}

static enum finding check_proc(struct report *r)
{
	detail(r, "processes of other users are visible");
	if (!probe_proc_hidden())
		return FINDING_OK;
	err_set(&r->e, 0, "/proc does not show processes of other users");
	err_hint(&r->e, "vmrun cannot see whether a UID is still in use: mount "
			"/proc without hidepid");
	return FINDING_WARN;
}

static enum finding check_kvm(struct report *r)
{
	char why[DETAIL_MAX];

	detail(r, "/dev/kvm is open to VMs");
	if (probe_kvm(&r->e) == 0)
		return FINDING_OK;
	snprintf(why, sizeof(why), "%s", r->e.msg);
	snprintf(r->e.msg, sizeof(r->e.msg),
		 "%.600s: VMs are emulated (TCG): slow, and no security "
		 "boundary",
		 why);
	return FINDING_WARN;
}

static enum finding check_qemu(struct report *r)
{
	struct probe_tool t;
	enum finding f;

	if (probe_qemu(&t, &r->e) < 0)
		return FINDING_FAIL;
	f = fail_if(probe_place(&t, &r->e));
	if (f == FINDING_OK)
		f = fail_if(probe_version(&t, &r->e));
	detail(r, "%s, version %u.%u", t.path, t.major, t.minor);
	if (f == FINDING_OK &&
	    (t.major < PROBE_QEMU_MAJOR ||
	     (t.major == PROBE_QEMU_MAJOR && t.minor < PROBE_QEMU_MINOR))) {
		err_set(&r->e, 0, "%s is version %u.%u; vmrun needs %u.%u",
			t.path, t.major, t.minor, PROBE_QEMU_MAJOR,
			PROBE_QEMU_MINOR);
		err_hint(&r->e, "install a newer QEMU, or set VMRUN_QEMU to "
				"one");
		f = FINDING_FAIL;
	}
	probe_tool_free(&t);
	return f;
}

static enum finding check_virtiofsd(struct report *r)
{
	enum finding f = FINDING_OK;
	struct probe_tool t;

	if (probe_virtiofsd(&t, &r->e) < 0)
		return FINDING_FAIL;
	if (probe_place(&t, &r->e) < 0) {
		f = FINDING_FAIL;
	} else if (t.kind == FILESERVER_RUST) {
		f = fail_if(probe_version(&t, &r->e));
		detail(r, "%s, version %u.%u (Rust)", t.path, t.major, t.minor);
	} else {
		/* It drops its groups before it reads its options, and so
		 * tells its version to root only.  It is of QEMU's version. */
		detail(r, "%s (C)", t.path);
	}
	probe_tool_free(&t);
	return f;
}

static enum finding check_image(struct report *r)
{
	struct guestimage img;

	if (guestimage_find(r->facts->data_home, NULL, &img, &r->e) < 0)
		return FINDING_FAIL;
	detail(r, "kernel %s", img.release ? img.release : img.kernel);
	guestimage_free(&img);
	return FINDING_OK;
}

static enum finding check_acl(struct report *r)
{
	detail(r, "work in %s", r->facts->home);
	/* Other directories may still be shared. */
	return probe_acl(r->facts->home, &r->e) < 0 ? FINDING_WARN : FINDING_OK;
}

/* The file system on which `dir` is, or will be when it is made. */
static int space_at(const char *dir, uint64_t *bytes, struct err *e)
{
	own_free char *p = text_dup(dir, e);
	struct statvfs fs;
	char *slash;

	if (!p)
		return -1;
	while (statvfs(p, &fs) < 0) {
		slash = strrchr(p, '/');
		if (errno != ENOENT || !slash || slash == p)
			return err_set(e, errno, "%s", p);
		*slash = '\0';
	}
	*bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	return 0;
}

static enum finding check_space(struct report *r)
{
	uint64_t state = 0, data = 0, least;

	if (space_at(r->facts->state_home, &state, &r->e) < 0 ||
	    space_at(r->facts->data_home, &data, &r->e) < 0)
		return FINDING_FAIL;
	least = state < data ? state : data;
	detail(r, "%llu MiB free", (unsigned long long)(least >> 20));
	if (least >= SPACE_WISHED)
		return FINDING_OK;
	err_set(&r->e, 0, "only %llu MiB free for state and images",
		(unsigned long long)(least >> 20));
	err_hint(&r->e, "make room below %s",
		 state < data ? r->facts->state_home : r->facts->data_home);
	return least < SPACE_NEEDED ? FINDING_FAIL : FINDING_WARN;
}

static enum finding check_state(struct report *r)
{
	const char *home = r->facts->state_home;
	own_fd dir = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct state *s;
	int ret;

	if (dir < 0 && errno != ENOENT) {
		err_set(&r->e, errno, "%s", home);
		return FINDING_FAIL;
	}
	/* Opening would make it, and doctor makes nothing. */
	if (dir < 0 || !state_is_there(dir)) {
		detail(r, "not made yet");
		return FINDING_OK;
	}
	ret = state_open(dir, &s, &r->e);
	if (ret < 0)
		return FINDING_FAIL;
	state_close(s);
	detail(r, "%s/state.db opens", home);
	return FINDING_OK;
}

/* Needed by --net only. */
static enum finding check_network(struct report *r)
{
	const char *passt = passt_find();

	if (!passt || !probe_nft()) {
		err_set(&r->e, 0, "%s is not installed: there is no --net",
			passt ? "nft" : "passt");
		err_hint(&r->e, "sudo apt install passt nftables; then import "
				"the guest image again");
		return FINDING_WARN;
	}
	detail(r, "%s and nft, for --net", passt);
	return FINDING_OK;
}

/* Needed by --socket wayland and x11 only; the guest's are this machine's. */
static enum finding check_windows(struct report *r)
{
	static const struct {
		const char *path, *option, *packages;
	} needed[] = {
		{"/usr/bin/waypipe", "wayland", "waypipe"},
		{"/usr/bin/cage", "x11", "cage xwayland"},
		{"/usr/bin/Xwayland", "x11", "cage xwayland"},
	};

	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++) {
		if (!access(needed[i].path, X_OK))
			continue;
		err_set(&r->e, 0,
			"%s is not installed: there is no --socket %s",
			strrchr(needed[i].path, '/') + 1, needed[i].option);
		err_hint(&r->e, "sudo apt install %s", needed[i].packages);
		return FINDING_WARN;
	}
	detail(r, "waypipe, for --socket wayland; cage and Xwayland, for x11");
	return FINDING_OK;
}

/* In this order: subordinate ids are what the user namespace is tried with. */
static const struct check checks[] = {
	{"ordinary user", check_user},
	{"subordinate ids", check_subids},
	{"id map helpers", check_idmap},
	{"user namespaces", check_userns},
	{"other processes", check_proc},
	{"KVM", check_kvm},
	{"QEMU", check_qemu},
	{"virtiofsd", check_virtiofsd},
	{"guest image", check_image},
	{"ACLs", check_acl},
	{"disk space", check_space},
	{"state database", check_state},
	{"networks", check_network},
	{"windows", check_windows},
};

#define N_CHECKS (sizeof(checks) / sizeof(*checks))

static void print_text(const struct check *c, const struct report *r,
		       enum finding f)
{
	bool colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	char shown[DETAIL_MAX * 4 + 1];

	printf("%s%-4s%s  %-15s  ", colour ? finding_colours[f] : "",
	       finding_names[f], colour ? "\033[0m" : "", c->name);
	printf("%s\n", text_show(shown, sizeof(shown),
				 f == FINDING_OK ? r->detail : r->e.msg));
	if (f != FINDING_OK && r->e.hint[0])
		printf("      -> %s\n",
		       text_show(shown, sizeof(shown), r->e.hint));
}

static void add_json(struct json *list, const struct check *c,
		     const struct report *r, enum finding f)
{
	struct json *j = json_new_object();

	json_set_str(j, "name", c->name);
	json_set_str(j, "status", finding_names[f]);
	json_set_str(j, "detail", f == FINDING_OK ? r->detail : r->e.msg);
	json_set_str(j, "remedy",
		     f != FINDING_OK && r->e.hint[0] ? r->e.hint : NULL);
	json_add(list, j);
}

static int print_json(struct json *list, bool ok)
{
	struct json *all = json_new_object();
	int r;

	json_set_str(all, "version", VMRUN_VERSION);
	json_set_bool(all, "ok", ok);
	json_set(all, "checks", list);
	r = json_print(all, JSON_PRETTY, stdout);
	json_free(all);
	return r;
}

static int run_checks(struct facts *f, bool json, struct err *e)
{
	struct json *list = json ? json_new_array() : NULL;
	bool ok = true;

	for (size_t i = 0; i < N_CHECKS; i++) {
		struct report r = {.facts = f, .e = ERR_INIT};
		enum finding found = checks[i].run(&r);

		if (json)
			add_json(list, &checks[i], &r, found);
		else
			print_text(&checks[i], &r, found);
		ok = ok && found != FINDING_FAIL;
	}
	if (json && print_json(list, ok) < 0)
		return err_set(e, errno, "writing the report");
	return ok ? 0 : 1;
}

struct doctor_options {
	bool json, help;
};

static int set_flag(void *ctx, const struct opt *o, const char *value,
		    struct err *e)
{
	(void)e;
	*(bool *)((char *)ctx + o->at) = !strcmp(value, "true");
	return 0;
}

static const struct opt options[] = {
	{.name = "json",
	 .help = "print the report as JSON",
	 .set = set_flag,
	 .at = offsetof(struct doctor_options, json)},
	{.name = "help",
	 .letter = 'h',
	 .help = "print this",
	 .set = set_flag,
	 .at = offsetof(struct doctor_options, help)},
	{.name = NULL},
};

int cmd_doctor(int argc, char **argv)
{
	struct doctor_options o = {false, false};
	struct err e = ERR_INIT;
	struct facts f;
	int used = 0;
	int r;

	if (opt_parse(options, argv + 1, &o, &used, &e) < 0) {
		log_err(LOG_LEVEL_ERR, &e);
		return 125;
	}
	if (used + 1 < argc) {
		log_error("doctor takes no arguments");
		return 125;
	}
	if (o.help) {
		printf("usage: vmrunctl doctor [--json]\n\n");
		opt_help(options, stdout);
		return 0;
	}
	r = facts_probe(&f, &e);
	if (r == 0) {
		r = run_checks(&f, o.json, &e);
		facts_free(&f);
	}
	if (r < 0)
		log_err(LOG_LEVEL_ERR, &e);
	return r < 0 ? 125 : r;
}
