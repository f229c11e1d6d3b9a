#!/bin/sh
# Handler of `file`: the path comes on stdin, what is printed becomes the task's result:
# "SHA-256 size compressed-size path".
set -eu
IFS= read -r path || [ -n "$path" ] # a payload has no newline at its end
echo "start $ROTA_ID $ROTA_TOKEN" >>"$TREE_LOG"
[ -r "$path" ] || { echo "cannot read $path" >&2; exit 65; } # 65: trying again would not help
sum=$(sha256sum <"$path")
size=$(stat -L -c %s "$path")
packed=$(gzip -c <"$path" | wc -c)
echo "end $ROTA_ID $ROTA_TOKEN" >>"$TREE_LOG"
printf '%s %s %s %s\n' "${sum%% *}" "$size" "$packed" "$path"
