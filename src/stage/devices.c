/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Device nodes.  Runs in vmrun-stage, before any guest code.
 *
 * A user namespace cannot make nodes, so the host's are bound, one by one.
 * Whether U may open one is still the node's own mode's business.
 */
#include "stage/devices.h"

#include "base/err.h"
#include "base/own.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* What a member may ask for; the numbers are the kernel's, for ever. */
static const struct device {
	const char *name;
	unsigned major, minor;
} devices[] = {
	{"null", 1, 3},	   /* stdin of everything */
	{"zero", 1, 5},	   /* memory for old allocators */
	{"random", 1, 8},  /* virtio-rng */
	{"urandom", 1, 9}, /* hash seeds, virtio-rng */
	{"kvm", 10, 232},  /* the VMM's processor */
};

/* Not to be asked for by name: it comes with a PCI device. */
static const struct device vfio = {"vfio/vfio", 10, 196};

static const struct device *find(const char *name)
{
	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++)
		if (!strcmp(devices[i].name, name))
			return &devices[i];
	return NULL;
}

/* Read-only is about the node: its mode, its times.  What is behind a
 * character device can be written all the same. */
static int bind_node(int fd, mode_t mode, int dir, const char *name,
		     struct err *e)
{
	return mounts_attach(fd, mode,
			     MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
				     MOUNT_ATTR_NOEXEC,
			     dir, name, e);
}

static int attach(const struct base *b, int dir, const struct device *d,
		  struct err *e)
{
	const char *slash = strrchr(d->name, '/');
	own_fd fd = -1;
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/dev/%s", d->name);
	fd = mounts_open(b, path, e);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0)
		return err_set(e, errno, "%s", path);
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(d->major, d->minor))
		return err_set(e, 0, "%s is not the device of that name", path);
	return bind_node(fd, st.st_mode, dir, slash ? slash + 1 : d->name, e);
}

int devices_attach(const struct base *b, int root, char *const *names,
		   struct err *e)
{
	own_fd dir = -1;

	if (!*names)
		return 0;
	dir = mounts_make_dir(root, "dev", e);
	if (dir < 0)
		return -1;
	for (; *names; names++) {
		const struct device *d = find(*names);

		if (!d)
			return err_set(e, 0, "no member may have the device %s",
				       *names);
		if (attach(b, dir, d, e) < 0)
			return -1;
	}
	return 0;
}

/* The node of an IOMMU group: its number is of this boot, but only root makes
 * names in /dev/vfio, and gives them away. */
static int attach_group(const struct base *b, int dir, uint32_t owner,
			const char *group, struct err *e)
{
	own_fd fd = -1;
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/dev/vfio/%s", group);
	fd = mounts_open(b, path, e);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0)
		return err_set(e, errno, "%s", path);
	if (!S_ISCHR(st.st_mode) || st.st_uid != owner)
		return err_set(e, 0, "%s is not yours", path);
	return bind_node(fd, st.st_mode, dir, group, e);
}

int devices_attach_pci(const struct base *b, int root, const struct setup *s,
		       const struct setup_member *m, struct err *e)
{
	own_fd dev = mounts_make_dir(root, "dev", e);
	own_fd nodes = dev < 0 ? -1 : mounts_make_dir(dev, "vfio", e);
	own_fd pci = -1;
	own_fd device = -1;
	char group[16];

	snprintf(group, sizeof(group), "%u", m->iommu_group);
	if (nodes < 0 || attach(b, nodes, &vfio, e) < 0 ||
	    attach_group(b, nodes, s->host_uid, group, e) < 0)
		return -1;
	pci = mounts_make_dir(root, SETUP_PCI_DIR + 1, e);
	device = pci < 0 ? -1 : mounts_make_dir(pci, m->pci, e);
	if (device < 0)
		return -1;
	if (symlinkat(group, device, "iommu_group") < 0)
		return err_set(e, errno, "making the device's link");
	return 0;
}
