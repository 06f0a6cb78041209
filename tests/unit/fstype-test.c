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

/* Whatever ACLs a server has: what it says of our UIDs is not for us to say. */
static void test_grants(void)
{
	static const struct {
		long magic;
		const char *name;
		bool takes; /* where it has ACLs */
	} all[] = {
		{0x6969, "NFS", false},
		{0xff534d42, "SMB", false},
		{0xfe534d42, "SMB 2", false},
		{0x517b, "SMB of old", false},
		{0x01021997, "9p", false},
		{0x65735546, "FUSE", false},
		{0x00c36400, "Ceph", false},
		{0x5346414f, "AFS", false},
		{0x73757245, "Coda", false},
		{0x0bd00bd0, "Lustre", false},
		{0x01161970, "GFS2", false},
		{0x7461636f, "OCFS2", false},
		{0xef53, "ext4", true},
		{0x58465342, "XFS", true},
		{0x9123683e, "btrfs", true},
		{0x01021994, "tmpfs", true},
		{0x7366746e, "NTFS", true},
		{0x12345, "what is not known", true},
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		const struct fs_type *t = fs_type_of(all[i].magic);

		tap_ok(!fs_takes_grants(t, false, false, true) &&
			       !fs_takes_grants(t, true, true, false) &&
			       fs_takes_grants(t, true, false, true) ==
				       all[i].takes &&
			       fs_takes_grants(t, true, false, false) ==
				       all[i].takes,
		       "%s: %s", all[i].name,
		       all[i].takes ? "ACLs are edited" : "no ACL is edited");
	}
}

int main(void)
{
	test_grants();
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
