/* SPDX-License-Identifier: MIT */
/*
 * What the table has of processes only while it is wanted, where no BPF has it: /proc/PID/io, fd and limits, on the worker, since
 * io waits for a process that is in the middle of an exec. It is of those that have run, and a round old or more; of others'
 * processes io needs rights, and fd, too, before Linux 6.2.
 */
#ifndef QMEM_PROCESS_PIDFILES_H
#define QMEM_PROCESS_PIDFILES_H

#include "process/backend/records.h"

struct pidfiles;

/* -ENOMEM. */
int pidfiles_new(struct qmem *q, struct pidfiles **ret);
void pidfiles_free(struct pidfiles *f);
/* Once a round, when the table has been filled: into it goes what has been read, and what is to be read is asked for. -ENOMEM. */
int pidfiles_round(struct qmem *q, struct pidfiles *f, struct records *records);

#endif
