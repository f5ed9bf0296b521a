/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "service/edac.h"
#include "util/escape.h"
#include "util/value.h"
#include "util/words.h"

void edac_count_init(struct edac_count *count)
{
	*count = (struct edac_count){ .now = QMEM_NA, .total = QMEM_NA };
}

void edac_count_read(struct edac_count *count, int64_t value)
{
	count->fresh = 0;
	count->reset = false;
	if (value == QMEM_NA)
		return;
	if (count->now == QMEM_NA) {
		/* what was before is nobody's news */
		count->total = value;
	} else {
		count->reset = value < count->now;
		count->fresh = count->reset ? value : value - count->now;
		value_add(&count->total, count->fresh);
	}
	count->now = value;
}

/* "'DIMM_A1' (mc0_dimm3, channel 0 slot 1)" */
static void say_where(char *dst, size_t size, const struct edac_module *m)
{
	char label[80], location[40];

	escape_name(label, sizeof(label), m->label);
	escape_name(location, sizeof(location), m->location);
	if (*m->label)
		snprintf(dst, size, "'%s' (%.48s", label, m->name);
	else
		snprintf(dst, size, "%.48s", m->name);
	if (*m->location)
		words_add(dst, size, "%s%s", *m->label ? ", " : " (", location);
	if (*m->label || *m->location)
		words_add(dst, size, ")");
}

static void raise_of(struct qmem *q, const struct edac_module *m, struct qmem_event *event, int64_t count)
{
	char number[WORDS_NUMBER];
	const struct qmem_label fields[] = {
		{ "module", m->name },        { "label", m->label }, { "location", m->location },
		{ "controller", m->mc_name }, { "count", number },   { 0 },
	};

	snprintf(number, sizeof(number), "%" PRId64, value_or(count, 0));
	event->service = "edac";
	event->instance = m->name;
	event->fields = fields;
	qmem_raise(q, event);
}

/* ---- corrected ---- */

static int64_t in_window(const struct edac_module *m)
{
	int64_t sum = 0;

	for (int i = 0; i < EDAC_SLOTS; i++)
		value_add(&sum, m->slot[i]);
	return sum;
}

static void move_on(struct edac_module *m, uint64_t now, uint64_t part)
{
	if (!m->slot_since)
		m->slot_since = now;
	for (int i = 0; i < EDAC_SLOTS && now - m->slot_since >= part; i++) {
		m->at = (m->at + 1) % EDAC_SLOTS;
		m->slot[m->at] = 0;
		m->slot_since += part;
	}
	/* nothing was looked at for longer than the window */
	if (now - m->slot_since >= part)
		m->slot_since = now;
}

void edac_judge_corrected(struct qmem *q, struct edac_module *m, int64_t limit, int64_t window)
{
	struct qmem_event event = { .name = "corrected", .severity = QMEM_WARNING };
	char where[160], span[WORDS_NUMBER];
	int64_t sum;
	bool many;

	move_on(m, qmem_now(q), (uint64_t)window / EDAC_SLOTS);
	value_add(&m->slot[m->at], m->corrected.fresh);
	sum = in_window(m);
	many = limit && sum >= (m->many ? limit / 2 + 1 : limit);
	if (!many && !m->many)
		return;
	if (many == m->many && !m->corrected.fresh)
		return;
	words_span(span, (uint64_t)window);
	say_where(where, sizeof(where), m);
	if (many) {
		/* once more when they are twice as many */
		for (int64_t n = sum / limit; n > 1; n /= 2)
			event.state++;
		snprintf(event.message, sizeof(event.message),
			 "many corrected memory errors: %" PRId64 " within %s on %s", sum, span, where);
		words_add(event.message, sizeof(event.message),
			  "; nothing is lost yet, but such a module may fail: see its socket, replace it");
	} else {
		event.severity = QMEM_OKAY;
		snprintf(event.message, sizeof(event.message),
			 "corrected memory errors are few again: %" PRId64 " within %s on %s", sum, span, where);
	}
	m->many = many;
	raise_of(q, m, &event, sum);
}

/* ---- uncorrected ---- */

void edac_judge_uncorrected(struct qmem *q, struct edac_module *m)
{
	const struct edac_count *c = &m->uncorrected;
	/* there is no end to it: it has happened, and each further one is another state */
	struct qmem_event event = { .name = "uncorrected", .severity = QMEM_FAILURE, .state = (unsigned)c->total };
	char where[160];

	say_where(where, sizeof(where), m);
	if (c->fresh) {
		snprintf(event.message, sizeof(event.message),
			 "uncorrected memory error: %" PRId64 " more, %" PRId64 " in all on %s", c->fresh, c->total,
			 where);
		words_add(event.message, sizeof(event.message),
			  "; what was there is lost; see the kernel's log for whose it was, replace the module");
		m->told = true;
	} else if (c->reset && m->told) {
		event.severity = QMEM_OKAY;
		event.state = 0;
		snprintf(event.message, sizeof(event.message),
			 "uncorrected memory errors are counted anew on %s: the counter was set back", where);
		m->told = false;
	} else {
		return;
	}
	raise_of(q, m, &event, c->total);
}
