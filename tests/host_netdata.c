/* SPDX-License-Identifier: MIT */
/*
 * What the Netdata host says for a recorded root: two ticks on a scripted clock, through its own sink.
 *	host_netdata ROOT [service.Option=value ...]
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../netdata/output.h"
#include "../netdata/sink.h"
#include "root.h"

static struct output output = { .fd = STDOUT_FILENO };
static struct sink sink;

static void values(void *host, const struct qmem_round *round, const struct qmem_family *family,
		   const struct qmem_instance *instance, const void *sample)
{
	(void)host;
	sink_values(&sink, round, family, instance, sample);
}

static void collected(void *host, const struct qmem_round *round)
{
	(void)host;
	sink_collected(&sink, round);
}

static uint64_t cpu_ns(void *host)
{
	uint64_t *clock = host;

	return *clock += 1000;
}

/* What is given to the worker is done after the tick. */
static struct qmem_job *jobs;

static int work(void *host, struct qmem_job *job)
{
	struct qmem_job **last = &jobs;

	(void)host;
	while (*last)
		last = &(*last)->next;
	job->next = NULL;
	*last = job;
	return 0;
}

static void work_all(struct qmem *q, uint64_t now)
{
	while (jobs) {
		struct qmem_job *job = jobs;

		jobs = job->next;
		job->run(job);
		qmem_worked(q, job, now);
	}
}

static const struct qmem_host host = { .values = values, .collected = collected, .cpu_ns = cpu_ns };
static const struct qmem_host with_worker = {
	.values = values, .collected = collected, .cpu_ns = cpu_ns, .work = work
};

static bool set(struct qmem *q, char *argument)
{
	char *value = strchr(argument, '='), *option = strchr(argument, '.');
	struct qmem_error error;

	if (!value || !option || option > value)
		return false;
	*value++ = *option++ = '\0';
	return !qmem_set(q, argument, NULL, NULL, option, value, &error);
}

int main(int argc, char **argv)
{
	uint64_t now = 1000 * QMEM_SECOND, clock = 0;
	struct qmem_error error;
	struct qmem *q;

	if (argc < 2) {
		fprintf(stderr, "usage: host_netdata ROOT [service.Option=value ...]\n");
		return 2;
	}
	q = qmem_new(argc == 2 ? &host : &with_worker, &clock, qmem_services);
	if (!q || sink_init(&sink, qmem_services, &output))
		return 2;
	for (int i = 2; i < argc; i++)
		if (!set(q, argv[i]))
			return 2;
	if (qmem_set(q, NULL, NULL, NULL, "HostRoot", root_copy(argv[1]), &error) ||
	    qmem_start(q, QMEM_SECOND, QMEM_SECOND, now))
		return 2;
	for (int tick = 1; tick == 1 || root_lay(argv[1], tick); tick++) {
		sink_begin(&sink);
		qmem_collect(q, now);
		sink_end(&sink);
		work_all(q, now);
		if (output_flush(&output))
			return 2;
		now += 10 * QMEM_SECOND; /* which are between the two of a root */
	}
	qmem_free(q);
	sink_release(&sink);
	output_release(&output);
	root_remove();
	return 0;
}
