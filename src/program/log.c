/* SPDX-License-Identifier: MIT */
#include "program/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "util/escape.h"

#define TEXT_MAX 768

static const struct {
	const char *plain, *old, *logfmt;
	int syslog;
} words[] = {
	[QMEM_LOG_ERROR] = { "error", "ERROR", "error", LOG_ERR },
	[QMEM_LOG_WARNING] = { "warning", "WARNING", "warning", LOG_WARNING },
	[QMEM_LOG_NOTICE] = { "notice", "INFO ", "notice", LOG_NOTICE },
	[QMEM_LOG_INFO] = { "info", "INFO ", "info", LOG_INFO },
	[QMEM_LOG_DEBUG] = { "debug", "DEBUG", "debug", LOG_DEBUG },
};

void log_init(struct log *log, const char *program)
{
	const char *level = getenv("NETDATA_LOG_LEVEL"), *method = getenv("NETDATA_LOG_METHOD");

	log->program = program;
	log->most = QMEM_LOG_INFO;
	for (size_t i = 0; level && i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(level, words[i].logfmt) == 0)
			log->most = (enum qmem_level)i;
	if (!getenv("NETDATA_VERSION"))
		log->form = LOG_PLAIN;
	else if (method && strcmp(method, "journal") == 0)
		log->form = LOG_JOURNAL;
	else if (getenv("NETDATA_INVOCATION_ID") || method)
		log->form = LOG_LOGFMT;
	else
		log->form = LOG_OLD;
}

/* As the agent does in its own lines: twice the size of `text` does. */
static void quote(char *dst, const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			*dst++ = '\\';
		*dst++ = *text;
	}
	*dst = '\0';
}

void log_line(const struct log *log, enum qmem_level level, const char *text)
{
	char line[2 * TEXT_MAX + 128], date[40], zone[8] = "", clean[TEXT_MAX], quoted[2 * TEXT_MAX];
	struct timespec now;
	struct tm tm;
	int len;

	if (level > log->most)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &tm);
	/* one line, whatever names are in it */
	escape_text(clean, sizeof(clean), text);
	switch (log->form) {
	case LOG_OLD:
		strftime(date, sizeof(date), "%Y-%m-%d %H:%M:%S", &tm);
		len = snprintf(line, sizeof(line), "%s: %s %s : MAIN : %s\n", date, log->program, words[level].old,
			       clean);
		break;
	case LOG_JOURNAL:
		len = snprintf(line, sizeof(line), "<%d>%s: %s\n", words[level].syslog, log->program, clean);
		break;
	case LOG_LOGFMT:
		strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm);
		strftime(zone, sizeof(zone), "%z", &tm);
		quote(quoted, clean);
		len = snprintf(line, sizeof(line),
			       "time=%s.%03ld%.3s:%s comm=%s source=collector level=%s msg=\"%s\"\n", date,
			       now.tv_nsec / 1000000, zone, zone + 3, log->program, words[level].logfmt, quoted);
		break;
	default:
		len = snprintf(line, sizeof(line), "%s: %s: %s\n", log->program, words[level].plain, clean);
		break;
	}
	/* one write: other plugins write to the same file */
	if (write(STDERR_FILENO, line, (size_t)len) < 0)
		return;
}

void log_printf(const struct log *log, enum qmem_level level, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	log_line(log, level, text);
}
