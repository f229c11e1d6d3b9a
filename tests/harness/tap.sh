# tap.sh: for shell tests, `. "$(dirname "$0")/../harness/tap.sh"`. The script gets the build
# directory as its first argument and prints TAP; tests/run.sh adds it up.
#
#   check "a name that is a sentence" command…   ok when the command exits 0; else its output is shown
#   skip "a name" "why"
#   $tap_dir                                     a directory of the script's own, removed at the end
#   tap_end                                      the last line of the script
tap_count=0
tap_failed=0
tap_dir=$(mktemp -d "${TMPDIR:-/tmp}/rota-sh.XXXXXX") || exit 1
trap 'rm -rf "$tap_dir"' EXIT
trap 'exit 130' INT TERM HUP

check() {
	tap_name=$1
	shift
	tap_count=$((tap_count + 1))
	if "$@" >"$tap_dir/.output" 2>&1; then
		echo "ok $tap_count - $tap_name"
	else
		tap_failed=$((tap_failed + 1))
		echo "not ok $tap_count - $tap_name"
		tail -n 40 "$tap_dir/.output" | sed 's/^/# /'
	fi
}

skip() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP $2"
}

tap_end() {
	echo "1..$tap_count"
	exit $((tap_failed > 0))
}
