#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Alone it only generates ./configure. With a command it goes all the way: install the Debian
# packages that are missing, configure and build out of tree, run. See --help.

set -euo pipefail

top=$(cd "$(dirname "$0")" && pwd)
policy=/usr/sbin/policy-rc.d
policy_is_ours=

packages_build=(autoconf automake gcc libc6-dev make pkgconf xz-utils
        libsystemd-dev libconfig-dev libjansson-dev uthash-dev check)
packages_demo=(nginx redis-server)
packages_check=(valgrind shellcheck strace python3 procps iproute2 util-linux
        debootstrap systemd-container ca-certificates)
packages_bench=(supervisor runit s6 procps)

usage() {
        cat <<TXT
Usage: ./autogen.sh [COMMAND]

Without a command: generate ./configure, nothing else.

Commands:
  demo [--keep]          build in build/demo and run the demonstration; with --keep until Ctrl-C
  check [OPTION…]        run all tests (tests/run; its options: tests/run --help)
  bench [NAME…]          build in build/bench and measure, beside other supervisors
                         (bench/run; its names: bench/run --help)
  build KIND [OPTION…]   configure in build/KIND with the options, and build there

A command first installs the Debian packages that it needs and that are missing (as root, by
apt-get; services of these packages are not started). Where all of them are there, nothing is
installed and root is not needed for that.

Environment:
  MAKEFLAGS              for make; default: one job for each processor
TXT
}

say() {
        printf 'autogen.sh: %s\n' "$*" >&2
}

die() {
        say "$@"
        exit 1
}

packages_missing() {
        local package
        for package in "$@"; do
                [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] ||
                        printf '%s\n' "$package"
        done
}

# Keeps the services of newly installed packages from starting, unless somebody else says so already.
services_hold() {
        [ ! -e "$policy" ] || return 0
        policy_is_ours=yes
        trap services_release EXIT
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
}

services_release() {
        [ -n "$policy_is_ours" ] || return 0
        policy_is_ours=
        trap - EXIT
        rm -f "$policy"
}

packages_get() {
        DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
                -o Acquire::Retries=3 "$@"
}

# Lists that are old name what is gone. A mirror that does not answer does so a moment later, and for
# the lock of the lists apt-get does not wait by itself.
packages_get_again() {
        local round
        for ((round = 0; round < 5; round++)); do
                sleep $((10 * round))
                packages_get update && packages_get install --no-install-recommends "$@" && return
        done
        return 1
}

packages_install() {
        local missing lock
        command -v dpkg-query >/dev/null || {
                say "this is no Debian: install what stands for $* yourself"
                return
        }
        mapfile -t missing < <(packages_missing "$@")
        [ ${#missing[@]} -gt 0 ] || return 0
        [ "$(id -u)" -eq 0 ] || die "missing packages; as root: apt-get install ${missing[*]}"

        say "installing ${missing[*]}"
        # One at a time: who is done first would let the services of the other one start.
        exec {lock}</var/lib/dpkg
        flock "$lock"
        services_hold
        # Where there are no lists yet, every package would be complained of first.
        compgen -G '/var/lib/apt/lists/*_Packages*' >/dev/null || packages_get update || true
        packages_get install --no-install-recommends "${missing[@]}" ||
                packages_get_again "${missing[@]}" || die "the packages cannot be installed"
        services_release
        exec {lock}<&-
}

is_generated() {
        [ -x "$top/configure" ] && [ -e "$top/Makefile.in" ]
}

generate() {
        local tool
        for tool in autoreconf automake pkg-config; do
                command -v "$tool" >/dev/null ||
                        die "$tool is missing; on Debian: apt-get install ${packages_build[*]}"
        done
        (cd "$top" && autoreconf -fi)
}

# Generates and configures only where that has not been done so; make sees what is out of date.
build() {
        local directory=$top/build/$1
        shift
        is_generated || generate
        mkdir -p "$directory"
        cd "$directory"
        if [ ! -e Makefile ] || [ "$(cat .options 2>/dev/null)" != "$*" ]; then
                "$top/configure" "$@"
                printf '%s\n' "$*" >.options
        fi
        make
}

MAKEFLAGS=${MAKEFLAGS--j$(nproc)}
export MAKEFLAGS

case ${1-} in
'')
        generate
        say "now: ./configure && make && make install, or see ./autogen.sh --help"
        ;;
demo)
        shift
        packages_install "${packages_build[@]}" "${packages_demo[@]}"
        build demo
        exec "$top/demo/demo.sh" "$top/build/demo" "$@"
        ;;
check)
        shift
        packages_install "${packages_build[@]}" "${packages_demo[@]}" "${packages_check[@]}"
        is_generated || generate
        exec "$top/tests/run" "$@"
        ;;
bench)
        shift
        packages_install "${packages_build[@]}" "${packages_bench[@]}"
        build bench
        make -C "$top/build/bench" bench-programs
        BUILD_DIR=$top/build/bench exec "$top/bench/run" "$@"
        ;;
build)
        [ $# -ge 2 ] || die "build what? see --help"
        shift
        packages_install "${packages_build[@]}"
        build "$@"
        ;;
-h | --help | help)
        usage
        ;;
*)
        usage >&2
        exit 2
        ;;
esac
