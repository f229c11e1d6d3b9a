#!/bin/sh
# Handler of `report`: the payload names the tasks of all directories. Prints the totals, the directories
# that compress best, and a line per file as `sha256sum` writes it.
set -eu
echo "start $ROTA_ID $ROTA_TOKEN" >>"$TREE_LOG"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
xargs -r -d '\n' rota wait >"$work/files" || [ "$ROTA_FAILED_DEPENDENCIES" -gt 0 ]
awk '
	NF >= 4 {
		path = $0
		sub(/^[^ ]+ [0-9]+ [0-9]+ /, "", path)
		dir = path
		sub(/\/[^\/]*$/, "", dir)
		size[dir] += $2
		packed[dir] += $3
		all += $2
		all_packed += $3
		files++
		print $1 "  " path > sums
	}
	END {
		for (dir in size) {
			dirs++
			printf "%d %d %s\n", size[dir], packed[dir], dir > by_dir
		}
		printf "%d files in %d directories: %d bytes, %d compressed (%.0f %%)\n", \
			files, dirs, all, all_packed, all ? 100 * all_packed / all : 0
		print "largest directories (bytes, compressed):"
	}' sums="$work/sums" by_dir="$work/by_dir" "$work/files"
LC_ALL=C sort -k1,1nr "$work/by_dir" | head -n 5 | sed 's/^/  /'
echo 'files:'
LC_ALL=C sort -k2 "$work/sums"
echo "end $ROTA_ID $ROTA_TOKEN" >>"$TREE_LOG"
