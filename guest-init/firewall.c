/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The guest of a firewall: no application and no file of the host, only what
 * goes from one card to the other.  Runs in the guest as PID 1.
 *
 * Theory of operation
 *
 * The order makes it fail closed: modules, names of the cards, rules (all of
 * them, or the VM ends), cards and addresses, settings, and forwarding last.
 * Before nft has taken the rules no card is up; before forwarding is on nothing
 * passes.
 *
 * From then on there are two things to do.  What was denied goes to the host:
 * the kernel logs it (nf_log_syslog), and /dev/kmsg gives one record for each
 * read().  And the one command that the host may run here, `rules`, replaces
 * the rules by those on its standard input: again all of them or none, while
 * the kernel's table of connections stays as it is.
 *
 * With cards that have no address it is a bridge: no IP at all, neither
 * forwarding nor a resolver, and what passes are the frames that rules of nft's
 * family netdev hand from one card to the other.  The order is the same.
 *
 * nft, its libraries and its loader are in /nft of the initramfs; this guest
 * never leaves that.
 */
#include "guest-init/init.h"

#include "base/err.h"
#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define DENIED_BURST 20 /* lines at once */
#define DENIED_MS 200	/* one more after this time */
#define NFT_SECONDS 60	/* under software emulation it takes one */

static const char *const card_names[] = {"inner", "outer"};

static char *const nft_argv[] = {
	"/nft/ld.so", "--library-path",	 "/nft", "/nft/nft",
	"-f",	      "/proc/self/fd/0", NULL};

/* Who am I now: the child that becomes nft, with its input and its words. */
static _Noreturn void become_nft(int input, int output)
{
	static char *const env[] = {"LC_ALL=C", "PATH=/nft", NULL};
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* Kept by execve(): PID 1 waits for nothing else meanwhile. */
	alarm(NFT_SECONDS);
	if (dup2(input, 0) == 0 && dup2(output, 1) == 1 && dup2(output, 2) == 2)
		execve(nft_argv[0], nft_argv, env);
	dprintf(output, "%s: %s\n", nft_argv[0], strerror(errno));
	_exit(127);
}

/* The first line of what nft said; its file name says nothing here. */
static int refused(int output, int status, struct err *e)
{
	static const char file[] = "/proc/self/fd/0:";
	char said[CTL_TEXT_MAX / 2];
	ssize_t n = pread(output, said, sizeof(said) - 1, 0);
	const char *at = said;

	said[n < 0 ? 0 : n] = '\0';
	said[strcspn(said, "\n")] = '\0';
	if (!strncmp(at, file, strlen(file))) {
		at += strlen(file);
		return err_set(e, 0, "nft refused the rules, line %s", at);
	}
	if (WIFSIGNALED(status))
		return err_set(e, 0, "nft was ended by signal %d",
			       WTERMSIG(status));
	return err_set(e, 0, "nft refused the rules: %s", at);
}

/* All of the rules, or none: nft's input is one transaction. */
static int load_rules(int input, struct err *e)
{
	own_fd output = memfd_create("nft", MFD_CLOEXEC);
	int status = 0;
	pid_t pid;

	if (output < 0)
		return err_set(e, errno, "nft's output");
	if (access(nft_argv[0], X_OK) < 0)
		return err_set(e, errno, "no nft in this image");
	pid = fork();
	if (!pid)
		become_nft(input, output);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return err_set(e, errno, "a process for nft");
	return status ? refused(output, status, e) : 0;
}

static int memory_file(const char *text, struct err *e)
{
	own_fd fd = memfd_create("rules", MFD_CLOEXEC);
	size_t n = strlen(text);

	if (fd < 0 || pwrite(fd, text, n, 0) != (ssize_t)n)
		return err_set(e, errno ? errno : EIO, "nft's input");
	return steal_fd(&fd);
}

/* 0 and *x, for names_free(). */
static int read_names(const struct init *in, struct names *x, const char *rules,
		      struct err *e)
{
	if (names_parse(x, rules, e) < 0)
		return -1;
	if (!x->n || !net_is_bridge(&in->launch))
		return 0;
	names_free(x);
	return err_set(e, 0, "names, and a bridge has no resolver");
}

static int load_first(struct init *in, struct err *e)
{
	own_fd input = memory_file(in->launch.firewall, e);

	if (input < 0 || read_names(in, &in->names, in->launch.firewall, e) < 0)
		return -1;
	return load_rules(input, e);
}

static int set(const char *path, const char *value, struct err *e)
{
	own_fd fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		return err_set(e, errno, "%s", path);
	return 0;
}

struct setting {
	const char *path, *value; /* below /proc/sys/net/ */
};

static int set_all(const struct setting *all, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		char path[128];

		snprintf(path, sizeof(path), "/proc/sys/net/%s", all[i].path);
		if (set(path, all[i].value, e) < 0)
			return -1;
	}
	return 0;
}

/*
 * A source address must be on the card that it comes from.  No limit on the
 * rate of ICMP errors: refused connections are to fail at once, however many
 * there are; frames come from VMs with a port of their own.  A table of
 * connections for several browsers (5 MiB; a thousand is the kernel's choice
 * for so little memory), in which those of VMs that are gone stay for two hours
 * and not five days (RFC 5382).
 */
static const struct setting settings[] = {
	{"ipv4/conf/inner/rp_filter", "1"},
	{"ipv4/conf/outer/rp_filter", "1"},
	{"ipv4/conf/all/accept_redirects", "0"},
	{"ipv4/conf/all/send_redirects", "0"},
	{"ipv4/icmp_ratelimit", "0"},
	{"netfilter/nf_conntrack_max", "16384"},
	{"netfilter/nf_conntrack_tcp_timeout_established", "7440"},
};

static const struct setting settings6[] = {
	{"ipv6/icmp/ratelimit", "0"},
	{"ipv6/conf/all/accept_redirects", "0"},
	{"ipv6/conf/all/forwarding", "1"},
};

static bool has_ip6(void)
{
	return access("/proc/sys/net/ipv6", F_OK) == 0;
}

static int forward(struct err *e)
{
	if (set_all(settings, sizeof(settings) / sizeof(*settings), e) < 0)
		return -1;
	if (has_ip6() &&
	    set_all(settings6, sizeof(settings6) / sizeof(*settings6), e) < 0)
		return -1;
	return set("/proc/sys/net/ipv4/ip_forward", "1", e);
}

static bool has_own_card(const struct launch *l)
{
	for (size_t i = 0; i < l->n_nics; i++)
		if (l->nics[i].pci)
			return true;
	return false;
}

static int start(struct init *in, struct err *e)
{
	const struct launch *l = &in->launch;

	names_set(l);
	modules_load(in->modules, "net");
	/* Drivers for a PCI device, which find what they are for. */
	if (has_own_card(l))
		modules_load(in->modules, "pci");
	modules_load(in->modules, net_is_bridge(l) ? "bridge" : "nft");
	if (net_name(l, card_names, e) < 0 || load_first(in, e) < 0)
		return -1;
	in->kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (in->kmsg < 0 || lseek(in->kmsg, 0, SEEK_END) < 0)
		return err_set(e, errno, "the kernel's log");
	if (net_is_bridge(l))
		return net_listen(l, e);
	if (net_configure(l, e) < 0 || resolver_start(in, e) < 0)
		return -1;
	return forward(e);
}

void firewall_start(struct init *in)
{
	struct err e = ERR_INIT;

	if (start(in, &e) < 0) {
		session_setup_failed(in, &e);
		return;
	}
	ctl_put_session(&in->ctl_out, CTL_STARTED, 0);
	ctl_put_session(&in->ctl_out, CTL_READY, 0);
	modules_late(in);
}

/* A bucket of DENIED_BURST lines; what does not fit is counted. */
static bool may_tell(struct denied *d)
{
	int64_t now = now_ms();

	if (now - d->since >= DENIED_MS * (int64_t)DENIED_BURST)
		d->since = now - DENIED_MS * (int64_t)DENIED_BURST;
	if (now - d->since < DENIED_MS) {
		d->untold++;
		return false;
	}
	d->since += DENIED_MS;
	return true;
}

static void tell(struct init *in, const char *text)
{
	char line[CTL_TEXT_MAX];

	if (!may_tell(&in->denied))
		return;
	if (in->denied.untold) {
		snprintf(line, sizeof(line),
			 FIREWALL_DENIED "%llu more were not told",
			 (unsigned long long)in->denied.untold);
		ctl_put_log(&in->ctl_out, GUEST_LOG_WARN, line);
		in->denied.untold = 0;
	}
	ctl_put_log(&in->ctl_out, GUEST_LOG_WARN, text);
}

/* `PRIORITY,NUMBER,TIME,FLAGS;TEXT`, the kernel's escapes in TEXT, and lines
 * with more about it. */
void firewall_read(struct init *in)
{
	char record[8192], *text;
	ssize_t n = read(in->kmsg, record, sizeof(record) - 1);

	if (n < 0) {
		/* EPIPE: what came in between was lost to newer records. */
		if (errno != EAGAIN && errno != EINTR && errno != EPIPE)
			own_close(&in->kmsg);
		return;
	}
	record[n] = '\0';
	text = strchr(record, ';');
	if (!text++)
		return;
	text[strcspn(text, "\n")] = '\0';
	if (!strncmp(text, FIREWALL_DENIED, strlen(FIREWALL_DENIED)))
		tell(in, text);
}

void firewall_signal(struct init *in, uint32_t signo)
{
	switch (signo) {
	case SIGTERM:
	case SIGINT:
	case SIGQUIT:
	case SIGHUP:
	case SIGKILL:
		ctl_put_exit(&in->ctl_out, 0, CTL_EXIT_CODE, 0, "");
		in->said_exit = true;
		break;
	default:
		break; /* nothing here that could want it */
	}
}

int firewall_prepare(struct init *in, const struct session *s, struct err *e)
{
	if (in->reload >= 0)
		return err_set(e, EBUSY, "other rules are being loaded");
	in->reload = memfd_create("reload", MFD_CLOEXEC);
	in->reloader = s;
	return in->reload < 0 ? err_set(e, errno, "new rules") : 0;
}

void firewall_unprepare(struct init *in, const struct session *s)
{
	if (in->reload < 0 || s != in->reloader)
		return;
	own_close(&in->reload);
	in->reloader = NULL;
}

/* The file's text, with a NUL behind it. */
static char *read_text(int fd, struct err *e)
{
	char *text = malloc(LAUNCH_FIREWALL_MAX + 2);
	ssize_t n = text ? pread(fd, text, LAUNCH_FIREWALL_MAX + 1, 0) : -1;

	if (n > 0 && n <= (ssize_t)LAUNCH_FIREWALL_MAX &&
	    !memchr(text, 0, (size_t)n)) {
		text[n] = '\0';
		return text;
	}
	free(text);
	err_set(e, 0, "rules are 1 to %u bytes of text", LAUNCH_FIREWALL_MAX);
	return NULL;
}

/* Standard input to its end, or more than is allowed. */
static void take_input(int fd)
{
	char piece[4096];
	size_t have = 0;
	ssize_t n;

	while (have <= LAUNCH_FIREWALL_MAX &&
	       (n = read(0, piece, sizeof(piece))) > 0) {
		if (pwrite(fd, piece, (size_t)n, (off_t)have) != n)
			break;
		have += (size_t)n;
	}
}

static int replace_rules(const struct init *in, int fd, struct err *e)
{
	own_free char *text = NULL;
	struct names names;

	take_input(fd);
	text = read_text(fd, e);
	if (!text || read_names(in, &names, text, e) < 0)
		return -1;
	names_free(&names);
	return load_rules(fd, e);
}

void firewall_command(struct init *in, const struct child_plan *c)
{
	char *const *argv = c->spec->argv;
	struct err e = ERR_INIT;

	/* Who asked for it may be ended: what began is done, else nft may have
	 * its new rules, and the resolver not.  nft inherits this. */
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	if (dup2(c->in, 0) < 0 || dup2(c->out, 1) < 0 || dup2(c->err, 2) < 0 ||
	    dup2(in->reload, 3) < 0)
		_exit(126);
	/* Also the report, which says that it runs, and what PID 1 has: it
	 * would keep the end of standard input away. */
	if (syscall(SYS_close_range, 4u, ~0u, 0) < 0)
		_exit(126);
	if (strcmp(argv[0], "rules") != 0 || argv[1]) {
		dprintf(2, "the guest of a firewall has one command, rules\n");
		_exit(127);
	}
	if (replace_rules(in, 3, &e) == 0)
		_exit(0);
	dprintf(2, "%s\n", e.msg);
	_exit(1);
}

/* The kernel has the new rules: so must the resolver. */
static int new_names(struct init *in, struct err *e)
{
	own_free char *text = read_text(in->reload, e);
	struct names names;

	if (!text || read_names(in, &names, text, e) < 0)
		return -1;
	resolver_stop(in);
	names_free(&in->names);
	in->names = names;
	return resolver_start(in, e);
}

void firewall_ended(struct init *in, const struct session *s)
{
	struct err e = ERR_INIT;

	if (in->reload < 0 || s != in->reloader)
		return;
	if (s->kind == CTL_EXIT_CODE && !s->value && new_names(in, &e) < 0)
		session_setup_failed(in, &e);
	firewall_unprepare(in, s);
}
