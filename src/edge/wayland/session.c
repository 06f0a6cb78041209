/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sockets of clients.  Runs in vmrun-wayland as U, sealed. */
#include "session.h"

#include "base/err.h"
#include "base/io.h"
#include "base/own.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum side { GUEST, HOST };

int sessions_init(struct sessions *a, int listen, struct vmrun *v,
		  struct filter *f, struct err *e)
{
	memset(a, 0, sizeof(*a));
	a->listen = listen;
	a->vmrun = v;
	a->filter = f;
	a->epoll = epoll_create1(EPOLL_CLOEXEC);
	a->read = malloc(LINK_READ);
	if (a->epoll < 0 || !a->read || io_nonblock(listen, 1) < 0)
		return err_set(e, errno, "the loop");
	return 0;
}

void sessions_free(struct sessions *a)
{
	filter_free(a->filter);
	free(a->read);
	close(a->epoll);
}

static void note(struct sessions *a, enum log_level level, const char *text)
{
	a->filter->log(a->filter->ctx, level, text);
}

/* A client that there is no place for. */
static void turn_away(int fd)
{
	static const char why[] = "too many clients";
	unsigned char room[64];
	struct wire_build b;

	wire_begin(&b, room, sizeof(room), 1, EV_WL_DISPLAY_ERROR);
	wire_put(&b, 1);
	wire_put(&b, BAD_MEMORY);
	wire_put_text(&b, why, sizeof(why) - 1);
	(void)send(fd, room, wire_end(&b), MSG_DONTWAIT | MSG_NOSIGNAL);
}

void sessions_accept(struct sessions *a)
{
	/* cppcheck-suppress nullPointer; accept(2) takes it */
	own_fd fd = accept4(a->listen, NULL, NULL, SOCK_CLOEXEC);
	struct wayland_record r = {.kind = WAYLAND_EV_CONNECT};
	struct client *c;
	size_t i = 0;

	if (fd < 0) {
		/* Without descriptors: again when a client has gone. */
		if (errno == EMFILE || errno == ENFILE) {
			a->full = true;
			note(a, LOG_LEVEL_WARN, "too many files are open");
		}
		return;
	}
	c = client_new(a->filter, a->last + 1);
	if (!c) {
		turn_away(fd);
		note(a, LOG_LEVEL_WARN, "a client too many was turned away");
		return;
	}
	while (a->s[i].client)
		i++;
	a->s[i] = (struct session){.client = c};
	c->guest.fd = steal_fd(&fd);
	r.client = ++a->last;
	vmrun_send(a->vmrun, &r);
}

static struct session *find(struct sessions *a, uint32_t number)
{
	for (size_t i = 0; i < WAYLAND_CLIENTS_MAX; i++)
		if (a->s[i].client && a->s[i].client->number == number)
			return &a->s[i];
	return NULL;
}

static void stats(struct sessions *a)
{
	struct wayland_record r = {.kind = WAYLAND_EV_GLOBAL};
	struct filter *f = a->filter;

	for (size_t i = 0; i < f->n_seen; i++) {
		memcpy(r.text, f->seen[i].interface,
		       sizeof(f->seen[i].interface));
		r.value = f->seen[i].offered;
		r.theirs = f->seen[i].theirs;
		vmrun_send(a->vmrun, &r);
	}
	r = (struct wayland_record){
		.kind = WAYLAND_EV_STATS,
		.counts = f->counts,
	};
	vmrun_send(a->vmrun, &r);
}

void sessions_command(struct sessions *a, const struct wayland_record *r,
		      int fd)
{
	own_fd given = fd;
	struct session *s;

	switch ((enum wayland_kind)r->kind) {
	case WAYLAND_CMD_COMPOSITOR:
		s = find(a, r->client);
		/* The client may have gone in the meantime. */
		if (!s || s->joined)
			return;
		if (given < 0) {
			note(a, LOG_LEVEL_WARN, "too many files are open");
			client_error(s->client, BAD_IMPLEMENTATION,
				     "too many files are open");
			return;
		}
		s->client->host.fd = steal_fd(&given);
		s->joined = true;
		break;
	case WAYLAND_CMD_REFUSE:
		s = find(a, r->client);
		if (s && !s->joined)
			client_error(s->client, BAD_IMPLEMENTATION,
				     "the compositor cannot be reached");
		break;
	case WAYLAND_CMD_STATS:
		stats(a);
		break;
	case WAYLAND_EV_READY:
	case WAYLAND_EV_CONNECT:
	case WAYLAND_EV_LOG:
	case WAYLAND_EV_GLOBAL:
	case WAYLAND_EV_STATS:
		break;
	}
}

/* Lets the filter see n bytes of a->read. */
static void give(struct sessions *a, struct client *c, enum side side, size_t n)
{
	struct link *l = side == GUEST ? &c->guest : &c->host;
	ssize_t used;

	used = side == GUEST ? client_from_guest(c, a->read, n)
			     : client_from_host(c, a->read, n);
	if (used >= 0 && link_keep(l, a->read + used, n - (size_t)used) < 0)
		client_bad(c, BAD_MEMORY, "no memory");
}

/* Reads one side once, and lets the filter see it. */
static void take(struct sessions *a, struct client *c, enum side side)
{
	ssize_t n = link_read(side == GUEST ? &c->guest : &c->host, a->read);

	if (n < 0)
		client_bad(c, BAD_METHOD, "too many descriptors");
	else if (n)
		give(a, c, side, (size_t)n);
}

/* Has what it was not done with, and there is room for it. */
static bool has_later(const struct client *c)
{
	return c->later && !c->over && !c->host.ended && !c->host.deaf &&
	       !link_is_full(&c->host, CLIENT_TO_HOST_HIGH);
}

void sessions_later(struct sessions *a)
{
	for (size_t i = 0; i < WAYLAND_CLIENTS_MAX; i++) {
		struct client *c = a->s[i].client;

		if (c && has_later(c))
			give(a, c, GUEST, link_again(&c->guest, a->read));
	}
}

void sessions_turn(struct sessions *a, uint64_t key, uint32_t events)
{
	struct session *s = &a->s[(key - KEY_SESSIONS) / 2];
	enum side side = (key - KEY_SESSIONS) % 2 ? HOST : GUEST;

	if (!s->client || s->client->over)
		return;
	/* What may be written now is written in sessions_settle(). */
	if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		(side == GUEST ? &s->client->guest : &s->client->host)
			->blocked = false;
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR) &&
	    s->watched[side] & EPOLLIN)
		take(a, s->client, side);
}

/* What epoll should say of a descriptor; 0: nothing. */
static void watch(struct sessions *a, struct session *s, enum side side,
		  uint32_t events)
{
	struct client *c = s->client;
	struct epoll_event ev = {
		.events = events,
		.data.u64 = KEY_SESSIONS + (uint64_t)(s - a->s) * 2 + side,
	};
	int fd = side == GUEST ? c->guest.fd : c->host.fd;
	int op = EPOLL_CTL_MOD;

	if (fd < 0 || s->watched[side] == events)
		return;
	/* An end is always told: who cannot act on it must not hear of it. */
	if (!events)
		op = EPOLL_CTL_DEL;
	else if (!s->watched[side])
		op = EPOLL_CTL_ADD;
	if (epoll_ctl(a->epoll, op, fd, &ev) < 0) {
		c->over = true;
		return;
	}
	s->watched[side] = events;
}

static uint32_t wish(const struct session *s, const struct link *from,
		     const struct link *to, size_t high)
{
	uint32_t events = from->blocked ? EPOLLOUT : 0;

	if (s->joined && !from->ended && !to->ended && !to->deaf &&
	    !(from == &s->client->guest && s->client->later) &&
	    !link_is_full(to, high))
		events |= EPOLLIN;
	return events;
}

/* Nothing more can come, and what came is written. */
static bool is_over(const struct client *c)
{
	if (c->over)
		return true;
	if (c->guest.ended)
		return c->host.ended || !link_waiting(&c->host);
	return c->host.ended && !link_waiting(&c->guest);
}

/* Blocked: the socket takes nothing before epoll says so. */
static void flush(struct link *l)
{
	if (link_waiting(l) && !l->blocked)
		link_flush(l);
}

/*
 * The compositor reads no more: most likely it has said why, and closed.  That
 * is for the client, as far as it reads it.
 */
static void last_words(struct sessions *a, struct client *c)
{
	while (!c->over && !c->host.ended && !c->guest.ended &&
	       !c->guest.blocked) {
		take(a, c, HOST);
		flush(&c->guest);
		if (c->guest.deaf)
			c->guest.ended = true;
	}
}

/* True: it has ended, and others may have something to hear of that. */
static bool settle(struct sessions *a, struct session *s)
{
	struct client *c = s->client;

	flush(&c->guest);
	selection_late(c);
	flush(&c->guest);
	/* Whoever has gone has nothing more to say. */
	if (c->guest.deaf)
		c->guest.ended = true;
	flush(&c->host);
	if (c->host.deaf)
		last_words(a, c);
	if (!is_over(c)) {
		watch(a, s, GUEST,
		      wish(s, &c->guest, &c->host, CLIENT_TO_HOST_HIGH));
		watch(a, s, HOST,
		      wish(s, &c->host, &c->guest, CLIENT_TO_GUEST_HIGH));
	}
	if (!is_over(c))
		return false;
	link_drain(&c->guest);
	client_free(c);
	s->client = NULL;
	a->full = false;
	return true;
}

/* All of them; true: again. */
static bool settle_all(struct sessions *a)
{
	bool ended = false;

	a->n_later = 0;
	for (size_t i = 0; i < WAYLAND_CLIENTS_MAX; i++) {
		if (a->s[i].client && settle(a, &a->s[i]))
			ended = true;
		if (a->s[i].client && has_later(a->s[i].client))
			a->n_later++;
	}
	return ended;
}

void sessions_settle(struct sessions *a)
{
	struct epoll_event ev = {
		.events = EPOLLIN,
		.data.u64 = KEY_LISTEN,
	};
	bool listening;

	while (settle_all(a))
		;
	/* Of many that want all of it, each gets less. */
	a->filter->turn = FILTER_TURN / (a->n_later ? a->n_later : 1);
	listening = vmrun_has_room(a->vmrun) && !a->full;
	if (listening != a->listening &&
	    epoll_ctl(a->epoll, listening ? EPOLL_CTL_ADD : EPOLL_CTL_DEL,
		      a->listen, &ev) == 0)
		a->listening = listening;
}
