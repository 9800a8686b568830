# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# A Debian with a running systemd, for as long as a test lasts: a copy of a root that make-root
# made, booted by systemd-nspawn.
#
# - Each container is in a cgroup of its own, in the v2 and, where there is one, in the name=systemd
#   hierarchy: two in one cgroup would kill each other's units of the same name.
# - nspawn runs with a private /run: nothing of it appears on the host. It has a private network.
# - Its own filter of system calls, which knows no pidfd_getfd(2), is told to let it through, as on a
#   machine.
# - It ends by SIGKILL to its process 1, which takes everything in it along.

# The mounted v2 hierarchy, and that of systemd on hosts that have both.
container_hierarchies() {
        awk '{ for (i = 7; $i != "-"; i++); }
                $(i + 1) == "cgroup2" || $(i + 3) ~ /(^|,)name=systemd(,|$)/ { print $5 }' \
                /proc/self/mountinfo
}

# container_new DIRECTORY SUITE: its files, in DIRECTORY/root.
container_new() {
        CONTAINER=$1
        CONTAINER_NAME=supervisord-test-$2-$$
        CONTAINER_INIT=
        CONTAINER_NSPAWN=
        mkdir -p "$CONTAINER"
        cp -a --reflink=auto "${SUPERVISORD_TEST_ROOTS:-/var/cache/supervisord-tests}/$2" \
                "$CONTAINER/root"
}

# Runs a command in the files alone, without systemd.
container_chroot() {
        env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
                chroot "$CONTAINER/root" "$@" </dev/null
}

container_enter_cgroups() {
        local hierarchy
        for hierarchy in $(container_hierarchies); do
                mkdir -p "$hierarchy/$CONTAINER_NAME" &&
                        echo "$BASHPID" >"$hierarchy/$CONTAINER_NAME/cgroup.procs" || return 1
        done
}

# container_boot CGROUPS: unified (v2 alone), hybrid (v1 controllers, v2 for systemd's own use, on
# hosts that are so themselves) or legacy (v1 alone).
container_boot() {
        (
                container_enter_cgroups || exit 1
                unset SYSTEMD_NSPAWN_UNIFIED_HIERARCHY
                case $1 in
                unified) export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 ;;
                legacy) export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=0 ;;
                esac
                # shellcheck disable=SC2016 # not here
                exec setsid unshare --mount --propagation private sh -c '
                        mount -t tmpfs tmpfs /run && exec "$@"' sh \
                        systemd-nspawn --quiet --register=no --keep-unit --private-network \
                        --system-call-filter=pidfd_getfd \
                        --machine "$CONTAINER_NAME" --directory "$CONTAINER/root" \
                        --console pipe --boot
        ) </dev/null >"$CONTAINER/console" 2>&1 &
        CONTAINER_NSPAWN=$!
        container_await_boot
}

container_await_boot() {
        local end=$((SECONDS + 300)) state
        while [ $SECONDS -lt $end ] && [ -e "/proc/$CONTAINER_NSPAWN" ]; do
                CONTAINER_INIT=$(pgrep -x -P "$CONTAINER_NSPAWN" systemd | head -n 1)
                if [ -n "$CONTAINER_INIT" ]; then
                        state=$(container_run 30 systemctl is-system-running 2>/dev/null)
                        case $state in
                        running | degraded) return 0 ;;
                        esac
                fi
                sleep 0.1
        done
        echo "# the container does not boot:"
        tail -n 20 "$CONTAINER/console" | sed 's/^/#   /'
        return 1
}

# container_run SECONDS COMMAND…: in the running container.
container_run() {
        local limit=$1
        shift
        timeout -k 5 "$limit" nsenter -t "$CONTAINER_INIT" -a \
                env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 "$@" </dev/null
}

# Kills it; its files stay, and can be booted again.
container_halt() {
        local hierarchy
        [ -z "$CONTAINER_INIT" ] || kill -KILL "$CONTAINER_INIT" 2>/dev/null
        if [ -n "$CONTAINER_NSPAWN" ]; then
                # nspawn ends by itself when process 1 is gone; without one it has to be told.
                [ -n "$CONTAINER_INIT" ] || kill -KILL "$CONTAINER_NSPAWN" 2>/dev/null
                wait "$CONTAINER_NSPAWN" 2>/dev/null
        fi
        CONTAINER_INIT=
        CONTAINER_NSPAWN=
        for hierarchy in $(container_hierarchies); do
                [ -d "$hierarchy/$CONTAINER_NAME" ] || continue
                [ ! -e "$hierarchy/$CONTAINER_NAME/cgroup.kill" ] ||
                        echo 1 >"$hierarchy/$CONTAINER_NAME/cgroup.kill"
                container_remove_cgroup "$hierarchy/$CONTAINER_NAME"
        done
}

# The last processes take a moment to go.
container_remove_cgroup() {
        local round
        for ((round = 0; round < 50; round++)); do
                find "$1" -depth -type d -exec rmdir {} + 2>/dev/null
                [ -d "$1" ] || return
                sleep 0.1
        done
        echo "# $1 cannot be removed"
}

# Kills it and removes all of it; can be called at any time, and twice.
container_end() {
        container_halt
        rm -rf --one-file-system "${CONTAINER:?}/root"
}
