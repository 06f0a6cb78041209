/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is typed goes to the guest while vmrun is in the foreground. */
#ifndef HOST_INPUT_H
#define HOST_INPUT_H

#include "host/live/supervise-impl.h"

/* Before the launch record: begins to watch a terminal on standard input. */
int input_begin(struct supervisor *v, struct err *e);
/* Something was typed: for whom? */
void input_on_typed(struct supervisor *v);
/* SIGTSTP */
void input_on_stop(struct supervisor *v);

#endif
