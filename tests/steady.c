/* SPDX-License-Identifier: MIT */
/* After the first ticks no service allocates and none leaves a descriptor open: on this machine's own files. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "recorder.h"

#define WARM_UP 5
#define TICKS 50

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
int main(void)
{
	printf("1..0 # SKIP sanitizers have an allocator of their own\n");
	return 0;
}
#else

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

static unsigned long allocations;

void *malloc(size_t size)
{
	allocations++;
	return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	allocations++;
	return __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
	allocations++;
	return __libc_realloc(old, size);
}

static int descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static void tick(struct recorder *r, uint64_t *now)
{
	qmem_collect(r->q, *now);
	recorder_wait(r, 0, *now);
	*now += QMEM_SECOND;
}

int main(void)
{
	uint64_t now = 1000 * QMEM_SECOND;
	unsigned long before, during, test = 0;
	struct qmem_status status;
	struct recorder r;
	int fds;

	recorder_init(&r, stderr);
	r.no_values = true;
	r.cpu_step = 1000;
	r.q = qmem_new(&recorder_host, &r, qmem_services);
	if (!r.q || qmem_start(r.q, QMEM_SECOND, QMEM_SECOND, now))
		return 1;
	before = allocations;
	for (int i = 0; i < WARM_UP; i++)
		tick(&r, &now);
	/* the hook does count: tables and buffers were made just now */
	printf("%s %lu - the first ticks allocate\n", allocations > before ? "ok" : "not ok", ++test);
	fds = descriptors();
	before = allocations;
	for (int i = 0; i < TICKS; i++)
		tick(&r, &now);
	during = allocations - before;
	printf("%s %lu - %d further ticks make no allocation (%lu)\n", during ? "not ok" : "ok", ++test, TICKS, during);
	printf("%s %lu - and leave as many descriptors open as before\n", descriptors() == fds ? "ok" : "not ok",
	       ++test);
	for (size_t i = 0; qmem_status(r.q, i, &status); i++)
		if (status.on)
			printf("%s %lu - %s has collected each time\n",
			       status.collections == WARM_UP + TICKS && !status.failures ? "ok" : "not ok", ++test,
			       status.service->name);
	printf("1..%lu\n", test);
	qmem_free(r.q);
	return 0;
}
#endif
