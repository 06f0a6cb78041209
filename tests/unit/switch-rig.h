/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The surroundings of the real vmrun-switch in a test: the launcher's end of
 * its socket, and the machines' ends of its ports.  What goes wrong with the
 * surroundings themselves ends the test.
 */
#ifndef TESTS_UNIT_SWITCH_RIG_H
#define TESTS_UNIT_SWITCH_RIG_H

#include "frames.h"
#include "proc/spawn.h"
#include "wire/switch.h"

#include <sys/types.h>

enum { UP = 0, A = 10, B = 11 };

struct rig {
	struct child child;
	int launcher;
	int vm[SWITCH_PORTS_MAX];   /* our end; -1: none */
	int kept[SWITCH_PORTS_MAX]; /* a copy of the switch's end */
	struct switch_record role[SWITCH_PORTS_MAX]; /* how it was attached */
	struct switch_record gone[SWITCH_PORTS_MAX]; /* kind 0: not yet */
};

/* Starts it, with the ports UP, A and B of frames.h unless `bare`. */
void rig_start(struct rig *r, bool bare);
/* SIGKILL; another one with copies of the same ports. */
void rig_restart(struct rig *r);
void rig_kill(struct rig *r);
/* Closes everything; its wait status. */
int rig_end(struct rig *r);

/* What port n is, with the addresses of frames.h where it is one of those. */
struct switch_record rig_record(unsigned port, enum switch_role role);
/* Sends the n bytes of a command with descriptors, waits for its answer. */
struct switch_record rig_command_n(struct rig *r, const void *p, size_t n,
				   const int *fds, size_t nfds);
/* A socket pair for it; 0 or the refusal's errno value. */
int rig_attach(struct rig *r, const struct switch_record *how);
/* An errno value, 0 if it was done. */
int rig_detach(struct rig *r, unsigned port);
struct switch_counters rig_count(struct rig *r, unsigned port);
/* Waits until it said that the port is gone. */
struct switch_counters rig_gone(struct rig *r, unsigned port);

/* Sends the frame; waits for room. */
void rig_send(struct rig *r, unsigned port, const struct frame *f);
/* The same, but does not wait; false if there was no room. */
bool rig_try(struct rig *r, unsigned port, const struct frame *f);
/* Waits for a frame. */
void rig_receive(struct rig *r, unsigned port, struct frame *f);
/* How many frames are there now; they are taken. */
unsigned rig_drain(struct rig *r, unsigned port);
/*
 * Waits until all that was sent into client `port` was dealt with: by a frame
 * behind it that the uplink gets.  How many frames the uplink got before.
 */
unsigned rig_sync(struct rig *r, unsigned port);

/* A field of /proc/PID/status of the switch, as a number in that base. */
unsigned long long rig_status(const struct rig *r, const char *field, int base);

#endif
