# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# What the cases inside a container share: a configuration for the installed unit, starting and
# stopping it, and reading the journal as people do.
#
#   $T  a temporary directory      $DAEMONS  the ill-bred daemons      $UNIT  the unit

# Booted by the dozen, on a machine that may have other things to do.
CASE_LIMIT=${CASE_LIMIT:-400}

# shellcheck source=tests/cases.bash
. "$(dirname "${BASH_SOURCE[0]}")/../cases.bash"

DAEMONS=/usr/src/build/tests/daemons
CONF=/etc/supervisord/supervisord.conf
UNIT=supervisord.service
GROUP=/system.slice/supervisord.service

set_up() {
        T=$(mktemp -d /tmp/case.XXXXXX)
        chmod 755 "$T"
        trap tear_down EXIT
        trap 'exit 143' TERM INT
        rm -rf /etc/supervisord/conf.d/* /run/systemd/system/$UNIT.d /var/lib/supervisord*
        systemctl daemon-reload
        # What journald has not read yet would be of now, whoever said it before.
        journalctl --sync 2>/dev/null
        SINCE=@$EPOCHREALTIME
}

tear_down() {
        local status=$?
        trap - EXIT
        if [ "$status" != 0 ] && [ "$status" != 77 ]; then
                diag "the journal:"
                lines | tail -n 25 | sed 's/^/#   /'
        fi
        timeout 20 systemctl stop $UNIT 'supervisord@*' || {
                systemctl kill -s KILL $UNIT
                timeout 20 systemctl stop $UNIT
        }
        systemctl reset-failed 2>/dev/null
        rm -rf "$T" /run/systemd/system/$UNIT.d
        exit "$status"
}

# configure DAEMONS [SETTINGS]
configure() {
        printf 'supervisor: { %s };\ndaemons: {\n%s\n};\n' "${2-}" "$(with_types "$1")" >"$CONF"
}

# drop_in LINE…: further settings of the unit's [Service].
drop_in() {
        mkdir -p /run/systemd/system/$UNIT.d
        printf '%s\n' '[Service]' "$@" >/run/systemd/system/$UNIT.d/test.conf
        systemctl daemon-reload
}

# The journal of this case, with all that was said before the call. Not by a cursor: with a match,
# --after-cursor= passes over one entry too many.
lines() {
        journalctl --sync 2>/dev/null
        journalctl -q --no-pager --since="$SINCE" "$@"
}

journaled() {
        lines -o cat | grep -Eaq -- "$1"
}

show() {
        systemctl show -P "$1" "${2-$UNIT}"
}

status_is() {
        [ "$(show StatusText)" = "$1" ]
}

main_pid() {
        show MainPID
}

is_state() {
        [ "$(show ActiveState)" = "$1" ]
}

# The id of a message, by the name that it has in the source.
message_id() {
        sed -n "s/.*MESSAGE($1, \"\([0-9a-f]*\)\").*/\1/p" \
                /usr/src/supervisord/supervisord/base/message.c
}

# messages NAME [MATCH…]: what was said with this id.
messages() {
        local name=$1
        shift
        lines -o cat MESSAGE_ID="$(message_id "$name")" "$@"
}

# says REGEX NAME [MATCH…]: such a message was journaled, with this text.
says() {
        local text=$1
        shift
        messages "$@" | grep -Eq -- "$text"
}

# Of the unit's own v2 hierarchy, whichever it is.
group_directory() {
        local mount
        mount=$(awk '$0 ~ / - cgroup2 / { print $5; exit }' /proc/self/mountinfo)
        echo "$mount$GROUP"
}

# The processes of a daemon, by its cgroup.
processes_of() {
        cat "$(group_directory)/$1.daemon/cgroup.procs" 2>/dev/null
}

has_processes() {
        [ "$(processes_of "$1" | wc -l)" = "$2" ]
}

start() {
        timeout 200 systemctl start $UNIT || fail "the start fails: $(systemctl status $UNIT 2>&1)"
}

# A clean stop after which nothing is left.
stop() {
        timeout 200 systemctl stop $UNIT || fail "the stop fails"
        expect_equal "$(show Result)" success "the result of the unit"
        expect_equal "$(show ActiveState)" inactive "the state of the unit"
        expect_nothing_left
}

# The clients of a case are none of supervisord's, and may take a moment longer.
expect_nothing_left() {
        expect is_gone "$(group_directory)"
        expect is_gone /run/supervisord
        # shellcheck disable=SC2009 # pgrep cannot look for the folder
        if ps -eo pid=,ppid=,args= | grep -Ev "grep|$DAEMONS/client " |
                grep -E "$DAEMONS|sbin/supervisord"; then
                fail "processes are left"
        fi
}

sleeper() {
        echo "$1: { command = $(list /usr/bin/sleep infinity); ${2-} };"
}

# requests COUNT: begins them and waits until the server has taken all.
requests() {
        wait_for 20 exists "$T/port"
        "$DAEMONS/client" -p "$(cat "$T/port")" -n "$1" -f "$T/flight" >"$T/requests" &
        CLIENT=$!
        wait_for 20 exists "$T/flight"
}

all_answered() {
        wait_for 30 has_ended "$CLIENT"
        wait "$CLIENT" || fail "lost: $(cat "$T/requests")"
        diag "$(cat "$T/requests")"
}

graceful_server() {
        echo "$1: { ready: { on = \"listen\"; }; freeze: { signal = \"USR1\"; };
                drain: { until = \"exit\"; ${3-} };
                command = $(list "$DAEMONS/naive" -d "$2" -P "$T/port"); };"
}
