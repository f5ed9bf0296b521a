/* SPDX-License-Identifier: MIT */
#include "control/diff.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct snapshot_value *any(const struct diff_row *row)
{
	return row->after ? row->after : row->before;
}

static bool has_value(const struct snapshot_value *v)
{
	return v && v->value != QMEM_NA;
}

static void judge(struct diff_row *row)
{
	const struct snapshot_value *before = row->before, *after = row->after;
	bool counter = any(row)->family->kind == QMEM_COUNTER;

	row->change = QMEM_NA;
	if (!has_value(before) && !has_value(after)) {
		row->state = DIFF_SAME;
	} else if (!has_value(before)) {
		row->state = DIFF_NEW;
		if (!counter)
			row->change = after->value;
	} else if (!has_value(after)) {
		row->state = DIFF_GONE;
		if (!counter && __builtin_sub_overflow(0, before->value, &row->change))
			row->change = QMEM_NA;
	} else {
		row->state = after->value == before->value ? DIFF_SAME : DIFF_CHANGED;
		row->elapsed = after->when - before->when;
		if (counter && after->value < before->value)
			row->state = DIFF_RESET;
		else if (__builtin_sub_overflow(after->value, before->value, &row->change))
			row->change = QMEM_NA;
	}
}

/* In the family's unit; what is not known is less than all else. */
static double size_of(const struct diff_row *row)
{
	double change = (double)row->change / (double)any(row)->family->divisor;

	if (row->change == QMEM_NA)
		return -1;
	return change < 0 ? -change : change;
}

static int compare(const void *a, const void *b)
{
	const struct diff_row *x = a, *y = b;
	const struct qmem_family *f = any(x)->family, *g = any(y)->family;
	double of_x = size_of(x), of_y = size_of(y);
	int order = (x->state == DIFF_SAME) - (y->state == DIFF_SAME);

	if (!order)
		order = (f->kind == QMEM_COUNTER) - (g->kind == QMEM_COUNTER);
	if (!order)
		order = strcmp(f->unit, g->unit);
	if (!order)
		order = (of_x < of_y) - (of_x > of_y);
	return order ? order : strcmp(any(x)->name, any(y)->name);
}

int diff_make(struct diff *diff, const struct snapshot *before, const struct snapshot *after)
{
	size_t i = 0, k = 0;

	*diff = (struct diff){ .rows = calloc(before->n + after->n + 1, sizeof(*diff->rows)) };
	if (!diff->rows)
		return -ENOMEM;
	while (i < before->n || k < after->n) {
		struct diff_row *row = &diff->rows[diff->n++];
		int order = i == before->n ? 1 :
			    k == after->n  ? -1 :
					     strcmp(before->values[i].name, after->values[k].name);

		if (order <= 0)
			row->before = &before->values[i++];
		if (order >= 0)
			row->after = &after->values[k++];
		judge(row);
		diff->same += row->state == DIFF_SAME;
	}
	qsort(diff->rows, diff->n, sizeof(*diff->rows), compare);
	return 0;
}

void diff_release(struct diff *diff)
{
	free(diff->rows);
	*diff = (struct diff){ 0 };
}

/* ---- */

static const struct table_column columns[] = {
	{ "Name", TABLE_NAME },     { "Before", TABLE_VALUE }, { "After", TABLE_VALUE },
	{ "Change", TABLE_CHANGE }, { "Rate", TABLE_RATE },    { "State", TABLE_WORDS },
};

static const char *const states[] = {
	[DIFF_SAME] = "same", [DIFF_CHANGED] = "", [DIFF_NEW] = "new", [DIFF_GONE] = "gone", [DIFF_RESET] = "set back",
};

static void put_row(struct table *table, const struct diff_row *row)
{
	const struct qmem_family *family = any(row)->family;
	bool counts = family->kind == QMEM_COUNTER && row->elapsed;
	struct table_quantity quantity = { .divisor = family->divisor, .unit = family->unit };

	table_put_text(table, any(row)->name);
	quantity.value = row->before ? row->before->value : QMEM_NA;
	table_put(table, &quantity);
	quantity.value = row->after ? row->after->value : QMEM_NA;
	table_put(table, &quantity);
	quantity.value = row->change;
	table_put(table, &quantity);
	quantity.value = row->change;
	quantity.per = row->elapsed;
	if (counts)
		table_put(table, &quantity);
	else
		table_put_nothing(table);
	table_put_text(table, states[row->state]);
}

void diff_table(const struct diff *diff, struct table *ret)
{
	*ret = TABLE(columns);
	for (size_t i = 0; i < diff->n; i++)
		if (diff->rows[i].state != DIFF_SAME)
			put_row(ret, &diff->rows[i]);
}
