/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A database that is lost, damaged or old.  The person's own authority. */
#include "host/rebuild.h"

#include "base/err.h"
#include "base/io.h"
#include "base/log.h"
#include "base/own.h"
#include "host/home.h"
#include "host/probe/probe.h"
#include "host/run.h"
#include "host/sweep.h"
#include "host/text.h"

#include <fcntl.h>
#include <string.h>

static int set_aside(const struct facts *f, struct err *e)
{
	own_fd dir = open(f->state_home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err why = *e;
	char name[64];

	if (dir < 0)
		return err_set(e, errno, "%s", f->state_home);
	if (state_set_aside(dir, name, sizeof(name), e) < 0)
		return -1;
	log_warn("%s", why.msg);
	log_warn("it is kept as %s; aliases and grants in it are forgotten",
		 name);
	return 0;
}

/* Where the lists of used UIDs meet, whatever XDG_STATE_HOME is. */
static int share_ids(const struct facts *f, struct rebuilt *r, struct err *e)
{
	own_free char *usual = path_join(f->home, "/.local/state/vmrun", e);

	if (!usual)
		return -1;
	if (!strcmp(usual, f->state_home))
		return 0;
	/* A home that cannot be written to has no other database either. */
	if (io_make_dirs(usual, e) < 0) {
		*e = (struct err)ERR_INIT;
		return 0;
	}
	r->ids = open(usual, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->ids < 0)
		return err_set(e, errno, "%s", usual);
	state_share_ids(r->state, r->ids);
	return 0;
}

struct look {
	struct state *state;
	const struct state_range *range;
	struct err *e;
	bool failed;
};

static void on_process(void *arg, uid_t uid)
{
	const struct state_range *r;
	struct look *l = arg;

	r = l->range;
	if (uid < r->uid_first || uid - r->uid_first >= r->count || l->failed)
		return;
	l->failed =
		state_found(l->state, uid, r->gid_first + (uid - r->uid_first),
			    "a process", l->e) < 0;
}

static int note_all(struct look *l, const struct sweep *s, struct err *e)
{
	const struct state_range *r = l->range;
	unsigned found = 0;

	for (uint32_t n = 0; n < r->count; n++) {
		if (!s->trace[n].example)
			continue;
		found++;
		if (state_found(l->state, r->uid_first + n, r->gid_first + n,
				s->trace[n].example, e) < 0)
			return -1;
	}
	if (found)
		log_info("%u UIDs of your subordinate range have files or ACL "
			 "entries in your home directory",
			 found);
	return 0;
}

static int look_through(const struct facts *f, struct look *l, struct err *e)
{
	own_free char *home = realpath(f->home, NULL);
	struct sweep s;
	int r;

	if (!home)
		return err_set(e, errno, "%s", f->home);
	if (sweep_init(&s, l->range, e) < 0)
		return -1;
	r = sweep_look(&s, home, e);
	if (r >= 0)
		r = note_all(l, &s, e);
	sweep_free(&s);
	if (r == 0 && probe_uids(on_process, l, e) < 0)
		return -1;
	return r < 0 || l->failed ? -1 : 0;
}

static void tell(const struct facts *f, enum state_doubt d)
{
	char shown[TEXT_SHOWN];

	text_show(shown, sizeof(shown), f->state_home);
	switch (d) {
	case STATE_SURE:
		return;
	case STATE_NEW:
		log_info("first start: looking through the home directory for "
			 "UIDs that are in use");
		return;
	case STATE_LOST:
		log_warn("the state database in %s was lost; looking through "
			 "the home directory for what earlier VMs left",
			 shown);
		log_warn("hint: `vmrunctl reclaim --all DIR` takes back what "
			 "they have in DIR");
		return;
	case STATE_OLD:
		log_warn("the state database in %s is an old copy; looking "
			 "through the home directory for what it does not know",
			 shown);
		return;
	}
}

static int settle(const struct facts *f, const struct state_range *range,
		  struct rebuilt *r, struct err *e)
{
	struct look l = {.state = r->state, .range = range, .e = e};
	enum state_doubt d;

	if (share_ids(f, r, e) < 0 || state_doubts(r->state, &d, e) < 0)
		return -1;
	if (d == STATE_SURE)
		return 0;
	if (!range->count)
		return err_set(e, 0,
			       "which UIDs are in use cannot be told without a "
			       "subordinate range");
	tell(f, d);
	if (look_through(f, &l, e) < 0) {
		err_wrap(e, "cannot find out which UIDs are in use");
		return -1;
	}
	return state_scanned_all(r->state, e);
}

/* What a rename of an alias left.  Who needs the home asks again. */
static void settle_homes(const struct facts *f, const struct rebuilt *r)
{
	const struct homes h = {r->state, r->dir, f};
	struct err e = ERR_INIT;

	if (home_settle(&h, &e) < 0)
		log_err(LOG_LEVEL_WARN, &e);
}

int rebuild_open(const struct facts *f, const struct state_range *range,
		 struct rebuilt *r, struct err *e)
{
	int got;

	*r = (struct rebuilt){.dir = -1, .ids = -1};
	got = run_open_state(f, &r->state, &r->dir, e);
	if (got < 0 && e->code == EUCLEAN && set_aside(f, e) == 0) {
		*e = (struct err)ERR_INIT;
		got = run_open_state(f, &r->state, &r->dir, e);
	}
	if (got == 0)
		got = settle(f, range, r, e);
	if (got < 0)
		rebuild_close(r);
	else
		settle_homes(f, r);
	return got;
}

int rebuild_look(const struct facts *f, struct rebuilt *r, struct err *e)
{
	*r = (struct rebuilt){.dir = -1, .ids = -1};
	return run_open_state(f, &r->state, &r->dir, e);
}

void rebuild_close(struct rebuilt *r)
{
	state_close(r->state);
	own_close(&r->dir);
	own_close(&r->ids);
	r->state = NULL;
}
