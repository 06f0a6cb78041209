/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What goes with --firewall.  Part of vmrun; pure. */
#include "host/option/optset.h"

#include "base/err.h"

/* The first option that is for applications; NULL: there is none. */
static const char *for_applications(const struct options *o)
{
	const struct {
		bool given;
		const char *name;
	} all[] = {
		{o->n_shares, "--rw, --ro and --tmp"},
		{o->n_sockets, "--socket"},
		{o->clipboard, "--clipboard"},
		{o->dbus, "--dbus"},
		{o->restricted, "--wrap"},
		{o->net, "--net"},
		{o->n_publish, "--publish"},
		{o->env, "--env"},
		{o->path_add, "--path-add"},
		{o->devices, "--device"},
		{o->include_keys, "--include-keys"},
		{o->root, "--root"},
		{o->cwd, "--cwd"},
		{o->tty != TTY_AUTO, "--tty"},
		{o->notify_fd, "--notify-fd"},
		{o->profile, "--profile"},
		{o->verify, "--verify"},
		{o->home, "--home"},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (all[i].given)
			return all[i].name;
	return NULL;
}

int optset_check_firewall(const struct options *o, struct err *e)
{
	const char *name = for_applications(o);

	if (name) {
		err_set(e, 0, "%s: not with --firewall", name);
		return err_hint(e, "the guest of a firewall has no "
				   "application and no file");
	}
	if (o->n_nics == 2)
		return 0;
	err_set(e, 0, "--firewall wants two network cards, not %zu", o->n_nics);
	return err_hint(e, "give --nic twice: the clients' side first, then "
			   "the way out");
}

int optset_check_pci(const struct options *o, struct err *e)
{
	for (size_t i = 0; i < o->n_nics; i++)
		if (o->nics[i].pci[0]) {
			err_set(e, 0, "--nic pci:%s: only with --firewall",
				o->nics[i].pci);
			return err_hint(e, "a PCI device is the way out of a "
					   "network: uplink = in vmrunctl(1)");
		}
	return 0;
}
