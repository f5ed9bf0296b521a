/* SPDX-License-Identifier: MIT */
#include "util/escape.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "util/sip.h"

#define PIECE 4 /* bytes that stand for one character or one byte, at most */

/* Unicode's Default_Ignorable_Code_Point, general categories Cc, Cf, Zl and Zp, and what is no character. */
static const struct {
	uint32_t first, last;
} unseen[] = {
	{ 0x80, 0x9f },       { 0xad, 0xad },       { 0x34f, 0x34f },     { 0x600, 0x605 },     { 0x61c, 0x61c },
	{ 0x6dd, 0x6dd },     { 0x70f, 0x70f },     { 0x890, 0x891 },     { 0x8e2, 0x8e2 },     { 0x115f, 0x1160 },
	{ 0x17b4, 0x17b5 },   { 0x180b, 0x180f },   { 0x200b, 0x200f },   { 0x2028, 0x202e },   { 0x2060, 0x206f },
	{ 0x3164, 0x3164 },   { 0xd800, 0xdfff },   { 0xfdd0, 0xfdef },   { 0xfe00, 0xfe0f },   { 0xfeff, 0xfeff },
	{ 0xffa0, 0xffa0 },   { 0xfff0, 0xfffb },   { 0x110bd, 0x110bd }, { 0x110cd, 0x110cd }, { 0x13430, 0x1343f },
	{ 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a }, { 0xe0000, 0xe0fff },
};

static bool is_seen(uint32_t code)
{
	if ((code & 0xfffe) == 0xfffe)
		return false;
	for (size_t i = 0; i < sizeof(unseen) / sizeof(*unseen) && code >= unseen[i].first; i++)
		if (code <= unseen[i].last)
			return false;
	return true;
}

size_t escape_character(const char *text, uint32_t *ret)
{
	static const struct {
		unsigned char mask, lead;
		uint32_t least;
	} forms[] = { { 0xe0, 0xc0, 0x80 }, { 0xf0, 0xe0, 0x800 }, { 0xf8, 0xf0, 0x10000 } };
	const unsigned char *s = (const unsigned char *)text;

	if (s[0] < 0x80) {
		*ret = s[0];
		return s[0] >= ' ' && s[0] != 0x7f;
	}
	for (size_t n = 0; n < 3; n++) {
		uint32_t code = s[0] & (unsigned char)~forms[n].mask;

		if ((s[0] & forms[n].mask) != forms[n].lead)
			continue;
		for (size_t i = 1; i <= n + 1; i++) {
			if ((s[i] & 0xc0) != 0x80)
				return 0;
			code = code << 6 | (s[i] & 0x3f);
		}
		if (code < forms[n].least || code > 0x10ffff || !is_seen(code))
			return 0;
		*ret = code;
		return n + 2;
	}
	return 0;
}

size_t escape_whole(const char *text, size_t len)
{
	for (size_t back = 1; back <= 3 && back <= len; back++) {
		unsigned char c = (unsigned char)text[len - back];

		if ((c & 0xc0) == 0x80)
			continue;
		return c >= 0xc0 && back < (c >= 0xf0 ? 4u : c >= 0xe0 ? 3u : 2u) ? len - back : len;
	}
	return len;
}

/* A digit's value, -1: it is none. */
static int digit(char c, bool upper)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return upper && c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The byte of the escape that a text begins with, -1: it begins with none. */
static int escaped(const char *text, bool upper)
{
	int high, low;

	if (text[0] != '\\' || text[1] != 'x' || (high = digit(text[2], upper)) < 0 ||
	    (low = digit(text[3], upper)) < 0)
		return -1;
	return high << 4 | low;
}

/* Takes a character off the text, or a byte. Returns how long the piece is that stands for it. */
static size_t take(const char **text, char piece[PIECE + 1], bool name)
{
	uint32_t code;
	size_t n = escape_character(*text, &code);
	int byte = name && **text == '\\' ? escaped(*text, false) : -1;

	if (!n || (byte >= 0 && (byte < ' ' || byte == '\\' || byte >= 0x7f))) {
		snprintf(piece, PIECE + 1, "\\x%02x", (unsigned char)**text);
		*text += 1;
		return PIECE;
	}
	memcpy(piece, *text, n);
	*text += n;
	return n;
}

size_t escape_text(char *dst, size_t size, const char *text)
{
	char piece[PIECE + 1];
	size_t len = 0;

	while (*text) {
		size_t n = take(&text, piece, false);

		if (len + n >= size)
			break;
		memcpy(dst + len, piece, n);
		len += n;
	}
	dst[len] = '\0';
	return len;
}

size_t escape_name(char *dst, size_t size, const char *name)
{
	size_t len = 0, kept = 0;
	char piece[PIECE + 1];
	const char *at = name;

	while (*at) {
		size_t n = take(&at, piece, true);

		if (len + n >= size) {
			if (size <= ESCAPE_CUT)
				break;
			snprintf(dst + kept, size - kept, "~%016" PRIx64, sip_known(name, strlen(name), 0));
			return kept + ESCAPE_CUT;
		}
		memcpy(dst + len, piece, n);
		len += n;
		if (len + ESCAPE_CUT < size)
			kept = len;
	}
	dst[len] = '\0';
	return len;
}

size_t escape_undo(char *dst, size_t size, const char *name)
{
	size_t len = 0;

	while (*name && len + 1 < size) {
		int byte = escaped(name, true);

		dst[len++] = byte > 0 ? (char)byte : *name;
		name += byte > 0 ? 4 : 1;
	}
	dst[len] = '\0';
	return len;
}
