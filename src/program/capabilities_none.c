/* SPDX-License-Identifier: MIT */
/* A build without libcap, for a program that has only the rights of whoever runs it. */
#include "program/capabilities.h"

int capabilities_raise(struct qmem *q)
{
	(void)q;
	return 0;
}

int capabilities_settle(struct qmem *q)
{
	(void)q;
	return 0;
}
