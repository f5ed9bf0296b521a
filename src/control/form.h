/* SPDX-License-Identifier: MIT */
/* A way to write down sheets, and the words around them. */
#ifndef QMEM_CONTROL_FORM_H
#define QMEM_CONTROL_FORM_H

#include <stdint.h>
#include <stdio.h>

#include "control/sheet.h"

struct form {
	bool document;         /* what is written becomes part of one, which says by itself what it is about */
	const char *between;   /* two things */
	const char *paragraph; /* before one, unless it is the first under a heading */
	const char *indent;    /* before the words that stand in for a table */
	void (*put)(FILE *out, enum style style, const char *text);
	void (*heading)(FILE *out, const char *what, const char *name);
	void (*sheet)(FILE *out, const struct sheet *sheet);
};

extern const struct form form_text, form_markdown, form_man;

/* A character that may be written. */
struct letter {
	uint32_t code;
	char utf8[5];
};

/* Takes one off the text: blanks are ' ', what is not UTF-8 or not to be seen is '?'. */
struct letter form_letter(const char **text);

#endif
