/* SPDX-License-Identifier: MIT */
#include "process/ask.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/root.h"
#include "proc/maps.h"
#include "process/probe.h"
#include "process/table.h"
#include "util/escape.h"

#define ASKS_MOST 2048   /* processes that one job looks at */
#define TEXT_SIZE 131072 /* what it may say of them */
#define CMDLINE_SIZE 2048
#define EXE_SIZE 4096   /* no path is longer: what two begin with does not make them one */
#define USERS 64        /* at first */
#define USERS_MOST 8192 /* uids are anyone's who has a user namespace */
#define USER_NAME 64

struct user {
	uint32_t uid;
	char name[USER_NAME]; /* "": the place is free */
};

/* What one job looks at. It owns all it needs: it outlives its owner while it is at the worker. */
struct batch {
	struct qmem_job job;
	struct procask *ask; /* NULL: it has gone, or does not wait for this any more */
	struct root *root;
	unsigned want;
	struct procask_answer answers[ASKS_MOST];
	size_t n;
	char text[TEXT_SIZE];
	size_t used;
};

struct procask {
	struct batch *batch;
	struct root *root;
	unsigned want;
	const char *what;   /* the files, of which one may block */
	const char *id;     /* the same as a name */
	bool busy;          /* the batch is at the worker */
	bool back;          /* and has come back, with answers to be taken */
	struct user *users; /* hash table, at most half full */
	size_t users_room, users_n;
	uid_t uid;              /* our own */
	bool refused, readable; /* exe of processes of other users */
};

/* ---- on the worker ---- */

static const char *put(struct batch *b, const char *text, size_t len)
{
	char *at = b->text + b->used;

	memcpy(at, text, len);
	at[len] = '\0';
	b->used += len + 1;
	return at;
}

static void read_exe(struct batch *b, struct procask_answer *answer)
{
	char text[EXE_SIZE];
	ssize_t len = root_read_link(b->root, answer->pid, "exe", text, sizeof(text));

	answer->refused = len == -EACCES || len == -EPERM;
	if (len <= 0)
		return;
	if (maps_is_deleted(text, (size_t)len))
		len -= MAPS_DELETED;
	answer->facts.exe = put(b, text, (size_t)len);
}

static void read_cmdline(struct batch *b, struct procask_answer *answer)
{
	char text[CMDLINE_SIZE];
	ssize_t len = root_read_process(b->root, answer->pid, "cmdline", text, sizeof(text));

	while (len > 0 && !text[len - 1])
		len--;
	if (len <= 0)
		return;
	for (ssize_t i = 0; i < len; i++)
		if (!text[i])
			text[i] = ' ';
	answer->facts.cmdline = put(b, text, (size_t)len);
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

static void take_user(struct batch *b, const char *line, size_t len)
{
	size_t name_len;
	uint32_t uid;

	if (!parse_passwd(line, len, &uid, &name_len) || name_len >= USER_NAME)
		return;
	for (size_t i = 0; i < b->n; i++) {
		struct procask_answer *answer = &b->answers[i];

		if (answer->uid == uid && !answer->facts.user && b->used + USER_NAME < TEXT_SIZE)
			answer->facts.user = put(b, line, name_len);
	}
}

static void read_users(struct batch *b)
{
	char text[65536], number[16];
	size_t have = 0, total = 0;
	ssize_t n = 0;
	int fd = root_open(b->root, "etc/passwd", O_RDONLY);

	while (fd >= 0 && total < ROOT_FILE_MOST) {
		char *line = text, *end;

		n = read(fd, text + have, sizeof(text) - have);
		if (n <= 0)
			break;
		total += (size_t)n;
		have += (size_t)n;
		while ((end = memchr(line, '\n', have - (size_t)(line - text))) != NULL) {
			take_user(b, line, (size_t)(end - line));
			line = end + 1;
		}
		have -= (size_t)(line - text);
		if (have == sizeof(text))
			break; /* no user has such a line */
		memmove(text, line, have);
	}
	if (fd >= 0)
		close(fd);
	for (size_t i = 0; i < b->n; i++) {
		struct procask_answer *answer = &b->answers[i];

		if (answer->facts.user || b->used + sizeof(number) >= TEXT_SIZE || answer->uid == PROC_NO_UID)
			continue;
		snprintf(number, sizeof(number), "%" PRIu32, answer->uid);
		answer->facts.user = put(b, number, strlen(number));
	}
}

static void run(struct qmem_job *job)
{
	struct batch *b = (struct batch *)(void *)job;

	if (b->want & PROCASK_USER)
		read_users(b);
	for (size_t i = 0; i < b->n; i++) {
		struct procask_answer *answer = &b->answers[i];

		if (b->used + EXE_SIZE + 1 + CMDLINE_SIZE + 1 > TEXT_SIZE)
			return;
		if (b->want & (PROCASK_EXE | PROCASK_CMDLINE))
			QMEM_JOB_AT(job, answer->pid, answer->uid);
		if (b->want & PROCASK_EXE)
			read_exe(b, answer);
		if (b->want & PROCASK_CMDLINE)
			read_cmdline(b, answer);
		answer->answered = true;
	}
}

/* ---- rounds ---- */

static void release(struct batch *b)
{
	if (!b)
		return;
	root_drop(b->root);
	free(b);
}

static void done(struct qmem *q, struct qmem_job *job)
{
	struct batch *b = (struct batch *)(void *)job;

	if (!q || !b->ask) {
		release(b);
		return;
	}
	b->ask->busy = false;
	b->ask->back = true;
}

static struct batch *new_batch(struct procask *a)
{
	struct batch *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->root = root_hold(a->root);
	b->ask = a;
	return b;
}

/* What is stuck is not waited for: it comes back to nobody, and whom it was to ask are told of as unanswered. Where there is no
 * memory for that, a later round sees to it. */
static void leave(struct procask *a)
{
	struct batch *stuck = a->batch, *b = new_batch(a);

	if (!b)
		return;
	/* the rest of them is its thread's */
	for (size_t i = 0; i < stuck->n; i++)
		b->answers[i] = (struct procask_answer){ .slot = stuck->answers[i].slot,
							 .generation = stuck->answers[i].generation,
							 .uid = stuck->answers[i].uid };
	b->n = stuck->n;
	stuck->ask = NULL;
	a->batch = b;
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
	struct batch *b = a->batch;
	size_t n;

	if (a->busy && b->job.left)
		leave(a);
	if (!a->back)
		return 0;
	b = a->batch;
	n = b->n;
	for (size_t i = 0; i < n; i++)
		learn(a, &b->answers[i]);
	for (size_t i = 0; i < n; i++)
		if ((a->want & PROCASK_USER) && !b->answers[i].facts.user)
			b->answers[i].facts.user = procask_user(a, b->answers[i].uid);
	a->back = false;
	b->n = 0;
	*ret = b->answers;
	return n;
}

/* Would it be stuck? */
static bool is_barred(const struct qmem *q, const struct procask *a, const struct proc *p)
{
	/* for exe alone the lock is not taken that others may be stuck at */
	if (a->want & PROCASK_CMDLINE ? probe_shuns(q, p->pid, p->uid) : qmem_is_stuck(q, a->what, p->pid))
		return true;
	return (a->want & PROCASK_USER) && !procask_user(a, p->uid) && qmem_is_stuck(q, a->what, 0);
}

bool procask_add(const struct qmem *q, struct procask *a, const struct proc *p)
{
	struct batch *b = a->batch;

	if (a->busy || a->back || b->n == ASKS_MOST || is_barred(q, a, p))
		return false;
	b->answers[b->n++] =
		(struct procask_answer){ .slot = p->slot, .generation = p->generation, .uid = p->uid, .pid = p->pid };
	return true;
}

void procask_go(struct qmem *q, struct procask *a)
{
	struct batch *b = a->batch;

	if (a->busy || a->back || !b->n)
		return;
	b->used = 0;
	/* where the users' names do not let themselves be read, those that are asked for here are known */
	b->want = qmem_is_stuck(q, a->what, 0) ? a->want & ~(unsigned)PROCASK_USER : a->want;
	b->job.run = run;
	b->job.done = done;
	b->job.lane = QMEM_TARGETS;
	b->job.wary = true; /* recalled, they come back unanswered */
	b->job.pid = 0;
	snprintf(b->job.what, sizeof(b->job.what), "%s", a->what);
	snprintf(b->job.id, sizeof(b->job.id), "%s", a->id);
	a->busy = true;
	if (qmem_work(q, &b->job)) {
		a->busy = false;
		a->back = true; /* with none answered: they may be asked for again */
	}
}

const char *procask_user(const struct procask *a, uint32_t uid)
{
	const struct user *user = a->users_room ? user_at(a, uid) : NULL;

	return user && *user->name ? user->name : NULL;
}

void procask_user_text(const struct procask *a, char *dst, size_t size, uint32_t uid)
{
	const char *name = a && uid != PROC_NO_UID ? procask_user(a, uid) : NULL;

	if (uid == 0)
		snprintf(dst, size, "root");
	else if (name)
		escape_name(dst, size, name);
	else if (uid == PROC_NO_UID)
		snprintf(dst, size, "?");
	else
		snprintf(dst, size, "%" PRIu32, uid);
}

bool procask_refused(const struct procask *a)
{
	return a->refused && !a->readable;
}

/* ---- life ---- */

/* As it is said of the one that does not come back. */
static const char *what_of(unsigned want)
{
	if (want & PROCASK_CMDLINE)
		return want & PROCASK_USER ? "cmdline (or etc/passwd)" : "cmdline";
	if (want & PROCASK_EXE)
		return want & PROCASK_USER ? "exe (or etc/passwd)" : "exe";
	return "etc/passwd";
}

static const char *id_of(unsigned want)
{
	if (want & PROCASK_CMDLINE)
		return want & PROCASK_USER ? "cmdline_or_passwd" : "cmdline";
	if (want & PROCASK_EXE)
		return want & PROCASK_USER ? "exe_or_passwd" : "exe";
	return "passwd";
}

void procask_free(struct procask *a)
{
	if (!a)
		return;
	if (a->busy)
		a->batch->ask = NULL;
	else
		release(a->batch);
	root_drop(a->root);
	free(a->users);
	free(a);
}

int procask_new(struct qmem *q, unsigned want, struct procask **ret)
{
	struct procask *a = calloc(1, sizeof(*a));
	int err;

	if (!a)
		return -ENOMEM;
	a->root = root_of(q);
	err = want & PROCASK_USER ? grow_users(a) : 0;
	if (!err && !(a->batch = new_batch(a)))
		err = -ENOMEM;
	if (err) {
		procask_free(a);
		return err;
	}
	a->want = want;
	a->what = what_of(want);
	a->id = id_of(want);
	a->uid = geteuid();
	*ret = a;
	return 0;
}
