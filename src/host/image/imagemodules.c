/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which modules a guest needs.  Runs in vmrunctl, as the person; the modules
 * may come from a package that nobody looked at, so all is bounded.
 */
#include "host/image/imagemodules.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/log.h"
#include "base/own.h"
#include "host/image/imageraw.h"
#include "host/image/imagestrip.h"

#include <fcntl.h>
#include <libkmod.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#define MODULE_MAX (64u * 1024 * 1024) /* bytes, packed or unpacked */
#define ALL_MAX (256u * 1024 * 1024)   /* bytes of all that are taken */
#define FILES_MAX 100000u	       /* in src */
#define ROWS_MAX 256u
#define DEPTH_MAX 16u		       /* of folders, and of dependencies */
#define BUILTIN_MAX (4u * 1024 * 1024) /* bytes of modules.builtin */

enum need { NEED_MUST, NEED_MAY };
enum found { FOUND, MISSING, FAILED };

/* clang-format off */
static const struct {
	const char *group, *module;
	enum need need;
} features[] = {
	{ "boot", "virtio_mmio", NEED_MUST },
	{ "boot", "virtio_pci", NEED_MAY },
	{ "boot", "virtio_console", NEED_MUST },
	{ "boot", "virtiofs", NEED_MUST },
	{ "net", "virtio_net", NEED_MAY },
	{ "pci", "e1000", NEED_MAY },
	{ "pci", "e1000e", NEED_MAY },
	{ "pci", "igb", NEED_MAY },
	{ "pci", "igbvf", NEED_MAY },
	{ "pci", "igc", NEED_MAY },
	{ "pci", "ixgbe", NEED_MAY },
	{ "pci", "ixgbevf", NEED_MAY },
	{ "pci", "i40e", NEED_MAY },
	{ "pci", "iavf", NEED_MAY },
	{ "pci", "r8169", NEED_MAY },
	{ "pci", "8139too", NEED_MAY },
	{ "pci", "8139cp", NEED_MAY },
	{ "pci", "tg3", NEED_MAY },
	{ "pci", "atlantic", NEED_MAY },
	{ "pci", "alx", NEED_MAY },
	{ "pci", "atl1c", NEED_MAY },
	{ "pci", "sky2", NEED_MAY },
	{ "pci", "forcedeth", NEED_MAY },
	{ "pci", "mlx4_en", NEED_MAY },
	{ "pci", "mlx5_core", NEED_MAY },
	{ "pci", "ena", NEED_MAY },
	{ "nft", "nf_tables", NEED_MAY },
	{ "nft", "nft_ct", NEED_MAY },
	{ "nft", "nft_chain_nat", NEED_MAY },
	{ "nft", "nft_nat", NEED_MAY },
	{ "nft", "nft_masq", NEED_MAY },
	{ "nft", "nft_redir", NEED_MAY },
	{ "nft", "nft_reject_inet", NEED_MAY },
	{ "nft", "nft_limit", NEED_MAY },
	{ "nft", "nft_connlimit", NEED_MAY },
	{ "nft", "nft_quota", NEED_MAY },
	{ "nft", "nft_log", NEED_MAY },
	{ "nft", "nf_log_syslog", NEED_MAY },
	{ "bridge", "nf_tables", NEED_MAY },
	{ "bridge", "nft_fwd_netdev", NEED_MAY },
	{ "bridge", "nft_limit", NEED_MAY },
	{ "bridge", "nft_log", NEED_MAY },
	{ "bridge", "nf_log_syslog", NEED_MAY },
	{ "disk", "virtio_blk", NEED_MAY },
	{ "disk", "ext4", NEED_MAY },
	{ "late", "virtio_balloon", NEED_MAY },
	{ "late", "virtio_rng", NEED_MAY },
	{ "dev:fuse", "fuse", NEED_MAY },
	{ "dev:net/tun", "tun", NEED_MAY },
	{ "dev:loop-control", "loop", NEED_MAY },
};

/* Soft dependencies name what is wanted, which is not always a module. */
static const struct {
	const char *wanted, *module;
} providers[] = {
	{ "crc32c", "crc32c_generic" },
	{ "crc32c", "crc32c_intel" },
	{ "crc32c", "crc32c_cryptoapi" },
};
/* clang-format on */

struct known {
	char *name; /* as the kernel spells it: "virtio_console" */
	char *path; /* below src */
};

struct known_list {
	struct known *v;
	size_t n;
};

struct resolver {
	struct kmod_ctx *kmod;
	int src, out;
	const char *release;
	struct known_list files, builtin;
	struct imagemodules *m;
	uint64_t bytes;
};

static void list_free(struct known_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].name);
		free(l->v[i].path);
	}
	free(l->v);
	memset(l, 0, sizeof(*l));
}

/* The length of a module's file name up to ".ko", 0 if it is no module's. */
static size_t stem(const char *file)
{
	static const char ok[] = "abcdefghijklmnopqrstuvwxyz"
				 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+";
	static const char *const ends[] = {".ko", ".ko.xz", ".ko.zst",
					   ".ko.gz"};
	size_t n = strspn(file, ok);

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (n && n < NAME_MAX - 8 && !strcmp(file + n, ends[i]))
			return n;
	return 0;
}

/* As the kernel spells names; files and dependencies use both ways. */
static void spell(char *name)
{
	for (; *name; name++)
		if (*name == '-')
			*name = '_';
}

/* Adds a file; others than modules are left out. */
static int list_add(struct known_list *l, const char *path, struct err *e)
{
	const char *file = strrchr(path, '/');
	size_t n;
	struct known *v;

	file = file ? file + 1 : path;
	n = stem(file);
	if (!n)
		return 0;
	if (l->n >= FILES_MAX)
		return err_set(e, 0, "more than %u modules", FILES_MAX);
	v = reallocarray(l->v, l->n + 1, sizeof(*v));
	if (!v)
		return err_set(e, ENOMEM, "listing modules");
	l->v = v;
	v[l->n].name = strndup(file, n);
	v[l->n].path = strdup(path);
	l->n++;
	if (!v[l->n - 1].name || !v[l->n - 1].path)
		return err_set(e, ENOMEM, "listing modules");
	spell(v[l->n - 1].name);
	return 0;
}

/* By name; of two with one name, that outside kernel/ first, as depmod has it.
 */
static int by_name(const void *a, const void *b)
{
	const struct known *x = a, *y = b;
	int r = strcmp(x->name, y->name);

	if (r == 0)
		r = !strncmp(x->path, "kernel/", 7) -
		    !strncmp(y->path, "kernel/", 7);
	return r ? r : strcmp(x->path, y->path);
}

static void list_sort(struct known_list *l)
{
	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), by_name);
}

/* The first of that name. */
static const struct known *list_find(const struct known_list *l,
				     const char *name)
{
	size_t low = 0, high = l->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(l->v[mid].name, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < l->n && !strcmp(l->v[low].name, name))
		return &l->v[low];
	return NULL;
}

/* Reads kernel/…/NAME.ko lines. */
static int read_builtin(struct resolver *r, struct err *e)
{
	struct buf b;
	char *line, *rest;
	int ret;

	buf_init(&b, BUILTIN_MAX);
	ret = io_read_file(r->src, "modules.builtin", &b, e);
	if (ret < 0)
		err_hint(e, "a folder lib/modules/RELEASE as kernels install "
			    "it has this file");
	buf_put_u8(&b, 0);
	if (ret == 0 && b.bad)
		ret = err_set(e, EFBIG, "modules.builtin");
	rest = (char *)b.data;
	while (ret == 0 && (line = strsep(&rest, "\n")))
		ret = list_add(&r->builtin, line, e);
	buf_free(&b);
	list_sort(&r->builtin);
	return ret;
}

static int walk(struct resolver *r, int dir, const char *prefix, unsigned depth,
		struct err *e);

static int walk_entry(struct resolver *r, int dir, const char *prefix,
		      const char *name, unsigned depth, struct err *e)
{
	char path[PATH_MAX];
	struct stat st;

	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return 0;
	if (snprintf(path, sizeof(path), "%s%s", prefix, name) >=
	    (int)sizeof(path) - 1)
		return err_set(e, ENAMETOOLONG, "modules");
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_set(e, errno, "reading the modules");
	if (S_ISDIR(st.st_mode)) {
		own_fd sub =
			openat(dir, name,
			       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (sub < 0)
			return err_set(e, errno, "reading the modules");
		memcpy(path + strlen(path), "/", 2);
		return walk(r, sub, path, depth + 1, e);
	}
	return S_ISREG(st.st_mode) ? list_add(&r->files, path, e) : 0;
}

/* Lists what is below dir, whose path in src is `prefix`. */
static int walk(struct resolver *r, int dir, const char *prefix, unsigned depth,
		struct err *e)
{
	own_dir d = NULL;
	own_fd fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *de;
	int ret = 0;

	if (depth > DEPTH_MAX)
		return err_set(e, 0, "modules: folders too deep");
	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d)
		return err_set(e, errno, "reading the modules");
	steal_fd(&fd);
	while (ret == 0 && (de = readdir(d)))
		ret = walk_entry(r, dir, prefix, de->d_name, depth, e);
	return ret;
}

/* Makes the unpacked module in fd smaller; *len is its length. */
static int strip_file(const struct resolver *r, int fd, const char *file,
		      uint64_t *len, struct err *e)
{
	struct buf whole, less;
	int ret;

	buf_init(&whole, MODULE_MAX);
	buf_init(&less, MODULE_MAX);
	ret = io_read_file(r->out, file, &whole, e);
	if (ret == 0 && whole.len &&
	    imagestrip_module(whole.data, whole.len, &less) == 0) {
		*len = less.len;
		if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0 ||
		    io_write_all(fd, less.data, less.len) < 0)
			ret = err_set(e, errno, "module %s", file);
	}
	buf_free(&whole);
	buf_free(&less);
	return ret;
}

/* Unpacks src's `path` as out's `file`. */
static int take_file(struct resolver *r, const char *path, const char *file,
		     struct err *e)
{
	own_fd to = openat(
		r->out, file,
		O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	uint64_t len = 0;
	struct buf b;
	int ret;

	if (to < 0)
		return err_set(e, errno, "module %s", file);
	buf_init(&b, MODULE_MAX);
	ret = io_read_file(r->src, path, &b, e);
	if (ret == 0 && !b.len)
		ret = err_set(e, 0, "module %s is empty", file);
	else if (ret == 0 &&
		 imageraw_unpack(b.data, b.len, MODULE_MAX, to, &len, e) < 0)
		ret = err_wrap(e, "module %s", path);
	buf_free(&b);
	if (ret == 0)
		ret = strip_file(r, to, file, &len, e);
	r->bytes += len;
	if (ret == 0 && r->bytes > ALL_MAX)
		ret = err_set(e, 0, "the modules are more than %u MiB",
			      ALL_MAX >> 20);
	return ret;
}

static bool listed(const struct resolver *r, const char *group,
		   const char *file)
{
	for (size_t i = 0; i < r->m->n; i++) {
		const struct imagemodules_row *row = &r->m->rows[i];

		if (!strcmp(row->file, file) &&
		    (!strcmp(row->group, group) || !strcmp(row->group, "boot")))
			return true;
	}
	return false;
}

static int add_row(struct resolver *r, const char *group, const char *file,
		   struct err *e)
{
	struct imagemodules_row *rows;

	if (r->m->n >= ROWS_MAX)
		return err_set(e, 0, "more than %u modules needed", ROWS_MAX);
	rows = reallocarray(r->m->rows, r->m->n + 1, sizeof(*rows));
	if (!rows)
		return err_set(e, ENOMEM, "listing modules");
	r->m->rows = rows;
	rows[r->m->n].group = group;
	rows[r->m->n].file = strdup(file);
	if (!rows[r->m->n].file)
		return err_set(e, ENOMEM, "listing modules");
	r->m->n++;
	return 0;
}

static enum found want(struct resolver *r, const char *group, const char *name,
		       unsigned depth, struct err *e);

/* A list of modules, each of which must be there. */
static int want_depends(struct resolver *r, const char *group, const char *list,
			unsigned depth, struct err *e)
{
	own_free char *copy = strdup(list);
	char *rest = copy;
	char *name, shown[64];

	if (!copy)
		return err_set(e, ENOMEM, "listing modules");
	spell(copy);
	while ((name = strsep(&rest, ", "))) {
		enum found f = *name ? want(r, group, name, depth, e) : FOUND;

		if (f == MISSING)
			return err_set(e, 0, "module %s is missing",
				       log_escape(shown, sizeof(shown), name,
						  strlen(name)));
		if (f == FAILED)
			return -1;
	}
	return 0;
}

/* What a soft dependency asks for: by its own name, else by a provider's. */
static int want_soft(struct resolver *r, const char *group, const char *name,
		     unsigned depth, struct err *e)
{
	enum found f = want(r, group, name, depth, e);

	for (size_t i = 0;
	     f == MISSING && i < sizeof(providers) / sizeof(providers[0]); i++)
		if (!strcmp(providers[i].wanted, name))
			f = want(r, group, providers[i].module, depth, e);
	return f == FAILED ? -1 : 0;
}

/* "pre: a b post: c": only what goes before is asked for. */
static int want_softdep(struct resolver *r, const char *group, const char *text,
			unsigned depth, struct err *e)
{
	own_free char *copy = strdup(text);
	char *rest = copy;
	char *word;
	bool pre = false;

	if (!copy)
		return err_set(e, ENOMEM, "listing modules");
	spell(copy);
	while ((word = strsep(&rest, " \t"))) {
		size_t n = strlen(word);

		if (n && word[n - 1] == ':')
			pre = !strcmp(word, "pre:");
		else if (n && pre && want_soft(r, group, word, depth, e) < 0)
			return -1;
	}
	return 0;
}

/* "6.1.0-56-cloud-amd64 SMP preempt …" */
static int check_release(const struct resolver *r, const char *vermagic,
			 struct err *e)
{
	size_t n = strcspn(vermagic, " ");
	char shown[64];

	if (strlen(r->release) == n && !strncmp(vermagic, r->release, n))
		return 0;
	return err_set(e, 0,
		       "the modules are for another kernel: %s, "
		       "and the kernel is %s",
		       log_escape(shown, sizeof(shown), vermagic, n),
		       r->release);
}

/* Follows what the module says about itself. */
static int want_needs(struct resolver *r, const char *group,
		      struct kmod_module *mod, unsigned depth, struct err *e)
{
	struct kmod_list *info = NULL, *at;
	int ret = 0;

	if (kmod_module_get_info(mod, &info) < 0)
		return err_set(e, 0, "not a kernel module");
	kmod_list_foreach(at, info)
	{
		const char *key = kmod_module_info_get_key(at);
		const char *value = kmod_module_info_get_value(at);

		if (ret < 0 || !key || !value)
			continue;
		if (!strcmp(key, "depends"))
			ret = want_depends(r, group, value, depth + 1, e);
		else if (!strcmp(key, "softdep"))
			ret = want_softdep(r, group, value, depth + 1, e);
		else if (!strcmp(key, "vermagic"))
			ret = check_release(r, value, e);
	}
	kmod_module_info_free_list(info);
	return ret;
}

static int want_file(struct resolver *r, const char *group,
		     const struct known *k, const char *file, unsigned depth,
		     struct err *e)
{
	char path[PATH_MAX];
	struct kmod_module *mod;
	int ret;

	if (take_file(r, k->path, file, e) < 0)
		return -1;
	/* libkmod wants a path; this one is of the folder we hold. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", r->out, file);
	ret = kmod_module_new_from_path(r->kmod, path, &mod);
	if (ret < 0)
		return err_set(e, -ret, "module %s", file);
	ret = want_needs(r, group, mod, depth, e);
	kmod_module_unref(mod);
	if (ret < 0)
		err_wrap(e, "module %s", file);
	return ret;
}

/* Lists the module after everything that it depends on. */
static enum found want(struct resolver *r, const char *group, const char *name,
		       unsigned depth, struct err *e)
{
	const struct known *k;
	const char *base;
	char file[NAME_MAX];

	if (list_find(&r->builtin, name))
		return FOUND;
	k = list_find(&r->files, name);
	if (!k)
		return MISSING;
	base = strrchr(k->path, '/');
	base = base ? base + 1 : k->path;
	snprintf(file, sizeof(file), "%.*s.ko", (int)stem(base), base);
	if (listed(r, group, file))
		return FOUND;
	if (depth > DEPTH_MAX) {
		err_set(e, 0, "module %s depends on itself", file);
		return FAILED;
	}
	if (want_file(r, group, k, file, depth, e) < 0 ||
	    add_row(r, group, file, e) < 0)
		return FAILED;
	return FOUND;
}

static int want_features(struct resolver *r, struct err *e)
{
	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		const char *name = features[i].module;

		switch (want(r, features[i].group, name, 0, e)) {
		case FOUND:
			break;
		case FAILED:
			return -1;
		case MISSING:
			if (features[i].need == NEED_MAY)
				break;
			err_set(e, 0,
				"kernel %s has no %s, neither built in nor as "
				"a module",
				r->release, name);
			return err_hint(e, "Debian's kernels have it; the "
					   "smallest is "
					   "linux-image-cloud-amd64");
		}
	}
	return 0;
}

static void quiet(void *data, int priority, const char *file, int line,
		  const char *fn, const char *format, va_list args)
{
	(void)data;
	(void)priority;
	(void)file;
	(void)line;
	(void)fn;
	(void)format;
	(void)args;
}

int imagemodules_collect(int src, const char *release, int out,
			 struct imagemodules *m, struct err *e)
{
	static const char *const no_config = NULL;
	struct resolver r = {
		.src = src, .out = out, .release = release, .m = m};
	int ret;

	memset(m, 0, sizeof(*m));
	/* Neither this machine's modules nor its modprobe.d matter. */
	r.kmod = kmod_new("/proc/self/fdinfo", &no_config);
	if (!r.kmod)
		return err_set(e, ENOMEM, "reading modules");
	kmod_set_log_fn(r.kmod, quiet, NULL);
	ret = read_builtin(&r, e);
	if (ret == 0)
		ret = walk(&r, src, "", 0, e);
	list_sort(&r.files);
	if (ret == 0)
		ret = want_features(&r, e);
	list_free(&r.files);
	list_free(&r.builtin);
	kmod_unref(r.kmod);
	if (ret < 0)
		imagemodules_free(m);
	return ret;
}

void imagemodules_free(struct imagemodules *m)
{
	for (size_t i = 0; i < m->n; i++)
		free(m->rows[i].file);
	free(m->rows);
	memset(m, 0, sizeof(*m));
}
