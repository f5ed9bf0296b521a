/* SPDX-License-Identifier: MIT */
#include "service/pagecache_sum.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "service/pagecache_scan.h"
#include "util/room.h"
#include "util/value.h"

struct sum_file {
	const struct scan_list *list;
	const struct scan_file *file;
	size_t at; /* the how manieth it was */
};

static void columns_of(const struct scan_file *file, int64_t ret[FILE_COLUMNS])
{
	int64_t page = sysconf(_SC_PAGESIZE);

	ret[FILE_RESIDENT] = value_times(file->pages.resident, page);
	ret[FILE_DIRTY] = value_times(file->pages.dirty, page);
	ret[FILE_WRITEBACK] = value_times(file->pages.writeback, page);
	ret[FILE_EVICTED] = value_times(file->pages.evicted, page);
	ret[FILE_RECENTLY_EVICTED] = value_times(file->pages.recently_evicted, page);
	ret[FILE_SIZE] = file->size;
}

static void add_rest(struct file_sum *s, const struct scan_file *file)
{
	int64_t columns[FILE_COLUMNS];

	columns_of(file, columns);
	for (int c = 0; c < FILE_COLUMNS; c++)
		value_add(&s->rest[c], columns[c]);
	s->any_rest = true;
}

/* ---- the greatest ---- */

/* Of equals the first. */
static bool is_less(const struct sum_file *a, const struct sum_file *b)
{
	if (a->file->pages.resident != b->file->pages.resident)
		return a->file->pages.resident < b->file->pages.resident;
	return a->at > b->at;
}

static void rise(struct file_sum *s, size_t at)
{
	const struct sum_file file = s->greatest[at];

	for (; at && is_less(&file, &s->greatest[(at - 1) / 2]); at = (at - 1) / 2)
		s->greatest[at] = s->greatest[(at - 1) / 2];
	s->greatest[at] = file;
}

static void sink(struct file_sum *s)
{
	const struct sum_file file = s->greatest[0];
	size_t at = 0, child;

	for (; (child = 2 * at + 1) < s->n_greatest; at = child) {
		if (child + 1 < s->n_greatest && is_less(&s->greatest[child + 1], &s->greatest[child]))
			child++;
		if (!is_less(&s->greatest[child], &file))
			break;
		s->greatest[at] = s->greatest[child];
	}
	s->greatest[at] = file;
}

static void compete(struct file_sum *s, const struct sum_file *file)
{
	if (s->n_greatest < s->top) {
		s->greatest[s->n_greatest] = *file;
		rise(s, s->n_greatest++);
	} else if (s->top && is_less(&s->greatest[0], file)) {
		add_rest(s, s->greatest[0].file);
		s->greatest[0] = *file;
		sink(s);
	} else {
		add_rest(s, file->file);
	}
}

/* ---- all of them ---- */

static uint64_t hash_of(const struct file_sum *s, const char *path)
{
	return sip(&s->key, path, strlen(path));
}

/* The set is full with those that were shown: what it does not have is new to it, and stays so. */
static int begin_names(struct file_sum *s, const struct instances *all)
{
	size_t shown = 0;
	int err;

	for (size_t k = 0; k < all->n; k++)
		shown += instances_shown(all, k);
	err = inodes_begin(&s->names, shown);
	for (size_t k = 0; k < all->n && !err; k++)
		if (instances_shown(all, k))
			(void)inodes_add(&s->names, hash_of(s, all->all[k]->name), 0);
	return err;
}

int sum_begin(struct file_sum *s, const struct instances *all, size_t files, size_t top)
{
	int err;

	if (!s->seen.table)
		s->key = sip_key_new();
	s->top = top < files ? top : files;
	err = inodes_begin(&s->seen, files);
	if (!err)
		err = begin_names(s, all);
	if (!err)
		err = room_fit(&s->greatest, &s->greatest_room, s->top, sizeof(*s->greatest));
	if (!err)
		err = room_fit(&s->shown, &s->shown_room, s->top, sizeof(*s->shown));
	s->n = s->n_greatest = s->n_shown = 0;
	s->any_rest = false;
	for (int c = 0; c < FILE_COLUMNS; c++)
		s->rest[c] = QMEM_NA;
	return err;
}

bool sum_add(struct file_sum *s, const struct scan_list *list, const struct scan_file *file)
{
	const struct sum_file mine = { list, file, s->n };

	if (!inodes_add(&s->seen, file->dev, file->ino))
		return false;
	s->n++;
	if (s->n_shown < s->top && !inodes_add(&s->names, hash_of(s, scan_path(list, file)), 0))
		s->shown[s->n_shown++] = mine;
	else
		compete(s, &mine);
	return true;
}

static int put(struct instances *all, const struct sum_file *file)
{
	const char *path = scan_path(file->list, file->file);
	int64_t columns[FILE_COLUMNS];

	columns_of(file->file, columns);
	return instances_put(all, path, strlen(path), columns);
}

static int by_place(const void *a, const void *b)
{
	const struct sum_file *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

int sum_end(struct file_sum *s, struct instances *all, uint64_t now)
{
	int err = 0;

	if (s->n_greatest)
		qsort(s->greatest, s->n_greatest, sizeof(*s->greatest), by_place);
	instances_begin(all);
	for (size_t i = 0; i < s->n_shown && !err; i++)
		err = put(all, &s->shown[i]);
	for (size_t i = 0; i < s->n_greatest && !err; i++)
		err = put(all, &s->greatest[i]);
	if (s->any_rest && !err)
		err = instances_put(all, INSTANCES_OTHER, strlen(INSTANCES_OTHER), s->rest);
	if (err)
		return err;
	(void)instances_measure(all);
	instances_choose(all, now);
	return 0;
}

void sum_release(struct file_sum *s)
{
	free(s->greatest);
	free(s->shown);
	inodes_release(&s->seen);
	inodes_release(&s->names);
	*s = (struct file_sum){ .n = 0 };
}
