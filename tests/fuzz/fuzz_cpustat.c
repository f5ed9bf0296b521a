/* SPDX-License-Identifier: MIT */
/* Whatever is taken from /proc/stat or /proc/loadavg is a number a kernel may have meant. */
#include "fuzz.h"
#include "proc/cpustat.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct cpustat st;
	struct loadavg load;
	struct fault fault;

	if (!cpustat_parse(text, size, &st, &fault)) {
		for (int i = 0; i < CPUSTAT_MODES; i++)
			check(is_count(st.mode[i]));
		check(is_count(st.cpus) && is_count(st.ctxt) && is_count(st.btime) && is_count(st.processes));
		check(is_count(st.procs_running) && is_count(st.procs_blocked));
		/* only whole lines are taken */
		check(text[size - 1] == '\n' || fault.n);
	}
	if (!loadavg_parse(text, size, &load, &fault))
		for (int i = 0; i < LOADAVG_SPANS; i++)
			check(is_count(load.span[i]) && (load.span[i] != QMEM_NA || fault.n));
	free(text);
	return 0;
}
