#!/bin/sh
# from.sh BUILD_DIR: many tasks from JSON Lines, all or none.
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../harness/tap.sh"
. "$here/helpers"

# lines FILE LINE…
lines() {
	file=$1
	shift
	printf '%s\n' "$@" >"$file"
}
# bad CODE TEXT LINE…: refused so, and nothing was enqueued. The good first line must not stay.
bad() {
	fresh
	rota stats >/dev/null
	code=$1 text=$2
	shift 2
	lines bad.jsonl '{"type":"good"}' "$@"
	refuses "$code" "$text" rota enqueue --from bad.jsonl && tasks_are 0
}
every_field() {
	fresh
	lines all.jsonl '{"type":"kind","payload":"body","queue":"q1","key":"k1","title":"a title","on_conflict":"ignore","dedup_for":"1h","delay":"2h","priority":-7,"max_attempts":4,"backoff":"2s..3m","backoff_doublings":3,"retry_for":"1d","jitter":20,"timeout":"9s","stall":"8s","expires":"3d","partition":"p1","content_type":"text/plain","notify_channel":"c1","durability":"relaxed"}' \
		'{"type":"kind","at":"2099-01-01T00:00:00Z","signals":2}'
	is "1
2" rota enqueue --from all.jsonl || return 1
	shows k1 '"id":1' '"state":"scheduled"' '"queue":"q1"' '"title":"a title"' '"priority":-7' \
		'"max_attempts":4' '"backoff":"2s..3m"' '"retry_for":"1d"' '"jitter":20' '"timeout":"9s"' \
		'"stall":"8s"' '"partition":"p1"' '"content_type":"text/plain"' '"payload":"body"' &&
		shows 2 '"state":"blocked"' '"pending":2' '"run_at":"2099-01-01T00:00:00Z"'
}
payload_forms() {
	fresh
	lines p.jsonl '{"type":"a"}' '{"type":"b","payload":null}' '{"type":"c","payload":""}' \
		'{"type":"d","payload":{"x":[1, 2.5,true]}}' '{"type":"e","payload":7,"content_type":"n"}' \
		'{"type":"f","payload_base64":"AP8="}' '{"type":"g","payload":"nul \u0000 in"}'
	rota enqueue --from p.jsonl >/dev/null && shows 1 '"payload":null' && shows 2 '"payload":null' &&
		shows 3 '"payload":""' && shows 4 '"payload":"{\"x\":[1,2.5,true]}"' '"content_type":"application/json"' &&
		shows 5 '"payload":"7"' '"content_type":"n"' && shows 6 '"payload_base64":"AP8="' &&
		[ "$(rota show --payload 7 | wc -c)" -eq 8 ]
}
graph() {
	fresh
	rota enqueue old --key old >/dev/null && rota enqueue wait --key wait --signals 1 >/dev/null || return 1
	lines g.jsonl '{"type":"sum","depends_on":["#2","#3","old",1]}' '{"type":"part","key":"p2"}' \
		'{"type":"part","depends_on":["key:p2"],"before":["wait"],"after_failed":"cancel"}'
	is "3
4
5" rota enqueue --from g.jsonl || return 1
	shows 3 '"pending":3' '"id":4,"key":"p2"' && shows 5 '"pending":1' && shows wait '"pending":2'
}
existing_key_answers_its_id() {
	fresh
	rota enqueue a --key k >/dev/null
	lines i.jsonl '{"type":"b"}' '{"type":"b","key":"k","on_conflict":"ignore"}' '{"type":"b"}'
	is "2
1
3" rota enqueue --from i.jsonl
}
from_stdin() {
	fresh
	is "1
2" sh -c 'printf "{\"type\":\"a\"}\n{\"type\":\"b\"}" | rota enqueue --from -' &&
		is '{"id":3,"line":1}' sh -c 'printf "{\"type\":\"a\"}\n\n\n" | rota enqueue --json --from -'
}
empty_input() {
	fresh
	: >none
	is '' rota enqueue --from none && tasks_are 0
}
# A writer that is slow must not keep others from the store.
slow_input() {
	fresh
	rota stats >/dev/null
	mkfifo slow
	rota enqueue --from slow >slow.ids 2>&1 &
	pid=$!
	exec 9>slow
	echo '{"type":"a"}' >&9
	gives 0 rota enqueue b --lock-timeout 1s
	ok=$?
	echo '{"type":"c"}' >&9
	exec 9>&-
	wait $pid && [ $ok -eq 0 ] && tasks_are 3 && [ "$(wc -l <slow.ids)" -eq 2 ]
}
hundred_thousand() {
	fresh
	awk 'BEGIN { for (i = 1; i <= 100000; i++) printf "{\"type\":\"t\",\"payload\":\"number %d of many, and some more text\"}\n", i }' >many.jsonl
	rota enqueue --from many.jsonl >ids & pid=$!
	peak=0
	while kill -0 $pid 2>/dev/null; do
		now=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' /proc/$pid/status 2>/dev/null)
		[ "${now:-0}" -gt $peak ] && peak=$now
		sleep 0.02
	done
	wait $pid || return 1
	echo "peak $peak kB"
	[ "$(wc -l <ids)" -eq 100000 ] && [ "$(head -n 1 ids)" -eq 1 ] && [ "$(tail -n 1 ids)" -eq 100000 ] &&
		says '"ready":100000' rota stats --json || return 1
	case $build in *san) return 0 ;; esac # their shadow memory counts too
	[ $peak -gt 1000 ] && [ $peak -lt 60000 ]
}
mistake_in_the_last_line() {
	fresh
	rota stats >/dev/null
	{ head -n 5000 many.jsonl; echo '{"type":"t","bogus":1}'; } >late.jsonl
	refuses 65 'late.jsonl, line 5001: unknown field "bogus"' rota enqueue --from late.jsonl &&
		{ head -n 5000 many.jsonl; echo '{"type":"t","key":"k"}'; echo '{"type":"t","key":"k"}'; } >late.jsonl &&
		refuses 73 'line 5002' rota enqueue --from late.jsonl &&
		refuses 65 'standard input, line 5001' sh -c '{ head -n 5000 many.jsonl; echo "{"; } | rota enqueue --from -' &&
		tasks_are 0
}
no_reader_for_the_ids() {
	fresh
	rota stats >/dev/null
	rota enqueue --from many.jsonl 2>/dev/null | true
	n=$(rota stats --json | sed -n 's/.*"ready":\([0-9]*\).*/\1/p')
	[ "${n:-0}" -eq 100000 ]
}

check every_field_is_kept every_field
check payloads_of_every_form payload_forms
check edges_by_line_key_and_id_both_ways graph
check a_key_that_exists_answers_its_id existing_key_answers_its_id
check standard_input_and_a_last_line_without_newline from_stdin
check an_empty_file_is_no_tasks empty_input
check a_slow_writer_holds_no_lock slow_input
check a_hundred_thousand_lines_in_bounded_memory hundred_thousand
check a_mistake_in_the_last_line_undoes_all mistake_in_the_last_line
check tasks_are_committed_before_the_first_id_is_printed no_reader_for_the_ids
check malformed_json bad 65 'bad.jsonl, line 2: not one JSON object' '{"type":"t"'
check two_values_on_a_line bad 65 'line 2: not one JSON object' '{"type":"t"} {"type":"u"}'
check an_array_is_no_task bad 65 'line 2: a task is an object' '[1]'
check invalid_utf8 bad 65 'line 2: not one JSON object' "$(printf '{"type":"a\377"}')"
check unknown_field_names_the_nearest bad 65 'line 2: unknown field "max_attemps"; did you mean "max_attempts"?' '{"type":"t","max_attemps":3}'
check dashes_are_no_underscores bad 65 'unknown field "max-attempts"' '{"type":"t","max-attempts":3}'
check duplicate_field bad 65 'line 2: not one JSON object: duplicate' '{"type":"t","type":"u"}'
check missing_type bad 65 'line 2: "type" is missing' '{"payload":"x"}'
check blank_type bad 65 'line 2: ' '{"type":" "}'
check wrong_type_of_a_number bad 65 'line 2: "priority" must be a whole number without quotes' '{"type":"t","priority":"3"}'
check wrong_type_of_a_text bad 65 'line 2: "queue" must be a text in quotes' '{"type":"t","queue":3}'
check number_out_of_bounds bad 65 'line 2: "max_attempts" takes a whole number' '{"type":"t","max_attempts":-1}'
check number_that_overflows bad 65 'line 2: not one JSON object' '{"type":"t","priority":99999999999999999999}'
check duration_as_a_number bad 65 'line 2: "delay" must be a text' '{"type":"t","delay":5}'
check bad_duration bad 65 'line 2: "delay" takes a length of time' '{"type":"t","delay":"soon"}'
check year_9999 bad 65 'line 2: "at" takes a time' '{"type":"t","at":"9999-01-01T00:00:00Z"}'
check nul_in_a_name bad 65 'line 2: "queue" must not contain' '{"type":"t","queue":"a\u0000b"}'
check bad_base64 bad 65 'line 2: "payload_base64" is not base64' '{"type":"t","payload_base64":"a=b="}'
check two_payloads bad 65 'line 2: give "payload" or "payload_base64"' '{"type":"t","payload":"a","payload_base64":""}'
check an_empty_line_in_the_middle bad 65 'line 2: empty' '' '{"type":"t"}'
check a_line_that_is_not_there bad 65 'line 2: "#9" names no line; there are 2' '{"type":"t","depends_on":["#9"]}'
check a_line_that_is_no_number bad 65 'line 2: "depends_on": "#x" names no line' '{"type":"t","depends_on":["#x"]}'
check a_line_on_itself bad 65 'line 2' '{"type":"t","depends_on":["#2"]}'
check a_cycle_is_named bad 65 '#2' '{"type":"t","depends_on":["#3"]}' '{"type":"t","depends_on":["#2"]}'
check an_unknown_key bad 66 'line 2' '{"type":"t","depends_on":["nobody"]}'
check an_unknown_id bad 66 'line 2' '{"type":"t","depends_on":[99]}'
check dependencies_that_are_no_array bad 65 'line 2: "depends_on" must be an array' '{"type":"t","depends_on":"#1"}'
check a_dependency_that_is_no_name bad 65 'line 2: "depends_on" holds ids' '{"type":"t","depends_on":[true]}'
check a_key_twice bad 73 'line 3' '{"type":"t","key":"k"}' '{"type":"t","key":"k"}'
check a_file_that_is_not_there refuses 66 'cannot read nowhere' rota enqueue --from nowhere
check a_directory_is_no_file refuses 65 'is a directory' rota enqueue --from .
tap_end
