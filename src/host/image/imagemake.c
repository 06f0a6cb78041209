/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Making a guest image.  Runs in vmrunctl, as the person.
 *
 * In the temporary folder: image/ becomes the image; modules/ holds unpacked
 * modules; package/ what a .deb had.  The folder is removed in the end, with
 * whatever is still in it: after success, the image that was replaced.
 */
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/json.h"
#include "base/own.h"
#include "host/image/imagecpio.h"
#include "host/image/imagedeb.h"
#include "host/image/imagedir.h"
#include "host/image/imagekernel.h"
#include "host/image/imagemodules.h"
#include "host/image/imagename.h"
#include "host/image/imagenft.h"
#include "host/probe/probe.h"
#include "wire/control.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

struct making {
	const char *name;
	int init; /* vmrun-init */
	int images, lock;
	int tmp; /* -1 until it is there */
	char tmp_name[IMAGEDIR_TMP_MAX];
	int image; /* tmp/image */
	int out;   /* tmp/modules */
	char release[IMAGEKERNEL_RELEASE_MAX];
	struct imagemodules modules;
	const char *nft; /* static; NULL: not installed */
};

static int make_dir(int parent, const char *name, mode_t mode, struct err *e)
{
	own_fd fd = -1;

	if (mkdirat(parent, name, 0700) == 0)
		fd = openat(parent, name,
			    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	/* Whatever the umask is: the VM's UID has to read the image. */
	if (fd < 0 || fchmod(fd, mode) < 0)
		return err_set(e, errno, "making a temporary folder");
	return steal_fd(&fd);
}

static int open_init(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd >= 0)
		return fd;
	err_set(e, errno, "%s", path);
	return err_hint(e, "it is the guest's first program and comes with "
			   "vmrun; VMRUN_LIBEXECDIR names another folder");
}

static int making_begin(struct making *m, const char *data_home,
			const char *name, const char *init, struct err *e)
{
	memset(m, 0, sizeof(*m));
	m->images = m->lock = m->tmp = m->image = m->out = m->init = -1;
	m->name = name ? name : GUESTIMAGE_DEFAULT;
	if (imagename_check(m->name, e) < 0)
		return -1;
	m->init = open_init(init, e);
	if (m->init < 0)
		return -1;
	m->images = imagedir_open(data_home, e);
	if (m->images < 0)
		return -1;
	m->lock = imagedir_lock(m->images, e);
	if (m->lock < 0)
		return -1;
	m->tmp = imagedir_temp(m->images, m->tmp_name, e);
	return m->tmp < 0 ? -1 : 0;
}

static void making_end(struct making *m)
{
	struct err ignored = ERR_INIT;

	own_close(&m->init);
	own_close(&m->image);
	own_close(&m->out);
	/* If this fails, the next one to take the lock removes it. */
	if (m->tmp >= 0)
		imagedir_remove(m->images, m->tmp_name, &ignored);
	own_close(&m->tmp);
	own_close(&m->lock);
	own_close(&m->images);
	imagemodules_free(&m->modules);
}

static int new_file(struct making *m, const char *name, struct err *e)
{
	own_fd fd = openat(m->image, name,
			   O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			   0600);

	if (fd < 0 || fchmod(fd, 0644) < 0)
		return err_set(e, errno, "making the image's %s", name);
	return steal_fd(&fd);
}

static int sync_file(int fd, const char *name, struct err *e)
{
	if (fsync(fd) < 0)
		return err_set(e, errno, "writing the image's %s", name);
	return 0;
}

static int put_kernel(struct making *m, int dir, const char *path,
		      struct err *e)
{
	own_fd fd = new_file(m, "vmlinux", e);

	if (fd < 0 || imagekernel_unpack(dir, path, fd, m->release, e) < 0)
		return -1;
	return sync_file(fd, "vmlinux", e);
}

/* An image has one initramfs for applications, one for firewalls, and one for
 * firewalls with a PCI device. */
enum kind { KIND_APPLICATION, KIND_FIREWALL, KIND_PCI };

static bool has_group(enum kind kind, const char *group)
{
	static const char *const firewall[] = {"boot", "net", "nft", "bridge",
					       "late"};

	bool pci = !strcmp(group, "pci");

	if (kind == KIND_APPLICATION)
		return strcmp(group, "nft") != 0 &&
		       strcmp(group, "bridge") != 0 && !pci;
	if (pci)
		return kind == KIND_PCI;
	for (size_t i = 0; i < sizeof(firewall) / sizeof(*firewall); i++)
		if (!strcmp(firewall[i], group))
			return true;
	return false;
}

/* A file that two groups share comes once. */
static bool is_first(const struct imagemodules_row *rows, size_t i,
		     enum kind kind)
{
	if (!has_group(kind, rows[i].group))
		return false;
	for (size_t j = 0; j < i; j++)
		if (has_group(kind, rows[j].group) &&
		    !strcmp(rows[j].file, rows[i].file))
			return false;
	return true;
}

/* /modules/list, then the modules. */
static int pack_modules(struct making *m, enum kind kind, struct imagecpio *c,
			struct err *e)
{
	const struct imagemodules_row *rows = m->modules.rows;
	struct buf list;
	int r;

	buf_init(&list, 1024 * 1024);
	for (size_t i = 0; i < m->modules.n; i++)
		if (has_group(kind, rows[i].group))
			buf_printf(&list, "%s %s\n", rows[i].group,
				   rows[i].file);
	r = list.bad ? err_set(e, ENOMEM, "listing modules")
		     : imagecpio_bytes(c, "modules/list", 0644, list.data,
				       list.len, e);
	buf_free(&list);
	for (size_t i = 0; r == 0 && i < m->modules.n; i++) {
		own_free char *name = NULL;
		own_fd fd = -1;

		if (!is_first(rows, i, kind))
			continue;
		fd = openat(m->out, rows[i].file,
			    O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 || asprintf(&name, "modules/%s", rows[i].file) < 0)
			return err_set(e, errno, "module %s", rows[i].file);
		r = imagecpio_file(c, name, 0644, fd, e);
	}
	return r;
}

static int pack(struct making *m, enum kind kind, struct imagecpio *c,
		struct err *e)
{
	static const char *const dirs[] = {"dev", "modules", "newroot", "proc",
					   "sys"};

	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		if (imagecpio_dir(c, dirs[i], 0755, e) < 0)
			return -1;
	if (imagecpio_file(c, "init", 0755, m->init, e) < 0)
		return -1;
	if (kind != KIND_APPLICATION && imagenft_pack(m->nft, c, e) < 0)
		return -1;
	return pack_modules(m, kind, c, e);
}

static int put_initramfs(struct making *m, enum kind kind, struct err *e)
{
	static const char *const names[] = {
		[KIND_APPLICATION] = "initramfs",
		[KIND_FIREWALL] = GUESTIMAGE_FIREWALL,
		[KIND_PCI] = GUESTIMAGE_PCI,
	};
	const char *name = names[kind];
	own_fd fd = new_file(m, name, e);
	struct err ignored = ERR_INIT;
	struct imagecpio *c;
	int r;

	if (fd < 0)
		return -1;
	c = imagecpio_begin(fd, e);
	if (!c)
		return -1;
	r = pack(m, kind, c, e);
	if (imagecpio_end(&c, r < 0 ? &ignored : e) < 0)
		r = -1;
	return r < 0 ? -1 : sync_file(fd, name, e);
}

static struct json *describe(const struct making *m)
{
	struct json *j = json_new_object();
	struct json *modules = json_new_array();

	for (size_t i = 0; i < m->modules.n; i++) {
		struct json *row = json_new_object();

		json_set_str(row, "group", m->modules.rows[i].group);
		json_set_str(row, "file", m->modules.rows[i].file);
		json_add(modules, row);
	}
	json_set_int(j, "format", IMAGE_FORMAT);
	json_set_int(j, "protocol", CTL_VERSION);
	json_set_str(j, "release", m->release);
	json_set_int(j, "imported", (int64_t)time(NULL));
	json_set_str(j, "vmrun", VMRUN_VERSION);
	json_set(j, "modules", modules);
	return j;
}

static int put_description(struct making *m, struct err *e)
{
	own_fd fd = new_file(m, "image.json", e);
	struct json *j;
	struct buf b;
	int r = 0;

	if (fd < 0)
		return -1;
	j = describe(m);
	buf_init(&b, 1024 * 1024);
	if (json_put(j, JSON_PRETTY, &b) < 0 ||
	    io_write_all(fd, b.data, b.len) < 0)
		r = err_set(e, errno, "writing the image's image.json");
	buf_free(&b);
	json_free(j);
	return r < 0 ? -1 : sync_file(fd, "image.json", e);
}

/* kernel: path below dir; modules: of a lib/modules/RELEASE folder, or -1. */
static int make(struct making *m, int dir, const char *kernel, int modules,
		struct err *e)
{
	m->image = make_dir(m->tmp, "image", 0755, e);
	if (m->image < 0)
		return -1;
	m->out = make_dir(m->tmp, "modules", 0700, e);
	if (m->out < 0)
		return -1;
	if (put_kernel(m, dir, kernel, e) < 0)
		return -1;
	if (modules >= 0 && imagemodules_collect(modules, m->release, m->out,
						 &m->modules, e) < 0)
		return -1;
	if (put_initramfs(m, KIND_APPLICATION, e) < 0)
		return -1;
	/* An image for applications is worth having without it. */
	m->nft = probe_nft();
	if (m->nft && (put_initramfs(m, KIND_FIREWALL, e) < 0 ||
		       put_initramfs(m, KIND_PCI, e) < 0))
		return -1;
	if (put_description(m, e) < 0)
		return -1;
	return imagedir_publish(m->images, m->tmp, "image", m->name, e);
}

static int open_dir(int dir, const char *path, struct err *e)
{
	int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? err_set(e, errno, "modules %s", path) : fd;
}

/* What imagekernel_installed() finds below root. */
static int make_from_root(struct making *m, int root, struct err *e)
{
	own_free char *kernel = NULL;
	own_free char *modules = NULL;
	own_fd dir = -1;

	if (imagekernel_installed(root, &kernel, &modules, e) < 0)
		return -1;
	dir = open_dir(root, modules, e);
	if (dir < 0)
		return -1;
	return make(m, root, kernel, dir, e);
}

int guestimage_import(const char *data_home, const char *name,
		      const char *kernel, const char *modules, const char *init,
		      struct err *e)
{
	struct making m;
	own_fd dir = modules ? open_dir(AT_FDCWD, modules, e) : -1;
	int r;

	if (modules && dir < 0)
		return -1;
	r = making_begin(&m, data_home, name, init, e);
	if (r == 0)
		r = make(&m, AT_FDCWD, kernel, dir, e);
	making_end(&m);
	return r;
}

static int make_from_debs(struct making *m, char *const *debs, struct err *e)
{
	own_fd dir = make_dir(m->tmp, "package", 0700, e);

	if (dir < 0)
		return -1;
	for (size_t i = 0; debs[i]; i++)
		if (imagedeb_extract(debs[i], dir, &imagedeb_limits, e) < 0)
			return -1;
	if (make_from_root(m, dir, e) == 0)
		return 0;
	if (e->code == ENOENT && !e->hint[0])
		err_hint(e, "a package like linux-image-amd64 only names the "
			    "one that has the kernel; where modules have a "
			    "package of their own, give both");
	return err_wrap(e, "package %s", debs[0]);
}

int guestimage_import_debs(const char *data_home, const char *name,
			   char *const *debs, const char *init, struct err *e)
{
	struct making m;
	int r = making_begin(&m, data_home, name, init, e);

	if (r == 0)
		r = make_from_debs(&m, debs, e);
	making_end(&m);
	return r;
}

int guestimage_import_installed(const char *data_home, const char *name,
				const char *init, struct err *e)
{
	own_fd root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct making m;
	int r;

	if (root < 0)
		return err_set(e, errno, "/");
	r = making_begin(&m, data_home, name, init, e);
	if (r == 0)
		r = make_from_root(&m, root, e);
	making_end(&m);
	if (r < 0 && e->code == ENOENT && !e->hint[0]) {
		err_set(e, 0, "no kernel is installed here with its modules");
		err_hint(e, "give a kernel's package instead: `vmrunctl image "
			    "import --deb FILE`; it need not be installed");
	}
	if (r < 0 && e->code == EACCES && !e->hint[0])
		err_hint(e, "only root may read the installed kernel; have it "
			    "copied and use --kernel FILE --modules DIR, or "
			    "use --deb FILE");
	return r;
}
