/* SPDX-License-Identifier: MIT */
#include "service/pagecache_bdi.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/sound.h"
#include "util/room.h"
#include "util/value.h"

#define DEBUG "sys/kernel/debug/bdi"
#define CLASS "sys/class/bdi" /* the same names, for all to see */
#define LIST_AGAIN (60 * QMEM_SECOND)
#define MOST 512
#define NAME_SIZE 64

struct bdi_device {
	char id[NAME_SIZE];   /* "8:0", "btrfs-1", "0:52" */
	char name[NAME_SIZE]; /* "sda", where there is such a device */
	char path[sizeof(DEBUG) + NAME_SIZE + 8];
	struct qmem_file file;
	bool there;
};

static const struct instances_kind kind = {
	.what = "devices",
	.columns = BDI_VALUES,
	.gauges = ~(UINT64_C(1) << BDI_VALUE_WRITTEN),
	.score = UINT64_C(1) << BDI_VALUE_DIRTY | UINT64_C(1) << BDI_VALUE_WRITEBACK | UINT64_C(1) << BDI_VALUE_WRITTEN,
	.most = MOST,
};

/* ---- which there are ---- */

/* "DEVNAME=sda" of the device with these numbers; else its numbers. */
static void name_device(struct qmem *q, struct bdi_device *d)
{
	static const char key[] = "DEVNAME=";
	char text[1024], *at, *save = NULL;
	ssize_t len = qmem_read_once(q, text, sizeof(text) - 1, "sys/dev/block/%s/uevent", d->id);

	snprintf(d->name, sizeof(d->name), "%s", d->id);
	if (len <= 0)
		return;
	text[len] = '\0';
	for (at = strtok_r(text, "\n", &save); at; at = strtok_r(NULL, "\n", &save))
		if (strncmp(at, key, strlen(key)) == 0 && at[strlen(key)])
			snprintf(d->name, sizeof(d->name), "%.63s", at + strlen(key));
}

static int find(struct qmem *q, struct bdi_reader *r, const char *id)
{
	struct bdi_device *d;
	int err;

	if (strlen(id) >= NAME_SIZE)
		return 0;
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->devices[i].id, id) == 0) {
			r->devices[i].there = true;
			return 0;
		}
	if (r->n == MOST)
		return 0;
	err = room_make(&r->devices, &r->room, r->n + 1, sizeof(*r->devices));
	if (err)
		return err;
	d = &r->devices[r->n++];
	*d = (struct bdi_device){ .there = true };
	snprintf(d->id, sizeof(d->id), "%s", id);
	snprintf(d->path, sizeof(d->path), DEBUG "/%s/stats", id);
	d->file = QMEM_FILE(NULL);
	name_device(q, d);
	return 0;
}

static void forget(struct bdi_reader *r)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->n; i++) {
		if (r->devices[i].there)
			r->devices[kept++] = r->devices[i];
		else
			qmem_file_close(&r->devices[i].file);
	}
	r->n = kept;
}

static int list(struct qmem *q, struct bdi_reader *r)
{
	int fd = qmem_open(q, O_RDONLY | O_DIRECTORY, CLASS), err = 0;
	const struct dirent *entry;
	DIR *dir;

	if (fd < 0)
		fd = qmem_open(q, O_RDONLY | O_DIRECTORY, DEBUG);
	if (fd < 0) {
		r->lack = fd;
		return 0;
	}
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	for (size_t i = 0; i < r->n; i++)
		r->devices[i].there = false;
	while (!err && (entry = readdir(dir)))
		if (*entry->d_name != '.')
			err = find(q, r, entry->d_name);
	closedir(dir);
	if (!err)
		forget(r);
	return err;
}

/* ---- what they say ---- */

static void values(const int64_t *columns, int64_t ret[BDI_VALUES])
{
	int64_t backlog = QMEM_NA, rate = columns[BDI_BANDWIDTH];
	double time;

	ret[BDI_VALUE_DIRTY] = columns[BDI_RECLAIMABLE];
	ret[BDI_VALUE_WRITEBACK] = columns[BDI_WRITEBACK];
	ret[BDI_VALUE_LIMIT] = columns[BDI_THRESH];
	ret[BDI_VALUE_WRITTEN] = columns[BDI_WRITTEN];
	ret[BDI_VALUE_TIME] = QMEM_NA;
	if (columns[BDI_RECLAIMABLE] != QMEM_NA && columns[BDI_WRITEBACK] != QMEM_NA)
		backlog = value_sum(columns[BDI_RECLAIMABLE], columns[BDI_WRITEBACK]);
	/* before it has been written to, how fast it is is not known: the kernel's first guess is the same for all */
	if (backlog == QMEM_NA || rate == QMEM_NA || rate == 0 || value_or(columns[BDI_WRITTEN], 0) == 0)
		return;
	time = (double)backlog / (double)rate * 1e9;
	if (time < 1e18)
		ret[BDI_VALUE_TIME] = (int64_t)time;
}

static int read_device(struct qmem *q, struct bdi_reader *r, struct bdi_device *d, int *ret_lack)
{
	int64_t columns[BDI_COLUMNS], v[BDI_VALUES];
	struct fault fault;
	const char *text;
	ssize_t len;

	/* the array may have moved */
	d->file.path = d->path;
	len = qmem_read(q, &d->file, &text);
	if (len < 0) {
		*ret_lack = (int)len;
		return 0;
	}
	(void)bdi_parse(text, (size_t)len, columns, &fault);
	if (fault.n)
		sound_fault(q, &r->faulty, &d->file, 0, &fault);
	values(columns, v);
	return instances_put(&r->all, d->name, strlen(d->name), v);
}

static int read_all(struct qmem *q, struct bdi_reader *r)
{
	int lack = -ENOENT, err = 0;
	size_t n = 0;

	instances_begin(&r->all);
	for (size_t i = 0; i < r->n && !err; i++) {
		int why = 0;

		err = read_device(q, r, &r->devices[i], &why);
		n += !why;
		if (why)
			lack = why;
		/* the first tells of all: who may not enter debugfs need not ask each time */
		if (why == -EACCES || why == -EPERM)
			break;
	}
	if (err)
		return err;
	r->lack = n ? 0 : lack;
	(void)instances_measure(&r->all);
	instances_choose(&r->all, qmem_now(q));
	return 0;
}

int bdi_collect(struct qmem *q, struct bdi_reader *r)
{
	uint64_t now = qmem_now(q);
	int err = 0;

	if (!r->max)
		return 0;
	if (!r->listed || now - r->listed >= LIST_AGAIN) {
		err = list(q, r);
		r->listed = now;
	}
	/* what is refused is asked for again when devices are looked for again */
	if (!err && (!r->read || now - r->read >= (r->lack ? LIST_AGAIN : BDI_BEAT))) {
		err = read_all(q, r);
		r->read = now;
	}
	return err;
}

void bdi_emit(struct qmem *q, struct bdi_reader *r, const struct qmem_family *families, size_t n)
{
	if (r->max && !r->lack)
		instances_emit_some(q, &r->all, families, n);
}

const char *bdi_fullest(const struct bdi_reader *r, int64_t *ret_bytes)
{
	const char *name = NULL;
	int64_t most = 0;

	for (size_t i = 0; i < r->all.n && !r->lack; i++) {
		const struct instance *device = r->all.all[i];
		int64_t backlog = value_sum(device->now[BDI_VALUE_DIRTY], device->now[BDI_VALUE_WRITEBACK]);

		if (!instance_there(&r->all, device) || backlog == QMEM_NA || backlog <= most)
			continue;
		most = backlog;
		name = device->name;
	}
	*ret_bytes = most;
	return name;
}

int bdi_start(struct bdi_reader *r)
{
	return instances_init(&r->all, &kind, NULL, false, r->max);
}

void bdi_stop(struct bdi_reader *r)
{
	for (size_t i = 0; i < r->n; i++)
		qmem_file_close(&r->devices[i].file);
	free(r->devices);
	if (r->all.kind)
		instances_release(&r->all);
}
