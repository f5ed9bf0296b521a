/* SPDX-License-Identifier: MIT */
/* A trigger is taken only within the kernel's limits; and as it is named, it is taken again. */
#include "fuzz.h"
#include "service/pressure_trigger.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size), name[TRIGGER_NAME];
	struct trigger_spec spec, again;
	char why[128] = "";

	if (trigger_parse(text, &spec, why, sizeof(why))) {
		check(*why);
		free(text);
		return 0;
	}
	check((unsigned)spec.resource < PSI_RESOURCES && (unsigned)spec.kind < PSI_KINDS);
	check(spec.stall >= 1000 && spec.stall <= spec.window);
	check(spec.window >= 500000000 && spec.window <= 10000000000 && spec.severity != QMEM_OKAY);
	trigger_name(name, sizeof(name), &spec);
	for (char *s = name; (s = strchr(s, '_'));)
		*s = ' ';
	check(!trigger_parse(name, &again, why, sizeof(why)) && again.resource == spec.resource &&
	      again.kind == spec.kind);
	check(again.stall == spec.stall && again.window == spec.window);
	free(text);
	return 0;
}
