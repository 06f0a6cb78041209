/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Records of vmrun-switch, both directions: any bytes. */
#include "fuzz.h"

#include "edge/switch/fabric.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct switch_record r;
	struct fabric fabric = {0};
	bool command, event;

	memset(&r, 0, sizeof(r));
	memcpy(&r, p, n < sizeof(r) ? n : sizeof(r));
	command = switch_is_command(&r, n);
	event = switch_is_event(&r, n);
	if (command && event)
		abort();
	if ((command || event) &&
	    (n != sizeof(r) || r.port >= SWITCH_PORTS_MAX))
		abort();
	if (!command || r.kind != SWITCH_CMD_ATTACH)
		return 0;
	/* It is taken once, and after a detach once more. */
	for (int i = 0; i < 2; i++) {
		if (fabric_attach(&fabric, &r))
			abort();
		if (fabric_attach(&fabric, &r) != EBUSY)
			abort();
		fabric_detach(&fabric, r.port);
		if (fabric_ports(&fabric))
			abort();
	}
	return 0;
}
