/* SPDX-License-Identifier: MIT */
/* The daemon's functions that the plugin calls, and what they have recorded. Linked with -rdynamic, found by dlopen(). */
#ifndef QMEM_FAKE_DAEMON_H
#define QMEM_FAKE_DAEMON_H

#include <collectd/core/daemon/collectd.h>
#include <collectd/core/daemon/plugin.h>

#include <stdbool.h>
#include <stddef.h>

struct fake_value {
	char name[5 * DATA_MAX_NAME_LEN]; /* plugin-instance/type-instance */
	char type[DATA_MAX_NAME_LEN];
	double values[4]; /* derives too: the tests' are small */
	size_t n;
	cdtime_t time, interval;
	char meta[DATA_MAX_NAME_LEN]; /* qmem:instance */
};

struct fake_daemon {
	int (*config)(oconfig_item_t *);
	plugin_init_cb init;
	plugin_shutdown_cb shutdown;
	plugin_read_cb read;
	cdtime_t read_interval;
	cdtime_t interval;    /* of <LoadPlugin> */
	int threads_left;     /* plugin_thread_create() fails when there is none; -1: no limit */
	const char *unmasked; /* a thread that takes signals */
	/* called with nothing held */
	void (*notified)(const notification_t *n, const char *thread);
	void (*logged)(int level, const char *text);
};

extern struct fake_daemon fake;

/* dlopen() and module_register(). False, with words on stdout, if the daemon would refuse it. */
bool fake_load(const char *path);
/* The text inside of a <Plugin qmem> block, read as the daemon's lexer would. What the callback returns. */
int fake_config(const char *text);
/* types.db, so that plugin_get_ds() knows more than a few types. False: there is none. */
bool fake_types(const char *path);

/* Since the last clear; the copies are the caller's only until then. */
size_t fake_values(void);
const struct fake_value *fake_value(size_t i);
const struct fake_value *fake_value_named(const char *name);
size_t fake_notifications(void);
const notification_t *fake_notification(size_t i);
const char *fake_meta(const notification_t *n, const char *name);
/* The first log line of that level which has `words`, or NULL. */
const char *fake_log(int level, const char *words);
size_t fake_logs(int level);
void fake_clear(void);

#endif
