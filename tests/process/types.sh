#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Daemons that scripts start and stop.

# shellcheck source=tests/process/lib.bash
. "$(dirname "$0")/lib.bash"

# script NAME: a program from stdin, run by a copy of the shell.
script() {
        programs bash
        { echo "#!$BIN/bash"; cat; } >"$BIN/$1"
        chmod 755 "$BIN/$1"
}

# As an old init script: says what it does, and leaves a daemon that keeps its output.
old_script() {
        programs sleep
        script old <<SCRIPT
case \$1 in
start)
        echo "starting, no terminal: \$([ -t 1 ] || echo none)"
        (
                trap 'echo daemon ends; exit 0' USR1
                while [ ! -e "$T/speak" ]; do sleep 0.05; done
                echo daemon speaks
                while :; do sleep 0.05; done
        ) </dev/null &
        exit 3
        ;;
stop)
        echo "stopping \$MAINPID"
        kill -USR1 "\$MAINPID"
        while kill -0 "\$MAINPID" 2>/dev/null; do sleep 0.05; done
        echo stopped
        exit 4
        ;;
*)
        echo "there is no"
        echo "cluster 15/main" >&2
        exit 1
        ;;
esac
SCRIPT
}

in_output() {
        grep -q "$1" "$T/output"
}

case_a_script_starts_and_stops_it() {
        old_script
        configure "a: { type = \"command\"; command = $(list "$BIN/old" start);
                start: { success = [ 0, 3 ]; };
                output: { to = \"file\"; file = \"$T/output\"; };
                stop: { command = $(list "$BIN/old" stop); command_timeout = \"30s\";
                        success = 4; signals = \"KILL\"; }; };"
        start_ready
        expect in_output 'starting, no terminal: none'
        expect logged 'a: main process is .*found as the one'
        touch "$T/speak"
        wait_for 20 in_output 'daemon speaks'
        stop
        expect in_output 'stopping [1-9]'
        expect in_output 'daemon ends'
        expect in_output stopped
        expect_not logged 'stop.command'
}

case_a_script_that_fails_says_why() {
        old_script
        configure "a: { type = \"command\"; command = $(list "$BIN/old" restart);
                output: { to = \"file\"; file = \"$T/output\"; };
                restart: { policy = \"never\"; }; };"
        start_ready
        expect logged 'a: start failed: its command exited with status 1; it wrote: there is no \|'
        expect in_output 'cluster 15/main'
        ctl 3 status a
        expect said 'it wrote: there is no \| cluster 15/main'
        stop
}

case_a_oneshot_is_done_until_a_stop_undoes_it() {
        programs sleep
        script rules <<SCRIPT
echo "\$1" >>"$T/rules"
[ "\$1" = undo ] || "$BIN/sleep" 1000 &
SCRIPT
        configure "a: { type = \"oneshot\"; command = $(list "$BIN/rules" load);
                stop: { command = $(list "$BIN/rules" undo); }; };
                b: { command = $(list "$BIN/sleep" 1000); requires = [ \"a\" ]; };"
        start_ready
        expect logged 'a: done after'
        ctl 0 status a
        expect said 'state  *done'
        expect has_count sleep 1
        ctl 0 restart a
        expect_equal "$(content "$T/rules")" "$(printf 'load\nundo\nload')" "what was run"
        stop
        expect_equal "$(content "$T/rules")" "$(printf 'load\nundo\nload\nundo')" "what was run"
}

case_auto_finds_out_what_it_is() {
        local port
        programs forker naive sleep
        port=$(free_port)
        configure "fork: { type = \"auto\"; command = $(list "$BIN/forker"); };
                stay: { type = \"auto\"; command = $(list "$BIN/sleep" 1000); };
                serve: { type = \"auto\"; command = $(list "$BIN/naive" -p "$port"); };
                back: { type = \"auto\"; command = $(list "$BIN/naive" -b); };
                made: { type = \"oneshot\"; command = $(list "$BIN/sleep" 0); };
                gone: { type = \"auto\"; command = $(list "$BIN/forker" -t 100 -c 1);
                        restart: { policy = \"never\"; }; };"
        start_ready
        # one that takes long to get away may be taken for a simple one at first
        wait_for 10 logged 'fork: assumed: forking .*; main process .* the one that stayed; ready'
        expect logged 'gone: start failed: main process exited with status [01] before'
        ctl 0 status fork
        expect said 'assumed  *type: forking'
        wait_for 10 logged 'back: assumed: forking .*; ready: a socket of it listened'
        ctl 0 status made
        expect_not said assumed
        ctl 0 status stay
        expect said 'assumed  *type: simple'
        expect said 'ready: it went on living'
        ctl 0 status serve
        expect said 'ready: a socket of it listened'
        expect said "intake: .*:$port"
        ctl 0 --json status serve
        expect said '"main process: [0-9]*, its first process"'
        stop
}

run_cases "$@"
