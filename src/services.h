/* SPDX-License-Identifier: MIT */
/* The built-in services, each the last object of its file under service/. */
#ifndef QMEM_SERVICES_H
#define QMEM_SERVICES_H

#include "qmem.h"

extern const struct qmem_service meminfo_service;
extern const struct qmem_service vmstat_service;
extern const struct qmem_service pressure_service;
extern const struct qmem_service netstat_service;
extern const struct qmem_service cpuload_service;
extern const struct qmem_service procmem_service;
extern const struct qmem_service heapmon_service;
extern const struct qmem_service procstat_service;
extern const struct qmem_service self_service;

#endif
