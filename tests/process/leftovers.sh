#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What the main process leaves when it ends (cleanup.leftovers).

# shellcheck source=tests/process/lib.bash
. "$(dirname "$0")/lib.bash"

# stray_is_new OLD: there is a left-over process of another start.
stray_is_new() {
        exists "$T/stray" && [ "$(content "$T/stray")" != "$1" ]
}

# A stop, a crash, a restart and the end of supervisord: the session of each run outlives them all.
case_spared_sessions_outlive_everything() {
        local first second third main
        programs straygrandchild
        configure "a: { command = $(list "$BIN/straygrandchild" -P "$T/stray");
                cleanup: { leftovers = \"spare\"; }; };"
        start_ready
        wait_for 20 exists "$T/stray"
        first=$(content "$T/stray")
        ctl 0 stop a
        expect is_running "$first"
        expect logged "a: 1 left-over process lives on: straygrandchild $first"
        ctl 3 status a
        expect said "stopped by an operator.*; 1 left-over process lives on"
        ctl 0 history -n 1
        expect said "of a 1 left-over process lives on: straygrandchild $first"

        ctl 0 start a
        wait_for 20 stray_is_new "$first"
        second=$(content "$T/stray")
        main=$("$SUPERVISORCTL" -s "$T/run/control" pid a)
        expect_not logged 'in the way of a start'
        kill -KILL "$main"
        wait_for 20 stray_is_new "$second"
        third=$(content "$T/stray")

        kill -TERM "$SUP"
        ended
        expect_equal "$RC" 0 "exit status"
        expect_not logged ' bug: '
        expect is_running "$first"
        expect is_running "$second"
        expect is_running "$third"
        has_count straygrandchild 3 || fail "left: $(processes_of straygrandchild)"
        kill -KILL "$first" "$second" "$third"
}

# A job gets the time that it needs; the rest of the daemon waits for it.
case_jobs_are_waited_for() {
        configure "a: { command = [ \"/bin/sh\", \"-c\",
                        \"(trap '' TERM; : >$T/job
                           while [ ! -e $T/go ]; do sleep 0.05; done; : >$T/done) & wait\" ];
                drain: { until = \"none\"; };
                stop: { signals = \"TERM 60s, KILL\"; };
                cleanup: { leftovers = \"wait\"; wait = \"60s\"; }; };"
        start_ready
        wait_for 20 exists "$T/job"
        kill -TERM "$SUP"
        wait_for 20 logged 'a: its main process is gone, [0-9]* left-over process'
        : >"$T/go"
        ended
        expect_equal "$RC" 0 "exit status"
        expect exists "$T/done"
        expect_not logged 'a: .*killing'
        expect_nothing_left
}

# begin_request FD: one whose end is still to come; whoever has it waits for that.
begin_request() {
        eval "exec $1<>/dev/tcp/127.0.0.1/$PORT"
        printf '%s' "$1" >&"$1"
}

# end_request FD: … and it is answered as a whole.
end_request() {
        printf '\n' >&"$1"
        timeout 60 cat <&"$1" >"$T/answer.$1"
        eval "exec $1>&-"
        grep -q "^end of answer $1\$" "$T/answer.$1" || fail "answer $1: $(head -c 200 "$T/answer.$1")"
}

# The workers of a master that was killed answer what they have, and take in nothing more; then
# there is another one.
case_a_crash_cuts_nothing() {
        local master
        programs illbred client
        PORT=$(free_port)
        configure "a: { ready: { on = \"listen\"; port = $PORT; };
                command = $(list "$BIN/illbred" "port=$PORT" workers=3);
                cleanup: { leftovers = \"wait\"; wait = \"10min\"; }; };"
        start_ready
        wait_for 20 has_count illbred 4
        master=$("$SUPERVISORCTL" -s "$T/run/control" pid a)
        begin_request 7
        begin_request 8
        kill -KILL "$master"
        wait_for 20 logged 'a: draining: 3 left-over processes, .*[12] busy'
        expect_equal "$("$BIN/client" -p "$PORT" -n 3 -R)" "requests 3 answered 0 cut 0 refused 3" \
                "what new clients got"
        ctl 3 status a
        expect said 'sweeping'
        expect said '3 left-over processes, '
        expect_not logged 'a: starting again'
        end_request 7
        end_request 8

        wait_for 60 logged 'a: left-over processes idle after'
        wait_for 60 eval '[ "$(log_count "a: ready after")" = 2 ]'
        expect_equal "$("$BIN/client" -p "$PORT" -n 3)" "requests 3 answered 3 cut 0 refused 0" \
                "what clients of the next one got"
        expect_not logged 'forced'
        wait_for 20 has_count illbred 4
        stop
}

run_cases "$@"
