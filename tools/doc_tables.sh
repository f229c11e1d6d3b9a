#!/bin/sh
# doc_tables.sh [--check]: the parts of the documents that repeat what the code says. Writes the state
# matrix (src/core/state.h), the limits (src/base/limits.h) and the first program (examples/hello.c)
# between the marks `<!-- table NAME -->` and `<!-- end NAME -->`; with --check changes nothing and fails if a document
# disagrees. Runs in the repository's root.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
compile() { "${CC:-gcc}" -std=gnu17 -D_GNU_SOURCE -Iinclude -Isrc -o "$work/$1" "$work/$1.c"; }

cat >"$work/states.c" <<'C'
#include <stdio.h>
#include "core/state.h"
#define NAME(name, text) text,
static const char *const states[] = { ROTA_STATES(NAME) };
static const char *const events[] = { ROTA_EVENTS(NAME) };
#define MOVE(event, from, to) { ROTA_EVENT_##event, ROTA_STATE_##from, ROTA_STATE_##to },
static const struct { int event, from, to; } moves[] = { ROTA_MOVES(MOVE) };

static void cell(int from, int to)
{
	const char *sep = " ";

	for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
		if (moves[i].from != from || moves[i].to != to)
			continue;
		printf("%s%s", sep, events[moves[i].event]);
		sep = ", ";
	}
	printf(" |");
}

int main(void)
{
	printf("| from \\ to |");
	for (int to = 0; to < ROTA_STATE_COUNT; to++)
		printf(" %s |", states[to]);
	printf("\n|---|");
	for (int to = 0; to < ROTA_STATE_COUNT; to++)
		printf("---|");
	for (int from = ROTA_STATE_NONE; from < ROTA_STATE_COUNT; from++) {
		printf("\n| **%s** |", from < 0 ? "–" : states[from]);
		for (int to = 0; to < ROTA_STATE_COUNT; to++)
			cell(from, to);
	}
	printf("\n");
}
C
compile states
"$work/states" >"$work/table.states"

# A row per `#define NAME value /* why */`; the compiler does the sums.
{
	cat <<'C'
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/limits.h"
static void scaled(int64_t n, const int64_t *unit, const char *const *name)
{
	while (n % *unit)
		unit++, name++;
	printf(" %" PRId64 "%s |", n / *unit, *name);
}
static void row(const char *name, const char *expression, int64_t n, const char *why)
{
	static const int64_t time[] = { 31622400000000, 86400000000, 3600000000, 60000000, 1000000, 1000, 1 };
	static const char *const time_name[] = { " years", " d", " h", " min", " s", " ms", " µs" };
	static const int64_t size[] = { 1 << 20, 1 << 10, 1 };
	static const char *const size_name[] = { " MiB", " KiB", " bytes" }, *const none = "";
	static const int64_t one = 1;

	printf("| `%s` |", name);
	if (strstr(name, "TIME_MAX"))
		printf(" year 9999 |");
	else if (strstr(expression, "SECONDS") || strstr(expression, "ROTA_MS") || strstr(name, "DURATION"))
		scaled(n, time, time_name);
	else if (strstr(name, "BYTES") || strstr(name, "INLINE"))
		scaled(n, size, size_name);
	else
		scaled(n, &one, &none);
	printf(" %s |\n", why);
}
static void text(const char *name, const char *value, const char *why)
{
	printf("| `%s` | `%s` | %s |\n", name, value, why);
}
int main(void)
{
	printf("| limit | value | why |\n|---|---|---|\n");
C
	awk '
	/^#define ROTA_BASE_LIMITS_H/ { next }
	/^#define ROTA_/ {
		name = $2
		why = ""
		value = $0
		sub(/^#define [A-Z_]+ +/, "", value)
		if (match(value, / *\/\*.*\*\//)) {
			why = substr(value, RSTART, RLENGTH)
			value = substr(value, 1, RSTART - 1)
			gsub(/^ *\/\* *| *\*\/ *$/, "", why)
		}
		gsub(/"/, "\\\"", why)
		if (value ~ /^"/)
			print "\ttext(\"" name "\", " name ", \"" why "\");"
		else
			print "\trow(\"" name "\", \"" value "\", " name ", \"" why "\");"
	}' src/base/limits.h
	echo '}'
} >"$work/limits.c"
compile limits
"$work/limits" >"$work/table.limits"

{ echo '```c'; cat examples/hello.c; echo '```'; } >"$work/table.hello"

# splice FILE: prints it with its tables as they should be.
splice() {
	awk -v work="$work" '
	/^<!-- end / { inside = 0 }
	!inside { print }
	/^<!-- table / {
		inside = 1
		file = work "/table." $3
		while ((getline line < file) > 0)
			print line
		close(file)
	}' "$1"
}
status=0
for document in README.md ARCHITECTURE.md docs/*.md; do
	grep -q '^<!-- table ' "$document" || continue
	splice "$document" >"$work/document"
	if [ "${1-}" != --check ]; then
		cmp -s "$document" "$work/document" || cp "$work/document" "$document"
	elif ! diff -u "$document" "$work/document"; then
		echo "$document disagrees with the code; run: sh tools/doc_tables.sh" >&2
		status=1
	fi
done
exit $status
