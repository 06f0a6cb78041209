/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vmrun's option table, and what its rows write to.  For options.c only. */
#ifndef HOST_OPTSET_H
#define HOST_OPTSET_H

#include "base/opt.h"
#include "host/option/options.h"

#define OPTSET_ARGS_MAX (1024u * 1024) /* bytes of one --args descriptor */

/* The words of one --args, kept because the command line is parsed twice. */
struct optset_args {
	struct optset_args *next;
	char **words; /* NULL-terminated, pointing into text */
	char *text;
};

/* The ctx of optset_table's rows. */
struct optset {
	struct options *o;
	const char *home;		/* may be NULL: `~/` stays as it is */
	struct optset_args *args;	/* all that were read; owned */
	struct optset_args **next_args; /* the one to use next, or to append */
	bool in_args; /* an --args inside of --args is refused */
};

extern const struct opt optset_table[];

/* What a row does with its value; see struct opt. */
int optset_accel(void *ctx, const struct opt *o, const char *value,
		 struct err *e);
int optset_args(void *ctx, const struct opt *o, const char *value,
		struct err *e);
int optset_count(void *ctx, const struct opt *o, const char *value,
		 struct err *e);
int optset_cpus(void *ctx, const struct opt *o, const char *value,
		struct err *e);
int optset_device(void *ctx, const struct opt *o, const char *value,
		  struct err *e);
int optset_env(void *ctx, const struct opt *o, const char *value,
	       struct err *e);
int optset_fd(void *ctx, const struct opt *o, const char *value, struct err *e);
int optset_flag(void *ctx, const struct opt *o, const char *value,
		struct err *e);
int optset_format(void *ctx, const struct opt *o, const char *value,
		  struct err *e);
int optset_guest_path(void *ctx, const struct opt *o, const char *value,
		      struct err *e);
int optset_mem(void *ctx, const struct opt *o, const char *value,
	       struct err *e);
int optset_name(void *ctx, const struct opt *o, const char *value,
		struct err *e);
int optset_nic(void *ctx, const struct opt *o, const char *value,
	       struct err *e);
int optset_net(void *ctx, const struct opt *o, const char *value,
	       struct err *e);
int optset_publish(void *ctx, const struct opt *o, const char *value,
		   struct err *e);
int optset_nonempty(void *ctx, const struct opt *o, const char *value,
		    struct err *e);
int optset_notify_fd(void *ctx, const struct opt *o, const char *value,
		     struct err *e);
int optset_path(void *ctx, const struct opt *o, const char *value,
		struct err *e);
int optset_path_add(void *ctx, const struct opt *o, const char *value,
		    struct err *e);
int optset_share(void *ctx, const struct opt *o, const char *value,
		 struct err *e);
int optset_show(void *ctx, const struct opt *o, const char *value,
		struct err *e);
int optset_clipboard(void *ctx, const struct opt *o, const char *value,
		     struct err *e);
int optset_dbus(void *ctx, const struct opt *o, const char *value,
		struct err *e);
int optset_wrap(void *ctx, const struct opt *o, const char *value,
		struct err *e);
int optset_socket(void *ctx, const struct opt *o, const char *value,
		  struct err *e);
int optset_timeout(void *ctx, const struct opt *o, const char *value,
		   struct err *e);
int optset_paths(void *ctx, const struct opt *o, const char *value,
		 struct err *e);
int optset_tmp(void *ctx, const struct opt *o, const char *value,
	       struct err *e);
int optset_tty(void *ctx, const struct opt *o, const char *value,
	       struct err *e);

/* KEY=VALUE,... of --nic into *n; `words` is taken to pieces. */
int optset_nic_keys(struct nic *n, char *words, struct err *e);

/* --firewall: whether everything else that was asked for goes with it. */
int optset_check_firewall(const struct options *o, struct err *e);
/* --nic pci: without it. */
int optset_check_pci(const struct options *o, struct err *e);

/* A descriptor of ours that somebody left open for us; borrowed. */
int optset_open_fd(const char *value, int *fd, struct err *e);

/*
 * Splits SRC[:DST] in place at the one ":" that is not escaped, and resolves
 * the escapes; *second is NULL without one.
 */
int optset_split(char *text, char **second, struct err *e);
/* A path in the guest, `~/` expanded, absolute and clean; the caller's. */
int optset_clean_path(void *ctx, const char *value, char **clean,
		      struct err *e);

/* Defaults into *o, which holds nothing that needs freeing. */
void optset_defaults(struct options *o);
void optset_done(struct optset *s);

#endif
