/* SPDX-License-Identifier: MIT */
/* Lines on stderr, as the agent that started us writes its own. */
#ifndef QMEM_PROGRAM_LOG_H
#define QMEM_PROGRAM_LOG_H

#include <stdbool.h>

#include "qmem.h"

enum log_form {
	LOG_PLAIN,   /* by hand: "PROGRAM: warning: text" */
	LOG_OLD,     /* Netdata before 1.44: "2026-01-31 12:00:00: PROGRAM ERROR : MAIN : text" */
	LOG_LOGFMT,  /* since then */
	LOG_JOURNAL, /* since then, into systemd's journal, which has the time and takes the level from "<4>" */
};

struct log {
	const char *program; /* whose lines they are */
	enum log_form form;
	enum qmem_level most; /* what is less important is left out */
};

/* By the environment. Others set it by themselves. */
void log_init(struct log *log, const char *program);
void log_line(const struct log *log, enum qmem_level level, const char *text);
void log_printf(const struct log *log, enum qmem_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
