/* SPDX-License-Identifier: MIT */
/* Standard input, output and error of a program that is run by hand. */
#ifndef QMEM_PROGRAM_STANDARD_H
#define QMEM_PROGRAM_STANDARD_H

/* Opens those that are closed: such a one would become some file of ours. */
void standard_open(void);
/* `status`, or 1 if standard output could not be written: then that is said. */
int standard_finish(int status);

#endif
