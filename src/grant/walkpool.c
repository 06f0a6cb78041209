/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Walking a tree with several threads.  See walk.h.
 *
 * One thread begins.  When it enters a directory and has looked at enough names
 * for it to pay, another one is started, or a sleeping one woken, and gets the
 * directory; then each does the same.  A thread that has nothing to do waits
 * for what is handed over; when all wait, the tree is done.
 */
#include "base/err.h"
#include "base/own.h"
#include "grant/walkint.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* A thread costs as much as looking at some hundred names. */
#define WORTH_A_THREAD 1024u

/* A directory that was visited, and what is below it to be walked. */
struct task {
	int fd;
	struct walk_item it;
	char *above; /* owned: its path */
	size_t depth;
};

struct worker {
	struct walk_pool *pool;
	pthread_t thread;
	struct walk w;
	struct walk_counts counts;
	struct err e;
};

struct walk_pool {
	const struct walk_ops *ops;
	pthread_mutex_t lock; /* of all below but the atomics */
	pthread_cond_t more;
	struct worker workers[WALK_THREADS_MAX];
	unsigned most, waiting;
	struct task tasks[WALK_THREADS_MAX];
	unsigned n_tasks;
	struct err first; /* of the first error */
	uint64_t faults;  /* counted ones, of which `first` is one */
	bool failed;
	atomic_bool over; /* an error: all end */
	atomic_uint started;
	atomic_int wanted; /* directories that somebody waits for */
};

unsigned walk_threads_wanted(void)
{
	cpu_set_t set;
	int n = 1;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		n = CPU_COUNT(&set);
	if (n < 1)
		return 1;
	return (unsigned)n > WALK_THREADS_MAX ? WALK_THREADS_MAX : (unsigned)n;
}

bool walk_pool_is_over(const struct walk *w)
{
	return w->pool &&
	       atomic_load_explicit(&w->pool->over, memory_order_relaxed);
}

bool walk_pool_wants(struct walk *w)
{
	struct walk_pool *p = w->pool;

	if (!p)
		return false;
	if (atomic_load_explicit(&p->wanted, memory_order_relaxed) > 0)
		return true;
	return w->since > WORTH_A_THREAD && atomic_load(&p->started) < p->most;
}

/* Directories that could be taken at once.  Under the lock. */
static void count_wanted(struct walk_pool *p)
{
	atomic_store_explicit(&p->wanted, (int)p->waiting - (int)p->n_tasks,
			      memory_order_relaxed);
}

/* 1 and a task; 0 when there is nothing any more.  Under the lock. */
static int take_task(struct walk_pool *p, struct task *t)
{
	p->waiting++;
	count_wanted(p);
	while (!p->n_tasks && !atomic_load(&p->over) && p->waiting < p->started)
		pthread_cond_wait(&p->more, &p->lock);
	if (!p->n_tasks || atomic_load(&p->over)) {
		/* The last one to wait: it is so for all. */
		pthread_cond_broadcast(&p->more);
		return 0;
	}
	p->waiting--;
	*t = p->tasks[--p->n_tasks];
	count_wanted(p);
	return 1;
}

static void note_error(struct walk_pool *p, const struct err *e)
{
	pthread_mutex_lock(&p->lock);
	if (!p->failed) {
		p->failed = true;
		p->first = *e;
	}
	atomic_store(&p->over, true);
	pthread_cond_broadcast(&p->more);
	pthread_mutex_unlock(&p->lock);
}

static void run_task(struct worker *me, struct task *t)
{
	own_fd root = t->fd;
	int fd = fcntl(root, F_DUPFD_CLOEXEC, 0);

	me->w.root = root;
	me->w.above = t->above;
	me->w.above_depth = t->depth;
	t->it.name = "";
	if (fd < 0) {
		err_set(&me->e, errno, "opening a directory");
		note_error(me->pool, &me->e);
	} else if (walk_run(&me->w, fd, &t->it, &me->e) < 0) {
		note_error(me->pool, &me->e);
	}
	free(t->above);
}

static void *work(void *arg)
{
	struct worker *me = arg;
	struct walk_pool *p = me->pool;
	struct task t;
	int r;

	me->w.can_peek = unshare(CLONE_FS) == 0;
	for (;;) {
		pthread_mutex_lock(&p->lock);
		r = take_task(p, &t);
		pthread_mutex_unlock(&p->lock);
		if (!r)
			return NULL;
		run_task(me, &t);
	}
}

/* One more thread, if there may be.  Under the lock. */
static int start_worker(struct walk_pool *p)
{
	struct worker *me = &p->workers[p->started];
	sigset_t all, was;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &was);
	r = pthread_create(&me->thread, NULL, work, me);
	pthread_sigmask(SIG_SETMASK, &was, NULL);
	if (r)
		return r;
	atomic_fetch_add(&p->started, 1);
	return 0;
}

static char *path_of(const struct walk *w)
{
	size_t n = strlen(w->above) + 2;
	char *path;

	for (size_t i = 1; i <= w->depth; i++)
		n += 1 + strlen(i < w->depth ? w->frames[i].name : w->leaf);
	path = malloc(n);
	if (path && walk_raw_path(w, path, n) < 0) {
		free(path);
		path = NULL;
	}
	return path;
}

int walk_pool_give(struct walk *w, int fd, const struct walk_item *it)
{
	struct walk_pool *p = w->pool;
	struct task t = {.fd = fd, .it = *it};
	int given = 0;

	t.above = path_of(w);
	t.depth = w->above_depth + w->depth;
	if (!t.above)
		return 0;
	pthread_mutex_lock(&p->lock);
	if (p->waiting <= p->n_tasks && p->started < p->most &&
	    start_worker(p) != 0)
		p->most = p->started; /* no more than we have */
	/* A new thread comes for it as soon as it runs. */
	if (p->n_tasks < p->most && !atomic_load(&p->over)) {
		p->tasks[p->n_tasks++] = t;
		count_wanted(p);
		pthread_cond_signal(&p->more);
		given = 1;
	}
	pthread_mutex_unlock(&p->lock);
	if (!given)
		free(t.above);
	return given;
}

static void add_counts(struct walk_counts *c, const struct walk_counts *a)
{
	c->mounts += a->mounts;
	c->special += a->special;
	c->refused += a->refused;
	c->failed += a->failed;
	c->disturbed = c->disturbed || a->disturbed;
	walk_keep_youngest(&c->changed, &a->changed);
}

static void set_up(struct walk_pool *p, int root, void *const *args, unsigned n)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	if (p->ops->begun)
		now = *p->ops->begun;
	p->most = n > WALK_THREADS_MAX ? WALK_THREADS_MAX : n;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->more, NULL);
	for (unsigned i = 0; i < p->most; i++) {
		struct worker *me = &p->workers[i];

		me->pool = p;
		me->w = (struct walk){.ops = p->ops,
				      .arg = args[i],
				      .counts = &me->counts,
				      .pool = p,
				      .begun = now,
				      .open_max = WALK_OPEN / p->most,
				      .root = root,
				      .above = ""};
	}
}

/* Joins all, and tells the first error. */
static int tear_down(struct walk_pool *p, struct walk_counts *c, struct err *e)
{
	for (unsigned i = 0; i < p->started; i++) {
		pthread_join(p->workers[i].thread, NULL);
		if (p->workers[i].counts.failed && !c->failed && !p->failed)
			*e = p->workers[i].e;
		add_counts(c, &p->workers[i].counts);
	}
	while (p->n_tasks) {
		struct task *t = &p->tasks[--p->n_tasks];

		own_close(&t->fd);
		free(t->above);
	}
	pthread_cond_destroy(&p->more);
	pthread_mutex_destroy(&p->lock);
	if (!p->failed)
		return 0;
	*e = p->first;
	return -1;
}

int walk_threads(int root, const struct walk_ops *ops, void *const *args,
		 unsigned n, struct walk_counts *c, struct err *e)
{
	own_free struct walk_pool *p = calloc(1, sizeof(*p));
	struct walk_counts own = {0};
	struct task t = {.fd = -1};
	struct walk *w;
	int r;

	if (!p)
		return err_set(e, ENOMEM, "walking a tree");
	p->ops = ops;
	set_up(p, root, args, n);
	w = &p->workers[0].w;
	r = walk_visit_root(w, &t.it, &t.fd, &p->workers[0].e);
	if (r < 0) {
		p->failed = true;
		p->first = p->workers[0].e;
	} else if (r > 0) {
		for (unsigned i = 1; i < p->most; i++)
			p->workers[i].w.mnt = w->mnt;
		t.above = strdup("");
		pthread_mutex_lock(&p->lock);
		p->tasks[p->n_tasks++] = t;
		r = t.above ? start_worker(p) : ENOMEM;
		pthread_mutex_unlock(&p->lock);
		if (r) {
			p->failed = true;
			err_set(&p->first, r, "starting a thread");
		}
	} else {
		add_counts(c ? c : &own, &p->workers[0].counts);
	}
	return tear_down(p, c ? c : &own, e);
}
