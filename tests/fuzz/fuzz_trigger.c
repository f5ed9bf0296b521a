/* SPDX-License-Identifier: MIT */
/* A trigger is taken only within the kernel's limits; and as it is named, it is taken again. */
#include <stdlib.h>
#include <string.h>

#include "service/trigger.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), name[TRIGGER_NAME];
	struct trigger_spec spec, again;
	const char *why = NULL;

	memcpy(text, data, size);
	text[size] = '\0';
	if (trigger_parse(text, &spec, &why)) {
		if (!why || !trigger_check(text))
			abort();
		free(text);
		return 0;
	}
	if ((unsigned)spec.resource >= PSI_RESOURCES || (unsigned)spec.kind >= PSI_KINDS || spec.stall < 1000 ||
	    spec.stall > spec.window || spec.window < 500000000 || spec.window > 10000000000 ||
	    spec.severity == QMEM_OKAY)
		abort();
	trigger_name(name, sizeof(name), &spec);
	for (char *s = name; (s = strchr(s, '_'));)
		*s = ' ';
	if (trigger_parse(name, &again, &why) || again.resource != spec.resource || again.kind != spec.kind ||
	    again.stall != spec.stall || again.window != spec.window)
		abort();
	free(text);
	return 0;
}
