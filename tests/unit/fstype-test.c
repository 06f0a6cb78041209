/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Kinds of file systems, by the numbers that statfs(2) gives. */
#include "host/plan/fstype.h"
#include "tap.h"

#include <linux/magic.h>

static void kind(long magic, const char *name, enum fs_reach reach,
		 const char *modes)
{
	const struct fs_type *t = fs_type_of(magic);

	tap_ok(t && !strcmp(t->name, name) && t->reach == reach &&
		       t->modes == !strcmp(modes, "modes"),
	       "%s", name);
}

int main(void)
{
	kind(0x6969, "NFS", FS_SHARED, "modes");
	kind(0xff534d42, "SMB", FS_SHARED, "modes");
	kind((int)0xff534d42, "SMB", FS_SHARED, "modes"); /* signed */
	kind(0xfe534d42, "SMB", FS_SHARED, "modes");
	kind(0x01021997, "9p", FS_SHARED, "modes");
	kind(0x65735546, "FUSE", FS_SHARED, "modes");
	kind(0x00c36400, "Ceph", FS_SHARED, "modes");
	kind(0x4d44, "FAT", FS_LOCAL, "none");
	kind(0x2011bab0, "exFAT", FS_LOCAL, "none");
	kind(0x7366746e, "NTFS", FS_LOCAL, "modes");
	kind(0x858458f6, "ramfs", FS_LOCAL, "modes");
	kind(0x73717368, "squashfs", FS_LOCAL, "modes");
	kind(0xe0f5e1e2, "EROFS", FS_LOCAL, "modes");
	tap_ok(!fs_type_of(EXT4_SUPER_MAGIC) && !fs_type_of(TMPFS_MAGIC) &&
		       !fs_type_of(XFS_SUPER_MAGIC) &&
		       !fs_type_of(BTRFS_SUPER_MAGIC) &&
		       !fs_type_of(OVERLAYFS_SUPER_MAGIC) && !fs_type_of(0),
	       "what has ACLs, and what is not known, is not in the table");
	return tap_done();
}
