/* SPDX-License-Identifier: MIT */
/*
 * What the tables of the services say, for people: qmem.plugin --describe, and the tables inside README and man pages.
 *
 * Units are those of the values after the divisor. Names are canonical: service.family.metric, with [label] where a
 * family has instances. Those of the hosts have <label> there. Behind a blank stands the data source, if a list of collectd has
 * several, and the dimension in Netdata.
 */
#ifndef QMEM_CONTROL_DESCRIBE_H
#define QMEM_CONTROL_DESCRIBE_H

#include <stdio.h>

#include "qmem.h"

enum qmem_describe_form {
	QMEM_DESCRIBE_TEXT,     /* aligned columns for a terminal */
	QMEM_DESCRIBE_MARKDOWN, /* pipe tables */
	QMEM_DESCRIBE_MAN,      /* man(7) */
};

enum qmem_describe_parts {
	QMEM_DESCRIBE_SERVICES = 1,       /* a line a service: source, kernel, privilege, default */
	QMEM_DESCRIBE_GLOBAL = 2,         /* options of qmem as a whole */
	QMEM_DESCRIBE_COMMON = 4,         /* options of every service */
	QMEM_DESCRIBE_OPTIONS = 8,        /* options of each service by itself */
	QMEM_DESCRIBE_FAMILIES = 16,      /* a line a family: title, kind, unit, collectd's type, label */
	QMEM_DESCRIBE_METRICS = 32,       /* every family with its metrics */
	QMEM_DESCRIBE_COLLECTD = 64,      /* with the metrics: what collectd calls them */
	QMEM_DESCRIBE_NETDATA = 128,      /* with the metrics: what Netdata calls them */
	QMEM_DESCRIBE_CAPABILITIES = 256, /* a line a capability, service and file */
	QMEM_DESCRIBE_ALL = QMEM_DESCRIBE_SERVICES | QMEM_DESCRIBE_GLOBAL | QMEM_DESCRIBE_COMMON |
			    QMEM_DESCRIBE_OPTIONS | QMEM_DESCRIBE_METRICS | QMEM_DESCRIBE_COLLECTD |
			    QMEM_DESCRIBE_NETDATA, /* the metrics tell the families */
};

/*
 * `parts` is a sum of enum qmem_describe_parts, `services` ends with NULL. `only` names one service: then the global and
 * common options are left out, unless they alone are asked for, and Markdown and man get no headings.
 * -ENOENT: no such service; -EINVAL: no such part or form; -ENOMEM; -EIO: could not be written.
 */
int qmem_describe(FILE *out, enum qmem_describe_form form, unsigned int parts,
		  const struct qmem_service *const *services, const char *only);

#endif
