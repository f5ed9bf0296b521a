#!/bin/sh
# SPDX-License-Identifier: MIT
# What the third host prints for every recorded root, compared with tests/expected. TAP.
#	golden.sh [--update]
set -u

src=${QMEM_SRCDIR:-$(dirname "$0")/..}
host=${QMEM_BUILDDIR:-.}/tests/host
mode=${1:-}
n=0
status=0

# The options with which a root is played: every metric is in some transcript.
options='meminfo.Detail=yes vmstat.Detail=yes netstat.Detail=yes vmstat.RawGauge=nr_free_pages vmstat.RawCounter=pgfree'
options="$options vmstat.RawCounter=no_such_key"

for root in "$src"/tests/roots/*/; do
	name=$(basename "$root")
	expected=$src/tests/expected/$name.txt
	n=$((n + 1))
	# shellcheck disable=SC2086 # a list of words
	if ! got=$("$host" "$root" $options); then
		echo "not ok $n - $name: the host failed"
		status=1
		continue
	fi
	if [ "$mode" = --update ]; then
		mkdir -p "${expected%/*}"
		printf '%s\n' "$got" >"$expected"
	fi
	if difference=$(printf '%s\n' "$got" | diff -u "$expected" - 2>&1); then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name"
		printf '%s\n' "$difference" | sed 's/^/# /'
		status=1
	fi
done
echo "1..$n"
[ "$mode" = --update ] || exit 0
exit "$status"
