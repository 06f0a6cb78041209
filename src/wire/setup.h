/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What vmrun tells vmrun-stage: the staged part of the plan, in a sealed
 * memory file; and the records that the stage sends back.
 *
 * Names of bytes only: the descriptors travel by inheritance, at the numbers
 * that setup_fd rows give.
 */
#ifndef WIRE_SETUP_H
#define WIRE_SETUP_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SETUP_VERSION 6u
#define SETUP_MAX (4u * 1024 * 1024)
#define SETUP_MOUNTS_MAX 4096u
#define SETUP_MEMBERS_MAX 16u
#define SETUP_FDS_MAX 32u
#define SETUP_STRINGS_MAX 4096u
#define SETUP_STRING_MAX 65536u
#define SETUP_PATH_MAX 4095u
#define SETUP_NAME_MAX 255u
#define SETUP_FILES_MAX 64u
#define SETUP_DEVICES_MAX 16u
#define SETUP_FD_LIMIT 1024u /* no descriptor number is this high */
#define SETUP_PCI_DIR "/pci"

struct err;

/* Descriptors of vmrun-stage itself. */
enum { SETUP_FD_CTL = 3, SETUP_FD_RECORD = 4, SETUP_FD_FIRST = 5 };

/*
 * The capabilities (CAP_* numbers) that vmrun-stage needs in its own user
 * namespace, as ambient ones: what vmrun gives to seal_keep_caps() before
 * execve().  setup.c says why each.
 */
extern const int setup_stage_caps[];
extern const size_t setup_n_stage_caps;

/* Which of the two file servers a source is for. */
enum setup_tree {
	SETUP_TREE_GRANTED, /* to U, by mode and ACL: SETUP_VIEW_TREE */
	SETUP_TREE_PLAIN,   /* has no ACLs: SETUP_VIEW_PLAIN */
};

/*
 * A source that the VM may see: opened by path without following any symbolic
 * link, compared with dev and ino, cloned recursively, nosuid, nodev and
 * nosymfollow set on the whole clone, read-only where asked, then attached at
 * NAME below the shared tree's root, with something empty over what is mounted
 * inside it.
 */
struct setup_mount {
	char *src;	   /* absolute, canonical */
	char *name;	   /* one component, not "." or ".." */
	uint64_t dev, ino; /* as stat() reports them */
	bool readonly;
	bool file;  /* src is a regular file */
	bool exec;  /* else noexec on the host's side */
	bool inner; /* shows what is mounted inside it */
	enum setup_tree tree;
};

/*
 * What a member sees.  Devices and files that it asks for are added.
 * TREE: the distribution's file server: /usr, /proc, the granted sources at
 * /tree.
 * PLAIN: the second one: libraries, /proc, the plain sources at /tree; a user
 * namespace that maps U to the person.  It is the only member that is not U
 * outside.
 * VMM: /usr; a user namespace that maps U only.
 * EMPTY: libraries at most; a user namespace that maps U only.
 * UPLINK: the same, its own /proc/self and an empty /tmp; no network namespace
 * of its own, but the one that vmrun-stage was started in.
 */
enum setup_view {
	SETUP_VIEW_TREE,
	SETUP_VIEW_VMM,
	SETUP_VIEW_EMPTY,
	SETUP_VIEW_PLAIN,
	SETUP_VIEW_UPLINK,
};

/*
 * A file, a socket, or a directory with all below it, that a member may see
 * inside its root, read-only; a socket can be connected to all the same.
 * Symbolic links are neither followed on the way to src nor on the way to dst.
 */
struct setup_file {
	char *src; /* absolute, canonical */
	char *dst; /* absolute in the member's root */
	uint64_t dev, ino;
};

struct setup_fd {
	uint32_t from; /* number in vmrun-stage */
	uint32_t to;   /* number in the member */
};

enum setup_caps {
	SETUP_CAPS_NONE,
	SETUP_CAPS_FILESERVER, /* the C virtiofsd: until its client connected */
};

/* Who confines the member's system calls. */
enum setup_calls {
	SETUP_CALLS_OWN,     /* the program itself */
	SETUP_CALLS_WAYPIPE, /* the stage, by its list for waypipe */
	/* the program itself, which first moves into one more user namespace
	 * and an empty root, and makes sockets: passt */
	SETUP_CALLS_UPLINK,
};

/*
 * A program that runs in the sandbox, as U in its own eyes; if it ends, the VM
 * is over.
 */
struct setup_member {
	char *name; /* "qemu", "virtiofsd", "mux": for messages; [a-z0-9-]+ */
	enum setup_view view;
	enum setup_caps caps;
	char **argv; /* argv[0] is the absolute path of the program */
	char **env;
	char **devices; /* names below /dev, see stage/devices.c: "kvm" */
	struct setup_file *files;
	size_t n_files;
	struct setup_fd *fds;
	size_t n_fds;
	uint64_t nofile; /* RLIMIT_NOFILE, 0: the hard limit */
	enum setup_calls calls;
	uint64_t fsize; /* RLIMIT_FSIZE, memory files too; 0: none */
	/*
	 * Bytes of a file system in memory at /run, the member's own, where
	 * its umask is 0; 0: none.  A descriptor (O_PATH) of it comes beside
	 * STAGE_EV_MEMBER: the way to a socket that the member makes there.
	 */
	uint64_t scratch;
	/*
	 * Bytes of a file system in memory at /ram, of the VMM alone: for the
	 * guest's memory.  Its pages are huge where the kernel has such and
	 * the VMM asks for them (madvise()): the host makes, maps and frees
	 * 512 times fewer.  0: none.
	 */
	uint64_t memory;
	/*
	 * A PCI device of this machine's that vfio gives to a VMM: its address,
	 * such as 0000:03:00.0; NULL or "": none.  The member sees
	 * /dev/vfio/vfio, the node of the device's IOMMU group, and, in place
	 * of /sys, the link SETUP_PCI_DIR/ADDRESS/iommu_group, whose target is
	 * the group's number.
	 */
	char *pci;
	uint32_t iommu_group;
	uint64_t memlock; /* RLIMIT_MEMLOCK with a device; else untouched */
};

/*
 * Members are started in order, those of SETUP_VIEW_TREE after all others.
 * Put the VMM last: when it starts, no more user namespaces can be made.
 */
struct setup {
	uint32_t uid, gid;	     /* U and its group */
	uint32_t host_uid, host_gid; /* the person's, mapped one to one here */
	struct setup_mount *mounts;
	size_t n_mounts;
	struct setup_member *members;
	size_t n_members;
};

void setup_free(struct setup *s);
/* Appends the encoding to b (whose max should be SETUP_MAX). */
void setup_encode(struct buf *b, const struct setup *s);
/*
 * Pure; checks every bound, that paths are absolute and canonical, that names
 * are single components and unique, that descriptors are.  0; or -1 and e, and
 * then *s holds nothing.
 */
int setup_decode(const void *p, size_t n, struct setup *s, struct err *e);

/* From the stage to vmrun on SETUP_FD_CTL, SOCK_SEQPACKET, fixed size. */
enum stage_kind {
	STAGE_EV_MEMBER = 1, /* a member was started; member; fd: its /run */
	STAGE_EV_READY = 2,  /* all members run */
	STAGE_EV_GONE =
		3, /* a member ended: member, status as from waitpid() */
	STAGE_EV_ERROR = 4, /* staging failed: text, hint; the stage exits */
};

#define STAGE_TEXT_MAX 512u

struct stage_record {
	uint32_t version; /* SETUP_VERSION */
	uint32_t kind;
	uint32_t member; /* index into setup.members */
	int32_t status;
	int32_t code;		   /* errno of STAGE_EV_ERROR */
	char text[STAGE_TEXT_MAX]; /* NUL-terminated */
	char hint[STAGE_TEXT_MAX];
};

#endif
