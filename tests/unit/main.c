/* SPDX-License-Identifier: MIT */
/*
 * All suites, as TAP on stdout. Arguments are the names of those to run:
 *	tests/unit/unit meminfo psi
 */
#include "unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct unit_suite *suites, **last = &suites;

void unit_add(struct unit_suite *suite)
{
	*last = suite;
	last = &suite->next;
}

static bool run(SRunner *runner, const char *name)
{
	bool found = false;

	for (struct unit_suite *suite = suites; suite; suite = suite->next) {
		if (name && strcmp(suite->name, name) != 0)
			continue;
		srunner_add_suite(runner, suite->make());
		found = true;
	}
	return found;
}

int main(int argc, char **argv)
{
	SRunner *runner = srunner_create(NULL);
	int failed;

	/* a bound for those that hang, not for a machine that has much to do */
	setenv("CK_DEFAULT_TIMEOUT", "60", 0);
	for (int i = 1; i < argc; i++) {
		if (!run(runner, argv[i])) {
			fprintf(stderr, "unit: no suite '%s'\n", argv[i]);
			return EXIT_FAILURE;
		}
	}
	if (argc == 1 && !run(runner, NULL))
		return EXIT_FAILURE;
	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
