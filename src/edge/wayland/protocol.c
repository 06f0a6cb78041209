/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looking things up in the tables.  Runs in vmrun-wayland as U; pure. */
#include "protocol.h"

#include <string.h>

uint16_t protocol_find(const char *name, size_t n)
{
	for (size_t i = 0; i < PROTOCOL_INTERFACES; i++)
		if (strlen(protocol[i].name) == n &&
		    !memcmp(protocol[i].name, name, n))
			return (uint16_t)i;
	return PROTOCOL_ANY;
}
