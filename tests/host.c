/* SPDX-License-Identifier: MIT */
/*
 * The third host: two ticks on a scripted clock below a recorded root, printed.
 *	host ROOT [service.Option=value ...]
 * What it prints for a root of tests/roots is a golden transcript.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recorder.h"
#include "root.h"

static void set(struct qmem *q, const char *service, const char *option, const char *value)
{
	struct qmem_error error;

	if (qmem_set(q, service, NULL, NULL, option, value, &error))
		printf("option error %s\n", error.text);
}

static void set_argument(struct qmem *q, char *argument)
{
	char *value = strchr(argument, '='), *dot = strchr(argument, '.');

	if (!value || !dot || dot > value) {
		fprintf(stderr, "host: '%s' is not service.Option=value\n", argument);
		exit(2);
	}
	*value++ = '\0';
	*dot++ = '\0';
	set(q, argument, dot, value);
}

int main(int argc, char **argv)
{
	uint64_t now = 1000 * QMEM_SECOND;
	struct recorder r;
	const char *copy;
	struct qmem *q;

	if (argc < 2) {
		fprintf(stderr, "usage: host ROOT [service.Option=value ...]\n");
		return 2;
	}
	copy = root_copy(argv[1]);
	recorder_init(&r, stdout);
	r.cpu_step = 1000;
	q = r.q = qmem_new(&recorder_host, &r, qmem_services);
	if (!q)
		return 2;
	set(q, NULL, "HostRoot", copy);
	for (size_t i = 0; qmem_services[i]; i++)
		set(q, qmem_services[i]->name, "Detail", "yes");
	for (int i = 2; i < argc; i++)
		set_argument(q, argv[i]);
	if (qmem_start(q, 10 * QMEM_SECOND, 10 * QMEM_SECOND, now))
		printf("nothing can run\n");
	for (int tick = 1; tick <= 2; tick++) {
		struct qmem_status status;

		printf("# tick %d\n", tick);
		if (tick > 1)
			root_lay(argv[1], tick);
		if (qmem_collect(q, now))
			printf("nothing could be read\n");
		qmem_dispatch(q, NULL, 0, now);
		now += 10 * QMEM_SECOND;
		for (size_t i = 0; tick == 2 && qmem_status(q, i, &status); i++)
			printf("status %s %s %s\n", status.service->name, status.on ? "on" : "off", status.reason);
	}
	qmem_free(q);
	recorder_release(&r);
	root_remove();
	return 0;
}
