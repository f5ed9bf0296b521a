/* SPDX-License-Identifier: MIT */
/* /proc/pressure/RESOURCE, and the files of the same form in a cgroup. Linux 4.20; "irq" 6.1. */
#ifndef QMEM_PROC_PSI_H
#define QMEM_PROC_PSI_H

#include <stddef.h>
#include <stdint.h>

#include "proc/fault.h"

enum psi_resource { PSI_MEMORY, PSI_IO, PSI_CPU, PSI_IRQ, PSI_RESOURCES };
enum psi_kind { PSI_SOME, PSI_FULL, PSI_KINDS };

extern const char *const psi_resources[PSI_RESOURCES]; /* the names of the files */
extern const char *const psi_kinds[PSI_KINDS];

/* QMEM_NA where the file does not say: irq has no "some", cpu has no "full" before 5.13. */
struct psi_line {
	int64_t avg10, avg60, avg300; /* 1/100 percent of the last so many seconds */
	int64_t total;                /* microseconds stalled */
};

struct psi {
	struct psi_line kind[PSI_KINDS];
};

/* Unknown lines and words are passed over; of a known word that is malformed the value is QMEM_NA, and told in *ret_fault.
 * -ENODATA: there is no line that is known. */
int psi_parse(const char *text, size_t len, struct psi *ret, struct fault *ret_fault);

#endif
