#!/bin/sh
# install.sh BUILD_DIR: what `make install` leaves is enough for the README's first program.
set -u
build=$(cd "${1:?usage: install.sh BUILD_DIR}" && pwd)
cd "$(dirname "$0")/../.." || exit 1
. tests/harness/tap.sh
prefix=$tap_dir/usr

compiles_and_runs() {
	cc -o "$tap_dir/hello" examples/hello.c -I"$prefix/include" "$@" &&
		(cd "$tap_dir" && LD_LIBRARY_PATH=$prefix/lib ./hello | grep '^hello, world$')
}

check make_install_succeeds make --no-print-directory install B="$build" PREFIX="$prefix"
check installed_program_runs "$prefix/bin/rota" --version
check pkg_config_file_names_the_prefix grep -q "^prefix=$prefix\$" "$prefix/lib/pkgconfig/rota.pc"
case $build in
*-asan | *-tsan)
	skip first_program_compiles_against_the_shared_library "a sanitizer's library needs its flags"
	skip first_program_compiles_against_the_static_library "a sanitizer's library needs its flags"
	;;
*)
	check first_program_compiles_against_the_shared_library compiles_and_runs -L"$prefix/lib" -lrota
	check first_program_compiles_against_the_static_library \
		compiles_and_runs "$prefix/lib/librota.a" -lsqlite3 -lpthread
	;;
esac
tap_end
