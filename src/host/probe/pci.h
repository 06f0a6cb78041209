/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A network card of this machine that a VM is to have: what has to be so before
 * vfio hands it out.  Only looks.
 */
#ifndef HOST_PCI_H
#define HOST_PCI_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

#define PCI_ADDRESS 13 /* "0000:03:00.0" and its NUL */
/* What QEMU maps for the device beside the guest's memory, or twice. */
#define PCI_MEMLOCK_MORE (UINT64_C(32) << 20)

/* Folders that stand for /sys and /dev; tests have others. */
struct pci_places {
	const char *sys, *dev;
};
extern const struct pci_places pci_machine;

struct pci_device {
	char address[PCI_ADDRESS];
	uint32_t group; /* of the IOMMU; its node is /dev/vfio/GROUP */
};

/* DDDD:BB:DD.F, hexadecimal, as /sys spells it. */
bool pci_is_address(const char *text);
/*
 * There is such a device, it is a network card, vfio-pci has it, no other
 * driver has anything of its IOMMU group, and the group's node is `person`'s.
 * 0; or -1 and e, with what an administrator has to do.
 */
int pci_find(const struct pci_places *at, const char *address, uid_t person,
	     struct pci_device *d, struct err *e);
/* A process of the person's may lock that much memory; user: his name. */
int pci_check_memlock(uint64_t bytes, const char *user, struct err *e);

#endif
