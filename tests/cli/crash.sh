#!/bin/sh
# crash.sh BUILD_DIR: workers killed in the middle, several on one file.
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../harness/tap.sh"
. "$here/helpers"

running() { rota show --json "$1" | grep -q '"state":"running"'; }
killed_and_taken_over() {
	fresh
	rota enqueue t --backoff 1ms..1ms >/dev/null
	rota work --exec 'sleep 1000091; echo never' --lease 1h 2>log1 &
	worker=$!
	until_ok running 1 && sleep 0.2
	kill -9 $worker
	wait $worker 2>/dev/null
	none_left 1000091 || { echo "its program lives on"; return 1; }
	timeout 30 rota work --exec 'echo second' --drain 2>log2 && is second rota wait 1 &&
		shows 1 '"token":2' '"error":"lease lost'
}
killed_again_and_again() {
	fresh
	awk 'BEGIN { for (i = 0; i < 300; i++) print "{\"type\":\"t\",\"backoff\":\"1ms..2ms\"}" }' >tasks.jsonl
	rota enqueue --from tasks.jsonl >/dev/null
	for round in 1 2 3; do
		rota work --exec 'echo $ROTA_ID $ROTA_TOKEN >>ran' --concurrency 4 --lease 1h 2>>log &
		worker=$!
		lines=$(cat ran 2>/dev/null | wc -l)
		until_ok sh -c "[ \$(cat ran 2>/dev/null | wc -l) -ge $((lines + 20)) ]"
		kill -9 $worker
		wait $worker 2>/dev/null
	done
	timeout 60 rota work --exec 'echo $ROTA_ID $ROTA_TOKEN >>ran' --concurrency 4 --drain 2>>log &&
		says '"ready":0,"running":0,"completed":300,"failed":0' rota stats --json || return 1
	[ "$(cut -d' ' -f1 ran | sort -u | wc -l)" -eq 300 ] && [ -z "$(sort ran | uniq -d)" ]
}
two_workers() {
	fresh
	awk 'BEGIN { for (i = 0; i < 200; i++) print "{\"type\":\"t\"}" }' >tasks2.jsonl
	rota enqueue --from tasks2.jsonl >/dev/null
	for name in one two; do
		timeout 60 rota work --name $name --exec "echo \$ROTA_ID $name >>both" --concurrency 2 --claim-max 5 --drain 2>>log &
	done
	wait
	says '"completed":200' rota stats --json && [ "$(cut -d' ' -f1 both | sort -n | uniq | wc -l)" -eq 200 ] &&
		[ "$(wc -l <both)" -eq 200 ] && [ "$(cut -d' ' -f2 both | sort -u | wc -l)" -eq 2 ]
}
others_wake_a_worker() {
	fresh
	rota stats >/dev/null
	rota work --exec 'cat' 2>log &
	worker=$!
	sleep 0.3
	rota enqueue t hello >/dev/null && gives 0 rota wait 1 --timeout 20s
	ok=$?
	kill -TERM $worker
	wait $worker && [ $ok -eq 0 ]
}

check a_killed_worker_leaves_no_program_and_its_task_runs_again killed_and_taken_over
check killed_again_and_again_nothing_is_lost_nor_runs_twice_under_one_token killed_again_and_again
check two_workers_share_one_file two_workers
check a_worker_hears_of_tasks_that_others_enqueue others_wake_a_worker
tap_end
