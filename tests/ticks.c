/* SPDX-License-Identifier: MIT */
/*
 * All services on this machine, for tests that say when: each line on stdin is a tick, at the time it is; "+MS": from now on
 * it is so much later.
 *	ticks [service.Option=value ...] [service.Block{name}.Option=value ...]
 * What the services hand to their host is printed (recorder.h), then a line "end". A line "status" asks for their states, a
 * line "table" for what the table of services says of them: the name, what it needs, "charts" or "detail" if it has such
 * families, the source; "-" where there is nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "recorder.h"

static uint64_t clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * QMEM_SECOND + (uint64_t)t.tv_nsec;
}

/* "Block{name}.Option": the option, the others are cut off where they end. */
static char *cut_block(char *option, char **ret_name)
{
	char *open = strchr(option, '{'), *close = strstr(option, "}.");

	*ret_name = NULL;
	if (!open || !close || close < open)
		return option;
	*open = *close = '\0';
	*ret_name = open + 1;
	return close + 2;
}

static void set(struct qmem *q, char *argument)
{
	char *value = strchr(argument, '='), *dot = strchr(argument, '.'), *name, *option;
	struct qmem_error error;

	if (!value || !dot || dot > value) {
		fprintf(stderr, "ticks: '%s' is not service.Option=value\n", argument);
		exit(2);
	}
	*value++ = '\0';
	*dot++ = '\0';
	option = cut_block(dot, &name);
	if (qmem_set(q, argument, name ? dot : NULL, name, option, value, &error)) {
		fprintf(stderr, "ticks: %s\n", error.text);
		exit(2);
	}
}

static void print_status(const struct qmem *q)
{
	struct qmem_status status;

	for (size_t i = 0; qmem_status(q, i, &status); i++)
		printf("status %s %s %s\n", status.service->name, status.on ? "on" : "off", status.reason);
}

static const char *families(const struct qmem_family *family)
{
	static const char *const words[] = { "-", "charts", "detail", "charts,detail" };
	unsigned int has = 0;

	for (; family && family->id; family++)
		if (!(family->flags & QMEM_INTERNAL))
			has |= family->flags & QMEM_DETAIL ? 2 : 1;
	return words[has];
}

static void print_table(void)
{
	for (const struct qmem_service *const *services = qmem_services; *services; services++) {
		const struct qmem_service *service = *services;

		printf("service %s %s %s %s\n", service->name, service->needs ? service->needs->name : "-",
		       families(service->families), service->source ? service->source : "");
	}
}

/* A tick is due whenever it is asked for, and whatever it costs. */
int main(int argc, char **argv)
{
	struct qmem_error error;
	uint64_t ahead = 0;
	struct recorder r;
	char line[64];

	recorder_init(&r, stdout);
	r.cpu_step = 1000;
	r.q = qmem_new(&recorder_host, &r, qmem_services);
	if (!r.q)
		return 2;
	for (size_t i = 0; qmem_services[i]; i++)
		(void)qmem_set(r.q, qmem_services[i]->name, NULL, NULL, "Budget", "0", &error);
	for (int i = 1; i < argc; i++)
		set(r.q, argv[i]);
	if (qmem_start(r.q, 1000, 1000, clock_now()))
		return 2;
	while (fgets(line, sizeof(line), stdin)) {
		if (*line == '+')
			ahead += strtoull(line + 1, NULL, 10) * (QMEM_SECOND / 1000);
		if (strcmp(line, "status\n") == 0)
			print_status(r.q);
		else if (strcmp(line, "table\n") == 0)
			print_table();
		else
			qmem_collect(r.q, clock_now() + ahead);
		puts("end");
		fflush(stdout);
	}
	qmem_free(r.q);
	recorder_release(&r);
	return 0;
}
