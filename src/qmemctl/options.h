/* SPDX-License-Identifier: MIT */
/* The options of qmemctl, whichever command they are for. */
#ifndef QMEM_QMEMCTL_OPTIONS_H
#define QMEM_QMEMCTL_OPTIONS_H

struct options_row {
	char letter;
	const char *name;
	const char *argument; /* NULL: it takes none */
	const char *help;
};

#define OPTIONS 6
extern const struct options_row options[OPTIONS];
/* Those that every command takes. */
#define OPTIONS_OF_ALL "hV"

#endif
