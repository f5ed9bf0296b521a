/* SPDX-License-Identifier: MIT */
#include "program/request.h"

#include <stdio.h>

#include "program/standard.h"

int request_wrong(const struct request *r, const char *what, const char *word)
{
	standard_line(stderr, "%s: %s '%s'; see --help", r->program, what, word);
	return 2;
}
