/* SPDX-License-Identifier: MIT */
/*
 * What the Netdata host says for a recorded root: two ticks on a scripted clock, through its own sink.
 *	host_netdata ROOT
 */
#include <stdio.h>
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

static const struct qmem_host host = { .values = values, .collected = collected, .cpu_ns = cpu_ns };

int main(int argc, char **argv)
{
	uint64_t now = 1000 * QMEM_SECOND, clock = 0;
	struct qmem_error error;
	struct qmem *q;

	if (argc != 2) {
		fprintf(stderr, "usage: host_netdata ROOT\n");
		return 2;
	}
	q = qmem_new(&host, &clock, qmem_services);
	if (!q || sink_init(&sink, qmem_services, &output))
		return 2;
	if (qmem_set(q, NULL, NULL, NULL, "HostRoot", root_copy(argv[1]), &error) ||
	    qmem_start(q, QMEM_SECOND, QMEM_SECOND, now))
		return 2;
	for (int tick = 1; tick == 1 || root_lay(argv[1], tick); tick++) {
		sink_begin(&sink);
		qmem_collect(q, now);
		sink_end(&sink);
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
