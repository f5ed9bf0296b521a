/* SPDX-License-Identifier: MIT */
#include "process/proc.h"

#include <string.h>

const char proc_state_letters[PROC_STATES + 1] = "RSDTtXZPI?";

enum proc_states proc_state(char letter)
{
	const char *at = letter ? strchr(proc_state_letters, letter) : NULL;

	return at ? (enum proc_states)(at - proc_state_letters) : PROC_OTHER;
}
