/* SPDX-License-Identifier: MIT */
#include "bpf/program.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/version.h"

#define LOG_SIZE (64u << 10)

static int sys_bpf(int command, union bpf_attr *attr)
{
	long ret = syscall(SYS_bpf, command, attr, sizeof(*attr));

	return ret < 0 ? -errno : (int)ret;
}

/* ---- reasons ---- */

/* The last line of the verifier that says something. */
static void last_line(const char *log, char *ret, size_t size)
{
	const char *line = log, *end;

	for (const char *at = log; *at; at = *end ? end + 1 : end) {
		end = strchrnul(at, '\n');
		if (end > at && strncmp(at, "processed ", 10) != 0)
			line = at;
	}
	snprintf(ret, size, "%.*s", (int)strcspn(line, "\n"), line);
}

static int reason(const struct program *p, int err, char *why, size_t size)
{
	char line[128];

	last_line(p->log, line, sizeof(line));
	if (err == -EPERM && !*line)
		snprintf(why, size, "not permitted: needs CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN");
	else if (version_before(p->source->major, p->source->minor))
		snprintf(why, size, "needs Linux %d.%d", p->source->major, p->source->minor);
	else if (*line)
		snprintf(why, size, "the kernel refuses the program: %s", line);
	else
		snprintf(why, size, "cannot be loaded: %s", strerror(-err));
	return err;
}

/* ---- loading ---- */

int program_open(struct program *p, const struct program_source *source, char *why, size_t size)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "qmem", .kernel_log_size = LOG_SIZE);
	const void *bytes;
	size_t length;
	int err;

	*p = (struct program){ .source = source, .log = calloc(1, LOG_SIZE) };
	options.kernel_log_buf = p->log;
	if (!p->log) {
		snprintf(why, size, "%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	err = libbpf_open(&p->lib, why, size);
	if (err) {
		p->lib.handle = NULL;
		return err;
	}
	bytes = source->bytes(&length);
	p->object = p->lib.object_open_mem(bytes, length, &options);
	return p->object ? 0 : reason(p, -errno, why, size);
}

int program_set(struct program *p, const char *section, const void *value, size_t size)
{
	struct bpf_map *map = p->lib.find_map(p->object, section);

	return map ? p->lib.map_set_initial_value(map, value, size) : -ENOENT;
}

int program_room(struct program *p, const char *name, uint32_t n)
{
	struct bpf_map *map = p->lib.find_map(p->object, name);

	return map ? p->lib.map_set_max_entries(map, n) : -ENOENT;
}

int program_leave(struct program *p, const char *name)
{
	struct bpf_program *program = p->lib.find_program(p->object, name);

	return program ? p->lib.program_set_autoload(program, false) : -ENOENT;
}

int program_load(struct program *p, char *why, size_t size)
{
	int err = p->lib.object_load(p->object);

	return err ? reason(p, err, why, size) : 0;
}

void program_close(struct program *p)
{
	if (p->object)
		p->lib.object_close(p->object);
	if (p->lib.handle)
		libbpf_close(&p->lib);
	free(p->log);
	*p = (struct program){ .source = p->source };
}

/* ---- what is kept ---- */

static int keep(int fd)
{
	int copy = fd < 0 ? fd : fcntl(fd, F_DUPFD_CLOEXEC, 3);

	return fd < 0 ? -ENOENT : copy < 0 ? -errno : copy;
}

/* The library's own descriptor. */
static int lent(const struct program *p, const char *name)
{
	struct bpf_program *program = p->lib.find_program(p->object, name);

	return program ? p->lib.program_fd(program) : -ENOENT;
}

int program_fd(const struct program *p, const char *name)
{
	return keep(lent(p, name));
}

int program_map(const struct program *p, const char *name)
{
	struct bpf_map *map = p->lib.find_map(p->object, name);

	return map ? keep(p->lib.map_fd(map)) : -ENOENT;
}

int program_attach_tracepoint(const struct program *p, const char *name)
{
	int fd = lent(p, name);
	union bpf_attr attr;

	if (fd < 0)
		return -ENOENT;
	memset(&attr, 0, sizeof(attr));
	attr.raw_tracepoint.prog_fd = (uint32_t)fd;
	return sys_bpf(BPF_RAW_TRACEPOINT_OPEN, &attr);
}

int program_attach_iterator(const struct program *p, const char *name)
{
	int fd = lent(p, name);
	union bpf_attr attr;

	if (fd < 0)
		return -ENOENT;
	memset(&attr, 0, sizeof(attr));
	attr.link_create.prog_fd = (uint32_t)fd;
	attr.link_create.attach_type = BPF_TRACE_ITER;
	return sys_bpf(BPF_LINK_CREATE, &attr);
}

int program_memory(const struct program *p, const char *name, size_t size, int protection, void *ret)
{
	struct bpf_map *map = p->lib.find_map(p->object, name);
	void *memory;

	if (!map)
		return -ENOENT;
	memory = mmap(NULL, size, protection, MAP_SHARED, p->lib.map_fd(map), 0);
	if (memory == MAP_FAILED)
		return -errno;
	*(void **)ret = memory;
	return 0;
}

int program_iterate(int link)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.iter_create.link_fd = (uint32_t)link;
	return sys_bpf(BPF_ITER_CREATE, &attr);
}

int program_run(int fd)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.test.prog_fd = (uint32_t)fd;
	return sys_bpf(BPF_PROG_TEST_RUN, &attr);
}

/* ---- maps ---- */

static int element(int command, int map, const void *key, void *value)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)map;
	attr.key = (uint64_t)(uintptr_t)key;
	attr.value = (uint64_t)(uintptr_t)value; /* the next key has its place there, too */
	return sys_bpf(command, &attr);
}

int program_next_key(int map, const void *key, void *ret_key)
{
	return element(BPF_MAP_GET_NEXT_KEY, map, key, ret_key);
}

int program_look_up(int map, const void *key, void *ret_value)
{
	return element(BPF_MAP_LOOKUP_ELEM, map, key, ret_value);
}

int program_delete(int map, const void *key)
{
	return element(BPF_MAP_DELETE_ELEM, map, key, NULL);
}
