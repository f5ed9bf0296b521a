/* SPDX-License-Identifier: MIT */
/*
 * /proc/PID/cgroup, a line for each hierarchy: "NUMBER:CONTROLLER,...:PATH". That of v2 is "0::PATH"; the one of v1 in which systemd
 * keeps its units has no controller but a name, "name=systemd". The path may hold colons, but no newline: the kernel makes no
 * cgroup of such a name. All else in it is as its owner likes: a cgroup may belong to any user, or to a container.
 */
#ifndef QMEM_PROC_CGROUP_H
#define QMEM_PROC_CGROUP_H

#include <stdbool.h>
#include <stddef.h>

#define CGROUP_TEXT (16u << 10) /* bytes of such a file; only paths of a thousand bytes make it longer */

/* What a path is wanted for. */
enum cgroup_use {
	CGROUP_MEMORY, /* the hierarchy that accounts memory: the memory controller's own of v1, else v2 */
	CGROUP_UNITS,  /* the one that units are in: name=systemd, v2, any; "/" only where it is "/" in all */
	CGROUP_USES,
};

struct cgroup_paths {
	const char *path[CGROUP_USES]; /* within the text that was parsed */
};

/*
 * Puts NULs at the ends of paths. `zombie`: behind the path of a cgroup that has been removed since, v2 writes " (deleted)",
 * which is cut off; it does so for zombies only (and has their paths: v1 has "/"), so that of others it is part of the name.
 * -EINVAL: cut; -ENODATA: in none.
 */
int cgroup_parse(char *text, size_t len, bool zombie, struct cgroup_paths *ret);

/* The path in the v1 hierarchy of a controller. -EINVAL; -ENODATA: there is none; -ENAMETOOLONG. */
int cgroup_v1(const char *text, size_t len, const char *controller, char *ret, size_t size);

/*
 * The innermost unit of systemd on a path: service, scope, socket, mount or swap. Before it stands what else has units of such
 * names, each with a '/': the outer units, as user@1000.service, and cgroups that are no units, as those of containers are,
 * with the slices that these are in. Slices between units are left out: a manager has no two units of one name.
 *
 *	/system.slice/ssh.service					ssh.service
 *	/user.slice/user-1000.slice/user@1000.service/app.slice/x.scope	user@1000.service/x.scope
 *	/lxc.payload.web1/system.slice/ssh.service			lxc.payload.web1/ssh.service
 *
 * Escapes in a unit's own name stay (who shows it undoes them), but for the '_' before names that the kernel may want for itself.
 *
 * The length; 0: there is none, or no room.
 */
size_t cgroup_unit(const char *path, char *ret, size_t size);

#endif
