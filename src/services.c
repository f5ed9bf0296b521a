/* SPDX-License-Identifier: MIT */
#include "services.h"

#include "process/table.h"

const struct qmem_service *const qmem_services[] = {
	&meminfo_service,
	&vmstat_service,
	&pressure_service,
	&netstat_service,
	&proctable_service,
	&procmem_service,
	&heapmon_service,
	&cpuload_service,
	&procstat_service,
	&self_service,
	NULL,
};
