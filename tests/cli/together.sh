#!/bin/sh
# together.sh BUILD_DIR: many programs that open and close one store at the same time.
set -u
PATH=$(cd "${1:?usage: together.sh BUILD_DIR}" && pwd):$PATH
. "$(dirname "$0")/../harness/tap.sh"
export ROTA_STORE="$tap_dir/store.db"

opens() { # NUMBER COMMAND…: that many in turn, until one fails
	times=$1
	shift
	while [ "$times" -gt 0 ]; do
		"$@" >/dev/null || return 1
		times=$((times - 1))
	done
}
all_open() {
	pids=
	for _ in 1 2 3 4; do
		opens 50 rota stats &
		pids="$pids $!"
	done
	opens 20 rota enqueue together || return 1
	for pid in $pids; do
		wait "$pid" || return 1
	done
	rota stats --json | grep '"ready":21,'
}

rota enqueue first >/dev/null
check nobody_finds_the_store_locked_by_one_that_only_opens_or_closes_it all_open
tap_end
