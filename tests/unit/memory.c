/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "memory.h"
#include "services.h"

static const struct qmem_service *const services[] = { &proctable_service, &procmem_service, NULL };

void memory_begin(void)
{
	procroot_begin(services);
}

void memory_end(void)
{
	qmem_free(procroot_host.q);
	procroot_host.q = NULL;
	while (recorder_work(&procroot_host))
		;
	procroot_end();
}

static void put_one(const struct memory *m)
{
	long page = sysconf(_SC_PAGESIZE) / K, rss = m->anon + m->file + m->shmem;
	char name[64];

	snprintf(name, sizeof(name), "proc/%d/stat", m->pid);
	procroot_put(name, "%d (%s) S 0 1 1 0 -1 0 %ld 0 6 0 1 1 0 0 20 0 %d 0 %d 4096000 100 0\n", m->pid, m->comm,
		     m->faults, m->pid, m->pid);
	snprintf(name, sizeof(name), "proc/%d/statm", m->pid);
	procroot_put(name, "1000 %ld %ld 1 0 200 0\n", rss / page, (m->file + m->shmem) / page);
	snprintf(name, sizeof(name), "proc/%d/status", m->pid);
	procroot_put(
		name,
		"Name:\t%s\nUid:\t%u\t7\t7\t7\nVmSize:\t4000 kB\nVmHWM:\t9000 kB\nVmRSS:\t%ld kB\nRssAnon:\t%ld kB\n"
		"RssFile:\t%ld kB\nRssShmem:\t%ld kB\nVmData:\t800 kB\nVmPTE:\t40 kB\nVmSwap:\t%ld kB\n",
		m->comm, m->uid ? m->uid : 7, rss, m->anon, m->file, m->shmem, m->swap);
	if (!m->pss)
		return;
	snprintf(name, sizeof(name), "proc/%d/smaps_rollup", m->pid);
	procroot_put(
		name,
		"1-2 ---p 00000000 00:00 0 [rollup]\nRss: 99 kB\nPss: %ld kB\nPrivate_Clean: 0 kB\nPrivate_Dirty: %ld kB\n",
		m->pss, m->uss);
}

void memory_put(const struct memory *all)
{
	static struct process processes[2048];
	size_t n = 0;

	while (all[n].pid)
		n++;
	ck_assert_uint_lt(n, sizeof(processes) / sizeof(*processes));
	memset(processes, 0, sizeof(processes));
	for (size_t i = 0; i < n; i++)
		processes[i] = (struct process){
			.pid = all[i].pid, .comm = all[i].comm, .state = 'S', .flags = all[i].flags, .uid = all[i].uid
		};
	procroot_processes(processes);
	for (; all->pid; all++)
		if (!all->flags)
			put_one(all);
}
