/* SPDX-License-Identifier: MIT */
#include "recorder.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "engine/name.h"
#include "util/escape.h"

/* Exactly, without the floating point's noise: the divisor is a power of ten, or 1. */
static void print_scaled(FILE *out, int64_t value, int64_t divisor)
{
	int digits = 0;

	for (int64_t d = divisor; d > 1; d /= 10)
		digits++;
	fprintf(out, "%s%" PRId64, value < 0 && value / divisor == 0 ? "-" : "", value / divisor);
	if (digits)
		fprintf(out, ".%0*" PRId64, digits, value < 0 ? -(value % divisor) : value % divisor);
}

static void on_values(void *host, const struct qmem_round *round, const struct qmem_family *family,
		      const struct qmem_instance *instance, const void *sample)
{
	struct recorder *r = host;
	char name[512];

	r->when = round->now;
	if (r->no_values)
		return;
	for (const struct qmem_metric *m = family->metrics; m->id; m++) {
		int64_t value = qmem_value(m, sample);

		qmem_canonical(name, sizeof(name), round->service->name, family->id, m->id,
			       instance ? instance->name : NULL);
		fprintf(r->out, "%s ", name);
		if (value == QMEM_NA)
			fputc('-', r->out);
		else
			print_scaled(r->out, value, family->divisor);
		fprintf(r->out, " %s%s\n", family->unit, family->kind == QMEM_COUNTER ? " total" : "");
	}
}

static void on_collected(void *host, const struct qmem_round *round)
{
	struct recorder *r = host;

	if (!r->no_values)
		fprintf(r->out, "collected %s every %" PRIu64 " ms\n", round->service->name, round->interval / 1000000);
}

static void on_stopped(void *host, const struct qmem_service *service)
{
	fprintf(((struct recorder *)host)->out, "stopped %s\n", service->name);
}

static const char *shown(char *dst, size_t size, const char *name)
{
	escape_name(dst, size, name);
	return dst;
}

static void on_event(void *host, const struct qmem_event *event)
{
	static const char *const severities[] = { "OKAY", "WARNING", "FAILURE" };
	struct recorder *r = host;
	char text[1024];

	fprintf(r->out, "event %s %s.%s[%s] %s\n", severities[event->severity], event->service, event->name,
		shown(text, sizeof(text), event->instance ? event->instance : ""), event->message);
	for (const struct qmem_label *l = event->fields; l && l->name; l++)
		fprintf(r->out, "  %s=%s\n", l->name, shown(text, sizeof(text), l->value));
}

static void on_log(void *host, enum qmem_level level, const char *text)
{
	static const char *const levels[] = { "error", "warning", "notice", "info", "debug" };

	fprintf(((struct recorder *)host)->out, "log %s %s\n", levels[level], text);
}

static void run_job(struct recorder *r, struct qmem_job *job)
{
	uint64_t before = r->cpu_ns;

	job->run(job);
	job->cpu_ns = r->cpu_ns - before + r->job_ns;
	qmem_worked(r->q, job, r->q ? qmem_now(r->q) : 0);
}

static int on_work(void *host, struct qmem_job *job)
{
	struct recorder *r = host;
	struct qmem_job **at = &r->jobs;

	if (r->no_jobs)
		return -EAGAIN;
	if (!r->hold_jobs) {
		run_job(r, job);
		return 0;
	}
	while (*at)
		at = &(*at)->next;
	*at = job;
	return 0;
}

static int on_recall(void *host, struct qmem_job *job)
{
	struct recorder *r = host;
	struct qmem_job **at = &r->jobs;

	while (*at != job)
		at = &(*at)->next;
	*at = job->next;
	job->next = NULL;
	return 0;
}

static int on_leave(void *host, struct qmem_job *job)
{
	struct recorder *r = host;

	if (r->back || r->no_threads)
		return r->back ? -EALREADY : -EAGAIN;
	on_recall(r, job);
	job->next = r->left;
	r->left = job;
	return 0;
}

static uint64_t on_cpu_ns(void *host)
{
	struct recorder *r = host;

	return r->cpu_ns += r->cpu_step;
}

static uint64_t on_now(void *host)
{
	const struct recorder *r = host;

	return r->clock ? r->clock() : 0;
}

const struct qmem_host recorder_host = {
	.values = on_values,
	.collected = on_collected,
	.stopped = on_stopped,
	.event = on_event,
	.log = on_log,
	.work = on_work,
	.leave = on_leave,
	.recall = on_recall,
	.cpu_ns = on_cpu_ns,
	.now = on_now,
};

void recorder_init(struct recorder *r, FILE *out)
{
	*r = (struct recorder){ .out = out };
	r->kept = !out;
	if (r->kept)
		r->out = open_memstream(&r->text, &r->size);
	if (!r->out)
		abort();
}

static bool give_back(struct qmem_job **jobs)
{
	struct qmem_job *job = *jobs;

	if (!job)
		return false;
	*jobs = job->next;
	qmem_worked(NULL, job, 0);
	return true;
}

void recorder_release(struct recorder *r)
{
	while (give_back(&r->jobs) || give_back(&r->left))
		continue;
	if (r->kept)
		fclose(r->out);
	free(r->text);
}

const char *recorder_take(struct recorder *r)
{
	const char *taken;

	fflush(r->out);
	taken = r->text + r->taken;
	r->taken = r->size;
	return taken;
}

static bool run_first(struct recorder *r, struct qmem_job **jobs)
{
	struct qmem_job *job = *jobs;

	if (!job)
		return false;
	*jobs = job->next;
	run_job(r, job);
	return true;
}

bool recorder_work(struct recorder *r)
{
	return run_first(r, &r->jobs);
}

bool recorder_come_back(struct recorder *r)
{
	return run_first(r, &r->left);
}

int recorder_wait(struct recorder *r, int ms, uint64_t now)
{
	struct epoll_event events[16];
	int n = epoll_wait(qmem_fd(r->q), events, 16, ms);

	qmem_dispatch(r->q, events, n > 0 ? n : 0, now);
	return n;
}
