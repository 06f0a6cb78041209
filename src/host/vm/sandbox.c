/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The sandbox: record, descriptors, start.  The person's own authority.
 *
 *      vmrun ----ctl---- vmrun-stage (PID 1)
 *        |                  | starts
 *      edge            +----+---------------+----------------+
 *        |             |                    |                |
 *      vmrun-mux --- port -------------- QEMU --- fs --- virtiofsd
 *        |     \--- console ring <- serial -'  \           /
 *      stdio    \-- log ring <------ stderr of both ------'
 *
 * A second virtiofsd is there if something without ACLs is shared.
 */
#include "host/vm/sandbox.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/own.h"
#include "host/text.h"
#include "host/vm/disk.h"
#include "host/vm/fileserver.h"
#include "host/vm/member.h"
#include "host/vm/stagespawn.h"
#include "host/vm/tsc.h"
#include "host/vm/vmm.h"
#include "wire/ring.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define WAYPIPE "/usr/bin/waypipe"
/* In waypipe's root */
#define WAYPIPE_DISPLAY "/display"
#define WAYPIPE_SOCKET "/run/waypipe"
#define WAYPIPE_PRELOAD "/waypipe.so"
#define WAYPIPE_SCRATCH (64u * 1024)

/* Numbers in vmrun-stage; each end of a pair has one. */
enum stage_fd {
	FD_PORT_VMM = SETUP_FD_FIRST,
	FD_PORT_MUX,
	FD_CONSOLE_VMM,
	FD_CONSOLE_MUX,
	FD_CONSOLE_RING,
	FD_LOG_W,
	FD_LOG_R,
	FD_LOG_RING,
	FD_EDGE_MUX,
	FD_FS_LISTEN,
	FD_FS_VMM,
	FD_PLAIN_LISTEN,
	FD_PLAIN_VMM,
	FD_WAYLAND,
	FD_POLICY,
	FD_DISPLAY,
	FD_DISK,
	FD_NIC = FD_DISK + VMM_DISKS_MAX,
	FD_END = FD_NIC + NICS_MAX,
};

static bool has_member(const struct plan *p, enum sandbox_member member)
{
	switch (member) {
	case MEMBER_PLAIN:
		return plan_has_plain(p);
	case MEMBER_WAYLAND:
	case MEMBER_WAYPIPE:
		return p->windows >= 0;
	case MEMBER_FS:
		return !p->firewall;
	case MEMBER_MUX:
	case MEMBER_VMM:
	case MEMBERS:
		break;
	}
	return true;
}

enum sandbox_member sandbox_member_at(const struct plan *p, uint32_t index)
{
	for (unsigned i = 0; i < MEMBERS; i++)
		if (has_member(p, (enum sandbox_member)i) && !index--)
			return (enum sandbox_member)i;
	return MEMBERS;
}

const char *sandbox_member_name(enum sandbox_member member)
{
	static const char *const names[] = {
		[MEMBER_FS] = "virtiofsd",
		[MEMBER_PLAIN] = "virtiofsd-plain",
		[MEMBER_MUX] = "mux",
		[MEMBER_WAYLAND] = "wayland",
		[MEMBER_WAYPIPE] = "waypipe",
		[MEMBER_VMM] = "qemu",
	};

	return member < MEMBERS ? names[member] : "helper";
}

int tools_find(struct tools *t, struct err *e)
{
	memset(t, 0, sizeof(*t));
	if (probe_qemu(&t->qemu, e) < 0 || probe_place(&t->qemu, e) < 0 ||
	    probe_virtiofsd(&t->virtiofsd, e) < 0 ||
	    probe_place(&t->virtiofsd, e) < 0 ||
	    stage_program("vmrun-stage", &t->stage, e) < 0 ||
	    stage_program("vmrun-mux", &t->mux, e) < 0) {
		tools_free(t);
		return -1;
	}
	t->waypipe = realpath(WAYPIPE, NULL);
	return 0;
}

int tools_check(const struct tools *t, const struct plan *p, struct err *e)
{
	if (p->windows < 0 || t->waypipe)
		return 0;
	err_set(e, 0, "--socket %s: " WAYPIPE " is not installed",
		p->x11 ? "x11" : "wayland");
	return err_hint(e, "sudo apt install waypipe");
}

void tools_free(struct tools *t)
{
	probe_tool_free(&t->qemu);
	probe_tool_free(&t->virtiofsd);
	free(t->stage);
	free(t->mux);
	free(t->waypipe);
	memset(t, 0, sizeof(*t));
}

static int setup_mounts(const struct plan *p, struct setup *s)
{
	s->mounts = calloc(p->n_shares + 1, sizeof(*s->mounts));
	if (!s->mounts)
		return -1;
	for (size_t i = 0; i < p->n_shares; i++) {
		const struct plan_share *from = &p->shares[i];
		struct setup_mount *to = &s->mounts[s->n_mounts++];

		to->src = strdup(from->src);
		to->name = strdup(from->name);
		to->dev = from->dev;
		to->ino = from->ino;
		to->readonly = !from->rw;
		to->file = from->file;
		to->exec = from->exec;
		to->inner = plan_shows_inner(from);
		to->tree = from->use == SHARE_PLAIN ? SETUP_TREE_PLAIN
						    : SETUP_TREE_GRANTED;
		if (!to->src || !to->name)
			return -1;
	}
	return 0;
}

/* A file server: either of the two. */
static int member_server(struct setup_member *m, const struct tools *t,
			 enum sandbox_member which, struct err *e)
{
	static const char *const devices[] = {"null", "urandom", NULL};
	bool plain = which == MEMBER_PLAIN;

	m->view = plain ? SETUP_VIEW_PLAIN : SETUP_VIEW_TREE;
	m->caps = t->virtiofsd.kind == FILESERVER_C ? SETUP_CAPS_FILESERVER
						    : SETUP_CAPS_NONE;
	m->argv = fileserver_argv(&t->virtiofsd, plain ? SETUP_TREE_PLAIN
						       : SETUP_TREE_GRANTED);
	if (!m->argv || member_room(m, sandbox_member_name(which), devices) < 0)
		return err_set(e, ENOMEM, "planning virtiofsd");
	member_fd(m, plain ? FD_PLAIN_LISTEN : FD_FS_LISTEN, FILESERVER_FD);
	member_fd(m, FD_LOG_W, STDOUT_FILENO);
	member_fd(m, FD_LOG_W, STDERR_FILENO);
	/* Of the programs here it sees this one. */
	return plain ? member_file(m, t->virtiofsd.path, FILESERVER_PLAIN, e)
		     : 0;
}

static int member_mux(struct setup_member *m, const struct tools *t,
		      struct err *e)
{
	static const char *const devices[] = {"null", NULL};
	static const char *const argv[] = {"/vmrun-mux", NULL};

	m->view = SETUP_VIEW_EMPTY;
	m->nofile = 512;
	m->argv = member_vector(argv);
	if (!m->argv || member_room(m, "mux", devices) < 0)
		return err_set(e, ENOMEM, "planning vmrun-mux");
	member_fd(m, FD_EDGE_MUX, 3);
	member_fd(m, FD_PORT_MUX, 4);
	member_fd(m, FD_CONSOLE_MUX, 5);
	member_fd(m, FD_CONSOLE_RING, 6);
	member_fd(m, FD_LOG_R, 7);
	member_fd(m, FD_LOG_RING, 8);
	member_fd(m, FD_LOG_W, STDERR_FILENO);
	return member_file(m, t->mux, "/vmrun-mux", e);
}

static int member_wayland(struct setup_member *m, struct err *e)
{
	static const char *const devices[] = {"null", NULL};
	static const char *const argv[] = {"/vmrun-wayland", NULL};
	own_free char *program = NULL;

	if (stage_program("vmrun-wayland", &program, e) < 0)
		return -1;
	m->view = SETUP_VIEW_EMPTY;
	m->nofile =
		8192; /* memory files of every client, and those under way */
	m->argv = member_vector(argv);
	if (!m->argv || member_room(m, "wayland", devices) < 0)
		return err_set(e, ENOMEM, "planning vmrun-wayland");
	member_fd(m, FD_WAYLAND, WAYLAND_FD_VMRUN);
	member_fd(m, FD_POLICY, WAYLAND_FD_POLICY);
	member_fd(m, FD_DISPLAY, WAYLAND_FD_LISTEN);
	member_fd(m, FD_LOG_W, STDERR_FILENO);
	return member_file(m, program, "/vmrun-wayland", e);
}

/*
 * A parser of guest bytes that was not written for hostile ones: its own root
 * with libraries and the filter's socket, and what it says the filter checks.
 */
static int member_waypipe(struct setup_member *m, const struct plan *p,
			  const struct tools *t, struct err *e)
{
	static const char *const devices[] = {"null", "urandom", NULL};
	static const char *const argv[] = {
		"/waypipe", "--no-gpu", "-c",		"none",	  "--threads",
		"1",	    "-s",	WAYPIPE_SOCKET, "client", NULL};
	static const char *const env[] = {"LC_ALL=C",
					  "WAYLAND_DISPLAY=" WAYPIPE_DISPLAY,
					  "LD_PRELOAD=" WAYPIPE_PRELOAD, NULL};
	own_free char *preload = NULL;

	if (stage_program("vmrun-waypipe.so", &preload, e) < 0)
		return -1;
	m->view = SETUP_VIEW_EMPTY;
	m->calls = SETUP_CALLS_WAYPIPE;
	m->nofile = 4096;
	m->fsize = p->policy.pool;
	m->scratch = WAYPIPE_SCRATCH;
	m->argv = member_vector(argv);
	if (!m->argv || member_room(m, "waypipe", devices) < 0)
		return err_set(e, ENOMEM, "planning waypipe");
	strv_free(m->env);
	m->env = member_vector(env);
	if (!m->env)
		return err_set(e, ENOMEM, "planning waypipe");
	member_fd(m, FD_LOG_W, STDOUT_FILENO);
	member_fd(m, FD_LOG_W, STDERR_FILENO);
	if (member_file(m, preload, WAYPIPE_PRELOAD, e) < 0)
		return -1;
	return member_file(m, t->waypipe, "/waypipe", e);
}

static int member_pci(struct setup_member *m, const struct plan_pci *d,
		      struct err *e)
{
	m->pci = strdup(d->device.address);
	m->iommu_group = d->device.group;
	m->memlock = d->memlock;
	return m->pci ? 0 : err_set(e, ENOMEM, "planning QEMU");
}

static int member_vmm(struct setup_member *m, const struct plan *p,
		      const struct tools *t, struct err *e)
{
	static const char *const tcg[] = {"null", "urandom", NULL};
	static const char *const kvm[] = {"null", "urandom", "kvm", NULL};

	m->view = SETUP_VIEW_VMM;
	m->memory = p->mem;
	m->nofile = 1024;
	m->argv = vmm_argv(p, t->qemu.path, tsc_khz());
	if (!m->argv ||
	    member_room(m, "qemu", p->accel == ACCEL_KVM ? kvm : tcg) < 0)
		return err_set(e, ENOMEM, "planning QEMU");
	member_fd(m, FD_PORT_VMM, VMM_FD_MUX);
	member_fd(m, FD_CONSOLE_VMM, VMM_FD_CONSOLE);
	if (!p->firewall)
		member_fd(m, FD_FS_VMM, VMM_FD_FS);
	if (plan_has_plain(p))
		member_fd(m, FD_PLAIN_VMM, VMM_FD_PLAIN);
	for (uint32_t i = 0; i < p->n_disks; i++)
		member_fd(m, FD_DISK + i, VMM_FD_DISK + i);
	for (uint32_t i = 0; i < p->n_nics; i++)
		if (p->nics[i].link != LINK_PCI)
			member_fd(m, FD_NIC + i, VMM_FD_NIC + i);
	if (plan_has_pci(p) && member_pci(m, &p->pci, e) < 0)
		return -1;
	member_fd(m, FD_LOG_W, STDOUT_FILENO);
	member_fd(m, FD_LOG_W, STDERR_FILENO);
	if (member_file(m, p->kernel, VMM_KERNEL, e) < 0)
		return -1;
	return member_file(m, p->initramfs, VMM_INITRAMFS, e);
}

static int make_member(struct setup_member *m, enum sandbox_member which,
		       const struct plan *p, const struct tools *t,
		       struct err *e)
{
	switch (which) {
	case MEMBER_FS:
	case MEMBER_PLAIN:
		return member_server(m, t, which, e);
	case MEMBER_MUX:
		return member_mux(m, t, e);
	case MEMBER_WAYLAND:
		return member_wayland(m, e);
	case MEMBER_WAYPIPE:
		return member_waypipe(m, p, t, e);
	case MEMBER_VMM:
		return member_vmm(m, p, t, e);
	case MEMBERS:
		break;
	}
	return err_set(e, 0, "no such member");
}

int sandbox_setup(const struct plan *p, const struct tools *t, uid_t uid,
		  gid_t gid, struct setup *s, struct err *e)
{
	memset(s, 0, sizeof(*s));
	s->uid = uid;
	s->gid = gid;
	s->host_uid = p->facts->uid;
	s->host_gid = p->facts->gid;
	s->members = calloc(MEMBERS, sizeof(*s->members));
	if (p->n_disks > VMM_DISKS_MAX)
		return err_set(e, 0, "more than %u --tmp directories",
			       VMM_DISKS_MAX);
	if (!s->members || setup_mounts(p, s) < 0) {
		setup_free(s);
		return err_set(e, ENOMEM, "planning the sandbox");
	}
	for (uint32_t i = 0; sandbox_member_at(p, i) != MEMBERS; i++) {
		s->n_members++;
		if (make_member(&s->members[i], sandbox_member_at(p, i), p, t,
				e) < 0) {
			setup_free(s);
			return -1;
		}
	}
	return 0;
}

/* What vmrun-stage inherits, by its number there. */
struct wires {
	int fd[FD_END];
};

static void wires_close(struct wires *w)
{
	for (int i = 0; i < FD_END; i++)
		own_close(&w->fd[i]);
}

/* The filter's socket to vmrun, its policy, and where its clients come in. */
static int window_wires(struct wires *w, struct sandbox *s,
			const struct plan *p, const struct run_dir *d,
			struct err *e)
{
	struct buf b;

	if (p->windows < 0)
		return 0;
	if (stage_pair(SOCK_SEQPACKET, &s->wayland, &w->fd[FD_WAYLAND], e) < 0)
		return -1;
	buf_init(&b, WAYLAND_POLICY_MAX);
	wayland_policy_encode(&b, &p->policy);
	w->fd[FD_POLICY] = b.bad ? err_set(e, E2BIG, "the policy for windows")
				 : io_memfd("policy", b.data, b.len, e);
	buf_free(&b);
	if (w->fd[FD_POLICY] < 0)
		return -1;
	w->fd[FD_DISPLAY] = run_dir_display(d, e);
	return w->fd[FD_DISPLAY] < 0 ? -1 : 0;
}

/* Shows waypipe the socket that run_dir_display() has made. */
static int show_display(struct setup *s, const struct plan *p,
			const struct run_dir *d, struct err *e)
{
	own_free char *path = NULL;

	if (asprintf(&path, "%s/%lld/display", d->runtime, (long long)d->run) <
	    0) {
		path = NULL;
		return err_set(e, ENOMEM, "planning waypipe");
	}
	for (uint32_t i = 0; i < s->n_members; i++)
		if (sandbox_member_at(p, i) == MEMBER_WAYPIPE)
			return member_file(&s->members[i], path,
					   WAYPIPE_DISPLAY, e);
	return 0;
}

/*
 * Room for an answer to every question that vmrun-mux may have open, and for
 * commands: a record takes up to 2.5 KiB of a buffer.  As much as the kernel
 * gives; twice its usual size is enough.
 */
static void make_room(int sock)
{
	const int bytes = 512 * 1024;

	setsockopt(sock, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

static int make_wires(struct wires *w, struct sandbox *s, const struct plan *p,
		      const struct run_dir *d, uid_t uid, gid_t gid,
		      struct err *e)
{
	int log[2];

	if (stage_pair(SOCK_SEQPACKET, &s->ctl, &w->fd[SETUP_FD_CTL], e) < 0 ||
	    stage_pair(SOCK_SEQPACKET, &s->edge, &w->fd[FD_EDGE_MUX], e) < 0 ||
	    stage_pair(SOCK_STREAM, &w->fd[FD_PORT_VMM], &w->fd[FD_PORT_MUX],
		       e) < 0 ||
	    stage_pair(SOCK_STREAM, &w->fd[FD_CONSOLE_VMM],
		       &w->fd[FD_CONSOLE_MUX], e) < 0)
		return -1;
	if (!p->firewall && fileserver_pair(d->fd, &w->fd[FD_FS_LISTEN],
					    &w->fd[FD_FS_VMM], e) < 0)
		return -1;
	if (plan_has_plain(p) && fileserver_pair(d->fd, &w->fd[FD_PLAIN_LISTEN],
						 &w->fd[FD_PLAIN_VMM], e) < 0)
		return -1;
	make_room(s->edge);
	if (window_wires(w, s, p, d, e) < 0)
		return -1;
	if (pipe2(log, O_CLOEXEC) < 0)
		return err_set(e, errno, "making a pipe");
	w->fd[FD_LOG_R] = log[0];
	w->fd[FD_LOG_W] = log[1];
	s->console = run_dir_ring(d, "console", e);
	s->log = s->console < 0 ? -1 : run_dir_ring(d, "log", e);
	if (s->log < 0)
		return -1;
	w->fd[FD_CONSOLE_RING] = fcntl(s->console, F_DUPFD_CLOEXEC, 3);
	w->fd[FD_LOG_RING] = fcntl(s->log, F_DUPFD_CLOEXEC, 3);
	for (size_t i = 0; i < p->n_disks; i++) {
		w->fd[FD_DISK + i] = disk_make(p->facts->state_home,
					       p->disks[i].size, uid, gid, e);
		if (w->fd[FD_DISK + i] < 0)
			return err_wrap(e, "--tmp %s", p->disks[i].dst);
	}
	for (size_t i = 0; i < p->n_nics; i++) {
		if (p->nics[i].link == LINK_PCI)
			continue;
		w->fd[FD_NIC + i] = fcntl(p->nics[i].fd, F_DUPFD_CLOEXEC, 3);
		if (w->fd[FD_NIC + i] < 0)
			return err_set(e, errno, "--nic %d", p->nics[i].fd);
	}
	return 0;
}

int sandbox_start(struct sandbox *s, const struct plan *p,
		  const struct tools *t, uid_t uid, gid_t gid,
		  const struct run_dir *d, struct err *e)
{
	struct setup rec;
	struct wires w;
	const struct stage_spec spec = {
		.facts = p->facts,
		.path = t->stage,
		.setup = &rec,
		.network = STAGE_NETWORK_EMPTY,
		.fds = w.fd,
		.n_fds = FD_END,
	};
	int r;

	for (int i = 0; i < FD_END; i++)
		w.fd[i] = -1;
	if (sandbox_setup(p, t, uid, gid, &rec, e) < 0)
		return -1;
	r = make_wires(&w, s, p, d, uid, gid, e);
	if (r == 0)
		r = show_display(&rec, p, d, e);
	if (r == 0)
		r = stage_spawn(&spec, &s->stage, &s->userns, e);
	setup_free(&rec);
	wires_close(&w);
	if (r == 0)
		return 0;
	sandbox_kill(s);
	sandbox_close(s);
	return err_wrap(e, "cannot start the sandbox");
}

void sandbox_doom(const struct sandbox *s)
{
	/* All at once: the kernel ends the namespace's other processes only
	 * after what its first one had is gone.  The stage leads a session of
	 * its own, in which its members stay; before it does, or where they do
	 * not, the namespace's end is theirs. */
	if (s->stage.pid > 0)
		kill(-s->stage.pid, SIGKILL);
}

void sandbox_kill(struct sandbox *s)
{
	sandbox_doom(s);
	child_kill(&s->stage);
}

void sandbox_close(struct sandbox *s)
{
	own_close(&s->ctl);
	own_close(&s->edge);
	own_close(&s->wayland);
	own_close(&s->userns);
	own_close(&s->console);
	own_close(&s->log);
}
