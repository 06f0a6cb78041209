/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Kinds of file systems.  Pure; part of vmrun. */
#include "host/plan/fstype.h"

#include <linux/magic.h>
#include <stddef.h>

/* Magic numbers that <linux/magic.h> of Debian 12 lacks. */
enum {
	FS_NTFS3 = 0x7366746e,
	FS_NTFS = 0x5346544e,
	FS_HFS = 0x4244,
	FS_HFSPLUS = 0x482b,
	FS_ORANGEFS = 0x20030528,
	FS_LUSTRE = 0x0bd00bd0,
	FS_GPFS = 0x47504653,
	FS_GFS2 = 0x01161970,
	FS_OCFS2 = 0x7461636f,
	FS_VBOX = 0x786f4256,
};

static const struct fs_type types[] = {
	{NFS_SUPER_MAGIC, "NFS", FS_SHARED, true},
	{CIFS_SUPER_MAGIC, "SMB", FS_SHARED, true},
	{SMB2_SUPER_MAGIC, "SMB", FS_SHARED, true},
	{SMB_SUPER_MAGIC, "SMB", FS_SHARED, true},
	{V9FS_MAGIC, "9p", FS_SHARED, true},
	{FUSE_SUPER_MAGIC, "FUSE", FS_SHARED, true},
	{AFS_SUPER_MAGIC, "AFS", FS_SHARED, true},
	{AFS_FS_MAGIC, "AFS", FS_SHARED, true},
	{CEPH_SUPER_MAGIC, "Ceph", FS_SHARED, true},
	{CODA_SUPER_MAGIC, "Coda", FS_SHARED, true},
	{FS_ORANGEFS, "OrangeFS", FS_SHARED, true},
	{FS_LUSTRE, "Lustre", FS_SHARED, true},
	{FS_GPFS, "GPFS", FS_SHARED, true},
	{FS_GFS2, "GFS2", FS_SHARED, true},
	{FS_OCFS2, "OCFS2", FS_SHARED, true},
	{FS_VBOX, "VirtualBox's shared folder", FS_SHARED, true},
	{MSDOS_SUPER_MAGIC, "FAT", FS_LOCAL, false},
	{EXFAT_SUPER_MAGIC, "exFAT", FS_LOCAL, false},
	{FS_NTFS3, "NTFS", FS_LOCAL, true},
	{FS_NTFS, "NTFS", FS_LOCAL, false},
	{FS_HFS, "HFS", FS_LOCAL, true},
	{FS_HFSPLUS, "HFS+", FS_LOCAL, true},
	{UDF_SUPER_MAGIC, "UDF", FS_LOCAL, true},
	{RAMFS_MAGIC, "ramfs", FS_LOCAL, true},
	{ISOFS_SUPER_MAGIC, "ISO 9660", FS_LOCAL, true},
	{SQUASHFS_MAGIC, "squashfs", FS_LOCAL, true},
	{EROFS_SUPER_MAGIC_V1, "EROFS", FS_LOCAL, true},
	{CRAMFS_MAGIC, "cramfs", FS_LOCAL, true},
};

const struct fs_type *fs_type_of(long f_type)
{
	/* Signed on some machines, and 32 bits in the file systems. */
	unsigned long magic = (unsigned long)f_type & 0xffffffff;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].magic == magic)
			return &types[i];
	return NULL;
}

bool fs_takes_grants(const struct fs_type *type, bool acls, bool read_only,
		     bool rw)
{
	if (type && type->reach == FS_SHARED)
		return false;
	return acls && (rw || !read_only);
}
