/* SPDX-License-Identifier: MIT */
/* Standard input, output and error of a program that is run by hand. */
#ifndef QMEM_PROGRAM_STANDARD_H
#define QMEM_PROGRAM_STANDARD_H

#include <stdio.h>

/* Opens those that are closed, which would become some file of ours: there is nothing to read, and writing fails. */
void standard_open(void);
/* Text that may hold names, as it may be shown (escape.h). */
void standard_put(FILE *file, const char *text);
/* The same as a line. */
void standard_line(FILE *file, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* `status`, or 1 if standard output could not be written, which `program` says. */
int standard_finish(const char *program, int status);

#endif
