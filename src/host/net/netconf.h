/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is around the firewall of a network: lines of net/NAME.conf, or if that
 * is not there, of net.conf.  `uplink = WAY`, its way out:
 *
 *     passt           through this machine's own network; what there is
 *                     without a file
 *     vm:NAME         through the net VM NAME, which firewalls share
 *     tap:WHERE,...   through a TAP: an interface's name, or the path of a
 *                     socket that lends one; the rest as for --nic
 *     pci:ADDRESS,...  through a network card of this machine's, which the VM
 *                     gets whole; likewise
 *
 * `bridge = inside`, `outside`, `both` or `none`: a VM without an address on
 * that side of it; none is what there is without a line.
 *
 * A net VM's name is vm:NAME here and wherever people see it: no ruleset can
 * have it.
 */
#ifndef HOST_NET_NETCONF_H
#define HOST_NET_NETCONF_H

#include "wire/nic.h"

#include <stdbool.h>

struct err;

enum netconf_kind { NETCONF_PASST, NETCONF_VM, NETCONF_TAP, NETCONF_PCI };

/* Of a firewall VM or net VM. */
enum netconf_side { NETCONF_INSIDE, NETCONF_OUTSIDE, NETCONF_SIDES };

struct netconf {
	enum netconf_kind kind;
	bool bridge[NETCONF_SIDES]; /* there is a bridge VM on that side */
	char *path;	/* of the file that says so; NULL: none does */
	char *where;	/* vm:NAME; the TAP's interface or socket; or address */
	struct nic nic; /* of a TAP, or PCI device */
};

/* vm:NAME with a name that a ruleset could have. */
bool netconf_is_vm(const char *network);

/*
 * Reads the first of NAME.conf in net/ of the folders (NULL-terminated,
 * …/vmrun each), then, for rulesets, the first net.conf.  0, or -1 and e.
 */
int netconf_find(struct netconf *c, const char *network,
		 const char *const *config_dirs, struct err *e);
/* The same, and what is behind it: the net VM's own way. */
int netconf_check(const char *network, const char *const *config_dirs,
		  bool *wants_passt, struct err *e);
void netconf_free(struct netconf *c);

/* What people are told: passt, vm:NAME, tap:WHERE, pci:ADDRESS; inside,
 * outside, both, none. */
const char *netconf_text(const struct netconf *c, char *out, size_t n);
const char *netconf_bridge(const struct netconf *c);

#endif
