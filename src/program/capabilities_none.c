/* SPDX-License-Identifier: MIT */
/* A build without libcap, for a program that has only the rights of whoever runs it. */
#include "program/capabilities.h"

bool capabilities_known(void)
{
	return false;
}

int capabilities_raise(const struct qmem *q)
{
	(void)q;
	return 0;
}

int capabilities_settle(const struct qmem *q)
{
	(void)q;
	return 0;
}

const struct qmem_capability *capabilities_missing(const struct qmem *q, const struct qmem_service *service, size_t i)
{
	(void)q;
	(void)service;
	(void)i;
	return NULL;
}
