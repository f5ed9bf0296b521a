#!/bin/sh
# SPDX-License-Identifier: MIT
# One test by automake's TAP driver, with its arguments; a line of the .trs then says how many seconds it took.
set -u
trs='' last=''
for word; do
	[ "$last" != --trs-file ] || trs=$word
	last=$word
done
read -r began _ </proc/uptime
status=0
"${0%/*}/../build-aux/tap-driver.sh" "$@" || status=$?
read -r ended _ </proc/uptime
awk "BEGIN { printf \":seconds: %.1f\n\", $ended - $began }" >>"$trs"
exit $status
