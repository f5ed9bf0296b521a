/* SPDX-License-Identifier: MIT */
/*
 * What may be shown. Others choose names, and a name may hold a line feed, a terminal's commands, half a character, or marks that
 * turn the text around it. What is seen as itself stays; of all else each byte becomes an escape: \x and two lower case hex digits.
 * Not seen as itself: control characters, C1 included, what is no UTF-8, separators of lines, and characters that are invisible or
 * change the direction of others.
 *
 * In a name a backslash stays, too, but where it and what follows would read as such an escape (of a byte that is escaped, or of
 * the backslash): there it is \x5c. So two names stay two, and who puts the bytes back has the name. DOM\alice and
 * machine-qemu\x2d1.scope are shown as they are, a\x01 as a\x5cx01, and what has the byte 1 as a\x01.
 */
#ifndef QMEM_UTIL_ESCAPE_H
#define QMEM_UTIL_ESCAPE_H

#include <stddef.h>
#include <stdint.h>

#define ESCAPE_CUT 17 /* "~" and 16 hex digits, behind a name that was cut */

/* The one filter of all that leaves us: log lines, messages, notes. What is shown already stays as it is. Cut at the border of a
 * character or an escape. Returns the length. */
size_t escape_text(char *dst, size_t size, const char *text);
/* A name, before it becomes part of a text, or as a value of its own. One that does not fit is cut and gets a digest of it all, if
 * there is room for that. Returns the length. */
size_t escape_name(char *dst, size_t size, const char *name);
/* Undoes the escapes that systemd makes in the names of its units: machine-qemu\x2d1.scope is machine-qemu-1.scope. Two names may
 * become one, and bytes may come that cannot be shown. The result is no longer than the name; cut at size - 1. Returns the length. */
size_t escape_undo(char *dst, size_t size, const char *name);

/* How many bytes the character has that a text begins with, in *ret which one it is; 0: it is none that is seen as itself. */
size_t escape_character(const char *text, uint32_t *ret);
/* How much of the first `len` bytes is left without the beginning of a character that ends behind them. */
size_t escape_whole(const char *text, size_t len);

#endif
