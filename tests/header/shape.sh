#!/bin/sh
# shape.sh BUILD_DIR: the size of files and functions, and what a directory must have.
. "$(dirname "$0")/../harness/tap.sh"
cd "${ROTA_TREE:-$(dirname "$0")/../..}" || exit 1

short_files() {
	find src include -name '*.[ch]' -exec awk \
		'FNR == 700 { getline; if (FNR > 700) { print FILENAME " has over 700 lines"; bad = 1 } }
		END { exit bad }' {} +
}
check "no file has over 700 lines" short_files

# From the brace that opens at the start of a line to the one that closes there; tables are no functions.
short_functions() {
	find src -name '*.c' -exec awk '
		/^{/ { start = FNR }
		/^}$/ && start {
			if (FNR - start + 1 > 70) {
				print FILENAME ":" start ": a function of " FNR - start + 1 " lines"
				bad = 1
			}
			start = 0
		}
		END { exit bad }' {} +
}
check "no function has over 70 lines" short_functions

readmes() {
	find src -type d ! -path '*/sql' ! -path '*/migrations' ! -path src | while read -r dir; do
		[ -f "$dir/README.md" ] || echo "$dir has no README.md"
	done | grep . && return 1
	return 0
}
check "each directory says what it is for" readmes

unfinished() {
	! grep -rnE '\b(TO''DO|FIX''ME|XX''X)\b' src include tests tools bench examples docs ./*.md 2>/dev/null |
		grep .
}
check "nothing is left for later in a comment" unfinished

pages() {
	find src -name README.md -exec awk \
		'FNR == 81 { print FILENAME " is longer than a page"; bad = 1 } END { exit bad }' {} +
}
check "a README of a directory is one page" pages
tap_end
