/* SPDX-License-Identifier: MIT */
/* Quotients in decimal, without the noise of floating point. */
#ifndef QMEM_PROGRAM_DECIMAL_H
#define QMEM_PROGRAM_DECIMAL_H

#define DECIMAL_SIZE 64

/* num / den, den positive, rounded to at most 9 decimals, without zeros at the end. |num| and den stay below 10^27. */
void decimal_print(char dst[DECIMAL_SIZE], __int128 num, __int128 den, unsigned decimals);

#endif
