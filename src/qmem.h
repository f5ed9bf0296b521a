/* SPDX-License-Identifier: MIT */
/*
 * The contract between services, the engine and hosts.
 *
 * A service measures: a table of metric families, a table of options, and a few hooks. A host (the collectd plugin,
 * qmem.plugin for Netdata, the tests) reads the same tables, lends time, CPU clock, worker and log, and receives samples
 * and events. The engine between them has no thread, no lock, no clock and no global: all calls for one struct qmem are
 * made one at a time, and a host with several threads serialises them.
 *
 * Times are nanoseconds of CLOCK_MONOTONIC. Errors are negative errno values.
 */
#ifndef QMEM_H
#define QMEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define QMEM_NA INT64_MIN /* this kernel does not report the value, or it could not be read */
#define QMEM_SECOND UINT64_C(1000000000)
#define QMEM_NEVER UINT64_MAX

struct qmem;
struct epoll_event;

/* ---- what is measured ------------------------------------------------------------------------------------------- */

enum qmem_kind {
	QMEM_GAUGE,   /* a level, as read */
	QMEM_COUNTER, /* grows for ever; hosts make rates of it */
};

/* One number of a sample: the int64_t at `offset`, QMEM_NA if absent. */
struct qmem_metric {
	const char *id;  /* lower_snake, ours */
	const char *key; /* the kernel's word for it; NULL if positional or derived */
	size_t offset;   /* in the service's sample */
	const char *help;
};

enum qmem_family_flags {
	QMEM_INTERNAL = 1, /* for the `values` hooks of services, never for hosts */
	QMEM_DETAIL = 2,   /* off until the service's option `Detail` is set */
	QMEM_OVERLAP = 4,  /* plugins of both agents' own show the same: off with the global option `Overlap no` */
	QMEM_PARTS = 8,    /* counters whose sum is a whole: a host may show each as its share of what has passed */
};

/* Metrics of one unit and one kind: one chart. */
struct qmem_family {
	const char *id, *title;
	const char *unit; /* after the divisor: bytes, seconds, cpu-seconds, percent, events, pages, packets, ... */
	enum qmem_kind kind;
	int64_t divisor;   /* value = sample / divisor; at least 1 */
	const char *type;  /* collectd's types.db */
	const char *menu;  /* Netdata's submenu */
	const char *style; /* line, area, stacked */
	const char *label; /* what an instance is: "device"; NULL: the family has one instance, without a name */
	unsigned flags;
	const struct qmem_metric *metrics; /* up to one without an id */
};

struct qmem_label {
	const char *name, *value;
};

/* One of many of a kind. `name` is the original, and may hold any byte but NUL: hosts make it safe (name.h). */
struct qmem_instance {
	const char *name;
	const struct qmem_label *labels; /* further ones, up to one without a name; may be NULL */
	bool configured; /* the user has chosen the name: ids have '_' for its blanks, and no suffix for that */
};

static inline int64_t qmem_value(const struct qmem_metric *metric, const void *sample)
{
	return *(const int64_t *)(const void *)((const char *)sample + metric->offset);
}

/* One collection of one service. */
struct qmem_round {
	const struct qmem_service *service;
	uint64_t now;      /* when that was complete which its values are made of: of what needs a walk, its end */
	uint64_t interval; /* between two of them, the same for ever; where one is left out there is no value */
	uint64_t every;    /* as it is at present: a multiple of that, while the service costs more than its budget */
	uint64_t seen;     /* bit i: metric i of the family has had a value; others this kernel may not have */
};
#define QMEM_METRICS 64 /* of a family, at most */

/* How long after its last value an instance is over: a host ends its chart then, and a service may forget its counters, not before. */
static inline uint64_t qmem_grace(uint64_t interval)
{
	return 10 * interval > 60 * QMEM_SECOND ? 10 * interval : 60 * QMEM_SECOND;
}

/* ---- what is concluded ------------------------------------------------------------------------------------------ */

enum qmem_severity { QMEM_OKAY, QMEM_WARNING, QMEM_FAILURE };

/*
 * A condition (service, name, instance) that has changed, or is still what it was. The engine sends a change at once, an
 * unchanged one every `repeat`, and not more than a few of one key in a minute (event.h): services raise what they see.
 */
struct qmem_event {
	enum qmem_severity severity;
	const char *service, *name;
	const char *instance; /* NULL: none */
	unsigned state;    /* finer than the severity: a change of it is a change too; 0 unless there is such a thing */
	uint64_t repeat;   /* 0: never */
	char message[256]; /* all that a human must know; collectd's limit */
	const struct qmem_label *fields; /* up to one without a name; may be NULL */
};

/* ---- what is configured ----------------------------------------------------------------------------------------- */

enum qmem_option_type {
	QMEM_BOOL,     /* bool */
	QMEM_TRISTATE, /* int, enum qmem_tristate */
	QMEM_INT,      /* int64_t */
	QMEM_SIZE,     /* int64_t, bytes: 64k, 16MiB */
	QMEM_DURATION, /* int64_t, nanoseconds: 200ms, 2s, 5m; a bare number is seconds */
	QMEM_PERCENT,  /* int64_t, hundredths of a percent: 10 and 10% alike, 0.5% */
	QMEM_STRING,   /* char *, the engine's */
	QMEM_ENUM,     /* int, an index into `words` */
	QMEM_LIST,     /* struct qmem_list; repeatable, the first given item replaces the default */
	QMEM_BLOCK,    /* struct qmem_blocks: named, with rows of its own: <Group "web"> */
};

enum qmem_tristate { QMEM_NO, QMEM_YES, QMEM_AUTO };

struct qmem_list {
	char **items;
	size_t n;
	bool given; /* by the user: not the default */
};

struct qmem_block {
	char *name;
	void *data; /* of the option's sub_size, filled by its `sub` rows */
};

struct qmem_blocks {
	struct qmem_block *items;
	size_t n;
};

struct qmem_option {
	const char *name; /* CamelCase; compared without case, blanks, '-' and '_' */
	enum qmem_option_type type;
	size_t offset;    /* in the service's state */
	const char *def;  /* as a user would write it; a list's items are separated by '\n'; NULL: 0, "", empty */
	int64_t min, max; /* QMEM_INT, _SIZE, _DURATION, _PERCENT; both 0: not limited, but never negative */
	const char *const *words; /* QMEM_ENUM: up to NULL */
	/* is nothing else wrong with a value, with the name of a block? Else `why` says what: "is ..."; may be NULL. Not for
	 * words */
	bool (*check)(const char *value, char *why, size_t size);
	bool phrase;                   /* of a value that is several words, which need no quotes */
	const struct qmem_option *sub; /* QMEM_BLOCK */
	size_t sub_size;
	const char *help;
	const char *example; /* as `def`, where there is none; of a block its name */
};

/* What an option was called once. Setting that is an error that tells the name of today; it does nothing else. */
struct qmem_renamed {
	const char *was, *is;
};

struct qmem_error {
	char text[512];
};

/* ---- a service -------------------------------------------------------------------------------------------------- */

/*
 * A capability with which a service can do more: a row for each file or call that it is for. A program that has rights which its
 * caller has not keeps those alone that rows in use name (qmem_uses()). Of these CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE and
 * CAP_SYS_ADMIN are never effective but for that file or call, since they open others, too: the engine raises the first two
 * where the service opens what `file` matches, as a pattern of fnmatch(3) in which '*' is no '/'; what is no file, and what jobs
 * open, is for the service to do (util/right.h).
 */
struct qmem_capability {
	int number; /* of linux/capability.h */
	const char *name, *why;
	const char *file;   /* "/proc/slabinfo", "/proc/PID/exe"; a call: "setns()" */
	const char *option; /* of the service: used only where that is on; NULL: always */
	const char *value;  /* with it: only where it has this value, or item */
	bool starting;      /* only until all services have started */
	bool extra;         /* not among those that make install gives: it is for an administrator to add */
};

/*
 * Hooks return 0 or -errno, -ENOTSUP from `start` when this kernel lacks the thing. `collect` emits what it has read; what
 * it could not read is absent. qmem_fail() gives an error its words. All hooks may be NULL, `start` and `stop` included.
 *
 * No call of the engine shall hold its host for more than 50 ms. A `collect` that may take longer asks qmem_enough() as it goes,
 * returns QMEM_MORE when that is true, and is called again soon to go on, after the host has let others have their turn: timers,
 * descriptors and other services. It emits what it has in the last of these calls.
 */
#define QMEM_MORE 1
struct qmem_service {
	const char *name, *help;
	const char *source;               /* where the numbers come from: "/proc/meminfo" */
	const char *kernel;               /* since which kernel: "2.6", "4.20 (CONFIG_PSI)" */
	const char *privilege;            /* what it needs beyond being run: "none" */
	unsigned priority;                /* of its first chart among all; a multiple of QMEM_PRIORITIES */
	const struct qmem_service *needs; /* is collected first whenever this one is, even if it is off for hosts */
	bool shared;                      /* runs only while a service that needs it does, unless it is set to yes */
	const char *relief; /* what makes it cost less CPU time, but for `Budget` and `Interval`; may be NULL */
	const struct qmem_family *families;         /* up to one without an id; may be NULL */
	const struct qmem_option *options;          /* up to one without a name; may be NULL */
	const struct qmem_renamed *renamed;         /* of the options: up to one without a name; may be NULL */
	const struct qmem_capability *capabilities; /* likewise */
	size_t state_size;                          /* zeroed, options set, before `start` */
	int (*start)(struct qmem *q, void *state);
	int (*collect)(struct qmem *q, void *state);
	/* what other services emit, QMEM_INTERNAL included, `round` telling whose */
	void (*values)(struct qmem *q, void *state, const struct qmem_round *round, const struct qmem_family *family,
		       const struct qmem_instance *instance, const void *sample);
	/* frees what start and collect made; options are the engine's. Also after a start that failed */
	void (*stop)(struct qmem *q, void *state);
};
#define QMEM_PRIORITIES 100 /* of a service, one for each family */

extern const struct qmem_service *const qmem_services[]; /* the built-in ones, up to NULL; services.c */

/* Options every service has. `Detail` is shown only where a family is QMEM_DETAIL. */
struct qmem_common {
	int enabled;      /* enum qmem_tristate */
	int64_t interval; /* ns; 0: the host's */
	int64_t budget;   /* CPU ns per second, for whomever it is collected; 0: no limit */
	bool detail;
};

extern const struct qmem_option qmem_common_options[]; /* into struct qmem_common */
extern const struct qmem_option qmem_global_options[]; /* of qmem as a whole */

/* ---- what a service may call ------------------------------------------------------------------------------------ */

/*
 * A file below the root prefix that stays open between reads. `path` has no leading '/', and outlives the file.
 *	struct qmem_file f = QMEM_FILE("proc/meminfo");
 */
struct qmem_file {
	const char *path;
	int fd;      /* -1: closed */
	bool single; /* the kernel makes it in one piece (single_open()): what one read returns is all of it */
};
#define QMEM_FILE(path_) ((struct qmem_file){ .path = (path_), .fd = -1 })
#define QMEM_FILE_SINGLE(path_) ((struct qmem_file){ .path = (path_), .fd = -1, .single = true })

/* The whole text, NUL-terminated (it may hold NULs of its own), the engine's until the next qmem_read(). The length, or
 * -errno; -ENODATA for an empty file. The file is opened when it is not, and again when the old descriptor fails. */
ssize_t qmem_read(struct qmem *q, struct qmem_file *file, const char **ret_text);
void qmem_file_close(struct qmem_file *file);
/* A descriptor, close-on-exec, below the root prefix; engine/root.h says what is opened, and what is not. */
int qmem_open(struct qmem *q, int flags, const char *path_fmt, ...) __attribute__((format(printf, 3, 4)));
/* A file that is opened for one look: what fits of it. The length, or -errno. */
ssize_t qmem_read_once(struct qmem *q, char *text, size_t size, const char *path_fmt, ...)
	__attribute__((format(printf, 4, 5)));

void qmem_emit(struct qmem *q, const struct qmem_family *family, const struct qmem_instance *instance,
	       const void *sample);
/* Every family of the calling service that has no instances, from one sample. */
void qmem_emit_all(struct qmem *q, const void *sample);
void qmem_raise(struct qmem *q, const struct qmem_event *event);
/* Has the host been held long enough? False where it lends no clock. */
bool qmem_enough(const struct qmem *q);
/* CPU ns that the calling service has used, up to now: for one that has a budget for a part of what it does. */
uint64_t qmem_cpu(const struct qmem *q);
/* Is the calling service collected for another one only, between its own turns? */
bool qmem_muted(const struct qmem *q);

/* epoll events on fd; `ready` is called by qmem_dispatch(). -EEXIST if fd is watched, -EPERM if it cannot be. */
int qmem_watch(struct qmem *q, int fd, uint32_t events,
	       void (*ready)(struct qmem *q, int fd, uint32_t events, void *arg), void *arg);
int qmem_watch_events(struct qmem *q, int fd, uint32_t events); /* changes what is waited for; -ENOENT */
int qmem_unwatch(struct qmem *q, int fd);                       /* before close(fd); -ENOENT */

/* One shot, owned by the caller, who zeroes it first and cancels it before it goes. `expired` may set it again. */
struct qmem_timer {
	uint64_t when;
	void (*expired)(struct qmem *q, struct qmem_timer *timer);
	void *arg;
	struct qmem_timer *next; /* the engine's, like those below */
	struct qmem_run *owner;
	bool set;
};
void qmem_timer_set(struct qmem *q, struct qmem_timer *timer, uint64_t when);
void qmem_timer_cancel(struct qmem *q, struct qmem_timer *timer);
uint64_t qmem_now(const struct qmem *q);
/* Of the calling service, as in its rounds. */
uint64_t qmem_interval(const struct qmem *q);

/*
 * Work that may block, on threads of the host: one to a lane, which takes the lane's jobs in their order. The job owns its
 * data: `run` sees neither engine nor state. `done` runs in the engine again, or with q == NULL when the engine has gone
 * meanwhile: then it only frees the job, on any thread.
 *
 * A job that has not come back after `stuck_after` is stuck: an event names it, and the host leaves its thread behind; a
 * fresh one takes the lane. When there are QMEM_LEFT_MOST of them in a lane, it waits until one of them is back. A job that
 * comes back late is handed to `done` like any other: `left` tells it that others have gone on without it. A wary job that is
 * behind one that gets stuck is handed back without having run, so that its owner looks again whether it would be, too.
 */
enum qmem_lane {
	QMEM_TARGETS, /* files that take another process's lock, or lie on file systems of users: any may never come back */
	QMEM_STORE, /* files of our own: backups, reports, saved series */
	QMEM_LANES,
};
#define QMEM_LEFT_MOST 4

struct qmem_job {
	void (*run)(struct qmem_job *job);
	void (*done)(struct qmem *q, struct qmem_job *job);
	enum qmem_lane lane;
	char what[64]; /* the file: "smaps" */
	char id[32]; /* the same as part of an instance's name, where those words have blanks and the like; "": as it is */
	int32_t pid;  /* whose file it is, 0: nobody's; run() may say another with QMEM_JOB_AT */
	uint32_t uid; /* whose process that is */
	bool wary;
	uint64_t stuck_after;  /* 0: the global option StuckAfter */
	uint64_t cpu_ns;       /* what `run` has used, for `done`; the host's word */
	bool left;             /* it is stuck, and its thread left behind; the engine's, for the owner to look at */
	bool recalled;         /* it has not run; likewise */
	struct qmem_job *next; /* the host's queue */
	struct qmem_job *peer; /* the engine's list, like those below */
	struct qmem_run *owner;
	uint64_t since; /* when it came to the head of the lane */
	int32_t at;     /* where it was when it was found stuck: a process, or 0 */
	uint32_t of;    /* and that one's user */
	bool stuck;
};
/* The engine may look meanwhile. */
#define QMEM_JOB_AT(job_, pid_, uid_)                                                                                  \
	do {                                                                                                           \
		__atomic_store_n(&(job_)->uid, (uid_), __ATOMIC_RELAXED);                                              \
		__atomic_store_n(&(job_)->pid, (pid_), __ATOMIC_RELAXED);                                              \
	} while (0)
int qmem_work(struct qmem *q, struct qmem_job *job);
/* Is a job stuck at this file (NULL: at any) of this process (0: of nobody)? Who reads it would be, too. */
bool qmem_is_stuck(const struct qmem *q, const char *what, int32_t pid);
/* How many jobs are stuck at files of this user's processes? */
unsigned qmem_stuck_of(const struct qmem *q, uint32_t uid);

/* The state of another service, NULL if it is not running. */
void *qmem_state(struct qmem *q, const struct qmem_service *service);

enum qmem_level { QMEM_LOG_ERROR, QMEM_LOG_WARNING, QMEM_LOG_NOTICE, QMEM_LOG_INFO, QMEM_LOG_DEBUG };
/* The service's name is put before the text. */
void qmem_log(struct qmem *q, enum qmem_level level, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Words for the error a hook is about to return: `return qmem_fail(q, -EINVAL, "...")`. */
int qmem_fail(struct qmem *q, int err, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* What --check says of the running service: its back end, and what it lacks. */
void qmem_note(struct qmem *q, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * What is configured, and in vain. `start` looks at options that do not go together, and takes defaults for them; what only time
 * tells may be said later, once. The host hears the place where the option stands, service, block, option and value, and why:
 *	qmem_vain(q, &(struct qmem_vain){ .option = "LevelLow" }, "is below LevelMedium");
 */
struct qmem_vain {
	const char *block, *block_name; /* NULL: in no block */
	const char *option;             /* NULL: the block */
	const char *value;              /* of a list, which; NULL: the last that was set */
};
void qmem_vain(struct qmem *q, const struct qmem_vain *vain, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Has this service's option been set? */
bool qmem_is_set(const struct qmem *q, const char *option);

/* Something wrong that may last: a warning when it begins, an info line when it is over. */
struct qmem_complaint {
	bool on;
};
void qmem_complain(struct qmem *q, struct qmem_complaint *c, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void qmem_release(struct qmem *q, struct qmem_complaint *c, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* ---- what a host gives ------------------------------------------------------------------------------------------ */

/* Called from within the engine: they must not call it back, except for the qmem_ functions that take a const struct qmem.
 * All may be NULL but cpu_ns. What they are handed is theirs for the call only. */
struct qmem_host {
	void (*values)(void *host, const struct qmem_round *round, const struct qmem_family *family,
		       const struct qmem_instance *instance, const void *sample);
	void (*collected)(void *host, const struct qmem_round *round); /* all of this round has been emitted */
	void (*stopped)(void *host, const struct qmem_service *service);
	void (*event)(void *host, const struct qmem_event *event);
	void (*log)(void *host, enum qmem_level level, const char *text);
	void (*vain)(void *host, const char *text); /* something configured is; NULL: it is a warning in the log */
	/* queues the job for the thread of its lane, which calls job->run(job), sets job->cpu_ns by its own CPU clock, then
	 * calls (serialised) qmem_worked(q, job, now) */
	int (*work)(void *host, struct qmem_job *job);
	/* the job is stuck: a fresh thread takes over its lane, and its own ends when the job is back, which is told as ever.
	 * -EALREADY: it has come back meanwhile; another -errno: it is not left, the lane waits, later it is tried again */
	int (*leave)(void *host, struct qmem_job *job);
	/* forgets a job that has not begun; -errno: it has */
	int (*recall)(void *host, struct qmem_job *job);
	uint64_t (*cpu_ns)(void *host); /* CPU time of the calling thread */
	uint64_t (*now)(void *host);    /* the clock of `now` in the calls below; NULL: all is done in one go */
};

/* ---- what a host calls; none of these blocks, waits or starts a thread ------------------------------------------- */

/* `services` up to NULL, dependencies before their users; it and `host` outlive the engine. NULL: no memory. */
struct qmem *qmem_new(const struct qmem_host *host, void *arg, const struct qmem_service *const *services);

/*
 * One option. service NULL: a global one; block NULL: not in a block; option NULL: none, only that the service exists, and the
 * block is one of those that it has now. On error the value stays what it was (a HostRoot that is wrong does not: then nothing can
 * start), and `error` names service, option and value. -ENOENT: no such service, block or option; -EINVAL: a wrong value, or a block without a
 * name; -EBUSY: started.
 */
int qmem_set(struct qmem *q, const char *service, const char *block, const char *block_name, const char *option,
	     const char *value, struct qmem_error *error);
/* Is its value several words, without quotes? Else a line with several values is wrong. */
bool qmem_is_phrase(const struct qmem *q, const char *service, const char *block, const char *option);
/* Is this the name of a block of the service? */
bool qmem_is_block(const struct qmem *q, const char *service, const char *name);
/* Where the settings stand that follow, "qmem.conf:12", for what is said of them later. It must live as long as they are set;
 * NULL: unknown. */
void qmem_at(struct qmem *q, const char *place);

/* How often a host that is free to choose should call qmem_collect(), so that no service's interval has to be rounded; not
 * finer than the shortest of them, or a second. `interval` is the host's own, for services without one. */
uint64_t qmem_tick(const struct qmem *q, uint64_t interval);
/*
 * Opens HostRoot, which qmem_start() does otherwise: a host that has rights its caller may not have raises them only behind it.
 * 1: its proc is the kernel's own, and no link was followed into a place of the caller's choice; 0: no right may be lent to
 * what is read there; -errno.
 */
int qmem_open_root(struct qmem *q);
/* `tick` is how often the host will call qmem_collect(): intervals are rounded up to multiples of it. `interval` is that of
 * services without one. A service that cannot start is off, with a reason; -errno only if nothing at all can run. */
int qmem_start(struct qmem *q, uint64_t tick, uint64_t interval, uint64_t now);
/* A tick: collects what is due. -EIO when the last collection of every service has failed. QMEM_MORE: some is not done yet, and
 * the host calls qmem_go_on(), again and again until it is, also when the next tick comes first. Between two calls it dispatches
 * what has come, and lets go of its lock. */
int qmem_collect(struct qmem *q, uint64_t now);
int qmem_go_on(struct qmem *q, uint64_t now);
/* To be waited for with epoll_wait() itself, unlocked: poll() on it, or nesting it, loses PSI events. */
int qmem_fd(const struct qmem *q);
void qmem_dispatch(struct qmem *q, const struct epoll_event *events, int n, uint64_t now);
/* When qmem_dispatch() wants to be called even if nothing was ready; QMEM_NEVER. */
uint64_t qmem_next(const struct qmem *q);
void qmem_worked(struct qmem *q, struct qmem_job *job, uint64_t now);
/* Ticks, values or events that the host had to throw away. */
void qmem_dropped(struct qmem *q, uint64_t ticks, uint64_t events);
/* Stops all services and frees everything but jobs still at the worker; those come back to qmem_worked(NULL, job, 0). */
void qmem_free(struct qmem *q);

struct qmem_status {
	const struct qmem_service *service;
	const struct qmem_common *common;
	bool on;            /* started, and its values go to the host */
	const char *reason; /* off: why; on: the service's note, or "" */
	uint64_t interval;  /* settled when it has had a value */
	uint64_t every;     /* at present; more than `interval` while it costs more than its budget */
	const char *paced;  /* why `interval` is not the one that was asked for, or "" */
	/* cost, since start */
	uint64_t cpu_ns, collections, failures, values, events;
};
/* The i-th service; false beyond the last. */
bool qmem_status(const struct qmem *q, size_t i, struct qmem_status *ret);

/* Totals that are nobody's own, since start. */
struct qmem_totals {
	uint64_t raised[3];                     /* events by severity, as sent to the host */
	uint64_t withheld;                      /* changes that came too often: the last of them is sent later */
	uint64_t dropped_ticks, dropped_events; /* as told by qmem_dropped() */
	uint64_t jobs, back, stuck; /* jobs that were given to the host, those that have come back, that were late */
	uint64_t longest_hold;      /* ns that one call has taken; 0 where the host lends no clock */
	uint64_t late;              /* ns since a worker began with the job that is late now, the oldest; 0: none is */
	uint64_t left[QMEM_LANES];  /* threads that are left behind now */
};
void qmem_totals(const struct qmem *q, struct qmem_totals *ret);

/*
 * Is it one of a service that shall run, if it can, with the option that the row names? After all is set. An option is on that is yes, a number but 0, a text or list other than its default, a block that there is.
 */
bool qmem_uses(const struct qmem *q, const struct qmem_service *service, const struct qmem_capability *capability);

/* Does the host show this family of this service? Not if it is internal, or a detail and Detail is off, or an overlap and Overlap is. */
bool qmem_shown(const struct qmem *q, const struct qmem_service *service, const struct qmem_family *family);

const char *qmem_version(void);

#endif
