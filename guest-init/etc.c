/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The files of /etc that say who is who.  Runs in the guest as PID 1. */
#include "guest-init/init.h"

#include "base/err.h"
#include "base/own.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#define ETC_MAX 65536
#define NOBODY 65534u

/* A file that the mount list has put there stays as it is. */
static int put_file(int etc, const char *name, struct buf *b, struct err *e)
{
	own_fd fd = openat(etc, name,
			   O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC,
			   0644);

	if (fd < 0 && errno == EEXIST)
		return 0;
	if (fd < 0 || b->bad || write(fd, b->data, b->len) != (ssize_t)b->len)
		return err_set(e, fd < 0 ? errno : ENOSPC, "writing /etc/%s",
			       name);
	return 0;
}

/* A field of passwd or group: what would end it becomes '_'. */
struct field {
	char s[LAUNCH_PATH_MAX + 1];
};

static struct field field(const char *text, const char *instead)
{
	struct field f;

	snprintf(f.s, sizeof(f.s), "%s", *text ? text : instead);
	for (char *p = f.s; *p; p++)
		if (*p == ':' || *p == '\n' || *p == '\r' ||
		    (*p == ',' && !strchr(f.s, '/')))
			*p = '_';
	return f;
}

/* The person outside, if that is somebody else than the ids listed anyway. */
static bool is_other(uint32_t host, uint32_t own)
{
	return host && host != own && host != NOBODY;
}

static const char *suffix(const char *host, const char *own)
{
	return strcmp(host, own) ? "" : "-host";
}

static void passwd(struct buf *b, const struct launch *l)
{
	struct field user = field(l->user, "user");
	struct field host = field(l->host_user, "host");

	buf_printf(b, "root:x:0:0:root:/:/usr/sbin/nologin\n");
	buf_printf(b, "%s:x:%u:%u::%s:%s\n", user.s, l->uid, l->gid,
		   field(l->home, "/").s, field(l->shell, "/bin/sh").s);
	if (is_other(l->host_uid, l->uid))
		buf_printf(b, "%s%s:x:%u:%u:outside the VM:/:%s\n", host.s,
			   suffix(host.s, user.s), l->host_uid, l->host_gid,
			   "/usr/sbin/nologin");
	buf_printf(b, "nobody:x:%u:%u:nobody:/:/usr/sbin/nologin\n", NOBODY,
		   NOBODY);
}

static void group(struct buf *b, const struct launch *l)
{
	struct field own = field(l->group, "user");
	struct field host = field(l->host_group, "host");

	buf_printf(b, "root:x:0:\ntty:x:5:\n%s:x:%u:\n", own.s, l->gid);
	if (is_other(l->host_gid, l->gid) && l->host_gid != 5)
		buf_printf(b, "%s%s:x:%u:\n", host.s, suffix(host.s, own.s),
			   l->host_gid);
	buf_printf(b, "nogroup:x:%u:\n", NOBODY);
}

static void hosts(struct buf *b, const struct launch *l)
{
	buf_printf(b, "127.0.0.1 localhost\n"
		      "::1 localhost ip6-localhost ip6-loopback\n");
	/* Apart: the first name of a line is the one that is asked for. */
	if (*l->hostname)
		buf_printf(b, "127.0.1.1 %s\n", field(l->hostname, "").s);
}

static void hostname(struct buf *b, const struct launch *l)
{
	buf_printf(b, "%s\n", field(l->hostname, "vmrun").s);
}

static void resolver(struct buf *b, const struct nic_addr *a)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(a->family == NIC_IP4 ? AF_INET : AF_INET6, a->ip, text,
		  sizeof(text));
	buf_printf(b, "nameserver %s\n", text);
}

static void resolv_conf(struct buf *b, const struct launch *l)
{
	unsigned n = 0;

	if (!l->n_nics)
		buf_printf(b, "# this VM has no network\n");
	for (size_t i = 0; i < l->n_nics; i++)
		for (size_t k = 0; k < l->nics[i].n_dns && n < NIC_DNS_MAX;
		     k++, n++)
			resolver(b, &l->nics[i].dns[k]);
}

static void machine_id(struct buf *b, const struct launch *l)
{
	unsigned char id[16] = {0};

	/* Not a secret: to wait for entropy at boot would be for nothing. */
	(void)l;
	if (getrandom(id, sizeof(id), GRND_INSECURE) != sizeof(id))
		b->bad = true;
	for (size_t i = 0; i < sizeof(id); i++)
		buf_printf(b, "%02x", id[i]);
	buf_printf(b, "\n");
}

static void nsswitch(struct buf *b, const struct launch *l)
{
	(void)l;
	buf_printf(b, "passwd: files\ngroup: files\nshadow: files\n"
		      "hosts: files dns\nservices: files\nprotocols: files\n");
}

/*
 * git trusts no repository of another user's, and here all that is shared is.
 * Whoever could plant one has the guest already.
 */
static void gitconfig(struct buf *b, const struct launch *l)
{
	(void)l;
	buf_printf(b, "[safe]\n\tdirectory = *\n");
}

static const struct {
	const char *name;
	void (*fill)(struct buf *b, const struct launch *l);
} files[] = {
	{"passwd", passwd},
	{"group", group},
	{"hosts", hosts},
	{"hostname", hostname},
	{"resolv.conf", resolv_conf},
	{"machine-id", machine_id},
	{"nsswitch.conf", nsswitch},
	{"gitconfig", gitconfig},
};

int etc_compose(int root, const struct launch *l, struct err *e)
{
	own_fd at = place_dir(root, "/etc", e), etc = -1;
	struct buf b;
	int bad = 0;

	if (at < 0)
		return -1;
	/* A whole /etc of the person's own is not ours to write to. */
	if (place_is_shared(at))
		return 0;
	etc = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (etc < 0)
		return err_set(e, errno, "/etc");
	buf_init(&b, ETC_MAX);
	for (size_t i = 0; i < sizeof(files) / sizeof(*files) && !bad; i++) {
		buf_clear(&b);
		files[i].fill(&b, l);
		bad = put_file(etc, files[i].name, &b, e);
	}
	buf_free(&b);
	if (!bad && symlinkat("../proc/self/mounts", etc, "mtab") < 0 &&
	    errno != EEXIST)
		return err_set(e, errno, "/etc/mtab");
	return bad;
}

void names_set(const struct launch *l)
{
	own_fd s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = {.ifr_name = "lo"};
	size_t n = strlen(l->hostname);

	if (n && sethostname(l->hostname, n < 64 ? n : 64) < 0)
		say("host name: %s", strerror(errno));
	ifr.ifr_flags = IFF_UP | IFF_RUNNING;
	if (s < 0 || ioctl(s, SIOCSIFFLAGS, &ifr) < 0)
		say("loopback: %s", strerror(errno));
}
