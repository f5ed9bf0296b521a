/* SPDX-License-Identifier: MIT */
/*
 * SipHash-1-3: a hash of names that others choose. Without the key nobody can tell which names fall together, so that nobody
 * can make a table slow.
 */
#ifndef QMEM_UTIL_SIP_H
#define QMEM_UTIL_SIP_H

#include <stddef.h>
#include <stdint.h>

struct sip_key {
	uint64_t half[2];
};

/* Another one each time. */
struct sip_key sip_key_new(void);
uint64_t sip(const struct sip_key *key, const void *data, size_t len);
/* By a key that everyone knows: for what is written down, and must be the same tomorrow. Another hash for each `turn`. */
uint64_t sip_known(const void *data, size_t len, unsigned turn);

#endif
