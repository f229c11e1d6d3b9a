#!/bin/sh
# run.sh BUILD_DIR: the programs in examples/, as somebody who learns from them runs them. The Makefile
# has built them against librota.so and the public headers only.
set -u
programs=$(cd "${1:?usage: run.sh BUILD_DIR}/examples" && pwd)
examples=$(cd "$(dirname "$0")/../../examples" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
number=0 failed=0

# expect NAME PATTERN PROGRAM…: exits 0 within a minute and prints the pattern.
expect() {
	name=$1 pattern=$2
	shift 2
	number=$((number + 1))
	if timeout 60 "$@" >out 2>&1 </dev/null && grep -q "$pattern" out; then
		echo "ok $number - $name"
	else
		failed=$((failed + 1))
		echo "not ok $number - $name"
		sed 's/^/# /' out
	fi
}

expect first_program_says_hello '^hello, world$' "$programs/hello"
expect first_program_runs_again_on_its_store '^hello, world$' "$programs/hello"
expect graph_runs_parts_then_sum_then_mail '^sum 8002000$' "$programs/graph"
expect graph_ends_with_the_mail '^mail about task 6$' sh -c "rm graph.db*; $programs/graph"
expect pulling_by_hand_finishes_the_task 'attempt 1, token 1: order 42' "$programs/pull"
expect waiting_prints_the_result 'answer is completed; .*result 42' "$programs/watch"
expect cancel_reaches_the_handler 'endless is cancelled; .*asked to stop after' "$programs/watch"
expect every_program_is_run_here '^$' sh -c "
	for f in '$examples'/*.c; do grep -q \"/\$(basename \$f .c)\\\"\" '$examples/../tests/examples/run.sh' || exit 1; done; echo"
echo "1..$number"
exit $((failed > 0))
