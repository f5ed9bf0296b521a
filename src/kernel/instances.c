/* SPDX-License-Identifier: MIT */
#include "kernel/instances.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* without memory for the table a new name is an error */
#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(entry) ((entry)->lost = true)
#include <uthash.h>

#include "util/escape.h"
#include "util/room.h"
#include "util/value.h"

#define MARGIN 25                  /* percent more to take another's place */
#define FORGET_AFTER 60            /* rounds without being seen */
#define SMOOTH 4                   /* rounds over which a rate is averaged */
#define QUARTER (INT64_C(1) << 30) /* of 32 bits */

/* Its place in the hash, in one piece of memory with its columns and its name. */
struct instance_entry {
	UT_hash_handle hh;
	bool lost;
	size_t name_len;
	struct instance instance;
	int64_t columns[];
};

static bool is_gauge(const struct instances *s, size_t column)
{
	return s->kind->gauges >> column & 1;
}

/* ---- names ---- */

static bool is_named(const struct instance *i, const char *name, size_t len)
{
	return i->entry->name_len == len && memcmp(i->name, name, len) == 0;
}

static struct instance_entry *make_entry(const struct instances *s, const char *name, size_t len)
{
	size_t n = s->kind->columns;
	struct instance_entry *entry = calloc(1, sizeof(*entry) + 4 * n * sizeof(int64_t) + len + 1);
	struct instance *i;

	if (!entry)
		return NULL;
	entry->name_len = len;
	i = &entry->instance;
	i->entry = entry;
	i->now = entry->columns;
	i->last = i->now + n;
	i->grown = i->last + n;
	i->total = i->grown + n;
	i->name = (char *)(i->total + n);
	memcpy(i->name, name, len);
	i->wanted = select_wants(&s->select, i->name);
	return entry;
}

static int add(struct instances *s, const char *name, size_t len, unsigned hash, struct instance **ret)
{
	struct instance_entry *entry;
	int err = room_make(&s->all, &s->all_room, s->n + 1, sizeof(*s->all));

	if (!err)
		err = room_make(&s->scores, &s->scores_room, s->n + 1, sizeof(*s->scores));
	if (!err)
		err = room_make(&s->mains, &s->mains_room, s->n + 1, sizeof(*s->mains));
	if (err)
		return err;
	entry = make_entry(s, name, len);
	if (!entry)
		return -ENOMEM;
	HASH_ADD_KEYPTR_BYHASHVALUE(hh, s->by_name, entry->instance.name, len, hash, entry);
	if (entry->lost) {
		free(entry);
		return -ENOMEM;
	}
	s->scores[s->n] = s->mains[s->n] = (struct top_item){ 0 };
	s->all[s->n++] = &entry->instance;
	*ret = &entry->instance;
	return 0;
}

/* Whose line is this? The file's order is stable: it is nearly always that of the round before. NULL: there is no room. */
static int locate(struct instances *s, const char *name, size_t len, struct instance **ret)
{
	/* there are not more names than that */
	size_t line = s->line < s->kind->most ? s->line++ : 0;
	struct instance_entry *entry;
	unsigned hash;
	int err = room_make(&s->order, &s->order_room, line + 1, sizeof(*s->order));

	if (err)
		return err;
	*ret = s->order[line];
	if (*ret && is_named(*ret, name, len))
		return 0;
	hash = (unsigned)sip(&s->key, name, len);
	HASH_FIND_BYHASHVALUE(hh, s->by_name, name, len, hash, entry);
	*ret = entry ? &entry->instance : NULL;
	if (!entry && s->n < s->kind->most)
		err = add(s, name, len, hash, ret);
	if (!err)
		s->order[line] = *ret;
	return err;
}

static void forget(struct instances *s)
{
	size_t kept = 0;

	for (size_t k = 0; k < s->n; k++) {
		struct instance_entry *entry = s->all[k]->entry;

		if (s->round - s->all[k]->round > FORGET_AFTER) {
			HASH_DELETE(hh, s->by_name, entry);
			free(entry);
			continue;
		}
		s->all[kept] = s->all[k];
		s->scores[kept] = s->scores[k];
		s->mains[kept] = s->mains[k];
		kept++;
	}
	if (kept == s->n)
		return;
	s->n = kept;
	memset(s->order, 0, s->order_room * sizeof(*s->order));
}

/* ---- columns ---- */

/* A counter of 32 bits goes round alone: where another one has fallen with it, or has more bits, the thing was made anew. */
static bool goes_round(const struct instances *s, const struct instance *i, const int64_t *from, size_t column)
{
	if (from[column] < 3 * QUARTER || from[column] >= 4 * QUARTER || i->now[column] >= QUARTER)
		return false;
	for (size_t c = 0; c < s->kind->columns; c++) {
		if (c == column || is_gauge(s, c) || i->now[c] == QMEM_NA)
			continue;
		if (i->now[c] < from[c] || i->now[c] >= 4 * QUARTER)
			return false;
	}
	return true;
}

bool instance_fell(const struct instances *s, const struct instance *i)
{
	for (size_t c = 0; c < s->kind->columns; c++)
		if (i->now[c] < i->last[c] && i->now[c] != QMEM_NA && !is_gauge(s, c) && !goes_round(s, i, i->last, c))
			return true;
	return false;
}

void instance_measure(const struct instances *s, struct instance *i, const int64_t *from)
{
	for (size_t c = 0; c < s->kind->columns; c++) {
		int64_t now = i->now[c], last = from[c];

		if (is_gauge(s, c) || now == QMEM_NA)
			i->grown[c] = now;
		else if (last == QMEM_NA)
			i->grown[c] = 0;
		else if (now >= last)
			i->grown[c] = now - last;
		else
			i->grown[c] = goes_round(s, i, from, c) ? now + 4 * QUARTER - last : 0;
	}
}

/* What one had before it was seen is not told from what it does now: it begins with that, and has not grown. */
static void start_over(const struct instances *s, struct instance *i)
{
	for (size_t c = 0; c < s->kind->columns; c++)
		i->grown[c] = is_gauge(s, c) || i->now[c] == QMEM_NA ? i->now[c] : 0;
}

static void sum_up(const struct instances *s, struct instance *i)
{
	for (size_t c = 0; c < s->kind->columns; c++) {
		if (is_gauge(s, c))
			i->total[c] = i->now[c];
		else
			value_add(&i->total[c], i->grown[c]);
	}
}

static void add_other(struct instances *s, const struct instance *i)
{
	s->others = true;
	for (size_t c = 0; c < s->kind->columns; c++)
		value_add(&s->other[c], i->grown[c]);
}

static int64_t score_of(const struct instances *s, const int64_t *columns, bool gauges)
{
	uint64_t which = s->kind->score & (gauges ? s->kind->gauges : ~s->kind->gauges);
	int64_t sum = 0;

	for (size_t c = 0; c < s->kind->columns; c++)
		if (which >> c & 1)
			value_add(&sum, columns[c]);
	return sum;
}

/* ---- rounds ---- */

void instances_begin(struct instances *s)
{
	s->round++;
	s->line = 0;
	s->left_out = 0;
}

static void saw(struct instances *s, struct instance *i, const int64_t *columns)
{
	size_t n = s->kind->columns;

	i->before = i->round && instance_gone(s, i);
	for (size_t c = 0; c < n; c++) {
		/* what could not be read goes on from the last that could */
		if (i->now[c] != QMEM_NA || !i->before)
			i->last[c] = i->now[c];
		i->now[c] = columns[c];
	}
	if (!i->round)
		memcpy(i->total, columns, n * sizeof(*columns));
	i->round = s->round;
}

int instances_put(struct instances *s, const char *name, size_t len, const int64_t *columns)
{
	struct instance *i;
	int err = locate(s, name, len, &i);

	if (err)
		return err;
	s->put = i;
	if (!i)
		s->left_out++;
	else if (!instance_there(s, i))
		saw(s, i, columns);
	return 0;
}

bool instances_measure(struct instances *s)
{
	bool disturbed = false;

	for (size_t k = 0; k < s->n; k++) {
		struct instance *i = s->all[k];

		if (!instance_there(s, i)) {
			disturbed |= instance_gone(s, i);
		} else if (i->before) {
			instance_measure(s, i, i->last);
			disturbed |= instance_fell(s, i);
		} else {
			start_over(s, i);
		}
	}
	return disturbed;
}

static int64_t judge(const struct instances *s, struct instance *i, uint64_t elapsed)
{
	int64_t sum;

	if (elapsed)
		i->rate += (value_rate(score_of(s, i->grown, false), elapsed) - i->rate) / SMOOTH;
	if (strcmp(i->name, INSTANCES_OTHER) == 0)
		return -1;
	/* at first nothing has grown yet: it is chosen by what there was before */
	sum = s->round == 1 ? score_of(s, i->now, false) : i->rate;
	value_add(&sum, score_of(s, i->now, true));
	return sum;
}

bool instances_shown(const struct instances *s, size_t k)
{
	return s->scores[k].in || s->mains[k].in;
}

void instances_choose(struct instances *s, uint64_t now)
{
	for (size_t k = 0; k < s->n; k++) {
		struct instance *i = s->all[k];

		s->scores[k].score = s->mains[k].score = -1;
		/* what the kernel has taken away has no place: its name may never come again */
		if (!instance_there(s, i) || !i->wanted) {
			s->scores[k].in = s->mains[k].in = false;
			continue;
		}
		sum_up(s, i);
		s->scores[k].score = judge(s, i, now - s->when);
		if (i->main)
			s->mains[k].score = s->scores[k].score;
	}
	s->when = now;
	(void)top_update(&s->main_top, s->mains, s->n, now);
	s->top.max = s->main_top.max;
	for (size_t k = 0; k < s->n; k++) {
		if (!s->mains[k].in)
			continue;
		/* nobody has two places: one that is no main one any more has that one for a while */
		s->top.max--;
		s->scores[k].in = false;
		s->scores[k].score = -1;
	}
	(void)top_update(&s->top, s->scores, s->n, now);
	s->others = false;
	for (size_t c = 0; c < s->kind->columns; c++)
		if (is_gauge(s, c))
			s->other[c] = QMEM_NA;
	for (size_t k = 0; k < s->n; k++) {
		if (instance_there(s, s->all[k]) && s->all[k]->wanted && !instances_shown(s, k))
			add_other(s, s->all[k]);
	}
}

static bool has_value(const struct qmem_family *family, const int64_t *columns)
{
	for (const struct qmem_metric *m = family->metrics; m->id; m++)
		if (qmem_value(m, columns) != QMEM_NA)
			return true;
	return false;
}

static void emit(struct qmem *q, const struct instances *s, const struct qmem_family *families, size_t n,
		 const char *name, const struct qmem_label *labels, const int64_t *columns)
{
	const struct qmem_instance instance = { .name = name, .labels = labels };

	for (const struct qmem_family *f = families; f->id && n; f++, n--)
		if (f->label && (!s->kind->sparse || has_value(f, columns)))
			qmem_emit(q, f, &instance, columns);
}

static void tell_crowd(struct qmem *q, struct instances *s)
{
	if (s->left_out)
		qmem_complain(q, &s->crowded, "%zu %s are too many, %zu more are left out", s->kind->most,
			      s->kind->what, s->left_out);
	else
		qmem_release(q, &s->crowded, "there is room for all %s again", s->kind->what);
}

static void tell_unused(struct qmem *q, struct instances *s)
{
	char text[256];

	if (!s->began)
		s->began = s->when;
	if (s->told || s->when - s->began < SELECT_PATIENCE)
		return;
	s->told = true;
	for (size_t i = 0; i < s->select.n; i++) {
		const char *unused = select_unused(&s->select, i);

		if (!unused)
			continue;
		escape_name(text, sizeof(text), unused);
		qmem_log(q, QMEM_LOG_NOTICE, "'%s' has matched none of the %s for a minute", text, s->kind->what);
	}
}

void instances_emit_some(struct qmem *q, struct instances *s, const struct qmem_family *families, size_t n)
{
	int64_t shown[INSTANCES_COLUMNS];

	for (size_t k = 0; k < s->n; k++) {
		const struct instance *i = s->all[k];

		if (!instances_shown(s, k))
			continue;
		for (size_t c = 0; c < s->kind->columns; c++)
			shown[c] = i->now[c] == QMEM_NA ? QMEM_NA : i->total[c];
		emit(q, s, families, n, i->name, i->labels, shown);
	}
	if (s->others)
		emit(q, s, families, n, INSTANCES_OTHER, NULL, s->other);
	tell_crowd(q, s);
	tell_unused(q, s);
	forget(s);
}

void instances_emit(struct qmem *q, struct instances *s, const struct qmem_family *families)
{
	instances_emit_some(q, s, families, SIZE_MAX);
}

/* ---- life ---- */

int instances_init(struct instances *s, const struct instances_kind *kind, const struct qmem_list *rules, bool ignore,
		   int64_t max)
{
	static const struct qmem_list none = { 0 };
	int err;

	*s = (struct instances){ .kind = kind, .key = sip_key_new() };
	for (size_t c = 0; c < kind->columns; c++)
		s->other[c] = QMEM_NA;
	err = select_init(&s->select, rules ? rules : &none, ignore);
	if (!err)
		err = top_init(&s->main_top, (size_t)max, MARGIN);
	return err ? err : top_init(&s->top, (size_t)max, MARGIN);
}

void instances_release(struct instances *s)
{
	HASH_CLEAR(hh, s->by_name);
	for (size_t k = 0; k < s->n; k++)
		free(s->all[k]->entry);
	free(s->all);
	free(s->scores);
	free(s->mains);
	free(s->order);
	select_release(&s->select);
	top_release(&s->top);
	top_release(&s->main_top);
	*s = (struct instances){ 0 };
}
