/* SPDX-License-Identifier: MIT */
/* One line that fits, without blanks around it. */
#include "fuzz.h"
#include "proc/edacline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), line[64];

	for (size_t room = 1; room <= sizeof(line); room += 21) {
		size_t len = edacline_parse(text, size, line, room);

		check(len < room && strlen(line) == len && !strchr(line, '\n'));
		check(!len || (line[0] != ' ' && line[len - 1] != ' '));
	}
	free(text);
	return 0;
}
