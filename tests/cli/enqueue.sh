#!/bin/sh
# enqueue.sh BUILD_DIR: one task at a time.
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../harness/tap.sh"
. "$here/helpers"

ids_count_up() {
	fresh
	is 1 rota enqueue t && is 2 rota enqueue t x && is '{"id":3}' rota enqueue t --json && tasks_are 3
}
payloads() {
	fresh
	rota enqueue none && rota enqueue empty '' && rota enqueue text 'grüß dich' &&
		printf 'a\000b\377' | rota enqueue bytes - && rota enqueue nothing - </dev/null || return 1
	shows 1 '"payload":null' && shows 2 '"payload":""' && shows 3 '"payload":"grüß dich"' &&
		shows 4 '"payload_base64":"YQBi/w=="' && shows 5 '"payload":""' || return 1
	says 'payload             none' rota show 1 && says 'payload             empty' rota show 2 &&
		says 'payload             4 bytes; see rota show --payload' rota show 4 || return 1
	rota show --payload 4 | od -An -c | grep -q 'a  *\\0  *b  *377'
}
every_option() {
	fresh
	rota enqueue kind body --queue q1 --key k1 --title 'a title' --on-conflict ignore --dedup-for 1h \
		--delay 2h --priority -7 --max-attempts 4 --backoff 2s..3m --backoff-doublings 3 --retry-for 1d \
		--jitter 20 --timeout 9s --stall 8s --expires 3d --partition p1 --content-type text/plain \
		--traceparent 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01 --notify-channel c1 \
		--durability relaxed >/dev/null || return 1
	shows k1 '"id":1' '"state":"scheduled"' '"type":"kind"' '"queue":"q1"' '"key":"k1"' \
		'"title":"a title"' '"priority":-7' '"max_attempts":4' '"backoff":"2s..3m"' \
		'"backoff_doublings":3' '"retry_for":"1d"' '"jitter":20' '"timeout":"9s"' '"stall":"8s"' \
		'"partition":"p1"' '"content_type":"text/plain"' '"notify_channel":"c1"' \
		'"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"' '"dedup_for":"1h"' \
		'"expires_at":"' '"payload":"body"'
}
zero_means_none() {
	fresh
	rota enqueue t --max-attempts 0 --jitter 0 --backoff-doublings 0 >/dev/null &&
		shows 1 '"max_attempts":0' '"jitter":0' '"backoff_doublings":0' &&
		rota enqueue t >/dev/null && shows 2 '"max_attempts":25' '"jitter":10' '"backoff":"1s..1h"'
}
at_a_time() {
	fresh
	rota enqueue t --at 2099-05-06T07:08:09+02:00 >/dev/null &&
		shows 1 '"run_at":"2099-05-06T05:08:09Z"' '"state":"scheduled"' &&
		rota enqueue t --at 2001-01-01T00:00:00Z >/dev/null && shows 2 '"state":"ready"'
}
keys() {
	fresh
	is 1 rota enqueue t one --key k && refuses 73 'k' rota enqueue t two --key k &&
		is 1 rota enqueue t two --key k --on-conflict ignore && shows k '"payload":"one"' &&
		is 1 rota enqueue t three --key k --on-conflict replace && shows k '"payload":"three"' &&
		tasks_are 1
}
edges() {
	fresh
	rota enqueue a --key first >/dev/null && rota enqueue b --after first --key 7 >/dev/null &&
		rota enqueue c --after 1 --after 7 --after-failed cancel --key last >/dev/null || return 1
	shows 2 '"state":"blocked"' '"depends_on":[{"id":1,"key":"first"' &&
		shows last '"pending":2' '"id":2,"key":"7"' '"after_failed":"cancel"' &&
		shows 1 '"successors":[{"id":2' && says 'cancels when failed' rota show last || return 1
	rota enqueue d --before key:7 >/dev/null && shows key:7 '"pending":2'
}
bad_edges() {
	fresh
	rota enqueue a --key a >/dev/null
	refuses 66 'nobody' rota enqueue b --after nobody && refuses 66 '99' rota enqueue b --after 99 &&
		refuses 64 'self' rota enqueue b --key self --after self && tasks_are 1
}
bad_names() {
	fresh
	rota stats >/dev/null
	refuses 64 'type' rota enqueue '' && refuses 64 'type' rota enqueue '  ' &&
		refuses 64 'queue' rota enqueue t --queue ' ' && refuses 64 'key' rota enqueue t --key '' &&
		refuses 64 'UTF-8' rota enqueue t --title "$(printf 'a\377b')" &&
		refuses 65 'at most 255' rota enqueue "$(printf '%300s' x | tr ' ' x)" && tasks_are 0
}
payload_too_large() {
	fresh
	rota stats >/dev/null
	head -c 67108865 /dev/zero >big
	refuses 65 'larger than 67108864 bytes' sh -c 'rota enqueue t - <big' && tasks_are 0
}
largest_payload() {
	fresh
	head -c 67108864 /dev/zero | rota enqueue t - >/dev/null &&
		[ "$(rota show --payload 1 | wc -c)" -eq 67108864 ]
}
namespaces() {
	fresh
	rota --namespace n1 enqueue t --key k >/dev/null && rota --namespace n2 enqueue t --key k >/dev/null &&
		is '' rota ls --json && says '"id":1' rota ls --json --namespace n1 &&
		ROTA_NAMESPACE=n2 says '"id":2' rota ls --json &&
		refuses 66 'no such' rota --namespace n2 cancel 1 &&
		refuses 66 '1' rota --namespace n2 enqueue t --after 1
}
terminal_is_safe() {
	fresh
	rota enqueue t --title "$(printf 'red \033[31m')" --key "$(printf 'k\001')" >/dev/null || return 1
	says 'red \x1b[31m' rota ls && says 'k\x01' rota ls && says 'red \x1b[31m' rota show 1
}
relative_default() {
	unset ROTA_STORE
	mkdir here && cd here && is 1 rota enqueue t && [ -e rota.db ] && cd .. &&
		is 2 rota --store sqlite:here/rota.db enqueue t && is 3 rota --store here/rota.db enqueue t
}

check ids_are_printed_and_count_up ids_count_up
check absent_empty_text_and_binary_payloads payloads
check every_option_is_kept every_option
check zero_means_unlimited_or_none zero_means_none
check a_time_may_have_any_offset_and_a_past_one_is_now at_a_time
check keys_conflict_by_policy keys
check edges_name_ids_and_keys_from_either_end edges
check unknown_and_self_dependencies_change_nothing bad_edges
check blank_invalid_and_long_names_change_nothing bad_names
check a_payload_over_the_limit_changes_nothing payload_too_large
check the_largest_payload_comes_back_whole largest_payload
check namespaces_do_not_meet namespaces
check control_characters_do_not_reach_the_terminal terminal_is_safe
check the_default_store_is_in_the_current_directory relative_default
tap_end
