/* SPDX-License-Identifier: MIT */
#include "program/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "program/capabilities.h"
#include "program/clock.h"
#include "program/loop.h"
#include "program/standard.h"

struct check {
	struct loop loop;
	struct config config;
};

static void on_vain(void *arg, const char *text)
{
	struct check *check = arg;

	(void)config_add(&check->config, text);
}

static void put_state(const struct qmem *q, const struct qmem_status *status)
{
	const struct qmem_capability *missing;
	const char *reason = status->reason;

	if (!*reason)
		reason = status->service->source ? status->service->source : "on";
	printf("%s\t%s\t", status->service->name, status->on ? "on" : "off");
	standard_put(stdout, reason);
	for (size_t i = 0; status->on && (missing = capabilities_missing(q, status->service, i)); i++)
		if (!strstr(reason, missing->name))
			printf("; lacks %s (%s)", missing->name, missing->why);
	if (*status->paced)
		printf("; %s", status->paced);
	putchar('\n');
}

/* Who asks is not who collects. */
static void put_notes(const struct request *r, const struct config *config)
{
	if (config->file)
		standard_line(stderr, "%s: configuration: '%s', an ini as of Netdata; collectd.conf is not read",
			      r->program, config->file);
	else if (!config->n)
		fprintf(stderr,
			"%s: configuration: none, all defaults; give one with --config FILE (collectd.conf is not read)\n",
			r->program);
	if (!capabilities_known())
		fprintf(stderr, "%s: built without libcap: capabilities that are lacking are not told\n", r->program);
	fprintf(stderr, "%s: this is what it may see as user %u; the agent's plugin may have other rights\n",
		r->program, (unsigned)geteuid());
}

int check_services(const struct request *r)
{
	static const struct qmem_host host = { .vain = on_vain, .cpu_ns = clock_cpu_ns, .now = loop_now };
	struct check check = { .loop.log = { .program = r->program, .form = LOG_PLAIN, .most = QMEM_LOG_WARNING } };
	struct loop *loop = &check.loop;
	struct config *config = &check.config;
	struct qmem_status service;
	int status = 0, err = loop_init(loop, &host);
	bool nothing = false;

	if (!err)
		err = loop_configure(loop, r, config);
	if (err) {
		status = err == -EINVAL ? 2 : 1;
		goto out;
	}
	err = loop_start(loop, QMEM_SECOND);
	/* how often they are collected is settled by what that costs */
	if (!err)
		(void)loop_collect(loop);
	if (err == -ENODEV) {
		err = 0;
		status = 1;
		nothing = true;
	}
	if (r->apart)
		put_notes(r, config);
	for (size_t i = 0; qmem_status(loop->q, i, &service); i++) {
		put_state(loop->q, &service);
		if (service.common->enabled == QMEM_YES && !service.on)
			status = 1;
	}
	for (size_t i = 0; i < config->n; i++)
		standard_line(stdout, "%s", config->errors[i]);
	if (nothing)
		standard_line(stdout, "nothing is measured: no service is on");
	if (err || config->n)
		status = 1;
out:
	if (err && status == 1)
		log_line(&loop->log, QMEM_LOG_ERROR, strerror(-err));
	config_release(config);
	loop_release(loop);
	return standard_finish(r->program, status);
}
