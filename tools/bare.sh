#!/bin/sh
# bare.sh [COMMAND]…: is it true that two commands are enough? Makes a bare Debian 12 root, clones the
# committed HEAD of this repository into it, and runs there what a new user would: `make demo`, then
# `make check` (or the COMMANDs given). For root; needs debootstrap and git. Exits non-zero when a
# command does.
#
#   BARE_TARBALL=FILE  keeps the bare root there, and takes it from there the next time (faster)
#   BARE_KEEP=1        leaves the root behind and says where
#   TMPDIR=DIR         where the root is made (about 1 GB)
#
# Everything runs in mount and process namespaces of its own, so nothing stays mounted or running,
# however this ends. The archive is the one this machine's apt uses.
set -eu

[ "$(id -u)" -eq 0 ] || { echo "bare.sh: needs root (chroot, mount)" >&2; exit 77; }
for tool in debootstrap git unshare chroot; do
	command -v $tool >/dev/null || { echo "bare.sh: needs $tool: apt-get install debootstrap git" >&2; exit 69; }
done
[ $# -gt 0 ] || set -- 'make demo' 'make check'
repository=$(git -C "$(dirname "$0")/.." rev-parse --show-toplevel)
work=$(mktemp -d "${TMPDIR:-/tmp}/rota-bare.XXXXXX")
root=$work/root
cleanup() {
	if [ -n "${BARE_KEEP-}" ]; then
		echo "bare.sh: kept $root"
	else
		rm -rf --one-file-system "$work"
	fi
}
trap cleanup EXIT
trap 'exit 130' INT TERM

say() { printf '\n==== %s\n' "$*"; }

# shellcheck disable=SC2016 # apt expands these
# Debian's own archives among the host's sources, as one-line entries; nothing: debootstrap's default.
host_sources() {
	command -v apt-get >/dev/null && apt-get indextargets --format \
		'deb $(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' 'Origin: Debian' |
		grep ' bookworm' | sort -u
}
host_sources >"$work/sources.list" || true

make_root() {
	mkdir "$root"
	if [ -n "${BARE_TARBALL-}" ] && [ -s "$BARE_TARBALL" ]; then
		say "unpacking $BARE_TARBALL"
		tar -xpf "$BARE_TARBALL" -C "$root"
		return
	fi
	say "debootstrap --variant=minbase bookworm"
	mirror=$(awk '$3 == "bookworm" { print $2; exit }' "$work/sources.list")
	debootstrap --variant=minbase bookworm "$root" ${mirror:+"$mirror"} >"$work/debootstrap.log" || {
		tail -n 20 "$work/debootstrap.log" >&2
		exit 69
	}
	[ -z "${BARE_TARBALL-}" ] || tar -cpf "$BARE_TARBALL" -C "$root" .
}

# What reaching the archive takes: sources, apt's Acquire settings, proxies, name resolution.
configure_root() {
	[ ! -s "$work/sources.list" ] || cp "$work/sources.list" "$root/etc/apt/sources.list"
	if command -v apt-config >/dev/null; then
		apt-config dump | grep '^Acquire::' >"$root/etc/apt/apt.conf.d/00host" || true
	fi
	cat /etc/resolv.conf >"$root/etc/resolv.conf"
	cat /etc/hosts >"$root/etc/hosts"
}

# inside COMMAND: in the bare root, with a new user's environment.
# shellcheck disable=SC2016 # the inner shell expands these
inside() {
	unshare --mount --pid --fork --kill-child sh -c '
		root=$1 command=$2
		mount -t proc proc "$root/proc" && mount -t tmpfs tmpfs "$root/dev/shm" &&
		exec chroot "$root" /usr/bin/env -i HOME=/root TERM=dumb LANG=C.UTF-8 \
			PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
			${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} \
			/bin/sh -c "$command"' sh "$root" "$1" </dev/null
}

make_root
configure_root
git clone --quiet --bare "$repository" "$root/srv/rota.git"
chown -R 0:0 "$root/srv/rota.git"
say "apt-get install git make"
inside 'apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq -y \
	install --no-install-recommends git make >/dev/null 2>&1 && git clone --quiet /srv/rota.git ~/rota'
for command; do
	say "$command"
	start=$(date +%s)
	inside "cd ~/rota && $command"
	say "$command: done in $(($(date +%s) - start)) s"
done
