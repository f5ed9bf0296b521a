/* SPDX-License-Identifier: MIT */
#include "program/describe.h"

#include "qmemctl/commands.h"

const struct command describe_command = {
	.name = "describe",
	.words = "[SERVICE]...",
	.options = "f",
	.summary = "what there is to configure and to see",
	.text = "Print services, options, families and metrics, as built in, and what each metric\n"
		"is called in collectd and in Netdata.",
	.run = describe_services,
};
