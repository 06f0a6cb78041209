/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The command line, the alias's file, the profile and vmrun.conf, merged.  Part
 * of vmrun; reads its own configuration and nothing else.
 *
 * The command line is parsed twice: first alone, to know the profile, the alias
 * and the command, then once more on top of what the files said, so that it
 * wins.
 */
#include "host/option/options.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "host/option/config.h"
#include "host/option/optset.h"
#include "host/text.h"

#include <stdio.h>
#include <string.h>

static int copy_command(char *const *words, struct options *o, struct err *e)
{
	char **to;

	o->argv = calloc(strv_len(words) + 1, sizeof(*o->argv));
	if (!o->argv)
		return err_set(e, ENOMEM, "no memory for a list");
	for (to = o->argv; *words; words++, to++) {
		*to = text_dup(*words, e);
		if (!*to)
			return -1;
	}
	return 0;
}

/* One reading of the command line.  *used is left alone after --help. */
static int parse_words(struct optset *s, char *const *words, int *used,
		       struct err *e)
{
	const struct err none = ERR_INIT;
	int ret;

	s->next_args = &s->args;
	ret = opt_parse(optset_table, words, s, used, e);
	if (ret && (s->o->show_help || s->o->show_version)) {
		*e = none;
		return 0;
	}
	return ret;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int load_defaults(struct optset *s, const char *const *dirs,
			 struct err *e)
{
	for (; *dirs; dirs++) {
		own_free char *path = path_join(*dirs, "vmrun.conf", e);
		int ret;

		if (!path)
			return -1;
		ret = config_load(path, optset_table, s, e);
		if (ret)
			return ret < 0 ? -1 : 0;
	}
	return 0;
}

static int no_such_profile(const char *name, const char *const *dirs,
			   struct err *e)
{
	char places[ERR_HINT_MAX] = "";
	size_t n = 0;

	for (; *dirs && n < sizeof(places); dirs++)
		n += (size_t)snprintf(places + n, sizeof(places) - n, "%s%s",
				      n ? ", " : "", *dirs);
	err_set(e, 0, "there is no profile \"%s\"", name);
	return err_hint(e, "looked for profiles/%s.conf in %s", name,
			places[0] ? places : "no place at all");
}

/* DIR/KIND/NAME.conf of the first folder that has it; *used says which. */
static int load_named(struct optset *s, const char *kind, const char *name,
		      const char *const *dirs, char **used, struct err *e)
{
	for (; *dirs; dirs++) {
		own_free char *path =
			text_fmt(e, "%s/%s/%s.conf", *dirs, kind, name);
		int ret;

		if (!path)
			return -1;
		ret = config_load(path, optset_table, s, e);
		if (ret < 0)
			return -1;
		if (ret) {
			*used = steal_ptr(&path);
			return 0;
		}
	}
	return 0;
}

static int load_profile(struct optset *s, const struct options *first,
			const char *const *dirs, struct err *e)
{
	const char *name = first->profile;

	if (!name && text_is_name(base_name(first->argv[0])))
		name = base_name(first->argv[0]);
	if (!name || first->no_profile)
		return 0;
	if (load_named(s, "profiles", name, dirs, &s->o->profile_used, e))
		return -1;
	return first->profile && !s->o->profile_used
		       ? no_such_profile(name, dirs, e)
		       : 0;
}

/* What belongs to an alias, however it was named; it names no other one. */
static int load_alias(struct optset *s, const struct options *first,
		      const char *const *dirs, struct err *e)
{
	own_free char *named = steal_ptr(&s->o->alias);
	const char *name = first->alias ? first->alias : named;

	if (!name)
		return 0;
	if (load_named(s, "aliases", name, dirs, &s->o->alias_used, e))
		return -1;
	if (s->o->alias)
		return err_set(e, 0,
			       "%s: an alias's own file cannot set "
			       "\"alias\"",
			       s->o->alias_used);
	s->o->alias = steal_ptr(&named);
	return 0;
}

/* What is shown as the command of a run that has none. */
static char *const firewall_words[] = {(char *)(uintptr_t) "firewall", NULL};

/* Files, then the command line again on top of them.  What they say is for
 * applications: a firewall has the command line alone. */
static int merge(struct optset *s, const struct options *first,
		 char *const *words, const char *const *dirs, struct err *e)
{
	bool firewall = first->firewall_fd > 0;
	int used = 0;

	if (!firewall &&
	    (load_defaults(s, dirs, e) || load_profile(s, first, dirs, e) ||
	     load_alias(s, first, dirs, e)))
		return -1;
	if (parse_words(s, words, &used, e))
		return -1;
	if (firewall ? optset_check_firewall(s->o, e)
		     : optset_check_pci(s->o, e))
		return -1;
	if (s->o->verify && !s->o->alias)
		return err_set(e, 0, "--verify goes with --alias");
	if (s->o->home && !s->o->alias) {
		err_set(e, 0,
			"--home goes with --alias: it is kept under "
			"that name");
		return err_hint(e, "give the VM a name: --alias NAME");
	}
	return copy_command(firewall ? firewall_words : words + used, s->o, e);
}

/* The command line alone: is it right by itself, and what does it want? */
static int look_ahead(struct optset *s, char *const *words, struct err *e)
{
	int used = 0;

	if (parse_words(s, words, &used, e))
		return -1;
	if (s->o->show_help || s->o->show_version)
		return copy_command((char *const[]){NULL}, s->o, e);
	if (s->o->profile && s->o->no_profile)
		return err_set(e, 0,
			       "--profile and --no-profile exclude each other");
	if (s->o->firewall_fd > 0) {
		if (words[used])
			return err_set(e, 0,
				       "--firewall runs no command, and there "
				       "is one");
		return copy_command(firewall_words, s->o, e);
	}
	if (!words[used] || !*words[used]) {
		err_set(e, 0, "there is no command to run");
		return err_hint(e, "vmrun [OPTION]... [--] COMMAND [ARG]...");
	}
	return copy_command(words + used, s->o, e);
}

int options_parse(struct options *o, int argc, char *const *argv,
		  const char *home, const char *const *config_dirs,
		  struct err *e)
{
	static char *const none[] = {NULL};
	char *const *words = argc > 0 ? argv + 1 : none;
	struct options first;
	struct optset s = {.o = &first, .home = home};
	int ret, status_fd;

	optset_defaults(&first);
	optset_defaults(o);
	ret = look_ahead(&s, words, e);
	if (!ret && (first.show_help || first.show_version)) {
		*o = first;
		optset_done(&s);
		return 0;
	}
	if (!ret) {
		s.o = o;
		ret = merge(&s, &first, words, config_dirs, e);
		/* The two say one thing, and the command line wins. */
		o->quiet = o->quiet && (first.quiet || !first.verbose);
	}
	status_fd = first.status_fd;
	options_free(&first);
	optset_done(&s);
	if (ret) {
		options_free(o);
		o->status_fd = status_fd;
	}
	return ret;
}

void options_free(struct options *o)
{
	for (size_t i = 0; i < o->n_shares; i++) {
		free(o->shares[i].src);
		free(o->shares[i].dst);
	}
	free(o->shares);
	for (size_t i = 0; i < o->n_sockets; i++) {
		free(o->sockets[i].src);
		free(o->sockets[i].dst);
	}
	free(o->sockets);
	free(o->clipboard);
	strv_free(o->wayland_allow);
	strv_free(o->wayland_deny);
	strv_free(o->env);
	strv_free(o->path_add);
	strv_free(o->devices);
	strv_free(o->include_keys);
	strv_free(o->qemu_args);
	strv_free(o->append);
	free(o->net);
	free(o->root);
	free(o->image);
	free(o->cwd);
	free(o->kernel);
	free(o->alias);
	free(o->profile);
	free(o->profile_used);
	free(o->alias_used);
	strv_free(o->argv);
	optset_defaults(o);
}

void options_help(void)
{
	puts("Usage: vmrun [OPTION]... [--] COMMAND [ARG]...\n"
	     "Runs COMMAND in a virtual machine of its own, which sees what "
	     "the options name\nand nothing else.");
	opt_help(optset_table, stdout);
	puts("\nSizes take the suffixes K, M, G and T.  In a path \"\\:\" "
	     "stands for \":\".\n"
	     "Exit status: COMMAND's own; 128+N if signal N ended it; 125 "
	     "vmrun failed;\n126 COMMAND cannot be executed; 127 it was not "
	     "found; 255 the guest vanished.\n"
	     "See vmrun(1), vmrunctl(1) and vmrun-security(7).");
}
