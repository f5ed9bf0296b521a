/* SPDX-License-Identifier: MIT */
#include "bpf/lib.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>

#define LIBRARY "libbpf.so.1"

static const struct {
	const char *name;
	size_t offset;
} functions[] = {
#define FUNCTION(name_, member_)                                                                                       \
	{                                                                                                              \
		name_, offsetof(struct libbpf, member_)                                                                \
	}
	FUNCTION("libbpf_set_print", set_print),
	FUNCTION("bpf_object__open_mem", object_open_mem),
	FUNCTION("bpf_object__load", object_load),
	FUNCTION("bpf_object__close", object_close),
	FUNCTION("bpf_object__find_program_by_name", find_program),
	FUNCTION("bpf_object__find_map_by_name", find_map),
	FUNCTION("bpf_program__set_autoload", program_set_autoload),
	FUNCTION("bpf_program__fd", program_fd),
	FUNCTION("bpf_map__set_max_entries", map_set_max_entries),
	FUNCTION("bpf_map__set_initial_value", map_set_initial_value),
	FUNCTION("bpf_map__fd", map_fd),
};

int libbpf_open(struct libbpf *lib, char *why, size_t size)
{
	*lib = (struct libbpf){ .handle = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL) };
	if (!lib->handle) {
		snprintf(why, size, "%s", dlerror());
		return -ENOENT;
	}
	for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
		void *function = dlsym(lib->handle, functions[i].name);

		if (!function) {
			snprintf(why, size, "'" LIBRARY "' has no '%s'", functions[i].name);
			dlclose(lib->handle);
			return -ENOENT;
		}
		*(void **)(void *)((char *)lib + functions[i].offset) = function;
	}
	/* what it says on stderr is for its developers; the kernel's reason is kept apart */
	lib->print = lib->set_print(NULL);
	return 0;
}

/* Two threads may have it open at once: who has found it silenced already leaves that to the other. */
void libbpf_close(struct libbpf *lib)
{
	if (lib->print)
		lib->set_print(lib->print);
	dlclose(lib->handle);
}
