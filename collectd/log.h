/* SPDX-License-Identifier: MIT */
/* Lines in the daemon's log: the one way there. */
#ifndef QMEM_COLLECTD_LOG_H
#define QMEM_COLLECTD_LOG_H

/* `level` is LOG_WARNING and the like. It calls foreign code: not under the lock. */
void daemon_log(int level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
