/* SPDX-License-Identifier: MIT */
/* What the files of the engine share; no service and no host includes it. */
#ifndef QMEM_ENGINE_ENGINE_H
#define QMEM_ENGINE_ENGINE_H

#include "qmem.h"

enum pace {
	PACE_NEW, /* it has not been collected yet */
	PACE_TRIED, /* it has cost too much for its budget the first time, and is looked at again before it says anything */
	PACE_SETTLED,
};

/* A service as this engine runs it. */
struct qmem_run {
	const struct qmem_service *service;
	struct qmem_common common;
	void *state;
	uint64_t *seen; /* of each family: which metrics have had a value */
	bool started;
	char reason[640];  /* why it is off, or what it notes of itself */
	uint64_t interval; /* as configured, then as declared: a multiple of the tick */
	uint64_t shortest; /* of those of all who need it, and its own */
	uint64_t least;    /* what it can afford, as settled: a multiple of that; 0: each of them */
	enum pace pace;
	bool declared;   /* the host has had a value */
	uint64_t tried;  /* CPU ns of the cheapest collection by which the pace is settled */
	uint64_t trials; /* of a shared one: CPU ns of all these */
	unsigned trials_n;
	uint64_t tried_in; /* the round of the last of them */
	char paced[160];   /* why `interval` is longer than configured */
	bool lent;         /* there is one that needs it; if it has no turns of its own, the interval is that one's */
	unsigned stretch;  /* the budget's factor on it, a power of two */
	uint64_t turn;     /* the one that it has had, or has */
	uint64_t due;      /* the next one */
	bool pending;      /* it has a turn, and is not done */
	bool begun;        /* has been broken off, and goes on */
	bool muted;        /* for another service only */
	unsigned slices;
	uint64_t asked;     /* the engine's round when its turn came */
	uint64_t cpu_begun; /* its cpu_ns then */
	uint64_t round;     /* in which it was collected last */
	uint64_t when;      /* what it has then is of this time */
	int result;         /* of that round */
	uint64_t load;      /* CPU ns per second, smoothed */
	unsigned loads;     /* how many have entered `load` */
	uint64_t weighed;   /* when it was collected last, for itself or for others */
	bool changed;       /* its stretch, then */
	uint64_t failing;   /* failures in a row */
	uint64_t cpu_ns, collections, failures, values, events;
};

/* A condition, and what the host knows of it. */
struct qmem_condition {
	char *name; /* "service\0name\0instance" */
	size_t name_len;
	enum qmem_severity sent;
	unsigned state; /* that was sent with it */
	uint64_t last;  /* when that was */
	unsigned tokens;
	uint64_t refilled;
	struct qmem_timer timer; /* for the event that had to wait */
	struct qmem_event waiting;
};

struct qmem_events {
	struct qmem_condition **items;
	size_t n;
};

struct qmem_watch {
	int fd; /* -1: free */
	uint32_t generation;
	void (*ready)(struct qmem *q, int fd, uint32_t events, void *arg);
	void *arg;
	struct qmem_run *owner;
};

/* Jobs at the host. */
struct qmem_lane_jobs {
	struct qmem_job *waiting; /* in its order: the first is running */
	struct qmem_job *left;    /* stuck, each on a thread of its own */
	struct qmem_timer timer;  /* looks at the first that waits */
};

/* What was set, and where that stands. */
struct qmem_setting {
	const struct qmem_run *run;      /* NULL: qmem as a whole */
	const struct qmem_option *block; /* NULL: none */
	char *block_name;
	const struct qmem_option *row; /* NULL: the block itself */
	char *value;
	char *place; /* NULL: unknown */
};

struct qmem {
	const struct qmem_host *host;
	void *arg;
	struct qmem_run *runs;
	size_t n;
	bool started;
	uint64_t now, held, began, tick, round; /* held: since when the host is, in this call */

	struct qmem_run *current; /* whose hook is running */
	uint64_t cpu_since;       /* when its turn began, on the CPU clock */
	bool muted;               /* it runs for another service only: nothing is emitted */
	char failure[256];        /* qmem_fail()'s words */

	struct {
		char *host_root;
		int64_t stuck_after;
		bool overlap;
	} global;
	const char *at; /* the next settings stand here */
	struct qmem_setting *settings;
	size_t settings_n;
	struct root *root; /* NULL: not open yet */
	char *text;        /* qmem_read()'s */
	size_t text_size;

	int epoll_fd;
	struct qmem_watch *watches;
	size_t watches_n;
	struct qmem_timer *timers; /* the next first */
	struct qmem_lane_jobs lanes[QMEM_LANES];

	struct qmem_events events;
	struct qmem_totals totals;
};

#endif
