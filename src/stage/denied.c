/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * System calls that no member needs.  Runs in each member as U, right before
 * its execve().
 *
 * QEMU, both virtiofsds and our own edge programs confine themselves, later
 * and more tightly.  But the first two are not ours: each of their threads
 * runs for a while without its own filter (one thread of the C virtiofsd for
 * ever), and what their lists allow was not written with this sandbox in mind.
 * This list holds from the first instruction, in every thread.
 *
 * What may not be denied, because it is needed: execve (the member itself),
 * socketpair (vhost-user's channel), chroot (the C virtiofsd), clone
 * (threads), unshare(CLONE_FS) (both virtiofsds, a working directory for each
 * thread), seccomp (their own filters).
 */
#include "stage/denied.h"

#include "seal/fence.h"

#include <asm/ioctls.h>
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* The last one that was looked at: mseal, Linux 6.10. */
#define LAST_JUDGED 462

/* Younger than Debian 12's headers. */
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif
#define LSM_SET_SELF_ATTR 460

#define SET_ID (S_ISUID | S_ISGID)
#define NEW_SPACES                                                             \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |         \
	 CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)
#define SOCK_KIND 0xf

/* clang-format off */
#define NEVER(call, why) {SYS_##call, EPERM, FENCE_ALWAYS, 0, 0, 0, why}
#define UNKNOWN(call, why) {SYS_##call, ENOSYS, FENCE_ALWAYS, 0, 0, 0, why}
#define BITS(call, arg, mask, why) \
	{SYS_##call, EPERM, FENCE_ANY_BIT, arg, mask, 0, why}
#define EQUAL(call, arg, mask, value, why) \
	{SYS_##call, EPERM, FENCE_EQUAL, arg, mask, value, why}

static const struct fence_row rows[] = {
	/*
	 * Files.  Who executes a set-ID file of U's becomes U and has what was
	 * shared with the VM, and the mounts' nosuid is not the host's.  FIFOs
	 * and sockets stay: builds and tests make them, nobody of U's can listen
	 * at one on this side, and the person's vmrun removes what is left.
	 * Those that are called most come first.
	 */
	BITS(openat, 3, SET_ID, "a set-ID file"),
#ifdef SYS_open
	BITS(open, 2, SET_ID, "a set-ID file"),
	BITS(creat, 1, SET_ID, "a set-ID file"),
	BITS(chmod, 1, SET_ID, "a set-ID file"),
	EQUAL(mknod, 1, S_IFMT, S_IFCHR, "see mknodat"),
	EQUAL(mknod, 1, S_IFMT, S_IFBLK, "see mknodat"),
	BITS(mknod, 1, SET_ID, "a set-ID file"),
#endif
	UNKNOWN(openat2, "its mode is in memory; all fall back to openat"),
	BITS(fchmod, 1, SET_ID, "a set-ID file"),
	BITS(fchmodat, 2, SET_ID, "a set-ID file"),
	BITS(fchmodat2, 2, SET_ID, "a set-ID file"),
	BITS(mknodat, 2, SET_ID, "a set-ID file"),
	EQUAL(mknodat, 2, S_IFMT, S_IFCHR, "0:0 hides files of an overlay"),
	EQUAL(mknodat, 2, S_IFMT, S_IFBLK, "no device, whatever the kernel says"),
	NEVER(open_by_handle_at, "a way around the tree"),

	/* Others. */
	NEVER(ptrace, "one member is not another's"),
	NEVER(process_vm_readv, "the same"),
	NEVER(process_vm_writev, "the same"),
	NEVER(process_madvise, "the same"),
	NEVER(pidfd_getfd, "the same"),
	NEVER(kcmp, "the same"),
	NEVER(add_key, "keys are the person's"),
	NEVER(request_key, "the same; it also starts a program"),
	NEVER(keyctl, "the same"),
	/* The kernel looks at 32 bits of the request; so does the fence. */
	EQUAL(ioctl, 1, ~0U, TIOCSTI, "typing into a terminal"),
	EQUAL(ioctl, 1, ~0U, TIOCLINUX, "the same, on a console"),

	/* Namespaces and mounts: made by the stage, for good. */
	BITS(clone, 0, NEW_SPACES, "no more namespaces"),
	UNKNOWN(clone3, "its flags are in memory; libc falls back to clone"),
	NEVER(setns, "no other namespace"),
	NEVER(open_tree, "the tree is made"),
	NEVER(move_mount, "the same"),
	NEVER(fsopen, "the same"),
	NEVER(fspick, "the same"),
	NEVER(fsconfig, "the same"),
	NEVER(fsmount, "the same"),
	NEVER(mount_setattr, "the same"),

	/* Parts of the kernel that have had many errors, or run its code. */
	UNKNOWN(io_uring_setup, "does all of the above, past any filter"),
	UNKNOWN(io_uring_enter, "the same"),
	UNKNOWN(io_uring_register, "the same"),
	NEVER(bpf, "programs in the kernel"),
	NEVER(perf_event_open, "looks into the kernel"),
	NEVER(userfaultfd, "stops the kernel in the middle of a copy"),
	NEVER(memfd_secret, "memory that nobody can inspect"),
	NEVER(fanotify_init, "watches whole file systems"),
	NEVER(syslog, "the host's kernel log"),
	NEVER(init_module, "kernel code"),
	NEVER(finit_module, "the same"),
	NEVER(delete_module, "the same"),
	NEVER(kexec_load, "the same"),
	NEVER(kexec_file_load, "the same"),
	NEVER(reboot, "the host"),
	NEVER(swapon, "the host"),
	NEVER(swapoff, "the host"),
	NEVER(acct, "the host"),
	NEVER(quotactl, "the host"),
	NEVER(quotactl_fd, "the host"),
#ifdef SYS_iopl
	NEVER(iopl, "the host's devices"),
	NEVER(ioperm, "the same"),
	NEVER(modify_ldt, "16-bit code: no member has any"),
#endif
	{LSM_SET_SELF_ATTR, EPERM, FENCE_ALWAYS, 0, 0, 0, "another label"},
};

/* Those that an uplink needs: sockets are what it is for, and it moves into a
 * root of its own. */
static const struct fence_row not_uplink[] = {
	/*
	 * A socket or its name in a share leads out of the tree, through a
	 * read-only mount as well.  A datagram socket takes an address with
	 * each message, connected or not.
	 */
	NEVER(socket, "every socket is handed over"),
	NEVER(connect, "the same"),
	NEVER(bind, "the same"),
	{SYS_socketpair, EPERM, FENCE_OTHER_THAN, 0, ~0U, AF_UNIX,
	 "vhost-user's is AF_UNIX"},
	EQUAL(socketpair, 1, SOCK_KIND, SOCK_DGRAM, "sends to any name"),
	EQUAL(socketpair, 1, SOCK_KIND, SOCK_RAW, "the same, to AF_UNIX"),
	BITS(unshare, 0, NEW_SPACES | CLONE_NEWTIME, "no more namespaces"),
	NEVER(mount, "the tree is made"),
	NEVER(umount2, "the same"),
	NEVER(pivot_root, "the same"),
};
/* clang-format on */

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

int denied_fence(enum denied_to to, struct err *e)
{
	static struct fence_row all[ROWS(rows) + ROWS(not_uplink)];
	size_t n = ROWS(rows);

	memcpy(all, rows, sizeof(rows));
	switch (to) {
	case DENIED_MEMBER:
		memcpy(all + n, not_uplink, sizeof(not_uplink));
		n += ROWS(not_uplink);
		break;
	case DENIED_UPLINK:
		break;
	}
	return seal_fence(all, n, LAST_JUDGED, e);
}
