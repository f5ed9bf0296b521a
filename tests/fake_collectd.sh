#!/bin/sh
# SPDX-License-Identifier: MIT
# The built plugin in the tests' own daemon.
types=
for file in /usr/share/collectd/types.db /opt/collectd/share/collectd/types.db; do
	[ ! -f "$file" ] || types=$file
done
exec "$QMEM_BUILDDIR/tests/fake_collectd" "$QMEM_BUILDDIR/.libs/qmem.so" "$QMEM_BUILDDIR/.libs/qmem_test.so" ${types:+"$types"}
