#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# The runtime directory and the state directory: one supervisor each.

# shellcheck source=tests/process/lib.bash
. "$(dirname "$0")/lib.bash"

one_daemon() {
        programs sleep
        configure "a: { command = $(list "$BIN/sleep" infinity); };"
}

case_second_one_is_refused() {
        local first daemon
        one_daemon
        start_ready
        first=$SUP
        daemon=$(processes_of sleep)
        : >"$T/log"
        start
        ended
        SUP=$first
        [ "$RC" != 0 ] || fail "the second one exits with 0"
        expect logged "$T/run"
        expect logged "$first"
        expect_equal "$(processes_of sleep)" "$daemon" "the daemon of the first one"
        expect is_running "$SUP"
        stop
}

case_two_side_by_side() {
        local first
        ! uses_cgroups || [ ! -e /run/systemd/system ] ||
                skip "what systemd delegates is for one supervisor"
        one_daemon
        start_ready
        first=$SUP
        sed -i "s|$T/run|$T/other|; s|$T/state|$T/other-state|" "$T/supervisord.conf"
        : >"$T/notify"
        start_ready
        wait_for 10 has_count sleep 2
        kill -TERM "$SUP"
        ended
        expect_equal "$RC" 0 "exit status"
        expect has_count sleep 1
        expect is_gone "$T/other"
        SUP=$first
        stop
}

case_left_behind_by_a_killed_one() {
        one_daemon
        start_ready
        kill -KILL "$SUP"
        wait_for 10 has_ended "$SUP"
        wait "$SUP" 2>/dev/null
        kill_all
        expect exists "$T/run"
        : >"$T/notify"
        start_ready
        kill -TERM "$SUP"
        ended
        expect_equal "$RC" 0 "exit status"
        expect_equal "$(processes)" "" "what is left"
}

case_directory_cannot_be_made() {
        one_daemon
        touch "$T/file"
        sed -i "s|$T/run|$T/file/run|" "$T/supervisord.conf"
        start
        ended
        [ "$RC" != 0 ] || fail "exit status is 0"
        expect logged "$T/file"
        expect has_count sleep 0
}

case_a_symbolic_link_is_no_lock() {
        one_daemon
        mkdir "$T/run"
        echo precious >"$T/precious"
        ln -s "$T/precious" "$T/run/lock"
        start
        wait_for 10 eval 'told READY=1 || has_ended $SUP'
        expect_equal "$(cat "$T/precious")" precious "what the link points to"
        kill -TERM "$SUP" 2>/dev/null
        ended
}

# The warning of a supervisor that remembers nothing, said once; all else is as ever.
remembers_nothing() {
        expect_equal "$(log_count "the state directory $T/.*$1.*nothing is remembered")" 1 \
                "the number of warnings"
        expect has_count sleep 1
        stop
}

case_state_directory_is_made_and_kept() {
        one_daemon
        start_ready
        expect_equal "$(stat -c %a "$T/state")" 755 "its mode"
        stop
        expect exists "$T/state"
        expect_not logged "state directory"
}

case_state_directory_of_another_one() {
        local first
        ! uses_cgroups || [ ! -e /run/systemd/system ] ||
                skip "what systemd delegates is for one supervisor"
        one_daemon
        start_ready
        first=$SUP
        sed -i "s|$T/run|$T/other|" "$T/supervisord.conf"
        : >"$T/notify"
        start_ready
        expect logged "the state directory $T/state .*another supervisord.*nothing is remembered"
        wait_for 10 has_count sleep 2
        kill -TERM "$SUP"
        ended
        expect_equal "$RC" 0 "exit status"
        SUP=$first
        stop
}

case_state_directory_cannot_be_made() {
        one_daemon
        touch "$T/file"
        sed -i "s|$T/state|$T/file/state|" "$T/supervisord.conf"
        start_ready
        remembers_nothing "Not a directory"
}

case_state_directory_on_a_read_only_file_system() {
        needs_root
        one_daemon
        mkdir "$T/state"
        START_BY=(unshare -m sh -c "mount -t tmpfs -o ro none '$T/state' && exec \"\$@\"" sh)
        start_ready
        remembers_nothing "Read-only file system"
}

run_cases "$@"
