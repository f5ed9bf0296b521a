/* SPDX-License-Identifier: MIT */
/* What there is to configure and to see, once, on stdout. */
#ifndef QMEM_PROGRAM_DESCRIBE_H
#define QMEM_PROGRAM_DESCRIBE_H

#include "program/request.h"

/* The services that the request names, or all, as control/describe.h has them: in the format "text", "markdown" or "man".
 * Returns the exit status. */
int describe_services(const struct request *r);

#endif
