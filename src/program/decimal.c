/* SPDX-License-Identifier: MIT */
#include "program/decimal.h"

#include <stdbool.h>
#include <stddef.h>

void decimal_print(char dst[DECIMAL_SIZE], __int128 num, __int128 den, unsigned decimals)
{
	bool negative = num < 0;
	__int128 scale = 1, whole, rest;
	char digits[DECIMAL_SIZE];
	size_t n = 0, len = 0;

	for (unsigned i = 0; i < decimals; i++)
		scale *= 10;
	if (negative)
		num = -num;
	whole = num / den;
	rest = ((num % den) * scale * 2 + den) / (den * 2);
	if (rest >= scale) {
		rest -= scale;
		whole++;
	}
	if (negative && (whole || rest))
		dst[len++] = '-';
	do {
		digits[n++] = (char)('0' + (int)(whole % 10));
		whole /= 10;
	} while (whole);
	while (n)
		dst[len++] = digits[--n];
	if (rest) {
		dst[len++] = '.';
		while (rest) {
			scale /= 10;
			dst[len++] = (char)('0' + (int)(rest / scale));
			rest %= scale;
		}
	}
	dst[len] = '\0';
}
