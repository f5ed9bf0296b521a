/* SPDX-License-Identifier: MIT */
#include "program/once.h"

#include <errno.h>
#include <string.h>

#include "engine/name.h"
#include "program/standard.h"

bool once_is_named(const struct request *r, const struct qmem_service *service)
{
	for (size_t i = 0; i < r->n_words; i++)
		if (qmem_name_same(service->name, r->words[i]))
			return true;
	return false;
}

static void choose(struct once *o, const struct once_calls *calls)
{
	struct qmem *q = o->loop.q;
	struct qmem_error error;
	struct qmem_status status;

	for (size_t i = 0; qmem_status(q, i, &status); i++) {
		const struct qmem_service *s = status.service;

		(void)qmem_set(q, s->name, NULL, NULL, "Interval", "1s", &error);
		(void)qmem_set(q, s->name, NULL, NULL, "Budget", "0", &error);
		/* what is for others only would take them with it */
		if (!calls->wants(o->request, s) && !s->shared)
			(void)qmem_set(q, s->name, NULL, NULL, "Enabled", "no", &error);
	}
}

/* Whoever asks for a service by name wants to know why it has no values. */
static void say_off(struct once *o)
{
	struct qmem_status status;

	for (size_t i = 0; qmem_status(o->loop.q, i, &status); i++) {
		if (status.on || !once_is_named(o->request, status.service))
			continue;
		log_printf(&o->loop.log, QMEM_LOG_ERROR, "%s is off: %s", status.service->name, status.reason);
		o->failed = true;
	}
}

static int configure(struct once *o, const struct qmem_host *host)
{
	struct config config = { 0 };
	int err = loop_init(&o->loop, host);

	if (!err)
		err = loop_configure(&o->loop, o->request, &config);
	o->failed = config.missing;
	loop_complain(&o->loop, &config);
	return err;
}

static int run(struct once *o, const struct once_calls *calls)
{
	int err;

	choose(o, calls);
	if (calls->prepare)
		calls->prepare(o);
	err = loop_start(&o->loop, QMEM_SECOND);
	say_off(o);
	if (err != -ENODEV)
		return err ? err : calls->measure(o);
	if (!o->failed)
		log_line(&o->loop.log, QMEM_LOG_ERROR, "nothing is measured: no service is on");
	o->failed = true;
	return 0;
}

int once_run(struct once *o, const struct qmem_host *host, const struct once_calls *calls)
{
	int err = configure(o, host);
	bool wrong = err == -EINVAL;

	if (!err && !o->failed)
		err = run(o, calls);
	if (err && !wrong)
		log_line(&o->loop.log, QMEM_LOG_ERROR, strerror(-err));
	loop_release(&o->loop);
	return wrong ? 2 : standard_finish(o->request->program, err || o->failed);
}
