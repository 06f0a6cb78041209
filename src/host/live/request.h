/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * vmrunctl's connections to a running vmrun: stop, kill, and further commands
 * in the VM, each with its own streams.
 */
#ifndef HOST_REQUEST_H
#define HOST_REQUEST_H

#include "host/live/supervise-impl.h"

void request_init(struct supervisor *v);
void request_close_all(struct supervisor *v);
/* The listening socket is readable. */
void request_on_accept(struct supervisor *v);
/* Connection `at` is readable. */
void request_on_request(struct supervisor *v, uint32_t at);
/* vmrun-mux reports the end of a session other than 0. */
void request_on_exit(struct supervisor *v, const struct edge_record *r);
/* vmrun-mux refused a session. */
void request_on_full(struct supervisor *v, const struct edge_record *r);

/* Answers on a connection; -1: there is no room for it. */
int request_answer(struct conn *c, enum manage_kind kind, const char *text);
/* Ends it. */
void request_drop(struct supervisor *v, struct conn *c);

#endif
