/* SPDX-License-Identifier: MIT */
/* Counters are not below 0; what was learnt of a text changes nothing that is read from it, or from another. */
#include "fuzz.h"
#include "proc/snmp.h"

static const struct snmp_row rows[] = {
	{ "TcpExt", "ListenOverflows", false },
	{ "TcpExt", "ListenDrops", false },
	{ "TcpExt", "SyncookiesSent", false },
	{ "Tcp", "RetransSegs", false },
	{ "Tcp", "MaxConn", true },
	{ "Udp", "RcvbufErrors", false },
	{ "IpExt", "InOctets", false },
	{ NULL, "Udp6RcvbufErrors", false },
	{ NULL, "Udp6InErrors", false },
};
#define ROWS (sizeof(rows) / sizeof(*rows))

static struct snmp kept;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct snmp fresh;
	char *text = fuzz_text(data, size);
	int64_t a[ROWS], b[ROWS];
	struct fault fault;
	int n;

	if (!kept.rows)
		snmp_init(&kept, rows, ROWS);
	snmp_init(&fresh, rows, ROWS);
	n = snmp_parse(&fresh, text, size, a, &fault);
	check(n >= 0 && n <= (int)ROWS);
	for (size_t i = 0; i < ROWS; i++)
		check(rows[i].below_zero || is_count(a[i]));
	for (int i = 0; i < 2; i++) {
		check(snmp_parse(&kept, text, size, b, &fault) == n);
		check(memcmp(a, b, sizeof(a)) == 0);
	}
	n = snmp_parse_keys(rows, ROWS, text, size, a, &fault);
	check(n >= 0 && n <= (int)ROWS);
	for (size_t i = 0; i < ROWS; i++)
		check(is_count(a[i]) && (!rows[i].table || a[i] == QMEM_NA));
	free(text);
	return 0;
}
