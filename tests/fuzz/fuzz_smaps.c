/* SPDX-License-Identifier: MIT */
/* However smaps is cut into pieces, the sums are the same, and never negative. */
#include "fuzz.h"
#include "proc/smaps.h"

/* In pieces of `piece` more bytes at a time. false: refused. */
static bool feed(struct smaps *s, const char *text, size_t size, size_t piece, bool heap_only)
{
	size_t from = 0, to = 0;

	smaps_begin(s, heap_only);
	while (to < size && !s->enough) {
		int64_t n;

		to = size - to > piece ? to + piece : size;
		n = smaps_feed(s, text + from, to - from);
		if (n < 0)
			return false;
		check((size_t)n <= to - from);
		from += (size_t)n;
	}
	smaps_end(s);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct smaps whole, pieces, heap;
	struct smaps_rollup r;

	if (!smaps_rollup_parse(text, size, &r)) {
		check(is_size(r.rss) && is_size(r.pss) && is_size(r.uss) && is_size(r.swap) && is_size(r.swap_pss));
		check(r.pss >= 0);
	}
	if (feed(&whole, text, size, size, false)) {
		for (int k = 0; k < SMAPS_KINDS; k++)
			check(is_count(whole.kinds[k].size) && is_count(whole.kinds[k].rss) &&
			      is_count(whole.kinds[k].dirty));
		check(feed(&pieces, text, size, 7, false));
		check(memcmp(whole.kinds, pieces.kinds, sizeof(whole.kinds)) == 0);
		check(whole.mappings == pieces.mappings);
	}
	(void)feed(&heap, text, size, size, true);
	free(text);
	return 0;
}
