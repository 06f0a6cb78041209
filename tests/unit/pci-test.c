/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A PCI device that a VM is to have: what is refused, and with which remedy.
 * The machine is a folder: `sys` and `dev` in it are as the kernel has them.
 */
#include "base/err.h"
#include "host/probe/pci.h"
#include "rmtree.h"
#include "tap.h"

#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define CARD "0000:03:00.0"
#define OTHER "0000:03:00.1"

static char root[] = "/tmp/pci-test-XXXXXX";
static char sys[64], dev[64];
static struct pci_places at = {sys, dev};

__attribute__((format(printf, 1, 2))) static const char *fmt(const char *s, ...)
{
	static char text[4][PATH_MAX];
	static unsigned turn;
	va_list ap;

	turn = (turn + 1) % 4;
	va_start(ap, s);
	vsnprintf(text[turn], sizeof(text[turn]), s, ap);
	va_end(ap);
	return text[turn];
}

static void put(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) ||
	    fchmod(fd, mode) < 0)
		abort();
	close(fd);
}

static void make_dir(const char *path)
{
	if (mkdir(path, 0755) < 0)
		abort();
}

static const char *of(const char *address, const char *file)
{
	return fmt("%s/bus/pci/devices/%s/%s", sys, address, file);
}

static void set_driver(const char *address, const char *driver)
{
	unlink(of(address, "driver"));
	if (driver && symlink(fmt("../../../../bus/pci/drivers/%s", driver),
			      of(address, "driver")) < 0)
		abort();
}

static void add(const char *address, const char *class, const char *driver)
{
	make_dir(fmt("%s/bus/pci/devices/%s", sys, address));
	put(of(address, "class"), class, 0644);
	if (symlink("../../../kernel/iommu_groups/26",
		    of(address, "iommu_group")) < 0)
		abort();
	make_dir(fmt("%s/kernel/iommu_groups/26/devices/%s", sys, address));
	set_driver(address, driver);
}

static void make_machine(void)
{
	static const char *const dirs[] = {"sys",
					   "sys/bus",
					   "sys/bus/pci",
					   "sys/bus/pci/devices",
					   "sys/kernel",
					   "sys/kernel/iommu_groups",
					   "sys/kernel/iommu_groups/26",
					   "sys/kernel/iommu_groups/26/devices",
					   "dev",
					   "dev/vfio"};

	if (!mkdtemp(root))
		abort();
	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++)
		make_dir(fmt("%s/%s", root, dirs[i]));
	snprintf(sys, sizeof(sys), "%s/sys", root);
	snprintf(dev, sizeof(dev), "%s/dev", root);
	add(CARD, "0x020000\n", "vfio-pci");
	add(OTHER, "0x040300\n", NULL);
	add("0000:00:1c.0", "0x060400\n", "pcieport");
	put(fmt("%s/vfio/vfio", dev), "", 0666);
	put(fmt("%s/vfio/26", dev), "", 0600);
}

static void refused(const char *address, const char *what, const char *hint)
{
	struct err e = ERR_INIT;
	struct pci_device d;

	if (!tap_ok(pci_find(&at, address, getuid(), &d, &e) < 0 &&
			    strstr(e.msg, what) && strstr(e.hint, hint),
		    "refused: %s", what))
		printf("# %s (%s)\n", e.msg, e.hint);
}

static void test_addresses(void)
{
	static const char *const bad[] = {"",
					  "03:00.0",
					  "0000:03:00",
					  "0000:03:00.",
					  "0000:03:00.8",
					  "0000:03:20.0",
					  "0000:03:0g.0",
					  "0000:0B:00.0",
					  "0000:03:00.00",
					  "0000-03-00.0",
					  "../../../../x",
					  "0000:03:00.0/",
					  "0000:03:00.0 ",
					  "eth0"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		tap_ok(!pci_is_address(bad[i]), "no address: \"%s\"", bad[i]);
	tap_ok(pci_is_address(CARD) && pci_is_address("ffff:ff:1f.7"),
	       "addresses");
	refused("03:00.0", "\"03:00.0\" is not the address of a PCI device",
		"0000:03:00.0");
	refused("0000:09:00.0", "there is no PCI device 0000:09:00.0",
		"lspci -D");
}

static void test_devices(void)
{
	refused(OTHER, "is no network card: its class is 0x040300",
		"a VM gets no other device");
	put(of(CARD, "class"), "", 0644);
	refused(CARD, "is no network card", "");
	put(of(CARD, "class"), "0x028000\n", 0644);
	set_driver(CARD, "iwlwifi");
	refused(CARD, "its driver is iwlwifi, not vfio-pci",
		"sudo driverctl set-override " CARD " vfio-pci");
	set_driver(CARD, NULL);
	refused(CARD, "has no driver", "sudo driverctl set-override");
	set_driver(CARD, "vfio-pci");
}

static void test_groups(void)
{
	unlink(of(CARD, "iommu_group"));
	refused(CARD, "is behind no IOMMU", "intel_iommu=on");
	/* What vfio calls a group where it does without one. */
	if (symlink("../../../kernel/iommu_groups/noiommu-0",
		    of(CARD, "iommu_group")) < 0)
		abort();
	refused(CARD, "is behind no IOMMU", "");
	unlink(of(CARD, "iommu_group"));
	if (symlink("../../../kernel/iommu_groups/26",
		    of(CARD, "iommu_group")) < 0)
		abort();
	set_driver(OTHER, "snd_hda_intel");
	refused(CARD,
		"comes with " OTHER ", which this machine uses "
		"(snd_hda_intel): both are in IOMMU group 26",
		"set-override " OTHER);
	set_driver(OTHER, "vfio-pci");
}

static void test_nodes(void)
{
	char group[80];

	snprintf(group, sizeof(group), "%s/vfio/26", dev);
	chmod(fmt("%s/vfio/vfio", dev), 0660);
	refused(CARD, "vfio/vfio is not open to everybody", "sudo chmod 666");
	chmod(fmt("%s/vfio/vfio", dev), 0666);
	chmod(group, 0400);
	refused(CARD, "vfio/26 is not yours to read and write",
		"a rule of udev");
	chmod(group, 0600);
	unlink(group);
	refused(CARD, "vfio/26: No such file", "");
	put(group, "", 0600);
}

static void test_taken(void)
{
	struct err e = ERR_INIT;
	struct pci_device d;

	if (!tap_ok(pci_find(&at, CARD, getuid(), &d, &e) == 0,
		    "a card of vfio's, beside a bridge and another of vfio's"))
		printf("# %s\n", e.msg);
	tap_ok(d.group == 26, "its group");
	tap_str(d.address, CARD, "its address");
	tap_ok(pci_find(&at, CARD, getuid() + 1, &d, &e) < 0 &&
		       strstr(e.msg, "is not yours"),
	       "but not for somebody else");
}

static void test_memlock(void)
{
	const struct rlimit few = {65536, 65536};
	struct err e = ERR_INIT;

	setrlimit(RLIMIT_MEMLOCK, &few);
	tap_ok(pci_check_memlock(160 << 20, "ann", &e) < 0 &&
		       strstr(e.msg, "160 MiB, and you may lock 64 KiB") &&
		       strstr(e.hint, "`ann - memlock 163840`"),
	       "too little memory may be locked");
	tap_ok(pci_check_memlock(65536, "ann", &e) == 0, "just enough may");
}

int main(void)
{
	make_machine();
	test_addresses();
	test_devices();
	test_groups();
	test_nodes();
	test_taken();
	test_memlock();
	rmtree(root);
	return tap_done();
}
