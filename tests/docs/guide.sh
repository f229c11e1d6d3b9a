#!/bin/sh
# guide.sh BUILD_DIR: the blocks marked `sh` in docs/guide.md, in order, in one directory. A line that
# begins with `! ` must fail.
set -u
build=$(cd "${1:?usage: guide.sh BUILD_DIR}" && pwd)
cd "$(dirname "$0")/../.." || exit 1
. tests/harness/tap.sh
PATH=$build:$PATH

awk -v dir="$tap_dir" '
	/^## / { section = substr($0, 4) }
	/^```$/ && inside { close(file); inside = 0 }
	inside { sub(/^! /, "fails "); print > file }
	/^```sh$/ {
		inside = 1
		file = sprintf("%s/block%02d", dir, ++number)
		print "# " section > file
		print "fails() { ! \"$@\" || { echo \"should have failed: $*\"; exit 99; }; }" > file
	}' docs/guide.md
cd "$tap_dir" || exit 1
ROTA_STORE=guide.db
export ROTA_STORE
for block in block*; do
	name=$(sed -n '1s/^# //p' "$block" | tr ' A-Z' '_a-z' | tr -cd 'a-z_')
	check "guide_${block#block}_$name" timeout 60 sh -eu "$block"
done
tap_end
