#!/bin/sh
# coverage.sh BUILD_DIR: every test that tests/README.md names exists.
set -u
build=$1
tests=$(dirname "$0")/..
. "$tests/harness/tap.sh"

# Names of a suite: its program's (perhaps once per store), and those of its scripts.
names_of() {
	[ -x "$build/tests/$1" ] && "$build/tests/$1" --list | sed 's/_\(memory\|sqlite\)$//'
	cat "$tests/$1"/*.sh 2>/dev/null | sed -n 's/^\(check\|skip\) \([a-z0-9_]*\).*/\2/p'
}

named_tests_exist() {
	sed -n '/^## What the originals/,$p' "$tests/README.md" | grep -o '`[a-z]*/[a-z0-9_]*`' |
		tr -d '`' | sort -u >"$tap_dir/named"
	cut -d/ -f1 "$tap_dir/named" | sort -u >"$tap_dir/suites"
	while read -r suite; do
		names_of "$suite" | sed "s|^|$suite/|"
	done <"$tap_dir/suites" | sort -u >"$tap_dir/there"
	comm -23 "$tap_dir/named" "$tap_dir/there" >"$tap_dir/missing"
	cat "$tap_dir/missing"
	[ "$(wc -l <"$tap_dir/named")" -gt 100 ] && [ ! -s "$tap_dir/missing" ]
}

# Every line of a table says a test or why there is none.
lines_say_something() {
	sed -n '/^## What the originals/,$p' "$tests/README.md" | grep '^| ' |
		grep -v '^| *\(case\|bug\|defect\) ' | grep -v '`[a-z]*/[a-z0-9_]*`' | grep -v '| none'
}

# Every directory has its line in the table of suites.
directories_are_listed() {
	for dir in "$tests"/*/; do
		grep -q "^|.*\`$(basename "$dir")\`" "$tests/README.md" || basename "$dir"
	done
}

check every_directory_of_tests_is_described eval '! directories_are_listed | grep .'
check tests_named_in_the_coverage_table_exist named_tests_exist
check every_line_of_the_coverage_table_names_a_test_or_says_why_not eval '! lines_say_something'
tap_end
