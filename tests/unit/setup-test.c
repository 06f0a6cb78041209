/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The setup record: what is decoded is what was encoded, and nothing that the
 * stage should not act on is decoded at all.
 */
#include "tap.h"

#include "base/err.h"
#include "wire/setup.h"

#include <linux/capability.h>
#include <stdlib.h>

/* Writable texts, because the record owns its strings elsewhere. */
static char docs[] = "/home/ann/Documents", name0[] = "0", name1[] = "1";
static char file[] = "/etc/hosts", prog[] = "/usr/bin/qemu";
static char arg[] = "-version", var[] = "LANG=C", node[] = "kvm";
static char kernel[] = "/boot/vmlinux", dst[] = "/vmlinux";
static char card[] = "0000:03:00.0";
static char qemu[] = "qemu", server[] = "virtiofsd", fsd[] = "/usr/bin/fsd";
static char *argv_vmm[] = {prog, arg, NULL}, *argv_fs[] = {fsd, NULL};
static char *env[] = {var, NULL}, *devices[] = {node, NULL}, *none[] = {NULL};

/* A good record, in tables that a test may change. */
struct sample {
	struct setup s;
	struct setup_mount mounts[2];
	struct setup_member members[2];
	struct setup_file files[1];
	struct setup_fd fds[2];
};

static void make(struct sample *x)
{
	memset(x, 0, sizeof(*x));
	x->s.uid = 100007;
	x->s.gid = 100008;
	x->s.host_uid = 1000;
	x->s.host_gid = 1001;
	x->s.mounts = x->mounts;
	x->s.n_mounts = 2;
	x->s.members = x->members;
	x->s.n_members = 2;
	x->mounts[0] = (struct setup_mount){
		.src = docs, .name = name0, .dev = 7, .ino = 1ULL << 40};
	x->mounts[1] = (struct setup_mount){.tree = SETUP_TREE_PLAIN,
					    .src = file,
					    .name = name1,
					    .readonly = true,
					    .file = true,
					    .exec = true,
					    .inner = true};
	x->files[0] = (struct setup_file){
		.src = kernel, .dst = dst, .dev = 3, .ino = 4};
	x->fds[0] = (struct setup_fd){.from = 5, .to = 0};
	x->fds[1] = (struct setup_fd){.from = 6, .to = 9};
	x->members[0] = (struct setup_member){.name = qemu,
					      .view = SETUP_VIEW_VMM,
					      .argv = argv_vmm,
					      .env = env,
					      .devices = devices,
					      .files = x->files,
					      .n_files = 1,
					      .fds = x->fds,
					      .n_fds = 2,
					      .nofile = 99,
					      .calls = SETUP_CALLS_WAYPIPE,
					      .fsize = 1ULL << 33,
					      .scratch = 65536,
					      .memory = 1ULL << 34,
					      .pci = card,
					      .iommu_group = 26,
					      .memlock = 1ULL << 34};
	x->members[1] = (struct setup_member){.name = server,
					      .view = SETUP_VIEW_TREE,
					      .caps = SETUP_CAPS_FILESERVER,
					      .argv = argv_fs,
					      .env = none,
					      .devices = none};
}

/* Encodes and decodes; 0 or -1 as the decoder. */
static int pass(const struct sample *x, struct setup *got, struct err *e)
{
	struct buf b;
	int r;

	buf_init(&b, SETUP_MAX);
	setup_encode(&b, &x->s);
	r = b.bad ? -1 : setup_decode(b.data, b.len, got, e);
	buf_free(&b);
	return r;
}

static void test_round(void)
{
	struct err e = ERR_INIT;
	struct sample x;
	struct setup s = {0};

	make(&x);
	tap_ok(pass(&x, &s, &e) == 0, "a good record is taken");
	if (!s.mounts || !s.members)
		return;
	tap_ok(s.uid == 100007 && s.gid == 100008 && s.host_uid == 1000 &&
		       s.host_gid == 1001,
	       "ids");
	tap_ok(s.n_mounts == 2 && s.n_members == 2, "counts");
	tap_str(s.mounts[0].src, docs, "a source");
	tap_str(s.mounts[1].name, name1, "a name");
	tap_ok(s.mounts[0].dev == 7 && s.mounts[0].ino == 1ULL << 40,
	       "device and inode");
	tap_ok(!s.mounts[0].readonly && !s.mounts[0].file &&
		       !s.mounts[0].exec && !s.mounts[0].inner,
	       "flags that are not set");
	tap_ok(s.mounts[1].readonly && s.mounts[1].file && s.mounts[1].exec &&
		       s.mounts[1].inner,
	       "flags that are");
	tap_ok(s.mounts[0].tree == SETUP_TREE_GRANTED &&
		       s.mounts[1].tree == SETUP_TREE_PLAIN,
	       "which server serves it");
	tap_str(s.members[0].argv[1], arg, "arguments");
	tap_str(s.members[0].env[0], var, "environment");
	tap_str(s.members[0].devices[0], node, "devices");
	tap_str(s.members[0].files[0].dst, dst, "files");
	tap_ok(s.members[0].fds[1].from == 6 && s.members[0].fds[1].to == 9,
	       "descriptors");
	tap_ok(s.members[0].calls == SETUP_CALLS_WAYPIPE &&
		       s.members[0].fsize == 1ULL << 33 &&
		       s.members[0].scratch == 65536 &&
		       s.members[0].memory == 1ULL << 34,
	       "confinement");
	tap_str(s.members[0].pci, card, "a PCI device");
	tap_ok(s.members[0].iommu_group == 26 &&
		       s.members[0].memlock == 1ULL << 34 &&
		       !s.members[1].pci[0],
	       "what goes with it, and that the other has none");
	tap_ok(s.members[0].nofile == 99 &&
		       s.members[0].view == SETUP_VIEW_VMM &&
		       s.members[1].caps == SETUP_CAPS_FILESERVER,
	       "the rest of a member");
	setup_free(&s);
	tap_ok(!s.n_mounts && !s.members, "freed is empty");
}

/* Decoding must fail, and leave nothing behind. */
static void refused(const struct sample *x, const char *what)
{
	struct err e = ERR_INIT;
	struct setup s;
	int r = pass(x, &s, &e);

	tap_ok(r < 0 && e.msg[0] && !s.mounts && !s.members, "no: %s", what);
	if (r == 0)
		setup_free(&s);
}

/* Puts `value` in place of a text of the good record. */
#define REFUSE(field, value)                                                   \
	do {                                                                   \
		static char text[] = value;                                    \
		struct sample x;                                               \
                                                                               \
		make(&x);                                                      \
		x.field = text;                                                \
		refused(&x, #field " " value);                                 \
	} while (0)

#define REFUSE_NUMBER(field, value)                                            \
	do {                                                                   \
		struct sample x;                                               \
                                                                               \
		make(&x);                                                      \
		x.field = (value);                                             \
		refused(&x, #field " = " #value);                              \
	} while (0)

static void test_paths(void)
{
	REFUSE(mounts[0].src, "");
	REFUSE(mounts[0].src, "/");
	REFUSE(mounts[0].src, "home/ann");
	REFUSE(mounts[0].src, "/home/../etc");
	REFUSE(mounts[0].src, "/home/./ann");
	REFUSE(mounts[0].src, "/home//ann");
	REFUSE(mounts[0].src, "/home/ann/");
	REFUSE(mounts[0].src, "/..");
	REFUSE(mounts[0].name, "");
	REFUSE(mounts[0].name, ".");
	REFUSE(mounts[0].name, "..");
	REFUSE(mounts[0].name, "a/b");
	REFUSE(mounts[0].name, "1"); /* the other one's */
	REFUSE(files[0].src, "boot/vmlinux");
	REFUSE(files[0].dst, "/../vmlinux");
	REFUSE(files[0].dst, "/");
	REFUSE(members[0].name, "");
	REFUSE(members[0].name, "\033[2J");
	REFUSE(members[0].name, "a name");
	REFUSE(members[0].argv[0], "qemu");
	argv_vmm[0] = prog;
	REFUSE(members[0].env[0], "LANG");
	REFUSE(members[0].env[0], "=x");
	env[0] = var;
	REFUSE(members[0].devices[0], "../sda");
	REFUSE(members[0].devices[0], "");
	REFUSE(members[0].devices[0], "vfio/26");
	devices[0] = node;
	REFUSE(members[0].pci, "0000:03:00");
	REFUSE(members[0].pci, "/../../../..");
	REFUSE(members[1].pci, "0000:03:00.0"); /* no VMM */
}

static void test_numbers(void)
{
	REFUSE_NUMBER(s.uid, 0);
	REFUSE_NUMBER(s.gid, 0);
	REFUSE_NUMBER(s.uid, (uint32_t)-1);
	REFUSE_NUMBER(s.gid, (uint32_t)-1);
	REFUSE_NUMBER(members[0].calls, SETUP_CALLS_UPLINK);
	REFUSE_NUMBER(members[0].view, SETUP_VIEW_UPLINK);
	REFUSE_NUMBER(s.uid, 1000);
	REFUSE_NUMBER(s.gid, 1001);
	REFUSE_NUMBER(s.host_uid, 0);
	REFUSE_NUMBER(s.host_uid, (uint32_t)-1);
	REFUSE_NUMBER(s.host_gid, (uint32_t)-1);
	REFUSE_NUMBER(s.n_members, 0);
	REFUSE_NUMBER(members[0].view, (enum setup_view)4);
	REFUSE_NUMBER(mounts[0].tree, (enum setup_tree)2);
	REFUSE_NUMBER(members[0].caps, (enum setup_caps)2);
	REFUSE_NUMBER(members[0].calls, (enum setup_calls)2);
	REFUSE_NUMBER(members[1].scratch, 1);
	REFUSE_NUMBER(members[1].memory, 1);
	REFUSE_NUMBER(members[0].caps, SETUP_CAPS_FILESERVER);
	REFUSE_NUMBER(members[0].argv, none);
	REFUSE_NUMBER(fds[0].from, SETUP_FD_RECORD);
	REFUSE_NUMBER(fds[0].from, SETUP_FD_LIMIT);
	REFUSE_NUMBER(fds[0].to, SETUP_FD_LIMIT);
	REFUSE_NUMBER(fds[0].to, 9); /* the other one's */
}

static void test_too_many(void)
{
	struct setup_mount *m = calloc(SETUP_MOUNTS_MAX + 1, sizeof(*m));
	struct err e = ERR_INIT;
	struct sample x;
	struct setup s;
	char names[SETUP_MOUNTS_MAX + 1][8];

	if (!m)
		exit(1);
	for (size_t i = 0; i <= SETUP_MOUNTS_MAX; i++) {
		snprintf(names[i], sizeof(names[i]), "%zu", i);
		m[i].src = docs;
		m[i].name = names[i];
	}
	make(&x);
	x.s.mounts = m;
	x.s.n_mounts = SETUP_MOUNTS_MAX;
	if (tap_ok(pass(&x, &s, &e) == 0 && s.n_mounts == SETUP_MOUNTS_MAX,
		   "as many mounts as may be"))
		setup_free(&s);
	x.s.n_mounts++;
	tap_ok(pass(&x, &s, &e) < 0, "no: one more");
	free(m);
}

/* The flags are bytes; 2 is neither. */
static void test_bool(void)
{
	const size_t at = 20 + 4 + 4 + strlen(docs) + 4 + strlen(name0) + 16;
	struct err e = ERR_INIT;
	struct sample x;
	struct setup s;
	struct buf b;

	make(&x);
	buf_init(&b, SETUP_MAX);
	setup_encode(&b, &x.s);
	tap_ok(b.data[at] == 0, "this byte is a flag");
	b.data[at] = 1;
	if (tap_ok(setup_decode(b.data, b.len, &s, &e) == 0 &&
			   s.mounts[0].readonly,
		   "set, it reads as set"))
		setup_free(&s);
	b.data[at] = 2;
	tap_ok(setup_decode(b.data, b.len, &s, &e) < 0, "no: a flag of 2");
	buf_free(&b);
}

/* Every shorter record, and one longer, is refused; every flipped bit is
 * refused or gives a record that can be freed. */
static void test_damage(void)
{
	struct err e = ERR_INIT;
	struct sample x;
	struct setup s;
	struct buf b;
	size_t taken = 0, refusals = 0;

	make(&x);
	buf_init(&b, SETUP_MAX);
	setup_encode(&b, &x.s);
	for (size_t n = 0; n < b.len; n++)
		if (setup_decode(b.data, n, &s, &e) == 0) {
			taken++;
			setup_free(&s);
		}
	tap_ok(taken == 0, "no: any shorter record");
	for (size_t i = 0; i < b.len * 8; i++) {
		b.data[i / 8] ^= (unsigned char)(1u << (i % 8));
		if (setup_decode(b.data, b.len, &s, &e) == 0)
			setup_free(&s);
		else
			refusals++;
		b.data[i / 8] ^= (unsigned char)(1u << (i % 8));
	}
	tap_ok(refusals > b.len, "most flipped bits are noticed");
	buf_put_u8(&b, 0);
	tap_ok(setup_decode(b.data, b.len, &s, &e) < 0, "no: a byte more");
	buf_free(&b);
}

static void test_caps(void)
{
	bool admin = false;
	bool excess = false;

	for (size_t i = 0; i < setup_n_stage_caps; i++) {
		admin |= setup_stage_caps[i] == CAP_SYS_ADMIN;
		excess |= setup_stage_caps[i] == CAP_DAC_OVERRIDE ||
			  setup_stage_caps[i] == CAP_SYS_PTRACE ||
			  setup_stage_caps[i] == CAP_NET_ADMIN;
	}
	tap_ok(admin && !excess, "the stage's capabilities");
}

int main(void)
{
	test_paths();
	test_numbers();
	test_too_many();
	test_bool();
	test_damage();
	test_round();
	test_caps();
	return tap_done();
}
