/* SPDX-License-Identifier: MIT */
/* As the agent runs us: a heartbeat, and one wait for everything. */
#ifndef QMEM_NETDATA_PLUGIN_H
#define QMEM_NETDATA_PLUGIN_H

#include "program/request.h"

/* Returns the exit status; descriptors 0 to 2 are open. */
int plugin_run(const struct request *r, unsigned update_every);

#endif
