/* SPDX-License-Identifier: MIT */
/* Standard input, output and error of a program that is run by hand. */
#ifndef QMEM_PROGRAM_STANDARD_H
#define QMEM_PROGRAM_STANDARD_H

/* Opens those that are closed, which would become some file of ours: there is nothing to read, and writing fails. */
void standard_open(void);
/* `status`, or 1 if standard output could not be written, which `program` says. */
int standard_finish(const char *program, int status);

#endif
