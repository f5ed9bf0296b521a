/* SPDX-License-Identifier: MIT */
/*
 * A moment of all values that an engine hands to its host, by canonical name. The host puts into it what comes to its `values`:
 *
 *	snapshot_put(&s, round, family, instance, sample, NULL, NULL);	each
 *	snapshot_seal(&s);						when all of them have come
 *
 * The tables of services outlive it, names are its own.
 */
#ifndef QMEM_CONTROL_SNAPSHOT_H
#define QMEM_CONTROL_SNAPSHOT_H

#include "qmem.h"

struct snapshot_value {
	char *name; /* service.family.metric[instance] */
	const struct qmem_family *family;
	int64_t value; /* QMEM_NA: absent */
	uint64_t when; /* of its round */
};

struct snapshot {
	struct snapshot_value *values; /* sealed: by name, each once */
	size_t n;

	/* its own */
	size_t room;
	int err;
};

/* Each metric of it for which `wanted` says so; NULL: all. */
void snapshot_put(struct snapshot *s, const struct qmem_round *round, const struct qmem_family *family,
		  const struct qmem_instance *instance, const void *sample,
		  bool (*wanted)(void *arg, const struct qmem_service *service, const struct qmem_family *family,
				 const struct qmem_metric *metric, const char *instance),
		  void *arg);
/* Of a name that came twice the last one counts. -ENOMEM: some could not be put. */
int snapshot_seal(struct snapshot *s);
/* NULL: there is none of that name. Sealed. */
const struct snapshot_value *snapshot_find(const struct snapshot *s, const char *name);
void snapshot_release(struct snapshot *s);

#endif
