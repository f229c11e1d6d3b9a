#!/bin/sh
# embed_sql.sh FILE.sql…: prints a C header, so that statements live in .sql files. sql/task_insert.sql
# becomes ROTA_SQL_TASK_INSERT, the index of its row in rota_statements[]: its name, the comment it
# begins with (parameters, index), its text. migrations/0001_start.sql becomes a row of rota_migrations[].
set -eu
escape() { sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/\t"/' -e 's/$/\\n"/'; }
upper() { basename "$1" .sql | tr a-z A-Z; }
echo '/* made by tools/embed_sql.sh from src/store/sqlite/{sql,migrations} */'
echo 'enum rota_sql {'
for f; do
	case $f in */sql/*) printf '\tROTA_SQL_%s,\n' "$(upper "$f")" ;; esac
done
echo '	ROTA_SQL_COUNT };'
echo '#ifdef ROTA_SQL_TEXTS'
echo 'static const struct rota_statement { const char *name, *note, *text; } rota_statements[] ROTA_UNUSED = {'
for f; do
	case $f in */sql/*)
		printf '{ "%s",\n' "$(basename "$f" .sql)"
		sed -n '/^--/p' "$f" | escape; echo '	"",'
		sed '/^--/d' "$f" | escape; echo '},'
	esac
done
echo '{ NULL, NULL, NULL } };'
echo '#endif'
echo '#ifdef ROTA_SQL_MIGRATIONS'
echo 'static const struct rota_migration { int version; const char *name, *sql; } rota_migrations[] ROTA_UNUSED = {'
for f; do
	case $f in */migrations/*)
		b=$(basename "$f" .sql); n=${b%%_*}
		printf '{ %d, "%s",\n' "$(expr "$n" + 0)" "$b"
		sed '/^[[:space:]]*--/d' "$f" | escape; echo '},'
	esac
done
echo '{ 0, NULL, NULL } };'
echo '#endif'
