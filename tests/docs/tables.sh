#!/bin/sh
# tables.sh BUILD_DIR: what the documents say is what the code says.
set -u
cd "$(dirname "$0")/../.." || exit 1
number=0 failed=0
expect() {
	name=$1
	shift
	number=$((number + 1))
	if out=$("$@" 2>&1); then
		echo "ok $number - $name"
	else
		failed=$((failed + 1))
		echo "not ok $number - $name"
		echo "$out" | sed 's/^/# /'
	fi
}

# Files that documents link to exist: [text](path), [text](path#anchor).
links_exist() {
	missing=0
	for document in ./*.md docs/*.md; do
		for target in $(grep -o '](\([^)#: ]*\)[)#]' "$document" | sed 's/^](//; s/[)#]$//'); do
			[ -e "$(dirname "$document")/$target" ] || { echo "$document: $target"; missing=1; }
		done
	done
	return $missing
}
has_readme() {
	missing=0
	for dir in src/*/ src/store/*/ tests/*/; do
		case $dir in src/store/sqlite/sql/) continue ;; esac
		[ -n "$(find "$dir" -maxdepth 1 -name '*.[ch]')" ] || continue
		[ -e "$dir/README.md" ] || { echo "$dir has no README.md"; missing=1; }
	done
	return $missing
}

expect tables_in_documents_equal_the_code sh tools/doc_tables.sh --check
expect links_between_documents_lead_somewhere links_exist
expect every_source_directory_has_a_readme has_readme
echo "1..$number"
exit $((failed > 0))
