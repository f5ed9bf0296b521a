/* SPDX-License-Identifier: MIT */
#include "engine/run.h"

struct qmem_run *run_of(const struct qmem *q, const struct qmem_service *service)
{
	for (size_t i = 0; i < q->n; i++)
		if (q->runs[i].service == service)
			return &q->runs[i];
	return NULL;
}

struct qmem_run *run_needs(const struct qmem *q, const struct qmem_run *run)
{
	struct qmem_run *before = run->service->needs ? run_of(q, run->service->needs) : NULL;

	return before && before->started && before->service->collect ? before : NULL;
}

const struct qmem_run *run_root(const struct qmem *q, const struct qmem_run *run)
{
	const struct qmem_run *before;

	while ((before = run_needs(q, run)))
		run = before;
	return run;
}

const struct qmem_run *run_barred(const struct qmem *q, const struct qmem_run *run)
{
	while (run->service->needs && (run = run_of(q, run->service->needs)))
		if (run->service->shared && run->common.enabled == QMEM_NO)
			return run;
	return NULL;
}

bool run_wanted(const struct qmem *q, const struct qmem_run *run)
{
	if (run_barred(q, run))
		return false;
	return run->common.enabled == QMEM_YES ||
	       (run->common.enabled == QMEM_AUTO && !run->service->shared && !run_overlaps(q, run));
}

bool run_needed(const struct qmem *q, const struct qmem_run *run)
{
	for (size_t i = 0; i < q->n; i++) {
		const struct qmem_run *other = &q->runs[i];

		if (other->service->needs == run->service && (run_wanted(q, other) || run_needed(q, other)))
			return true;
	}
	return false;
}

void *qmem_state(struct qmem *q, const struct qmem_service *service)
{
	struct qmem_run *run = run_of(q, service);

	return run && run->started ? run->state : NULL;
}

bool run_shows(const struct qmem *q, const struct qmem_run *run, const struct qmem_family *family)
{
	return !(family->flags & QMEM_INTERNAL) && (run->common.detail || !(family->flags & QMEM_DETAIL)) &&
	       (q->global.overlap || !(family->flags & QMEM_OVERLAP));
}

bool run_overlaps(const struct qmem *q, const struct qmem_run *run)
{
	bool overlaps = false;

	for (const struct qmem_family *family = run->service->families; family && family->id; family++) {
		if (run_shows(q, run, family))
			return false;
		overlaps |= family->flags & QMEM_OVERLAP;
	}
	return overlaps;
}

bool qmem_shown(const struct qmem *q, const struct qmem_service *service, const struct qmem_family *family)
{
	const struct qmem_run *run = run_of(q, service);

	return run && run_shows(q, run, family);
}
