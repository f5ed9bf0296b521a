/* SPDX-License-Identifier: MIT */
/*
 * Network namespaces of the machine: which there are, by the links of processes, and how many sockets each has, by the files of one
 * of its processes. The worker looks, every half minute. One that no process is in is not found, whatever holds it.
 */
#ifndef QMEM_SERVICE_SOCKSTAT_SPACE_H
#define QMEM_SERVICE_SOCKSTAT_SPACE_H

#include "kernel/instances.h"
#include "qmem.h"

#define SPACE_NAME 96

enum sockstat_whose { SPACE_INIT, SPACE_SELF, SPACE_ALL, SPACE_PID, SPACE_NAMED, SPACE_CONTAINER };

/* What option Namespace says: init, self, all, pid:N, name:NAME, container:ID. */
bool sockstat_space_check(const char *value, char *why, size_t size);
enum sockstat_whose sockstat_space_parse(const char *value, const char **ret_what);

struct sockstat_spaces {
	enum sockstat_whose whose;
	const char *what; /* of the option's text */
	struct instances all;
	bool looked; /* there has been an answer */
	int32_t pid; /* of the one that was asked for; 0: there is none now */
	/* its own */
	struct sockstat_space_job *job;
	uint64_t due;
	bool fresh;
};

/* `max` are shown, with SPACE_ALL. -ENOMEM; release it also then. */
int sockstat_spaces_init(struct sockstat_spaces *s, const char *option, int64_t max);
void sockstat_spaces_release(struct sockstat_spaces *s);
/* Once a round; may start the worker. */
void sockstat_spaces_look(struct qmem *q, struct sockstat_spaces *s);
/* The process that was found has ended: another one is looked for at once. */
void sockstat_spaces_lost(struct qmem *q, struct sockstat_spaces *s);
void sockstat_spaces_emit(struct qmem *q, struct sockstat_spaces *s, const struct qmem_family *families);

#endif
