/* SPDX-License-Identifier: MIT */
#include "program/difference.h"

#include "qmemctl/commands.h"

const struct command diff_command = {
	.name = "diff",
	.words = "[NAME]...",
	.options = "cot",
	.summary = "what changes within a time",
	.text = "Take all values, wait for the time that --for says, and take them again. What\n"
		"has changed is printed, a value a line: its name, before, after, by how much,\n"
		"and for counters how much that is a second; \"new\" or \"gone\" for what was or is\n"
		"not there, \"set back\" for a counter that has fallen. Levels come first, then\n"
		"counters; what has one unit stands together, the largest change first.\n"
		"NAME is a service, or part of a canonical name: meminfo, procmem.rss,\n"
		"swap.space.used[zram0]; '*' and '?' stand for any letters. Metrics that are\n"
		"marked as detail are shown where a NAME says more than their service.\n"
		"Ctrl-C ends the waiting, and what has changed so far is printed.",
	.run = show_difference,
};
