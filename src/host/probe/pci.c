/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A PCI device that a VM is to have.  The person's own authority; only looks.
 */
#include "host/probe/pci.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/own.h"
#include "host/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define CLASS_NETWORK 0x02u
#define CLASS_BRIDGE 0x06u
#define NAME_SHOWN 64

const struct pci_places pci_machine = {"/sys", "/dev"};

bool pci_is_address(const char *text)
{
	static const char form[] = "xxxx:xx:1x.7";
	size_t i;

	for (i = 0; form[i]; i++) {
		const char *ok = "0123456789abcdef";
		char c = text[i];

		if (form[i] == ':' || form[i] == '.') {
			if (c != form[i])
				return false;
			continue;
		}
		if (form[i] == '1')
			ok = "01";
		else if (form[i] == '7')
			ok = "01234567";
		if (!c || !strchr(ok, c))
			return false;
	}
	return !text[i];
}

/* The number in a file of the device; -1: there is none. */
static long number_of(const struct pci_places *at, const char *address,
		      const char *file)
{
	char path[PATH_MAX];
	struct err none = ERR_INIT;
	struct buf b;
	long n = -1;

	snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/%s", at->sys,
		 address, file);
	buf_init(&b, 64);
	if (io_read_text(AT_FDCWD, path, &b, &none) == 0)
		n = strtol((const char *)b.data, NULL, 0);
	buf_free(&b);
	return n;
}

/* The last part of what a link of the device leads to; "": there is none. */
static const char *link_of(const struct pci_places *at, const char *address,
			   const char *link, char name[NAME_SHOWN])
{
	char path[PATH_MAX], to[PATH_MAX];
	const char *slash;
	ssize_t n;

	snprintf(path, sizeof(path), "%s/bus/pci/devices/%s/%s", at->sys,
		 address, link);
	n = readlink(path, to, sizeof(to) - 1);
	to[n < 0 ? 0 : n] = '\0';
	slash = strrchr(to, '/');
	text_show(name, NAME_SHOWN, slash ? slash + 1 : to);
	return name;
}

static int check_class(const struct pci_places *at, const char *address,
		       struct err *e)
{
	long class = number_of(at, address, "class");

	if (class < 0) {
		err_set(e, 0, "there is no PCI device %s", address);
		return err_hint(e, "lspci -D lists them");
	}
	if ((unsigned long)class >> 16 != CLASS_NETWORK) {
		err_set(e, 0,
			"PCI device %s is no network card: its class is "
			"0x%06lx",
			address, (unsigned long)class);
		return err_hint(e, "lspci -D -d ::0200 lists those for "
				   "Ethernet; a VM gets no other device");
	}
	return 0;
}

/* The number of the IOMMU's group. */
static int find_group(const struct pci_places *at, const char *address,
		      uint32_t *group, struct err *e)
{
	char name[NAME_SHOWN];
	uint64_t n;

	if (text_number(link_of(at, address, "iommu_group", name), UINT32_MAX,
			&n) == 0) {
		*group = (uint32_t)n;
		return 0;
	}
	err_set(e, 0,
		"PCI device %s is behind no IOMMU: it could read and "
		"write all of this machine's memory",
		address);
	return err_hint(e, "switch VT-d or AMD-Vi on in the firmware's setup, "
			   "and start the kernel with intel_iommu=on; where "
			   "there is no IOMMU, use a TAP");
}

static int check_driver(const struct pci_places *at, const char *address,
			struct err *e)
{
	char name[NAME_SHOWN];

	link_of(at, address, "driver", name);
	if (!strcmp(name, "vfio-pci"))
		return 0;
	if (*name)
		err_set(e, 0,
			"PCI device %s is this machine's own: its driver "
			"is %s, not vfio-pci",
			address, name);
	else
		err_set(e, 0, "PCI device %s has no driver: it wants vfio-pci",
			address);
	return err_hint(e, "sudo driverctl set-override %s vfio-pci", address);
}

/* vfio takes a group whose other devices are bridges, or nobody's, or its own.
 */
static bool may_be_beside(const struct pci_places *at, const char *address,
			  char driver[NAME_SHOWN])
{
	long class = number_of(at, address, "class");

	link_of(at, address, "driver", driver);
	return !*driver || !strncmp(driver, "vfio-", strlen("vfio-")) ||
	       !strcmp(driver, "pci-stub") ||
	       (class >= 0 && (unsigned long)class >> 16 == CLASS_BRIDGE);
}

static int check_group(const struct pci_places *at, const struct pci_device *d,
		       struct err *e)
{
	char path[PATH_MAX], driver[NAME_SHOWN];
	own_dir dir = NULL;
	struct dirent *de;

	snprintf(path, sizeof(path), "%s/kernel/iommu_groups/%u/devices",
		 at->sys, d->group);
	dir = opendir(path);
	if (!dir)
		return err_set(e, errno, "%s", path);
	while ((de = readdir(dir))) {
		if (!pci_is_address(de->d_name) ||
		    may_be_beside(at, de->d_name, driver))
			continue;
		err_set(e, 0,
			"PCI device %s comes with %s, which this machine "
			"uses (%s): both are in IOMMU group %u",
			d->address, de->d_name, driver, d->group);
		return err_hint(e,
				"give up that one too: sudo driverctl "
				"set-override %s vfio-pci; or put the card "
				"into another slot",
				de->d_name);
	}
	return 0;
}

/* Every UID may have the first node; the second one is the person's, who
 * gives it to the VM's. */
static int check_nodes(const struct pci_places *at, const struct pci_device *d,
		       uid_t person, struct err *e)
{
	char path[PATH_MAX];
	struct stat st;

	snprintf(path, sizeof(path), "%s/vfio/vfio", at->dev);
	if (stat(path, &st) < 0)
		return err_set(e, errno, "%s", path);
	if ((st.st_mode & 06) != 06) {
		err_set(e, 0, "%s is not open to everybody", path);
		return err_hint(e,
				"sudo chmod 666 %s: that alone gives access "
				"to no device",
				path);
	}
	snprintf(path, sizeof(path), "%s/vfio/%u", at->dev, d->group);
	if (stat(path, &st) < 0)
		return err_set(e, errno, "%s", path);
	if (st.st_uid == person && (st.st_mode & 0600) == 0600)
		return 0;
	err_set(e, 0, "%s is not yours to read and write", path);
	return err_hint(e,
			"sudo chown %u %s; at each start: a rule of udev, "
			"such as vmrun's example",
			(unsigned)person, path);
}

int pci_find(const struct pci_places *at, const char *address, uid_t person,
	     struct pci_device *d, struct err *e)
{
	char shown[TEXT_SHOWN];

	memset(d, 0, sizeof(*d));
	if (!pci_is_address(address)) {
		err_set(e, 0, "\"%s\" is not the address of a PCI device",
			text_show(shown, sizeof(shown), address));
		return err_hint(e, "as lspci -D has it: 0000:03:00.0");
	}
	memcpy(d->address, address, PCI_ADDRESS);
	if (check_class(at, address, e) < 0 ||
	    find_group(at, address, &d->group, e) < 0 ||
	    check_driver(at, address, e) < 0 || check_group(at, d, e) < 0)
		return -1;
	return check_nodes(at, d, person, e);
}

int pci_check_memlock(uint64_t bytes, const char *user, struct err *e)
{
	struct rlimit have;
	char may[32], wants[32];

	if (getrlimit(RLIMIT_MEMLOCK, &have) < 0)
		return err_set(e, errno, "limits");
	if (have.rlim_max == RLIM_INFINITY || have.rlim_max >= bytes)
		return 0;
	err_set(e, 0,
		"a PCI device wants the VM's memory locked, %s, and you "
		"may lock %s",
		text_bytes(wants, sizeof(wants), bytes),
		text_bytes(may, sizeof(may), have.rlim_max));
	return err_hint(e,
			"a line in /etc/security/limits.d/vmrun.conf: "
			"`%s - memlock %llu`; then log in again",
			user, (unsigned long long)(bytes >> 10));
}
