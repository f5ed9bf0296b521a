/* SPDX-License-Identifier: MIT */
/* Names lie in the text, blocks are counts, and the kernel's indexes keep to their ranges. */
#include "fuzz.h"
#include "proc/buddy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct buddy_walk walk = { .at = text, .end = text + size };
	struct buddy b;

	for (const char *before = text; buddy_next(&walk, &b); before = walk.at) {
		check(b.zone_len && b.zone > before && b.zone + b.zone_len < walk.at && walk.at <= walk.end);
		check(!memchr(b.zone, '\0', b.zone_len) && !memchr(b.zone, ' ', b.zone_len) && b.node >= 0);
		check(b.orders > 0 && b.orders <= BUDDY_ORDERS && is_count(buddy_pages(b.blocks, b.orders)));
		for (int order = 0; order <= BUDDY_ORDERS; order++) {
			int64_t unusable = buddy_unusable(b.blocks, b.orders, order);
			int64_t extfrag = buddy_fragmentation(b.blocks, b.orders, order);

			check(order == BUDDY_ORDERS || is_count(b.blocks[order]));
			check(order < b.orders || order == BUDDY_ORDERS || b.blocks[order] == QMEM_NA);
			check(is_count(unusable) && unusable <= 1000);
			check(extfrag == QMEM_NA || (extfrag >= -1000 && extfrag <= 1000));
		}
	}
	check(walk.at == walk.end);
	free(text);
	return 0;
}
