/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What this machine and this person have: looked at, never changed.
 *
 * Each probe returns 0, or -1 with a message and a remedy.  Those that vmrun
 * asks at each start are cheap (access(2), one small file); the others are for
 * `vmrunctl doctor` and say so.
 */
#ifndef HOST_PROBE_H
#define HOST_PROBE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct err;
struct facts;
struct state_range;

/* A narrower subordinate range is refused: it would be used up in weeks. */
#define PROBE_RANGE_MIN 1000u
#define PROBE_QEMU_MAJOR 7u
#define PROBE_QEMU_MINOR 2u

enum fileserver_kind { FILESERVER_C, FILESERVER_RUST };

struct probe_tool {
	char *path;		   /* absolute, owned; NULL: not found */
	unsigned major, minor;	   /* of probe_version(); 0.0 before it */
	enum fileserver_kind kind; /* of probe_virtiofsd() */
};

/* Refuses root, capabilities and setuid. */
int probe_privilege(struct err *e);

/*
 * The person's subordinate ids: fills f->sub_* and f->subgid_*, and *r, whose
 * count is the smaller of the two.  f has user, uid and gid.  Refuses ranges
 * that are narrow, belong to somebody else too, or contain an id of the user
 * or group database.  On failure f's four members are 0.
 */
int probe_subids(struct facts *f, struct state_range *r, struct err *e);

/*
 * Pure: the first range of at least min ids of what getsubids printed.  0, or
 * -1 if there is none.
 */
int probe_parse_getsubids(const char *text, uint32_t min, uint32_t *first,
			  uint32_t *count);

/*
 * For state_claim(): a live process has this id among its four.  Without a
 * readable /proc every id counts as used.
 */
bool probe_uid_used(void *unused, uid_t uid);
/* As probe_uid_used() below another directory than /proc.  For tests. */
bool probe_uid_used_in(const char *proc, uid_t uid);

/*
 * Calls found() for each of the four user ids of each live process, some of
 * them several times.  0, or -1 and e if /proc cannot be read.
 */
int probe_uids(void (*found)(void *arg, uid_t uid), void *arg, struct err *e);

/*
 * /proc hides other users' processes (hidepid): probe_uid_used() then sees
 * none of a VM's, and its "no" means nothing.
 */
bool probe_proc_hidden(void);

/* $VMRUN_QEMU, else the usual places, else PATH. */
int probe_qemu(struct probe_tool *t, struct err *e);
/* $VMRUN_VIRTIOFSD, else the usual places. */
int probe_virtiofsd(struct probe_tool *t, struct err *e);
/* Whether the sandbox has it there: the path becomes the canonical one. */
int probe_place(struct probe_tool *t, struct err *e);
/* The path of nft, which PATH may not have for ordinary users; static; NULL: it
 * is not installed. */
const char *probe_nft(void);
/* Runs `path --version`: for doctor.  The C virtiofsd answers only root. */
int probe_version(struct probe_tool *t, struct err *e);
/* Pure: the first "N.N" of a program's --version text. */
int probe_parse_version(const char *text, unsigned *major, unsigned *minor);
void probe_tool_free(struct probe_tool *t);

/* /dev/kvm may be opened by a UID without groups: mode o+rw. */
int probe_kvm(struct err *e);
/* As probe_kvm() of another path.  For tests. */
int probe_kvm_at(const char *path, struct err *e);

/* newuidmap and newgidmap are there, and setuid or with the capability. */
int probe_idmap_tools(struct err *e);

/*
 * Makes a user namespace with all that vmrun needs in it and maps the ids of
 * f.  Names the distribution's setting where one forbids it.  For doctor.
 */
int probe_userns(const struct facts *f, struct err *e);

/* Sets and removes an ACL on a temporary file in dir.  For doctor. */
int probe_acl(const char *dir, struct err *e);

#endif
