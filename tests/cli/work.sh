#!/bin/sh
# work.sh BUILD_DIR: `rota work` with programs that behave.
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../harness/tap.sh"
. "$here/helpers"

# drain CMD [OPTION]…: works until nothing is left, 60 s at most.
drain() {
	command=$1
	shift
	timeout 60 rota work --exec "$command" --drain "$@" 2>log
}
payload_in_result_out() {
	fresh
	rota enqueue t 'hello' >/dev/null && drain 'tr a-z A-Z' && is HELLO rota wait 1 &&
		shows 1 '"state":"completed"' '"attempt":1'
}
no_payload_is_told_from_an_empty_one() {
	fresh
	rota enqueue t >/dev/null && rota enqueue t '' >/dev/null && rota enqueue t abc >/dev/null &&
		drain 'cat; echo "${ROTA_PAYLOAD_BYTES-none}"' && is none rota wait 1 && is 0 rota wait 2 &&
		is abc3 rota wait 3
}
no_output_is_no_result() {
	fresh
	rota enqueue t >/dev/null && drain true && is '' rota wait 1 && says_not '"result"' rota show 1 --json
}
binary_both_ways() {
	fresh
	head -c 3000000 /dev/urandom >bytes
	rota enqueue t - <bytes >/dev/null && drain cat --result-max 4000000 && rota wait 1 >back && cmp bytes back
}
environment() {
	fresh
	rota enqueue gone >/dev/null && rota cancel 1 >/dev/null
	rota enqueue kind --key k --queue q --after 1 --title T --traceparent 00-aa-bb-01 --max-attempts 3 >/dev/null
	SECRET=hidden PASSED=seen LC_TIME=C rota --store "$(basename "$ROTA_STORE")" work --drain --env PASSED \
		--exec 'env; rota ls >/dev/null && echo "store works from $(cd / && rota show --json $ROTA_ID | grep -c running)"' 2>log
	gives 0 rota wait k || return 1
	for line in ROTA_ID=2 ROTA_KEY=k ROTA_TYPE=kind ROTA_QUEUE=q ROTA_ATTEMPT=1 ROTA_TOKEN=1 ROTA_MAX_ATTEMPTS=3 \
		ROTA_FAILED_DEPENDENCIES=1 "ROTA_STORE=sqlite:$ROTA_STORE" ROTA_TITLE=T TRACEPARENT=00-aa-bb-01 \
		PASSED=seen LC_TIME=C 'store works from 1'; do
		grep -qx "$line" "$out" || { echo "no $line"; cat "$out"; return 1; }
	done
	! grep -qE 'SECRET|ROTA_PAYLOAD_BYTES|ROTA_NAMESPACE' "$out"
}
namespace() {
	fresh
	rota --namespace n enqueue t >/dev/null && rota enqueue t >/dev/null &&
		rota --namespace n work --drain --type t --exec 'echo $ROTA_NAMESPACE; rota enqueue child' 2>log &&
		is "n
3" rota --namespace n wait 1 && shows 2 '"state":"ready"' && rota --namespace n ls --json | grep -q '"type":"child"'
}
# Signals 32 and 33 are libc's own: a program that make started by posix_spawn ignores them, and nobody
# may change that.
clean_process() {
	fresh
	rota enqueue t >/dev/null
	sh -c 'trap "" INT QUIT USR1; exec 7</dev/null; umask 027; exec rota work --drain --exec "ls /proc/self/fd | wc -l; umask; grep -E \"Sig(Blk|Ign)\" /proc/self/status | sort -u | sed \"s/0000000[01][08]0000000/0000000000000000/\"; cut -d\" \" -f5 /proc/\$\$/stat | grep -cx \$\$"' 2>log
	is "5
0027
SigBlk:	0000000000000000
SigIgn:	0000000000000000
1" rota wait 1
}
exit_65_fails_for_good() {
	fresh
	rota enqueue t >/dev/null && drain 'echo "bad input" >&2; exit 65' &&
		shows 1 '"state":"failed"' '"attempt":1' '"last_error":"exit status 65: bad input"'
}
other_statuses_retry() {
	fresh
	rota enqueue t --max-attempts 3 --backoff 1ms..2ms >/dev/null &&
		drain 'echo "try $ROTA_ATTEMPT" >&2; exit 3' &&
		shows 1 '"state":"failed"' '"attempt":3' '"error":"exit status 3: try 1"' '"error":"exit status 3: try 2"' \
			'exit status 3: try 3' || return 1
	rota enqueue t --backoff 1ms..2ms >/dev/null && drain '[ $ROTA_ATTEMPT -eq 3 ] && echo third' &&
		is third rota wait 2
}
signals_retry() {
	fresh
	rota enqueue t --max-attempts 1 >/dev/null && drain 'echo last words >&2; kill -SEGV $$' &&
		shows 1 '"state":"failed"' 'killed by signal 11 (SIGSEGV)' 'last words'
}
tail_of_stderr() {
	fresh
	rota enqueue t --max-attempts 1 >/dev/null &&
		drain 'i=0; while [ $i -lt 5000 ]; do echo "line $i of many"; i=$((i+1)); done >&2; exit 1' &&
		gives 0 rota show 1 --json && grep -q 'line 4999 of many' "$out" && ! grep -q 'line 4000 of' "$out" &&
		[ "$(wc -c <"$out")" -lt 30000 ]
}
handlers_by_type() {
	fresh
	rota enqueue a x >/dev/null && rota enqueue b x >/dev/null && rota enqueue c x >/dev/null &&
		timeout 60 rota work --drain --handler 'a=sed s/x/1=1/' --handler b='echo two' 2>log &&
		is 1=1 rota wait 1 && is two rota wait 2 && shows 3 '"state":"ready"' '"attempt":0' &&
		drain 'echo other' --type c && is other rota wait 3
}
handler_and_the_rest() {
	fresh
	rota enqueue a >/dev/null && rota enqueue b >/dev/null &&
		drain 'echo rest' --handler 'a=echo own' && is own rota wait 1 && is rest rota wait 2
}
queues() {
	fresh
	rota enqueue t --queue a >/dev/null && rota enqueue t --queue b >/dev/null && drain true --queue a &&
		shows 1 '"state":"completed"' && shows 2 '"state":"ready"'
}
drain_waits_for_all() {
	fresh
	rota enqueue t --delay 300ms >/dev/null && rota enqueue t --after 1 >/dev/null &&
		rota enqueue t --signals 1 >/dev/null && drain true && shows 1 '"state":"completed"' &&
		shows 2 '"state":"completed"' && shows 3 '"state":"blocked"'
}
counts_as_json() {
	fresh
	rota enqueue t >/dev/null && is '{"claimed":1,"completed":1,"retried":0,"snoozed":0,"released":0,"failed":0,"cancelled":0,"refused":0}' \
		rota work --exec true --drain --json
}

notes_progress_and_status() {
	fresh
	rota enqueue t >/dev/null
	drain 'echo "{\"progress\":{\"done\":1,\"total\":2}}" >&3; printf "{\"status\":\"half \\\\u00fc\"}" >&3; sleep 0.1' &&
		shows 1 '"progress":{"done":1,"total":2}' '"status_text":"half ü"' '"state":"completed"'
}
notes_progress_while_running() {
	fresh
	rota enqueue t >/dev/null
	rota work --drain --exec 'echo "{\"progress\":[7]}" >&3; while [ ! -e go ]; do sleep 0.05; done' 2>log &
	pid=$!
	until_ok sh -c 'rota show --json 1 | grep -q "\"progress\":\[7\]"'
	ok=$?
	: >go
	wait $pid && [ $ok -eq 0 ]
}
notes_retry_after() {
	fresh
	rota enqueue t --backoff 1h..1h >/dev/null
	drain '[ $ROTA_ATTEMPT -eq 2 ] && exit 0; echo "{\"retry_after\":\"0\"}" >&3; exit 1' &&
		shows 1 '"state":"completed"' '"attempt":2'
}
notes_snooze() {
	fresh
	rota enqueue t --max-attempts 2 >/dev/null
	drain 'n=$(cat n 2>/dev/null || echo 0); echo $((n + 1)) >n; [ $n -lt 4 ] || exit 0; echo "{\"snooze\":\"1ms\"}" >&3' &&
		shows 1 '"state":"completed"' '"attempt":1' '"token":5'
}
notes_cancel() {
	fresh
	rota enqueue t >/dev/null
	drain 'echo "{\"cancel\":\"nobody wants it\"}" >&3' && shows 1 '"state":"cancelled"' '"last_error":"nobody wants it"'
}
notes_follow_ups() {
	fresh
	rota enqueue t >/dev/null
	timeout 60 rota work --drain --handler 't=echo "{\"enqueue\":{\"type\":\"u\",\"key\":\"a\",\"payload\":[1]}}
{\"enqueue\":{\"type\":\"u\",\"depends_on\":[\"#1\",1],\"payload\":\"second\"}}" >&3; cat' --handler u=cat 2>log &&
		tasks_are 3 && is '[1]' rota wait a && is second rota wait 3 && shows 3 '"depends_on":[{"id":'
}
notes_follow_ups_only_when_completed() {
	fresh
	rota enqueue t --max-attempts 1 >/dev/null
	drain 'echo "{\"enqueue\":{\"type\":\"u\"}}" >&3; exit 1' --type t && tasks_are 1
}
notes_bad_line() {
	fresh
	for line in 'no json' '{"progress":1,"bogus":2}' '[1]' '{"snooze":5}' '{"retry_after":"soon"}' \
		'{"enqueue":{"typ":"x"}}' '{"enqueue":[]}' '{"status":1}'; do
		rota enqueue t "$line" --max-attempts 1 >/dev/null
	done
	drain 'cat >&3' || return 1
	for i in 1 2 3 4 5 6 7 8; do
		shows $i '"state":"failed"' 'descriptor 3, line 1: ' || return 1
	done
	grep -q 'warn.*descriptor 3, line 1: unknown field "bogus"' log && shows 6 'did you mean'
}
notes_refused_follow_up() {
	fresh
	rota enqueue t --max-attempts 1 >/dev/null
	drain 'echo "{\"enqueue\":{\"type\":\"u\",\"depends_on\":[\"nobody\"]}}" >&3' --type t
	tasks_are 1 && says_not '"state":"completed"' rota show --json 1
}
logs() {
	fresh
	rota enqueue kind 'secret body' --title 'a title' --max-attempts 1 >/dev/null
	drain 'echo why >&2; exit 1' && grep -qE '^20[0-9T:-]+[.][0-9][0-9][0-9]Z warn +task 1 kind "a title" attempt 1: ' log &&
		grep -q 'exit status 1: why' log && ! grep -q 'secret body' log || return 1
	rota retry 1 >/dev/null && drain 'exit 65' --log-json &&
		grep -qE '^\{"time":"20.*"level":"error".*"task":1,"type":"kind","title":"a title","attempt":1,"message":"' log &&
		! grep -vq '^{.*}$' log && ! grep -q 'secret body' log || return 1
	rota retry 1 >/dev/null && drain 'exit 65' --log-payloads && grep -q 'secret body' log || return 1
	rota retry 1 >/dev/null && drain true --quiet && [ ! -s log ]
}

check payload_is_stdin_and_stdout_is_the_result payload_in_result_out
check no_payload_is_told_from_an_empty_one no_payload_is_told_from_an_empty_one
check no_output_is_no_result no_output_is_no_result
check bytes_go_through_unchanged binary_both_ways
check the_environment_is_short_and_says_which_task environment
check programs_stay_in_the_workers_namespace namespace
check programs_start_with_clean_descriptors_signals_and_group clean_process
check exit_65_fails_for_good exit_65_fails_for_good
check other_statuses_are_retried_by_policy other_statuses_retry
check a_signal_is_a_failed_attempt signals_retry
check the_tail_of_stderr_is_kept tail_of_stderr
check handlers_by_type_leave_other_types_waiting handlers_by_type
check exec_takes_what_no_handler_has handler_and_the_rest
check only_the_named_queues queues
check drain_waits_for_scheduled_tasks_not_for_blocked_ones drain_waits_for_all
check json_prints_what_was_done counts_as_json
check notes_progress_and_status notes_progress_and_status
check notes_progress_is_seen_while_it_runs notes_progress_while_running
check notes_retry_after_replaces_the_backoff notes_retry_after
check notes_snooze_counts_no_attempt notes_snooze
check notes_cancel_ends_the_task notes_cancel
check notes_follow_ups_are_a_graph notes_follow_ups
check notes_follow_ups_need_a_completed_task notes_follow_ups_only_when_completed
check notes_that_are_bad_fail_the_attempt notes_bad_line
check notes_refused_follow_up_does_not_complete notes_refused_follow_up
check logs_say_task_type_title_attempt_never_payloads logs
tap_end
