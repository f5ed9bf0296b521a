/* SPDX-License-Identifier: MIT */
/* Whatever is taken from a file of a process is a number a kernel may have meant, or a text that ends. */
#include "fuzz.h"
#include "proc/cpulist.h"
#include "proc/pidstat.h"

static void feed_stat(const char *text, size_t size)
{
	const struct pidstat_units units = { .page = 4096, .tick_ns = 10000000 };
	struct pidstatm statm;
	struct pidstat stat;
	int64_t ran;

	if (!pidstat_parse(text, size, &units, &stat)) {
		check(stat.pid > 0 && stat.ppid >= 0 && stat.threads >= 0);
		check(is_count(stat.minflt) && is_count(stat.majflt) && is_count(stat.utime) && is_count(stat.stime));
		check(stat.start >= 0 && is_count(stat.vsize));
		check(strnlen(stat.comm, sizeof(stat.comm)) < sizeof(stat.comm));
	}
	if (!pidstatm_parse(text, size, &units, &statm))
		check(is_count(statm.size) && is_count(statm.resident) && is_count(statm.shared));
	if (!pidschedstat_parse(text, size, &ran))
		check(ran >= 0);
}

static void feed_status(const char *text, size_t size)
{
	struct pidstatus st;

	if (pidstatus_parse(text, size, &st))
		return;
	check(text[size - 1] == '\n');
	check(is_count(st.uid) && st.uid <= UINT32_MAX);
	check(is_size(st.vmsize) && is_size(st.hwm) && is_size(st.rss) && is_size(st.anon) && is_size(st.file));
	check(is_size(st.shmem) && is_size(st.data) && is_size(st.pte) && is_size(st.swap));
}

static void feed_words(const char *text, size_t size)
{
	uint32_t cpus[32];
	char word[16];
	size_t n;

	if (!pidwchan_parse(text, size, word, sizeof(word)))
		check(strnlen(word, sizeof(word)) < sizeof(word));
	if (!cpulist_parse(text, size, cpus, 32, &n))
		check(n > 0 && n <= 32);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);

	feed_stat(text, size);
	feed_status(text, size);
	feed_words(text, size);
	free(text);
	return 0;
}
