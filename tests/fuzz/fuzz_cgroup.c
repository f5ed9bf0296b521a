/* SPDX-License-Identifier: MIT */
/* Whatever a process's cgroups are called, they are paths, and a unit has a name that tells it from others. */
#include "fuzz.h"
#include "proc/cgroup.h"

static void check_unit(const char *path)
{
	size_t room = strlen(path) + 1;
	char *unit = malloc(room), small[8];
	size_t len = cgroup_unit(path, unit, room);

	check(unit != NULL);
	if (len) {
		check(len < room && strlen(unit) == len && *unit != '/' && unit[len - 1] != '/');
		check(len <= strlen(path));
		check(!cgroup_unit(path, unit, len));
	}
	len = cgroup_unit(path, small, sizeof(small));
	check(len < sizeof(small));
	free(unit);
}

static void feed(const uint8_t *data, size_t size, bool zombie)
{
	char *text = fuzz_text(data, size);
	struct cgroup_paths paths;

	if (!cgroup_parse(text, size, zombie, &paths)) {
		check(data[size - 1] == '\n');
		for (int use = 0; use < CGROUP_USES; use++) {
			const char *path = paths.path[use];

			check(path > text && path < text + size && *path == '/');
			check(path + strlen(path) < text + size && !strchr(path, '\n'));
			check_unit(path);
		}
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), path[16];

	if (!cgroup_v1(text, size, "freezer", path, sizeof(path)))
		check(*path == '/' && strnlen(path, sizeof(path)) < sizeof(path));
	free(text);
	text = fuzz_string(data, size);
	check_unit(text);
	free(text);
	feed(data, size, false);
	feed(data, size, true);
	return 0;
}
