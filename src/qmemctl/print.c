/* SPDX-License-Identifier: MIT */
#include "program/print.h"

#include "qmemctl/commands.h"

const struct command print_command = {
	.name = "print",
	.words = "[SERVICE]...",
	.options = "co",
	.summary = "values, twice collected",
	.text = "Collect twice, a second apart, print the values of the second time, and end.\n"
		"One value a line, in three fields separated by tabs: the canonical name\n"
		"(service.family.metric[instance]), the value in the base unit, and the unit.\n"
		"Counters are shown as rates a second. What is absent is '-'.\n"
		"Where a service asks processes for what takes longer (PSS, mappings, the\n"
		"program, command line or user of a group), it is given up to four more\n"
		"seconds; what is still not known then is absent.\n"
		"With SERVICE only those; one that is off is an error.",
	.run = print_values,
};
