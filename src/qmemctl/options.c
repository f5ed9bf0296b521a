/* SPDX-License-Identifier: MIT */
#include "qmemctl/options.h"

#include <stddef.h>

const struct options_row options[OPTIONS] = {
	{ 'c', "config", "FILE",
	  "the configuration, in the form of qmem.conf; else that of Netdata's directories counts" },
	{ 'o', "option", "SERVICE.OPTION=VALUE",
	  "an option, beyond what the configuration says; SERVICE.BLOCK.NAME.OPTION in a block; any number of them" },
	{ 'f', "format", "FORM", "text, markdown or man" },
	{ 't', "for", "TIME", "how long, as 10s, 5m or 1h; 10s unless it is given" },
	{ 'h', "help", NULL, "this summary, or what the command does and takes" },
	{ 'V', "version", NULL, "the version" },
};
