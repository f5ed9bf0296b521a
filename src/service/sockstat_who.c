/* SPDX-License-Identifier: MIT */
#include "service/sockstat_who.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/root.h"
#include "kernel/cgroupfs.h"
#include "process/ask.h"
#include "process/proc.h"

#define DEPTH 32          /* of cgroups */
#define GROUPS_MOST 65536 /* that are looked at */
#define OWNERS 32         /* that are remembered */
#define WHAT "cgroup"     /* as it is said of a job that is stuck */

struct job {
	struct qmem_job job;
	struct sockstat_who *who; /* NULL: it has gone */
	struct root *root;
	int64_t cgroup;
	size_t looked;
	char path[PATH_MAX];
};

/* Of one that is asked for; what is known of him stays for as long as he is asked for more than others are. */
struct owner {
	uint32_t uid;
	int64_t cgroup;
	uint64_t asked; /* when, in questions; 0: the place is free */
	uint64_t first; /* likewise, the first time */
	bool path_known, user_known, user_asked;
	char path[WHO_PATH]; /* "": there is none, or it could not be looked up */
};

struct sockstat_who {
	struct procask *ask;
	struct job *job; /* NULL: none is under way */
	struct owner owners[OWNERS];
	uint64_t questions;
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
		if (found)
			break;
		if (depth == DEPTH)
			continue;
		below = cgroupfs_below(fd, entry->d_name);
		found = below >= 0 && find(j, below, len + 1 + name, depth + 1);
	}
	closedir(dir);
	return found;
}

static void run(struct qmem_job *job)
{
	struct job *j = (struct job *)(void *)job;
	int fd = cgroupfs_open(j->root);

	if (fd < 0 || !find(j, fd, 0, 0))
		j->path[0] = '\0';
}

static void release(struct job *j)
{
	root_drop(j->root);
	free(j);
}

static void learn(struct sockstat_who *w, int64_t cgroup, const char *path)
{
	size_t len = strlen(path), skip = len >= WHO_PATH ? len - WHO_PATH + 1 : 0;

	for (size_t i = 0; i < OWNERS; i++) {
		struct owner *o = &w->owners[i];

		if (!o->asked || o->cgroup != cgroup)
			continue;
		memcpy(o->path, path + skip, len - skip + 1);
		o->path_known = true;
	}
}

static void done(struct qmem *q, struct qmem_job *job)
{
	struct job *j = (struct job *)(void *)job;

	if (q && j->who) {
		if (!job->recalled)
			learn(j->who, j->cgroup, j->path);
		j->who->job = NULL;
	}
	release(j);
}

/* ---- in the engine ---- */

static int look(struct qmem *q, struct sockstat_who *w, int64_t cgroup)
{
	struct job *j = calloc(1, sizeof(*j));
	int err;

	if (!j)
		return -ENOMEM;
	j->root = root_of(q);
	j->who = w;
	j->cgroup = cgroup;
	j->job.run = run;
	j->job.done = done;
	j->job.lane = QMEM_TARGETS;
	j->job.wary = true;
	snprintf(j->job.what, sizeof(j->job.what), WHAT);
	w->job = j;
	err = qmem_work(q, &j->job);
	if (err) {
		w->job = NULL;
		release(j);
	}
	return err;
}

/* Who has waited longest comes first: of two that are asked for again and again each has his turn. */
static void look_next(struct qmem *q, struct sockstat_who *w)
{
	struct owner *next = NULL;

	/* one that is stuck is not waited for */
	if (w->job && w->job->job.left) {
		w->job->who = NULL;
		w->job = NULL;
	}
	if (w->job || qmem_is_stuck(q, WHAT, 0))
		return;
	for (size_t i = 0; i < OWNERS; i++) {
		struct owner *o = &w->owners[i];

		if (o->asked && !o->path_known && (!next || o->first < next->first))
			next = o;
	}
	/* without a worker there are no paths */
	if (next && look(q, w, next->cgroup))
		next->path_known = true;
}

static void take_users(struct sockstat_who *w)
{
	const struct procask_answer *answers;
	size_t n = procask_take(w->ask, &answers);

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < OWNERS; k++)
			w->owners[k].user_known |= w->owners[k].user_asked && w->owners[k].uid == answers[i].uid;
}

static void ask_user(struct qmem *q, struct sockstat_who *w, struct owner *o)
{
	struct proc p = { .uid = o->uid };

	take_users(w);
	o->user_known |= procask_user(w->ask, o->uid) != NULL;
	if (o->user_known || o->user_asked || !procask_add(q, w->ask, &p))
		return;
	o->user_asked = true;
	procask_go(q, w->ask);
	take_users(w);
}

/* His place, or that of the one who has not been asked for for longest. */
static struct owner *owner_of(struct sockstat_who *w, uint32_t uid, int64_t cgroup)
{
	struct owner *oldest = &w->owners[0];

	w->questions++;
	for (size_t i = 0; i < OWNERS; i++) {
		struct owner *o = &w->owners[i];

		if (o->asked && o->uid == uid && o->cgroup == cgroup) {
			o->asked = w->questions;
			return o;
		}
		if (o->asked < oldest->asked)
			oldest = o;
	}
	*oldest = (struct owner){ .uid = uid,
				  .cgroup = cgroup,
				  .asked = w->questions,
				  .first = w->questions,
				  .path_known = cgroup == QMEM_NA };
	return oldest;
}

int sockstat_who_names(struct qmem *q, struct sockstat_who *w, uint32_t uid, int64_t cgroup, struct sockstat_names *ret)
{
	struct owner *o = owner_of(w, uid, cgroup);
	const char *user;

	look_next(q, w);
	ask_user(q, w, o);
	/* what is stuck tells nothing, and is not waited for */
	if (!o->path_known && !qmem_is_stuck(q, WHAT, 0))
		return -EAGAIN;
	if (!o->user_known && !qmem_is_stuck(q, "etc/passwd", 0))
		return -EAGAIN;
	user = procask_user(w->ask, uid);
	if (user)
		snprintf(ret->user, sizeof(ret->user), "%s", user);
	else
		snprintf(ret->user, sizeof(ret->user), "%" PRIu32, uid);
	memcpy(ret->cgroup, o->path, sizeof(o->path));
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
