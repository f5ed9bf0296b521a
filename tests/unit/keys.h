/* SPDX-License-Identifier: MIT */
/* That no key of a recorded root is overlooked. */
#ifndef QMEM_UNIT_KEYS_H
#define QMEM_UNIT_KEYS_H

#include "proc/kv.h"

/* Fails the test for a key that is neither in the table nor in the list of ignored ones. */
void keys_check(const struct kv *kv, const struct kv_ignore *ignored, const char *what, const char *text);
/* The same for that file of every root under $QMEM_SRCDIR/tests/roots but the hostile one, whose keys are invented; fails
 * if there is none. Without QMEM_SRCDIR it checks nothing and says so. */
void keys_check_roots(const struct kv *kv, const struct kv_ignore *ignored, const char *file);

#endif
