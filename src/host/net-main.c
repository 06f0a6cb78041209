/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * vmrun-net: the service of one network (net/service.h).  The person's own
 * authority; refuses to have more.  vmrun starts it:
 *
 *     vmrun-net NAME VMRUN
 *     3  the way to report that it cannot start
 *     4  the lock of the network
 */
#include "base/err.h"
#include "base/io.h"
#include "base/log.h"
#include "host/net/netconf.h"
#include "host/net/netproto.h"
#include "host/net/ruleset.h"
#include "host/net/service.h"
#include "host/plan/plan.h"
#include "host/probe/probe.h"
#include "host/text.h"
#include "proc/inherit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINGER_MS 60000

/* What is left of the session that it was started in. */
static void leave_session(void)
{
	/* Nor are the limits of whoever came first to end what others use. */
	proc_lift_limit(RLIMIT_CPU);
	proc_lift_limit(RLIMIT_FSIZE);
	proc_lift_limit(RLIMIT_AS);
	setsid();
	/* Whose parent waits to hear that its own VM is ready. */
	unsetenv("NOTIFY_SOCKET");
	umask(077);
	if (chdir("/") < 0)
		log_warn("cannot leave the working directory");
	fcntl(NET_FD_REPORT, F_SETFD, FD_CLOEXEC);
	fcntl(NET_FD_LOCK, F_SETFD, FD_CLOEXEC);
}

static int linger(uint64_t *ms, struct err *e)
{
	const char *text = getenv("VMRUN_NET_LINGER");

	*ms = LINGER_MS;
	if (text && *text && text_duration(text, ms) < 0)
		return err_set(e, 0,
			       "VMRUN_NET_LINGER in the environment is no time "
			       "such as 30s");
	return 0;
}

static int check_vmrun(const char *path, struct err *e)
{
	return access(path, X_OK) < 0 ? err_set(e, errno, "%s", path) : 0;
}

static int serve(char **argv, struct facts *f, struct err *e)
{
	const char *dirs[] = {f->config_home, VMRUN_SYSCONFDIR, VMRUN_DATADIR,
			      NULL};
	struct service_spec s = {
		.facts = f,
		.dirs = dirs,
		.name = argv[1],
		.vmrun = argv[2],
		.report = NET_FD_REPORT,
		.lock = NET_FD_LOCK,
	};

	if (probe_privilege(e) < 0 || linger(&s.linger_ms, e) < 0 ||
	    check_vmrun(s.vmrun, e) < 0) {
		io_write_all(NET_FD_REPORT, e, sizeof(*e));
		return -1;
	}
	return service_run(&s, e);
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;
	struct facts f;
	int r;

	log_setup("vmrun-net", LOG_LEVEL_WARN);
	if (argc != 3 ||
	    (!ruleset_is_name(argv[1]) && !netconf_is_vm(argv[1])) ||
	    argv[2][0] != '/' || fcntl(NET_FD_REPORT, F_GETFD) < 0 ||
	    fcntl(NET_FD_LOCK, F_GETFD) < 0) {
		log_error("only vmrun starts this program");
		return 125;
	}
	leave_session();
	if (facts_probe(&f, &e) < 0) {
		io_write_all(NET_FD_REPORT, &e, sizeof(e));
		return 125;
	}
	r = serve(argv, &f, &e);
	facts_free(&f);
	return r < 0 ? 125 : 0;
}
