#!/bin/sh
# options.sh BUILD_DIR: the command line itself; nothing here may make a store.
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../harness/tap.sh"
. "$here/helpers"
fresh

every_verb_has_help() {
	for verb in $(rota help --json | sed 's/.*"verb":"\([a-z]*\)".*/\1/'); do
		says "rota $verb" rota help "$verb" || return 1
		says "rota $verb" rota "$verb" --help || return 1
		says "  $verb" rota help || return 1
	done
}
options_may_stand_anywhere() {
	gives 0 rota --json --store a.db ls && gives 0 rota ls --store a.db --json &&
		gives 0 rota --store=a.db ls
}
no_store_was_made() { [ ! -e "$ROTA_STORE" ] && [ ! -e rota.db ]; }
absurd_numbers() {
	for n in -1 1.5 99999999999999999999 0x10 '' ' 1' one; do
		refuses 64 '--max-attempts takes a whole number' rota enqueue t --max-attempts "$n" || return 1
	done
	refuses 64 '--priority takes' rota enqueue t --priority 2147483648 &&
		refuses 64 '--jitter takes' rota enqueue t --jitter 101 &&
		refuses 64 '--signals takes' rota enqueue t --signals 1000001 &&
		refuses 64 '--concurrency takes' rota work --exec true --concurrency 0 &&
		refuses 64 '--limit takes' rota ls --limit 0
}
absurd_durations() {
	for d in -1s 10 5x s 1e9s '' 999999999999999999s 367000d; do
		refuses 64 '--delay takes a length of time' rota enqueue t --delay "$d" || return 1
	done
	refuses 64 '--lease 0 is too short' rota claim --lease 0 &&
		refuses 64 '--backoff takes' rota enqueue t --backoff 1s &&
		refuses 64 '--backoff takes' rota enqueue t --backoff 5s..1s &&
		refuses 64 '--backoff takes' rota enqueue t --backoff 0..1s
}
absurd_times() {
	for t in 9999-01-01T00:00:00Z 1969-12-31T23:59:59Z 2031-02-30T00:00:00Z tomorrow 2031-01-01 \
		10000-01-01T00:00:00Z; do
		refuses 64 '--at takes a time' rota enqueue t --at "$t" || return 1
	done
}
closed_descriptors() {
	"$build/rota" help >&- 2>/dev/null
	[ $? -ne 141 ] && rota --version <&- >/dev/null
}

check help_of_every_verb every_verb_has_help
check version_is_one_line is "rota 0.1.0" rota --version
check nothing_to_do_is_refused refuses 64 'rota help' rota
check unknown_verb_names_the_nearest refuses 64 'did you mean enqueue' rota enqeue x
check unknown_verb_far_from_all refuses 64 'unknown verb "frobnicate"; `rota help`' rota frobnicate
check unknown_verb_in_help refuses 64 'did you mean wait' rota help wiat
check unknown_option_names_the_nearest refuses 64 'did you mean --priority' rota enqueue x --prioriti 3
check unknown_option_with_value refuses 64 'unknown option --nope;' rota ls --nope=3
check options_of_other_verbs_are_unknown refuses 64 'unknown option --exec' rota ls --exec x
check short_options_are_unknown refuses 64 'long names only' rota ls -l
check an_option_lacks_its_value refuses 64 '--key needs a value' rota enqueue x --key
check a_flag_takes_no_value refuses 64 '--json takes no value' rota ls --json=1
check too_many_arguments refuses 64 '"c" is too much' rota enqueue a b c
check too_few_arguments refuses 64 'something is missing' rota show
check numbers_out_of_bounds absurd_numbers
check durations_out_of_bounds absurd_durations
check times_out_of_bounds absurd_times
check unknown_choice refuses 64 '--on-conflict is one of: reject ignore replace' rota enqueue t --on-conflict maybe
check unknown_state refuses 64 '--state is one of: blocked' rota ls --state done
check unknown_outcome refuses 64 '--outcome is one of' rota finish 1 --token 1 --outcome ok
check delay_and_at_exclude_each_other refuses 64 'not both' rota enqueue t --delay 1s --at 2031-01-01T00:00:00Z
check from_excludes_the_rest refuses 64 'leave out "t"' rota enqueue t --from x
check from_excludes_options_of_a_task refuses 64 'leave out --priority' rota enqueue --from x --priority 0
check from_goes_with_durability refuses 66 'cannot read x' rota enqueue --from x --durability relaxed
check work_needs_a_program refuses 64 '--exec CMD' rota work
check work_handler_without_type refuses 64 'TYPE=CMD' rota work --handler =true
check work_type_without_exec refuses 64 '--type goes with --exec' rota work --type t --handler t=true
check work_env_is_a_name refuses 64 '--env takes the name' rota work --exec true --env A=1
check finish_needs_a_token refuses 64 '--token N' rota finish 1 --outcome complete
check finish_needs_an_outcome refuses 64 '--outcome complete' rota finish 1 --token 1
check finish_result_belongs_to_complete refuses 64 'belongs to' rota finish 1 --token 1 --outcome fail --result x
check finish_snooze_needs_a_delay refuses 64 'needs a --delay' rota finish 1 --token 1 --outcome snooze
check extend_needs_a_token refuses 64 '--token N' rota extend 1
check progress_needs_something refuses 64 'nothing to say' rota progress 1 --token 1
check queue_unknown_word refuses 64 'say ls, pause, resume, purge or set' rota queue stop q
check queue_needs_a_name refuses 64 'say which queue' rota queue pause
check queue_set_needs_a_setting refuses 64 'say what to set' rota queue set q
check queue_keep_belongs_to_set refuses 64 'belong to' rota queue pause q --keep-failed 1d
check show_payload_or_result refuses 64 'not both' rota show 1 --payload --result
check bad_command_lines_make_no_store no_store_was_made
check options_stand_before_or_after_the_verb options_may_stand_anywhere
check standard_descriptors_may_be_closed closed_descriptors
check output_that_cannot_be_written_is_said refuses 74 'cannot write to standard output' sh -c 'rota help >/dev/full'
tap_end
