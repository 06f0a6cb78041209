/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The launcher's commands.  One at a time: while an answer waits to be taken,
 * no further command is read.
 */
#ifndef EDGE_SWITCH_CONTROL_H
#define EDGE_SWITCH_CONTROL_H

#include "port.h"

struct control {
	int fd;	    /* to the launcher */
	bool waits; /* answer is still to be sent */
	struct switch_record answer;
};

struct ports {
	struct fabric fabric;
	struct port port[SWITCH_PORTS_MAX];
};

/* 0, or -1 and e. */
struct err;
int control_init(struct control *c, int fd, struct err *e);
/* For poll(2). */
short control_events(const struct control *c, const struct ports *p);
/*
 * Says which ports ended, sends an answer that waits, takes commands; what
 * can be done without waiting.  -1: the launcher is gone.
 */
int control_turn(struct control *c, struct ports *p);

#endif
