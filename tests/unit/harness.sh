#!/bin/sh
# harness.sh BUILD_DIR: the harness tells what passes from what does not, and leaves nothing behind.
. "$(dirname "$0")/../harness/tap.sh"
build=$(cd "$1" && pwd) || exit 1
cd "$(dirname "$0")/../.." || exit 1
mkdir -p "$tap_dir/tests/some"
nap=$((100000000 + $$)) # tells our helper from anybody else's
cat >"$tap_dir/some.c" <<'C'
#include "test.h"
#include <unistd.h>
TEST(passes)
{
	CHECK_EQ(1, 1);
	CHECK(!access(test_dir(), W_OK));
	fclose(fopen(test_path("x"), "w"));
}
TEST(is_skipped) { test_skip("for a reason"); }
#ifdef BAD
static volatile int one = 1;
TEST(compares) { CHECK_EQ(one, 2); }
TEST(exits) { exit(3); }
TEST(exits_1) { exit(1); }
TEST(aborts) { abort(); }
TEST_LIMIT(hangs, 1)
{
	if (!fork())
		for (;;)
			pause();
	for (;;)
		pause();
}
TEST(answers_wrongly) { CHECK_OK(ROTA_BUSY, NULL); }
TEST(says_another_status)
{
	struct rota_error err = {0};
	CHECK_STATUS(ROTA_BUSY, ROTA_BUSY, &err);
}
TEST(lacks) { CHECK_HAS("abc", "x"); }
TEST(differs) { CHECK_STR("a", NULL); }
TEST(parks_for_ever)
{
	struct rota_world *world = test_world_new(1);
	uint32_t word = 0;
	world->park(world, &word, 0, ROTA_TICK_NEVER);
}
#endif
TEST(leaves_a_helper_behind)
{
	if (!fork()) {
		setsid();
		execlp("sleep", "sleep", NAP, NULL);
	}
}
C

# What is under test is the harness itself: its files, and of the library what they need.
compile() {
	# shellcheck disable=SC2086 # a list of options
	gcc -std=gnu17 -D_GNU_SOURCE -DROTA_VERSION='"0"' -DNAP="\"$nap\"" -Iinclude -Isrc -Itests/harness $2 -o "$1" \
		"$tap_dir/some.c" tests/harness/[a-r]*.c tests/harness/world.c src/base/*.c \
		src/core/state.c -lpthread
}
check "a good suite is built" compile "$tap_dir/good" ""
check "a bad suite is built" compile "$tap_dir/bad" "-DBAD"
good=$tap_dir/good bad=$tap_dir/bad
export TMPDIR="$tap_dir/tmp"
mkdir "$TMPDIR"

ends_with() {
	want=$1 sum=$2
	shift 2
	"$@" >"$tap_dir/said" 2>&1
	status=$?
	cat "$tap_dir/said"
	[ $status -eq "$want" ] && [ "$(tail -n 1 "$tap_dir/said")" = "$sum" ]
}
says() {
	cat "$tap_dir/said"
	grep -q -- "$1" "$tap_dir/said"
}
left_nothing() {
	ls -lR "$TMPDIR"
	[ -z "$(ls "$TMPDIR")" ]
}
no_helpers() {
	! grep -als "sleep.$nap" /proc/[0-9]*/cmdline
}
check "what passes is counted" ends_with 0 "2 passed, 0 failed, 1 skipped" "$good"
check "a reason to skip is told" says '^ok 2 - is_skipped # SKIP for a reason$'
check "passing tests leave no files" left_nothing
check "passing tests leave no processes" no_helpers
check "a part of a name chooses" ends_with 0 "1 passed, 0 failed" "$good" asses
check "names are listed" ends_with 0 leaves_a_helper_behind "$good" --list
check "a name that is no test's is refused" ends_with 64 \
	"usage: $good [--list] [--store KIND] [--seed N] [--no-fork] [--jobs N] [NAME-PART]..." "$good" nope
check "one process runs them for a debugger" ends_with 0 "1 passed, 0 failed" "$good" --no-fork passes
check "what fails is counted" ends_with 1 "2 passed, 10 failed, 1 skipped" "$bad" --jobs 4 --seed 42
for name in compares exits exits_1 aborts hangs answers_wrongly says_another_status lacks differs \
	parks_for_ever; do
	check "$name is a failure" says "^not ok [0-9]* - $name\$"
done
check "a failure names its place" says 'some.c:[0-9]*: one is 1, want 2 = 2'
check "a failure names its seed" says -- '--store memory --seed 42 compares'
check "a time limit is told" says '^# timed out'
check "a signal is told" says 'killed by signal 6'
check "failed tests keep their files" test -n "$(ls "$TMPDIR")"
check "failed tests leave no processes" no_helpers

# The runner adds up suites and scripts.
mkdir -p "$tap_dir/build/tests" "$tap_dir/tests/harness"
cp tests/run.sh "$tap_dir/tests/"
cp "$good" "$tap_dir/build/tests/some"
: >"$tap_dir/tests/some/some.c"
run() {
	sh "$tap_dir/tests/run.sh" "$tap_dir/build" "$@"
}
script() {
	printf '%s\n' "$@" >"$tap_dir/tests/some/it.sh"
}
check "a suite alone is added up" ends_with 0 "2 passed, 0 failed" run
script 'echo "ok 1 - a"; echo "ok 2 - b # SKIP why"; echo 1..2'
check "a script is added" ends_with 0 "3 passed, 0 failed" run
script 'echo "not ok 1 - a"; echo 1..1; exit 1'
check "a script's failure counts" ends_with 1 "2 passed, 1 failed" run
script 'echo "ok 1 - a"; echo 1..2'
check "a script that ended early failed" ends_with 1 "3 passed, 1 failed" run
script 'echo "ok 1 - a"; echo 1..1; exit 3'
check "a script that exits wrongly failed" ends_with 1 "3 passed, 1 failed" run
rm "$tap_dir/tests/some/it.sh"
printf '#!/bin/sh\necho "5 passed, 0 failed"\nexit 9\n' >"$tap_dir/build/tests/some"
check "a suite that dies after its sum failed" ends_with 1 "5 passed, 1 failed" run
printf '#!/bin/sh\nkill -9 $$\n' >"$tap_dir/build/tests/some"
check "a suite that dies without a sum failed" ends_with 1 "0 passed, 1 failed" run
rm "$tap_dir/build/tests/some"
check "a suite that was not built failed" ends_with 1 "0 passed, 1 failed" run
check "nothing to run is no success" ends_with 1 "0 passed, 0 failed" run nothing
mv "$tap_dir/tests/some" "$tap_dir/tests/model"
printf '#!/bin/sh\necho "$*" >>"%s"\necho "1 passed, 0 failed"\n' "$tap_dir/args" >"$tap_dir/build/tests/model"
chmod +x "$tap_dir/build/tests/model"
check "the model runs once per store" ends_with 0 "2 passed, 0 failed" run model
check "and is told which" grep -q -- '--store sqlite' "$tap_dir/args"
tap_end
