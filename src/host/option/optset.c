/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The checks of single values: what the rows of optset_table do.  Part of
 * vmrun. */
#include "host/option/optset.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/own.h"
#include "host/net/netproto.h"
#include "host/net/ruleset.h"
#include "host/text.h"
#include "wire/launch.h"

#include <fcntl.h>
#include <string.h>

#define MIB (1024u * 1024)

/* Where in struct options a row's value goes. */
static void *at(void *ctx, const struct opt *o)
{
	struct optset *s = ctx;

	return (char *)s->o + o->at;
}

static const char *home_of(void *ctx)
{
	return ((struct optset *)ctx)->home;
}

static int bad(struct err *e, const char *value, const char *want)
{
	char shown[TEXT_SHOWN];

	return err_set(e, 0, "\"%s\" is not %s",
		       text_show(shown, sizeof(shown), value), want);
}

int optset_flag(void *ctx, const struct opt *o, const char *value,
		struct err *e)
{
	(void)e;
	*(bool *)at(ctx, o) = !strcmp(value, "true");
	return 0;
}

int optset_count(void *ctx, const struct opt *o, const char *value,
		 struct err *e)
{
	unsigned *n = at(ctx, o);

	(void)e;
	*n = strcmp(value, "true") ? 0 : *n + 1;
	return 0;
}

static int replace(char **to, char *value)
{
	if (!value)
		return -1;
	free(*to);
	*to = value;
	return 0;
}

/* A host path, or a name: `~/` is expanded, no more is asked of it here. */
int optset_path(void *ctx, const struct opt *o, const char *value,
		struct err *e)
{
	if (!*value)
		return err_set(e, 0, "the path is empty");
	return replace(at(ctx, o), path_tilde(value, home_of(ctx), e));
}

int optset_clean_path(void *ctx, const char *value, char **clean, struct err *e)
{
	own_free char *path = path_tilde(value, home_of(ctx), e);

	if (!path)
		return -1;
	return path_clean(path, clean, e);
}

int optset_guest_path(void *ctx, const struct opt *o, const char *value,
		      struct err *e)
{
	char *clean = NULL;

	if (optset_clean_path(ctx, value, &clean, e))
		return -1;
	return replace(at(ctx, o), clean);
}

int optset_name(void *ctx, const struct opt *o, const char *value,
		struct err *e)
{
	if (!text_is_name(value)) {
		bad(e, value, "a name");
		return err_hint(e, "a name is a letter or digit, then at most "
				   "63 letters, digits, \".\", \"_\", \"-\"");
	}
	return replace(at(ctx, o), text_dup(value, e));
}

int optset_net(void *ctx, const struct opt *o, const char *value, struct err *e)
{
	if (strcmp(value, "none") != 0 &&
	    (!ruleset_is_name(value) || strlen(value) > NET_NAME_MAX)) {
		bad(e, value, "none or the name of a ruleset");
		return err_hint(e, "`vmrunctl net list` shows those that are "
				   "there");
	}
	return replace(at(ctx, o), text_dup(value, e));
}

int optset_publish(void *ctx, const struct opt *o, const char *value,
		   struct err *e)
{
	struct options *to = ((struct optset *)ctx)->o;
	struct publish p;

	(void)o;
	if (publish_parse(&p, value, e))
		return -1;
	return publish_add(to->publish, &to->n_publish, &p, e);
}

static int set_list(void *ctx, const struct opt *o, const char *value,
		    struct err *e)
{
	return text_add(at(ctx, o), value, e);
}

int optset_nonempty(void *ctx, const struct opt *o, const char *value,
		    struct err *e)
{
	if (!*value || strchr(value, '\n'))
		return bad(e, value, "one line of text");
	return set_list(ctx, o, value, e);
}

/* One more host path of a list. */
int optset_paths(void *ctx, const struct opt *o, const char *value,
		 struct err *e)
{
	own_free char *path = NULL;

	if (!*value)
		return err_set(e, 0, "the path is empty");
	path = path_tilde(value, home_of(ctx), e);
	return path ? set_list(ctx, o, path, e) : -1;
}

int optset_env(void *ctx, const struct opt *o, const char *value, struct err *e)
{
	if (!*value || *value == '=')
		return bad(e, value, "NAME=VALUE or NAME");
	return set_list(ctx, o, value, e);
}

int optset_path_add(void *ctx, const struct opt *o, const char *value,
		    struct err *e)
{
	size_t n = strcspn(value, "=");
	own_free char *dir = NULL, *row = NULL;

	if (!n || !value[n])
		return bad(e, value, "VAR=DIR");
	if (optset_clean_path(ctx, value + n + 1, &dir, e))
		return -1;
	if (strchr(dir, ':')) {
		bad(e, dir, "a directory that a search path can name");
		return err_hint(e, "\":\" separates the entries of a search "
				   "path");
	}
	row = text_fmt(e, "%.*s=%s", (int)n, value, dir);
	return row ? set_list(ctx, o, row, e) : -1;
}

int optset_device(void *ctx, const struct opt *o, const char *value,
		  struct err *e)
{
	own_free char *abs = NULL, *clean = NULL;

	if (!strncmp(value, "/dev/", 5))
		value += 5;
	abs = text_fmt(e, "/%s", value);
	if (!abs)
		return -1;
	if (!*value || *value == '/' || strlen(value) > LAUNCH_NAME_MAX ||
	    path_clean(abs, &clean, e) || strcmp(abs, clean)) {
		bad(e, value, "the name of a device");
		return err_hint(e, "write it without /dev/: fuse, net/tun");
	}
	return set_list(ctx, o, value, e);
}

int optset_cpus(void *ctx, const struct opt *o, const char *value,
		struct err *e)
{
	uint64_t n;

	if (text_number(value, 4096, &n) || !n)
		return bad(e, value, "a number of processors from 1 on");
	*(unsigned *)at(ctx, o) = (unsigned)n;
	return 0;
}

int optset_mem(void *ctx, const struct opt *o, const char *value, struct err *e)
{
	uint64_t n;

	if (text_size(value, MIB, &n)) {
		bad(e, value, "a size");
		return err_hint(e, "a number of MiB, or with suffix: 512M, 2G");
	}
	if (n < 128 * (uint64_t)MIB)
		return err_set(e, 0,
			       "%s is too little; a guest needs at least 128M",
			       value);
	*(uint64_t *)at(ctx, o) = n;
	return 0;
}

int optset_timeout(void *ctx, const struct opt *o, const char *value,
		   struct err *e)
{
	uint64_t ms;

	/* Deadlines are computed in nanoseconds; ten years fit easily. */
	if (text_duration(value, &ms) || ms > UINT64_C(315360000000)) {
		bad(e, value, "a duration");
		return err_hint(e, "a number of seconds, or with suffix: "
				   "500ms, 30s, 5m, 1h, 2d");
	}
	*(uint64_t *)at(ctx, o) = ms;
	return 0;
}

/* One of the words at `names` (NULL-terminated) as its index. */
static int choose(const char *const *names, const char *value, unsigned *i)
{
	for (*i = 0; names[*i]; ++*i) {
		if (!strcmp(names[*i], value))
			return 0;
	}
	return -1;
}

int optset_accel(void *ctx, const struct opt *o, const char *value,
		 struct err *e)
{
	static const char *const names[] = {"auto", "kvm", "tcg", NULL};
	static const enum opt_accel values[] = {ACCEL_AUTO, ACCEL_KVM,
						ACCEL_TCG};
	unsigned i;

	if (choose(names, value, &i))
		return bad(e, value, "auto, kvm or tcg");
	*(enum opt_accel *)at(ctx, o) = values[i];
	return 0;
}

int optset_format(void *ctx, const struct opt *o, const char *value,
		  struct err *e)
{
	static const char *const names[] = {"text", "json", NULL};
	static const enum opt_format values[] = {FORMAT_TEXT, FORMAT_JSON};
	unsigned i;

	if (choose(names, value, &i))
		return bad(e, value, "text or json");
	*(enum opt_format *)at(ctx, o) = values[i];
	return 0;
}

int optset_tty(void *ctx, const struct opt *o, const char *value, struct err *e)
{
	enum opt_tty if_true = o->letter == 't' ? TTY_YES : TTY_NO;

	(void)e;
	*(enum opt_tty *)at(ctx, o) =
		strcmp(value, "true") ? TTY_AUTO : if_true;
	return 0;
}

int optset_open_fd(const char *value, int *fd, struct err *e)
{
	uint64_t n;

	if (text_number(value, 1000000, &n) || n < 3) {
		bad(e, value, "a descriptor from 3 on");
		return err_hint(e, "0, 1 and 2 are the command's own streams");
	}
	if (fcntl((int)n, F_GETFD) < 0) {
		err_set(e, 0, "descriptor %d is not open", (int)n);
		return err_hint(e,
				"open it for vmrun, in a shell: "
				"vmrun ... %d>FILE",
				(int)n);
	}
	*fd = (int)n;
	return 0;
}

int optset_fd(void *ctx, const struct opt *o, const char *value, struct err *e)
{
	return optset_open_fd(value, at(ctx, o), e);
}

int optset_notify_fd(void *ctx, const struct opt *o, const char *value,
		     struct err *e)
{
	uint64_t n;

	if (text_number(value, CTL_READY_FD_MAX, &n) || n < CTL_READY_FD_MIN)
		return bad(e, value, "a descriptor from 3 to 900");
	*(unsigned *)at(ctx, o) = (unsigned)n;
	return 0;
}

/*
 * Splits at the first ":" that no backslash precedes; `\:` and `\\` become ":"
 * and "\", a backslash before anything else stands for itself.  *second is
 * NULL without a ":".
 */
int optset_split(char *text, char **second, struct err *e)
{
	char *to = text;

	*second = NULL;
	for (const char *p = text; *p; p++) {
		if (p[0] == '\\' && (p[1] == ':' || p[1] == '\\')) {
			*to++ = *++p;
		} else if (*p == ':') {
			if (*second) {
				err_set(e, 0, "there is more than one \":\"");
				return err_hint(e, "write \"\\:\" for one that "
						   "belongs to a path");
			}
			*to++ = '\0';
			*second = to;
		} else {
			*to++ = *p;
		}
	}
	*to = '\0';
	return 0;
}

static int add_share(struct options *o, struct opt_share *s, struct err *e)
{
	struct opt_share *more =
		reallocarray(o->shares, o->n_shares + 1, sizeof(*more));

	if (!more)
		return err_set(e, ENOMEM, "no memory for a list");
	o->shares = more;
	o->shares[o->n_shares++] = *s;
	return 0;
}

int optset_share(void *ctx, const struct opt *o, const char *value,
		 struct err *e)
{
	struct optset *s = ctx;
	own_free char *text = text_dup(value, e);
	own_free char *src = NULL, *dst = NULL;
	struct opt_share share = {0};
	char *second;

	if (!text || optset_split(text, &second, e))
		return -1;
	if (!*text)
		return err_set(e, 0, "the source is empty");
	if (second && !*second)
		return err_set(e, 0, "the place in the guest is empty");
	src = path_tilde(text, s->home, e);
	if (!src)
		return -1;
	if (second ? optset_clean_path(ctx, second, &dst, e)
		   : !(dst = text_dup("", e)))
		return -1;
	share.kind = o->name[1] == 'w' ? OPT_RW : OPT_RO;
	share.try = !!strstr(o->name, "-try");
	share.src = src;
	share.dst = dst;
	if (add_share(s->o, &share, e))
		return -1;
	src = dst = NULL;
	return 0;
}

int optset_tmp(void *ctx, const struct opt *o, const char *value, struct err *e)
{
	struct optset *s = ctx;
	own_free char *text = text_dup(value, e);
	own_free char *src = NULL, *dst = NULL;
	struct opt_share share = {.kind = OPT_TMP};
	char *second;

	(void)o;
	if (!text || optset_split(text, &second, e))
		return -1;
	if (second && text_size(second, MIB, &share.size)) {
		bad(e, second, "a size");
		return err_hint(e, "a number of MiB, or with suffix: 512M, 2G");
	}
	if (second && share.size < 16 * (uint64_t)MIB)
		return err_set(e, 0, "%s is too small; the least is 16M",
			       second);
	src = text_dup("", e);
	if (!src || optset_clean_path(ctx, text, &dst, e))
		return -1;
	share.src = src;
	share.dst = dst;
	if (add_share(s->o, &share, e))
		return -1;
	src = dst = NULL;
	return 0;
}

static void args_free(struct optset_args *a)
{
	if (a) {
		free(a->text);
		free(a->words);
		free(a);
	}
}

/* The descriptor's bytes as words, each ended by a NUL. */
static int read_args(int fd, struct optset_args **out, struct err *e)
{
	struct optset_args *a = calloc(1, sizeof(*a));
	size_t words = 0, i = 0;
	ssize_t n = -1;

	if (a)
		a->text = malloc(OPTSET_ARGS_MAX + 1);
	if (a && a->text)
		n = io_read_full(fd, a->text, OPTSET_ARGS_MAX + 1);
	if (n < 0) {
		err_set(e, errno, "cannot read descriptor %d", fd);
		args_free(a);
		return -1;
	}
	if (n > (ssize_t)OPTSET_ARGS_MAX || (n && a->text[n - 1])) {
		args_free(a);
		return err_set(e, 0,
			       "descriptor %d does not hold words that end "
			       "with a NUL, at most 1 MiB of them",
			       fd);
	}
	for (const char *p = a->text; p < a->text + n; p += strlen(p) + 1)
		words++;
	a->words = calloc(words + 1, sizeof(*a->words));
	if (!a->words) {
		args_free(a);
		return err_set(e, ENOMEM, "no memory for a list");
	}
	for (char *p = a->text; p < a->text + n; p += strlen(p) + 1)
		a->words[i++] = p;
	*out = a;
	return 0;
}

int optset_args(void *ctx, const struct opt *o, const char *value,
		struct err *e)
{
	struct optset *s = ctx;
	struct optset_args *a;
	int fd, used, failed;

	(void)o;
	if (s->in_args)
		return err_set(e, 0, "--args cannot be used inside of --args");
	if (!*s->next_args) {
		if (optset_open_fd(value, &fd, e) ||
		    read_args(fd, s->next_args, e))
			return -1;
		close(fd);
	}
	a = *s->next_args;
	s->next_args = &a->next;
	s->in_args = true;
	failed = opt_parse(optset_table, a->words, s, &used, e);
	s->in_args = false;
	if (failed)
		return -1;
	if (a->words[used])
		return bad(e, a->words[used], "an option");
	return 0;
}

/*
 * --help and --version end the parsing: what follows need not be right.  They
 * are told apart from errors by options.c, through show_help and show_version.
 */
int optset_show(void *ctx, const struct opt *o, const char *value,
		struct err *e)
{
	optset_flag(ctx, o, value, e);
	return err_set(e, 0, "nothing more is to be read");
}

void optset_defaults(struct options *o)
{
	memset(o, 0, sizeof(*o));
	o->status_fd = -1;
	o->ready_fd = -1;
}

void optset_done(struct optset *s)
{
	while (s->args) {
		struct optset_args *next = s->args->next;

		args_free(s->args);
		s->args = next;
	}
}
