#!/bin/sh
# tables.sh BUILD_DIR: what the documents say is what the code says.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/harness/tap.sh

# [text](path) and [text](path#anchor) name files that exist.
links_exist() {
	grep -o '](\([^)#: ]*\)[)#]' ./*.md docs/*.md >"$tap_dir/links"
	while IFS=: read -r document link; do
		target=$(echo "$link" | sed 's/^](//; s/[)#]$//')
		[ -e "$(dirname "$document")/$target" ] || echo "$document: $target"
	done <"$tap_dir/links" >"$tap_dir/dead"
	cat "$tap_dir/dead"
	[ -s "$tap_dir/links" ] && [ ! -s "$tap_dir/dead" ]
}
have_readmes() {
	for dir in src/*/ src/store/*/ tests/ bench/ examples/ docs/ tools/; do
		[ -n "$(find "$dir" -maxdepth 1 -type f)" ] || continue
		[ -e "$dir/README.md" ] || echo "$dir has no README.md"
	done >"$tap_dir/without"
	cat "$tap_dir/without"
	[ ! -s "$tap_dir/without" ]
}

check tables_in_documents_equal_the_code sh tools/doc_tables.sh --check
check links_between_documents_lead_somewhere links_exist
check every_directory_has_a_readme have_readmes
tap_end
