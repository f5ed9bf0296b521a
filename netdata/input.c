/* SPDX-License-Identifier: MIT */
#include "input.h"

#include <string.h>

/* Is this the first word of the line? */
static bool first(const struct input *in, const char *word)
{
	size_t len = strlen(word);

	return in->len >= len && memcmp(in->line, word, len) == 0 && (in->len == len || strchr(" \t\r", in->line[len]));
}

/* The words that 1.37.1 to 2.x write: FUNCTION*, QUIT. We have registered no function, and unknown words are ignored. */
static bool line(struct input *in)
{
	if (in->payload)
		in->payload = !first(in, "FUNCTION_PAYLOAD_END");
	else if (first(in, "FUNCTION_PAYLOAD"))
		in->payload = true;
	else
		return first(in, "QUIT");
	return false;
}

bool input_feed(struct input *in, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\n') {
			if (line(in))
				return true;
			in->len = 0;
		} else if (in->len < sizeof(in->line)) {
			in->line[in->len++] = text[i];
		}
	}
	return !in->payload && in->len == 4 && first(in, "QUIT");
}
