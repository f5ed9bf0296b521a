/* SPDX-License-Identifier: MIT */
#include "services.h"

#define ROW(name_) &name_##_service,

const struct qmem_service *const qmem_services[] = { QMEM_SERVICES(ROW) NULL };
