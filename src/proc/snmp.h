/* SPDX-License-Identifier: MIT */
/*
 * Counters of a network namespace: /proc/PID/net/netstat and snmp, tables of a line of names and a line of numbers, and snmp6, a
 * name and a number a line.
 *
 *	TcpExt: SyncookiesSent SyncookiesRecv ListenOverflows
 *	TcpExt: 0 0 17
 *
 *	Udp6RcvbufErrors                	0
 *
 * Columns come and go with kernels, in the middle, too: they are found by their names. Where they stand is kept from one text to
 * the next, and all of the line of names is compared.
 */
#ifndef QMEM_PROC_SNMP_H
#define QMEM_PROC_SNMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proc/fault.h"

#define SNMP_ROWS 64   /* at most */
#define SNMP_TABLES 12 /* of which places are kept; IcmpMsg may have several */
#define SNMP_COLUMNS 256
#define SNMP_NAMES 8192 /* bytes, likewise */

struct snmp_row {
	const char *table; /* "TcpExt"; NULL: a key of snmp6 */
	const char *column;
	bool below_zero; /* it may be, as MaxConn is; else it is a counter */
};

/* All members are snmp's own but the rows. */
struct snmp {
	const struct snmp_row *rows;
	size_t n;
	char names[SNMP_NAMES]; /* the lines of names, one behind the other */
	struct {
		size_t at, len;
		size_t columns;
		int8_t row[SNMP_COLUMNS]; /* -1: none */
	} tables[SNMP_TABLES];
	size_t n_tables, used;
};

/* `rows` up to `n` outlive it. */
void snmp_init(struct snmp *s, const struct snmp_row *rows, size_t n);
/*
 * The numbers of all rows: QMEM_NA for what the text has not. A table whose two lines do not fit together costs all of its
 * columns, since nobody can tell which they are. How many were found.
 */
int snmp_parse(struct snmp *s, const char *text, size_t len, int64_t *ret, struct fault *ret_fault);
/* The same of snmp6, for the rows without a table; the others are QMEM_NA. */
int snmp_parse_keys(const struct snmp_row *rows, size_t n, const char *text, size_t len, int64_t *ret,
		    struct fault *ret_fault);

#endif
