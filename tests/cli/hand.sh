#!/bin/sh
# hand.sh BUILD_DIR: claim, extend, progress, finish, for people who pull.
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../harness/tap.sh"
. "$here/helpers"

# Claims; $token is the one that was printed.
take() {
	gives 0 rota claim "$@" && [ "$(wc -l <"$out")" -eq 1 ] || return 1
	token=$(number token)
}
claim_says_all() {
	fresh
	rota enqueue kind 'the body' --queue q --key k --title 'a title' --timeout 5s --partition p >/dev/null
	gives 0 rota claim --name me --lease 5m || return 1
	for part in '"id":1' '"token":1' '"type":"kind"' '"queue":"q"' '"key":"k"' '"title":"a title"' \
		'"attempt":1' '"timeout":"5s"' '"partition":"p"' '"payload":"the body"' '"lease_until":"'; do
		grep -qF "$part" "$out" || { echo "no $part"; cat "$out"; return 1; }
	done
	shows 1 '"state":"running"' '"worker":"me"' && is '' rota claim
}
claim_chooses() {
	fresh
	for i in 1 2 3 4; do rota enqueue t$i --queue q$((i % 2)) >/dev/null; done
	take --queue q0 && [ "$(number id)" -eq 2 ] && take --type t3 --type t9 && [ "$(number id)" -eq 3 ] &&
		take --id 4 && [ "$(number id)" -eq 4 ] && refuses 1 'cannot claim 4' rota claim --id 4 &&
		refuses 66 'cannot claim 77' rota claim --id 77 && take --max 5 && [ "$(number id)" -eq 1 ]
}
claim_many() {
	fresh
	for i in 1 2 3; do rota enqueue t $i >/dev/null; done
	gives 0 rota claim --max 2 && [ "$(wc -l <"$out")" -eq 2 ] && gives 0 rota claim --max 9 &&
		[ "$(wc -l <"$out")" -eq 1 ]
}
absent_and_empty() {
	fresh
	rota enqueue t >/dev/null && rota enqueue t '' >/dev/null && printf '\377' | rota enqueue t - >/dev/null
	says '"payload":null' rota claim && says '"payload":""' rota claim && says '"payload_base64":"/w=="' rota claim
}
claim_waits() {
	fresh
	rota stats >/dev/null
	rota claim --wait 20s >waited &
	pid=$!
	sleep 0.3
	rota enqueue late >/dev/null && wait $pid && grep -q '"type":"late"' waited &&
		is '' rota claim --wait 50ms
}
complete() {
	fresh
	rota enqueue t --key k >/dev/null && take && gives 0 rota extend k --token "$token" --lease 10m &&
		gives 0 rota progress k --token "$token" --done 3 --total 10 --status 'on its way' &&
		shows k '"progress":{"done":3,"total":10}' '"status_text":"on its way"' &&
		gives 0 rota progress k --token "$token" 'any text' && shows k '"progress":"any text"' || return 1
	printf 'all \000 bytes' | rota finish k --token "$token" --outcome complete --result - --status fine ||
		return 1
	shows k '"state":"completed"' '"status_text":"fine"' '"result":"all \u0000 bytes"' &&
		[ "$(rota wait k | wc -c)" -eq 11 ] && [ "$(rota show --result k | wc -c)" -eq 11 ] &&
		gives 0 rota finish k --token "$token" --outcome complete
}
other_outcomes() {
	fresh
	rota enqueue t >/dev/null
	take && gives 0 rota finish 1 --token 1 --outcome retry --delay 0 --error 'try again' &&
		shows 1 '"state":"ready"' '"attempt":1' '"last_error":"try again"' || return 1
	take && gives 0 rota finish 1 --token 2 --outcome snooze --delay 1h &&
		shows 1 '"state":"scheduled"' '"attempt":1' || return 1
	rota enqueue t >/dev/null && take && gives 0 rota finish 2 --token 1 --outcome release &&
		shows 2 '"state":"ready"' '"attempt":0' && take &&
		gives 0 rota finish 2 --token 2 --outcome fail --status 'never again' &&
		shows 2 '"state":"failed"' '"last_error":"never again"' || return 1
	rota enqueue t >/dev/null && take && gives 0 rota finish 3 --token 1 --outcome cancel --error why &&
		shows 3 '"state":"cancelled"'
}
stale() {
	fresh
	rota enqueue t >/dev/null && take --lease 1ms || return 1
	sleep 0.05
	until_ok sh -c 'rota claim --lease 1h | grep -q token' || return 1
	refuses 1 lease rota finish 1 --token 1 --outcome complete && shows 1 '"state":"running"' &&
		refuses 1 lease rota extend 1 --token 1 && refuses 1 lease rota progress 1 --token 1 x &&
		gives 0 rota finish 1 --token 2 --outcome complete &&
		refuses 1 completed rota finish 1 --token 2 --outcome fail &&
		refuses 66 9 rota finish 9 --token 1 --outcome complete
}
cancel_is_told() {
	fresh
	rota enqueue t >/dev/null && take && rota cancel 1 >/dev/null &&
		is 'cancel requested' rota extend 1 --token 1 &&
		says '"cancel_requested":true' rota progress 1 --token 1 x --json &&
		gives 0 rota finish 1 --token 1 --outcome release && shows 1 '"state":"cancelled"'
}
too_large() {
	fresh
	rota enqueue t >/dev/null && take && head -c 16777217 /dev/zero >big &&
		refuses 65 'larger than 16777216' sh -c 'rota finish 1 --token 1 --outcome complete --result - <big' &&
		refuses 65 'larger than 65536' sh -c 'rota progress 1 --token 1 - <big' && shows 1 '"state":"running"'
}
# A claim that nobody could read is given back.
reader_gone() {
	fresh
	rota enqueue t >/dev/null
	rota claim >/dev/full 2>/dev/null
	shows 1 '"state":"ready"' '"attempt":0'
}

check claim_says_all_there_is_to_know claim_says_all
check claim_takes_queues_types_and_ids claim_chooses
check claim_takes_as_many_as_asked claim_many
check absent_empty_and_binary_payloads_differ absent_and_empty
check claim_waits_for_the_first_task claim_waits
check extend_progress_complete_and_the_same_again complete
check retry_snooze_release_fail_cancel other_outcomes
check an_old_token_changes_nothing stale
check a_cancelled_task_tells_its_holder cancel_is_told
check results_and_progress_have_limits too_large
check a_claim_nobody_reads_is_given_back reader_gone
tap_end
