/* SPDX-License-Identifier: MIT */
/*
 * Runs a program as another user with exactly these capabilities, for the tests: as UID CAPS PROGRAM [ARGUMENT...]
 *
 * CAPS are names with commas between them, or "-". They are permitted, inheritable and ambient, so that the program has them
 * although its file, in an initramfs, can have none. What is not named is gone for good: from the bounding set as well.
 */
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
	const char *name;
	int cap;
} names[] = {
	{ "dac_override", CAP_DAC_OVERRIDE },
	{ "dac_read_search", CAP_DAC_READ_SEARCH },
	{ "sys_ptrace", CAP_SYS_PTRACE },
	{ "sys_resource", CAP_SYS_RESOURCE },
	{ "sys_admin", CAP_SYS_ADMIN },
	{ "net_admin", CAP_NET_ADMIN },
	{ "syslog", CAP_SYSLOG },
	{ "fowner", CAP_FOWNER },
	{ "perfmon", CAP_PERFMON },
	{ "bpf", CAP_BPF },
};

static int fail(const char *what)
{
	fprintf(stderr, "as: %s: %s\n", what, strerror(errno));
	return 127;
}

int main(int argc, char **argv)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };
	uint64_t set = 0;
	gid_t id;

	if (argc < 4) {
		fprintf(stderr, "usage: as UID CAPS PROGRAM [ARGUMENT...]\n");
		return 2;
	}
	id = (gid_t)atoi(argv[1]);
	for (char *word = strtok(argv[2], ","); word && strcmp(word, "-") != 0; word = strtok(NULL, ",")) {
		size_t i = 0;

		while (i < sizeof(names) / sizeof(*names) && strcmp(names[i].name, word) != 0)
			i++;
		if (i == sizeof(names) / sizeof(*names)) {
			fprintf(stderr, "as: no capability '%s'\n", word);
			return 2;
		}
		set |= UINT64_C(1) << names[i].cap;
	}
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		if (!(set >> cap & 1) && prctl(PR_CAPBSET_DROP, cap))
			return fail("bounding set");
	if (prctl(PR_SET_KEEPCAPS, 1) || setgroups(0, NULL) || setresgid(id, id, id) || setresuid(id, id, id))
		return fail("user");
	data[0].effective = data[0].permitted = data[0].inheritable = (uint32_t)set;
	data[1].effective = data[1].permitted = data[1].inheritable = (uint32_t)(set >> 32);
	if (syscall(SYS_capset, &header, data))
		return fail("capabilities");
	for (int cap = 0; cap < 64; cap++)
		if ((set >> cap & 1) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0))
			return fail("ambient capabilities");
	execv(argv[3], argv + 3);
	return fail(argv[3]);
}
