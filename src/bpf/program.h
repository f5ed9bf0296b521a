/* SPDX-License-Identifier: MIT */
/*
 * An object of BPF programs, loaded into the kernel, of which a service keeps descriptors and memory: libbpf is there while that
 * is done, and no longer. It takes up to 70 ms.
 *
 *	err = program_open(&p, &source, why, sizeof(why));
 *	if (!err)
 *		err = program_set(&p, ".rodata.config", &config, sizeof(config));
 *	if (!err)
 *		err = program_load(&p, why, sizeof(why));
 *	if (!err)
 *		fd = program_attach_tracepoint(&p, "on_alloc");
 *	program_close(&p);
 *
 * What is called returns -errno; where it takes `why`, that has the reason in words.
 */
#ifndef QMEM_BPF_PROGRAM_H
#define QMEM_BPF_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/lib.h"

/* What is loaded: the bytes of a skeleton, NAME_bpf__elf_bytes, of a kernel since which it may run. */
struct program_source {
	const void *(*bytes)(size_t *size);
	int major, minor;
};

struct program {
	const struct program_source *source;
	struct libbpf lib;
	struct bpf_object *object;
	char *log;
};

/* Close it also when this has failed. */
int program_open(struct program *p, const struct program_source *source, char *why, size_t size);
/* Before it is loaded: a section of constants; how many a map may hold; a program that is not wanted. -ENOENT: it has none. */
int program_set(struct program *p, const char *section, const void *value, size_t size);
int program_room(struct program *p, const char *map, uint32_t n);
int program_leave(struct program *p, const char *name);
/* -EPERM: not permitted; another error: the kernel lacks something, and `why` says what. */
int program_load(struct program *p, char *why, size_t size);
void program_close(struct program *p);

/* Descriptors, close-on-exec: the caller's. A program, a map; where a program is attached, which lasts as long as it is open. */
int program_fd(const struct program *p, const char *name);
int program_map(const struct program *p, const char *name);
int program_attach_tracepoint(const struct program *p, const char *name); /* SEC("tp_btf/...") */
int program_attach_iterator(const struct program *p, const char *name);   /* SEC("iter/...") */

/* Of descriptors. A run of the iterator, to be read to its end; one run of a program of SEC("syscall"). */
int program_iterate(int link);
int program_run(int fd);
/* The memory of a map, or of a section (".bss"), `size` bytes of it; munmap() takes them rounded up to pages. */
int program_memory(const struct program *p, const char *map, size_t size, int protection, void *ret);
/* The next key of a map behind `key`, NULL: the first. -ENOENT: there is none. */
int program_next_key(int map, const void *key, void *ret_key);
/* -ENOENT: it is not there. Where a map has a value for each CPU, all of them. */
int program_look_up(int map, const void *key, void *ret_value);
int program_delete(int map, const void *key);

#endif
