/* SPDX-License-Identifier: MIT */
/*
 * A reader of ini text: sections, keys, comments. It opens nothing, allocates nothing, and has no limits of its own.
 *
 *	# a comment, also with ';', also after a value if a blank stands before it
 *	key = value                    before any section
 *	[service]
 *	key = a value with blanks
 *	key = "in quotes # ; kept"     \" and \\ in them
 *	[service.group "web"]          a named block
 */
#ifndef QMEM_PROGRAM_INI_H
#define QMEM_PROGRAM_INI_H

#include <stdbool.h>
#include <stddef.h>

/* The strings live in the text. */
struct ini_key {
	unsigned line;
	const char *section; /* NULL: before any */
	const char *block;   /* what follows the section's dot; NULL: nothing */
	const char *name;    /* the block's, without quotes; NULL: none */
	const char *key, *value;
};

struct ini_reader {
	/* a section begins, key and value are NULL; false: its keys are left out. May be NULL */
	bool (*section)(void *arg, const struct ini_key *at);
	void (*key)(void *arg, const struct ini_key *key);
	/* a line that is neither; it is left out, and if it was to be a section, its keys are as well */
	void (*bad)(void *arg, unsigned line, const char *why);
};

/* Cuts `text` to pieces; text[len] is written. */
void ini_read(char *text, size_t len, const struct ini_reader *reader, void *arg);

#endif
