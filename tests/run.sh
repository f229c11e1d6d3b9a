#!/bin/sh
# run.sh BUILD_DIR [SUITE]…: runs the suites that were built (conformance and model once per store)
# and the shell tests in tests/*/*.sh, shows what failed, and ends with the sum:
# `N passed, N failed`. Exit 1 when something failed.
# JOBS: tests at a time (2). STORES: "memory sqlite".
set -u
build=${1:?usage: run.sh BUILD_DIR [SUITE]...}
shift
only=" $* "
tests=$(dirname "$0")
jobs=${JOBS:-2}
stores=${STORES:-memory sqlite}
passed=0 failed=0 skipped=0
out=$(mktemp "${TMPDIR:-/tmp}/rota-run.XXXXXX") || exit 1
trap 'rm -f "$out"' EXIT
trap 'exit 130' INT TERM HUP

wanted() {
	[ "$only" = "  " ] && return 0
	case $only in *" $1 "*) return 0 ;; esac
	return 1
}

# say LABEL PASSED FAILED SKIPPED SECONDS
say() {
	passed=$((passed + $2)) failed=$((failed + $3)) skipped=$((skipped + $4))
	line="$2 passed, $3 failed"
	[ "$4" -gt 0 ] && line="$line, $4 skipped"
	printf '%-28s %s (%s s)\n' "$1" "$line" "$5"
}

show_failures() {
	awk '/^not ok/ { show = 1; print; next } /^#/ { if (show) print; next } { show = 0 }' "$out"
}

# A program's own count is the truth; without one it broke down, which is a failure.
run_program() {
	label=$1
	start=$(date +%s)
	shift
	if [ ! -x "$1" ]; then
		echo "not ok - $1 was not built"
		say "$label" 0 1 0 0
		return
	fi
	"$@" --jobs "$jobs" >"$out" 2>&1
	status=$?
	took=$(($(date +%s) - start))
	show_failures
	sum=$(tail -n 1 "$out" | sed -n \
		's/^\([0-9]*\) passed, \([0-9]*\) failed\(, \([0-9]*\) skipped\)*$/\1 \2 0\4/p')
	set -- ${sum:-0 0 0}
	s=${3#0}
	if [ -z "$sum" ] || { [ "$status" -ne 0 ] && [ "$2" -eq 0 ]; }; then
		echo "not ok - $label ended with status $status:"
		tail -n 20 "$out" | sed 's/^/# /'
		say "$label" "$1" $(($2 + 1)) "${s:-0}" "$took"
	else
		say "$label" "$1" "$2" "${s:-0}" "$took"
	fi
}

run_script() {
	label=${1#"$tests"/}
	start=$(date +%s)
	timeout -k 5 "${SCRIPT_LIMIT:-300}" sh "$1" "$build" >"$out" 2>&1 </dev/null
	status=$?
	took=$(($(date +%s) - start))
	show_failures
	bad=$(grep -c '^not ok' "$out")
	skips=$(grep -c '^ok.*# SKIP' "$out")
	good=$(($(grep -c '^ok' "$out") - skips))
	plan=$(sed -n 's/^1\.\.\([0-9]*\).*/\1/p' "$out" | tail -n 1)
	if [ "${plan:--1}" -ne $((good + bad + skips)) ] || { [ $status -ne 0 ] && [ "$bad" -eq 0 ]; }; then
		echo "not ok - $label ended with status $status, plan ${plan:-missing}:"
		tail -n 20 "$out" | sed 's/^/# /'
		bad=$((bad + 1))
	fi
	say "$label" "$good" "$bad" "$skips" "$took"
}

for dir in "$tests"/*/; do
	suite=$(basename "$dir")
	[ "$suite" = harness ] && continue
	wanted "$suite" || continue
	if ls "$dir"*.c >/dev/null 2>&1; then
		case $suite in
		conformance | model)
			for store in $stores; do
				run_program "$suite ($store)" "$build/tests/$suite" --store "$store"
			done
			;;
		*) run_program "$suite" "$build/tests/$suite" ;;
		esac
	fi
	for script in "$dir"*.sh; do
		[ -e "$script" ] && run_script "$script"
	done
done

[ "$skipped" -eq 0 ] || echo "$skipped skipped"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
