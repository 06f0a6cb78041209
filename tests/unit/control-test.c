/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Control messages: what is refused first, then that all of them come back. */
#include "tap.h"

#include "base/err.h"
#include "wire/control.h"

#include <stdlib.h>
#include <string.h>

static struct buf msg;

static void start(void)
{
	buf_clear(&msg);
	msg.max = CTL_HOST_MAX + 64;
}

/* A message with this type and payload, whatever they are. */
static void raw(uint32_t type, const void *p, size_t n)
{
	start();
	buf_put_u32(&msg, type);
	buf_put_u32(&msg, (uint32_t)n);
	buf_put(&msg, p, n);
}

static int guest_says(struct ctl_guest_msg *m)
{
	struct err e = ERR_INIT;
	size_t used;
	int got = ctl_get_guest(msg.data, msg.len, &used, m, &e);

	return got == 1 && used != msg.len ? -2 : got;
}

static int host_says(void)
{
	struct err e = ERR_INIT;
	struct ctl_host_msg m;
	size_t used;
	int got = ctl_get_host(msg.data, msg.len, &used, &m, &e);

	if (got == 1) {
		launch_free(&m.launch);
		session_spec_free(&m.exec);
	}
	return got;
}

static void refused_by_host(const char *what)
{
	struct ctl_guest_msg m;

	tap_ok(guest_says(&m) == -1, "the host refuses %s", what);
}

static void refused_by_guest(const char *what)
{
	tap_ok(host_says() == -1, "the guest refuses %s", what);
}

static void test_guest_refused(void)
{
	static const unsigned char zero[CTL_GUEST_MAX];
	uint32_t v[4] = {0, 9, 0, 0};

	raw(0, zero, 4);
	refused_by_host("type 0");
	raw(7, zero, 4);
	refused_by_host("an unknown type");
	raw(CTL_ASK_CLOCK, zero, 4);
	refused_by_host("an ASK_CLOCK with trailing bytes");
	raw(CTL_STOP, NULL, 0);
	refused_by_host("a message that is the host's");
	raw(CTL_HELLO, zero, 3);
	refused_by_host("a HELLO that is too short");
	raw(CTL_HELLO, zero, 5);
	refused_by_host("a HELLO with trailing bytes");
	raw(CTL_HELLO, zero, CTL_GUEST_MAX);
	refused_by_host("a length over the maximum");
	msg.len = 8;
	refused_by_host("such a length before the payload is there");
	start();
	ctl_put_session(&msg, CTL_READY, CTL_SESSIONS);
	refused_by_host("a session number out of range");
	raw(CTL_EXIT, v, sizeof(v));
	refused_by_host("an EXIT of unknown kind");
	start();
	ctl_put_exit(&msg, 0, CTL_EXIT_CODE, 256, "");
	refused_by_host("exit status 256");
	start();
	ctl_put_exit(&msg, 0, CTL_EXIT_SIGNAL, 0, "");
	refused_by_host("an end by signal 0");
	start();
	ctl_put_exit(&msg, 0, CTL_EXIT_SIGNAL, 65, "");
	refused_by_host("an end by signal 65");
	start();
	ctl_put_log(&msg, 4, "x");
	refused_by_host("an unknown level");
	start();
	ctl_put_log(&msg, 3, "abc");
	msg.data[msg.len - 2] = '\0';
	refused_by_host("text with NUL inside");
	start();
	ctl_put_log(&msg, 3, "abc");
	msg.data[12] = 4;
	refused_by_host("text that is shorter than it says");
}

static void test_guest(void)
{
	struct ctl_guest_msg m;
	char text[2 * CTL_TEXT_MAX];

	start();
	ctl_put_hello(&msg);
	tap_ok(guest_says(&m) == 1 && m.type == CTL_HELLO &&
		       m.version == CTL_VERSION,
	       "HELLO comes back");
	start();
	ctl_put_ask_clock(&msg);
	tap_ok(guest_says(&m) == 1 && m.type == CTL_ASK_CLOCK,
	       "ASK_CLOCK comes back");
	start();
	ctl_put_session(&msg, CTL_STARTED, CTL_SESSIONS - 1);
	tap_ok(guest_says(&m) == 1 && m.type == CTL_STARTED &&
		       m.session == CTL_SESSIONS - 1,
	       "STARTED comes back");
	start();
	ctl_put_exit(&msg, 3, CTL_EXIT_NOT_EXEC, 8, "no \x1b[31m escape");
	tap_ok(guest_says(&m) == 1 && m.session == 3 && m.value == 8 &&
		       m.kind == CTL_EXIT_NOT_EXEC,
	       "EXIT comes back");
	tap_str(m.text, "no \x1b[31m escape", "text comes back as sent");
	start();
	ctl_put_exit(&msg, 0, CTL_EXIT_SETUP, 2, NULL);
	tap_ok(guest_says(&m) == 1 && !m.text[0], "no text is empty text");
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	start();
	ctl_put_log(&msg, 1, text);
	tap_ok(guest_says(&m) == 1 && strlen(m.text) == CTL_TEXT_MAX,
	       "long text is cut to the maximum");
	tap_ok(msg.len <= CTL_GUEST_MAX, "and still fits the maximum");
}

static char *argv_v[] = {"sh", "-c", "exit 3", NULL};
static char *env_v[] = {"PATH=/bin", "EMPTY=", NULL};
static char *devices_v[] = {"fuse", "net/tun", NULL};

static struct session_spec sample_spec(void)
{
	return (struct session_spec){.in = 1,
				     .out = 2,
				     .err = 3,
				     .ready_fd = 7,
				     .cwd = "/home/ann",
				     .argv = argv_v,
				     .env = env_v};
}

static struct launch_mount sample_mounts[] = {
	{.kind = LAUNCH_SHARE,
	 .tree = LAUNCH_TREE_PLAIN,
	 .readonly = true,
	 .share = "0/usr",
	 .dst = "/usr",
	 .target = ""},
	{.kind = LAUNCH_TMPFS,
	 .size = 1u << 30,
	 .mode = 0700,
	 .owned = true,
	 .share = "",
	 .dst = "/home/ann",
	 .target = ""},
	{.kind = LAUNCH_DISK,
	 .disk = 2,
	 .mode = 01777,
	 .share = "",
	 .dst = "/scratch",
	 .target = ""},
	{.kind = LAUNCH_SYMLINK,
	 .share = "",
	 .dst = "/bin",
	 .target = "usr/bin"},
};

static char *sockets_v[] = {"/run/vmrun/ssh-agent", "/tmp/x", NULL};

static const struct nic sample_nic = {
	.mac = {2, 0x76, 0x6d, 0, 0, 2},
	.mtu = 1400,
	.n_addrs = 2,
	.n_gateways = 2,
	.n_dns = 1,
	.addrs = {{NIC_IP4, 24, {10, 0, 0, 2}},
		  {NIC_IP6, 64, {0xfd, [15] = 2}}},
	.gateways = {{NIC_IP4, 0, {10, 0, 0, 1}},
		     {NIC_IP6, 0, {0xfd, [15] = 1}}},
	.dns = {{NIC_IP4, 0, {10, 0, 0, 53}}},
};

static int addr_matches(const struct nic_addr *a, const struct nic_addr *b)
{
	return a->family == b->family && a->prefix == b->prefix &&
	       !memcmp(a->ip, b->ip, sizeof(a->ip));
}

static int nic_matches(const struct nic *n)
{
	const struct nic *s = &sample_nic;

	return !memcmp(n->mac, s->mac, sizeof(n->mac)) && n->mtu == s->mtu &&
	       n->n_addrs == 2 && n->n_gateways == 2 && n->n_dns == 1 &&
	       addr_matches(&n->addrs[0], &s->addrs[0]) &&
	       addr_matches(&n->addrs[1], &s->addrs[1]) &&
	       addr_matches(&n->gateways[0], &s->gateways[0]) &&
	       addr_matches(&n->gateways[1], &s->gateways[1]) &&
	       addr_matches(&n->dns[0], &s->dns[0]);
}

static struct launch sample(void)
{
	return (struct launch){
		.uid = 100007,
		.gid = 100007,
		.user = "ann",
		.group = "ann",
		.host_uid = 1000,
		.host_gid = 1000,
		.host_user = "ann",
		.host_group = "users",
		.home = "/home/ann",
		.shell = "/bin/sh",
		.hostname = "web",
		.mounts = sample_mounts,
		.n_mounts = sizeof(sample_mounts) / sizeof(*sample_mounts),
		.devices = devices_v,
		.sockets = sockets_v,
		.before = argv_v,
		.restricted = true,
		.nics = {sample_nic},
		.n_nics = 1,
		.app = sample_spec(),
	};
}

static void put_sample(void)
{
	struct launch l = sample();

	start();
	ctl_put_launch(&msg, &l);
}

/* One bad field each in an otherwise good record. */
static void test_launch_refused(void)
{
	struct launch_mount saved = sample_mounts[0];
	struct launch_mount *m = &sample_mounts[0];
	static char *shares[] = {"", "/0", "..", "0/..", "../1", "0/../../1"};

	for (size_t i = 0; i < sizeof(shares) / sizeof(*shares); i++) {
		m->share = shares[i];
		put_sample();
		tap_ok(host_says() == -1, "share name \"%s\" is refused",
		       shares[i]);
		*m = saved;
	}
	m->dst = "usr";
	put_sample();
	refused_by_guest("a destination that is not absolute");
	*m = saved;
	m->target = "x";
	put_sample();
	refused_by_guest("a share with a link's target");
	*m = saved;
	m->mode = 010000;
	put_sample();
	refused_by_guest("mode bits over 07777");
	*m = saved;
	m->kind = (enum launch_mount_kind)(LAUNCH_SYMLINK + 1);
	put_sample();
	refused_by_guest("an unknown kind of mount");
	*m = saved;
	m->tree = (enum launch_tree)(LAUNCH_TREE_PLAIN + 1);
	put_sample();
	refused_by_guest("an unknown shared tree");
	*m = saved;
	sample_mounts[1].tree = LAUNCH_TREE_PLAIN;
	put_sample();
	refused_by_guest("a shared tree for what is no share");
	sample_mounts[1].tree = LAUNCH_TREE_GRANTED;
}

static void test_sockets_refused(void)
{
	static char long_path[LAUNCH_SOCKET_MAX + 2];
	static char *bad[] = {"",	 "/",	"tmp/x",  "/tmp/",
			      "/a/../b", "//a", long_path};
	static char *many[LAUNCH_SOCKETS_MAX + 2];
	char *one[] = {NULL, NULL};
	struct launch l = sample();

	memset(long_path, '/', 1);
	memset(long_path + 1, 'x', LAUNCH_SOCKET_MAX);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		one[0] = bad[i];
		l.sockets = one;
		start();
		ctl_put_launch(&msg, &l);
		tap_ok(host_says() == -1, "socket at \"%s\" is refused",
		       bad[i]);
	}
	for (size_t i = 0; i <= LAUNCH_SOCKETS_MAX; i++)
		many[i] = "/tmp/x";
	l.sockets = many;
	start();
	ctl_put_launch(&msg, &l);
	refused_by_guest("more sockets than the maximum");
}

/* The launch record with this card in place of the sample's. */
static void refused_nic(const struct nic *n, const char *what)
{
	struct launch l = sample();

	l.nics[0] = *n;
	start();
	ctl_put_launch(&msg, &l);
	refused_by_guest(what);
}

static void test_nics_refused(void)
{
	struct launch l = sample();
	struct nic n = sample_nic;

	l.nics[1] = sample_nic;
	l.n_nics = 2;
	start();
	ctl_put_launch(&msg, &l);
	refused_by_guest("two cards with one MAC");
	n.mac[0] = 3;
	refused_nic(&n, "the MAC of a group");
	memset(n.mac, 0, sizeof(n.mac));
	refused_nic(&n, "no MAC");
	n = sample_nic;
	n.pci = true;
	n.mac[0] = 3;
	refused_nic(&n, "a group's, of a PCI device");
	n = sample_nic;
	n.mtu = 1279;
	refused_nic(&n, "too small an MTU");
	n.mtu = 65522;
	refused_nic(&n, "too large an MTU");
	n = sample_nic;
	n.addrs[0].prefix = 33;
	refused_nic(&n, "a prefix of 33 bits for IPv4");
	n.addrs[0].prefix = 0;
	refused_nic(&n, "an address without a network");
	n = sample_nic;
	n.addrs[0].family = (enum nic_family)5;
	refused_nic(&n, "IPv5");
	n = sample_nic;
	n.addrs[0].ip[4] = 1;
	refused_nic(&n, "IPv4 with a fifth byte");
	n = sample_nic;
	memset(n.dns[0].ip, 0, 4);
	refused_nic(&n, "the resolver 0.0.0.0");
	n = sample_nic;
	n.gateways[0].prefix = 24;
	refused_nic(&n, "a gateway with a prefix");
	n = sample_nic;
	n.gateways[1] = n.gateways[0];
	refused_nic(&n, "two gateways of one family");
}

static void test_app_refused(void)
{
	static char *no_argv[] = {NULL};
	static char *bad_env[] = {"PATH", NULL};
	static char *bad_dev[] = {"../vda", NULL};
	struct launch l;

	l = sample();
	l.app.argv = no_argv;
	start();
	ctl_put_launch(&msg, &l);
	refused_by_guest("an empty command");
	l = sample();
	l.app.env = bad_env;
	start();
	ctl_put_launch(&msg, &l);
	refused_by_guest("an environment entry without =");
	l = sample();
	l.devices = bad_dev;
	start();
	ctl_put_launch(&msg, &l);
	refused_by_guest("a device name that leads out of /dev");
	l = sample();
	l.app.session = 1;
	start();
	ctl_put_launch(&msg, &l);
	refused_by_guest("an application that is not session 0");
	l = sample();
	l.app.cwd = "";
	start();
	ctl_put_launch(&msg, &l);
	refused_by_guest("an empty working directory");
}

static void test_host_refused(void)
{
	static const unsigned char zero[64];
	struct session_spec s = sample_spec();
	struct winsize_msg w = {24, 80, 0, 0};

	raw(CTL_STARTED, zero, 4);
	refused_by_guest("a message that is the guest's");
	raw(31, zero, 4);
	refused_by_guest("an unknown type");
	raw(CTL_STOP, zero, 1);
	refused_by_guest("a STOP with a payload");
	raw(CTL_CLOCK, zero, 7);
	refused_by_guest("a CLOCK that is too short");
	raw(CTL_LAUNCH, NULL, 0);
	refused_by_guest("an empty LAUNCH");
	start();
	buf_put_u32(&msg, CTL_LAUNCH);
	buf_put_u32(&msg, CTL_HOST_MAX);
	refused_by_guest("a length over the maximum");
	start();
	ctl_put_exec(&msg, &s);
	refused_by_guest("an EXEC of session 0");
	start();
	ctl_put_signal(&msg, 0, 0);
	refused_by_guest("signal 0");
	start();
	ctl_put_signal(&msg, 0, 65);
	refused_by_guest("signal 65");
	start();
	ctl_put_winsize(&msg, CTL_SESSIONS, &w);
	refused_by_guest("a session number out of range");
	s.session = 1;
	s.terminal = true;
	start();
	ctl_put_exec(&msg, &s);
	refused_by_guest("a terminal with a stream for stdin");
}

static int mounts_match(const struct launch *l)
{
	if (l->n_mounts != sizeof(sample_mounts) / sizeof(*sample_mounts))
		return 0;
	for (size_t i = 0; i < l->n_mounts; i++) {
		const struct launch_mount *a = &sample_mounts[i];
		const struct launch_mount *b = &l->mounts[i];

		if (a->kind != b->kind || a->tree != b->tree ||
		    a->readonly != b->readonly || a->file != b->file ||
		    a->disk != b->disk || a->mode != b->mode ||
		    a->owned != b->owned || a->size != b->size ||
		    strcmp(a->share, b->share) || strcmp(a->dst, b->dst) ||
		    strcmp(a->target, b->target))
			return 0;
	}
	return 1;
}

static int strv_match(char *const *a, char *const *b)
{
	if (strv_len(a) != strv_len(b))
		return 0;
	for (; *a; a++, b++)
		/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker) */
		if (strcmp(*a, *b))
			return 0;
	return 1;
}

static void test_device(void)
{
	struct err e = ERR_INIT;
	struct ctl_host_msg m;
	struct launch l = sample();
	size_t used;

	l.nics[0].pci = true;
	memset(l.nics[0].mac, 0, NIC_MAC);
	start();
	ctl_put_launch(&msg, &l);
	tap_ok(ctl_get_host(msg.data, msg.len, &used, &m, &e) == 1 &&
		       m.launch.nics[0].pci && !nic_has_mac(&m.launch.nics[0]),
	       "a PCI device says itself what its MAC is");
	launch_free(&m.launch);
}

static void test_launch(void)
{
	struct err e = ERR_INIT;
	struct ctl_host_msg m;
	size_t used;

	put_sample();
	tap_ok(ctl_get_host(msg.data, msg.len, &used, &m, &e) == 1 &&
		       used == msg.len && m.type == CTL_LAUNCH,
	       "LAUNCH comes back");
	tap_ok(m.launch.uid == 100007 && m.launch.host_gid == 1000,
	       "with its numbers");
	tap_str(m.launch.host_group, "users", "with its names");
	tap_str(m.launch.home, "/home/ann", "with its paths");
	tap_ok(mounts_match(&m.launch), "with its mounts, in order");
	tap_ok(strv_match(m.launch.devices, devices_v), "with its devices");
	tap_ok(strv_match(m.launch.sockets, sockets_v), "with its sockets");
	tap_ok(strv_match(m.launch.before, argv_v) && m.launch.restricted,
	       "and what comes before");
	tap_ok(m.launch.n_nics == 1 && nic_matches(&m.launch.nics[0]),
	       "with its network card");
	tap_ok(strv_match(m.launch.app.argv, argv_v) &&
		       strv_match(m.launch.app.env, env_v),
	       "with its command and environment");
	tap_ok(m.launch.app.ready_fd == 7 && m.launch.app.err == 3 &&
		       !m.launch.app.terminal,
	       "with its streams");
	launch_free(&m.launch);
	tap_ok(!m.launch.n_mounts && !m.launch.app.argv,
	       "nothing is left of a freed record");
	launch_free(&m.launch);
}

static void test_host(void)
{
	struct winsize_msg w = {24, 80, 640, 480};
	struct session_spec s = {
		.session = 5, .out = 17, .err = 18, .terminal = true};
	struct err e = ERR_INIT;
	struct ctl_host_msg m;
	size_t used;

	s.cwd = "/";
	s.argv = argv_v;
	s.win = w;
	start();
	ctl_put_exec(&msg, &s);
	tap_ok(ctl_get_host(msg.data, msg.len, &used, &m, &e) == 1 &&
		       m.session == 5 && m.exec.terminal && m.exec.out == 17 &&
		       m.exec.err == 18 && m.exec.win.ypixels == 480 &&
		       !m.exec.env[0],
	       "EXEC comes back");
	session_spec_free(&m.exec);
	start();
	ctl_put_winsize(&msg, 1, &w);
	tap_ok(ctl_get_host(msg.data, msg.len, &used, &m, &e) == 1 &&
		       m.session == 1 && m.win.rows == 24 && m.win.cols == 80,
	       "WINSIZE comes back");
	start();
	ctl_put_signal(&msg, 2, 15);
	ctl_put_clock(&msg, UINT64_MAX);
	ctl_put_stop(&msg);
	tap_ok(ctl_get_host(msg.data, msg.len, &used, &m, &e) == 1 &&
		       m.type == CTL_SIGNAL && m.signo == 15,
	       "SIGNAL comes back, with others behind it");
	buf_consume(&msg, used);
	tap_ok(ctl_get_host(msg.data, msg.len, &used, &m, &e) == 1 &&
		       m.type == CTL_CLOCK && m.clock_ns == UINT64_MAX,
	       "CLOCK comes back");
	buf_consume(&msg, used);
	tap_ok(ctl_get_host(msg.data, msg.len, &used, &m, &e) == 1 &&
		       m.type == CTL_STOP && used == msg.len,
	       "STOP comes back");
}

/* A count must not be believed before the bytes for it are there. */
static void test_lying_counts(void)
{
	static const size_t numbers = 4 * 4;
	size_t at = 8 + numbers;
	struct launch l = sample();

	/* the mounts' count: after seven strings */
	put_sample();
	at += 7 * 4 + strlen(l.user) + strlen(l.group) + strlen(l.host_user) +
	      strlen(l.host_group) + strlen(l.home) + strlen(l.shell) +
	      strlen(l.hostname);
	tap_ok(msg.data[at] == 4 && !msg.data[at + 1],
	       "the mounts' count is where this test thinks");
	msg.data[at + 1] = 0x10; /* 4100 */
	refused_by_guest("more mounts than the maximum");
	msg.data[at + 1] = 0x0f; /* 3844 */
	refused_by_guest("more mounts than bytes");
}

/* Every prefix needs more bytes; none is taken for a message. */
static void test_truncated(void)
{
	size_t whole, wrong = 0;

	put_sample();
	whole = msg.len;
	for (msg.len = 0; msg.len < whole; msg.len++)
		wrong += host_says() != 0;
	tap_ok(!wrong, "no prefix of a LAUNCH is a message");
	for (size_t n = 8; n < whole; n++) {
		msg.len = n;
		for (size_t i = 0; i < 4; i++)
			msg.data[4 + i] =
				(unsigned char)((n - 8) >> (8 * i) & 0xff);
		wrong += host_says() != -1;
	}
	tap_ok(!wrong, "nor is one whose length was made to fit");
}

/*
 * Each single bit flipped: never a crash, and what is accepted says the same
 * when it is encoded again.
 */
static void test_flipped(void)
{
	size_t accepted = 0, refused = 0, differs = 0;

	put_sample();
	for (size_t bit = 0; bit < msg.len * 8; bit++) {
		struct err e = ERR_INIT;
		struct ctl_host_msg m;
		struct buf again;
		size_t used;

		msg.data[bit / 8] ^= (unsigned char)(1u << bit % 8);
		if (ctl_get_host(msg.data, msg.len, &used, &m, &e) == 1) {
			buf_init(&again, CTL_HOST_MAX);
			if (m.type == CTL_LAUNCH)
				ctl_put_launch(&again, &m.launch);
			else
				ctl_put_stop(&again);
			differs += again.len != used ||
				   memcmp(again.data, msg.data, used) != 0;
			buf_free(&again);
			launch_free(&m.launch);
			session_spec_free(&m.exec);
			accepted++;
		} else {
			refused++;
		}
		msg.data[bit / 8] ^= (unsigned char)(1u << bit % 8);
	}
	tap_ok(refused > 100, "flipped bits are refused where they matter");
	tap_ok(accepted > 100, "and are only text elsewhere");
	tap_ok(!differs, "an accepted record encodes to the same bytes");
}

int main(void)
{
	buf_init(&msg, CTL_HOST_MAX + 64);
	test_guest_refused();
	test_host_refused();
	test_launch_refused();
	test_sockets_refused();
	test_nics_refused();
	test_app_refused();
	test_lying_counts();
	test_truncated();
	test_flipped();
	test_guest();
	test_launch();
	test_device();
	test_host();
	buf_free(&msg);
	return tap_done();
}
