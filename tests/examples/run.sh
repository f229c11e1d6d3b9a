#!/bin/sh
# run.sh BUILD_DIR: the programs in examples/, as somebody who learns from them runs them. The Makefile
# has built them against librota.so and the public headers only.
set -u
programs=$(cd "${1:?usage: run.sh BUILD_DIR}/examples" && pwd)
cd "$(dirname "$0")/../.." || exit 1
examples=$(cd examples && pwd) self=$(pwd)/tests/examples/run.sh
. tests/harness/tap.sh
cd "$tap_dir" || exit 1

# says PATTERN PROGRAM…: exits 0 within a minute and prints the pattern.
says() {
	pattern=$1
	shift
	timeout 60 "$@" >out 2>&1 </dev/null
	status=$?
	cat out
	[ $status -eq 0 ] && grep -q "$pattern" out
}
every_program_is_run_here() {
	for program in "$examples"/*.c; do
		grep -q "programs/$(basename "$program" .c)\"" "$self" || { echo "$program"; return 1; }
	done
}

check first_program_says_hello says '^hello, world$' "$programs/hello"
check first_program_runs_again_on_its_store says '^hello, world$' "$programs/hello"
check graph_runs_parts_then_the_sum says '^sum 8002000$' "$programs/graph"
rm -f graph.db*
check graph_ends_with_the_mail says '^mail about task 6$' "$programs/graph"
check pulling_by_hand_finishes_the_task says 'attempt 1, token 1: order 42' "$programs/pull"
check waiting_gets_the_result says 'answer is completed; .*result 42' "$programs/watch"
rm -f watch.db*
check cancel_reaches_the_handler says 'endless is cancelled; .*asked to stop after' "$programs/watch"
check every_example_is_run_here every_program_is_run_here
tap_end
