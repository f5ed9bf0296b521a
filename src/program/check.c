/* SPDX-License-Identifier: MIT */
#include "program/check.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "program/capabilities.h"
#include "program/clock.h"
#include "program/config.h"
#include "program/loop.h"
#include "program/standard.h"

static void put_state(const struct qmem_status *status)
{
	const char *reason = status->reason, *missing, *why;

	if (!*reason)
		reason = status->service->source ? status->service->source : "on";
	printf("%s\t%s\t%s", status->service->name, status->on ? "on" : "off", reason);
	for (size_t i = 0; status->on && (missing = capabilities_missing(status->service->name, i, &why)); i++)
		if (!strstr(reason, missing))
			printf("; lacks %s (%s)", missing, why);
	putchar('\n');
}

int check_services(const char *config)
{
	static const struct qmem_host host = { .cpu_ns = clock_cpu_ns };
	struct loop loop = { .log = { .form = LOG_PLAIN, .most = QMEM_LOG_WARNING } };
	struct config_errors errors = { 0 };
	struct qmem_status status;
	bool failed = false;
	int err = loop_init(&loop, &host);

	if (!err)
		err = config_read(loop.q, config, &errors);
	if (err)
		goto out;
	err = loop_start(&loop, QMEM_SECOND);
	/* with all services off by choice there is nothing wrong */
	if (err == -ENODEV)
		err = 0;
	for (size_t i = 0; qmem_status(loop.q, i, &status); i++) {
		put_state(&status);
		failed |= status.common->enabled == QMEM_YES && !status.on;
	}
	for (size_t i = 0; i < errors.n; i++)
		puts(errors.items[i]);
	failed |= errors.n > 0;
out:
	if (err)
		log_line(&loop.log, QMEM_LOG_ERROR, strerror(-err));
	config_errors_release(&errors);
	loop_release(&loop);
	return standard_finish(err || failed);
}
