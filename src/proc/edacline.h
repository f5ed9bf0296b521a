/* SPDX-License-Identifier: MIT */
/*
 * Files of one line below /sys/devices/system/edac/mc: what a board calls the socket of a memory module ("CPU_SrcID#0_MC#0_Chan#1_DIMM#0",
 * or what an administrator has written there), and where that is ("channel 1 slot 0 ", with a blank at the end).
 */
#ifndef QMEM_PROC_EDACLINE_H
#define QMEM_PROC_EDACLINE_H

#include <stddef.h>

/* The first line without blanks around it, up to a NUL or as much as fits, with its NUL. Its length; 0: there is nothing. */
size_t edacline_parse(const char *text, size_t len, char *ret, size_t size);

#endif
