#!/bin/sh
# SPDX-License-Identifier: MIT
# The tables inside README and the man pages are what the code prints.
cd "$QMEM_SRCDIR" || exit 1
exec "$QMEM_BUILDDIR/tests/docs" check README.md man/*.[58]
