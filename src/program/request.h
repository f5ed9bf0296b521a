/* SPDX-License-Identifier: MIT */
/* What is asked of a program on its command line. All of it is the command line's. */
#ifndef QMEM_PROGRAM_REQUEST_H
#define QMEM_PROGRAM_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

struct request {
	const char *program; /* what it calls itself when it complains */
	bool apart;          /* it is not the agent's: its rights and its configuration may be others */
	const char *config;  /* a file; NULL: qmem.conf where Netdata has it */
	const char *const *
		settings; /* n_settings of SERVICE.OPTION=VALUE and the like (config.h), on top of the file; may be NULL */
	size_t n_settings;
	const char *format; /* a word of describe_services(); NULL: text */
	const char *span;   /* a duration, of show_difference(); NULL: its default */
	char *const *words; /* n_words, names of services where there may be some */
	size_t n_words;
};

/* Says what is wrong with a word, and returns the exit status for that, 2. */
int request_wrong(const struct request *r, const char *what, const char *word);
/* The same for what is no service; says which was meant, also where the word is a family. */
int request_no_service(const struct request *r, const char *word);
/* The same, with a word that was meant, or NULL. */
int request_unlike(const struct request *r, const char *what, const char *word, const char *meant);

#endif
