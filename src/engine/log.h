/* SPDX-License-Identifier: MIT */
#ifndef QMEM_ENGINE_LOG_H
#define QMEM_ENGINE_LOG_H

#include "engine/engine.h"

/* The words for err: qmem_fail()'s if a hook gave some, else the system's. */
const char *log_words(struct qmem *q, int err, char *buffer, size_t size);

#endif
