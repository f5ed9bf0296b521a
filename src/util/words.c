/* SPDX-License-Identifier: MIT */
#include "util/words.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "qmem.h"
#include "util/escape.h"

#define MS (QMEM_SECOND / 1000)

void words_span(char dst[WORDS_NUMBER], uint64_t ns)
{
	unsigned long long s = ns / QMEM_SECOND, min = s / 60, h = min / 60;

	/* a stall of a few milliseconds is not none */
	if (ns >= MS && ns < QMEM_SECOND / 10)
		snprintf(dst, WORDS_NUMBER, "%llu ms", (unsigned long long)(ns / MS));
	else if (s < 10)
		snprintf(dst, WORDS_NUMBER, "%.1f s", (double)ns / 1e9);
	else if (s < 120)
		snprintf(dst, WORDS_NUMBER, "%llu s", s);
	else if (h < 2)
		snprintf(dst, WORDS_NUMBER, "%llu min %llu s", min, s % 60);
	else if (h < 48)
		snprintf(dst, WORDS_NUMBER, "%llu h %llu min", h, min % 60);
	else
		snprintf(dst, WORDS_NUMBER, "%llu d %llu h", h / 24, h % 24);
}

void words_bytes(char dst[WORDS_NUMBER], int64_t bytes)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB" };
	int64_t unit = 1024;
	size_t i = 0;

	if (bytes == QMEM_NA) {
		snprintf(dst, WORDS_NUMBER, "?");
		return;
	}
	if (bytes < unit) {
		snprintf(dst, WORDS_NUMBER, "%d B", (int)bytes);
		return;
	}
	while (i < sizeof(units) / sizeof(units[0]) - 1 && bytes >= unit * 1024) {
		unit *= 1024;
		i++;
	}
	snprintf(dst, WORDS_NUMBER, "%u.%u %s", (unsigned)(bytes / unit) % 10000,
		 (unsigned)(bytes % unit * 10 / unit) % 10, units[i]);
}

void words_rate(char dst[WORDS_NUMBER], double rate)
{
	static const char units[] = { '\0', 'k', 'M', 'G', 'T' };
	size_t i = 0;

	for (; rate >= (i ? 1000 : 10000) && i < sizeof(units) - 1; i++)
		rate /= 1000;
	snprintf(dst, WORDS_NUMBER, rate > 0 && rate < 10 ? "%.1f%.1s" : "%.0f%.1s", rate, i ? &units[i] : "");
}

void words_add(char *dst, size_t size, const char *fmt, ...)
{
	size_t len = strlen(dst);
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(dst + len, size - len, fmt, args);
	va_end(args);
	if (n >= 0 && (size_t)n >= size - len)
		dst[escape_whole(dst, size - 1)] = '\0';
}

bool words_add_whole(char *dst, size_t size, const char *fmt, ...)
{
	size_t len = strlen(dst);
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(dst + len, size - len, fmt, args);
	va_end(args);
	if (n >= 0 && (size_t)n < size - len)
		return true;
	dst[len] = '\0';
	return false;
}
