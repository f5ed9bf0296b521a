#!/bin/sh
# SPDX-License-Identifier: MIT
# The form of the sources, as TAP.
cd "${QMEM_SRCDIR:-$(dirname "$0")/..}" || exit 1
count=0
failed=0

result()
{
	count=$((count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $count - $2"
	else
		failed=1
		echo "not ok $count - $2"
	fi
}

# run NAME TOOL ARGUMENT...
run()
{
	name=$1
	shift
	if ! command -v "$1" >/dev/null; then
		count=$((count + 1))
		echo "ok $count - $name # SKIP $1 is not installed"
		return
	fi
	output=$("$@" 2>&1 </dev/null)
	code=$?
	[ $code = 0 ] || printf '%s\n' "$output" | head -n 100 | sed 's/^/# /'
	result $code "$name"
}

# A tarball carries the BPF programs as headers, which bpftool has made.
sources=$(find src collectd netdata tests -name '*.[ch]' ! -name '*.skel.h' ! -path 'tests/roots/*' | sort)
scripts="bootstrap .ci/run $(grep -lE '^#!(/bin/|/usr/bin/env )(ba)?sh' -r tests --include='*' --exclude-dir=roots --exclude-dir=expected |
	sort)"
pythons=$(grep -lE '^#!.*python3?$' -r tests --exclude-dir=roots --exclude-dir=expected; find tests -name '*.py' | sort)

# shellcheck disable=SC2046,SC2086 # lists of file names, none with a blank
{
run "clang-format (make format)" "${CLANG_FORMAT:-clang-format}" --dry-run -Werror -ferror-limit=20 $sources
run "cppcheck" cppcheck -q --std=c11 --enable=warning,portability --inline-suppr --error-exitcode=1 \
	--suppress=uninitvar:tests/unit/* --suppress=ctuuninitvar --suppress=missingInclude --suppress=missingIncludeSystem --suppress=unknownMacro --suppress=nullPointerOutOfMemory \
	-Isrc -D_GNU_SOURCE -D__linux__ -DQMEM_VERSION='"0"' $sources
run "shellcheck" shellcheck $scripts
run "python compiles" "${PYTHON:-python3}" -c '
import ast, sys
for path in sys.argv[1:]:
	with open(path, encoding="utf-8") as f:
		ast.parse(f.read(), path)
' $pythons

# shellcheck disable=SC2016
run "every source begins with its licence" sh -c '
lack=$(for f; do head -n 3 "$f" | grep -q "SPDX-License-Identifier: " || echo "$f"; done)
[ -z "$lack" ] || { echo "$lack"; exit 1; }
' - $sources $scripts $pythons Makefile.am tests/Makefile.inc configure.ac man/*.[58] $(find conf -type f)

# Others choose names: there is one way out for text, which makes it harmless.
# shellcheck disable=SC2016
run "only collectd/log.c writes to the log of collectd" sh -c '
found=$(grep -nE "\<(plugin_log|ERROR|WARNING|NOTICE|INFO|DEBUG)\(" collectd/*.c | grep -v "^collectd/log\.c:")
[ -z "$found" ] || { echo "$found"; exit 1; }
'

# What no variable of theirs names, or the directory it is in, is in no tarball. A program of one file is named by itself.
# shellcheck disable=SC2016
run "every source and test is in Makefile.am or tests/Makefile.inc" sh -c '
names=$(awk "/^[A-Za-z_]+ *[+]?=/ || more { print; more = /\\\\\$/ }" Makefile.am tests/Makefile.inc | tr -s "\t \\\\" "\n\n\n")
lack=$(for f; do
	name=$f
	until printf "%s\n" "$names" | grep -qxF -e "$name" -e "${name%.c}"; do
		case $name in
		*/*) name=${name%/*} ;;
		*) echo "$f"; break ;;
		esac
	done
done)
[ -z "$lack" ] || { echo "$lack"; exit 1; }
' - $sources $scripts $pythons
}


echo "1..$count"
exit $failed
