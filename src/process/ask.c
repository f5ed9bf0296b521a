/* SPDX-License-Identifier: MIT */
#include "process/ask.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "process/table.h"

#define ASKS_MOST 2048   /* processes that one job looks at */
#define TEXT_SIZE 131072 /* what it may say of them */
#define CMDLINE_SIZE 2048
#define USERS 64        /* at first */
#define USERS_MOST 8192 /* uids are anyone's who has a user namespace */
#define USER_NAME 64

struct user {
	uint32_t uid;
	char name[USER_NAME]; /* "": the place is free */
};

/* It owns all it needs: it outlives its owner while it is at the worker. */
struct procask {
	struct qmem_job job;
	int root_fd;
	unsigned want;
	struct procask_answer answers[ASKS_MOST];
	size_t n;
	char text[TEXT_SIZE];
	size_t used;
	bool gone;          /* its owner has */
	bool busy;          /* it is at the worker */
	bool back;          /* and has come back, with answers to be taken */
	struct user *users; /* hash table, at most half full */
	size_t users_room, users_n;
	uid_t uid;              /* our own */
	bool refused, readable; /* exe of processes of other users */
};

/* ---- on the worker ---- */

static const char *put(struct procask *a, const char *text, size_t len)
{
	char *at = a->text + a->used;

	memcpy(at, text, len);
	at[len] = '\0';
	a->used += len + 1;
	return at;
}

static void read_exe(struct procask *a, struct procask_answer *answer)
{
	static const char deleted[] = " (deleted)";
	char path[64], text[CMDLINE_SIZE];
	size_t tail = sizeof(deleted) - 1;
	ssize_t len;

	snprintf(path, sizeof(path), "proc/%" PRId32 "/exe", answer->pid);
	len = readlinkat(a->root_fd, path, text, sizeof(text));
	answer->refused = len < 0 && (errno == EACCES || errno == EPERM);
	if (len <= 0)
		return;
	if ((size_t)len > tail && memcmp(text + len - tail, deleted, tail) == 0)
		len -= (ssize_t)tail;
	answer->facts.exe = put(a, text, (size_t)len);
}

static void read_cmdline(struct procask *a, struct procask_answer *answer)
{
	char path[64], text[CMDLINE_SIZE];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "proc/%" PRId32 "/cmdline", answer->pid);
	fd = openat(a->root_fd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	len = read(fd, text, sizeof(text));
	close(fd);
	while (len > 0 && !text[len - 1])
		len--;
	if (len <= 0)
		return;
	for (ssize_t i = 0; i < len; i++)
		if (!text[i])
			text[i] = ' ';
	answer->facts.cmdline = put(a, text, (size_t)len);
}

/* "name:x:uid:..." of a line. */
static bool parse_passwd(const char *line, size_t len, uint32_t *ret_uid, size_t *ret_name)
{
	const char *end = line + len, *name = memchr(line, ':', len), *password;
	uint64_t uid = 0;

	if (!name || name == line)
		return false;
	password = memchr(name + 1, ':', (size_t)(end - name - 1));
	if (!password || password + 1 == end || password[1] == ':')
		return false;
	for (const char *at = password + 1; at < end && *at != ':'; at++) {
		if (*at < '0' || *at > '9' || uid > UINT32_MAX)
			return false;
		uid = uid * 10 + (uint64_t)(*at - '0');
	}
	if (uid >= UINT32_MAX)
		return false;
	*ret_uid = (uint32_t)uid;
	*ret_name = (size_t)(name - line);
	return true;
}

static void take_user(struct procask *a, const char *line, size_t len)
{
	size_t name_len;
	uint32_t uid;

	if (!parse_passwd(line, len, &uid, &name_len) || name_len >= USER_NAME)
		return;
	for (size_t i = 0; i < a->n; i++) {
		struct procask_answer *answer = &a->answers[i];

		if (answer->uid == uid && !answer->facts.user && a->used + USER_NAME < TEXT_SIZE)
			answer->facts.user = put(a, line, name_len);
	}
}

static void read_users(struct procask *a)
{
	char text[65536], number[16];
	size_t have = 0;
	ssize_t n = 0;
	int fd = openat(a->root_fd, "etc/passwd", O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	while (fd >= 0) {
		char *line = text, *end;

		n = read(fd, text + have, sizeof(text) - have);
		if (n <= 0)
			break;
		have += (size_t)n;
		while ((end = memchr(line, '\n', have - (size_t)(line - text))) != NULL) {
			take_user(a, line, (size_t)(end - line));
			line = end + 1;
		}
		have -= (size_t)(line - text);
		if (have == sizeof(text))
			break; /* no user has such a line */
		memmove(text, line, have);
	}
	if (fd >= 0)
		close(fd);
	for (size_t i = 0; i < a->n; i++) {
		struct procask_answer *answer = &a->answers[i];

		if (answer->facts.user || a->used + sizeof(number) >= TEXT_SIZE || answer->uid == PROC_NO_UID)
			continue;
		snprintf(number, sizeof(number), "%" PRIu32, answer->uid);
		answer->facts.user = put(a, number, strlen(number));
	}
}

static void run(struct qmem_job *job)
{
	struct procask *a = (struct procask *)(void *)job;

	if (a->want & PROCASK_USER)
		read_users(a);
	for (size_t i = 0; i < a->n; i++) {
		struct procask_answer *answer = &a->answers[i];

		if (a->used + 2 * (CMDLINE_SIZE + 1) > TEXT_SIZE)
			return;
		QMEM_JOB_AT(job, answer->pid);
		if (a->want & PROCASK_EXE)
			read_exe(a, answer);
		if (a->want & PROCASK_CMDLINE)
			read_cmdline(a, answer);
		answer->answered = true;
	}
}

/* ---- rounds ---- */

static void release(struct procask *a)
{
	close(a->root_fd);
	free(a->users);
	free(a);
}

static void done(struct qmem *q, struct qmem_job *job)
{
	struct procask *a = (struct procask *)(void *)job;

	if (!q || a->gone) {
		release(a);
		return;
	}
	a->busy = false;
	a->back = true;
}

/* The user's place, or the one it would have. */
static struct user *user_at(const struct procask *a, uint32_t uid)
{
	size_t at = uid % a->users_room;

	while (*a->users[at].name && a->users[at].uid != uid)
		at = at + 1 < a->users_room ? at + 1 : 0;
	return &a->users[at];
}

/* If there are too many of them it begins anew: those that are needed are asked for again. */
static int grow_users(struct procask *a)
{
	size_t before = a->users_room, room = before ? 2 * before : USERS;
	struct user *old = a->users, *users;

	if (room > USERS_MOST) {
		memset(old, 0, before * sizeof(*old));
		a->users_n = 0;
		return 0;
	}
	users = calloc(room, sizeof(*users));
	if (!users)
		return -ENOMEM;
	a->users = users;
	a->users_room = room;
	for (size_t i = 0; i < before; i++)
		if (*old[i].name)
			*user_at(a, old[i].uid) = old[i];
	free(old);
	return 0;
}

static void learn_user(struct procask *a, uint32_t uid, const char *name)
{
	struct user *user = user_at(a, uid);

	if (!*user->name) {
		if (2 * (a->users_n + 1) > a->users_room) {
			if (grow_users(a))
				return;
			user = user_at(a, uid);
		}
		a->users_n++;
	}
	user->uid = uid;
	snprintf(user->name, sizeof(user->name), "%s", name);
}

static void learn(struct procask *a, const struct procask_answer *answer)
{
	if (answer->facts.user)
		learn_user(a, answer->uid, answer->facts.user);
	if (!answer->answered || answer->uid == a->uid)
		return;
	a->refused |= answer->refused;
	a->readable |= answer->facts.exe != NULL;
}

size_t procask_take(struct procask *a, const struct procask_answer **ret)
{
	size_t n = a->n;

	if (!a->back)
		return 0;
	for (size_t i = 0; i < n; i++)
		learn(a, &a->answers[i]);
	a->back = false;
	a->n = 0;
	*ret = a->answers;
	return n;
}

bool procask_add(struct procask *a, const struct proc *p)
{
	if (a->busy || a->back || a->n == ASKS_MOST)
		return false;
	a->answers[a->n++] =
		(struct procask_answer){ .slot = p->slot, .generation = p->generation, .uid = p->uid, .pid = p->pid };
	return true;
}

void procask_go(struct qmem *q, struct procask *a)
{
	if (a->busy || a->back || !a->n)
		return;
	a->used = 0;
	a->job.run = run;
	a->job.done = done;
	a->job.pid = 0;
	snprintf(a->job.what, sizeof(a->job.what), "names of processes");
	a->busy = true;
	if (qmem_work(q, &a->job)) {
		a->busy = false;
		a->back = true; /* with none answered: they may be asked for again */
	}
}

const char *procask_user(const struct procask *a, uint32_t uid)
{
	const struct user *user = a->users_room ? user_at(a, uid) : NULL;

	return user && *user->name ? user->name : NULL;
}

bool procask_refused(const struct procask *a)
{
	return a->refused && !a->readable;
}

/* ---- life ---- */

void procask_free(struct procask *a)
{
	if (a && a->busy)
		a->gone = true;
	else if (a)
		release(a);
}

int procask_new(struct qmem *q, unsigned want, struct procask **ret)
{
	struct procask *a = calloc(1, sizeof(*a));
	int err;

	if (!a)
		return -ENOMEM;
	a->root_fd = qmem_open(q, O_PATH | O_DIRECTORY, ".");
	err = a->root_fd < 0 ? a->root_fd : want & PROCASK_USER ? grow_users(a) : 0;
	if (err) {
		if (a->root_fd >= 0)
			close(a->root_fd);
		free(a);
		return err;
	}
	a->want = want;
	a->uid = geteuid();
	*ret = a;
	return 0;
}
