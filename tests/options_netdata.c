/* SPDX-License-Identifier: MIT */
/* Reads the qmem.conf given, and prints the calls of qmem_set(): service, block, block name, option, value, separated by tabs.
 * What the reader complains of goes to stderr. */
#include <stdio.h>

#include "program/config.h"

int qmem_set(struct qmem *q, const char *service, const char *block, const char *block_name, const char *option,
	     const char *value, struct qmem_error *error)
{
	(void)q;
	(void)error;
	if (option)
		printf("%s\t%s\t%s\t%s\t%s\n", service ? service : "", block ? block : "", block_name ? block_name : "",
		       option, value);
	return 0;
}

void qmem_at(struct qmem *q, const char *place)
{
	(void)q;
	(void)place;
}

int main(int argc, char **argv)
{
	struct config config = { 0 };
	int err;

	if (argc != 2)
		return 2;
	err = config_read(NULL, argv[1], &config);
	for (size_t i = 0; i < config.n; i++)
		fprintf(stderr, "%s\n", config.errors[i]);
	config_release(&config);
	return err || fflush(stdout) ? 1 : 0;
}
