/* SPDX-License-Identifier: MIT */
#include "control/form.h"

#include <string.h>

#include "util/escape.h"

struct letter form_letter(const char **text)
{
	struct letter letter = { 0 };
	size_t n = escape_character(*text, &letter.code);

	if (n) {
		memcpy(letter.utf8, *text, n);
		*text += n;
		return letter;
	}
	letter.code = strchr("\n\t\r", **text) ? ' ' : '?';
	letter.utf8[0] = (char)letter.code;
	*text += 1;
	return letter;
}
