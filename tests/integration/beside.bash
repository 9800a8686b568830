# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# For cases that run side by side in a container: each has a supervisor of its own, supervisord@NAME,
# with one daemon, x. What a case finds out about its daemon it tells, and for each daemon there is
# one line in the output, which daemons-table makes a table of:
#
#   # daemon: squid | debian: 12 | version: 5.7 | reload: HUP, same process | …

# shellcheck source=tests/integration/lib.bash
. "$(dirname "${BASH_SOURCE[0]}")/lib.bash"

# Mostly they wait.
LANES=6

set_up() {
        INSTANCE=${CASE_ID//./-}
        UNIT=supervisord@$INSTANCE.service
        GROUP=/system.slice/system-supervisord.slice/$UNIT
        RUN=/run/supervisord-$INSTANCE
        CONF=/etc/supervisord/$INSTANCE/supervisord.conf
        mkdir -p "${CONF%/*}"
        T=$(mktemp -d /tmp/case.XXXXXX)
        chmod 755 "$T"
        SINCE=@$EPOCHREALTIME
        HELPERS=()
        trap tear_down EXIT
        trap 'exit 143' TERM INT
}

tear_down() {
        local status=$?
        trap - EXIT
        if [ "$status" != 0 ] && [ "$status" != 77 ]; then
                diag "the journal:"
                lines | tail -n 25 | sed 's/^/#   /'
        fi
        timeout 20 systemctl stop "$UNIT" || systemctl kill -s KILL "$UNIT"
        systemctl reset-failed "$UNIT" 2>/dev/null
        if [ "$status" = 0 ] && [ -e "$T/told" ]; then
                tell_all
        fi
        [ ${#HELPERS[@]} = 0 ] || kill -TERM "${HELPERS[@]}" 2>/dev/null
        rm -rf "$T" "${CONF%/*}" "/var/lib/supervisord-$INSTANCE"
        exit "$status"
}

lines() {
        journalctl --sync 2>/dev/null
        journalctl -q --no-pager --since="$SINCE" -u "$UNIT" "$@"
}

configure() {
        printf 'supervisor: { runtime_directory = "%s"; state_directory = "%s"; %s };
                daemons: {\n%s\n};\n' \
                "$RUN" "/var/lib/supervisord-$INSTANCE" "${2-}" "$1" >"$CONF"
}

ctl() {
        supervisorctl -s "$RUN/control" "$@"
}

expect_nothing_left() {
        expect is_gone "$(group_directory)"
        expect is_gone "$RUN"
}

# What is in this root. PACKAGE is asked for its version.
needs() {
        [ -x "$1" ] || skip "$1 is not in this root"
        PACKAGE=$2
}

# helper COMMAND…: runs beside the case and ends with it.
helper() {
        "$@" <&0 &
        HELPERS+=($!)
}

# tell WHAT RESULT
tell() {
        printf '%s: %s\n' "$1" "$2" >>"$T/told"
}

tell_all() {
        local version
        version=$(dpkg-query -W -f '${Version}' "$PACKAGE" | sed -E 's/^[0-9]+://; s/[-+].*//')
        diag "daemon: $NAME | debian: $(sed -n 's/^VERSION_ID="\(.*\)"/\1/p' /etc/os-release) |" \
                "version: $version | $(paste -s -d '|' "$T/told" | sed 's/|/ | /g')"
}

main_of_x() {
        ctl pid x
}

state_of_x() {
        ctl --json status x | sed -n 's/.*"state": "\([a-z]*\)".*/\1/p' | head -n 1
}

listens() {
        ss -Hltn "sport = :$1" | grep -q .
}

seconds_since() {
        local ms=$(($(now_ms) - $1))
        printf '%d.%d s' $((ms / 1000)) $((ms % 1000 / 100))
}

# x_starts PROFILE [CHECK…]: the daemon x is started, and CHECK succeeds from then on.
x_starts() {
        NAME=$1
        shift
        x_begins "profile = \"$NAME\";" "$@"
}

# x_begins SETTINGS [CHECK…]: the same by its settings.
x_begins() {
        configure "x: { $1 };"
        shift
        start
        expect_equal "$(state_of_x)" running "the state after the start"
        MAIN=$(main_of_x)
        [ $# = 0 ] || expect "$@"
        tell start "$(lines -o cat | sed -n 's/^x: ready after \(.* s\),.*/\1/p' | head -n 1)"
}

x_is_unchanged() {
        [ "$(main_of_x)" = "$MAIN" ] && [ "$(state_of_x)" = running ]
}

# x_takes HOW FILE TEXT CHECK…: a reload with the text at the end of FILE, and CHECK succeeds.
x_takes() {
        local how=$1
        printf '%s\n' "$3" >>"$2"
        shift 3
        systemctl reload "$UNIT" || fail "the reload fails"
        wait_for 20 "$@"
        expect_equal "$(state_of_x)" running "the state after a reload"
        if [ "$(main_of_x)" = "$MAIN" ]; then
                how+=", same process"
        else
                how+=", new process"
                MAIN=$(main_of_x)
        fi
        tell reload "$how"
}

# x_refuses FILE TEXT: a reload with the text, which is wrong, at the end of FILE.
x_refuses() {
        local wrong=
        cp -a "$1" "$T/kept"
        printf '%s\n' "$2" >>"$1"
        ! ctl reload x >"$T/said" 2>&1 || wrong="a reload of a broken file succeeds"
        ! systemctl reload "$UNIT" 2>/dev/null ||
                wrong+="a reload of everything does not see the broken file"
        cp -a "$T/kept" "$1"
        [ -z "$wrong" ] || fail "$wrong"
        holds 1 x_is_unchanged
        tell "broken file" "refused by its test"
}

# For a moment it has no main process, and is still running.
x_is_new() {
        local main
        main=$(main_of_x 2>/dev/null)
        [[ $main =~ ^[1-9] ]] && [ "$main" != "$MAIN" ] && [ "$(state_of_x)" = running ]
}

# x_comes_back CHECK…: its main process is killed.
x_comes_back() {
        local since
        since=$(now_ms)
        kill -KILL "$MAIN"
        wait_for 30 x_is_new
        [ $# = 0 ] || wait_for 10 "$@"
        MAIN=$(main_of_x)
        tell "kill -9" "back in $(seconds_since "$since")"
}

# x_stops [PATH…]: nothing of it is left, and none of these files. `forced` in FORCED allows that
# something was.
x_stops() {
        local since path
        since=$(now_ms)
        stop
        STOPPED=$(seconds_since "$since")
        for path in "$@"; do
                expect is_gone "$path"
        done
        [ "${FORCED-}" = forced ] || [ -z "$(messages DAEMON_FORCED)" ] ||
                fail "forced: $(messages DAEMON_FORCED)"
        tell stop "$STOPPED, nothing left"
}
