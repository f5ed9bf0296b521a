#!/bin/sh
# SPDX-License-Identifier: MIT
# The tables inside README, docs/, the man pages and the configuration files are what the code prints; README is short; no link is dead.
cd "$QMEM_SRCDIR" || exit 1
most=200

said=$("$QMEM_BUILDDIR/tests/docs" check conf/*/qmem.conf conf/systemd/*/qmem.conf README.md docs/*.md man/*.[58])
status=$?
printf '%s\n' "$said" | grep -v '^1\.\.'
n=$(printf '%s\n' "$said" | grep -c '^\(not \)\{0,1\}ok ')

# result STATUS NAME [WHY]
result()
{
	n=$((n + 1))
	if test "$1" -eq 0; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		printf '%s\n' "$3" | sed 's/^/# /'
		status=1
	fi
}

# The relative links of a page: [text](file), ![text](file).
links()
{
	grep -o '](\([^)]*\))' "$1" | sed 's/^](//; s/)$//; s/#.*//; s/ .*//' | grep -v -e '^$' -e '^[a-z]*:' | sort -u
}

lines=$(wc -l <README.md)
test "$lines" -le $most
result $? "README.md has at most $most lines" "it has $lines"

for page in README.md CONTRIBUTING.md CHANGELOG.md docs/*.md; do
	dead=
	for link in $(links "$page"); do
		test -e "$(dirname "$page")/$link" || dead="$dead $link"
	done
	test -z "$dead"
	result $? "$page: its links lead somewhere" "there is no$dead"
done

for page in docs/*.md; do
	links README.md | grep -qx "$page"
	result $? "README.md leads to $page"
done

alarms=$(sed -n 's/^ *template: *//p' conf/netdata/health.d/qmem.conf)
for alarm in $alarms; do
	grep -q "\`$alarm\`" docs/alarms.md
	result $? "docs/alarms.md tells of the alarm $alarm"
done
silent=$(awk '$1 == "template:" { name = $2 } $1 == "to:" && $2 == "silent" { print name }' conf/netdata/health.d/qmem.conf | sort)
told=$(sed -n '/These call nobody:/,/^$/p' docs/alarms.md | grep -o 'qmem_[a-z_]*' | sort)
test -n "$silent" && test "$silent" = "$told"
result $? "docs/alarms.md tells which alarms call nobody"

# "(duration, 1s to 1h; ..." and the paragraph that tells what a duration is
for page in man/*.5; do
	kinds=$(sed -n 's/^\\fB[A-Za-z.]*\\fR (\([a-z]*\), [0-9].*/\1/p' "$page" | sort -u)
	for kind in $kinds; do
		grep -qx "\.B $kind" "$page"
		result $? "$page: tells how a $kind is written"
	done
done

# The examples of qmem.conf: blocks of code that begin with a section.
examples=$(mktemp -d) || exit 1
trap 'rm -rf "$examples"' EXIT
awk -v dir="$examples" '
	/^```/ { inside = !inside; begins = inside; next }
	begins { take = /^\[/; n += take; begins = 0 }
	inside && take { print >(dir "/" n) }' docs/configuration.md
test -e "$examples/1"
result $? "docs/configuration.md has examples"
for example in "$examples"/*; do
	said=$("$QMEM_BUILDDIR/qmemctl" check -c "$example" 2>&1)
	result $? "docs/configuration.md: example ${example##*/}" "$said"
done

echo "1..$n"
exit $status
