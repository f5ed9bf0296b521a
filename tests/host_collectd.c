/* SPDX-License-Identifier: MIT */
/*
 * What the collectd host dispatches for a recorded root: the built plugin in the tests' own daemon, all its ticks on a
 * scripted clock.
 *	host_collectd QMEM.SO TYPES.DB ROOT
 */
#include "fake_daemon.h"

#include <inttypes.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "root.h"

static _Atomic time_t now = 1000;

/* The plugin's, and the C library's, since this one is found first. Threads use no CPU time here. */
int clock_gettime(clockid_t clock, struct timespec *ts)
{
	*ts = (struct timespec){ .tv_sec = clock == CLOCK_MONOTONIC ? now : 0 };
	return 0;
}

static void print_values(void)
{
	for (size_t i = 0; i < fake_values(); i++) {
		const struct fake_value *v = fake_value(i);

		printf("%s", v->name);
		for (size_t k = 0; k < v->n; k++) {
			if (isnan(v->values[k]))
				printf(" U");
			else
				printf(" %.15g", v->values[k]);
		}
		printf("%s%s\n", *v->meta ? " instance=" : "", v->meta);
	}
	fake_clear();
}

int main(int argc, char **argv)
{
	char config[512];

	if (argc != 4) {
		fprintf(stderr, "usage: host_collectd QMEM.SO TYPES.DB ROOT\n");
		return 2;
	}
	/* events come from another thread, whenever it is its turn: the other hosts' transcripts have them */
	snprintf(config, sizeof(config), "HostRoot \"%s\"\n<Service \"pressure\">\nTrigger none\n</Service>\n",
		 root_copy(argv[3]));
	fake.interval = TIME_T_TO_CDTIME_T(10);
	fake.threads_left = -1;
	if (!fake_load(argv[1]) || !fake_types(argv[2]) || fake_config(config) || fake.init())
		return 2;
	for (int tick = 1; tick == 1 || root_lay(argv[3], tick); tick++) {
		printf("# read %d\n", tick);
		fake.read(NULL);
		print_values();
		now += 10;
	}
	fake.shutdown();
	root_remove();
	return 0;
}
