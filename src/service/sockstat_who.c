/* SPDX-License-Identifier: MIT */
#include "service/sockstat_who.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/root.h"
#include "process/ask.h"
#include "process/proc.h"

#define DEPTH 32          /* of cgroups */
#define GROUPS_MOST 65536 /* that are looked at */

struct job {
	struct qmem_job job;
	struct sockstat_who *who; /* NULL: it has gone */
	struct root *root;
	int64_t cgroup;
	size_t looked;
	char path[PATH_MAX];
};

struct sockstat_who {
	struct procask *ask;
	struct job *job; /* NULL: none is under way */
	/* what was asked for last */
	bool asked, known, user_asked;
	uint32_t uid;
	int64_t cgroup;
	char path[WHO_PATH];
};

/* ---- on the worker ---- */

/* The id of a cgroup is the inode of its directory. */
static bool find(struct job *j, int fd, size_t len, int depth)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	bool found = false;

	if (!dir) {
		close(fd);
		return false;
	}
	while (!found && j->looked < GROUPS_MOST && (entry = readdir(dir))) {
		size_t name = strlen(entry->d_name);
		int below;

		if (entry->d_type != DT_DIR || entry->d_name[0] == '.' || len + 1 + name >= sizeof(j->path))
			continue;
		j->looked++;
		j->path[len] = '/';
		memcpy(j->path + len + 1, entry->d_name, name + 1);
		found = entry->d_ino == (uint64_t)j->cgroup;
		if (found || depth == DEPTH)
			break;
		below = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		found = below >= 0 && find(j, below, len + 1 + name, depth + 1);
	}
	closedir(dir);
	return found;
}

/* Where v2 is: alone, or beside the hierarchies of v1. */
static void run(struct qmem_job *job)
{
	static const char *const mounts[] = { "sys/fs/cgroup", "sys/fs/cgroup/unified" };
	struct job *j = (struct job *)(void *)job;

	for (size_t i = 0; i < sizeof(mounts) / sizeof(*mounts); i++) {
		char controllers[64];
		int fd;

		snprintf(controllers, sizeof(controllers), "%s/cgroup.controllers", mounts[i]);
		fd = root_open(j->root, controllers, O_RDONLY);
		if (fd < 0)
			continue;
		close(fd);
		fd = root_open(j->root, mounts[i], O_RDONLY | O_DIRECTORY);
		j->path[0] = '\0';
		if (fd >= 0 && find(j, fd, 0, 0))
			return;
	}
	j->path[0] = '\0';
}

static void release(struct job *j)
{
	root_drop(j->root);
	free(j);
}

static void done(struct qmem *q, struct qmem_job *job)
{
	struct job *j = (struct job *)(void *)job;
	struct sockstat_who *w = j->who;
	size_t len = strlen(j->path), skip = len >= WHO_PATH ? len - WHO_PATH + 1 : 0;

	if (q && w) {
		memcpy(w->path, j->path + skip, len - skip + 1);
		w->known = true;
		w->job = NULL;
	}
	release(j);
}

/* ---- in the engine ---- */

static int look(struct qmem *q, struct sockstat_who *w)
{
	struct job *j = calloc(1, sizeof(*j));
	int err;

	if (!j)
		return -ENOMEM;
	j->root = root_of(q);
	j->who = w;
	j->cgroup = w->cgroup;
	j->job.run = run;
	j->job.done = done;
	j->job.lane = QMEM_TARGETS;
	j->job.wary = true;
	snprintf(j->job.what, sizeof(j->job.what), "cgroup");
	w->job = j;
	err = qmem_work(q, &j->job);
	if (err) {
		w->job = NULL;
		release(j);
	}
	return err;
}

static void ask_user(struct qmem *q, struct sockstat_who *w)
{
	const struct procask_answer *answers;
	struct proc p = { .uid = w->uid };

	(void)procask_take(w->ask, &answers);
	if (w->user_asked || procask_user(w->ask, w->uid))
		return;
	if (procask_add(q, w->ask, &p))
		w->user_asked = true;
	procask_go(q, w->ask);
	(void)procask_take(w->ask, &answers);
}

int sockstat_who_names(struct qmem *q, struct sockstat_who *w, uint32_t uid, int64_t cgroup, struct sockstat_names *ret)
{
	const char *user;

	/* one that is stuck is not waited for */
	if (w->job && w->job->job.left) {
		w->job->who = NULL;
		w->job = NULL;
		w->path[0] = '\0';
		w->known = true;
	}
	if (w->job)
		return -EAGAIN;
	if (!w->asked || w->uid != uid || w->cgroup != cgroup) {
		w->asked = true;
		w->uid = uid;
		w->cgroup = cgroup;
		w->user_asked = false;
		w->path[0] = '\0';
		w->known = cgroup == QMEM_NA || look(q, w);
	}
	ask_user(q, w);
	user = procask_user(w->ask, uid);
	if (!w->known || (!user && !w->user_asked))
		return -EAGAIN;
	if (user)
		snprintf(ret->user, sizeof(ret->user), "%s", user);
	else
		snprintf(ret->user, sizeof(ret->user), "%" PRIu32, uid);
	memcpy(ret->cgroup, w->path, sizeof(w->path));
	return 0;
}

int sockstat_who_new(struct qmem *q, struct sockstat_who **ret)
{
	struct sockstat_who *w = calloc(1, sizeof(*w));
	int err = w ? procask_new(q, PROCASK_USER, &w->ask) : -ENOMEM;

	if (err) {
		free(w);
		return err;
	}
	*ret = w;
	return 0;
}

void sockstat_who_free(struct sockstat_who *w)
{
	if (!w)
		return;
	if (w->job)
		w->job->who = NULL;
	procask_free(w->ask);
	free(w);
}
