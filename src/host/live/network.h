/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --net while the VM runs: news of its service, and a new one if it died. */
#ifndef HOST_NETWORK_H
#define HOST_NETWORK_H

struct supervisor;
struct err;

/* The command starts once the network is up, or is known not to be. */
int network_wait(struct supervisor *v, struct err *e);
void network_on_record(struct supervisor *v);
void network_on_timer(struct supervisor *v);

#endif
