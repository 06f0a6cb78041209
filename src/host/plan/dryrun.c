/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * vmrun --dry-run.  Part of vmrun; walks what is to be shared, changes nothing.
 *
 * Names of files are shown without anything that a terminal would obey.
 */
#include "host/plan/dryrun.h"

#include "base/err.h"
#include "base/json.h"
#include "grant/grant.h"
#include "host/reclaim.h"
#include "host/text.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#define SHOWN_MAX (4 * PATH_MAX + 1)

static const char *accel_name(enum opt_accel accel)
{
	switch (accel) {
	case ACCEL_AUTO:
		return "auto";
	case ACCEL_KVM:
		return "kvm";
	case ACCEL_TCG:
		return "tcg";
	}
	return "";
}

static const char *kind_name(enum launch_mount_kind kind)
{
	switch (kind) {
	case LAUNCH_SHARE:
		return "share";
	case LAUNCH_TMPFS:
		return "tmpfs";
	case LAUNCH_DISK:
		return "disk";
	case LAUNCH_SYMLINK:
		return "link";
	}
	return "";
}

static const char *link_name(enum plan_link link)
{
	switch (link) {
	case LINK_MESSAGES:
		return "socket of messages";
	case LINK_STREAM:
		return "stream socket";
	case LINK_TAP:
		return "TAP";
	case LINK_PCI:
		return "PCI device";
	}
	return "";
}

/* What a grant would edit.  The last pair of the range stands for a new one: it
 * is the one that is handed out last, so that hardly anything has it. */
static int survey(const struct plan *p, const struct dryrun_extra *x,
		  const struct plan_share *s, struct grant_stats *g,
		  struct err *e)
{
	struct grant_tree tree;
	struct grant_who who;

	memset(g, 0, sizeof(*g));
	if (s->fd < 0) /* a home that the start will make */
		return 0;
	reclaim_who(p->facts, x->range->uid_first + x->range->count - 1,
		    x->range->gid_first + x->range->count - 1, &who);
	plan_tree(p, s, &tree);
	if (grant_survey(&tree, &who, g, e))
		return err_wrap(e, "cannot share %s", s->src);
	return 0;
}

static void print_text(const char *before, const char *s, FILE *out)
{
	char shown[SHOWN_MAX];

	fprintf(out, "%s%s", before, text_show(shown, sizeof(shown), s));
}

/* A word as a shell would want it. */
static void print_word(const char *word, FILE *out)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789%+,-./:=@_";

	if (*word && !word[strspn(word, plain)]) {
		fprintf(out, " %s", word);
		return;
	}
	fputs(" '", out);
	for (const char *p = word; *p;) {
		size_t n = strcspn(p, "'");
		char part[256], shown[4 * sizeof(part)];

		if (!n) {
			fputs("'\\''", out);
			p++;
			continue;
		}
		if (n >= sizeof(part))
			n = sizeof(part) - 1;
		memcpy(part, p, n);
		part[n] = '\0';
		print_text("", text_show(shown, sizeof(shown), part), out);
		p += n;
	}
	fputc('\'', out);
}

static void print_words(char *const *words, FILE *out)
{
	for (; words && *words; words++)
		print_word(*words, out);
	fputc('\n', out);
}

/* The shares of one kind, below a heading that is left out without them. */
static void print_shares(const struct plan *p, enum share_use use,
			 const char *heading, FILE *out)
{
	for (size_t i = 0; i < p->n_shares; i++) {
		const struct plan_share *s = &p->shares[i];

		if (s->use != use)
			continue;
		fputs(heading, out);
		heading = "";
		print_text(s->rw ? "  rw " : "  ro ", s->src, out);
		print_text(" at ", s->dst, out);
		fputc('\n', out);
		if (s->n_hidden)
			fprintf(out, "     without %zu mounts inside of it\n",
				s->n_hidden);
	}
}

static int print_grants(const struct plan *p, const struct dryrun_extra *x,
			FILE *out, struct err *e)
{
	fputs("\nshared, with an entry in the ACLs for the VM's uid\n", out);
	for (size_t i = 0; i < p->n_shares; i++) {
		const struct plan_share *s = &p->shares[i];
		struct grant_stats g;

		if (s->use != SHARE_PERSON)
			continue;
		if (survey(p, x, s, &g, e))
			return -1;
		print_text(s->rw ? "  rw " : "  ro ", s->src, out);
		print_text(" at ", s->dst, out);
		fprintf(out, ": %llu ACLs to edit on %llu names\n",
			(unsigned long long)g.edited,
			(unsigned long long)g.seen);
	}
	print_shares(p, SHARE_PLAIN,
		     "\nshared with your own rights, by a "
		     "server of its own (no ACLs there)\n",
		     out);
	print_shares(p, SHARE_OPEN, "\nshared as it is, read-only\n", out);
	return 0;
}

static void print_mount(const struct launch_mount *m, FILE *out)
{
	fprintf(out, "  %-5s %-2s", kind_name(m->kind),
		m->kind == LAUNCH_SYMLINK ? ""
		: m->readonly		  ? "ro"
					  : "rw");
	print_text(" ", m->dst, out);
	switch (m->kind) {
	case LAUNCH_SHARE:
		print_text(" from ", m->share, out);
		break;
	case LAUNCH_SYMLINK:
		print_text(" to ", m->target, out);
		break;
	case LAUNCH_DISK:
		fprintf(out, " disk %u, mode %04o", (unsigned)m->disk,
			(unsigned)m->mode);
		break;
	case LAUNCH_TMPFS:
		fprintf(out, " mode %04o", (unsigned)m->mode);
		break;
	}
	fputc('\n', out);
}

static void print_cards(const struct plan *p, FILE *out)
{
	char shown[PUBLISH_TEXT];

	for (size_t i = 0; i < p->n_nics; i++)
		if (p->nics[i].fd >= 0)
			fprintf(out, "  network card at descriptor %d, a %s\n",
				p->nics[i].fd, link_name(p->nics[i].link));
	if (plan_has_pci(p))
		fprintf(out, "  PCI device %s as network card, %s\n",
			p->pci.device.address, p->pci.node);
	if (p->net) {
		fprintf(out, "  network card of network %s,", p->net);
		print_text(" with the ruleset ", p->net_file, out);
		print_text(", through ", p->net_way, out);
		fprintf(out, ", bridge VMs: %s\n", p->net_bridge);
	}
	for (size_t i = 0; i < p->opt->n_publish; i++)
		fprintf(out, "  %s of this machine leads to port %u\n",
			publish_text(shown, &p->opt->publish[i]),
			p->opt->publish[i].guest);
}

static void print_record(const struct plan *p, FILE *out)
{
	fputs("\nguest\n  command", out);
	print_words(p->opt->argv, out);
	if (p->firewall)
		fprintf(out, "  nft's input, %zu bytes\n", strlen(p->firewall));
	print_text("  in ", p->cwd, out);
	print_text(", home ", p->home, out);
	print_text(", shell ", p->shell, out);
	print_text(", host name ", p->hostname, out);
	fprintf(out, "\n  %s%s\n",
		p->terminal ? "with a terminal" : "with three streams",
		p->opt->restricted ? ", restricted in its system calls" : "");
	for (char **row = p->before; row && *row; row++) {
		print_text("  beside it ", *row, out);
		fputc('\n', out);
	}
	for (char **row = p->env; row && *row; row++) {
		print_text("  env ", *row, out);
		fputc('\n', out);
	}
	for (char **row = p->opt->devices; row && *row; row++) {
		print_text("  device ", *row, out);
		fputc('\n', out);
	}
	print_cards(p, out);
	for (size_t i = 0; i < p->n_sockets; i++) {
		print_text("  socket ", p->sockets[i].src, out);
		print_text(" at ", p->sockets[i].dst, out);
		fputc('\n', out);
	}
}

static int print_all(const struct plan *p, const struct dryrun_extra *x,
		     FILE *out, struct err *e)
{
	const struct state_range *r = x->range;
	char size[32];

	if (x->known)
		fprintf(out,
			"identity\n  uid and gid: %u and %u, alias %s has "
			"them\n",
			(unsigned)r->uid_first, (unsigned)r->gid_first,
			p->opt->alias);
	else
		fprintf(out,
			"identity\n  uid and gid: a pair not used before, from "
			"%u and %u on (%u of them)\n",
			(unsigned)r->uid_first, (unsigned)r->gid_first,
			(unsigned)r->count);
	if (p->opt->profile_used) {
		print_text("\nprofile\n  ", p->opt->profile_used, out);
		fputc('\n', out);
	}
	if (p->opt->alias_used) {
		print_text("\noptions of the alias\n  ", p->opt->alias_used,
			   out);
		fputc('\n', out);
	}
	if (print_grants(p, x, out, e))
		return -1;
	fprintf(out, "\nmachine\n  %s, %u processor(s), %s\n",
		accel_name(p->accel), p->cpus,
		text_bytes(size, sizeof(size), p->mem));
	print_text("  kernel ", p->kernel, out);
	print_text("\n  initramfs ", p->initramfs, out);
	for (size_t i = 0; i < p->n_disks; i++) {
		fprintf(out, "\n  disk %zu, %s", i,
			text_bytes(size, sizeof(size), p->disks[i].size));
		print_text(" at ", p->disks[i].dst, out);
	}
	fputc('\n', out);
	if (p->opt->qemu_args) {
		fputs("  UNSAFE --qemu-arg:", out);
		print_words(p->opt->qemu_args, out);
	}
	fputs("\nprograms\n", out);
	for (size_t i = 0; i < x->setup->n_members; i++) {
		print_text("  ", x->setup->members[i].name, out);
		fputc(':', out);
		print_words(x->setup->members[i].argv, out);
	}
	fputs("\nmounts in the guest\n", out);
	for (size_t i = 0; i < p->n_mounts; i++)
		print_mount(&p->mounts[i], out);
	print_record(p, out);
	return 0;
}

static struct json *json_share(const struct plan_share *s)
{
	struct json *j = json_new_object();

	json_set_str(j, "source", s->src);
	json_set_str(j, "destination", s->dst);
	json_set_str(j, "name", s->name);
	json_set_str(j, "access", s->rw ? "rw" : "ro");
	json_set_str(j, "type", s->file ? "file" : "directory");
	json_set_bool(j, "system", s->system);
	json_set_bool(j, "plain", s->use == SHARE_PLAIN);
	json_set_int(j, "hidden_mounts", (int64_t)s->n_hidden);
	return j;
}

static int json_shares(const struct plan *p, const struct dryrun_extra *x,
		       struct json *to, struct err *e)
{
	struct json *shares = json_new_array();

	json_set(to, "shares", shares);
	for (size_t i = 0; i < p->n_shares; i++) {
		const struct plan_share *s = &p->shares[i];
		struct json *j = json_share(s);
		struct grant_stats g;

		json_add(shares, j);
		json_set_bool(j, "grant", s->use == SHARE_PERSON);
		if (s->use != SHARE_PERSON)
			continue;
		if (survey(p, x, s, &g, e))
			return -1;
		json_set_int(j, "acls_seen", (int64_t)g.seen);
		json_set_int(j, "acls_to_edit", (int64_t)g.edited);
	}
	return 0;
}

static struct json *json_mount(const struct launch_mount *m)
{
	struct json *j = json_new_object();

	json_set_str(j, "kind", kind_name(m->kind));
	json_set_str(j, "destination", m->dst);
	json_set_bool(j, "readonly", m->readonly);
	switch (m->kind) {
	case LAUNCH_SHARE:
		json_set_str(j, "share", m->share);
		break;
	case LAUNCH_SYMLINK:
		json_set_str(j, "target", m->target);
		break;
	case LAUNCH_DISK:
		json_set_int(j, "disk", m->disk);
		json_set_int(j, "mode", m->mode);
		break;
	case LAUNCH_TMPFS:
		json_set_int(j, "mode", m->mode);
		break;
	}
	return j;
}

static void json_machine(const struct plan *p, struct json *to)
{
	struct json *j = json_new_object(), *disks = json_new_array();

	json_set_str(j, "accel", accel_name(p->accel));
	json_set_int(j, "cpus", p->cpus);
	json_set_int(j, "memory", (int64_t)p->mem);
	json_set_str(j, "kernel", p->kernel);
	json_set_str(j, "initramfs", p->initramfs);
	for (size_t i = 0; i < p->n_disks; i++) {
		struct json *d = json_new_object();

		json_set_str(d, "destination", p->disks[i].dst);
		json_set_int(d, "size", (int64_t)p->disks[i].size);
		json_add(disks, d);
	}
	json_set(j, "disks", disks);
	json_set_strv(j, "unsafe_qemu_args", p->opt->qemu_args);
	json_set(to, "machine", j);
}

static struct json *json_publish(const struct options *o)
{
	struct json *ports = json_new_array();
	char shown[PUBLISH_TEXT];

	for (size_t i = 0; i < o->n_publish; i++) {
		struct json *j = json_new_object();

		json_set_str(j, "host", publish_text(shown, &o->publish[i]));
		json_set_int(j, "guest", o->publish[i].guest);
		json_add(ports, j);
	}
	return ports;
}

static struct json *json_nics(const struct plan *p)
{
	struct json *nics = json_new_array();

	for (size_t i = 0; i < p->n_nics; i++) {
		struct json *j = json_new_object();

		if (p->nics[i].fd >= 0) {
			json_set_int(j, "fd", p->nics[i].fd);
			json_set_str(j, "link", link_name(p->nics[i].link));
		} else if (p->nics[i].link == LINK_PCI) {
			json_set_str(j, "link", link_name(LINK_PCI));
			json_set_str(j, "pci", p->pci.device.address);
			json_set_str(j, "node", p->pci.node);
		} else {
			json_set_str(j, "network", p->net);
			json_set_str(j, "ruleset", p->net_file);
			json_set_str(j, "uplink", p->net_way);
			json_set_str(j, "bridge", p->net_bridge);
			json_set(j, "publish", json_publish(p->opt));
		}
		json_add(nics, j);
	}
	return nics;
}

static struct json *json_sockets(const struct plan *p)
{
	struct json *sockets = json_new_array();

	for (size_t i = 0; i < p->n_sockets; i++) {
		struct json *j = json_new_object();

		json_set_str(j, "source", p->sockets[i].src);
		json_set_str(j, "destination", p->sockets[i].dst);
		json_add(sockets, j);
	}
	return sockets;
}

static void json_guest(const struct plan *p, struct json *to)
{
	struct json *j = json_new_object(), *mounts = json_new_array();

	json_set_strv(j, "argv", p->opt->argv);
	json_set_strv(j, "env", p->env);
	json_set_strv(j, "devices", p->opt->devices);
	json_set(j, "sockets", json_sockets(p));
	json_set(j, "nics", json_nics(p));
	json_set_str(j, "cwd", p->cwd);
	json_set_str(j, "home", p->home);
	json_set_str(j, "shell", p->shell);
	json_set_str(j, "hostname", p->hostname);
	json_set_bool(j, "terminal", p->terminal);
	json_set_bool(j, "restricted", p->opt->restricted);
	json_set_strv(j, "before", p->before);
	for (size_t i = 0; i < p->n_mounts; i++)
		json_add(mounts, json_mount(&p->mounts[i]));
	json_set(j, "mounts", mounts);
	json_set(to, "guest", j);
}

static int print_json(const struct plan *p, const struct dryrun_extra *x,
		      FILE *out, struct err *e)
{
	struct json *all = json_new_object(), *id = json_new_object();
	struct json *programs = json_new_object();
	int ret;

	json_set_int(id, "uid_first", x->range->uid_first);
	json_set_int(id, "gid_first", x->range->gid_first);
	json_set_int(id, "count", x->range->count);
	json_set_bool(id, "new", !x->known);
	json_set(all, "identity", id);
	json_set_str(all, "profile", p->opt->profile_used);
	json_set_str(all, "alias_file", p->opt->alias_used);
	ret = json_shares(p, x, all, e);
	json_machine(p, all);
	for (size_t i = 0; i < x->setup->n_members; i++)
		json_set_strv(programs, x->setup->members[i].name,
			      x->setup->members[i].argv);
	json_set(all, "programs", programs);
	json_guest(p, all);
	if (!ret && json_print(all, JSON_PRETTY, out))
		ret = err_set(e, errno, "cannot print the plan");
	json_free(all);
	return ret;
}

int dryrun_print(const struct plan *p, const struct dryrun_extra *x,
		 enum opt_format format, FILE *out, struct err *e)
{
	int ret = 0;

	switch (format) {
	case FORMAT_TEXT:
		ret = print_all(p, x, out, e);
		break;
	case FORMAT_JSON:
		ret = print_json(p, x, out, e);
		break;
	}
	if (!ret && (fflush(out) || ferror(out)))
		ret = err_set(e, errno, "cannot print the plan");
	return ret;
}

int dryrun(const struct plan *p, const struct tools *t,
	   const struct state_range *range, bool known, struct err *e)
{
	struct setup setup;
	struct dryrun_extra x = {
		.range = range, .known = known, .setup = &setup};
	int ret;

	if (sandbox_setup(p, t, range->uid_first, range->gid_first, &setup, e))
		return -1;
	ret = dryrun_print(p, &x, p->opt->format, stdout, e);
	setup_free(&setup);
	return ret;
}
