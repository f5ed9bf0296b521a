/* SPDX-License-Identifier: MIT */
#include "engine/place.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/name.h"
#include "util/words.h"

void qmem_at(struct qmem *q, const char *place)
{
	q->at = place;
}

static char *copy(const char *text, bool *failed)
{
	char *made = text ? strdup(text) : NULL;

	*failed |= text && !made;
	return made;
}

static void release(struct qmem_setting *setting)
{
	free(setting->block_name);
	free(setting->value);
	free(setting->place);
}

int place_keep(struct qmem *q, const struct qmem_run *run, const struct qmem_option *block, const char *block_name,
	       const struct qmem_option *row, const char *value)
{
	struct qmem_setting *settings = realloc(q->settings, (q->settings_n + 1) * sizeof(*settings));
	struct qmem_setting setting = { .run = run, .block = block, .row = row };
	bool failed = !settings;

	if (settings)
		q->settings = settings;
	setting.block_name = copy(block ? block_name : NULL, &failed);
	setting.value = copy(row ? value : NULL, &failed);
	setting.place = copy(q->at, &failed);
	if (failed) {
		release(&setting);
		return -ENOMEM;
	}
	settings[q->settings_n++] = setting;
	return 0;
}

void places_release(struct qmem *q)
{
	for (size_t i = 0; i < q->settings_n; i++)
		release(&q->settings[i]);
	free(q->settings);
}

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* The last of the running service that is so; no option: the block. */
static const struct qmem_setting *find(const struct qmem *q, const struct qmem_vain *v)
{
	for (size_t i = q->settings_n; i-- > 0;) {
		const struct qmem_setting *s = &q->settings[i];

		if (s->run != q->current || !same(s->block ? s->block->name : NULL, v->block) ||
		    !same(s->block_name, v->block ? v->block_name : NULL))
			continue;
		if (!same(s->row ? s->row->name : NULL, v->option))
			continue;
		if (!v->value || same(s->value, v->value))
			return s;
	}
	return NULL;
}

bool qmem_is_set(const struct qmem *q, const char *option)
{
	return find(q, &(struct qmem_vain){ .option = option }) != NULL;
}

static void add_quoted(char *dst, size_t size, const char *text)
{
	char label[100];

	qmem_name_label(label, sizeof(label), text);
	words_add(dst, size, " '%s'", label);
}

void qmem_vain(struct qmem *q, const struct qmem_vain *v, const char *fmt, ...)
{
	const struct qmem_setting *setting = find(q, v);
	const char *value = v->value ? v->value : setting ? setting->value : NULL;
	char text[512] = "", why[256];
	va_list args;

	if (setting && setting->place)
		words_add(text, sizeof(text), "%s: ", setting->place);
	words_add(text, sizeof(text), "%s:", q->current->service->name);
	if (v->block) {
		words_add(text, sizeof(text), " %s", v->block);
		add_quoted(text, sizeof(text), v->block_name);
		words_add(text, sizeof(text), v->option ? ":" : "");
	}
	if (v->option)
		words_add(text, sizeof(text), " %s", v->option);
	if (v->option && value)
		add_quoted(text, sizeof(text), value);
	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	words_add(text, sizeof(text), " %s", why);
	if (q->host->vain)
		q->host->vain(q->arg, text);
	else if (q->host->log)
		q->host->log(q->arg, QMEM_LOG_WARNING, text);
}
