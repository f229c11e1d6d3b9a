#!/bin/sh
# deps.sh build|check|ci: installs from Debian's archive what that step needs and this machine lacks.
# With everything there it only looks, in a few milliseconds and without the network. Needs root or
# sudo otherwise, and says what it installs before it does.
set -eu

# The compiler, SQLite (the store), jansson (JSON, the program only), uthash (a header of macros).
build="gcc libc6-dev libsqlite3-dev libjansson-dev uthash-dev"
# The public headers are also tried as C++17.
check="$build g++"
# A second compiler, the formatter, the linters.
ci="$check clang clang-format clang-tidy shellcheck"

case ${1-} in
build) wanted=$build ;;
check) wanted=$check ;;
ci) wanted=$ci ;;
*) echo "usage: deps.sh build|check|ci" >&2; exit 64 ;;
esac

installed() {
	case $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) in
	installed*) ;; # once per architecture
	*) return 1 ;;
	esac
}

if ! command -v dpkg-query >/dev/null; then
	echo "deps.sh: this is not Debian; install the likes of: $wanted" >&2
	exit 0 # the build will say what is really missing
fi
missing=
for package in $wanted; do
	installed "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
	as_root=sudo
	command -v sudo >/dev/null || {
		echo "deps.sh: missing:$missing. Install them as root: apt-get install$missing" >&2
		exit 69
	}
fi
apt() { # quiet when it works, everything when it does not
	log=$(mktemp)
	if $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
		-o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 "$@" >"$log" 2>&1 </dev/null; then
		failed=
	else
		failed="deps.sh: apt-get $1 failed"
		cat "$log" >&2
		echo "$failed" >&2
	fi
	rm -f "$log"
	[ -z "$failed" ]
}
echo "installing from Debian's archive:$missing"
apt update || true # one dead source need not be the one we need; install will tell
# shellcheck disable=SC2086 # a list of names
apt install --no-install-recommends $missing || exit 69
