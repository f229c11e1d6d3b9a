#!/bin/sh
# layers.sh BUILD_DIR: who may include whom, and who may look at a clock.
. "$(dirname "$0")/../harness/tap.sh"
cd "${ROTA_TREE:-$(dirname "$0")/../..}" || exit 1

# "FILE HEADER" for each include of a file below src
includes() {
	find src -name '*.[ch]' -exec grep -H '^[[:space:]]*#[[:space:]]*include' {} + |
		sed -n 's/^\([^:]*\):.*include[[:space:]]*["<]\([^">]*\)[">].*/\1 \2/p'
}
includes >"$tap_dir/includes"

# only_from FOLDER OTHER...: files of src/FOLDER include our headers from these folders only
only_from() {
	awk -v folder="src/$1/" -v allowed=" $* " '
		index($1, folder) == 1 {
			seen++
			split($2, part, "/")
			ours = $2 ~ /^(base|core|pool|exec|store|run|outbox|net|remote|testing|api|server|cli)\//
			if (ours && index(allowed, " " part[1] " ") == 0) { print $1 " includes " $2; bad = 1 }
		}
		END { exit bad || !seen }' "$tap_dir/includes"
}
# The order of the layers: each line is a folder and what stands below it.
while read -r folder below; do
	if [ -d "src/$folder" ]; then
		# shellcheck disable=SC2086 # a list
		check "$folder includes from ${below:-nobody} and itself" only_from "$folder" $below
	fi
done <<'TABLE'
base
core base
pool base
exec base
store core base
run store core pool base
outbox run store core pool base
net base
cli exec base
TABLE

# Public headers below the layer that gives them their meaning.
public_only() {
	awk -v folder="src/$1/" -v allowed=" $2 " '
		index($1, folder) == 1 && $2 ~ /^rota\// {
			if (index(allowed, " " $2 " ") == 0) { print $1 " includes " $2; bad = 1 }
		}
		END { exit bad }' "$tap_dir/includes"
}
check "base knows of the public headers status.h alone" public_only base "rota/status.h"
check "core knows no workers" public_only core "rota/status.h rota/store.h rota/task.h"

# nobody_includes REGEX-OF-HEADER REGEX-OF-FILES-THAT-MAY
nobody_includes() {
	awk -v header="$1" -v may="$2" '
		$2 ~ header && $1 !~ may { print $1 " includes " $2; bad = 1 }
		END { exit bad }' "$tap_dir/includes"
}
check "sqlite3.h is known in store/sqlite alone" nobody_includes '^sqlite3' '^src/store/sqlite/'
check "libpq is known in store/postgres alone" nobody_includes 'libpq' '^src/store/postgres/'
check "curl is known in net alone" nobody_includes '^curl/' '^src/net/'
check "jansson.h is known to the program alone" nobody_includes '^jansson' '^src/(cli|api|server)/'
check "uthash is known in base/map.c alone" nobody_includes '^ut(hash|list|array|string)' '^src/base/map\.c$'
check "the memory backend's headers stay with it" \
	nobody_includes '^store/memory/' '^src/store/memory/'
check "the SQLite backend's headers stay with it" \
	nobody_includes '^(store/sqlite/|sqlite_sql)' '^src/store/sqlite/'
check "internals of the lane stay in the store" nobody_includes '^store/lane\.h' '^src/store/[a-z_]*\.[ch]$'

# nobody_calls REGEX-OF-FUNCTIONS FILES...
nobody_calls() {
	calls=$1
	shift
	! grep -nE "(^|[^_[:alnum:]>.])($calls)\(" "$@"
}
engines=$(find src/base src/core src/store src/pool src/run -name '*.c' ! -path src/base/world.c \
	! -path src/base/futex.c 2>/dev/null)
# shellcheck disable=SC2086 # a list of files
check "the library has one door to clocks, dice and sleep" nobody_calls \
	'clock_gettime|gettimeofday|time|rand|rand_r|random|srandom|srand|drand48|getrandom|arc4random|sleep|usleep|nanosleep|clock_nanosleep' \
	$engines
# shellcheck disable=SC2046
check "rules make no calls to the outside and take no memory but arenas" nobody_calls \
	'malloc|calloc|realloc|free|open|read|write|fopen|printf|fprintf|getenv|pthread_[a-z_]*' \
	$(find src/core -name '*.[ch]')
# shellcheck disable=SC2046
check "the library neither exits nor prints" nobody_calls 'exit|_exit|printf|puts|putchar|perror' \
	$(find src/base src/core src/store src/pool src/run -name '*.c' ! -name log.c)

names_backends() {
	! grep -rnE 'rota_(memory|sqlite)_backend' src --include='*.c' |
		grep -vE '^src/store/(open|memory/[a-z_]*|sqlite/[a-z_]*)\.c:'
}
check "open.c is the one file that names backends" names_backends
tap_end
