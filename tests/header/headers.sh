#!/bin/sh
# headers.sh BUILD_DIR: each public header alone, as strict C99 and as C++17, warnings are errors.
. "$(dirname "$0")/../harness/tap.sh"
cd "$(dirname "$0")/../.." || exit 1
warn="-Wall -Wextra -Werror -pedantic -Wundef -fsyntax-only -Iinclude"

# alone HEADER COMPILER... : twice, so that a missing guard is seen as well
alone() {
	printf '#include <rota/%s>\n#include <rota/%s>\n' "$1" "$1" >"$tap_dir/alone"
	shift
	# shellcheck disable=SC2086 # a list of options
	"$@" $warn "$tap_dir/alone"
}

# try COMPILER LANGUAGE STANDARD
try() {
	for header in include/rota/*.h; do
		name="$(basename "$header") alone is $3 for $1"
		if command -v "$1" >/dev/null; then
			check "$name" alone "$(basename "$header")" "$1" -x "$2" "-std=$3"
		else
			skip "$name" "no $1 here"
		fi
	done
}
try gcc c c99
try clang c c99
try g++ c++ c++17
try clang++ c++ c++17

cat >"$tap_dir/use.c" <<'C'
#include <rota/rota.h>
int main(void)
{
	struct rota_store_options options = ROTA_INIT(rota_store_options);
	struct rota_task task = ROTA_TASK(.type = "mail", .delay = ROTA_SECONDS(5));
	struct rota_queue_settings settings = ROTA_QUEUE_SETTINGS_INIT;
	struct rota_error err;
	typedef char error_has_512_bytes[sizeof(err) == 512 ? 1 : -1];

	return (int)(sizeof(error_has_512_bytes) + options.size + task.size + settings.size) == 0;
}
C
cat >"$tap_dir/use.cc" <<'CC'
#include <rota/rota.h>
int main()
{
	rota_store_options options;
	rota_task task = ROTA_INIT(rota_task);
	task.type = "mail";
	static_assert(sizeof(rota_error) == 512, "for ever");
	return options.size != sizeof(options) || task.size != sizeof(task) || task.queue;
}
CC
# shellcheck disable=SC2086
check "structs are begun in C" gcc -std=c99 $warn "$tap_dir/use.c"
if command -v g++ >/dev/null; then
	begun_in_cc() {
		# shellcheck disable=SC2086
		g++ -std=c++17 ${warn%% -fsyntax-only*} -Iinclude -o "$tap_dir/use" "$tap_dir/use.cc" &&
			"$tap_dir/use"
	}
	check "structs begin themselves in C++" begun_in_cc
else
	skip "structs begin themselves in C++" "no g++ here"
fi
tap_end
