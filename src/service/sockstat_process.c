/* SPDX-License-Identifier: MIT */
#include "service/sockstat_process.h"

#include <errno.h>
#include <stdio.h>

#include "proc/pidstat.h"

/* When it began, in ticks: a number that no other process of this pid has. */
static int look(struct qmem *q, struct sockstat_process *p, int64_t *ret)
{
	static const struct pidstat_units units = { .page = 1, .tick_ns = 1 };
	struct pidstat stat;
	const char *text;
	ssize_t len = qmem_read(q, &p->stat, &text);
	int err = len < 0 ? (int)len : pidstat_parse(text, (size_t)len, &units, &stat);

	if (err == -ESRCH || err == -ENODATA)
		return -ENOENT;
	if (err)
		return err;
	/* one that is dead has no namespace any more */
	if (stat.state == 'Z' || stat.state == 'X')
		return -ENOENT;
	*ret = stat.start;
	return 0;
}

int sockstat_process_hold(struct qmem *q, struct sockstat_process *p, int32_t pid)
{
	int err;

	*p = (struct sockstat_process){ .pid = pid, .start = QMEM_NA };
	snprintf(p->path, sizeof(p->path), "proc/%d/stat", (int)pid);
	p->stat = QMEM_FILE(p->path);
	err = look(q, p, &p->start);
	if (err == -ENOENT)
		sockstat_process_release(p);
	return err;
}

bool sockstat_process_lives(struct qmem *q, struct sockstat_process *p)
{
	int64_t start;
	int err = look(q, p, &start);

	if (err)
		return err != -ENOENT;
	if (p->start == QMEM_NA)
		p->start = start;
	return p->start == start;
}

void sockstat_process_release(struct sockstat_process *p)
{
	if (p->pid)
		qmem_file_close(&p->stat);
	p->pid = 0;
}
