/* SPDX-License-Identifier: MIT */
#include "service/pagecache_hits_load.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bpf/program.h"

/* Only its bytes: what else is in there calls libbpf by name, and this is not inline. */
#define bpf_object__destroy_skeleton(skeleton_) ((void)(skeleton_))
#include "bpf/cachehits.skel.h"

#define CPUS_SIZE (CACHEHITS_CPUS * sizeof(struct cachehits_machine))

static const struct program_source source = { cachehits_bpf__elf_bytes, 6, 12 };

static const char *const names[HITS_PROGRAMS] = { "on_add", "on_dirty", "on_read", "on_map", "on_fault" };

/* Those that add come first, so that no look is taken for a hit that was a miss. */
static int attach(struct hits_programs *h, const struct program *p)
{
	for (int i = 0; i < HITS_PROGRAMS; i++) {
		h->links[i] = program_attach_tracepoint(p, names[i]);
		if (h->links[i] < 0)
			return h->links[i];
	}
	h->processes = program_map(p, "processes");
	return h->processes < 0 ? h->processes : 0;
}

int hits_load(struct hits_programs *h, char *why, size_t size)
{
	struct program p;
	int err = program_open(&p, &source, why, size);

	if (!err)
		err = program_room(&p, "processes", HITS_MOST);
	if (!err)
		err = program_load(&p, why, size);
	if (!err)
		err = program_memory(&p, "machine", CPUS_SIZE, PROT_READ, &h->cpus);
	if (!err) {
		err = attach(h, &p);
		if (err)
			snprintf(why, size, "cannot be attached: %s", strerror(-err));
	}
	program_close(&p);
	if (err)
		hits_unload(h);
	return err;
}

static void end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void hits_unload(struct hits_programs *h)
{
	for (int i = 0; i < HITS_PROGRAMS; i++)
		end(&h->links[i]);
	end(&h->processes);
	if (h->cpus)
		munmap((void *)(uintptr_t)h->cpus, CPUS_SIZE);
	h->cpus = NULL;
}

/* ---- maps ---- */

/* In a few calls for all of them (Linux 5.6). What comes or goes meanwhile may be missing or be there twice: it grows on. */
int hits_read_processes(const struct hits_programs *h, uint32_t *ret_pids, struct cachehits_process *ret, uint32_t *n)
{
	uint32_t most = *n, have = 0, batch = 0;
	bool more = true;

	while (more && have < most) {
		union bpf_attr attr;
		long err;

		memset(&attr, 0, sizeof(attr));
		attr.batch.map_fd = (uint32_t)h->processes;
		attr.batch.in_batch = have || batch ? (uint64_t)(uintptr_t)&batch : 0;
		attr.batch.out_batch = (uint64_t)(uintptr_t)&batch;
		attr.batch.keys = (uint64_t)(uintptr_t)(ret_pids + have);
		attr.batch.values = (uint64_t)(uintptr_t)(ret + have);
		attr.batch.count = most - have;
		err = syscall(SYS_bpf, BPF_MAP_LOOKUP_BATCH, &attr, sizeof(attr));
		if (err && errno != ENOENT && errno != ENOSPC)
			return -errno;
		more = !err && attr.batch.count;
		have += attr.batch.count;
	}
	*n = have;
	return 0;
}

int hits_forget(const struct hits_programs *h, uint32_t pid)
{
	int err = program_delete(h->processes, &pid);

	return err == -ENOENT ? 0 : err;
}
