/* SPDX-License-Identifier: MIT */
#include "log.h"

#include <collectd/core/daemon/collectd.h>
#include <collectd/core/daemon/plugin.h>

#include <stdarg.h>
#include <stdio.h>

#include "util/escape.h"

#define TEXT_MAX 768 /* the daemon's own lines have 1024 */

void daemon_log(int level, const char *fmt, ...)
{
	char text[TEXT_MAX], shown[TEXT_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	/* one line, whatever names are in it */
	escape_text(shown, sizeof(shown), text);
	plugin_log(level, "qmem plugin: %s", shown);
}
