/* SPDX-License-Identifier: MIT */
/* A service as this engine runs it: which it is, and for whom it runs. */
#ifndef QMEM_ENGINE_RUN_H
#define QMEM_ENGINE_RUN_H

#include "engine/engine.h"

struct qmem_run *run_of(const struct qmem *q, const struct qmem_service *service);
/* What has to be collected before it, NULL: nothing that runs; and the first of all that do. */
struct qmem_run *run_needs(const struct qmem *q, const struct qmem_run *run);
const struct qmem_run *run_root(const struct qmem *q, const struct qmem_run *run);
/* The service without which it cannot run, since that is for others only and set to no; NULL. */
const struct qmem_run *run_barred(const struct qmem *q, const struct qmem_run *run);
/* Does it run for itself? And for another one? */
bool run_wanted(const struct qmem *q, const struct qmem_run *run);
bool run_needed(const struct qmem *q, const struct qmem_run *run);
/* Does the host show this family of it? */
bool run_shows(const struct qmem *q, const struct qmem_run *run, const struct qmem_family *family);
/* Are there families of it that only Overlap keeps from being shown, and none that is? */
bool run_overlaps(const struct qmem *q, const struct qmem_run *run);

#endif
