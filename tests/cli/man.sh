#!/bin/sh
# man.sh BUILD_DIR: the manual page names every verb and every option, each below its verb.
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../harness/tap.sh"
. "$here/helpers"
page=$here/../../docs/man/rota.1

# The part of the page that is about one verb, with plain dashes.
section() {
	sed 's/\\-/-/g' "$page" | awk -v verb="$1" '
		/^\.S[SH]/ { inside = $0 ~ "^\\.SS \"rota " verb "[ \"]" }
		inside'
}
names_verb() {
	section "$1" >section
	[ -s section ] || { echo "no .SS \"rota $1\""; return 1; }
	rota help "$1" | sed -n '/^Options:/,/^Options of/s/^  --\([a-z-]*\).*/\1/p' >options
	while read -r option; do
		grep -q -- "^\.B --$option\b" section || { echo "no --$option below rota $1"; return 1; }
	done <options
}
global_options() {
	rota help | sed -n 's/^  --\([a-z-]*\).*/\1/p' >options
	[ -s options ] || return 1
	while read -r option; do
		sed 's/\\-/-/g' "$page" | grep -q -- "^\.B --$option\b" || { echo "no --$option"; return 1; }
	done <options
}

for verb in $(rota help --json | sed 's/.*"verb":"\([a-z]*\)".*/\1/'); do
	check "the_manual_has_rota_$verb" names_verb "$verb"
done
check the_manual_has_the_options_of_every_verb global_options
tap_end
