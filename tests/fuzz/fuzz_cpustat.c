/* SPDX-License-Identifier: MIT */
/* Whatever is taken from /proc/stat or /proc/loadavg is a number a kernel may have meant. */
#include <stdlib.h>
#include <string.h>

#include "proc/cpustat.h"
#include "qmem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int64_t value)
{
	if (value != QMEM_NA && value < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* without a NUL, and of its exact size: a read beyond the end is found */
	char *text = malloc(size ? size : 1);
	struct cpustat st;
	struct loadavg load;

	if (size)
		memcpy(text, data, size);
	if (!cpustat_parse(text, size, &st)) {
		for (int i = 0; i < CPUSTAT_MODES; i++)
			check(st.mode[i]);
		check(st.cpus);
		check(st.ctxt);
		check(st.btime);
		check(st.processes);
		check(st.procs_running);
		check(st.procs_blocked);
		/* only whole lines are taken */
		if (!size || text[size - 1] != '\n')
			abort();
	}
	if (!loadavg_parse(text, size, &load))
		for (int i = 0; i < LOADAVG_SPANS; i++)
			if (load.span[i] < 0)
				abort();
	free(text);
	return 0;
}
