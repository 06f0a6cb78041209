/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Guest images: finding and listing them.  Runs in vmrun and vmrunctl, as the
 * person.  Making them is imagemake.c's.
 */
#include "host/image/guestimage.h"

#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/own.h"
#include "host/image/imagedir.h"
#include "host/image/imagename.h"
#include "wire/control.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define DESCRIPTION_MAX (1024u * 1024)

int imagename_check(const char *name, struct err *e)
{
	static const char ok[] = "abcdefghijklmnopqrstuvwxyz"
				 "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-";
	size_t n = strspn(name, ok);
	char shown[128];

	if (n && n <= 64 && !name[n] && !strchr(".-+", name[0]))
		return 0;
	log_escape(shown, sizeof(shown), name, strlen(name));
	err_set(e, 0, "\"%s\" cannot be an image's name", shown);
	return err_hint(e, "use up to 64 letters, digits and ._+- and begin "
			   "with a letter or digit");
}

void guestimage_free(struct guestimage *img)
{
	free(img->name);
	free(img->dir);
	free(img->kernel);
	free(img->initramfs);
	free(img->firewall);
	free(img->pci);
	free(img->release);
	free(img->made_by);
	memset(img, 0, sizeof(*img));
}

/* Adds the size of a file of the image. */
static int look_at(const char *path, struct guestimage *img, struct err *e)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_set(e, errno, "%s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, 0, "%s: not a file", path);
	img->bytes += (uint64_t)st.st_size;
	return 0;
}

static int read_description(int dir, struct guestimage *img, struct err *e)
{
	struct json *j = json_load(dir, "image.json", DESCRIPTION_MAX, e);
	const char *release, *made_by;
	int r = 0;

	if (!j)
		return -1;
	release = json_get_str(j, "release");
	made_by = json_get_str(j, "vmrun");
	img->imported = json_get_int(j, "imported", 0);
	/* Its vmrun-init speaks that; an older one would be found out late. */
	if (json_get_int(j, "format", 0) != IMAGE_FORMAT ||
	    json_get_int(j, "protocol", 0) != CTL_VERSION || !release)
		r = err_set(e, 0, "it was made by another version of vmrun");
	else if (!(img->release = strdup(release)) ||
		 (made_by && !(img->made_by = strdup(made_by))))
		r = err_set(e, ENOMEM, "image.json");
	json_free(j);
	return r;
}

/* Fills *img from the folder PARENT/NAME.  e->code is ENOENT if there is none.
 */
static int load(const char *parent, const char *name, struct guestimage *img,
		struct err *e)
{
	own_fd dir = -1;

	memset(img, 0, sizeof(*img));
	img->name = strdup(name);
	if (!img->name || asprintf(&img->dir, "%s/%s", parent, name) < 0)
		return err_set(e, ENOMEM, "image");
	dir = open(img->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_set(e, errno, "%s", img->dir);
	if (asprintf(&img->kernel, "%s/vmlinux", img->dir) < 0 ||
	    asprintf(&img->initramfs, "%s/initramfs", img->dir) < 0 ||
	    asprintf(&img->firewall, "%s/" GUESTIMAGE_FIREWALL, img->dir) < 0 ||
	    asprintf(&img->pci, "%s/" GUESTIMAGE_PCI, img->dir) < 0)
		return err_set(e, ENOMEM, "image");
	if (read_description(dir, img, e) == 0 &&
	    look_at(img->kernel, img, e) == 0 &&
	    look_at(img->initramfs, img, e) == 0 &&
	    (access(img->firewall, F_OK) < 0 ||
	     look_at(img->firewall, img, e) == 0) &&
	    (access(img->pci, F_OK) < 0 || look_at(img->pci, img, e) == 0))
		return 0;
	e->code = 0; /* the image is there, and damaged */
	err_wrap(e, "image %s cannot be used", img->dir);
	return err_hint(e, "import it again: `vmrunctl image import`");
}

/* Where images are: the person's own first. */
#define PLACES 2

static char *place(const char *data_home, size_t i)
{
	const char *parents[PLACES] = {data_home, VMRUN_DATADIR};
	char *path;

	return asprintf(&path, "%s/images", parents[i]) < 0 ? NULL : path;
}

int guestimage_find(const char *data_home, const char *name,
		    struct guestimage *img, struct err *e)
{
	const char *want = name ? name : GUESTIMAGE_DEFAULT;

	memset(img, 0, sizeof(*img));
	if (imagename_check(want, e) < 0)
		return -1;
	for (size_t i = 0; i < PLACES; i++) {
		own_free char *parent = place(data_home, i);

		if (!parent)
			return err_set(e, ENOMEM, "image %s", want);
		if (load(parent, want, img, e) == 0)
			return 0;
		guestimage_free(img);
		if (e->code != ENOENT)
			return -1;
	}
	if (name) {
		err_set(e, 0, "there is no guest image \"%s\"", name);
		err_hint(e,
			 "`vmrunctl image list` shows those that there are, "
			 "`vmrunctl image import --name %s` makes it",
			 name);
	} else {
		err_set(e, 0, "there is no guest image yet");
		err_hint(e, "`vmrunctl image import --installed`, or `… --deb "
			    "FILE` with a linux-image package; nothing is "
			    "installed by it");
	}
	e->code = ENOENT;
	return -1;
}

static int has(const struct guestimage *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(list[i].name, name))
			return 1;
	return 0;
}

/* Adds the images of one folder that no earlier folder has. */
static int list_place(const char *parent, struct guestimage **list, size_t *n,
		      struct err *e)
{
	own_dir d = opendir(parent);
	struct dirent *de;

	if (!d)
		return errno == ENOENT ? 0 : err_set(e, errno, "%s", parent);
	while ((de = readdir(d))) {
		struct guestimage img, *more;
		struct err ignored = ERR_INIT;

		if (imagename_check(de->d_name, &ignored) < 0 ||
		    has(*list, *n, de->d_name))
			continue;
		if (load(parent, de->d_name, &img, &ignored) < 0) {
			guestimage_free(&img); /* damaged, or being removed */
			continue;
		}
		more = reallocarray(*list, *n + 1, sizeof(*more));
		if (!more) {
			guestimage_free(&img);
			return err_set(e, ENOMEM, "listing images");
		}
		*list = more;
		more[(*n)++] = img;
	}
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const struct guestimage *x = a, *y = b;

	return strcmp(x->name, y->name);
}

int guestimage_list(const char *data_home, struct guestimage **list, size_t *n,
		    struct err *e)
{
	*list = NULL;
	*n = 0;
	for (size_t i = 0; i < PLACES; i++) {
		own_free char *parent = place(data_home, i);
		int r = parent ? list_place(parent, list, n, e)
			       : err_set(e, ENOMEM, "listing images");

		if (r == 0)
			continue;
		while (*n)
			guestimage_free(&(*list)[--*n]);
		free(steal_ptr(list));
		return -1;
	}
	if (*n)
		qsort(*list, *n, sizeof(**list), by_name);
	return 0;
}

int guestimage_remove(const char *data_home, const char *name, struct err *e)
{
	own_fd images = -1;
	own_fd lock = -1;
	struct stat st;

	if (imagename_check(name, e) < 0)
		return -1;
	images = imagedir_open(data_home, e);
	lock = images < 0 ? -1 : imagedir_lock(images, e);
	if (lock < 0)
		return -1;
	if (fstatat(images, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		err_set(e, 0, "there is no guest image \"%s\" of your own",
			name);
		return err_hint(e, "`vmrunctl image list` shows those that "
				   "there are");
	}
	return imagedir_withdraw(images, name, e);
}
