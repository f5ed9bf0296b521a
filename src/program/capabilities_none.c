/* SPDX-License-Identifier: MIT */
/* A build without libcap, for a program that has only the rights of whoever runs it. */
#include "program/capabilities.h"

bool capabilities_known(void)
{
	return false;
}

int capabilities_raise(void)
{
	return 0;
}

int capabilities_settle(void)
{
	return 0;
}

const char *capabilities_missing(const struct qmem_service *service, size_t i, const char **ret_why)
{
	(void)service;
	(void)i;
	(void)ret_why;
	return NULL;
}
