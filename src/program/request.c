/* SPDX-License-Identifier: MIT */
#include "program/request.h"

#include <stdio.h>

int request_wrong(const struct request *r, const char *what, const char *word)
{
	fprintf(stderr, "%s: %s '%s'; see --help\n", r->program, what, word);
	return 2;
}
