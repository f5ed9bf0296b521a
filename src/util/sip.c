/* SPDX-License-Identifier: MIT */
#include "util/sip.h"

#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>

struct sip_key sip_key_new(void)
{
	struct sip_key key;

	/* before the kernel has gathered enough at boot: what it has given this process to begin with */
	if (getrandom(&key, sizeof(key), GRND_NONBLOCK) != (ssize_t)sizeof(key)) {
		const void *given = (const void *)getauxval(AT_RANDOM);

		if (given)
			memcpy(&key, given, sizeof(key));
		else
			key = (struct sip_key){ { (uintptr_t)&key, (uintptr_t)&sip } };
	}
	return key;
}

static inline uint64_t turn(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

static inline void mix(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = turn(v[1], 13) ^ v[0];
	v[3] = turn(v[3], 16) ^ v[2];
	v[0] = turn(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = turn(v[1], 17) ^ v[2];
	v[3] = turn(v[3], 21) ^ v[0];
	v[2] = turn(v[2], 32);
}

/* Little endian, whatever the machine is. */
static inline uint64_t load(const unsigned char *bytes, size_t n)
{
	uint64_t word = 0;

	while (n-- > 0)
		word = word << 8 | bytes[n];
	return word;
}

uint64_t sip(const struct sip_key *key, const void *data, size_t len)
{
	const unsigned char *at = data;
	uint64_t v[4] = {
		key->half[0] ^ UINT64_C(0x736f6d6570736575),
		key->half[1] ^ UINT64_C(0x646f72616e646f6d),
		key->half[0] ^ UINT64_C(0x6c7967656e657261),
		key->half[1] ^ UINT64_C(0x7465646279746573),
	};
	uint64_t word;
	size_t rest = len;

	for (; rest >= 8; at += 8, rest -= 8) {
		word = load(at, 8);
		v[3] ^= word;
		mix(v);
		v[0] ^= word;
	}
	word = (uint64_t)len << 56 | load(at, rest);
	v[3] ^= word;
	mix(v);
	v[0] ^= word;
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		mix(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t sip_known(const void *data, size_t len, unsigned turn)
{
	const struct sip_key key = { { turn, 0 } };

	return sip(&key, data, len);
}
