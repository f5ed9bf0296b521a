/* SPDX-License-Identifier: MIT */
#include "process/backend/records.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/room.h"
#include "util/value.h"

#define HASH_FIRST 1024
#define TRIM_EVERY 64 /* rounds */
#define NONE UINT32_MAX

/* ---- memory ---- */

int records_init(struct records *t, size_t max)
{
	*t = (struct records){ .max = max, .whole_since = 1 };
	t->slots = room_reserve(max, sizeof(*t->slots));
	t->free = room_reserve(max, sizeof(*t->free));
	t->order = room_reserve(max, sizeof(*t->order));
	t->last = room_reserve(max, sizeof(*t->last));
	t->births = room_reserve(max, sizeof(*t->births));
	t->deaths = room_reserve(max, sizeof(*t->deaths));
	t->hash = malloc(HASH_FIRST * sizeof(*t->hash));
	if (!t->slots || !t->free || !t->order || !t->last || !t->births || !t->deaths || !t->hash) {
		records_release(t);
		return -ENOMEM;
	}
	t->hash_size = HASH_FIRST;
	memset(t->hash, 0xff, t->hash_size * sizeof(*t->hash));
	return 0;
}

void records_release(struct records *t)
{
	room_unreserve(t->slots, t->max, sizeof(*t->slots));
	room_unreserve(t->free, t->max, sizeof(*t->free));
	room_unreserve(t->order, t->max, sizeof(*t->order));
	room_unreserve(t->last, t->max, sizeof(*t->last));
	room_unreserve(t->births, t->max, sizeof(*t->births));
	room_unreserve(t->deaths, t->max, sizeof(*t->deaths));
	free(t->hash);
	*t = (struct records){ 0 };
}

void records_reset(struct records *t)
{
	for (size_t i = 0; i < t->used; i++)
		t->slots[i].pid = 0;
	t->free_n = t->held = 0;
	while (t->free_n < t->used) {
		t->free[t->free_n] = (uint32_t)(t->used - 1 - t->free_n);
		t->free_n++;
	}
	memset(t->hash, 0xff, t->hash_size * sizeof(*t->hash));
	t->order_n = t->last_n = t->births_n = t->deaths_n = t->blocked_n = 0;
	t->whole_since = t->round + 1;
	t->current = false;
	t->totals = (struct proctable_totals){ 0 };
}

/* ---- pids ---- */

static size_t hash_of(const struct records *t, int32_t pid)
{
	/* Pids come in blocks, one after the other. Their low bits alone would lay such blocks upon each other, and each of
	 * the second would have to pass all of the first. */
	return (uint32_t)pid * UINT32_C(0x9e3779b1) >> __builtin_clz((unsigned)t->hash_size - 1);
}

static size_t hash_find(const struct records *t, int32_t pid)
{
	size_t at = hash_of(t, pid);

	while (t->hash[at] != NONE && t->slots[t->hash[at]].pid != pid)
		at = (at + 1) & (t->hash_size - 1);
	return at;
}

static int hash_resize(struct records *t, size_t size)
{
	uint32_t *old = t->hash, *hash = malloc(size * sizeof(*hash));
	size_t old_size = t->hash_size;

	if (!hash)
		return -ENOMEM;
	memset(hash, 0xff, size * sizeof(*hash));
	t->hash = hash;
	t->hash_size = size;
	for (size_t i = 0; i < old_size; i++)
		if (old[i] != NONE)
			hash[hash_find(t, t->slots[old[i]].pid)] = old[i];
	free(old);
	return 0;
}

/* Those behind move up, so that no search ends too early. */
static void hash_remove(struct records *t, size_t at)
{
	size_t mask = t->hash_size - 1, next = at;

	for (;;) {
		size_t home;

		next = (next + 1) & mask;
		if (t->hash[next] == NONE)
			break;
		home = hash_of(t, t->slots[t->hash[next]].pid);
		if (((next - home) & mask) < ((next - at) & mask))
			continue;
		t->hash[at] = t->hash[next];
		at = next;
	}
	t->hash[at] = NONE;
}

struct proc *records_find(const struct records *t, int32_t pid)
{
	uint32_t slot = t->hash[hash_find(t, pid)];

	return slot == NONE ? NULL : &t->slots[slot];
}

/* ---- after a burst ---- */

/* The first free ones are the first to be taken again, so that the last ones become free, and memory with them. */
static void gather_free(struct records *t)
{
	t->free_n = t->held = 0;
	for (size_t i = t->used; i-- > 0;)
		if (!t->slots[i].pid)
			t->free[t->free_n++] = (uint32_t)i;
}

/* Where few are left, those that come and go do not hand on the last slots to each other. */
static void set_free(struct records *t, uint32_t slot)
{
	t->slots[slot].pid = 0;
	t->slots[slot].ended = false;
	if (t->order_n < t->used / 4 && slot >= t->used / 2)
		t->held++;
	else
		t->free[t->free_n++] = slot;
}

static void trim(struct records *t)
{
	while (t->used && !t->slots[t->used - 1].pid)
		t->used--;
	gather_free(t);
	if (t->hash_size > HASH_FIRST && t->used < t->hash_size / 8)
		(void)hash_resize(t, t->hash_size / 2);
	if (t->used >= t->touched / 4)
		return;
	room_trim(t->slots, t->used, t->touched, sizeof(*t->slots));
	room_trim(t->free, t->used, t->touched, sizeof(*t->free));
	room_trim(t->order, t->used, t->touched, sizeof(*t->order));
	room_trim(t->last, t->used, t->touched, sizeof(*t->last));
	room_trim(t->births, t->used, t->touched, sizeof(*t->births));
	room_trim(t->deaths, t->used, t->touched, sizeof(*t->deaths));
	t->touched = t->used;
}

/* ---- a round ---- */

void records_begin(struct records *t)
{
	uint32_t *order = t->last;
	bool per_thread = t->totals.per_thread, exact = t->totals.exact;

	for (size_t i = 0; i < t->deaths_n; i++)
		set_free(t, t->deaths[i]);
	t->last = t->order;
	t->last_n = t->order_n;
	t->order = order;
	t->order_n = t->cursor = t->births_n = t->deaths_n = t->blocked_n = 0;
	t->totals = (struct proctable_totals){ .per_thread = per_thread, .exact = exact };
	t->current = false;
	if (++t->round % TRIM_EVERY == 0)
		trim(t);
}

/* All values the first time: absent. */
static void blank(struct proc *p)
{
	struct proc nothing = {
		.pid = p->pid,
		.slot = p->slot,
		.generation = p->generation,
		.order = p->order,
		.round = p->round,
		.start = p->start,
		.changed = p->changed,
		.uid = PROC_NO_UID,
		.state = '?',
		.runtime = QMEM_NA,
		.minflt = QMEM_NA,
		.majflt = QMEM_NA,
		.rss = QMEM_NA,
		.anon = QMEM_NA,
		.file = QMEM_NA,
		.shmem = QMEM_NA,
		.swap = QMEM_NA,
		.vmsize = QMEM_NA,
		.vmdata = QMEM_NA,
		.hwm = QMEM_NA,
		.pgtables = QMEM_NA,
		.vm_changes = QMEM_NA,
		.cminflt = QMEM_NA,
		.fds = QMEM_NA,
		.fd_limit = QMEM_NA,
		.maps = QMEM_NA,
	};

	for (int i = 0; i < PROC_IOS; i++)
		nothing.io[i] = QMEM_NA;
	*p = nothing;
}

static struct proc *seen(struct records *t, struct proc *p)
{
	p->round = t->round;
	p->order = (uint32_t)t->order_n;
	t->order[t->order_n++] = p->slot;
	return p;
}

/* A process may end while it is walked over, and its pid be given again: both may be in `order` then. */
static struct proc *enter_new(struct records *t, size_t at, int32_t pid, int64_t start)
{
	struct proc *p;
	uint32_t slot;

	if (!t->free_n && t->held)
		gather_free(t);
	if (2 * (t->used + 1) > t->hash_size && !t->free_n) {
		if (hash_resize(t, 2 * t->hash_size))
			return NULL;
		at = hash_find(t, pid);
	}
	if (t->free_n)
		slot = t->free[--t->free_n];
	else if (t->used < t->max)
		slot = (uint32_t)t->used++;
	else
		return NULL;
	if (t->used > t->touched)
		t->touched = t->used;
	p = &t->slots[slot];
	p->slot = slot;
	if (!++t->generation)
		t->generation = 1;
	p->generation = t->generation;
	p->pid = pid;
	p->start = start;
	p->changed = PROC_BORN;
	blank(p);
	t->hash[at] = slot;
	t->births[t->births_n++] = slot;
	return seen(t, p);
}

struct proc *records_enter(struct records *t, int32_t pid, int64_t start)
{
	struct proc *p = t->cursor < t->last_n ? &t->slots[t->last[t->cursor]] : NULL;
	size_t at;

	/* nearly always it is the one that was next the last time, too */
	if (!p || p->pid != pid || p->start != start) {
		at = hash_find(t, pid);
		p = t->hash[at] == NONE ? NULL : &t->slots[t->hash[at]];
		if (!p || p->start != start) {
			p = t->order_n < t->max ? enter_new(t, at, pid, start) : NULL;
			if (!p)
				t->totals.overflow++;
			return p;
		}
	}
	if (p->round == t->round)
		return NULL;
	t->cursor = p->order + 1;
	p->changed = 0;
	return seen(t, p);
}

void records_end(struct records *t)
{
	for (size_t i = 0; i < t->last_n; i++) {
		struct proc *p = &t->slots[t->last[i]];
		size_t at;

		if (p->round == t->round)
			continue;
		p->ended = true;
		p->changed = 0;
		/* its pid may belong to another one by now */
		at = hash_find(t, p->pid);
		if (t->hash[at] == p->slot)
			hash_remove(t, at);
		t->deaths[t->deaths_n++] = p->slot;
	}
	for (size_t i = 0; i < t->order_n; i++) {
		const struct proc *p = &t->slots[t->order[i]];

		t->totals.kthreads += p->kthread;
		if (!t->totals.per_thread) {
			t->totals.threads += (uint64_t)p->threads;
			t->totals.states[proc_state(p->state)]++;
		}
	}
	t->totals.processes = t->order_n;
	if (t->totals.overflow)
		t->whole_since = t->round + 1;
	t->current = true;
}

void records_break(struct records *t)
{
	for (size_t i = 0; i < t->last_n; i++) {
		struct proc *p = &t->slots[t->last[i]];

		/* one whose pid has been given again has ended for sure */
		if (p->round == t->round || records_find(t, p->pid) != p)
			continue;
		p->changed = 0;
		seen(t, p);
	}
	records_end(t);
	t->whole_since = t->round + 1;
	t->current = false;
}

/* ---- values ---- */

void records_block(struct records *t, int32_t pid, int32_t tid, int64_t start)
{
	if (t->blocked_n < RECORDS_BLOCKED)
		t->blocked[t->blocked_n++] = (struct proc_task){ .pid = pid, .tid = tid, .start = start };
	else
		t->totals.blocked_overflow++;
}

void records_set_comm(struct proc *p, const char *comm)
{
	char now[sizeof(p->comm)] = "";
	size_t len = strnlen(comm, sizeof(now) - 1);

	if (p->kthread && strncmp(comm, "kworker/", 8) == 0 && comm[8] != 'R') {
		size_t own = strcspn(comm, "+-");

		len = own < len ? own : len;
	}
	memcpy(now, comm, len);
	if (memcmp(now, p->comm, sizeof(now)) == 0)
		return;
	memcpy(p->comm, now, sizeof(now));
	p->changed |= PROC_ID;
}

void records_set_times(struct proc *p, int64_t utime, int64_t stime, int64_t runtime)
{
	int64_t before = value_or(p->runtime, 0);

	if (runtime == QMEM_NA) {
		records_set(p, &p->utime, utime, PROC_RAN);
		records_set(p, &p->stime, stime, PROC_RAN);
		return;
	}
	/* a thread that ends while the others are counted is missing for one round */
	if (runtime <= before) {
		if (p->runtime == QMEM_NA)
			p->runtime = 0;
		return;
	}
	p->runtime = runtime;
	p->changed |= PROC_RAN;
	if (stime && utime)
		stime = (int64_t)((__uint128_t)runtime * (uint64_t)stime / ((uint64_t)utime + (uint64_t)stime));
	else if (stime)
		stime = runtime;
	/* neither may fall, both together are the run time */
	if (stime < p->stime)
		stime = p->stime;
	if (runtime - stime < p->utime)
		stime = runtime - p->utime;
	p->utime = runtime - stime;
	p->stime = stime;
}
