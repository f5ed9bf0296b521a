/* SPDX-License-Identifier: MIT */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "proc/cgroup.h"

#define COUNT(array_) (sizeof(array_) / sizeof(*(array_)))

/* ---- which hierarchy ---- */

/* Ubuntu 18.04: services and sessions are in name=systemd and 0::, the memory controller has slices only. */
#define BIONIC                                                                                                         \
	"12:memory:/user.slice\n11:cpuset:/\n4:cpu,cpuacct:/user.slice\n"                                              \
	"1:name=systemd:/user.slice/user-1000.slice/session-2.scope\n"                                                 \
	"0::/user.slice/user-1000.slice/session-2.scope\n"
#define SESSION "/user.slice/user-1000.slice/session-2.scope"

static const struct {
	const char *text;
	int err;
	const char *memory, *units;
} files[] = {
	{ "0::/user.slice\n", 0, "/user.slice", "/user.slice" },
	{ "5:cpu,cpuacct:/a\n4:memory:/b\n0::/c\n", 0, "/b", "/c" },
	{ "0::/c\n4:hugetlb,memory:/b\n", 0, "/b", "/c" },
	{ "4:memoryx:/b\n0::/c\n", 0, "/c", "/c" },
	{ "1:name=memory:/b\n0::/c\n", 0, "/c", "/c" },
	{ BIONIC, 0, "/user.slice", SESSION },
	/* no systemd, or none in this hierarchy, or a unified one that it only has mounted */
	{ "2:memory:/m\n1:name=systemd:/\n0::/c\n", 0, "/m", "/c" },
	{ "2:memory:/m\n1:name=systemd:/s\n0::/\n", 0, "/m", "/s" },
	{ "3:cpu:/x\n2:memory:/m\n1:name=systemd:/\n0::/\n", 0, "/m", "/m" },
	{ "3:cpu:/x\n2:memory:/\n1:name=systemd:/\n0::/\n", 0, "/", "/x" },
	{ "4:cpuset:/\n3:cpu:/x\n2:freezer:/y\n", 0, "/", "/x" },
	{ "3:cpu:/\n2:memory:/\n1:name=systemd:/\n0::/\n", 0, "/", "/" },
	/* the kernel was told to account no memory */
	{ "3:cpu:/x\n1:name=systemd:/s\n", 0, "/s", "/s" },
	{ "3:cpu:/x\n1:name=systemd:/s\n0::/c\n", 0, "/c", "/s" },
	{ "3:cpu,name=systemd:/a\n", 0, "/a", "/a" },
	{ "0::/with:colons:/in it\n", 0, "/with:colons:/in it", "/with:colons:/in it" },
	{ "0::/\n", 0, "/", "/" },
	{ "10::/x\n0:cpu:/y\n0::/c\n", 0, "/c", "/c" },
	{ "nonsense\n1:a\n0::relative\n0::/c\n", 0, "/c", "/c" },
	{ "", -ENODATA, NULL, NULL },
	{ "nonsense\n", -ENODATA, NULL, NULL },
	{ "0::relative\n", -ENODATA, NULL, NULL },
	{ "4:memory:/b\n0::/cut", -EINVAL, NULL, NULL },
};

START_TEST(hierarchies)
{
	char *text = strdup(files[_i].text);
	struct cgroup_paths paths = { { "untouched", "untouched" } };
	int err = cgroup_parse(text, strlen(text), false, &paths);

	ck_assert_msg(err == files[_i].err, "'%s': %d, not %d", files[_i].text, err, files[_i].err);
	ck_assert_str_eq(paths.path[CGROUP_MEMORY], err ? "untouched" : files[_i].memory);
	ck_assert_str_eq(paths.path[CGROUP_UNITS], err ? "untouched" : files[_i].units);
	free(text);
}
END_TEST

/* The first two colons are the kernel's, all others the name's. */
START_TEST(colons)
{
	char text[] = "12:cpu,cpuacct:/system.slice/containerd.service/kubepods-pod1_2.slice:cri-containerd:f098\n"
		      "8:memory:/foo:bar\n"
		      "3:net_cls,net_prio:/\n"
		      "1:name=systemd:/user.slice/app-dbus\\x2d:1.2\\x2dorg.slice/tmux.scope\n"
		      "0::/batch:7/step 1\n";
	char path[128] = "";
	struct cgroup_paths paths;

	ck_assert_int_eq(cgroup_v1(text, strlen(text), "cpuacct", path, sizeof(path)), 0);
	ck_assert_str_eq(path, "/system.slice/containerd.service/kubepods-pod1_2.slice:cri-containerd:f098");
	ck_assert_int_eq(cgroup_parse(text, strlen(text), false, &paths), 0);
	ck_assert_str_eq(paths.path[CGROUP_MEMORY], "/foo:bar");
	ck_assert_str_eq(paths.path[CGROUP_UNITS], "/user.slice/app-dbus\\x2d:1.2\\x2dorg.slice/tmux.scope");
}
END_TEST

/* Only v2 says so, and only of zombies: of others it is part of the name. */
START_TEST(removed)
{
	static const struct {
		const char *text;
		bool zombie;
		const char *memory, *units;
	} cases[] = {
		{ "0::/batch:7/step 1 (deleted)\n", true, "/batch:7/step 1", "/batch:7/step 1" },
		{ "0::/batch:7/step 1 (deleted)\n", false, "/batch:7/step 1 (deleted)", "/batch:7/step 1 (deleted)" },
		{ "0::/a (deleted) (deleted)\n", true, "/a (deleted)", "/a (deleted)" },
		{ "0:: (deleted)\n0::/ (deleted)\n", true, "/", "/" },
		{ "4:memory:/m (deleted)\n1:name=systemd:/\n0::/a.service (deleted)\n", true, "/m (deleted)",
		  "/a.service" },
		{ "0::/a\n", true, "/a", "/a" },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		char *text = strdup(cases[i].text);
		struct cgroup_paths paths;

		ck_assert_int_eq(cgroup_parse(text, strlen(text), cases[i].zombie, &paths), 0);
		ck_assert_str_eq(paths.path[CGROUP_MEMORY], cases[i].memory);
		ck_assert_str_eq(paths.path[CGROUP_UNITS], cases[i].units);
		free(text);
	}
}
END_TEST

START_TEST(v1)
{
	static const char text[] = "7:cpu,freezer:/a:b\n6:freezerx:/c\n0::/d\n";
	char path[8] = "";

	ck_assert_int_eq(cgroup_v1(text, strlen(text), "freezer", path, sizeof(path)), 0);
	ck_assert_str_eq(path, "/a:b");
	ck_assert_int_eq(cgroup_v1(text, strlen(text), "freeze", path, sizeof(path)), -ENODATA);
	ck_assert_int_eq(cgroup_v1(text, strlen(text) - 1, "freeze", path, sizeof(path)), -EINVAL);
	ck_assert_int_eq(cgroup_v1(text, strlen(text), "freezer", path, 4), -ENAMETOOLONG);
	ck_assert_str_eq(path, "/a:b");
}
END_TEST

/* ---- units ---- */

#define USER "/user.slice/user-1000.slice/user@1000.service"
#define POD "kubepods-besteffort-pod1234abcd_0000_1111_2222_333344445555.slice"

static const struct {
	const char *path, *unit; /* "": none */
} units[] = {
	{ "/system.slice/ssh.service", "ssh.service" },
	{ "/system.slice/ssh.service/a/b", "ssh.service" },
	{ "/init.scope", "init.scope" },
	{ "/system.slice/web@2.service", "web@2.service" },
	{ "/system.slice/system-data\\x2dfeed.slice/data-feed@7.service", "data-feed@7.service" },
	{ "/system.slice/docker.service", "docker.service" },
	{ "/system.slice/run-a.mount", "run-a.mount" },
	{ "/system.slice/ssh.socket", "ssh.socket" },
	{ "/system.slice/dev-sda3.swap", "dev-sda3.swap" },
	{ "/qemu.slice/205.scope", "205.scope" },
	/* slices have processes where no manager has put them */
	{ "/user.slice", "" },
	{ "/user.slice/user-1000.slice", "" },
	{ "/", "" },
	{ "", "" },
	{ "/.service", "" },
	{ "/service", "" },
	/* no unit may be called so */
	{ "/a b.service", "" },
	{ "/ssh.service (deleted)", "" },
	/* users have units of the same name */
	{ USER "/init.scope", "user@1000.service/init.scope" },
	{ USER "/app.slice/foo.service", "user@1000.service/foo.service" },
	{ USER "/app.slice/app-dbus\\x2d:1.2\\x2dorg.slice/tmux-spawn-0123.scope",
	  "user@1000.service/tmux-spawn-0123.scope" },
	{ USER, "user@1000.service" },
	{ "/user.slice/user-1000.slice/session-2.scope", "session-2.scope" },
	/* and so have containers, whoever has made them */
	{ "/machine.slice/systemd-nspawn@web.service/payload/system.slice/cron.service",
	  "systemd-nspawn@web.service/payload/cron.service" },
	{ "/machine.slice/machine-web.scope/system.slice/cron.service", "machine-web.scope/cron.service" },
	{ "/lxc.payload.web1/system.slice/cron.service", "lxc.payload.web1/cron.service" },
	{ "/lxc.payload.web2/system.slice/cron.service", "lxc.payload.web2/cron.service" },
	{ "/lxc/100/ns/system.slice/cron.service", "lxc/100/ns/cron.service" },
	{ "/lxc/100/ns" USER "/x.scope", "lxc/100/ns/user@1000.service/x.scope" },
	{ "/docker/9ed6a2be/system.slice/cron.service", "docker/9ed6a2be/cron.service" },
	{ "/a.slice/pod/system.slice/cron.service", "a.slice/pod/cron.service" },
	{ "/b.slice/pod/system.slice/cron.service", "b.slice/pod/cron.service" },
	{ "/system.slice/containerd.service/" POD ":cri-containerd:f098", "containerd.service" },
	{ "/system.slice/containerd.service/" POD ":cri-containerd:f098/init.scope",
	  "containerd.service/" POD ":cri-containerd:f098/init.scope" },
	{ "/lxc.payload.host-lxc/kubepods.slice/" POD "/cri-containerd-0336.scope",
	  "lxc.payload.host-lxc/cri-containerd-0336.scope" },
	{ "/kubepods.slice/" POD "/crio-051f.scope/container", "crio-051f.scope" },
	{ "/lxc.payload.web1", "" },
	/* outside of a cgroup namespace */
	{ "/../../system.slice/ssh.service", "../../ssh.service" },
	/* escapes are undone where it is shown */
	{ "/machine.slice/machine-qemu\\x2d3\\x2dvm07\\x2dfront.scope", "machine-qemu\\x2d3\\x2dvm07\\x2dfront.scope" },
	{ "/machine.slice/machine-lxc\\x2d7001\\x2dmail01.scope/a.service",
	  "machine-lxc\\x2d7001\\x2dmail01.scope/a.service" },
	{ "/machine.slice/machine-qemu-1.scope", "machine-qemu-1.scope" },
	{ "/system.slice/home-my\\x2ddata.mount", "home-my\\x2ddata.mount" },
	/* but for that before what the kernel might take for files of its own */
	{ "/system.slice/_cpu.service", "cpu.service" },
	{ "/system.slice/__cpu.service", "_cpu.service" },
	{ "/_a/_cpu.service", "_a/cpu.service" },
	{ "//a//b.service//", "a/b.service" },
};

START_TEST(names)
{
	char unit[256] = "untouched";
	size_t len = cgroup_unit(units[_i].path, unit, sizeof(unit));

	ck_assert_uint_eq(len, strlen(units[_i].unit));
	ck_assert_str_eq(len ? unit : "", units[_i].unit);
	if (!len)
		return;
	ck_assert_uint_eq(cgroup_unit(units[_i].path, unit, len + 1), len);
	ck_assert_uint_eq(cgroup_unit(units[_i].path, unit, len), 0);
}
END_TEST

/* However long the path is. */
START_TEST(long_names)
{
	char path[4096], unit[4096];
	size_t len = 0;

	for (int i = 0; i < 15; i++)
		len += (size_t)snprintf(path + len, sizeof(path) - len, "/%0250d.slice", i);
	snprintf(path + len, sizeof(path) - len, "/a.service");
	ck_assert_uint_eq(cgroup_unit(path, unit, 16), 9);
	ck_assert_str_eq(unit, "a.service");
	snprintf(path + len, sizeof(path) - len, "/pod/a.service");
	ck_assert_uint_eq(cgroup_unit(path, unit, 64), 0);
	ck_assert_uint_eq(cgroup_unit(path, unit, sizeof(unit)), len - 1 + strlen("/pod/a.service"));
}
END_TEST

SUITE(cgroup)
{
	Suite *suite = suite_create("cgroup");
	TCase *tests = tcase_create("cgroup");

	tcase_add_loop_test(tests, hierarchies, 0, COUNT(files));
	tcase_add_test(tests, colons);
	tcase_add_test(tests, removed);
	tcase_add_test(tests, v1);
	tcase_add_loop_test(tests, names, 0, COUNT(units));
	tcase_add_test(tests, long_names);
	suite_add_tcase(suite, tests);
	return suite;
}
