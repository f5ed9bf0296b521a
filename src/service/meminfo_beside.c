/* SPDX-License-Identifier: MIT */
#include "service/meminfo_beside.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "kernel/sound.h"
#include "proc/pagesets.h"
#include "proc/sockstats.h"
#include "util/value.h"

#define DEFLATES_ON_OOM 2 /* VIRTIO_BALLOON_F_DEFLATE_ON_OOM */
#define RETRY 60          /* looks without a file that was not there */
#define LONG 65536        /* bytes of /proc/zoneinfo: of about 100 CPUs */

static const struct kv_key keys[] = {
	{ "nr_zspages", offsetof(struct beside, pages.zspages), 0 },
	{ "nr_memmap_pages", offsetof(struct beside, pages.memmap), 0 },
	{ 0 },
};

/* Such a device leaves its pages in MemTotal: virtio_balloon.c takes them off it only without that feature. */
static bool deflates_on_oom(struct qmem *q, const char *device)
{
	char features[128];
	ssize_t len = qmem_read_once(q, features, sizeof(features), "sys/bus/virtio/devices/%s/features", device);

	return len > DEFLATES_ON_OOM && features[DEFLATES_ON_OOM] == '1';
}

static bool is_within(struct qmem *q)
{
	int fd = qmem_open(q, O_PATH | O_DIRECTORY, "sys/module/vmw_balloon");
	bool within = fd >= 0;
	struct dirent *entry;
	DIR *dir;

	if (fd >= 0)
		close(fd);
	fd = qmem_open(q, O_RDONLY | O_DIRECTORY, "sys/bus/virtio/drivers/virtio_balloon");
	dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (!dir && fd >= 0)
		close(fd);
	while (!within && dir && (entry = readdir(dir)))
		within = strncmp(entry->d_name, "virtio", 6) == 0 && deflates_on_oom(q, entry->d_name);
	if (dir)
		closedir(dir);
	return within;
}

static int64_t pagesets(struct qmem *q, struct beside *b, uint64_t *age)
{
	struct fault fault = { 0 };
	const char *text;
	ssize_t len = qmem_read(q, &b->zoneinfo, &text);
	int64_t pages;

	if (len < 0)
		return QMEM_NA;
	/* of few CPUs it is cheap, and what moves there is a larger share of the machine */
	if (len < LONG)
		*age = *age / LONG * (uint64_t)len;
	pages = pagesets_parse(text, (size_t)len, &fault);
	sound_fault(q, &b->fault, &b->zoneinfo, 0, &fault);
	return pages;
}

static int64_t sockets(struct qmem *q, struct beside *b)
{
	struct fault fault = { 0 };
	struct sockstats s;
	const char *text;
	ssize_t len = qmem_read(q, &b->sockstat, &text);

	sockstats_clear(&s);
	if (len > 0)
		(void)sockstats_parse(text, (size_t)len, &s, &fault);
	/* without one of its parts it would be a smaller one */
	if (fault.n || (s.v[SOCKSTATS_UDP] != QMEM_NA && s.v[SOCKSTATS_UDP_MEM] == QMEM_NA))
		return QMEM_NA;
	return value_sum(s.v[SOCKSTATS_TCP_MEM], s.v[SOCKSTATS_UDP_MEM]);
}

int beside_start(struct beside *b)
{
	b->zoneinfo = QMEM_FILE("proc/zoneinfo");
	b->vmstat.file = QMEM_FILE("proc/vmstat");
	b->sockstat = QMEM_FILE_SINGLE("proc/self/net/sockstat");
	b->now = (struct meminfo_beside){ QMEM_NA, QMEM_NA, QMEM_NA, QMEM_NA, false };
	return kv_init(&b->vmstat.kv, KV_PLAIN, NULL, keys);
}

void beside_stop(struct beside *b)
{
	kvfile_release(&b->vmstat);
	qmem_file_close(&b->zoneinfo);
	qmem_file_close(&b->sockstat);
}

const struct meminfo_beside *beside_look(struct qmem *q, struct beside *b, int64_t balloon)
{
	int64_t page = sysconf(_SC_PAGESIZE);
	uint64_t age = (uint64_t)b->age;
	const char *text;

	if (!b->inflated && value_or(balloon, 0) > 0) {
		b->now.balloon_within = is_within(q);
		b->inflated = true;
	}
	if (b->inflated && value_or(balloon, 0) <= 0)
		b->inflated = false;
	if (qmem_now(q) < b->next)
		return &b->now;
	b->now.pagesets = value_times(pagesets(q, b, &age), page);
	if (kvfile_read(q, &b->vmstat, false, b, &text) < 0)
		b->pages.zspages = b->pages.memmap = QMEM_NA;
	b->now.zspages = value_times(b->pages.zspages, page);
	b->now.memmap = value_times(b->pages.memmap, page);
	b->now.sockets = value_times(sockets(q, b), page);
	b->next = qmem_now(q) + age * (b->zoneinfo.fd < 0 && b->vmstat.file.fd < 0 ? RETRY : 1);
	return &b->now;
}
