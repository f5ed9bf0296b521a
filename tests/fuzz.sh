#!/bin/sh
# SPDX-License-Identifier: MIT
# Every fuzzer on its corpus and on all recorded roots, one TAP test each; `fuzz.sh SECONDS` lets libFuzzer go on from there.
seconds=${1:-}
cd "$QMEM_BUILDDIR/tests/fuzz" || exit 1
work=$(mktemp -d "${TMPDIR:-/tmp}/qmem-fuzz-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' HUP INT TERM
find "$QMEM_SRCDIR/tests/roots" -type f -size -200k >"$work/roots"

count=0
failed=0
for source in "$QMEM_SRCDIR"/tests/fuzz/fuzz_*.c; do
	[ -f "$source" ] || break
	name=$(basename "$source" .c)
	corpus=$QMEM_SRCDIR/tests/fuzz/corpus/${name#fuzz_}
	count=$((count + 1))
	mkdir -p "$work/$name"
	# One name each: a corpus is a flat directory.
	n=0
	while IFS= read -r file; do
		n=$((n + 1))
		cp "$file" "$work/$name/$n"
	done <"$work/roots"
	[ ! -d "$corpus" ] || cp "$corpus"/* "$work/$name/"
	if [ -n "$seconds" ]; then
		set -- "./$name" -max_total_time="$seconds" -max_len=65536 -timeout=10 -print_final_stats=1 \
			-artifact_prefix="$QMEM_BUILDDIR/tests/fuzz/$name-" "$work/$name"
	elif "./$name" -help=1 2>&1 </dev/null | grep -q libFuzzer; then
		set -- "./$name" -runs=0 "$work/$name"
	else
		set -- "./$name" "$work/$name"
	fi
	if "$@" >"$work/log" 2>&1 </dev/null; then
		[ -z "$seconds" ] || grep -E '^stat::' "$work/log" | sed 's/^/# /'
		echo "ok $count - $name"
	else
		tail -n 60 "$work/log" | sed 's/^/# /'
		echo "not ok $count - $name"
		failed=1
	fi
done
echo "1..$count"
exit $failed
