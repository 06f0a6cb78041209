/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vmrun's options and profiles: values, precedence, and every message. */
#include "host/option/options.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/opt.h"
#include "host/option/config.h"
#include "host/option/optset.h"
#include "host/text.h"
#include "tap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct err e;
static struct options o;
static char tmp[] = "/tmp/options-test-XXXXXX";
static char dir_a[64], dir_b[64];
static const char *dirs[] = {dir_a, dir_b, NULL};
static const char *none[] = {NULL};

/* Words separated by "|", after "vmrun". */
static int parse_in(const char *line, const char *const *where)
{
	char *text = strdup(line), *words[64] = {strdup("vmrun")};
	char *rest = text;
	int n = 1, ret;

	while (rest && *line)
		words[n++] = strsep(&rest, "|");
	words[n] = NULL;
	e = (struct err)ERR_INIT;
	ret = options_parse(&o, n, words, "/home/ann", where, &e);
	free(words[0]);
	free(text);
	return ret;
}

static int parse(const char *line)
{
	return parse_in(line, none);
}

static void refused(const char *line, const char *message, const char *hint)
{
	char shown[128];

	tap_ok(parse(line) == -1, "refused: %s",
	       text_show(shown, sizeof(shown), line));
	tap_str(e.msg, message, "and says why");
	tap_str(e.hint, hint, "and what to do");
	tap_ok(!o.shares && !o.env && !o.argv, "and leaves nothing to free");
}

static void test_refused(void)
{
	char line[300];

	const char *size = "a number of MiB, or with suffix: 512M, 2G";

	refused("", "there is no command to run",
		"vmrun [OPTION]... [--] COMMAND [ARG]...");
	refused("-v|--", "there is no command to run",
		"vmrun [OPTION]... [--] COMMAND [ARG]...");
	refused("--rw|a:/b:/c|x", "--rw: there is more than one \":\"",
		"write \"\\:\" for one that belongs to a path");
	refused("--ro||x", "--ro: the source is empty", "");
	refused("--ro|:/x|x", "--ro: the source is empty", "");
	refused("--ro|a:|x", "--ro: the place in the guest is empty", "");
	refused("--ro|a:b|x", "--ro: \"b\" is not an absolute path", "");
	refused("--ro|a:/b/../c|x", "--ro: \"/b/../c\" has \"..\" in it", "");
	refused("--tmp|scratch|x", "--tmp: \"scratch\" is not an absolute path",
		"");
	refused("--tmp|/s:lots|x", "--tmp: \"lots\" is not a size", size);
	refused("--tmp|/s:15M|x", "--tmp: 15M is too small; the least is 16M",
		"");
	refused("-m|1e3|x", "-m: \"1e3\" is not a size", size);
	refused("--mem=99999999999999999999|x",
		"--mem: \"99999999999999999999\" is not a size", size);
	refused("--mem=17179869184T|x", "--mem: \"17179869184T\" is not a size",
		size);
	refused("--mem|127|x",
		"--mem: 127 is too little; a guest needs at least 128M", "");
	refused("--cpus|0|x",
		"--cpus: \"0\" is not a number of processors from 1 on", "");
	refused("--cpus|-1|x",
		"--cpus: \"-1\" is not a number of processors from 1 on", "");
	refused("--accel|hvf|x", "--accel: \"hvf\" is not auto, kvm or tcg",
		"");
	refused("--format|xml|x", "--format: \"xml\" is not text or json", "");
	refused("--timeout|5y|x", "--timeout: \"5y\" is not a duration",
		"a number of seconds, or with suffix: 500ms, 30s, 5m, 1h, 2d");
	refused("-e|=x|x", "-e: \"=x\" is not NAME=VALUE or NAME", "");
	refused("--path-add|PATH|x", "--path-add: \"PATH\" is not VAR=DIR", "");
	refused("--path-add|PATH=bin|x",
		"--path-add: \"bin\" is not an absolute path", "");
	refused("--path-add|PATH=/a:/b|x",
		"--path-add: \"/a:/b\" is not a directory that a search path "
		"can name",
		"\":\" separates the entries of a search path");
	snprintf(line, sizeof(line), "--device|%0256d|x", 0);
	tap_ok(parse(line) == -1, "a device of 256 letters");
	refused("--device|../sda|x",
		"--device: \"../sda\" is not the name of a device",
		"write it without /dev/: fuse, net/tun");
	refused("--append|a\nb|x",
		"--append: \"a\\x0ab\" is not one line of text", "");
	refused("--cwd|here|x", "--cwd: \"here\" is not an absolute path", "");
	refused("--image|../x|y", "--image: \"../x\" is not a name",
		"a name is a letter or digit, then at most 63 letters, digits, "
		"\".\", \"_\", \"-\"");
	refused("--profile|a|--no-profile|x",
		"--profile and --no-profile exclude each other", "");
	refused("--ready-fd|2|x",
		"--ready-fd: \"2\" is not a descriptor from 3 on",
		"0, 1 and 2 are the command's own streams");
	refused("--json-status-fd|999|x",
		"--json-status-fd: descriptor 999 is not open",
		"open it for vmrun, in a shell: vmrun ... 999>FILE");
	refused("--notify-fd|1|x",
		"--notify-fd: \"1\" is not a descriptor from 3 to 900", "");
}

#define NIC_FORM                                                               \
	"the form is FD,mac=MAC[,ip=IP/PREFIX][,gw=IP][,dns=IP][,mtu=N]"
#define SIX_BYTES "six bytes such as 02:76:6d:00:00:02"
#define MAC "mac=02:00:00:00:00:01"

static void test_nic_refused(void)
{
	static const char *const bad_pci[] = {
		"03:00.0",	"0000:03:20.0",	     "0000:03:00.8",
		"0000:0B:00.0", "0000:03:00.0/../x", ""};
	char line[80], text[120];

	/* Descriptor 50 and 51 are open. */
	refused("--nic|50|x", "--nic: it has no mac=", NIC_FORM);
	refused("--nic|50,tap|x", "--nic: \"tap\" is not KEY=VALUE", NIC_FORM);
	refused("--nic|50,vlan=3|x", "--nic: there is no \"vlan=\"", NIC_FORM);
	refused("--nic|60,mac=02:00:00:00:00:01|x",
		"--nic: descriptor 60 is not open",
		"open it for vmrun, in a shell: vmrun ... 60>FILE");
	refused("--nic|50,mac=2:0:0:0:0:1|x",
		"--nic: mac=2:0:0:0:0:1: not " SIX_BYTES, "");
	refused("--nic|50,mac=02:00:00:00:00:01:02|x",
		"--nic: mac=02:00:00:00:00:01:02: not " SIX_BYTES, "");
	refused("--nic|50,mac=03:00:00:00:00:01|x",
		"--nic: mac=03:00:00:00:00:01: not the address of a single "
		"machine",
		"");
	refused("--nic|50," MAC ",ip=10.0.0.1|x",
		"--nic: ip=10.0.0.1: not an address and the length of its "
		"network's prefix, such as 10.0.0.2/24",
		"");
	refused("--nic|50," MAC ",ip=10.0.0.1/33|x",
		"--nic: ip=33: not the length of a prefix", "");
	refused("--nic|50," MAC ",ip=0.0.0.0/8|x",
		"--nic: ip=0.0.0.0: not the address of a machine", "");
	refused("--nic|50," MAC ",gw=example.org|x",
		"--nic: gw=example.org: not an IP address", "");
	refused("--nic|50," MAC ",gw=fd00::1,gw=fd00::2|x",
		"--nic: two gateways for IPv6", "");
	refused("--nic|50," MAC
		",dns=1.1.1.1,dns=1.1.1.2,dns=1.1.1.3,dns=::9|x",
		"--nic: more than 3 times dns=", "");
	refused("--nic|50," MAC ",mtu=1279|x",
		"--nic: mtu=1279: not a number from 1280 to 65521", "");
	refused("--nic|50," MAC "|--nic|50,mac=02:00:00:00:00:02|x",
		"--nic: descriptor 50 is another card's", "");
	refused("--nic|50," MAC "|--nic|51," MAC "|x",
		"--nic: two cards with the same MAC", "");
	for (size_t i = 0; i < sizeof(bad_pci) / sizeof(*bad_pci); i++) {
		snprintf(line, sizeof(line), "--nic|pci:%s|x", bad_pci[i]);
		snprintf(text, sizeof(text),
			 "--nic: pci:%s: not the address of a PCI device",
			 bad_pci[i]);
		refused(line, text, "as lspci -D has it: 0000:03:00.0");
	}
	refused("--nic|pci:0000:03:00.0,ip=10.0.0.2/24|x",
		"--nic pci:0000:03:00.0: only with --firewall",
		"a PCI device is the way out of a network: uplink = in "
		"vmrunctl(1)");
	refused("--firewall|51|--nic|pci:0000:03:00.0|--nic|pci:0000:03:00.1",
		"--nic: a VM has one PCI device", "");
}

static void test_nic(void)
{
	const struct nic *n = &o.nics[0].nic;

	tap_ok(parse("--nic|50," MAC ",ip=10.0.0.2/24,ip=fd00::2/64,"
		     "gw=10.0.0.1,dns=fd00::53,mtu=9000|x") == 0 &&
		       o.n_nics == 1 && o.nics[0].fd == 50,
	       "a network card");
	tap_ok(n->mac[0] == 2 && n->mac[5] == 1 && n->mtu == 9000 &&
		       n->n_addrs == 2 && n->n_gateways == 1 && n->n_dns == 1,
	       "with what was said about it");
	tap_ok(n->addrs[0].family == NIC_IP4 && n->addrs[0].prefix == 24 &&
		       !memcmp(n->addrs[0].ip, "\12\0\0\2", 5) &&
		       n->addrs[1].family == NIC_IP6 &&
		       n->addrs[1].prefix == 64 && n->addrs[1].ip[0] == 0xfd,
	       "and its addresses");
	options_free(&o);
	tap_ok(parse("--firewall|51|--nic|50," MAC
		     "|--nic|pci:0000:03:1f.7,gw=10.0.0.1") == 0 &&
		       o.n_nics == 2 && o.nics[1].fd == -1,
	       "a PCI device wants neither descriptor nor MAC");
	tap_str(o.nics[1].pci, "0000:03:1f.7", "but its address");
	tap_ok(!o.nics[0].pci[0], "which others have not");
	options_free(&o);
}

static void test_share(const char *line, enum opt_share_kind kind, bool try,
		       const char *src, const char *dst)
{
	if (!tap_ok(parse(line) == 0 && o.n_shares == 1, "taken: %s", line))
		return;
	tap_ok(o.shares[0].kind == kind && o.shares[0].try == try,
	       "of the right kind");
	tap_str(o.shares[0].src, src, "source");
	tap_str(o.shares[0].dst, dst, "destination");
	options_free(&o);
}

static void test_shares(void)
{
	test_share("--rw|a|x", OPT_RW, false, "a", "");
	test_share("--ro=/a|x", OPT_RO, false, "/a", "");
	test_share("--rw-try|a:/b|x", OPT_RW, true, "a", "/b");
	test_share("--ro-try|a:/b|x", OPT_RO, true, "a", "/b");
	test_share("--ro|/a\\:b\\\\c\\d:/e|x", OPT_RO, false, "/a:b\\c\\d",
		   "/e");
	test_share("--ro|a:/b\\:c|x", OPT_RO, false, "a", "/b:c");
	test_share("--ro|~/a:~/b|x", OPT_RO, false, "/home/ann/a",
		   "/home/ann/b");
	test_share("--ro|~|x", OPT_RO, false, "/home/ann", "");
	test_share("--ro|~bob/a|x", OPT_RO, false, "~bob/a", "");
	test_share("--ro|a:/b//./c/|x", OPT_RO, false, "a", "/b/c");
	test_share("--tmp|/s|x", OPT_TMP, false, "", "/s");
	tap_ok(!parse("--tmp|~/s:64M|x") && o.shares[0].size == 64u << 20,
	       "--tmp's size");
	options_free(&o);
}

static void test_values(void)
{
	tap_ok(!parse("x|-v|--rw") && !strcmp(o.argv[1], "-v") &&
		       !strcmp(o.argv[2], "--rw") && !o.argv[3] && !o.verbose,
	       "options end at the command");
	options_free(&o);
	tap_ok(!parse("--|-v") && !strcmp(o.argv[0], "-v") && !o.argv[1],
	       "and at --");
	tap_ok(o.status_fd == -1 && o.ready_fd == -1 && !o.notify_fd &&
		       !o.mem && !o.cpus && o.tty == TTY_AUTO &&
		       o.accel == ACCEL_AUTO && o.format == FORMAT_TEXT,
	       "defaults");
	options_free(&o);
	tap_ok(!parse("-vv|-q|-t|-T|-m|512|--cpus=4|--accel|kvm|--timeout|1h|"
		      "--dry-run|--format=json|--notify-fd|7|x") &&
		       o.verbose == 2 && o.quiet && o.tty == TTY_NO &&
		       o.mem == 512u << 20 && o.cpus == 4 &&
		       o.accel == ACCEL_KVM && o.timeout_ms == 3600000 &&
		       o.dry_run && o.format == FORMAT_JSON && o.notify_fd == 7,
	       "single values; the last one wins");
	options_free(&o);
	tap_ok(!parse("-e|A=1|-eB|--env=C=x=y|--device|/dev/net/tun|"
		      "--path-add|P=~/lib/|--append|quiet|--qemu-arg|-S|x"),
	       "lists");
	tap_ok(strv_len(o.env) == 3 && !strcmp(o.env[2], "C=x=y"), "-e");
	tap_str(o.devices[0], "net/tun", "--device without /dev/");
	tap_str(o.path_add[0], "P=/home/ann/lib", "--path-add is cleaned");
	tap_str(o.append[0], "quiet", "--append");
	tap_str(o.qemu_args[0], "-S", "--qemu-arg");
	options_free(&o);
	tap_ok(!parse("--help|--nonsense") && o.show_help && !o.argv[0],
	       "nothing after --help is looked at");
	options_free(&o);
	tap_ok(!parse("-V") && o.show_version && !o.argv[0], "-V");
	options_free(&o);
}

static void test_durations(void)
{
	static const struct {
		const char *text;
		uint64_t ms;
	} good[] = {{"30", 30000},    {"500ms", 500},  {"30s", 30000},
		    {"5m", 300000},   {"1h", 3600000}, {"0", 0},
		    {"2d", 172800000}};
	static const char *const bad[] = {"",
					  "s",
					  "-1",
					  " 1",
					  "1 ",
					  "1.5s",
					  "18446744073709551616",
					  "18446744073709551615s"};
	uint64_t v;

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		tap_ok(!text_duration(good[i].text, &v) && v == good[i].ms,
		       "duration %s", good[i].text);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		tap_ok(text_duration(bad[i], &v) == -1, "no duration: \"%s\"",
		       bad[i]);
	tap_ok(!text_size("3gib", 1, &v) && v == UINT64_C(3) << 30, "3gib");
	tap_ok(!text_size("7", 1024, &v) && v == 7168, "a bare number");
	tap_ok(!text_number("18446744073709551615", UINT64_MAX, &v) &&
		       v == UINT64_MAX,
	       "the largest number");
	tap_ok(text_number("18446744073709551616", UINT64_MAX, &v) == -1 &&
		       text_number("10", 9, &v) == -1,
	       "and no larger one");
}

static void put(const char *dir, const char *name, const char *text)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) ||
	    fchmod(fd, 0644))
		tap_ok(0, "writing %s", path);
	close(fd);
}

static void make_dirs(void)
{
	char path[128];

	if (!mkdtemp(tmp)) {
		tap_ok(0, "making %s", tmp);
		exit(tap_done());
	}
	snprintf(dir_a, sizeof(dir_a), "%s/a", tmp);
	snprintf(dir_b, sizeof(dir_b), "%s/b", tmp);
	mkdir(dir_a, 0700);
	mkdir(dir_b, 0700);
	snprintf(path, sizeof(path), "%s/profiles", dir_a);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/profiles", dir_b);
	mkdir(path, 0700);
	snprintf(path, sizeof(path), "%s/aliases", dir_a);
	mkdir(path, 0700);
}

/* A profile's text, the message after the path, the hint. */
static void bad_profile(const char *text, const char *message, const char *hint)
{
	char want[512], shown[48];

	put(dir_a, "profiles/bad.conf", text);
	tap_ok(parse_in("--profile|bad|x", dirs) == -1, "a bad profile: \"%s\"",
	       text_show(shown, sizeof(shown), text));
	snprintf(want, sizeof(want), "%s/profiles/bad.conf%s", dir_a, message);
	tap_str(e.msg, want, "and says where and why");
	tap_str(e.hint, hint, "and what to do");
}

static void test_bad_profiles(void)
{
	char *longer = malloc(9000);

	bad_profile("# c\n\nmemory = 1G\n", ":3: unknown option \"memory\"",
		    "");
	bad_profile("rw-tyr = x\n", ":1: unknown option \"rw-tyr\"",
		    "did you mean rw-try?");
	bad_profile("--rw = x\n", ":1: unknown option \"--rw\"",
		    "write it without the dashes");
	bad_profile("mem = much\n", ":1: mem: \"much\" is not a size",
		    "a number of MiB, or with suffix: 512M, 2G");
	bad_profile("ro = a\nro = b:c\n",
		    ":2: ro: \"c\" is not an absolute path", "");
	bad_profile("tty = yes\n", ":1: \"tty\" is either true or false", "");
	bad_profile("tty\n", ":1: this is not \"option = value\"", "");
	bad_profile("mem = 1G\ncpus = 2\nmem = 2G\n",
		    ":3: \"mem\" was set on line 1 already", "");
	bad_profile("[make]\nmem = 1G\n",
		    ":1: there are no [sections] in this file", "");
	bad_profile("profile = x\n",
		    ":1: \"profile\" is for the command line only", "");
	bad_profile("cwd = ~/x\n  cwd = ~/y\n",
		    ":2: \"cwd\" was set on line 1 already", "");
	if (!longer)
		return;
	memset(longer, 'x', 8999);
	memcpy(longer, "ro = ", 5);
	longer[8999] = '\0';
	bad_profile(longer, ":1: the line is longer than 8190 bytes", "");
	free(longer);
	tap_ok(config_parse("f", "mem\0= 1", 7, optset_table, NULL, &e) == -1,
	       "a NUL in a file");
	tap_str(e.msg, "f: this is not a text file", "says so");
}

static void test_file_modes(void)
{
	char path[256], want[512];

	put(dir_a, "profiles/open.conf", "mem = 1G\n");
	snprintf(path, sizeof(path), "%s/profiles/open.conf", dir_a);
	chmod(path, 0646);
	tap_ok(parse_in("--profile|open|x", dirs) == -1,
	       "a file that everybody can write to");
	snprintf(want, sizeof(want), "%s: everybody can change this file",
		 path);
	tap_str(e.msg, want, "is refused");
	unlink(path);
	mkdir(path, 0700);
	tap_ok(parse_in("--profile|open|x", dirs) == -1, "a directory");
	snprintf(want, sizeof(want), "cannot read %s: it is not a file", path);
	tap_str(e.msg, want, "is refused");
	rmdir(path);
}

/* The other folder has one, which is not what the link is to. */
static void test_dangling(void)
{
	static const char *const files[] = {"profiles/link.conf", "vmrun.conf"};
	char path[256], want[512];

	put(dir_b, "profiles/link.conf", "mem = 1G\n");
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir_a, files[i]);
		if (symlink("/nowhere/link.conf", path) < 0)
			abort();
		tap_ok(parse_in("--profile|link|x", dirs) == -1,
		       "a dangling %s", files[i]);
		snprintf(want, sizeof(want), "%s: the link leads to nothing",
			 path);
		tap_str(e.msg, want, "is an error");
		unlink(path);
	}
	snprintf(path, sizeof(path), "%s/profiles/link.conf", dir_b);
	unlink(path);
}

static void test_missing_profile(void)
{
	char want[512];

	tap_ok(parse_in("--profile|web|x", dirs) == -1, "no such profile");
	tap_str(e.msg, "there is no profile \"web\"", "says so");
	snprintf(want, sizeof(want), "looked for profiles/web.conf in %s, %s",
		 dir_a, dir_b);
	tap_str(e.hint, want, "and where it looked");
	tap_ok(parse("--profile|web|x") == -1, "nor without any place");
	tap_str(e.hint, "looked for profiles/web.conf in no place at all",
		"says so");
}

static void test_precedence(void)
{
	char want[256];

	put(dir_b, "vmrun.conf", "mem = 3G\n");
	put(dir_a, "vmrun.conf",
	    "mem = 256M\ncpus = 2\nenv = A=conf\n; comment\nverbose = true\n");
	put(dir_b, "profiles/make.conf", "cpus = 9\n");
	put(dir_a, "profiles/make.conf",
	    "\tcpus = 3\nenv=A=profile ; kept\ntimeout : 5m\nquiet=true\n");
	tap_ok(!parse_in("/usr/bin/make|all", dirs),
	       "a command with a profile");
	tap_ok(o.mem == 256u << 20, "vmrun.conf, the first that there is");
	tap_ok(o.cpus == 3, "the profile wins over it");
	tap_ok(o.timeout_ms == 300000 && o.quiet && o.verbose == 1,
	       "and both are read");
	tap_ok(strv_len(o.env) == 2 && !strcmp(o.env[0], "A=conf") &&
		       !strcmp(o.env[1], "A=profile ; kept"),
	       "lists add up, vmrun.conf first; no comments behind values");
	snprintf(want, sizeof(want), "%s/profiles/make.conf", dir_a);
	tap_str(o.profile_used, want, "it says which profile it was");
	options_free(&o);
	tap_ok(!parse_in("--cpus|4|-e|A=line|make", dirs) && o.cpus == 4 &&
		       !strcmp(o.env[2], "A=line"),
	       "the command line wins, and comes last in lists");
	options_free(&o);
	tap_ok(!parse_in("-v|make", dirs) && !o.quiet && o.verbose == 2,
	       "-v wins over a quiet profile");
	options_free(&o);
	tap_ok(!parse_in("-q|make", dirs) && o.quiet,
	       "and -q over a verbose vmrun.conf");
	options_free(&o);
	tap_ok(!parse_in("--no-profile|make", dirs) && o.cpus == 2 &&
		       !o.profile_used && strv_len(o.env) == 1,
	       "--no-profile leaves vmrun.conf");
	options_free(&o);
	tap_ok(!parse_in("--profile|make|true", dirs) && o.cpus == 3,
	       "--profile");
	options_free(&o);
	tap_ok(!parse_in("../profiles/..|x", dirs) && !o.profile_used,
	       "a command that is no name has no profile");
	options_free(&o);
	put(dir_a, "profiles/make.conf", "quiet = true\nquiet = false\n");
	tap_ok(parse_in("make", dirs) == -1, "an error in an unasked profile "
					     "is an error");
}

static void test_alias_file(void)
{
	char want[512];

	tap_ok(!parse_in("--alias|web|tool", dirs) && !o.alias_used &&
		       o.cpus == 2,
	       "an alias without a file");
	options_free(&o);
	put(dir_a, "profiles/tool.conf", "cpus = 3\n");
	put(dir_a, "aliases/web.conf",
	    "cpus = 5\nwayland-deny = wp_viewporter\nclipboard = in\n");
	tap_ok(!parse_in("tool", dirs) && !o.alias_used && o.cpus == 3,
	       "and a file whose alias is not used");
	options_free(&o);
	tap_ok(!parse_in("--alias|web|tool", dirs) && o.cpus == 5 &&
		       !strcmp(o.alias, "web"),
	       "the alias's file wins over the profile");
	snprintf(want, sizeof(want), "%s/aliases/web.conf", dir_a);
	tap_str(o.alias_used, want, "it says which file it was");
	options_free(&o);
	tap_ok(!parse_in("-n|web|--cpus|4|--wayland-deny|wp_presentation|tool",
			 dirs) &&
		       o.cpus == 4 && strv_len(o.wayland_deny) == 2 &&
		       !strcmp(o.clipboard, "in"),
	       "the command line wins over it, lists add up");
	options_free(&o);
	tap_ok(!parse_in("-n|web|--no-profile|tool", dirs) && o.cpus == 5,
	       "--no-profile leaves it: it is the alias's policy");
	options_free(&o);
	put(dir_a, "profiles/bad.conf", "alias = web\n");
	tap_ok(!parse_in("--profile|bad|x", dirs) && o.cpus == 5 &&
		       !strcmp(o.alias, "web"),
	       "an alias that the profile names has its file as well");
	options_free(&o);
	put(dir_a, "aliases/web.conf", "alias = other\n");
	tap_ok(parse_in("-n|web|x", dirs) == -1 &&
		       strstr(e.msg, "/aliases/web.conf: an alias's own file "
				     "cannot set \"alias\""),
	       "a file with another alias is refused: %s", e.msg);
	put(dir_a, "aliases/web.conf", "memory = 1G\n");
	tap_ok(parse_in("-n|web|x", dirs) == -1 &&
		       strstr(e.msg, "/aliases/web.conf:1: unknown option"),
	       "and one with an error: %s", e.msg);
}

static int args_fd(const char *bytes, size_t n)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC) || write(p[1], bytes, n) != (ssize_t)n)
		return -1;
	close(p[1]);
	return p[0];
}

static void with_args(const char *bytes, size_t n, const char *rest)
{
	char line[128];

	snprintf(line, sizeof(line), "--args|%d|%s", args_fd(bytes, n), rest);
	parse(line);
}

static void test_args(void)
{
	with_args("--rw\0a b\0-m\000512\0", 16, "-m|1G|x");
	tap_ok(!e.msg[0] && o.n_shares == 1, "--args");
	tap_str(e.msg[0] ? e.msg : o.shares[0].src, "a b", "its words");
	tap_ok(o.mem == 1u << 30, "stand where --args stands");
	options_free(&o);
	with_args("", 0, "x");
	tap_ok(!e.msg[0], "an empty one");
	options_free(&o);
	with_args("-v\0x\0", 5, "y");
	tap_str(e.msg, "--args: \"x\" is not an option", "no command in it");
	with_args("-v", 2, "y");
	tap_ok(strstr(e.msg, "does not hold words that end with a NUL") != NULL,
	       "a word that does not end");
	with_args("--args\0003\0", 9, "y");
	tap_str(e.msg, "--args: --args: --args cannot be used inside of --args",
		"--args in --args");
	tap_ok(!o.argv && !o.shares, "nothing is left to free");
}

static void test_examples(void)
{
	const char *top = getenv("top_srcdir");
	char dir[512];
	const char *where[] = {dir, NULL};

	if (!top) {
		tap_skip("the examples are right", "top_srcdir is not set");
		return;
	}
	snprintf(dir, sizeof(dir), "%s/examples", top);
	tap_ok(!parse_in("make", where) && o.profile_used && o.n_shares > 1,
	       "examples/profiles/make.conf");
	options_free(&o);
	tap_ok(!parse_in("--profile|offline-shell|bash", where) &&
		       !strcmp(o.cwd ? o.cwd : "", "/work"),
	       "examples/profiles/offline-shell.conf");
	options_free(&o);
	tap_ok(!parse_in("-n|web|foot", where) && o.alias_used &&
		       o.n_sockets == 1 && o.mem == 3u << 30,
	       "examples/aliases/web.conf");
	options_free(&o);
}

static void remove_dirs(void)
{
	static const char *const names[] = {
		"a/profiles/bad.conf",
		"a/profiles/make.conf",
		"a/vmrun.conf",
		"b/profiles/make.conf",
		"b/vmrun.conf",
		"a/aliases/web.conf",
		"a/profiles/tool.conf",
		"a/aliases",
		"a/profiles",
		"b/profiles",
		"a",
		"b",
		"",
	};
	char path[128];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(path, sizeof(path), "%s/%s", tmp, names[i]);
		remove(path);
	}
}

int main(void)
{
	make_dirs();
	test_refused();
	if (dup2(0, 50) < 0 || dup2(0, 51) < 0)
		abort();
	test_nic_refused();
	test_nic();
	test_shares();
	test_values();
	test_durations();
	test_bad_profiles();
	test_file_modes();
	test_dangling();
	test_missing_profile();
	test_precedence();
	test_alias_file();
	test_args();
	test_examples();
	remove_dirs();
	return tap_done();
}
