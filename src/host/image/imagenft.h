/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * nft for the guest of a firewall: the program of this machine, its loader and
 * its libraries, all in one folder of the initramfs, and the two files of /etc
 * that it has names of services and protocols from.
 */
#ifndef HOST_IMAGENFT_H
#define HOST_IMAGENFT_H

struct err;
struct imagecpio;

/* Where things are in the initramfs; guest-init/firewall.c starts them. */
#define IMAGENFT_DIR "nft"

/* Packs the nft of that path: 0, or -1 and e.  Runs its loader, which only
 * lists libraries. */
int imagenft_pack(const char *nft, struct imagecpio *c, struct err *e);

#endif
