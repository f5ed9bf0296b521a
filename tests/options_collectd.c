/* SPDX-License-Identifier: MIT */
/* A collectd plugin that reads options as qmem does, and writes the calls of qmem_set() to the file $QMEM_CALLS: one a line,
 * fields separated by tabulators. */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "config.h"

int qmem_set(struct qmem *q, const char *service, const char *block, const char *block_name, const char *option,
	     const char *value, struct qmem_error *error)
{
	FILE *file = option ? fopen(getenv("QMEM_CALLS"), "ae") : NULL;

	(void)q;
	(void)error;
	if (!option)
		return 0;
	if (!file)
		abort();
	fprintf(file, "%s\t%s\t%s\t%s\t%s\n", service ? service : "", block ? block : "", block_name ? block_name : "",
		option, value);
	fclose(file);
	return 0;
}

bool qmem_is_phrase(const struct qmem *q, const char *service, const char *block, const char *option)
{
	(void)q;
	(void)service;
	(void)block;
	return strcasecmp(option, "Trigger") == 0;
}

bool qmem_is_block(const struct qmem *q, const char *service, const char *name)
{
	(void)q;
	(void)service;
	return strcasecmp(name, "Group") == 0;
}

static int on_config(oconfig_item_t *block)
{
	config_apply(NULL, block);
	return 0;
}

void module_register(void)
{
	plugin_register_complex_config("qmem_options", on_config);
}
