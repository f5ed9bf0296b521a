/* SPDX-License-Identifier: MIT */
/* What files say of the sockets of a network namespace: totals, memory, limits, counters. */
#ifndef QMEM_SERVICE_SOCKSTAT_TOTAL_H
#define QMEM_SERVICE_SOCKSTAT_TOTAL_H

#include "proc/snmp.h"
#include "service/sockstat_sample.h"

enum { TOTAL_SOCKSTAT, TOTAL_SOCKSTAT6, TOTAL_NETSTAT, TOTAL_SNMP, TOTAL_SNMP6, TOTAL_FILES };
enum { LIMIT_TCP_MEM, LIMIT_UDP_MEM, LIMIT_ORPHANS, LIMIT_TIME_WAIT, LIMITS };

struct sockstat_total {
	struct {
		struct qmem_file file;
		char path[48];
		struct qmem_complaint unread, faulty;
		bool absent; /* this kernel has none */
	} files[TOTAL_FILES];
	struct qmem_file limits[LIMITS];
	bool limited; /* what limits say is of the namespace that is shown */
	bool limit_absent[LIMITS];
	uint64_t when; /* they were read */
	int64_t limit[LIMITS];
	int64_t pressure; /* pages */
	bool detail;
	int64_t page; /* bytes */
	struct snmp netstat, snmp;
};

/* `directory`: "proc/1/net". */
void sockstat_total_init(struct sockstat_total *t, const char *directory, bool limited, bool detail);
void sockstat_total_release(struct sockstat_total *t);
/* All of the sample but what is dumped. -errno of the first file, if no file could be read. */
int sockstat_total_read(struct qmem *q, struct sockstat_total *t, struct sockstat_sample *ret);

#endif
