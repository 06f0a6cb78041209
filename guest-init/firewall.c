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

#define DENIED "vmrun-deny "
#define LOG_WARNING 1u	/* enum log_level of the host: LOG_LEVEL_WARN */
#define DENIED_BURST 20 /* lines at once */
#define DENIED_MS 200	/* one more after this time */

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
	if (dup2(input, 0) == 0 && dup2(output, 1) == 1 && dup2(output, 2) == 2)
		execve(nft_argv[0], nft_argv, env);
	dprintf(output, "%s: %s\n", nft_argv[0], strerror(errno));
	_exit(127);
}

/* The first line of what nft said; its file name says nothing here. */
static int refused(int output, struct err *e)
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
	return err_set(e, 0, "nft refused the rules: %s", *at ? at : "killed");
}

/* All of the rules, or none: nft's input is one transaction. */
static int load_rules(const char *rules, struct err *e)
{
	own_fd input = memfd_create("rules", MFD_CLOEXEC);
	own_fd output = memfd_create("nft", MFD_CLOEXEC);
	size_t n = strlen(rules);
	int status = 0;
	pid_t pid;

	if (input < 0 || output < 0 || pwrite(input, rules, n, 0) != (ssize_t)n)
		return err_set(e, errno ? errno : EIO, "nft's input");
	if (access(nft_argv[0], X_OK) < 0)
		return err_set(e, errno, "no nft in this image");
	pid = fork();
	if (!pid)
		become_nft(input, output);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return err_set(e, errno, "a process for nft");
	return status ? refused(output, e) : 0;
}

static int set(const char *path, const char *value, struct err *e)
{
	own_fd fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		return err_set(e, errno, "%s", path);
	return 0;
}

/*
 * A source address must be on the card that it comes from, and no limit on the
 * rate of ICMP errors: refused connections are to fail at once, however many
 * there are; frames come from VMs with a port of their own.
 */
static int set_cards(struct err *e)
{
	for (size_t i = 0; i < sizeof(card_names) / sizeof(*card_names); i++) {
		char path[128];

		snprintf(path, sizeof(path),
			 "/proc/sys/net/ipv4/conf/%s/rp_filter", card_names[i]);
		if (set(path, "1", e) < 0)
			return -1;
	}
	if (set("/proc/sys/net/ipv4/conf/all/accept_redirects", "0", e) < 0 ||
	    set("/proc/sys/net/ipv4/conf/all/send_redirects", "0", e) < 0)
		return -1;
	return set("/proc/sys/net/ipv4/icmp_ratelimit", "0", e);
}

static bool has_ip6(void)
{
	return access("/proc/sys/net/ipv6", F_OK) == 0;
}

static int forward(struct err *e)
{
	if (has_ip6() &&
	    (set("/proc/sys/net/ipv6/icmp/ratelimit", "0", e) < 0 ||
	     set("/proc/sys/net/ipv6/conf/all/accept_redirects", "0", e) < 0 ||
	     set("/proc/sys/net/ipv6/conf/all/forwarding", "1", e) < 0))
		return -1;
	return set("/proc/sys/net/ipv4/ip_forward", "1", e);
}

static int start(struct init *in, struct err *e)
{
	const struct launch *l = &in->launch;

	clock_set(l->clock_ns);
	names_set(l);
	modules_load(in->modules, "net");
	modules_load(in->modules, "nft");
	if (net_name(l, card_names, e) < 0 || load_rules(l->firewall, e) < 0)
		return -1;
	in->kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (in->kmsg < 0 || lseek(in->kmsg, 0, SEEK_END) < 0)
		return err_set(e, errno, "the kernel's log");
	if (net_configure(l, e) < 0 || set_cards(e) < 0)
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
		snprintf(line, sizeof(line), DENIED "%llu more were not told",
			 (unsigned long long)in->denied.untold);
		ctl_put_log(&in->ctl_out, LOG_WARNING, line);
		in->denied.untold = 0;
	}
	ctl_put_log(&in->ctl_out, LOG_WARNING, text);
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
	if (!strncmp(text, DENIED, strlen(DENIED)))
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

/* Standard input to its end, with a NUL behind it. */
static char *read_input(struct err *e)
{
	char *text = malloc(LAUNCH_FIREWALL_MAX + 2);
	size_t have = 0;
	ssize_t n;

	while (text && have <= LAUNCH_FIREWALL_MAX &&
	       (n = read(0, text + have, LAUNCH_FIREWALL_MAX + 1 - have)) > 0)
		have += (size_t)n;
	if (text && have && have <= LAUNCH_FIREWALL_MAX &&
	    !memchr(text, 0, have)) {
		text[have] = '\0';
		return text;
	}
	free(text);
	err_set(e, 0, "rules are 1 to %u bytes of text", LAUNCH_FIREWALL_MAX);
	return NULL;
}

void firewall_command(const struct child_plan *c)
{
	char *const *argv = c->spec->argv;
	struct err e = ERR_INIT;
	char *rules;

	if (dup2(c->in, 0) < 0 || dup2(c->out, 1) < 0 || dup2(c->err, 2) < 0)
		_exit(126);
	/* Also the report, which says that it runs, and what PID 1 has: it
	 * would keep the end of standard input away. */
	if (syscall(SYS_close_range, 3u, ~0u, 0) < 0)
		_exit(126);
	if (strcmp(argv[0], "rules") != 0 || argv[1]) {
		dprintf(2, "the guest of a firewall has one command, rules\n");
		_exit(127);
	}
	rules = read_input(&e);
	if (rules && load_rules(rules, &e) == 0)
		_exit(0);
	dprintf(2, "%s\n", e.msg);
	_exit(1);
}
