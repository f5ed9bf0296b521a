/* SPDX-License-Identifier: MIT */
/* What runs after interrupts: a chart of one series for each kind. */
#include "proc/softirqs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "kernel/sound.h"
#include "rows.h"
#include "services.h"

struct sample {
	int64_t runs;
};

struct softirqs {
	struct qmem_file file;
	struct qmem_complaint malformed;
};

static const struct qmem_metric runs_metrics[] = {
	METRIC(sample, "runs", NULL, runs, "on all CPUs"),
	{ 0 },
};

static const struct qmem_family families[] = {
	FAMILY("runs", "Soft interrupts", "processes/interrupts", "line", runs_metrics,
	       COUNTER("events", 1, "total_events"), .label = "kind"),
	{ 0 },
};

static int start(struct qmem *q, void *state)
{
	struct softirqs *s = state;
	const char *text;
	ssize_t len;

	s->file = QMEM_FILE("proc/softirqs");
	len = qmem_read(q, &s->file, &text);
	return len == -ENOENT ? qmem_fail(q, -ENOTSUP, "no '/%s'", s->file.path) : 0;
}

static void emit(struct qmem *q, const struct softirq *irq)
{
	const struct sample sample = { .runs = irq->runs };
	char name[32];

	snprintf(name, sizeof(name), "%.*s", (int)irq->name_len, irq->name);
	qmem_emit(q, families, &(struct qmem_instance){ .name = name }, &sample);
}

static int collect(struct qmem *q, void *state)
{
	struct softirqs *s = state;
	bool malformed = false;
	const char *text, *line, *newline;
	ssize_t len = qmem_read(q, &s->file, &text);

	if (len < 0)
		return (int)len;
	for (line = text; (newline = memchr(line, '\n', (size_t)(text + len - line))); line = newline + 1) {
		struct softirq irq;
		int err = softirqs_parse(line, (size_t)(newline - line), &irq);

		if (!err)
			emit(q, &irq);
		malformed |= err == -EINVAL;
	}
	sound_text(q, &s->malformed, &s->file, malformed ? "a line is malformed" : NULL);
	return 0;
}

static void stop(struct qmem *q, void *state)
{
	struct softirqs *s = state;

	(void)q;
	qmem_file_close(&s->file);
}

const struct qmem_service softirqs_service = {
	.name = "softirqs",
	.help = "what runs after interrupts, by kind",
	.source = "/proc/softirqs",
	.kernel = "2.6.32",
	.privilege = "none",
	.priority = 4800,
	.families = families,
	.state_size = sizeof(struct softirqs),
	.start = start,
	.collect = collect,
	.stop = stop,
};
