#!/bin/sh
# Handler of `directory`: the payload names the tasks of its files, a line each. They are all final by
# now, so `rota wait` answers at once and prints their results.
set -eu
echo "start $ROTA_ID $ROTA_TOKEN" >>"$TREE_LOG"
results=$(xargs -r -d '\n' rota wait) || [ "$ROTA_FAILED_DEPENDENCIES" -gt 0 ]
echo "end $ROTA_ID $ROTA_TOKEN" >>"$TREE_LOG"
printf '%s\n' "$results"
