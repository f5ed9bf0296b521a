/* SPDX-License-Identifier: MIT */
#include "program/check.h"

#include "qmemctl/commands.h"

const struct command check_command = {
	.name = "check",
	.options = "co",
	.summary = "what is on, and what is wrong",
	.text = "Read the configuration, start the services, and end.\n"
		"One service a line, in three fields separated by tabs: its name, on or off,\n"
		"and the reason, or the way it works and the privileges it lacks. The table of\n"
		"all capabilities follows, in fields likewise: its line, what this process has\n"
		"of it, and what it is for and comes from; then errors in the configuration.\n"
		"The exit status is 0 if there are none, and every service that is set to yes\n"
		"is on.\n"
		"Standard error tells which configuration was read, and as whom: the agent's\n"
		"plugin may have other rights than you.",
	.run = check_services,
};
