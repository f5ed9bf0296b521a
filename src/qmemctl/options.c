/* SPDX-License-Identifier: MIT */
#include "qmemctl/options.h"

#include <stddef.h>

const struct options_row options[OPTIONS] = {
	{ 'c', "config", "FILE", "a configuration in the form of qmem.conf, instead of Netdata's" },
	{ 'o', "option", "SERVICE.OPTION=VALUE", "an option on top of the configuration; may be given several times" },
	{ 'f', "format", "FORM", "text, markdown or man" },
	{ 'h', "help", NULL, "this summary, or what the command does and takes" },
	{ 'V', "version", NULL, "the version" },
};
