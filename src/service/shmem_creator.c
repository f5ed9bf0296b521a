/* SPDX-License-Identifier: MIT */
#include "service/shmem_creator.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc/text.h"
#include "util/room.h"
#include "util/value.h"

#define PLACES (2 * CREATORS_MOST) /* a power of two; half of them stay free, so that a search ends soon */

/* The line "btime 1700000000" of /proc/stat. */
static int64_t find_booted(struct qmem *q)
{
	struct qmem_file file = QMEM_FILE("proc/stat");
	const char *text, *at;
	ssize_t len = qmem_read(q, &file, &text);
	int64_t seconds = QMEM_NA;

	qmem_file_close(&file);
	at = len > 0 ? memmem(text, (size_t)len, "\nbtime ", 7) : NULL;
	if (at)
		(void)text_digits(at + 7, text + len, &seconds);
	return seconds;
}

int creators_init(struct qmem *q, struct creators *c)
{
	*c = (struct creators){ .booted = find_booted(q) };
	c->units.page = sysconf(_SC_PAGESIZE);
	c->units.tick_ns = INT64_C(1000000000) / sysconf(_SC_CLK_TCK);
	c->all = room_reserve(CREATORS_MOST, sizeof(*c->all));
	c->places = calloc(PLACES, sizeof(*c->places));
	c->key = sip_key_new();
	return c->all && c->places ? 0 : -ENOMEM;
}

void creators_release(struct creators *c)
{
	if (c->all)
		room_unreserve(c->all, CREATORS_MOST, sizeof(*c->all));
	free(c->places);
	free(c->text);
}

void creators_begin(struct creators *c)
{
	c->round++;
	c->unused = 0;
}

int creators_copy(struct creators *c, const char **text, size_t len)
{
	int err = room_make(&c->text, &c->text_room, len, 1);

	if (err)
		return err;
	memcpy(c->text, *text, len);
	*text = c->text;
	return 0;
}

/* Has it begun after the segment was made or changed last? Then it has only got the number. */
static bool is_younger(const struct creators *c, const struct pidstat *stat, int64_t ctime)
{
	return ctime != QMEM_NA && c->booted != QMEM_NA && c->booted + stat->start / 1000000000 > ctime + 2;
}

static void look_up(struct qmem *q, const struct creators *c, struct creator *one, int64_t ctime)
{
	struct pidstat stat;
	char text[1024];
	ssize_t len;

	*one->comm = '\0';
	if (one->cpid <= 0)
		return;
	len = qmem_read_once(q, text, sizeof(text), "proc/%" PRId64 "/stat", one->cpid);
	if (len > 0 && pidstat_parse(text, (size_t)len, &c->units, &stat) == 0 && !is_younger(c, &stat, ctime))
		memcpy(one->comm, stat.comm, sizeof(one->comm));
}

static void name(struct creator *one, const struct sysvipc_shm *shm)
{
	size_t n = 0;

	if (*one->comm)
		snprintf(one->name, sizeof(one->name), "%s:%" PRId64, one->comm, one->shmid);
	else
		snprintf(one->name, sizeof(one->name), "pid%" PRId64 ":%" PRId64, one->cpid, one->shmid);
	snprintf(one->pid, sizeof(one->pid), "%" PRId64, one->cpid);
	memset(one->labels, 0, sizeof(one->labels));
	if (*one->comm)
		one->labels[n++] = (struct qmem_label){ "creator", one->comm };
	if (one->cpid > 0)
		one->labels[n++] = (struct qmem_label){ "creator_pid", one->pid };
	if (shm->column[SYSVIPC_CUID] != QMEM_NA) {
		snprintf(one->uid, sizeof(one->uid), "%u", (unsigned)shm->column[SYSVIPC_CUID]);
		one->labels[n++] = (struct qmem_label){ "uid", one->uid };
	}
	if (shm->key != QMEM_NA) {
		snprintf(one->key, sizeof(one->key), shm->key ? "0x%08x" : "private", (unsigned)shm->key);
		one->labels[n] = (struct qmem_label){ "key", one->key };
	}
}

/* Where it is, or would be. */
static uint16_t *place_of(const struct creators *c, int64_t shmid, int64_t cpid)
{
	const int64_t id[2] = { shmid, cpid };
	size_t at = (size_t)sip(&c->key, id, sizeof(id)) % PLACES;

	for (; c->places[at]; at = (at + 1) % PLACES) {
		const struct creator *one = &c->all[c->places[at] - 1];

		if (one->shmid == shmid && one->cpid == cpid)
			break;
	}
	return &c->places[at];
}

static struct creator *take_unused(struct creators *c)
{
	while (c->unused < c->n && c->all[c->unused].round)
		c->unused++;
	if (c->unused == CREATORS_MOST)
		return NULL;
	if (c->unused == c->n)
		c->n++;
	return &c->all[c->unused];
}

const struct creator *creators_find(struct qmem *q, struct creators *c, const struct sysvipc_shm *shm)
{
	int64_t shmid = shm->column[SYSVIPC_SHMID], cpid = value_or(shm->column[SYSVIPC_CPID], 0);
	uint16_t *place = place_of(c, shmid, cpid);
	struct creator *one = *place ? &c->all[*place - 1] : take_unused(c);

	if (one && !*place) {
		*place = (uint16_t)(one - c->all + 1);
		one->shmid = shmid;
		one->cpid = cpid;
		look_up(q, c, one, shm->column[SYSVIPC_CTIME]);
		name(one, shm);
	}
	if (one)
		one->round = c->round;
	return one;
}

void creators_end(struct creators *c)
{
	bool any = false;

	for (size_t i = 0; i < c->n; i++)
		if (c->all[i].round && c->all[i].round != c->round) {
			c->all[i].round = 0;
			any = true;
		}
	if (!any)
		return;
	memset(c->places, 0, PLACES * sizeof(*c->places));
	for (size_t i = 0; i < c->n; i++)
		if (c->all[i].round)
			*place_of(c, c->all[i].shmid, c->all[i].cpid) = (uint16_t)(i + 1);
}
