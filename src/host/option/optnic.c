/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --nic FD,mac=...: a network card by descriptor, or a PCI device.  Part of
 * vmrun; pure but for the look whether the descriptor is open. */
#include "host/option/optset.h"

#include "base/err.h"
#include "base/own.h"
#include "host/text.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char nic_form[] =
	"FD,mac=MAC[,ip=IP/PREFIX][,gw=IP][,dns=IP][,mtu=N]";
static const char pci_prefix[] = "pci:";

static int bad_value(struct err *e, const char *key, const char *value,
		     const char *want)
{
	char shown[TEXT_SHOWN];

	return err_set(e, 0, "%s=%s: not %s", key,
		       text_show(shown, sizeof(shown), value), want);
}

static bool is_zero(const unsigned char *p, size_t n)
{
	while (n && !p[n - 1])
		n--;
	return n == 0;
}

static int set_mac(struct nic *n, const char *value, struct err *e)
{
	unsigned v[NIC_MAC];
	int end = 0;

	if (sscanf(value, "%2x:%2x:%2x:%2x:%2x:%2x%n", &v[0], &v[1], &v[2],
		   &v[3], &v[4], &v[5], &end) != 6 ||
	    value[end] || end != 17)
		return bad_value(e, "mac", value,
				 "six bytes such as 02:76:6d:00:00:02");
	for (size_t i = 0; i < NIC_MAC; i++)
		n->mac[i] = (unsigned char)v[i];
	if (n->mac[0] & 1 || is_zero(n->mac, NIC_MAC))
		return bad_value(e, "mac", value,
				 "the address of a single machine");
	return 0;
}

/* An address of either family, without prefix. */
static int get_ip(struct nic_addr *a, const char *key, const char *value,
		  struct err *e)
{
	memset(a, 0, sizeof(*a));
	if (inet_pton(AF_INET, value, a->ip) == 1)
		a->family = NIC_IP4;
	else if (inet_pton(AF_INET6, value, a->ip) == 1)
		a->family = NIC_IP6;
	else
		return bad_value(e, key, value, "an IP address");
	if (is_zero(a->ip, sizeof(a->ip)))
		return bad_value(e, key, value, "the address of a machine");
	return 0;
}

static int full(struct err *e, const char *key, unsigned max)
{
	return err_set(e, 0, "more than %u times %s=", max, key);
}

static int add_ip(struct nic *n, char *value, struct err *e)
{
	struct nic_addr *a = &n->addrs[n->n_addrs];
	char *slash = strchr(value, '/');
	uint64_t prefix;

	if (n->n_addrs == NIC_ADDRS_MAX)
		return full(e, "ip", NIC_ADDRS_MAX);
	if (!slash)
		return bad_value(e, "ip", value,
				 "an address and the length of its network's "
				 "prefix, such as 10.0.0.2/24");
	*slash = '\0';
	if (get_ip(a, "ip", value, e))
		return -1;
	if (text_number(slash + 1, nic_addr_size(a->family) * 8, &prefix) ||
	    !prefix)
		return bad_value(e, "ip", slash + 1, "the length of a prefix");
	a->prefix = (uint8_t)prefix;
	n->n_addrs++;
	return 0;
}

static int add_gateway(struct nic *n, const char *value, struct err *e)
{
	struct nic_addr a;

	if (get_ip(&a, "gw", value, e))
		return -1;
	for (size_t i = 0; i < n->n_gateways; i++)
		if (n->gateways[i].family == a.family)
			return err_set(e, 0, "two gateways for IPv%d",
				       (int)a.family);
	n->gateways[n->n_gateways++] = a;
	return 0;
}

static int add_dns(struct nic *n, const char *value, struct err *e)
{
	if (n->n_dns == NIC_DNS_MAX)
		return full(e, "dns", NIC_DNS_MAX);
	if (get_ip(&n->dns[n->n_dns], "dns", value, e))
		return -1;
	n->n_dns++;
	return 0;
}

static int set_mtu(struct nic *n, const char *value, struct err *e)
{
	uint64_t mtu;

	if (text_number(value, NIC_MTU_MAX, &mtu) || mtu < NIC_MTU_MIN)
		return bad_value(e, "mtu", value,
				 "a number from 1280 to 65521");
	n->mtu = (uint32_t)mtu;
	return 0;
}

static int set_key(struct nic *n, char *word, struct err *e)
{
	char *value = strchr(word, '=');
	char shown[TEXT_SHOWN];

	if (!value) {
		err_set(e, 0, "\"%s\" is not KEY=VALUE",
			text_show(shown, sizeof(shown), word));
		return err_hint(e, "the form is %s", nic_form);
	}
	*value++ = '\0';
	if (!strcmp(word, "mac"))
		return set_mac(n, value, e);
	if (!strcmp(word, "ip"))
		return add_ip(n, value, e);
	if (!strcmp(word, "gw"))
		return add_gateway(n, value, e);
	if (!strcmp(word, "dns"))
		return add_dns(n, value, e);
	if (!strcmp(word, "mtu"))
		return set_mtu(n, value, e);
	err_set(e, 0, "there is no \"%s=\"",
		text_show(shown, sizeof(shown), word));
	return err_hint(e, "the form is %s", nic_form);
}

static int check_unique(const struct options *o, const struct opt_nic *n,
			struct err *e)
{
	for (size_t i = 0; i < o->n_nics; i++) {
		if (n->pci[0] && o->nics[i].pci[0])
			return err_set(e, 0, "a VM has one PCI device");
		if (n->fd >= 0 && o->nics[i].fd == n->fd)
			return err_set(e, 0, "descriptor %d is another card's",
				       n->fd);
		if (!memcmp(o->nics[i].nic.mac, n->nic.mac, NIC_MAC))
			return err_set(e, 0, "two cards with the same MAC");
	}
	return 0;
}

int optset_nic_keys(struct nic *n, char *words, struct err *e)
{
	char *word;

	while ((word = strsep(&words, ",")))
		if (set_key(n, word, e))
			return -1;
	return 0;
}

/* The card's other end. */
static int set_end(struct opt_nic *n, const char *word, struct err *e)
{
	char shown[TEXT_SHOWN];

	if (strncmp(word, pci_prefix, strlen(pci_prefix)) != 0)
		return optset_open_fd(word, &n->fd, e);
	word += strlen(pci_prefix);
	if (!pci_is_address(word)) {
		err_set(e, 0, "pci:%s: not the address of a PCI device",
			text_show(shown, sizeof(shown), word));
		return err_hint(e, "as lspci -D has it: 0000:03:00.0");
	}
	memcpy(n->pci, word, PCI_ADDRESS);
	return 0;
}

int optset_nic(void *ctx, const struct opt *o, const char *value, struct err *e)
{
	struct options *to = ((struct optset *)ctx)->o;
	own_free char *text = text_dup(value, e);
	struct opt_nic n = {.fd = -1};
	char *rest = text, *word;

	(void)o;
	if (!text)
		return -1;
	if (to->n_nics == NICS_MAX)
		return err_set(e, 0, "more than %u network cards", NICS_MAX);
	word = strsep(&rest, ",");
	if (set_end(&n, word, e))
		return -1;
	if (rest && optset_nic_keys(&n.nic, rest, e))
		return -1;
	if (!n.pci[0] && is_zero(n.nic.mac, NIC_MAC)) {
		err_set(e, 0, "it has no mac=");
		return err_hint(e, "the form is %s", nic_form);
	}
	if (check_unique(to, &n, e))
		return -1;
	to->nics[to->n_nics++] = n;
	return 0;
}
