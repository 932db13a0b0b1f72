#!/usr/bin/env bash
# Prove the set-up on a Debian 12 with python3 and pip and nothing else: no venv package, no git, no
# make, no browser. Not part of the test run: it needs root, debootstrap and a network.
#
#   tests/bare_debian.sh [--full] [FOLDER]
#
# FOLDER keeps the Debian between runs. --full runs the whole suite there as root, too.
set -euo pipefail

full=no
if [ "${1-}" = --full ]; then full=yes; shift; fi
root=${1-$(mktemp -d)}
here=$(cd "$(dirname "$0")/.." && pwd)
clone='/srv/a clone {of} ü'

step() { printf '\n== %s\n' "$1" >&2; }

enter() {  # USER HOME COMMAND...: run in the clone there, with an environment of four names
  local user=$1 home=$2; shift 2
  # shellcheck disable=SC2016  # the inner shell expands them
  chroot --userspec="$user" "$root" /usr/bin/env -i HOME="$home" PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin \
    LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 /bin/sh -c 'cd "$1" && shift && exec "$@"' sh "$clone" "$@"
}

fresh_clone() {  # OWNER: the committed files, without git
  rm -rf "${root:?}$clone"
  mkdir -p "$root$clone"
  git -C "$here" archive HEAD | tar -x -C "$root$clone"
  chown -R "$1" "$root$clone"
}

if [ ! -x "$root/usr/bin/python3" ]; then
  step "Debian 12 with python3 and python3-pip in $root"
  [ -x "$root/bin/sh" ] || debootstrap --variant=minbase bookworm "$root" >/dev/null
  cp /etc/resolv.conf "$root/etc/resolv.conf"
  chroot "$root" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive chroot "$root" \
    apt-get install -qq --yes --no-install-recommends python3 python3-pip >/dev/null
fi

step "how this machine reaches a package index: certificates and pip.conf"
cp /etc/resolv.conf "$root/etc/resolv.conf"
mkdir -p "$root/etc/ssl/certs"
for file in /etc/pip.conf /etc/ssl/certs/ca-certificates.crt; do
  [ ! -e "$file" ] || cp --remove-destination "$file" "$root$file"
done
mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
trap 'umount "$root/proc"' EXIT

step "what must fail there, or this proves nothing"
! chroot "$root" python3 -m venv /tmp/none >/dev/null 2>&1
! chroot "$root" python3 -m pip install --dry-run six >/dev/null 2>&1
! chroot "$root" sh -c 'command -v git || command -v make || command -v uv'

step "help, before any set-up"
fresh_clone 0:0
time enter 0:0 /root python3 -m cropkit --help
test ! -e "$root$clone/.venv"

step "set-up by root, with a browser"
time enter 0:0 /root python3 -m cropkit test --version

step "set-up by a user whose HOME cannot be written"
fresh_clone 1000:1000
time enter 1000:1000 /root python3 -m cropkit test --version
test "$(stat -c %u "$root$clone/.venv")" = 1000

step "set-up with an empty HOME, killed on the way, then repaired"
rm -rf "${root:?}$clone"/.venv*
enter 1000:1000 '' timeout --signal=KILL 15 python3 -m cropkit test --version || true
time enter 1000:1000 '' python3 -m cropkit test --version

if [ $full = yes ]; then
  step "the whole suite, as root"
  fresh_clone 0:0
  time enter 0:0 /root python3 -m cropkit test
fi
step "holds"
