/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a survey finds for the walk that edits.  See tally.h. */
#include "grant/tally.h"

#include "grant/walk.h"

#include <sys/sysmacros.h>

static uint32_t dev_of(const struct stat *st)
{
	return major(st->st_dev) << 20 | minor(st->st_dev);
}

void tally_init(struct tally *t)
{
	pthread_mutex_init(&t->lock, NULL);
}

void tally_reset(struct tally *t)
{
	inoset_free(&t->todo);
	inoset_free(&t->links);
	t->whole = t->whole_names = t->names = 0;
	t->n_examples = 0;
}

void tally_free(struct tally *t)
{
	tally_reset(t);
	pthread_mutex_destroy(&t->lock);
}

void tally_todo(struct tally *t, const struct walk_item *it)
{
	pthread_mutex_lock(&t->lock);
	if (!t->todo.full)
		inoset_add(&t->todo, 0, it->listed);
	pthread_mutex_unlock(&t->lock);
}

void tally_link(struct tally *t, const struct walk *w,
		const struct walk_item *it)
{
	uint32_t met;

	pthread_mutex_lock(&t->lock);
	t->names++;
	met = inoset_add(&t->links, dev_of(&it->st), it->st.st_ino);
	if (met == 1 && t->n_examples < TALLY_EXAMPLES) {
		struct tally_example *x = &t->examples[t->n_examples++];

		x->st = it->st;
		walk_path(w, x->path, sizeof(x->path));
	}
	if (met && met == it->st.st_nlink) {
		t->whole++;
		t->whole_names += met;
	}
	pthread_mutex_unlock(&t->lock);
}

bool tally_has_todo(const struct tally *t, uint64_t listed)
{
	return inoset_find(&t->todo, 0, listed) != NULL;
}

bool tally_is_short(const struct tally *t)
{
	return t->todo.full;
}

bool tally_is_whole(const struct tally *t, const struct stat *st)
{
	const struct inoset_slot *s =
		inoset_find(&t->links, dev_of(st), st->st_ino);

	return s && s->count == st->st_nlink;
}

const char *tally_example(const struct tally *t)
{
	for (size_t i = 0; i < t->n_examples; i++)
		if (!tally_is_whole(t, &t->examples[i].st))
			return t->examples[i].path;
	return "";
}
