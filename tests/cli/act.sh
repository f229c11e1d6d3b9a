#!/bin/sh
# act.sh BUILD_DIR: ls, show, wait, cancel, retry, delete, signal, stats, types, queue.
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../harness/tap.sh"
. "$here/helpers"

# end TASK OUTCOME [OPTION]…
end() {
	task=$1 outcome=$2
	shift 2
	gives 0 rota claim --id "$task" && gives 0 rota finish "$task" --token "$(number token)" --outcome "$outcome" "$@"
}
listing() {
	fresh
	rota enqueue a --queue q1 --title 'for people' >/dev/null && rota enqueue b --key k --delay 1h >/dev/null &&
		rota enqueue a --after 1 >/dev/null && end 1 fail --error 'no luck' || return 1
	is "ID  STATE  TYPE  QUEUE  ATTEMPT  SINCE/AT  KEY  TITLE/ERROR" \
		sh -c 'rota --namespace other ls' || return 1
	says 'no luck' rota ls && says_not 'no luck' rota ls --before 1 && [ "$(count_tasks)" -eq 3 ] &&
		[ "$(count_tasks --state failed)" -eq 1 ] &&
		[ "$(count_tasks --state failed --state scheduled)" -eq 2 ] &&
		[ "$(count_tasks --queue q1)" -eq 1 ] && [ "$(count_tasks --type a)" -eq 2 ] &&
		[ "$(count_tasks --before 3)" -eq 2 ] && says '"id":3' rota ls --limit 1 --json &&
		[ "$(rota ls --limit 1 --json | wc -l)" -eq 1 ]
}
task_names() {
	fresh
	rota enqueue a --key 2 >/dev/null && rota enqueue b --key word >/dev/null && rota enqueue c --key 77 >/dev/null &&
		shows 2 '"id":2' && shows key:2 '"id":1' && shows word '"id":2' && shows key:word '"id":2' &&
		shows 77 '"id":3' && refuses 66 'no task has the key "nobody"' rota show nobody &&
		refuses 66 '78' rota show 78 && refuses 66 'key "0"' rota show 0
}
waits() {
	fresh
	rota enqueue a --key a >/dev/null && rota enqueue b >/dev/null && rota enqueue c >/dev/null || return 1
	gives 75 rota wait a --timeout 50ms && grep -q 'has not ended' "$err" || return 1
	end 1 complete --result 'the result' && is 'the result' rota wait a &&
		says '"result":"the result"' rota wait 1 --json && end 2 fail --error 'bad luck' || return 1
	refuses 1 'failed: bad luck' rota wait 2 && is 'the result' rota wait 3 1 --any &&
		gives 75 rota wait 1 3 --timeout 50ms && rota cancel 3 >/dev/null && refuses 1 'cancelled' rota wait 3 &&
		gives 1 rota wait 1 2 && gives 66 rota wait 99 && gives 66 rota wait nobody
}
wait_wakes() {
	fresh
	rota enqueue a >/dev/null
	rota wait 1 --timeout 20s >woken &
	pid=$!
	sleep 0.2
	end 1 complete --result yes && wait $pid && [ "$(cat woken)" = yes ] || return 1
	rota enqueue b --delay 1h >/dev/null
	rota wait 2 --timeout 20s 2>woken &
	pid=$!
	sleep 0.2
	rota delete 2 >/dev/null
	wait $pid
	[ $? -eq 66 ] && grep -q gone woken
}
result_not_kept() {
	fresh
	rota enqueue a >/dev/null && rota queue set default --keep-completed 0 &&
		says '"keep_completed":"0"' rota queue ls --json || return 1
	rota wait 1 --timeout 20s >kept 2>&1 &
	pid=$!
	sleep 0.2
	end 1 complete --result lost && tasks_are 0 || return 1
	wait $pid
	code=$? # deleted as it completed: who waits elsewhere may only see that it is gone
	[ $code -eq 66 ] || [ $code -eq 0 ]
}
cancel_and_retry() {
	fresh
	rota enqueue a >/dev/null && rota enqueue b >/dev/null || return 1
	is "1 cancelled
2 cancelled" rota cancel 1 2 --reason 'not needed' && shows 1 '"state":"cancelled"' '"last_error":"not needed"' &&
		refuses 1 'cannot cancel 1: it is cancelled already' rota cancel 1 && is '1 will run again' rota retry 1 &&
		shows 1 '"state":"ready"' '"attempt":0' && refuses 1 'cannot retry 1' rota retry 1 || return 1
	gives 66 rota cancel 1 99 && grep -q '^1 cancelled' "$out" && grep -q 'cannot cancel 99' "$err" &&
		gives 66 rota cancel 99 --json && grep -q '"ok":false' "$out"
}
delete_plain_and_cascading() {
	fresh
	rota enqueue a >/dev/null && rota enqueue b --after 1 >/dev/null && rota enqueue c --after 2 >/dev/null &&
		rota enqueue d --after 3 >/dev/null || return 1
	is '1 deleted' rota delete 1 && shows 2 '"state":"ready"' '"failed_dependencies":1' &&
		says '3 deleted in all' rota delete 2 --cascade && tasks_are 0 && refuses 66 'cannot delete 1' rota delete 1
}
delete_running() {
	fresh
	rota enqueue a >/dev/null && rota enqueue b >/dev/null && gives 0 rota claim --id 1 &&
		refuses 1 1 rota delete 2 1 && tasks_are 2 && gives 0 rota delete 2 1 --force && tasks_are 0
}
signals() {
	fresh
	rota enqueue a --key k --signals 2 >/dev/null && gives 0 rota signal k paid && gives 0 rota signal k paid &&
		shows k '"state":"blocked"' && gives 0 rota signal k && shows k '"state":"ready"' &&
		refuses 1 '' rota signal k && refuses 66 99 rota signal 99
}
queues() {
	fresh
	rota enqueue a --queue q1 >/dev/null && rota enqueue b --queue q2 >/dev/null &&
		gives 0 rota queue pause q1 && is '' rota claim --queue q1 && says paused rota stats &&
		says 'q1     paused' rota queue ls && says '"paused":true' rota stats --json &&
		gives 0 rota queue resume q1 && says '"type":"a"' rota claim --queue q1 || return 1
	rota enqueue c --queue q1 >/dev/null && is '1 deleted' rota queue purge q1 && shows 1 '"state":"running"' &&
		gives 0 rota queue set q1 --keep-completed 2d --keep-failed forever &&
		says 'q1     open   2d              forever' rota queue ls && refuses 64 '' rota queue pause ' '
}
counts() {
	fresh
	rota enqueue a >/dev/null && rota enqueue a --delay 1h >/dev/null && rota enqueue b --after 1 --queue q >/dev/null
	says '{"queue":"default","paused":false,"blocked":0,"scheduled":1,"ready":1,"running":0,"completed":0,"failed":0,"cancelled":0,"oldest_ready":' \
		rota stats --json && says '{"type":"a","blocked":0,"scheduled":1,"ready":1,' rota types --json &&
		says '{"type":"b","blocked":1,' rota types --json &&
		says 'q              1          0      0        0          0       0          0' rota stats
}

check ls_filters_and_pages listing
check a_task_is_an_id_or_a_key task_names
check wait_answers_by_its_exit_code waits
check wait_is_woken_by_other_processes wait_wakes
check wait_for_a_task_that_is_not_kept result_not_kept
check cancel_and_retry_answer_for_each cancel_and_retry
check delete_plain_and_cascading delete_plain_and_cascading
check delete_of_a_running_task_needs_force delete_running
check signals_by_name_count_once signals
check queues_pause_resume_purge_and_keep queues
check stats_and_types_count_states counts
tap_end
