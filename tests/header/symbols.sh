#!/bin/sh
# symbols.sh BUILD_DIR: the shared library exports what the public headers declare, and nothing else.
. "$(dirname "$0")/../harness/tap.sh"
build=$(cd "$1" && pwd) || exit 1
cd "$(dirname "$0")/../.." || exit 1
lib=$build/librota.so

if [ ! -e "$lib" ]; then
	skip "the library exports what is declared" "$lib was not built"
	tap_end
fi
nm -D --defined-only "$lib" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort -u >"$tap_dir/exported"
# Functions with the attribute of ROTA_API, by their name before the parenthesis.
printf '#include <rota/%s>\n' $(cd include/rota && ls ./*.h) |
	gcc -E -P -Iinclude -x c - | tr '\n' ' ' | tr ';' '\n' |
	sed -n 's/.*visibility("default")[^;]*[ *]\(rota_[a-z0-9_]*\) *(.*/\1/p' |
	sort -u >"$tap_dir/declared"

is_empty() {
	cat "$1"
	[ ! -s "$1" ]
}
has_many() {
	[ "$(wc -l <"$tap_dir/declared")" -gt 50 ]
}
grep -v '^rota_' "$tap_dir/exported" >"$tap_dir/foreign"
comm -23 "$tap_dir/exported" "$tap_dir/declared" >"$tap_dir/undeclared"
comm -13 "$tap_dir/exported" "$tap_dir/declared" >"$tap_dir/missing"
check "the headers declare functions" has_many
check "every exported symbol begins with rota_" is_empty "$tap_dir/foreign"
check "every exported symbol is declared in include/" is_empty "$tap_dir/undeclared"
check "every declared function is exported" is_empty "$tap_dir/missing"

versioned() {
	! nm -D --defined-only "$lib" | awk '$2 != "A" && $3 !~ /@@ROTA_0$/' | grep .
}
check "every exported symbol has a version" versioned

needs_little() {
	objdump -p "$lib" | awk '/NEEDED/ && $2 !~ /^(libsqlite3|libc|libpthread|ld-linux[-a-z0-9_]*|libgcc_s|libasan|libubsan|libtsan)\.so/ {
		print; bad = 1 } END { exit bad }'
}
check "the library needs SQLite and libc alone" needs_little
tap_end
