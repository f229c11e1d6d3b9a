#!/bin/sh
# can_fail.sh BUILD_DIR: the other scripts see what they are there to see, in a tree with faults.
. "$(dirname "$0")/../harness/tap.sh"
here=$(cd "$(dirname "$0")" && pwd)
tree=$tap_dir/tree

# fault FILE TEXT: a tree with a file of that content
fault() {
	rm -rf "$tree"
	for dir in base core pool exec store store/memory store/sqlite run cli; do
		mkdir -p "$tree/src/$dir"
		echo 'one page' >"$tree/src/$dir/README.md"
		printf '#include "base/macros.h"\n' >"$tree/src/$dir/some.c"
	done
	mkdir -p "$tree/include/rota"
	printf '%s\n' "$2" >>"$tree/$1"
}

# refuses SCRIPT NAME-OF-ITS-TEST: that one fails, and no other
refuses() {
	ROTA_TREE=$tree sh "$here/$1.sh" /nonexistent >"$tap_dir/said" 2>&1
	cat "$tap_dir/said"
	[ "$(grep -c '^not ok' "$tap_dir/said")" -eq 1 ] &&
		grep -q "^not ok [0-9]* - $2" "$tap_dir/said"
}
accepts() {
	ROTA_TREE=$tree sh "$here/$1.sh" /nonexistent
}

fault src/core/some.c ''
check "layers.sh accepts a good tree" accepts layers
check "shape.sh accepts a good tree" accepts shape

# SCRIPT, FILE, LINE, the test that must fail; between bars
while IFS='|' read -r script file line name; do
	fault "$file" "$line"
	check "$script.sh sees $line in $file" refuses "$script" "$name"
done <<'TABLE'
layers|src/base/some.c|#include "core/state.h"|base includes from
layers|src/core/some.c|#include "store/store.h"|core includes from
layers|src/store/some.c|#include "run/worker.h"|store includes from
layers|src/pool/some.c|#include "store/store.h"|pool includes from
layers|src/exec/some.c|#include "pool/pool.h"|exec includes from
layers|src/run/some.c|#include "cli/cli.h"|run includes from
layers|src/cli/some.c|# include <store/store.h>|cli includes from
layers|src/base/some.c|#include <rota/task.h>|base knows of the public headers
layers|src/core/some.c|#include <rota/worker.h>|core knows no workers
layers|src/store/some.c|#include <sqlite3.h>|sqlite3.h is known
layers|src/store/memory/some.c|#include <jansson.h>|jansson.h is known
layers|src/base/some.c|#include <uthash.h>|uthash is known
layers|src/run/some.c|#include "store/memory/memory.h"|the memory backend
layers|src/store/memory/some.c|#include "store/sqlite/sqlite.h"|the SQLite backend
layers|src/run/some.c|#include "store/lane.h"|internals of the lane
layers|src/run/some.c|	x = clock_gettime(CLOCK_REALTIME, &t);|the library has one door
layers|src/store/some.c|	sleep(1);|the library has one door
layers|src/core/some.c|	p = malloc(5);|rules make no calls
layers|src/pool/some.c|	exit(1);|the library neither exits
layers|src/run/some.c|	open(&rota_sqlite_backend);|open.c is the one file
TABLE

fault src/core/some.c "/* FIX""ME */"
check "shape.sh sees a note for later" refuses shape "nothing is left"
fault src/core/some.c "$(yes 'int x;' | head -n 701)"
check "shape.sh sees a long file" refuses shape "no file has over"
fault src/core/some.c "$(printf '{\n'; yes '	x++;' | head -n 70; printf '}')"
check "shape.sh sees a long function" refuses shape "no function has over"
fault src/core/some.c ''
rm "$tree/src/core/README.md"
check "shape.sh sees a directory that says nothing" refuses shape "each directory says"
fault src/core/README.md "$(yes word | head -n 90)"
check "shape.sh sees a long page" refuses shape "a README of a directory"
tap_end
