/* SPDX-License-Identifier: MIT */
/* What is on, and what is wrong, once, on stdout. */
#ifndef QMEM_PROGRAM_CHECK_H
#define QMEM_PROGRAM_CHECK_H

/* A service a line: name, tab, on or off, tab, why or by what; then what is wrong with the configuration. Exit status: 0 if
 * that is nothing, and every service set to yes is on. */
int check_services(const char *config);

#endif
