/* SPDX-License-Identifier: MIT */
/* Descriptors that services and hosts wait for, all behind one: qmem_fd(). */
#ifndef QMEM_ENGINE_WATCH_H
#define QMEM_ENGINE_WATCH_H

#include "engine/engine.h"

int watches_init(struct qmem *q); /* -errno */
void watches_release(struct qmem *q);
/* Calls those that are ready, as epoll_wait() on qmem_fd() has told. */
void watches_dispatch(struct qmem *q, const struct epoll_event *events, int n);

#endif
