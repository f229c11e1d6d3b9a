#!/bin/sh
# layers.sh BUILD_DIR: who includes whom, as ARCHITECTURE.md says. An include names its folder:
# "core/state.h". Public headers are everybody's.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/harness/tap.sh

# only FOLDER MAY…: files of src/FOLDER include nothing of src/ but what MAY names.
only() {
	folder=$1
	shift
	may=$(echo "$folder $*" | tr ' ' '|')
	grep -rnE '^#[ \t]*include[ \t]+"' --include='*.[ch]' "src/$folder" |
		grep -vE "include[ \t]+\"(($may)/|sqlite_sql\.h)" >"$tap_dir/strangers"
	cat "$tap_dir/strangers"
	[ ! -s "$tap_dir/strangers" ]
}
# in_one_place HEADER PATH…: <HEADER> is included nowhere in src/ but below the paths.
in_one_place() {
	header=$1
	shift
	grep -rlE "^#[ \t]*include[ \t]+<$header>" --include='*.[ch]' src |
		grep -vE "^($(echo "$*" | tr ' ' '|'))" >"$tap_dir/strangers"
	cat "$tap_dir/strangers"
	[ ! -s "$tap_dir/strangers" ]
}
public_headers_include_public_headers_only() {
	! grep -nE '^#[ \t]*include[ \t]+("|<(base|core|store|run|pool|sqlite3|jansson))' include/rota/*.h
}
core_asks_nobody() { # no clock, no chance, no threads, no files
	! grep -nE '^#[ \t]*include[ \t]+<(time|stdio|unistd|pthread|fcntl|sys/)' src/core/*.[ch]
}
engines_ask_the_world() {
	! grep -nE '[^_a-z](clock_gettime|gettimeofday|time|rand|random|sleep|usleep|nanosleep)\(' src/run/*.c src/store/*.c src/core/*.c
}

check base_knows_only_itself only base
check core_knows_base only core base
check pool_knows_base only pool base
check store_knows_base_and_core only store base core
check run_knows_store_pool_core_and_base only run base core store pool
check exec_knows_base only exec base
check cli_knows_base_exec_and_public_headers only cli base exec
check public_headers_stand_alone public_headers_include_public_headers_only
check sqlite_is_known_to_its_store_alone in_one_place 'sqlite3\.h' src/store/sqlite/
check json_is_known_to_the_command_line_alone in_one_place 'jansson\.h' src/cli/
check uthash_is_known_to_the_map_alone in_one_place 'uthash\.h' src/base/map.c
check core_reads_no_clock_and_no_file core_asks_nobody
check engines_take_time_and_chance_from_the_world engines_ask_the_world
tap_end
