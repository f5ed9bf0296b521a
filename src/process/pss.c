/* SPDX-License-Identifier: MIT */
#include "process/pss.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/root.h"
#include "proc/smaps.h"
#include "util/room.h"
#include "process/cost.h"
#include "process/probe.h"
#include "process/table.h"

#define BASE 40000   /* CPU ns of a smaps_rollup before its pages */
#define PER_MB 10000 /* and for each MB of them, until it has been learned */
#define LEARN 16
#define ROUNDS 3
#define STEPS 8 /* of age, up to the limit */

struct process {
	uint32_t generation;
	bool refused; /* smaps_rollup may not be read, or there is none */
	bool own;     /* of the user we are */
	int64_t pss, uss;
	struct cost cost; /* of the last smaps_rollup; its `when` is that of pss and uss */
	uint64_t tried;   /* 0: never */
	uint64_t round;   /* that saw it first */
};

struct pss {
	const struct pss_limits *limits;
	struct probe *probe;
	struct process *processes; /* by slot */
	size_t room;
	uint64_t rounds, now;
	uint64_t age;   /* ns: the limit, or some rounds: what has been offered in one is known in the next */
	int64_t per_mb; /* CPU ns, learned */
	uid_t uid;      /* our own */
	uint64_t measured, refused; /* of processes of other users */
};

/* On the worker. */
static int read_rollup(const struct root *root, int32_t pid, bool brief, void *result)
{
	char text[8192];
	ssize_t len = root_read_process(root, pid, "smaps_rollup", text, sizeof(text));

	(void)brief;
	return len < 0 ? (int)len : smaps_rollup_parse(text, (size_t)len, result);
}

/* One that is far above the others says little of them. */
static void learn(struct pss *s, int64_t per_mb)
{
	int64_t most = 2 * s->per_mb + PER_MB;

	s->per_mb += ((per_mb < most ? per_mb : most) - s->per_mb) / LEARN;
}

static void take_rollup(void *arg, const struct probe_target *target, int err, const void *result, int64_t cost)
{
	struct pss *s = arg;
	struct process *m = target->slot < s->room ? &s->processes[target->slot] : NULL;
	const struct smaps_rollup *rollup = result;

	if (!m || m->generation != target->generation)
		return;
	/* another one that has got the pid meanwhile has another generation, too */
	m->tried = target->when;
	m->refused = err == -EACCES || err == -EPERM;
	s->refused += m->refused && !m->own;
	if (err)
		return;
	s->measured += !m->own;
	m->pss = rollup->pss;
	m->uss = rollup->uss;
	cost_take(&m->cost, cost, target->memory.rss, target->when, s->limits->ceiling);
	if (m->cost.rss >= COST_MB && cost > BASE)
		learn(s, (cost - BASE) / (m->cost.rss / COST_MB));
}

static const struct probe_kind kind = {
	.what = "smaps_rollup",
	.result_size = sizeof(struct smaps_rollup),
	.read = read_rollup,
	.take = take_rollup,
};

/* Has its RSS become another by a quarter since? */
static bool has_moved(const struct proc *p, const struct process *m)
{
	return m->cost.when && llabs(p->rss - m->cost.rss) > m->cost.rss / 4;
}

/*
 * The stalest first, in steps, and of these the biggest: then all come in their turn if the budget suffices, and if it does
 * not, the small ones go without. What has moved counts as half way to the limit, what is new as nearly there. 0: not yet.
 */
static int64_t score(const struct pss *s, const struct proc *p, const struct process *m)
{
	uint64_t age = s->now - m->tried, steps = age / (s->age / STEPS);

	if (m->refused && age < s->age)
		return 0;
	if (has_moved(p, m) && steps < STEPS / 2)
		steps = STEPS / 2;
	if (!m->tried)
		steps = STEPS - 2;
	if (steps < STEPS / 4)
		return 0;
	return ((int64_t)(steps < STEPS ? steps : STEPS) << 50) + p->rss / 1024;
}

/* Why it will not be read, or not yet. */
static enum lack_why offer(const struct qmem *q, struct pss *s, const struct proc *p, struct process *m)
{
	struct probe_target target = { .slot = p->slot,
				       .generation = p->generation,
				       .pid = p->pid,
				       .uid = p->uid,
				       .when = s->now,
				       .memory.rss = p->rss };

	m->own = p->uid == s->uid;
	if (probe_shuns(q, p->pid, p->uid))
		return LACK_STUCK;
	target.predicted = cost_predict(&m->cost, BASE + p->rss / COST_MB * s->per_mb, p->rss, s->now, s->age);
	if (target.predicted > s->limits->ceiling)
		return LACK_BUDGET;
	target.score = score(s, p, m);
	if (target.score)
		probe_offer(s->probe, &target);
	return m->refused ? LACK_RIGHTS : LACK_TIME;
}

int pss_begin(struct pss *s, size_t slots, uint64_t now)
{
	uint64_t rounds = 0;
	int err = room_fit(&s->processes, &s->room, slots, sizeof(*s->processes));

	if (err)
		return err;
	if (s->rounds++)
		rounds = ROUNDS * (now - s->now);
	s->age = rounds > (uint64_t)s->limits->age ? rounds : (uint64_t)s->limits->age;
	s->now = now;
	return probe_begin(s->probe, slots, now);
}

enum lack_why pss_of(const struct qmem *q, struct pss *s, const struct proc *p, struct pss_amounts *ret)
{
	struct process *m = &s->processes[p->slot];
	enum lack_why why;

	*ret = (struct pss_amounts){ QMEM_NA, QMEM_NA, QMEM_NA };
	if (m->generation != p->generation)
		*m = (struct process){ .generation = p->generation, .round = s->rounds };
	if (p->rss == QMEM_NA || !p->rss)
		return LACK_NOTHING;
	why = offer(q, s, p, m);
	if (m->cost.when && s->now - m->cost.when <= s->age) {
		*ret = (struct pss_amounts){ m->pss, m->uss, (int64_t)(s->now - m->cost.when) };
		return LACK_NOTHING;
	}
	return m->round == s->rounds ? LACK_NOTHING : why;
}

void pss_go(struct qmem *q, struct pss *s)
{
	probe_go(q, s->probe);
}

bool pss_refused(const struct pss *s)
{
	return s->refused && !s->measured;
}

void pss_free(struct pss *s)
{
	if (!s)
		return;
	probe_free(s->probe);
	free(s->processes);
	free(s);
}

static int look(struct qmem *q, const char *path)
{
	int fd = qmem_open(q, O_PATH, "%s", path);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

int pss_new(struct qmem *q, const struct pss_limits *limits, struct pss **ret)
{
	struct pss *s;
	int err;

	/* of our own, as a process that has ended has neither */
	if (!look(q, "proc/self/smaps") && look(q, "proc/self/smaps_rollup") == -ENOENT)
		return -ENOTSUP;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	err = probe_new(q, &kind, limits->budget, false, s, &s->probe);
	if (err) {
		free(s);
		return err;
	}
	s->limits = limits;
	s->per_mb = PER_MB;
	s->uid = geteuid();
	*ret = s;
	return 0;
}
