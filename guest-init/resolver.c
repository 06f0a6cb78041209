/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The resolver of a firewall whose rules allow names.  Runs in the guest: the
 * first half as a process of its own that is nobody and reads what clients and
 * the other resolver say, the second half as PID 1.
 *
 * Theory of operation
 *
 * A question about a name that the rules allow is asked anew at the other
 * resolver; if there are two, one of each family, at the second where the first
 * is out of reach.  Its answer's addresses go to PID 1, which puts them into
 * the name's set for as long as they are valid and a minute more; only then the
 * client gets them.  Any other name does not exist.  A question about anything
 * but addresses has no answer.
 *
 * Goals: no byte of a client gets to the other resolver but the name and the
 * kind, and no byte of an answer to a client but addresses.  A client has at
 * most CLIENT_MAX questions open from each of its addresses, all of them
 * QUERIES; more are dropped, as a network would.  If this process ends the VM
 * does.
 */
#include "guest-init/init.h"

#include "base/err.h"
#include "base/own.h"
#include "guest-init/restrict.h"
#include "wire/dns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534u
#define QUERIES 128u
#define CLIENT_MAX 16u
#define CLIENT_ADDRS 3u /* IPv4, IPv6, link-local: each counts by itself */
#define AGAIN_MS 2000	/* then it is asked once more */
#define GIVE_UP_MS 5000
#define TTL_MAX 3600u /* seconds; the longest that a set remembers */
#define TTL_MORE 60u
#define LISTENERS 2

/* Two clients leave room for others. */
_Static_assert(2 * CLIENT_ADDRS * CLIENT_MAX < QUERIES, "room for others");

/* To PID 1; it answers with one byte, 1 if the addresses are in the set. */
struct grant {
	uint32_t name; /* of the record's list */
	uint32_t type, seconds, n;
	unsigned char ip[DNS_ADDRS_MAX][16];
};

struct client {
	struct sockaddr_storage a;
	socklen_t n;
	int listener;
};

struct query {
	int fd;		 /* to the other resolver; -1: free */
	size_t upstream; /* which that is */
	bool asked_again;
	int64_t began;
	uint16_t id;
	struct dns_question q;
	struct client from;
};

struct resolver {
	const struct names *names;
	int boss, kmsg;
	int listeners[LISTENERS];
	struct query queries[QUERIES];
};

static void reply(const struct client *c, const struct dns_question *q,
		  const struct dns_answer *a)
{
	struct buf b;

	buf_init(&b, DNS_ANSWER_MAX);
	dns_put_answer(&b, q, a);
	if (!b.bad)
		sendto(c->listener, b.data, b.len, MSG_DONTWAIT,
		       (const struct sockaddr *)&c->a, c->n);
	buf_free(&b);
}

static void query_end(struct query *q, const struct dns_answer *a)
{
	reply(&q->from, &q->q, a);
	own_close(&q->fd);
}

/* A socket with a port that nobody can guess, or -1. */
static int connect_to(const struct upstream *u)
{
	struct sockaddr_in a4 = {.sin_family = AF_INET,
				 .sin_port = htons(DNS_PORT)};
	struct sockaddr_in6 a6 = {.sin6_family = AF_INET6,
				  .sin6_port = htons(DNS_PORT)};
	own_fd s =
		socket(u->family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int r;

	memcpy(&a4.sin_addr, u->ip, sizeof(a4.sin_addr));
	memcpy(&a6.sin6_addr, u->ip, sizeof(a6.sin6_addr));
	if (s < 0)
		return -1;
	r = u->family == AF_INET
		    ? connect(s, (const struct sockaddr *)&a4, sizeof(a4))
		    : connect(s, (const struct sockaddr *)&a6, sizeof(a6));
	return r < 0 ? -1 : steal_fd(&s);
}

/* To the next other resolver that can be asked; false: there is none. */
static bool query_open(const struct names *names, struct query *q, size_t first)
{
	for (size_t i = first; i < names->n_upstreams; i++) {
		int fd = connect_to(&names->upstreams[i]);

		if (fd < 0)
			continue;
		own_close(&q->fd);
		q->fd = fd;
		q->upstream = i;
		return true;
	}
	return false;
}

/* What is lost is asked again, or given up. */
static void query_send(const struct names *names, struct query *q)
{
	struct buf b;

	buf_init(&b, DNS_ANSWER_MAX);
	dns_put_question(&b, &q->q, q->id);
	while (!b.bad && send(q->fd, b.data, b.len, MSG_DONTWAIT) < 0 &&
	       errno != EAGAIN && query_open(names, q, q->upstream + 1))
		;
	buf_free(&b);
}

static bool is_named(const struct names *names, const char *text)
{
	for (size_t i = 0; i < names->n; i++)
		if (dns_matches(names->v[i], text))
			return true;
	return false;
}

static void tell_refused(struct resolver *r, const struct dns_question *q,
			 const struct client *c)
{
	char who[INET6_ADDRSTRLEN] = "?";

	if (c->a.ss_family == AF_INET)
		inet_ntop(AF_INET,
			  &((const struct sockaddr_in *)&c->a)->sin_addr, who,
			  sizeof(who));
	else
		inet_ntop(AF_INET6,
			  &((const struct sockaddr_in6 *)&c->a)->sin6_addr, who,
			  sizeof(who));
	dprintf(r->kmsg, "<4>" FIREWALL_DENIED "NAME=%s SRC=%s\n", q->text,
		who);
}

static bool is_same_host(const struct sockaddr_storage *a,
			 const struct sockaddr_storage *b)
{
	const struct sockaddr_in *a4 = (const void *)a, *b4 = (const void *)b;
	const struct sockaddr_in6 *a6 = (const void *)a, *b6 = (const void *)b;

	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET)
		return a4->sin_addr.s_addr == b4->sin_addr.s_addr;
	return !memcmp(&a6->sin6_addr, &b6->sin6_addr, 16);
}

/* A free one, unless the client has too many. */
static struct query *pick(struct resolver *r, const struct client *c)
{
	struct query *found = NULL;
	unsigned has = 0;

	for (size_t i = 0; i < QUERIES; i++) {
		struct query *q = &r->queries[i];

		if (q->fd < 0)
			found = q;
		else if (is_same_host(&q->from.a, &c->a))
			has++;
	}
	return has < CLIENT_MAX ? found : NULL;
}

/* Each with a number that nobody can guess, either. */
static void ask(struct resolver *r, const struct dns_question *asked,
		const struct client *c)
{
	struct query *q = pick(r, c);

	if (!q || getrandom(&q->id, sizeof(q->id), 0) != sizeof(q->id) ||
	    !query_open(r->names, q, 0))
		return;
	q->asked_again = false;
	q->began = now_ms();
	q->q = *asked;
	q->from = *c;
	query_send(r->names, q);
}

static void on_client(struct resolver *r, int listener)
{
	unsigned char packet[DNS_MESSAGE_MAX + 1];
	struct client c = {.n = sizeof(c.a), .listener = listener};
	struct dns_answer none = {.code = DNS_OK};
	struct dns_question q;
	ssize_t n = recvfrom(listener, packet, sizeof(packet), MSG_DONTWAIT,
			     (struct sockaddr *)&c.a, &c.n);

	if (n < 0 || dns_get_question(packet, (size_t)n, &q) < 0)
		return;
	if (!is_named(r->names, q.text)) {
		tell_refused(r, &q, &c);
		none.code = DNS_NO_NAME;
		reply(&c, &q, &none);
	} else if (q.type != DNS_A && q.type != DNS_AAAA) {
		reply(&c, &q, &none);
	} else {
		ask(r, &q, &c);
	}
}

/* For one of the names.  Waits for PID 1, which waits for nobody. */
static bool is_granted_to(struct resolver *r, size_t name,
			  const struct query *q, const struct dns_answer *a)
{
	struct grant g = {.name = (uint32_t)name,
			  .type = q->q.type,
			  .n = (uint32_t)a->n,
			  .seconds = a->ttl + TTL_MORE};
	char done = 0;

	memcpy(g.ip, a->ip, sizeof(g.ip));
	if (send(r->boss, &g, sizeof(g), 0) != sizeof(g) ||
	    recv(r->boss, &done, 1, 0) != 1)
		_exit(1);
	return done == 1;
}

/* Each rule that has the name, or one above it. */
static bool is_granted(struct resolver *r, const struct query *q,
		       const struct dns_answer *a)
{
	for (size_t i = 0; i < r->names->n; i++)
		if (dns_matches(r->names->v[i], q->q.text) &&
		    !is_granted_to(r, i, q, a))
			return false;
	return true;
}

static void on_answer(struct resolver *r, struct query *q)
{
	unsigned char packet[DNS_MESSAGE_MAX + 1];
	struct dns_answer a;
	ssize_t n = recv(q->fd, packet, sizeof(packet), MSG_DONTWAIT);

	/* An ICMP error is an error here.  Without another one to ask the time
	 * is waited for all the same. */
	if (n < 0 && errno != EAGAIN &&
	    query_open(r->names, q, q->upstream + 1))
		query_send(r->names, q);
	if (n < 0 || dns_get_answer(packet, (size_t)n, &q->q, q->id, &a) < 0)
		return;
	if (a.ttl > TTL_MAX)
		a.ttl = TTL_MAX;
	if (a.n && !is_granted(r, q, &a))
		a = (struct dns_answer){.code = DNS_FAILED};
	query_end(q, &a);
}

/* Asks again, gives up; how long until the next of these. */
static int on_time(struct resolver *r)
{
	const struct dns_answer failed = {.code = DNS_FAILED};
	int64_t next = INT64_MAX, now = now_ms();

	for (size_t i = 0; i < QUERIES; i++) {
		struct query *q = &r->queries[i];
		int64_t at;

		if (q->fd < 0)
			continue;
		if (now - q->began >= GIVE_UP_MS) {
			query_end(q, &failed);
			continue;
		}
		if (!q->asked_again && now - q->began >= AGAIN_MS) {
			q->asked_again = true;
			query_send(r->names, q);
		}
		at = q->began + (q->asked_again ? GIVE_UP_MS : AGAIN_MS);
		if (at < next)
			next = at;
	}
	return next == INT64_MAX ? -1 : (int)(next - now);
}

static _Noreturn void serve(struct resolver *r)
{
	struct pollfd p[1 + LISTENERS + QUERIES];

	p[0] = (struct pollfd){.fd = r->boss, .events = POLLIN};
	for (;;) {
		int wait = on_time(r);

		for (size_t i = 0; i < LISTENERS; i++)
			p[1 + i] = (struct pollfd){.fd = r->listeners[i],
						   .events = POLLIN};
		for (size_t i = 0; i < QUERIES; i++)
			p[1 + LISTENERS + i] = (struct pollfd){
				.fd = r->queries[i].fd, .events = POLLIN};
		if (poll(p, sizeof(p) / sizeof(*p), wait) < 0)
			continue;
		if (p[0].revents)
			_exit(0); /* PID 1 wants another one */
		for (size_t i = 0; i < QUERIES; i++)
			if (p[1 + LISTENERS + i].revents)
				on_answer(r, &r->queries[i]);
		for (size_t i = 0; i < LISTENERS; i++)
			if (p[1 + i].revents)
				on_client(r, r->listeners[i]);
	}
}

/* Clients' side only: what comes by the other card is not heard. */
static int listen_at(int family, const char *card, struct err *e)
{
	const struct sockaddr_in a4 = {.sin_family = AF_INET,
				       .sin_port = htons(DNS_PORT)};
	const struct sockaddr_in6 a6 = {.sin6_family = AF_INET6,
					.sin6_port = htons(DNS_PORT)};
	const int one = 1;
	own_fd s = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r;

	if (s < 0 && family == AF_INET6 && errno == EAFNOSUPPORT)
		return -1; /* a kernel without it: nobody will ask */
	r = s < 0 ? -1
		  : setsockopt(s, SOL_SOCKET, SO_BINDTODEVICE, card,
			       (socklen_t)strlen(card));
	if (r == 0 && family == AF_INET6)
		r = setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (r == 0)
		r = family == AF_INET
			    ? bind(s, (const struct sockaddr *)&a4, sizeof(a4))
			    : bind(s, (const struct sockaddr *)&a6, sizeof(a6));
	return r < 0 ? err_set(e, errno, "listening for DNS") : steal_fd(&s);
}

/*
 * Keeps: its sockets, and the kernel's log to write to.  Gives up: everything
 * else that PID 1 is and has, and the ways to get any of it back.
 */
static void become_nobody(struct resolver *r)
{
	const struct rlimit none = {0, 0};
	int *keep[] = {&r->boss, &r->kmsg, &r->listeners[0], &r->listeners[1]};
	const int n = sizeof(keep) / sizeof(*keep);

	/* Above all that is there, then to the numbers from 3 on. */
	for (int i = 0; i < n; i++)
		if (*keep[i] >= 0)
			*keep[i] = fcntl(*keep[i], F_DUPFD, 256);
	for (int i = 0; i < n; i++)
		if (*keep[i] >= 0)
			*keep[i] = dup2(*keep[i], 3 + i);
	if (syscall(SYS_close_range, 3u + (unsigned)n, ~0u, 0) < 0 ||
	    prctl(PR_SET_NAME, "vmrun-resolver") < 0)
		_exit(1);
	for (int cap = 0; cap < 64; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			break;
	if (setrlimit(RLIMIT_NPROC, &none) < 0 || setgroups(0, NULL) < 0 ||
	    setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
	    setresuid(NOBODY, NOBODY, NOBODY) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    restrict_resolver() < 0)
		_exit(1);
}

static int open_all(struct resolver *r, struct err *e)
{
	r->listeners[0] = listen_at(AF_INET, "inner", e);
	r->listeners[1] = listen_at(AF_INET6, "inner", e);
	r->kmsg = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	if (e->msg[0])
		return -1;
	return r->kmsg < 0 ? err_set(e, errno, "the kernel's log") : 0;
}

/* What follows runs as PID 1. */

int resolver_start(struct init *in, struct err *e)
{
	static struct resolver r;
	int two[2];
	pid_t pid;

	resolver_stop(in);
	if (!in->names.n)
		return 0;
	if (in->nft < 0)
		in->nft = nftset_open(e);
	if (in->nft < 0)
		return -1;
	r.names = &in->names;
	for (size_t i = 0; i < QUERIES; i++)
		r.queries[i].fd = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, two) < 0)
		return err_set(e, errno, "the resolver's socket");
	r.boss = two[1];
	pid = open_all(&r, e) < 0 ? -1 : fork();
	if (!pid) {
		become_nobody(&r);
		serve(&r);
	}
	own_close(&r.boss);
	own_close(&r.kmsg);
	own_close(&r.listeners[0]);
	own_close(&r.listeners[1]);
	in->resolver = two[0];
	in->resolver_pid = pid;
	if (pid > 0)
		return 0;
	resolver_stop(in);
	return e->msg[0] ? -1 : err_set(e, errno, "a process for DNS");
}

void resolver_stop(struct init *in)
{
	own_close(&in->resolver);
	/* Waited for: the next one wants its port. */
	if (in->resolver_pid > 0 && kill(in->resolver_pid, SIGKILL) == 0)
		waitpid(in->resolver_pid, NULL, 0);
	in->resolver_pid = 0;
}

static bool grant_all(struct init *in, const struct grant *g)
{
	struct nft_address a = {.seconds = g->seconds};
	char set[DNS_NAME_MAX + 4];

	if (g->name >= in->names.n || g->n > DNS_ADDRS_MAX ||
	    g->seconds > TTL_MAX + TTL_MORE ||
	    (g->type != DNS_A && g->type != DNS_AAAA))
		return false;
	a.size = dns_addr_size((uint16_t)g->type);
	snprintf(set, sizeof(set), "h%c_%s", g->type == DNS_A ? '4' : '6',
		 in->names.v[g->name]);
	for (uint32_t i = 0; i < g->n; i++) {
		memcpy(a.ip, g->ip[i], a.size);
		if (nftset_add(in->nft, set, &a) < 0) {
			say("set %s: %s", set, strerror(errno));
			return false;
		}
	}
	return true;
}

void resolver_read(struct init *in)
{
	struct err e = ERR_INIT;
	struct grant g;
	ssize_t n;
	char done;

	/* New rules have ended it, in the same turn of the loop. */
	if (in->resolver < 0)
		return;
	n = recv(in->resolver, &g, sizeof(g), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n == sizeof(g)) {
		done = grant_all(in, &g);
		/* It may have been taken over, and read nothing. */
		if (send(in->resolver, &done, 1, MSG_NOSIGNAL | MSG_DONTWAIT) ==
		    1)
			return;
	}
	err_set(&e, 0, "the firewall's resolver ended");
	resolver_stop(in);
	session_setup_failed(in, &e);
}

/* The directives */

/* The next other resolver. */
static bool take_upstream(struct names *x, const char *value)
{
	const size_t max = sizeof(x->upstreams) / sizeof(*x->upstreams);
	struct upstream u = {.family = strchr(value, ':') ? AF_INET6 : AF_INET};

	if (x->n_upstreams == max || inet_pton(u.family, value, u.ip) != 1)
		return false;
	x->upstreams[x->n_upstreams++] = u;
	return true;
}

static int take(struct names *x, char *word, char *value, struct err *e)
{
	if (!value)
		return err_set(e, 0, "\"%s\" without a value", word);
	if (!strcmp(word, "resolver") && take_upstream(x, value))
		return 0;
	if (strcmp(word, "name") != 0 || !dns_is_pattern(value) ||
	    strlen(value) > FIREWALL_NAME_MAX)
		return err_set(e, 0, "\"%s\" is not known here", word);
	if (x->n == FIREWALL_NAMES_MAX)
		return err_set(e, 0, "more than %u names", FIREWALL_NAMES_MAX);
	x->v[x->n++] = value;
	return 0;
}

void names_free(struct names *x)
{
	free(x->text);
	memset(x, 0, sizeof(*x));
}

int names_parse(struct names *x, const char *rules, struct err *e)
{
	static const char mark[] = "#@ ";
	char *rest, *line;

	memset(x, 0, sizeof(*x));
	x->text = strdup(rules);
	if (!x->text)
		return err_set(e, ENOMEM, "names");
	rest = x->text;
	while ((line = strsep(&rest, "\n")) &&
	       !strncmp(line, mark, strlen(mark))) {
		char *value = line + strlen(mark);
		char *word = strsep(&value, " ");

		if (take(x, word, value, e) < 0) {
			names_free(x);
			return -1;
		}
	}
	if (!x->n || x->n_upstreams)
		return 0;
	names_free(x);
	return err_set(e, 0, "names, and no resolver to ask");
}
