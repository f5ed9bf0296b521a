/* SPDX-License-Identifier: MIT */
#include "service/sockstat_space.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/root.h"
#include "proc/cgroup.h"
#include "proc/sockstats.h"
#include "service/sockstat_sample.h"
#include "util/value.h"

#define SPACES_MOST 1024
#define EVERY (30 * QMEM_SECOND)
#define WHAT "ns/net" /* as it is said of a job that is stuck */

struct space {
	uint64_t inode;
	int32_t pid; /* its process with the least number */
	char name[SPACE_NAME];
	int64_t sockets, tcp, udp, time_wait;
};

/* Kept from one look to the next, but for one that is stuck. */
struct sockstat_space_job {
	struct qmem_job job;
	struct sockstat_spaces *owner; /* NULL: it has gone */
	struct root *root;
	bool busy; /* the worker has it */
	enum sockstat_whose whose;
	char what[SPACE_NAME];
	int32_t pid;
	struct space spaces[SPACES_MOST];
	size_t n;
};

static const struct instances_kind kind = {
	.what = "network namespaces",
	.columns = SOCKSTAT_COLUMNS,
	.gauges = UINT64_C(1) << NAMESPACE_SOCKETS | UINT64_C(1) << NAMESPACE_TCP | UINT64_C(1) << NAMESPACE_UDP |
		  UINT64_C(1) << NAMESPACE_TIME_WAIT,
	.score = UINT64_C(1) << NAMESPACE_SOCKETS,
	.most = SPACES_MOST,
	.sparse = true,
};

/* ---- the option ---- */

static const struct {
	const char *word;
	enum sockstat_whose whose;
} words[] = {
	{ "init", SPACE_INIT }, { "self", SPACE_SELF },   { "all", SPACE_ALL },
	{ "pid:", SPACE_PID },  { "name:", SPACE_NAMED }, { "container:", SPACE_CONTAINER },
};

enum sockstat_whose sockstat_space_parse(const char *value, const char **ret_what)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		size_t len = strlen(words[i].word);

		if (strncmp(value, words[i].word, len) != 0 || (words[i].word[len - 1] != ':' && value[len]))
			continue;
		*ret_what = value + len;
		return words[i].whose;
	}
	*ret_what = "";
	return SPACE_INIT;
}

bool sockstat_space_check(const char *value, char *why, size_t size)
{
	const char *what;
	enum sockstat_whose whose = sockstat_space_parse(value, &what);

	if (whose == SPACE_INIT && strcmp(value, "init") != 0)
		snprintf(why, size, "is none of init, self, all, pid:N, name:NAME, container:ID");
	else if (whose == SPACE_PID &&
		 (!*what || strspn(what, "0123456789") != strlen(what) || strlen(what) > 9 || !atoi(what)))
		snprintf(why, size, "has no number of a process");
	else if (whose == SPACE_NAMED && (!*what || strchr(what, '/') || *what == '.'))
		snprintf(why, size, "has no name of a file in /run/netns");
	else if (whose == SPACE_CONTAINER && strlen(what) < 6)
		snprintf(why, size, "has fewer than six characters of the container's id or name");
	else if (strlen(what) >= SPACE_NAME)
		snprintf(why, size, "is too long");
	else
		return true;
	return false;
}

/* ---- on the worker ---- */

static uint64_t inode_of(const struct root *root, int32_t pid)
{
	char link[64];
	ssize_t len = root_read_link(root, pid, "ns/net", link, sizeof(link) - 1);

	if (len <= 0)
		return 0;
	link[len] = '\0';
	return strncmp(link, "net:[", 5) == 0 ? strtoull(link + 5, NULL, 10) : 0;
}

static struct space *find(struct sockstat_space_job *j, uint64_t inode)
{
	for (size_t i = 0; i < j->n; i++)
		if (j->spaces[i].inode == inode)
			return &j->spaces[i];
	return NULL;
}

/* By what its first process runs in: a unit, or a container's cgroup. */
static void name_by_unit(const struct root *root, struct space *s)
{
	char text[CGROUP_TEXT], unit[SPACE_NAME];
	struct cgroup_paths paths;
	ssize_t len = root_read_process(root, s->pid, "cgroup", text, sizeof(text));
	const char *path, *last;

	snprintf(s->name, sizeof(s->name), "pid_%" PRIi32, s->pid);
	if (len <= 0 || cgroup_parse(text, (size_t)len, false, &paths))
		return;
	path = paths.path[CGROUP_UNITS];
	if (cgroup_unit(path, unit, sizeof(unit)))
		snprintf(s->name, sizeof(s->name), "%s", unit);
	else if ((last = strrchr(path, '/')) && last[1] && strlen(last + 1) < sizeof(s->name))
		snprintf(s->name, sizeof(s->name), "%s", last + 1);
}

static bool is_taken(const struct sockstat_space_job *j, const struct space *s)
{
	for (const struct space *other = j->spaces; other < s; other++)
		if (strcmp(other->name, s->name) == 0)
			return true;
	return false;
}

/* What `ip netns` calls them. */
static void name_by_file(struct sockstat_space_job *j)
{
	int fd = root_open(j->root, "run/netns", O_RDONLY | O_DIRECTORY);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(dir))) {
		struct stat st;
		struct space *s;

		if (fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) || strlen(entry->d_name) >= SPACE_NAME)
			continue;
		s = find(j, st.st_ino);
		if (s && !*s->name)
			snprintf(s->name, sizeof(s->name), "%s", entry->d_name);
	}
	closedir(dir);
}

static void count(const struct root *root, struct space *s)
{
	char text[4096];
	struct sockstats v;
	struct fault fault;
	ssize_t len;

	sockstats_clear(&v);
	len = root_read_process(root, s->pid, "net/sockstat", text, sizeof(text));
	if (len > 0)
		(void)sockstats_parse(text, (size_t)len, &v, &fault);
	len = root_read_process(root, s->pid, "net/sockstat6", text, sizeof(text));
	if (len > 0)
		(void)sockstats_parse(text, (size_t)len, &v, &fault);
	s->sockets = v.v[SOCKSTATS_USED];
	s->tcp = value_sum(v.v[SOCKSTATS_TCP], v.v[SOCKSTATS_TCP6]);
	s->udp = value_sum(v.v[SOCKSTATS_UDP], v.v[SOCKSTATS_UDP6]);
	s->time_wait = v.v[SOCKSTATS_TW];
}

static bool is_in(const struct sockstat_space_job *j, int32_t pid)
{
	char text[CGROUP_TEXT + 1];
	ssize_t len = root_read_process(j->root, pid, "cgroup", text, sizeof(text) - 1);

	if (len <= 0)
		return false;
	text[len] = '\0';
	return strstr(text, j->what) != NULL;
}

/* One that is dead is still in its cgroup. */
static bool has_files(const struct sockstat_space_job *j, int32_t pid)
{
	int fd = root_open_process(j->root, pid, "net/sockstat");

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static uint64_t inode_of_name(const struct sockstat_space_job *j)
{
	int fd = root_open_namespace(j->root, 0, j->what);
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		st.st_ino = 0;
	if (fd >= 0)
		close(fd);
	return st.st_ino;
}

static void see(struct sockstat_space_job *j, int32_t pid, uint64_t wanted)
{
	uint64_t inode;
	struct space *s;

	if (j->whose == SPACE_CONTAINER) {
		if (!j->pid && is_in(j, pid) && has_files(j, pid))
			j->pid = pid;
		return;
	}
	inode = inode_of(j->root, pid);
	if (!inode)
		return;
	if (j->whose == SPACE_NAMED) {
		if (!j->pid && inode == wanted)
			j->pid = pid;
		return;
	}
	s = find(j, inode);
	if (!s && j->n < SPACES_MOST)
		j->spaces[j->n++] = (struct space){ .inode = inode, .pid = pid };
}

static void run(struct qmem_job *job)
{
	struct sockstat_space_job *j = (struct sockstat_space_job *)(void *)job;
	uint64_t wanted = j->whose == SPACE_NAMED ? inode_of_name(j) : 0;
	int fd = root_open(j->root, "proc", O_RDONLY | O_DIRECTORY);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir && fd >= 0)
		close(fd);
	while (dir && (entry = readdir(dir))) {
		int pid = atoi(entry->d_name);

		if (pid > 0)
			see(j, pid, wanted);
	}
	if (dir)
		closedir(dir);
	name_by_file(j);
	for (size_t i = 0; i < j->n; i++) {
		struct space *s = &j->spaces[i];

		if (s->pid == 1)
			snprintf(s->name, sizeof(s->name), "init");
		else if (!*s->name)
			name_by_unit(j->root, s);
		if (is_taken(j, s))
			snprintf(s->name, sizeof(s->name), "net_%" PRIu64, s->inode);
		count(j->root, s);
	}
}

/* ---- in the engine ---- */

static void take(struct sockstat_spaces *s, const struct sockstat_space_job *j)
{
	s->looked = true;
	s->pid = j->pid;
	if (s->whose != SPACE_ALL)
		return;
	instances_begin(&s->all);
	for (size_t i = 0; i < j->n; i++) {
		const struct space *space = &j->spaces[i];
		int64_t v[SOCKSTAT_COLUMNS];

		for (int c = 0; c < SOCKSTAT_COLUMNS; c++)
			v[c] = QMEM_NA;
		v[NAMESPACE_SOCKETS] = space->sockets;
		v[NAMESPACE_TCP] = space->tcp;
		v[NAMESPACE_UDP] = space->udp;
		v[NAMESPACE_TIME_WAIT] = space->time_wait;
		if (instances_put(&s->all, space->name, strlen(space->name), v))
			return;
	}
	s->fresh = true;
}

static void release(struct sockstat_space_job *j)
{
	root_drop(j->root);
	free(j);
}

static void done(struct qmem *q, struct qmem_job *job)
{
	struct sockstat_space_job *j = (struct sockstat_space_job *)(void *)job;

	j->busy = false;
	if (!q || !j->owner) {
		release(j);
		return;
	}
	if (!job->recalled)
		take(j->owner, j);
}

static struct sockstat_space_job *make(struct qmem *q, struct sockstat_spaces *s)
{
	struct sockstat_space_job *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	j->owner = s;
	j->root = root_of(q);
	j->whose = s->whose;
	snprintf(j->what, sizeof(j->what), "%s", s->what);
	j->job.run = run;
	j->job.done = done;
	j->job.lane = QMEM_TARGETS;
	j->job.wary = true;
	snprintf(j->job.what, sizeof(j->job.what), WHAT);
	return j;
}

void sockstat_spaces_look(struct qmem *q, struct sockstat_spaces *s)
{
	struct sockstat_space_job *j = s->job;

	/* one that is stuck comes back to nobody; who was found is still looked at himself, what was counted is old */
	if (j && j->busy && j->job.left) {
		j->owner = NULL;
		s->job = NULL;
		s->looked &= s->whose != SPACE_ALL;
	}
	if ((s->job && s->job->busy) || qmem_now(q) < s->due)
		return;
	s->due = qmem_now(q) + EVERY;
	if (qmem_is_stuck(q, WHAT, 0))
		return;
	if (!s->job)
		s->job = make(q, s);
	j = s->job;
	if (!j)
		return;
	j->n = 0;
	j->pid = 0;
	j->busy = true;
	if (qmem_work(q, &j->job))
		j->busy = false;
}

void sockstat_spaces_lost(struct qmem *q, struct sockstat_spaces *s)
{
	s->pid = 0;
	s->due = 0;
	sockstat_spaces_look(q, s);
}

void sockstat_spaces_emit(struct qmem *q, struct sockstat_spaces *s, const struct qmem_family *families)
{
	if (!s->looked || s->whose != SPACE_ALL)
		return;
	if (s->fresh) {
		(void)instances_measure(&s->all);
		instances_choose(&s->all, qmem_now(q));
		s->fresh = false;
	}
	instances_emit(q, &s->all, families);
}

int sockstat_spaces_init(struct sockstat_spaces *s, const char *option, int64_t max)
{
	s->whose = sockstat_space_parse(option, &s->what);
	return instances_init(&s->all, &kind, NULL, false, max);
}

void sockstat_spaces_release(struct sockstat_spaces *s)
{
	if (s->job && s->job->busy)
		s->job->owner = NULL;
	else if (s->job)
		release(s->job);
	s->job = NULL;
	instances_release(&s->all);
}
