/* SPDX-License-Identifier: MIT */
#include "program/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "control/privilege.h"
#include "program/clock.h"
#include "program/loop.h"
#include "program/standard.h"

struct check {
	struct loop loop;
	struct config config;
	int err; /* -ENOMEM: not all is said of what is configured in vain */
};

static void on_vain(void *arg, const char *text)
{
	struct check *check = arg;

	if (config_add(&check->config, text))
		check->err = -ENOMEM;
}

static void put_state(const struct check *check, const struct qmem_status *status)
{
	const char *reason = status->reason, *why;
	struct privilege p = { 0 };

	if (!*reason)
		reason = status->service->source ? status->service->source : "on";
	printf("%s\t%s\t", status->service->name, status->on ? "on" : "off");
	standard_put(stdout, reason);
	while (privilege_next(&p, qmem_services)) {
		if (p.service != status->service || p.row->starting ||
		    privilege_state(check->loop.q, &p, check->loop.permitted, &why) != PRIVILEGE_LACKING)
			continue;
		if (strstr(reason, p.row->name))
			printf("; see capability %u", p.line);
		else
			printf("; lacks %s (%s: capability %u)", p.row->name, p.row->why, p.line);
	}
	if (*status->paced)
		printf("; %s", status->paced);
	putchar('\n');
}

/* The table of docs/security.md, with what this process has. */
static void put_privileges(const struct check *check)
{
	static const char *const words[] = {
		[PRIVILEGE_UNUSED] = "unused", [PRIVILEGE_THERE] = "there", [PRIVILEGE_LACKING] = "lacking"
	};
	struct privilege p = { 0 };
	char subject[128];
	const char *why;

	while (privilege_next(&p, qmem_services)) {
		enum privilege_state state = privilege_state(check->loop.q, &p, check->loop.permitted, &why);

		privilege_subject(subject, sizeof(subject), p.row);
		printf("capability %u\t%s\t%s for %s: %s, %s; ", p.line, words[state], p.row->name, p.service->name,
		       subject, p.row->why);
		if (*why)
			printf("%s; ", why);
		printf("qmem.plugin: %s; collectd that is not root: %s\n", privilege_of_plugin(p.row),
		       privilege_of_collectd(p.row));
	}
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
	err = err ? err : check.err;
	if (r->apart)
		put_notes(r, config);
	for (size_t i = 0; qmem_status(loop->q, i, &service); i++) {
		put_state(&check, &service);
		if (service.common->enabled == QMEM_YES && !service.on)
			status = 1;
	}
	put_privileges(&check);
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
