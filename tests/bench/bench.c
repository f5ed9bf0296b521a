/* SPDX-License-Identifier: MIT */
/*
 * What qmem costs, side by side in one run: each pair is measured in turns, and the medians are compared. CPU time of
 * this thread, user and system. Nothing here passes or fails.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../netdata/output.h"
#include "../../netdata/sink.h"
#include "../recorder.h"
#include "engine/root.h"
#include "proc/netdev.h"
#include "proc/psi.h"
#include "proc/smaps.h"
#include "service/heapmon.h"
#include "service/meminfo.h"
#include "service/sockstat_open.h"
#include "service/vmstat.h"
#include "services.h"

#define TURNS 31

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * QMEM_SECOND + (uint64_t)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, size_t n)
{
	qsort(values, n, sizeof(*values), by_size);
	return values[n / 2];
}

struct way {
	const char *name;
	void (*run)(void *arg);
	void *arg;
};

/* Microseconds per run of each way, measured in turns of `times` runs. */
static void race(const struct way *ways, size_t n, int times, double *ret_us)
{
	double turns[8][TURNS];

	for (int turn = -2; turn < TURNS; turn++) {
		for (size_t i = 0; i < n; i++) {
			uint64_t before = cpu_ns();

			for (int t = 0; t < times; t++)
				ways[i].run(ways[i].arg);
			if (turn >= 0)
				turns[i][turn] = (double)(cpu_ns() - before) / 1e3 / times;
		}
	}
	for (size_t i = 0; i < n; i++)
		ret_us[i] = median(turns[i], TURNS);
}

/* ---- files: the bare read, ours, and the way it is usually done ---- */

static struct recorder recorder;
static struct qmem *q;
static struct kv meminfo_kv, vmstat_kv;
static char buffer[1 << 16];

struct file {
	const char *path;
	struct qmem_file kept;
	int fd;
	void (*parse)(const char *text, size_t len);
	bool single;
};

static void parse_meminfo(const char *text, size_t len)
{
	struct meminfo sample;
	struct fault fault;

	kv_parse(&meminfo_kv, text, len, &sample, &fault);
}

static void parse_vmstat(const char *text, size_t len)
{
	struct vmstat sample;
	struct fault fault;

	kv_parse(&vmstat_kv, text, len, &sample, &fault);
}

static void parse_netdev(const char *text, size_t len)
{
	struct netdev_walk walk = { .at = text, .end = text + len };
	struct netdev device;

	while (netdev_next(&walk, &device))
		;
}

static void parse_psi(const char *text, size_t len)
{
	struct fault fault;
	struct psi psi;

	psi_parse(text, len, &psi, &fault);
}

static void bare(void *arg)
{
	const struct file *f = arg;

	if (pread(f->fd, buffer, sizeof(buffer), 0) < 0)
		abort();
}

static void ours(void *arg)
{
	struct file *f = arg;
	const char *text;
	ssize_t len = qmem_read(q, &f->kept, &text);

	if (len < 0)
		abort();
	f->parse(text, (size_t)len);
}

static void usual(void *arg)
{
	const struct file *f = arg;
	FILE *in = fopen(f->path, "re");
	unsigned long long value, sum = 0;
	char line[512], key[64];

	while (fgets(line, sizeof(line), in))
		if (sscanf(line, "%63s %llu", key, &value) == 2)
			sum += value;
	fclose(in);
	*(volatile unsigned long long *)buffer = sum;
}

static void files(void)
{
	struct file rows[] = {
		{ .path = "/proc/meminfo", .parse = parse_meminfo, .single = true },
		{ .path = "/proc/vmstat", .parse = parse_vmstat },
		{ .path = "/proc/net/dev", .parse = parse_netdev },
		{ .path = "/proc/pressure/memory", .parse = parse_psi, .single = true },
	};

	printf("%-24s %10s %10s %10s %12s %12s\n", "file, us a read", "bare", "qmem", "usual", "qmem/bare",
	       "usual/qmem");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct file *f = &rows[i];
		const struct way ways[] = { { "bare", bare, f }, { "qmem", ours, f }, { "usual", usual, f } };
		double us[3];

		f->fd = open(f->path, O_RDONLY | O_CLOEXEC);
		if (f->fd < 0 || pread(f->fd, buffer, sizeof(buffer), 0) < 0) {
			printf("%-24s %s\n", f->path, strerror(errno));
			continue;
		}
		f->kept = (struct qmem_file){ .path = f->path + 1, .fd = -1, .single = f->single };
		race(ways, 3, 200, us);
		printf("%-24s %10.2f %10.2f %10.2f %12.2f %12.2f\n", f->path, us[0], us[1], us[2], us[1] / us[0],
		       us[2] / us[1]);
		qmem_file_close(&f->kept);
		close(f->fd);
	}
}

/* ---- a whole tick ---- */

static struct output output;
static struct sink sink;
static uint64_t now = 1000 * QMEM_SECOND;
static uint64_t began; /* the tick, by the real clock, which goes on from `now` */

static void host_values(void *host, const struct qmem_round *round, const struct qmem_family *family,
			const struct qmem_instance *instance, const void *sample)
{
	(void)host;
	sink_values(&sink, round, family, instance, sample);
}

static void host_collected(void *host, const struct qmem_round *round)
{
	(void)host;
	sink_collected(&sink, round);
}

static uint64_t host_cpu(void *host)
{
	(void)host;
	return cpu_ns();
}

static uint64_t real_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * QMEM_SECOND + (uint64_t)t.tv_nsec;
}

static uint64_t host_now(void *host)
{
	(void)host;
	return now + real_ns() - began;
}

static const struct qmem_host host = {
	.values = host_values, .collected = host_collected, .cpu_ns = host_cpu, .now = host_now
};

static void tick(void *arg)
{
	(void)arg;
	sink_begin(&sink);
	began = real_ns();
	if (qmem_collect(q, now) == QMEM_MORE)
		while (qmem_go_on(q, host_now(NULL)) == QMEM_MORE)
			;
	sink_end(&sink);
	output_flush(&output);
	now += QMEM_SECOND;
}

static void bare_files(void *arg)
{
	const int *fds = arg;

	for (; *fds >= 0; fds++)
		if (pread(*fds, buffer, sizeof(buffer), 0) < 0)
			abort();
}

static void whole_tick(void)
{
	static const char *const paths[] = { "/proc/meminfo",         "/proc/vmstat",      "/proc/net/dev",
					     "/proc/pressure/memory", "/proc/pressure/io", "/proc/pressure/cpu",
					     "/proc/pressure/irq" };
	int fds[sizeof(paths) / sizeof(*paths) + 1], n = 0;
	struct way ways[] = { { "bare", bare_files, fds }, { "tick", tick, NULL } };
	struct qmem_status status;
	struct qmem_totals totals;
	double us[2];

	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		int fd = open(paths[i], O_RDONLY | O_CLOEXEC);

		if (fd >= 0 && pread(fd, buffer, sizeof(buffer), 0) > 0)
			fds[n++] = fd;
	}
	fds[n] = -1;
	qmem_free(q);
	q = qmem_new(&host, NULL, qmem_services);
	if (sink_init(&sink, qmem_services, &output) || qmem_start(q, QMEM_SECOND, QMEM_SECOND, now))
		abort();
	race(ways, 2, 50, us);
	printf("\n%-24s %10s %10s %12s\n", "whole tick, us", "bare reads", "tick", "tick/bare");
	printf("%-24s %10.1f %10.1f %12.2f\n", "all services, Netdata", us[0], us[1], us[1] / us[0]);
	for (size_t i = 0; qmem_status(q, i, &status); i++)
		printf("  %-22s %10s %10.1f   %" PRIu64 " values\n", status.service->name, "",
		       status.collections ? (double)status.cpu_ns / 1e3 / (double)status.collections : 0,
		       status.collections ? status.values / status.collections : 0);
	qmem_totals(q, &totals);
	printf("  longest hold, wall time: %.2f ms\n", (double)totals.longest_hold / 1e6);
	sink_release(&sink);
	while (n)
		close(fds[--n]);
}

/* ---- 8000 charts of two dimensions ---- */

#define CHARTS 8000

struct pair {
	int64_t rx, tx;
};

static const struct qmem_metric pair_metrics[] = {
	{ "rx", NULL, offsetof(struct pair, rx), "" },
	{ "tx", NULL, offsetof(struct pair, tx), "" },
	{ 0 },
};

static const struct qmem_family pair_families[] = {
	{ .id = "bytes",
	  .title = "Bytes",
	  .unit = "bytes",
	  .kind = QMEM_COUNTER,
	  .divisor = 1,
	  .type = "if_octets",
	  .menu = "bench",
	  .style = "area",
	  .label = "device",
	  .metrics = pair_metrics },
	{ 0 },
};

static const struct qmem_service pair_service = { .name = "bench", .families = pair_families };
static const struct qmem_service *const pair_services[] = { &pair_service, NULL };
static struct pair pairs[CHARTS];
static char names[CHARTS][16];
static FILE *null_stream;

static void by_sink(void *arg)
{
	struct qmem_round round = { .service = &pair_service, .now = now, .interval = QMEM_SECOND, .seen = 3 };

	(void)arg;
	sink_begin(&sink);
	for (size_t i = 0; i < CHARTS; i++) {
		struct qmem_instance instance = { .name = names[i] };

		sink_values(&sink, &round, &pair_families[0], &instance, &pairs[i]);
	}
	sink_collected(&sink, &round);
	sink_end(&sink);
	output_flush(&output);
	now += QMEM_SECOND;
}

static void by_fprintf(void *arg)
{
	(void)arg;
	for (size_t i = 0; i < CHARTS; i++) {
		fprintf(null_stream,
			"BEGIN qmem.bench_bytes_%s %" PRIu64 "\nSET rx = %" PRId64 "\nSET tx = %" PRId64 "\nEND\n",
			names[i], (uint64_t)1000000, pairs[i].rx, pairs[i].tx);
		fflush(null_stream);
	}
}

static void charts(void)
{
	struct way ways[] = { { "fprintf", by_fprintf, NULL }, { "sink", by_sink, NULL } };
	double us[2];

	for (size_t i = 0; i < CHARTS; i++) {
		snprintf(names[i], sizeof(names[i]), "dev%zu", i);
		pairs[i] = (struct pair){ (int64_t)i * 1234567, (int64_t)i * 7654321 };
	}
	null_stream = fopen("/dev/null", "w");
	if (!null_stream || sink_init(&sink, pair_services, &output))
		abort();
	race(ways, 2, 3, us);
	printf("\n%-24s %10s %10s %12s\n", "8000 charts x 2, us", "fprintf", "qmem", "qmem/fprintf");
	printf("%-24s %10.0f %10.0f %12.3f\n", "formatted and written", us[0], us[1], us[1] / us[0]);
	sink_release(&sink);
	fclose(null_stream);
}

/* ---- the heap of a process with 1000 mappings ---- */

#define MAPPINGS 1000

static struct root *own_root;

static void smaps_ours(void *arg)
{
	const bool *heap_only = arg;
	struct smaps smaps;

	if (heapmon_read(own_root, getpid(), *heap_only, &smaps) || smaps.kinds[SMAPS_HEAP].rss <= 0)
		abort();
}

static void smaps_by_lines(void *arg)
{
	FILE *in = fopen("/proc/self/smaps", "re");
	unsigned long value, rss = 0, pss = 0, swap = 0;
	char line[512], name[256], permissions[8];
	bool heap = false;

	(void)arg;
	while (fgets(line, sizeof(line), in)) {
		*name = '\0';
		if (sscanf(line, "%*x-%*x %7s %*x %*x:%*x %*u %255s", permissions, name) >= 1)
			heap = strcmp(name, "[heap]") == 0;
		else if (sscanf(line, "Rss: %lu kB", &value) == 1)
			rss += heap ? value : 0;
		else if (sscanf(line, "Pss: %lu kB", &value) == 1)
			pss += heap ? value : 0;
		else if (sscanf(line, "Swap: %lu kB", &value) == 1)
			swap += heap ? value : 0;
	}
	fclose(in);
	if (!rss)
		abort();
	*(volatile unsigned long *)buffer = rss + pss + swap;
}

static void heap(void)
{
	bool yes = true, no = false;
	struct way ways[] = { { "lines", smaps_by_lines, NULL },
			      { "all", smaps_ours, &no },
			      { "heap", smaps_ours, &yes } };
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *memory = mmap(NULL, MAPPINGS * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	double us[3];

	if (memory == MAP_FAILED || root_new("/", &own_root))
		abort();
	memset(memory, 1, MAPPINGS * page);
	for (size_t i = 0; i < MAPPINGS; i += 2)
		mprotect(memory + i * page, page, PROT_READ);
	race(ways, 3, 3, us);
	printf("\n%-24s %10s %10s %10s %12s %12s\n", "smaps, 1000 mappings, us", "by lines", "heapmon", "HeapOnly",
	       "lines/all", "lines/heap");
	printf("%-24s %10.0f %10.0f %10.0f %12.1f %12.1f\n", "heap of the process", us[0], us[1], us[2], us[0] / us[1],
	       us[0] / us[2]);
	munmap(memory, MAPPINGS * page);
}

/* ---- slabs: what they hold, by the BPF iterator ---- */

/* The kernel hands out a page at a time. */
static void bare_to_end(void *arg)
{
	const struct file *f = arg;
	off_t at = 0;
	ssize_t n;

	while ((n = pread(f->fd, buffer, sizeof(buffer), at)) > 0)
		at += n;
	if (n < 0)
		abort();
}

static uint64_t slab_now = QMEM_SECOND;

static void slabs_by_qmem(void *arg)
{
	qmem_collect(arg, slab_now);
	slab_now += QMEM_SECOND;
}

static void slabs(void)
{
	static const struct qmem_service *const services[] = { &slabinfo_service, NULL };
	struct file file = { .path = "/proc/slabinfo" };
	struct qmem *each = qmem_new(&recorder_host, &recorder, services);
	struct qmem *engine = qmem_new(&recorder_host, &recorder, services);
	struct way ways[] = { { "bare", bare_to_end, &file },
			      { "file", slabs_by_qmem, each },
			      { "BPF", slabs_by_qmem, engine },
			      { "usual", usual, &file } };
	struct qmem_status status;
	struct qmem_error error;
	double us[4];

	file.fd = open(file.path, O_RDONLY | O_CLOEXEC);
	qmem_set(each, "slabinfo", NULL, NULL, "ActiveAge", "0", &error);
	qmem_set(engine, "slabinfo", NULL, NULL, "ActiveAge", "1h", &error);
	if (file.fd < 0 || qmem_start(each, QMEM_SECOND, QMEM_SECOND, slab_now) ||
	    qmem_start(engine, QMEM_SECOND, QMEM_SECOND, slab_now) || !qmem_status(engine, 0, &status)) {
		printf("\n%-24s %s\n", file.path, strerror(errno));
		goto out;
	}
	race(ways, 4, 20, us);
	printf("\n%-24s %10s %10s %10s %10s %12s\n", "slabs, us", "bare file", "both", "BPF only", "usual", "bare/BPF");
	printf("%-24s %10.0f %10.0f %10.0f %10.0f %12.2f\n", file.path, us[0], us[1], us[2], us[3], us[0] / us[2]);
	printf("%s\n", status.reason);
out:
	if (file.fd >= 0)
		close(file.fd);
	qmem_free(each);
	qmem_free(engine);
}

/* ---- sockets: all of them counted, by netlink ---- */

/* What programs do that have no netlink: each line of the file is taken apart. */
static void tcp_usual(void *arg)
{
	FILE *f = fopen("/proc/net/tcp", "re");
	unsigned state, port;
	char line[256];
	int *counts = arg;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%*d: %*x:%x %*x:%*x %x", &port, &state) == 2)
			counts[state & 15]++;
	if (f)
		fclose(f);
}

/* The same sockets by netlink, as the service asks for them. */
static void tcp_dump(void *arg)
{
	static unsigned char datagram[SOCKDIAG_DATAGRAM];
	const int *fd = arg;
	struct sockdiag s;

	for (int pass = PASS_LISTEN; pass <= PASS_TCP; pass++) {
		struct sockdiag_walk walk = { .kind = sockstat_requests[pass].kind, .sequence = (uint32_t)pass + 1 };
		int counts[16] = { 0 };

		if (sockstat_send(*fd, &sockstat_requests[pass], walk.sequence))
			return;
		while (!walk.done) {
			ssize_t n = sockstat_receive(*fd, datagram, sizeof(datagram));

			if (n < 0)
				return;
			walk.at = datagram;
			walk.end = datagram + n;
			while (sockdiag_next(&walk, &s))
				counts[s.state & 15]++;
		}
	}
}

static bool loop_up(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool up = fd >= 0 && !ioctl(fd, SIOCSIFFLAGS, &request);

	if (fd >= 0)
		close(fd);
	return up;
}

/* So many sockets, a pair at a time; how many there are. */
static int make_sockets(int n)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);
	int server = socket(AF_INET, SOCK_STREAM, 0), made = 1;

	if (server < 0 || bind(server, (struct sockaddr *)&address, sizeof(address)) || listen(server, 128) ||
	    getsockname(server, (struct sockaddr *)&address, &len))
		return 0;
	while (made < n) {
		int client = socket(AF_INET, SOCK_STREAM, 0);

		if (client < 0 || connect(client, (struct sockaddr *)&address, sizeof(address)) ||
		    accept(server, NULL, NULL) < 0)
			break;
		made += 2;
	}
	return made;
}

static void sockets_of(int n)
{
	static const struct qmem_service *const services[] = { &sockstat_service, NULL };
	struct qmem *engine = qmem_new(&recorder_host, &recorder, services);
	int counts[16], made = make_sockets(n), fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	struct way ways[] = { { "usual", tcp_usual, counts },
			      { "dump", tcp_dump, &fd },
			      { "tick", slabs_by_qmem, engine } };
	struct qmem_error error;
	double us[3];

	/* what the worker has done is handed to it */
	recorder.q = engine;
	qmem_set(engine, "sockstat", NULL, NULL, "Namespace", "self", &error);
	qmem_set(engine, "sockstat", NULL, NULL, "DumpBudget", "1s", &error);
	if (qmem_start(engine, QMEM_SECOND, QMEM_SECOND, slab_now))
		return;
	slab_now += QMEM_SECOND;
	race(ways, 3, 3, us);
	printf("%-24d %14.0f %14.0f %14.0f %12.2f %12.2f\n", made, us[0], us[1], us[2], us[0] / us[1], us[0] / us[2]);
	fflush(stdout);
	close(fd);
	qmem_free(engine);
}

static void sockets(void)
{
	static const int numbers[] = { 100, 10000 };
	struct rlimit files = { 20000, 20000 };

	printf("\n%-24s %14s %14s %14s %12s %12s\n", "TCP sockets, us", "/proc/net/tcp", "by netlink", "whole tick",
	       "file/netlink", "file/tick");
	fflush(stdout);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		pid_t child = fork();

		if (child) {
			waitpid(child, NULL, 0);
			continue;
		}
		if (unshare(CLONE_NEWNET) || !loop_up())
			printf("needs a network namespace of its own\n");
		else if (!setrlimit(RLIMIT_NOFILE, &files) || numbers[i] < 1000)
			sockets_of(numbers[i]);
		fflush(stdout);
		_exit(0);
	}
}

/* ---- start and stop ---- */

static void start_stop(void)
{
	double start[TURNS], stop[TURNS];

	for (int i = 0; i < TURNS; i++) {
		uint64_t t0 = cpu_ns(), t1, t2;
		struct qmem *engine = qmem_new(&host, NULL, qmem_services);

		qmem_start(engine, QMEM_SECOND, QMEM_SECOND, now);
		t1 = cpu_ns();
		qmem_free(engine);
		t2 = cpu_ns();
		start[i] = (double)(t1 - t0) / 1e3;
		stop[i] = (double)(t2 - t1) / 1e3;
	}
	printf("\nengine, us: start %.0f, stop %.0f\n", median(start, TURNS), median(stop, TURNS));
}

int main(void)
{
	recorder_init(&recorder, stderr);
	recorder.no_values = true;
	q = recorder.q = qmem_new(&recorder_host, &recorder, qmem_services);
	if (!q || qmem_start(q, QMEM_SECOND, QMEM_SECOND, now) || meminfo_kv_init(&meminfo_kv) ||
	    vmstat_kv_init(&vmstat_kv))
		return 1;
	output.fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	files();
	whole_tick();
	charts();
	heap();
	slabs();
	sockets();
	start_stop();
	qmem_free(q);
	output_release(&output);
	kv_release(&meminfo_kv);
	kv_release(&vmstat_kv);
	return 0;
}
