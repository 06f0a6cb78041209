/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a tree is, apart from the contents of its files and its times: a line
 * for each inode with path, type, mode, owner, link count, ACLs and user
 * xattrs, sorted.  Two dumps are equal if vmrun left nothing behind.
 *
 * Shares no code with vmrun, nor with libacl: it is what they are judged by.
 *
 *   oracle [-n] [-x UID] TREE
 *
 *   -n      numbers of inodes too: nothing was replaced by a copy
 *   -x UID  says "TRACE" after each line that shows this id (as an owner, a
 *           group, or in an ACL) and exits with 3 if there was one
 *
 * 0, or 1 if something could not be looked at.
 */
#include <errno.h>
#include <fts.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

static bool with_inodes, failed, traced;
static uint32_t wanted;
static bool trace_here;

static void complain(const char *path, const char *what)
{
	fprintf(stderr, "oracle: %s: %s: %s\n", path, what, strerror(errno));
	failed = true;
}

static void saw(uint32_t id)
{
	if (wanted && id == wanted)
		trace_here = true;
}

/* One word, whatever is in it. */
static void print_bytes(const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] > ' ' && p[i] < 0x7f && p[i] != '\\')
			putchar(p[i]);
		else
			printf("\\%02x", p[i]);
}

static uint32_t little(const unsigned char *p, unsigned bytes)
{
	uint32_t v = 0;

	while (bytes--)
		v = v << 8 | p[bytes];
	return v;
}

/* As the kernel stores it for user space, see acl(5) for what the tags are. */
static void print_acl(const char *file, const char *path, const char *xattr,
		      const char *before)
{
	static unsigned char b[65536];
	ssize_t n = lgetxattr(file, xattr, b, sizeof(b));

	if (n < 0) {
		if (errno != ENODATA && errno != EOPNOTSUPP)
			complain(path, xattr);
		return;
	}
	printf(" %s=v%" PRIu32, before, n >= 4 ? little(b, 4) : 0);
	for (ssize_t at = 4; at + 8 <= n; at += 8) {
		uint32_t tag = little(b + at, 2), perm = little(b + at + 2, 2);
		uint32_t id = little(b + at + 4, 4);

		printf(",%02" PRIx32 ":", tag);
		if (tag == 0x02 || tag == 0x08) {
			printf("%" PRIu32 ":", id);
			saw(id);
		}
		printf("%c%c%c", perm & 4 ? 'r' : '-', perm & 2 ? 'w' : '-',
		       perm & 1 ? 'x' : '-');
		if (perm > 7)
			printf("!%" PRIx32, perm);
	}
	if (n < 4 || (n - 4) % 8)
		printf(",odd:%zd", n);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void print_user_xattrs(const char *file, const char *path)
{
	static char list[65536];
	static unsigned char value[65536];
	char *names[1024];
	size_t count = 0;
	ssize_t n = llistxattr(file, list, sizeof(list));

	if (n < 0) {
		if (errno != EOPNOTSUPP)
			complain(path, "listing xattrs");
		return;
	}
	for (char *p = list; p < list + n && count < 1024; p += strlen(p) + 1)
		if (!strncmp(p, "user.", 5))
			names[count++] = p;
	qsort(names, count, sizeof(names[0]), by_text);
	for (size_t i = 0; i < count; i++) {
		ssize_t len = lgetxattr(file, names[i], value, sizeof(value));

		putchar(' ');
		print_bytes((unsigned char *)names[i], strlen(names[i]));
		putchar('=');
		if (len < 0)
			complain(path, names[i]);
		else
			print_bytes(value, (size_t)len);
	}
}

static char type_of(mode_t mode)
{
	return S_ISREG(mode)	? 'f'
	       : S_ISDIR(mode)	? 'd'
	       : S_ISLNK(mode)	? 'l'
	       : S_ISFIFO(mode) ? 'p'
	       : S_ISSOCK(mode) ? 's'
	       : S_ISCHR(mode)	? 'c'
				: 'b';
}

/* The path ends the line, so that no other field depends on how long it is. */
static void print_one(const FTSENT *f, size_t skip)
{
	const struct stat *st = f->fts_statp;
	const char *file = f->fts_accpath;
	const char *path = f->fts_pathlen > skip ? f->fts_path + skip : "";
	char target[4096];
	ssize_t n;

	trace_here = false;
	saw(st->st_uid);
	saw(st->st_gid);
	printf("%c %04o %u:%u %ju", type_of(st->st_mode), st->st_mode & 07777u,
	       st->st_uid, st->st_gid,
	       S_ISDIR(st->st_mode) ? (uintmax_t)0 : (uintmax_t)st->st_nlink);
	if (with_inodes)
		printf(" %ju:%ju", (uintmax_t)st->st_dev,
		       (uintmax_t)st->st_ino);
	if (S_ISLNK(st->st_mode)) {
		n = readlink(file, target, sizeof(target));
		printf(" ->");
		print_bytes((unsigned char *)target, n < 0 ? 0 : (size_t)n);
	} else {
		print_acl(file, path, "system.posix_acl_access", "acl");
		if (S_ISDIR(st->st_mode))
			print_acl(file, path, "system.posix_acl_default",
				  "def");
		print_user_xattrs(file, path);
	}
	printf(" /");
	print_bytes((const unsigned char *)path, strlen(path));
	printf("%s\n", trace_here ? " TRACE" : "");
	traced = traced || trace_here;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int dump(char *tree)
{
	char *const roots[] = {tree, NULL};
	FTS *t = fts_open(roots, FTS_PHYSICAL | FTS_XDEV, by_name);
	size_t skip = strlen(tree);
	FTSENT *f;

	if (!t) {
		complain(tree, "opening");
		return 1;
	}
	for (errno = 0; (f = fts_read(t)); errno = 0) {
		switch (f->fts_info) {
		case FTS_DP:
			break;
		case FTS_DNR: /* was printed before; what is in it was not */
			errno = f->fts_errno;
			complain(f->fts_path, "listing");
			break;
		case FTS_ERR:
		case FTS_NS:
			errno = f->fts_errno;
			complain(f->fts_path, "looking");
			break;
		default:
			print_one(f, f->fts_level > 0 ? skip + 1 : skip);
			break;
		}
	}
	if (errno)
		complain(tree, "reading");
	fts_close(t);
	return failed ? 1 : traced ? 3 : 0;
}

int main(int argc, char **argv)
{
	int o;

	while ((o = getopt(argc, argv, "nx:")) != -1)
		if (o == 'n')
			with_inodes = true;
		else if (o == 'x')
			wanted = (uint32_t)strtoul(optarg, NULL, 10);
		else
			return 125;
	if (optind + 1 != argc) {
		fputs("usage: oracle [-n] [-x UID] TREE\n", stderr);
		return 125;
	}
	/* A slash at the end would count in the paths. */
	for (char *p = argv[optind]; strlen(p) > 1 && p[strlen(p) - 1] == '/';)
		p[strlen(p) - 1] = '\0';
	o = dump(argv[optind]);
	if (fflush(stdout) || ferror(stdout))
		return 1;
	return o;
}
