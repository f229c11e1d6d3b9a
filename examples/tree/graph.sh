#!/bin/sh
# graph.sh DIR [FILES_MAX]: prints the tasks for a directory tree as JSON Lines, for
# `rota enqueue --from -`: one task per file, one per directory that depends on its files, and one
# report that depends on all directories. Edges name keys, so the order of the lines is free.
# Names that are not plain UTF-8 text (or hold a backslash) are left out.
set -eu
dir=$1 files_max=${2:-100000}

find "$dir" -xdev -type f -readable ! -path '*[[:cntrl:]\\]*' |
	LC_ALL=C.UTF-8 grep -ax '.*' | LC_ALL=C sort | head -n "$files_max" |
	LC_ALL=C awk '
	function text(s) { gsub(/"/, "\\\"", s); return "\"" s "\"" }
	function task(type, path, keys, payload) {
		print "{\"type\":" text(type) ",\"queue\":\"tree\",\"key\":" text(type ":" path) \
			",\"backoff\":\"50ms..1s\",\"max_attempts\":10,\"depends_on\":[" keys "],\"payload\":" text(payload) "}"
	}
	{
		parent = $0
		sub(/\/[^\/]*$/, "", parent)
		task("file", $0, "", $0)
		sep = (parent in keys) ? "," : ""
		keys[parent] = keys[parent] sep text("file:" $0)
		names[parent] = names[parent] (sep ? "\\n" : "") "key:file:" $0
	}
	END {
		for (parent in keys) {
			task("directory", parent, keys[parent], names[parent])
			all = all (all ? "," : "") text("directory:" parent)
			list = list (list ? "\\n" : "") "key:directory:" parent
		}
		task("report", "", all, list)
	}'
