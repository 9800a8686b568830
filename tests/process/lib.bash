# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What the process tests share: a real supervisord in the foreground, with a generated configuration
# in a temporary directory, ill-bred daemons beneath it, and a stand-in for systemd's notify socket.
#
# Each case runs twice: once with cgroups, where they can be used, once without. The supervisord
# under test and all that comes from it are in a cgroup of their own below the case's, or (where no
# cgroup can be made) are known by their programs, copies in the temporary directory. Nothing else
# is ever signalled.
#
#   $T      the temporary directory       $BIN     the daemons' programs in it
#   $SUP    supervisord's pid             $RC      its exit status, after `ended`
#   $T/log  its stderr and stdout         $T/notify  what it told "systemd"
#   $T/out, $T/err  what supervisorctl said, after `ctl`

# shellcheck source=tests/cases.bash
. "$(dirname "${BASH_SOURCE[0]}")/../cases.bash"

tests_top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD_DIR=${BUILD_DIR:-$tests_top/build/normal}
SUPERVISORD=${SUPERVISORD:-$BUILD_DIR/supervisord/supervisord}
SUPERVISORCTL=${SUPERVISORCTL:-$BUILD_DIR/supervisorctl/supervisorctl}

SUP=
SINK=
HOME_CGROUP=

# "descent" is what is left where no cgroup can be used.
variants() {
        echo cgroup descent
}

uses_cgroups() {
        [ "$VARIANT" != descent ]
}

is_sanitized() {
        grep -aq __asan_init "$SUPERVISORD"
}

# The directory of our own cgroup, in the v2 hierarchy; nothing if there is none.
own_cgroup() {
        local mount path
        mount=$(awk '$0 ~ / - cgroup2 / { print $5; exit }' /proc/self/mountinfo)
        path=$(sed -n 's/^0:://p' /proc/self/cgroup)
        [ -n "$mount" ] && [ -d "$mount$path" ] && echo "${mount}${path%/}"
}

bail_out() {
        [ -x "$SUPERVISORD" ] && return
        echo "Bail out! there is no $SUPERVISORD; build first, or set BUILD_DIR"
        exit 1
}

# $CASE_CGROUP/shell for ourselves, $CASE_CGROUP/home for supervisord.
make_cgroups() {
        local own
        own=$(own_cgroup) || return 1
        CASE_CGROUP=$own/supervisord-test.$CASE_ID
        mkdir "$CASE_CGROUP" "$CASE_CGROUP/shell" "$CASE_CGROUP/home" 2>/dev/null || return 1
        echo $$ >"$CASE_CGROUP/shell/cgroup.procs" 2>/dev/null || return 1
        OWN_CGROUP=$own
        HOME_CGROUP=$CASE_CGROUP/home
        # Where a systemd rules, supervisord takes only what was delegated, as it should.
        if [ -e /run/systemd/system ]; then
                python3 -c 'import os, sys; os.setxattr(sys.argv[1], "trusted.delegate", b"1")' \
                        "$HOME_CGROUP" 2>/dev/null || return 1
        fi
}

case_directory() {
        echo "${TMPDIR:-/tmp}/supervisord-test.$CASE_ID"
}

set_up() {
        CASE_CGROUP=
        T=$(case_directory)
        mkdir "$T" || exit 1
        trap tear_down EXIT
        trap 'exit 143' TERM INT
        chmod 755 "$T"
        BIN=$T/bin
        mkdir "$BIN"
        make_cgroups || HOME_CGROUP=
        [ -n "$HOME_CGROUP" ] || ! uses_cgroups || skip "no cgroup v2 can be made here"
        programs notifysink
        cp "$SUPERVISORD" "$BIN/supervisord"
        "$BIN/notifysink" "$T/notify.sock" "$T/notify" "$T/ports" &
        SINK=$!
        wait_for 10 exists "$T/notify.sock"
}

# programs NAME…: copies of test programs, or of programs of the system.
programs() {
        local name
        for name in "$@"; do
                if [ -x "$BUILD_DIR/tests/daemons/$name" ]; then
                        cp "$BUILD_DIR/tests/daemons/$name" "$BIN/"
                else
                        cp "$(command -v "$name")" "$BIN/"
                fi
        done
}

# The supervisord under test and every process that comes from it (clients do not).
processes() {
        if [ -n "$HOME_CGROUP" ]; then
                find "$HOME_CGROUP" -name cgroup.procs -exec cat {} + 2>/dev/null
                return 0
        fi
        find /proc/[0-9]*/exe -maxdepth 0 -lname "$BIN/*" ! -lname "$BIN/client" 2>/dev/null |
                cut -d/ -f3 | grep -vx "$SINK"
}

# Of these, those that run this program.
processes_of() {
        local pid
        for pid in $(processes); do
                [ "$(readlink "/proc/$pid/exe")" != "$BIN/$1" ] || echo "$pid"
        done
}

count_of() {
        processes_of "$1" | wc -l
}

has_count() {
        [ "$(count_of "$1")" = "$2" ]
}

kill_all() {
        local pid round
        if [ -n "$HOME_CGROUP" ] && [ -e "$HOME_CGROUP/cgroup.kill" ]; then
                echo 1 >"$HOME_CGROUP/cgroup.kill"
        fi
        for ((round = 0; round < 100; round++)); do
                [ -n "$(processes)" ] || return 0
                for pid in $(processes); do
                        kill -KILL "$pid" 2>/dev/null
                done
                pause
        done
}

tear_down() {
        local status=$?
        trap - EXIT
        [ -z "$SUP" ] || kill -KILL "$SUP" 2>/dev/null
        kill_all
        [ -z "$SINK" ] || kill -KILL "$SINK" 2>/dev/null
        wait 2>/dev/null
        if [ "$status" != 0 ] && [ "$status" != 77 ]; then
                show_end
        fi
        if [ -n "$CASE_CGROUP" ] && [ -n "${OWN_CGROUP-}" ]; then
                echo $$ >"$OWN_CGROUP/cgroup.procs"
                find "$CASE_CGROUP" -depth -type d -exec rmdir {} + 2>/dev/null
        fi
        rm -rf "$T"
        exit "$status"
}

# What a case could not do itself, because it was killed.
sweep() {
        T=$(case_directory)
        [ -d "$T" ] || return 0
        BIN=$T/bin
        CASE_CGROUP=$(own_cgroup)/supervisord-test.$CASE_ID
        HOME_CGROUP=
        [ ! -d "$CASE_CGROUP" ] || HOME_CGROUP=$CASE_CGROUP
        kill_all
        [ ! -d "$CASE_CGROUP" ] || find "$CASE_CGROUP" -depth -type d -exec rmdir {} + 2>/dev/null
        rm -rf "$T"
}

show_end() {
        diag "its last words:"
        tail -n 25 "$T/log" 2>/dev/null | sed 's/^/#   /'
        grep -a '^STATUS=' "$T/notify" 2>/dev/null | tail -n 2 | sed 's/^/#   /'
}

# configure DAEMONS [SETTINGS]: what stands in daemons: { … }, and further ones of supervisor.
configure() {
        cat >"$T/supervisord.conf" <<CONF
supervisor: {
        runtime_directory = "$T/run";
        state_directory = "$T/state";
        cgroups = $(uses_cgroups && echo true || echo false);
        ${2-}
};
daemons: {
$(with_types "$1")
};
CONF
}

# Runs supervisord as a service manager would, but in worse surroundings.
start() {
        (
                [ -z "$HOME_CGROUP" ] || echo "$BASHPID" >"$HOME_CGROUP/cgroup.procs"
                NOTIFY_SOCKET=$T/notify.sock exec "${START_BY[@]}" "$BIN/supervisord" \
                        -c "$T/supervisord.conf" </dev/null >>"$T/log" 2>&1
        ) &
        SUP=$!
}
START_BY=(env)

# ctl STATUS ARGUMENT…: supervisorctl ends with that status.
ctl() {
        local wanted=$1 status
        shift
        "$SUPERVISORCTL" -s "$T/run/control" "$@" >"$T/out" 2>"$T/err"
        status=$?
        [ "$status" = "$wanted" ] ||
                fail "supervisorctl $*: status $status, not $wanted: $(head -n 5 "$T/out" "$T/err")"
}

# said PATTERN, said_error PATTERN: supervisorctl did so.
said() {
        grep -Eq -- "$1" "$T/out"
}

said_error() {
        grep -Eq -- "$1" "$T/err"
}

told() {
        grep -aq "^$1" "$T/notify"
}

logged() {
        grep -Eaq -- "$1" "$T/log"
}

log_count() {
        grep -Eac -- "$1" "$T/log"
}

# Until every daemon has had its chance. What another supervisord told before may come later yet.
ready() {
        wait_for 100 eval 'has_told_ready || has_ended "$SUP"'
        expect has_told_ready
}

has_told_ready() {
        awk -v sender="from $SUP" '/^from / { ours = $0 == sender } ours && /^READY=1/ { told = 1 }
                END { exit !told }' "$T/notify"
}

start_ready() {
        start
        ready
}

# Waits for supervisord's own end.
ended() {
        wait_for 60 has_ended "$SUP"
        wait "$SUP"
        RC=$?
        SUP=
}

# A clean stop that leaves nothing.
stop_by() {
        kill "-$1" "$SUP"
        ended
        expect_equal "$RC" 0 "exit status"
        expect_nothing_left
}

stop() {
        stop_by TERM
}

expect_nothing_left() {
        local left
        left=$(processes)
        # shellcheck disable=SC2086 # a list of words
        [ -z "$left" ] || fail "left: $(ps -o pid=,ppid=,stat=,args= -p ${left//$'\n'/,})"
        expect is_gone "$T/run"
        # An event that its table did not foresee.
        expect_not logged ' bug: '
        if [ -n "$HOME_CGROUP" ]; then
                left=$(find "$HOME_CGROUP" -mindepth 1 -type d ! -path "$HOME_CGROUP/supervisor")
                [ -z "$left" ] || fail "left: $left"
        fi
}

# The whole number in a file, or nothing.
content() {
        cat "$1" 2>/dev/null
}

# A port that is free until somebody asks for it by its number.
free_port() {
        head -n 1 "$T/ports"
        sed -i 1d "$T/ports"
}

# Kilobytes.
memory_of() {
        awk '/^VmRSS/ { print $2 }' "/proc/$1/status"
}

needs_root() {
        [ "$(id -u)" = 0 ] || skip "only root can do this"
}
