#!/bin/sh
# nasty.sh BUILD_DIR: programs that do not behave, and signals to the worker.
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../harness/tap.sh"
. "$here/helpers"
case $build in *san) slow=4 ;; *) slow=1 ;; esac

drain() {
	command=$1
	shift
	timeout 60 rota work --exec "$command" --drain "$@" 2>log
}
start() {
	command=$1
	shift
	rota work --exec "$command" "$@" 2>log &
	worker=$!
}
running() { rota show --json "$1" | grep -q '"state":"running"'; }
gibibyte() {
	fresh
	rota enqueue t >/dev/null
	start 'head -c 1073741824 /dev/zero' --drain
	peak=0
	while kill -0 $worker 2>/dev/null; do
		now=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\) kB/\1/p' /proc/$worker/status 2>/dev/null)
		[ "${now:-0}" -gt $peak ] && peak=$now
		sleep 0.02
	done
	wait $worker && shows 1 '"state":"completed"' \
		'"status_text":"result truncated: 1048576 of 1073741824 bytes kept"' &&
		[ "$(rota wait 1 | wc -c)" -eq 1048576 ] && grep -q 'warn.*result truncated' log || return 1
	echo "peak $peak kB"
	[ $slow -gt 1 ] || [ $peak -lt 60000 ]
}
result_max() {
	fresh
	rota enqueue t >/dev/null && drain 'echo 123456' --result-max 3 && is 123 rota wait 1 &&
		rota enqueue t >/dev/null && drain 'echo "{\"status\":\"mine\"}" >&3; echo 1234' --result-max 0 && is '' rota wait 2 &&
		shows 2 '"status_text":"mine; result truncated: 0 of 5 bytes kept"'
}
stdin_closed() {
	fresh
	head -c 5000000 /dev/zero | rota enqueue t - >/dev/null
	drain 'exec <&-; sleep 0.1; echo done' && is done rota wait 1 && rota retry 1 >/dev/null &&
		drain 'head -c 3 >/dev/null; echo again' && is again rota wait 1
}
stdout_closed() {
	fresh
	rota enqueue t >/dev/null && drain 'exec >&- 2>&- 3>&-; sleep 0.2' && shows 1 '"state":"completed"'
}
leaves_the_group() {
	fresh
	rota enqueue t >/dev/null
	drain 'setsid sh -c "echo \$\$ >left; exec sleep 1000077" & while [ ! -s left ]; do sleep 0.02; done; echo fine' &&
		is fine rota wait 1 && kill -0 "$(cat left)"
	ok=$?
	kill -9 "$(cat left)"
	return $ok
}
stays_in_the_group() {
	fresh
	rota enqueue t >/dev/null
	drain 'sleep 1000078 & sh -c "trap \"\" TERM HUP; sleep 1000078" & echo fine' && is fine rota wait 1 &&
		none_left 1000078
}
timeout_and_ignores() {
	fresh
	rota enqueue t --timeout 300ms --max-attempts 1 >/dev/null
	drain 'trap "" TERM; sleep 1000079; sleep 1000079' --kill-after 200ms &&
		shows 1 '"state":"failed"' 'timed out after 300ms: killed by signal 9 (SIGKILL)' && none_left 1000079
}
timeout_and_obeys() {
	fresh
	rota enqueue t --timeout 300ms --max-attempts 1 >/dev/null
	drain 'trap "echo cleaned up >&2; exit 0" TERM; sleep 1000080 & wait' &&
		shows 1 '"state":"failed"' 'timed out after 300ms: exit status 0: cleaned up' && none_left 1000080
}
stalls() {
	fresh
	rota enqueue t --stall 400ms --max-attempts 1 >/dev/null
	drain 'for i in 1 2 3 4 5 6; do echo "{\"progress\":$i}" >&3; sleep 0.2; done; sleep 1000081' &&
		shows 1 '"state":"failed"' 'no progress for 400ms: killed by signal 15 (SIGTERM)' '"progress":6' && none_left 1000081
}
cancelled() {
	fresh
	rota enqueue t >/dev/null
	start 'sleep 1000082' --drain
	until_ok running 1 && rota cancel 1 >/dev/null && wait $worker && shows 1 '"state":"cancelled"' &&
		none_left 1000082
}
deleted() {
	fresh
	rota enqueue t >/dev/null
	start 'sleep 1000083' --drain --lease 1s
	until_ok running 1 && rota delete 1 --force >/dev/null && wait $worker && none_left 1000083
}
never_ending_line() {
	fresh
	rota enqueue t --max-attempts 1 >/dev/null
	drain 'head -c 30000000 /dev/zero >&3' && shows 1 '"state":"failed"' 'descriptor 3, line 1: the line is too long'
}
no_shell_command() {
	fresh
	rota enqueue t --max-attempts 1 >/dev/null
	drain '/nowhere/at/all' && shows 1 '"state":"failed"' 'exit status 127' 'not found'
}
sigterm_is_graceful() {
	fresh
	for i in 1 2 3; do rota enqueue t >/dev/null; done
	start 'echo x >>began; sleep 0.7; echo ended' --concurrency 1
	until_ok test -s began && kill -TERM $worker && wait $worker || return 1
	is ended rota wait 1 && shows 2 '"state":"ready"' '"attempt":0' && shows 3 '"state":"ready"'
}
grace_ends() {
	fresh
	rota enqueue t >/dev/null
	start 'echo x >>began2; sleep 1000084' --stop-grace 200ms
	until_ok test -s began2 && kill -INT $worker && wait $worker && shows 1 '"state":"ready"' '"attempt":0' &&
		none_left 1000084
}
second_sigterm() {
	fresh
	rota enqueue t >/dev/null
	start 'trap "" TERM; echo x >>began3; sleep 1000085; sleep 1000085' --stop-grace 1h --kill-after 1h
	until_ok test -s began3 && kill -TERM $worker || return 1
	sleep 0.3
	kill -0 $worker && kill -TERM $worker && begin=$(date +%s) && wait $worker && shows 1 '"state":"ready"' &&
		none_left 1000085 && [ $(($(date +%s) - begin)) -lt $((3 * slow)) ]
}

check a_gibibyte_of_output_is_cut_in_bounded_memory gibibyte
check result_max_is_kept_and_the_cut_is_said result_max
check stdin_may_be_closed_early stdin_closed
check stdout_may_be_closed_early stdout_closed
check what_leaves_the_group_does_not_hold_up_the_attempt leaves_the_group
check what_stays_in_the_group_is_killed stays_in_the_group
check a_timeout_kills_what_ignores_sigterm timeout_and_ignores
check a_timeout_is_no_success_whatever_the_exit_status timeout_and_obeys
check no_progress_is_a_stall stalls
check cancel_reaches_the_program cancelled
check a_deleted_task_ends_its_program deleted
check a_line_without_end_is_bounded never_ending_line
check a_command_that_is_not_there_is_a_failed_attempt no_shell_command
check sigterm_lets_programs_end_and_gives_back_the_rest sigterm_is_graceful
check after_the_grace_programs_are_stopped_and_their_tasks_given_back grace_ends
check a_second_sigterm_stops_at_once second_sigterm
tap_end
