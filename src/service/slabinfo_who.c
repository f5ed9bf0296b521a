/* SPDX-License-Identifier: MIT */
#include "service/slabinfo_who.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bpf/program.h"
#include "bpf/slab.h"
#include "util/escape.h"
#include "util/words.h"

/* Only its bytes: what else is in there calls libbpf by name, and this is not inline. */
#define bpf_object__destroy_skeleton(skeleton_) ((void)(skeleton_))
#include "bpf/slabtrace.skel.h"

#define PATIENCE (10 * QMEM_SECOND) /* then it is not known: the worker is busy */
#define SHOWN 2                     /* processes, and functions */
#define KMALLOC "kmalloc-"

static const struct program_source source = { slabtrace_bpf__elf_bytes, 6, 1 };

/* Its data are the job's while it is at the worker. */
struct slab_tracing {
	struct qmem_job job;
	struct slab_who *who; /* NULL: it has gone, or does not wait for this any more */
	struct slab_trace_config config;
	bool kmalloc; /* by kmalloc() and its size, not by a cache's name */
	int link, callers;
	const struct slab_calls *lost; /* the kernel's: of callers that found no place; NULL */
	uint64_t lost_bytes;
	bool busy; /* it is at the worker */
	bool over; /* the two seconds are */
	int err;
	char why[SLAB_WHO_TEXT];
	struct slab_caller callers_of[SLAB_CALLERS];
	struct slab_calls calls[SLAB_CALLERS];
	size_t n;
};

/* ---- at the worker ---- */

static int attach(struct slab_tracing *t)
{
	const char *wanted = t->kmalloc ? "on_kmalloc" : "on_cache";
	const char *other = t->kmalloc ? "on_cache" : "on_kmalloc";
	struct program program;
	int err = program_open(&program, &source, t->why, sizeof(t->why));

	if (!err)
		err = program_set(&program, ".rodata.config", &t->config, sizeof(t->config));
	if (!err)
		err = program_leave(&program, other);
	if (!err)
		err = program_load(&program, t->why, sizeof(t->why));
	if (!err) {
		t->callers = program_map(&program, "callers");
		t->link = program_attach_tracepoint(&program, wanted);
		err = t->callers < 0 ? t->callers : t->link < 0 ? t->link : 0;
		if (!err)
			err = program_memory(&program, ".bss", sizeof(*t->lost), PROT_READ, &t->lost);
		if (err)
			snprintf(t->why, sizeof(t->why), "cannot be attached: %s", strerror(-err));
	}
	program_close(&program);
	return err;
}

static void detach(struct slab_tracing *t)
{
	if (t->link >= 0)
		close(t->link);
	if (t->callers >= 0)
		close(t->callers);
	if (t->lost)
		munmap((void *)(uintptr_t)t->lost, sizeof(*t->lost));
	t->link = t->callers = -1;
	t->lost = NULL;
}

static void read_callers(struct slab_tracing *t)
{
	const struct slab_caller *key = NULL;

	t->lost_bytes = t->lost->bytes;
	for (; t->n < SLAB_CALLERS && !program_next_key(t->callers, key, &t->callers_of[t->n]); t->n++) {
		key = &t->callers_of[t->n];
		if (program_look_up(t->callers, key, &t->calls[t->n]))
			t->calls[t->n] = (struct slab_calls){ 0 };
	}
}

static void run(struct qmem_job *job)
{
	struct slab_tracing *t = (struct slab_tracing *)(void *)job;

	if (!t->over)
		t->err = attach(t);
	else
		read_callers(t);
	if (t->err || t->over)
		detach(t);
}

/* ---- the answer ---- */

struct share {
	const char *text;
	uint32_t pid;
	uint64_t bytes;
};

static int by_bytes(const void *a, const void *b)
{
	uint64_t x = ((const struct share *)a)->bytes, y = ((const struct share *)b)->bytes;

	return (x < y) - (x > y);
}

static void add_share(struct share *shares, size_t *n, const char *text, uint32_t pid, uint64_t bytes)
{
	size_t i = 0;

	while (i < *n && (shares[i].pid != pid || strcmp(shares[i].text, text) != 0))
		i++;
	if (i == *n)
		shares[(*n)++] = (struct share){ text, pid, 0 };
	shares[i].bytes += bytes;
}

static void print_shares(char *dst, size_t size, struct share *shares, size_t n, uint64_t all)
{
	qsort(shares, n, sizeof(*shares), by_bytes);
	for (size_t i = 0; i < n && i < SHOWN && shares[i].bytes; i++) {
		unsigned percent = (unsigned)((double)shares[i].bytes * 100 / (double)all + 0.5);
		char name[4 * sizeof(((struct slab_calls *)0)->symbol)];

		escape_name(name, sizeof(name), *shares[i].text ? shares[i].text : "?");
		if (shares[i].pid)
			words_add_whole(dst, size, "%s'%s' (pid %" PRIu32 ") %u %%", i ? ", " : "", name, shares[i].pid,
					percent);
		else
			words_add_whole(dst, size, "%s%s %u %%", i ? ", " : "", name, percent);
	}
}

static void conclude(struct slab_tracing *t, struct slab_who_answer *answer)
{
	struct share *shares = calloc(SLAB_CALLERS, sizeof(*shares));
	uint64_t all = t->lost_bytes;
	size_t n = 0;

	*answer = (struct slab_who_answer){ .bytes = 0 };
	if (t->err)
		memcpy(answer->why, t->why, sizeof(answer->why));
	if (t->err || !shares)
		goto out;
	for (size_t i = 0; i < t->n; i++) {
		t->calls[i].comm[sizeof(t->calls[i].comm) - 1] = '\0';
		t->calls[i].symbol[sizeof(t->calls[i].symbol) - 1] = '\0';
		all += t->calls[i].bytes;
	}
	answer->bytes = all > INT64_MAX ? INT64_MAX : (int64_t)all;
	if (!all) {
		snprintf(answer->why, sizeof(answer->why), "nobody has allocated for two seconds");
		goto out;
	}
	for (size_t i = 0; i < t->n; i++)
		add_share(shares, &n, t->calls[i].comm, t->callers_of[i].pid, t->calls[i].bytes);
	print_shares(answer->processes, sizeof(answer->processes), shares, n, all);
	for (size_t i = n = 0; i < t->n; i++)
		add_share(shares, &n, t->calls[i].symbol, 0, t->calls[i].bytes);
	print_shares(answer->functions, sizeof(answer->functions), shares, n, all);
out:
	free(shares);
}

/* ---- in the engine ---- */

static void drop(struct slab_tracing *t)
{
	detach(t);
	free(t);
}

static void fail(struct slab_who *w, const char *why)
{
	w->answer = (struct slab_who_answer){ 0 };
	snprintf(w->answer.why, sizeof(w->answer.why), "%s", why);
	w->ready = true;
}

static void done(struct qmem *q, struct qmem_job *job)
{
	struct slab_tracing *t = (struct slab_tracing *)(void *)job;
	struct slab_who *w = t->who;

	t->busy = false;
	if (!q || !w) {
		drop(t);
		return;
	}
	if (!t->err && !t->over) {
		qmem_timer_set(q, &w->timer, qmem_now(q) + SLAB_WHO_TIME);
		return;
	}
	conclude(t, &w->answer);
	w->ready = true;
	w->tracing = NULL;
	drop(t);
}

static void work(struct qmem *q, struct slab_who *w)
{
	struct slab_tracing *t = w->tracing;

	t->job = (struct qmem_job){ .run = run, .done = done, .lane = QMEM_TARGETS };
	snprintf(t->job.what, sizeof(t->job.what), "bpf(2)");
	snprintf(t->job.id, sizeof(t->job.id), "bpf");
	t->busy = true;
	if (!qmem_work(q, &t->job))
		return;
	w->tracing = NULL;
	drop(t);
	fail(w, "there is no worker");
}

static void expired(struct qmem *q, struct qmem_timer *timer)
{
	struct slab_who *w = timer->arg;

	if (!w->tracing)
		return;
	/* takes less than a millisecond; the worker may be busy, and what is attached costs whoever allocates */
	close(w->tracing->link);
	w->tracing->link = -1;
	w->tracing->over = true;
	work(q, w);
}

static bool configure(struct slab_tracing *t, const struct slab_who_question *question)
{
	struct slab_trace_config *config = &t->config;
	const char *name = question->first;

	if (question->objsize <= 0 || question->objsize > UINT32_MAX)
		return false;
	config->size = (uint32_t)question->objsize;
	/* a family is its members' beginning, or kmalloc's of one size */
	if (strncmp(question->cache, KMALLOC, strlen(KMALLOC)) == 0) {
		t->kmalloc = true;
		return true;
	}
	if (strcmp(question->cache, name) != 0) {
		config->prefix = 1;
		name = question->cache;
	}
	config->len = (uint32_t)strlen(name);
	memcpy(config->name, name, config->len);
	return true;
}

bool slab_who_ask(struct qmem *q, struct slab_who *w, const struct slab_who_question *question)
{
	if (*w->cache)
		return false;
	memcpy(w->cache, question->cache, sizeof(w->cache));
	w->since = qmem_now(q);
	w->ready = false;
	w->timer.expired = expired;
	w->timer.arg = w;
	w->tracing = calloc(1, sizeof(*w->tracing));
	if (!w->tracing) {
		fail(w, strerror(ENOMEM));
		return true;
	}
	w->tracing->who = w;
	w->tracing->link = w->tracing->callers = -1;
	if (configure(w->tracing, question)) {
		work(q, w);
		return true;
	}
	drop(w->tracing);
	w->tracing = NULL;
	fail(w, "how large its objects are is not known");
	return true;
}

static void abandon(struct qmem *q, struct slab_who *w)
{
	qmem_timer_cancel(q, &w->timer);
	if (!w->tracing)
		return;
	w->tracing->who = NULL;
	if (!w->tracing->busy)
		drop(w->tracing);
	w->tracing = NULL;
}

bool slab_who_take(struct qmem *q, struct slab_who *w, const char *cache, struct slab_who_answer *ret)
{
	if (strcmp(w->cache, cache) != 0)
		return false;
	if (!w->ready && qmem_now(q) - w->since > PATIENCE) {
		abandon(q, w);
		fail(w, "the worker is busy");
	}
	if (!w->ready)
		return false;
	*ret = w->answer;
	*w->cache = '\0';
	return true;
}

void slab_who_release(struct qmem *q, struct slab_who *w)
{
	abandon(q, w);
}
