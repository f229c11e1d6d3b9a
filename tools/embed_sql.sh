#!/bin/sh
# embed_sql.sh FILE.sql…: prints a C header with one string per statement file, so that statements live
# in .sql files: sql/task_insert.sql becomes rota_sql_task_insert, migrations/0001_start.sql a row of
# rota_migrations[].
set -eu
echo '/* made by tools/embed_sql.sh from src/store/sqlite/{sql,migrations} */'
quote() { sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/\t"/' -e 's/$/\\n"/' "$1"; }
for f; do
	case $f in */sql/*)
		printf 'static const char rota_sql_%s[] ROTA_UNUSED =\n' "$(basename "$f" .sql)"
		quote "$f"; echo ';'
	esac
done
echo 'static const struct rota_migration { int version; const char *name, *sql; } rota_migrations[] ROTA_UNUSED = {'
for f; do
	case $f in */migrations/*)
		b=$(basename "$f" .sql); n=${b%%_*}
		printf '{ %d, "%s",\n' "$(expr "$n" + 0)" "$b"
		quote "$f"; echo '},'
	esac
done
echo '{ 0, NULL, NULL } };'
