/* SPDX-License-Identifier: MIT */
#include "process/tally.h"

#include <string.h>

#define UNIT 1000
#define FADE 16 /* of a peak goes 1/16 in a round: one of 1 is forgotten after about a hundred */
#define MARGIN 25
#define FADED (UNIT / 256)
#define LINGER 60 /* rounds in which `other` stays, at zero */

int tally_init(struct tally *t, size_t max)
{
	memset(t, 0, sizeof(*t));
	return top_init(&t->top, max, MARGIN);
}

void tally_release(struct tally *t)
{
	top_release(&t->top);
}

void tally_begin(struct tally *t)
{
	memset(t->counts, 0, t->n * sizeof(*t->counts));
	t->other = 0;
}

void tally_add(struct tally *t, const char *name)
{
	size_t len = strnlen(name, TALLY_NAME - 1), i = 0;

	while (i < t->n && (strncmp(t->names[i], name, len) != 0 || t->names[i][len]))
		i++;
	if (i == TALLY_NAMES) {
		t->other++;
		return;
	}
	if (i == t->n) {
		memcpy(t->names[i], name, len);
		t->names[i][len] = '\0';
		t->counts[i] = t->peaks[i] = 0;
		t->scores[i] = (struct top_item){ 0 };
		t->n++;
	}
	t->counts[i]++;
}

void tally_add_other(struct tally *t)
{
	t->other++;
}

static void forget(struct tally *t, size_t i)
{
	size_t last = --t->n;

	if (i == last)
		return;
	memcpy(t->names[i], t->names[last], TALLY_NAME);
	t->counts[i] = t->counts[last];
	t->peaks[i] = t->peaks[last];
	t->scores[i] = t->scores[last];
}

static bool was_shown(const struct tally *t, const char *name)
{
	for (size_t i = 0; i < t->shown_n; i++)
		if (strcmp(t->shown[i], name) == 0)
			return true;
	return false;
}

/* Those that are in for the first time, as long as there are not too many. */
static void show(struct tally *t)
{
	for (size_t i = 0; i < t->n; i++) {
		if (!t->scores[i].in || was_shown(t, t->names[i]))
			continue;
		if (t->shown_n < TALLY_SHOWN)
			memcpy(t->shown[t->shown_n++], t->names[i], TALLY_NAME);
		else
			t->scores[i].in = false;
	}
}

void tally_end(struct tally *t, uint64_t now)
{
	for (size_t i = t->n; i-- > 0;) {
		int64_t present = t->counts[i] * UNIT;

		t->peaks[i] -= t->peaks[i] / FADE + 1;
		if (t->peaks[i] < present)
			t->peaks[i] = present;
		t->scores[i].score = t->peaks[i];
		if (t->shown_n == TALLY_SHOWN && !was_shown(t, t->names[i]))
			t->scores[i].score = -1;
		if (t->peaks[i] < FADED)
			forget(t, i);
	}
	(void)top_update(&t->top, t->scores, t->n, now);
	show(t);
	for (size_t i = 0; i < t->n; i++)
		if (!t->scores[i].in)
			t->other += t->counts[i];
	if (t->other)
		t->fading = LINGER;
	t->others = t->fading > 0;
	if (t->fading)
		t->fading--;
}
