/* SPDX-License-Identifier: MIT */
#include "services.h"

const struct qmem_service *const qmem_services[] = {
	&meminfo_service, &vmstat_service, &pressure_service, &netstat_service, &self_service, NULL,
};
