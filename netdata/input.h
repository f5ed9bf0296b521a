/* SPDX-License-Identifier: MIT */
/* What the agent writes to us. It is a pure reader of text: whole lines, and QUIT, which comes without an end. */
#ifndef QMEM_NETDATA_INPUT_H
#define QMEM_NETDATA_INPUT_H

#include <stdbool.h>
#include <stddef.h>

struct input {
	char line[4096]; /* the unfinished one; of a longer one only the first word counts */
	size_t len;
	bool payload; /* between FUNCTION_PAYLOAD and FUNCTION_PAYLOAD_END: not for us to look into */
};

/* Takes what was read. True: the agent wants us to leave. */
bool input_feed(struct input *in, const char *text, size_t len);

#endif
