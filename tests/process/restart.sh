#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Daemons that end unasked.

# shellcheck source=tests/process/lib.bash
. "$(dirname "$0")/lib.bash"

# The pid of the only process of this program, another one than $2.
has_successor() {
        local now
        now=$(processes_of "$1")
        [ -n "$now" ] && [ "$now" != "$2" ]
}

case_killed_one_is_replaced() {
        local first second
        programs sleep slowdrain
        configure "a: { command = $(list "$BIN/sleep" infinity); };
                other: { command = $(list "$BIN/slowdrain"); };"
        start_ready
        first=$(processes_of sleep)
        second=$(processes_of slowdrain)
        kill -KILL "$first"
        wait_for 20 has_successor sleep "$first"
        expect logged 'a: main process killed by SIGKILL'
        expect logged 'a: starting again in'
        expect_equal "$(processes_of slowdrain)" "$second" "the other daemon"
        stop
}

case_killed_forking_one_is_replaced() {
        local first
        programs forker
        configure "a: { type = \"forking\"; pidfile = \"$T/pid\";
                command = $(list "$BIN/forker" -f "$T/pid"); };"
        start_ready
        first=$(content "$T/pid")
        kill -KILL "$first"
        wait_for 20 has_successor forker "$first"
        wait_for 20 eval "[ \"\$(content '$T/pid')\" = \"\$(processes_of forker)\" ]"
        stop
}

# Nothing of the old run may live when the new one begins.
case_what_is_left_is_ended_first() {
        programs straygrandchild
        configure "a: { command = $(list "$BIN/straygrandchild" -P "$T/stray");
                stop: { signals = \"TERM 200ms, KILL\"; }; };"
        start_ready
        wait_for 10 exists "$T/stray"
        local stray main
        stray=$(content "$T/stray")
        main=$(processes_of straygrandchild | grep -vx "$stray")
        kill -KILL "$main"
        wait_for 20 logged 'a: starting again in'
        expect has_ended "$stray"
        wait_for 20 has_count straygrandchild 2
        stop
}

case_crash_loop_is_given_up() {
        configure 'a: { command = [ "/bin/sh", "-c", "exit 7" ];
                restart: { delay = "10ms"; delay_max = "20ms"; limit = 3; }; };'
        start_ready
        wait_for 20 logged 'a: given up'
        expect_equal "$(log_count 'a: starting, process')" 4 "the number of starts"
        expect logged 'a: .*status 7'
        wait_for 10 told 'STATUS=.*failed'
        stop
}

case_policy_never() {
        programs slowdrain
        configure "a: { command = $(list "$BIN/slowdrain"); restart: { policy = \"never\"; }; };"
        start_ready
        kill -KILL "$(processes_of slowdrain)"
        wait_for 10 logged 'a: given up'
        holds 1 has_count slowdrain 0
        stop
}

case_policy_on_failure() {
        programs slowdrain
        configure "clean: { command = $(list "$BIN/slowdrain" -f "$T/clean");
                        restart: { policy = \"on-failure\"; }; };
                failing: { command = $(list "$BIN/slowdrain" -f "$T/failing" -e 3);
                        restart: { policy = \"on-failure\"; delay = \"10ms\"; }; };"
        start_ready
        wait_for 10 exists "$T/clean"
        wait_for 10 exists "$T/failing"
        kill -USR1 "$(content "$T/clean")" "$(content "$T/failing")"
        wait_for 20 eval "[ \$(log_count 'failing: starting, process') = 2 ]"
        wait_for 20 logged 'clean: stopped'
        expect_equal "$(log_count 'clean: starting, process')" 1 "the number of starts"
        wait_for 20 has_count slowdrain 1
        stop
}

case_essential_one_is_given_up() {
        programs sleep
        configure "heart: { essential = true; command = $(list "$BIN/sleep" infinity);
                        restart: { policy = \"never\"; }; };
                b: { command = $(list "$BIN/sleep" infinity); };"
        start_ready
        ctl 0 pid heart
        kill -KILL "$(cat "$T/out")"
        ended
        [ "$RC" != 0 ] || fail "exit status is 0"
        expect_nothing_left
        expect logged 'heart'
}

case_daemon_outlived_its_supervisor() {
        local first
        uses_cgroups || skip "without cgroups nobody knows them"
        programs slowdrain
        configure "a: { command = $(list "$BIN/slowdrain" -f "$T/mark"); };"
        start_ready
        first=$(processes_of slowdrain)
        kill -KILL "$SUP"
        wait_for 10 has_ended "$SUP"
        wait "$SUP" 2>/dev/null
        expect is_running "$first"
        : >"$T/notify"
        start_ready
        expect has_ended "$first"
        expect logged 'a: .*earlier run'
        expect has_count slowdrain 1
        # The directory was there before this one, who therefore leaves it, but empty.
        kill -TERM "$SUP"
        ended
        expect_equal "$RC" 0 "exit status"
        expect_equal "$(ls -A "$T/run")" "" "what is in the runtime directory"
        rmdir "$T/run"
        expect_nothing_left
}

run_cases "$@"
