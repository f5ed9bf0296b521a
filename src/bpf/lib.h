/* SPDX-License-Identifier: MIT */
/*
 * libbpf, looked for when it is needed: a machine without it has an agent that loads qmem all the same. It is only needed
 * to load programs, and goes again afterwards, with all the memory it took.
 */
#ifndef QMEM_BPF_LIB_H
#define QMEM_BPF_LIB_H

#include <bpf/libbpf.h>

struct libbpf {
	void *handle;
	libbpf_print_fn_t print; /* that of others in this process */
	__typeof__(libbpf_set_print) *set_print;
	__typeof__(bpf_object__open_mem) *object_open_mem;
	__typeof__(bpf_object__load) *object_load;
	__typeof__(bpf_object__close) *object_close;
	__typeof__(bpf_object__find_program_by_name) *find_program;
	__typeof__(bpf_object__find_map_by_name) *find_map;
	__typeof__(bpf_program__set_autoload) *program_set_autoload;
	__typeof__(bpf_program__fd) *program_fd;
	__typeof__(bpf_map__set_max_entries) *map_set_max_entries;
	__typeof__(bpf_map__set_initial_value) *map_set_initial_value;
	__typeof__(bpf_map__fd) *map_fd;
};

/* -ENOENT: it is not installed, or lacks something; `why` says what. */
int libbpf_open(struct libbpf *lib, char *why, size_t size);
void libbpf_close(struct libbpf *lib);

#endif
