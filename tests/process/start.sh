#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Starting: types, readiness, order, and starts that fail. Nothing here depends on how long anything
# takes: daemons become ready when the test makes the file that they wait for.

# shellcheck source=tests/process/lib.bash
. "$(dirname "$0")/lib.bash"

# How long something that must not happen is looked out for.
SHORT=1

not_told() {
        ! told "$1"
}

case_simple() {
        programs sleep
        configure "a: { command = $(list "$BIN/sleep" infinity); };"
        start_ready
        expect has_count sleep 1
        expect told 'STATUS=.*1 of 1'
        stop
}

case_notify() {
        programs notifier
        configure "a: { type = \"notify\"; command = $(list "$BIN/notifier" -a "$T/go"); };"
        start
        wait_for 10 has_count notifier 1
        holds $SHORT not_told READY=1
        touch "$T/go"
        ready
        stop
}

case_forking_with_pidfile() {
        programs forker
        configure "a: { type = \"forking\"; pidfile = \"$T/pid\";
                command = $(list "$BIN/forker" -f "$T/pid" -k nothing -a "$T/go"); };"
        start
        wait_for 10 has_count forker 1
        holds $SHORT not_told READY=1
        touch "$T/go"
        ready
        expect_equal "$(content "$T/pid")" "$(processes_of forker)" "the pidfile"
        expect logged "a: .*main process.* $(content "$T/pid")"
        stop
        expect is_gone "$T/pid"
}

case_forking_without_pidfile() {
        programs forker
        configure "a: { type = \"forking\"; command = $(list "$BIN/forker" -w 100); };"
        start_ready
        wait_for 10 has_count forker 1
        expect logged "a: .*main process.* $(processes_of forker)"
        stop
}

case_forking_server() {
        programs naive client
        configure "a: { type = \"forking\"; pidfile = \"$T/pid\"; ready: { on = \"listen\"; };
                command = $(list "$BIN/naive" -b -f "$T/pid" -l 50 -P "$T/port"); };"
        start_ready
        expect "$BIN/client" -p "$(content "$T/port")" -n 10
        stop
}

# A look at the processes must not take this for a daemon that is gone.
case_forking_through_many_hands() {
        programs forker
        configure "a: { type = \"forking\"; pidfile = \"$T/pid\"; restart: { policy = \"never\"; };
                command = $(list "$BIN/forker" -f "$T/pid" -r 300); };"
        start_ready
        expect_not logged 'start failed'
        wait_for 10 has_count forker 1 # the one before it may still be on its way out
        expect_equal "$(processes_of forker)" "$(content "$T/pid")" "the daemon"
        stop
}

# gated READY OPTION…: a server that listens when it may, ready by this condition.
gated() {
        local ready=$1
        shift
        programs naive
        configure "a: { ready: { $ready }; command = $(list "$BIN/naive" -a "$T/go" "$@"); };"
        start
        wait_for 10 has_count naive 1
        holds $SHORT not_told READY=1
        touch "$T/go"
        ready
        stop
}

case_ready_by_listen() {
        gated 'on = "listen";' -P "$T/port"
}

case_ready_by_listen_on_a_port() {
        local port
        port=$(free_port)
        gated "on = \"listen\"; port = $port;" -p "$port"
}

case_ready_by_listen_of_another_port() {
        local port
        port=$(free_port)
        programs naive
        configure "a: { ready: { on = \"listen\"; port = $port; timeout = \"1s\"; };
                restart: { policy = \"never\"; };
                command = $(list "$BIN/naive" -P "$T/port"); };"
        start_ready
        expect logged 'a: .*not ready within 1s'
        stop
}

case_ready_by_tcp() {
        local port
        port=$(free_port)
        gated "on = \"tcp\"; address = \"127.0.0.1:$port\";" -p "$port"
}

case_ready_by_unix() {
        gated "on = \"unix\"; path = \"$T/socket\";" -u "$T/socket"
}

case_ready_by_file() {
        gated "on = \"file\"; path = \"$T/port\";" -P "$T/port"
}

# A directory that is made only later.
case_ready_by_file_in_a_new_directory() {
        programs sleep
        configure "a: { ready: { on = \"file\"; path = \"$T/later/on/file\"; };
                command = $(list "$BIN/sleep" infinity); };"
        start
        wait_for 10 has_count sleep 1
        holds $SHORT not_told READY=1
        mkdir "$T/later"
        mkdir "$T/later/on"
        touch "$T/later/on/file"
        ready
        stop
}

case_requires_waits_for_readiness() {
        programs naive sleep
        configure "web: { requires = [ \"db\" ]; command = $(list "$BIN/sleep" infinity); };
                db: { ready: { on = \"listen\"; };
                        command = $(list "$BIN/naive" -a "$T/go"); };"
        start
        wait_for 10 has_count naive 1
        holds $SHORT has_count sleep 0
        touch "$T/go"
        ready
        expect has_count sleep 1
        expect told 'STATUS=.*2 of 2'
        stop
}

case_what_can_starts_in_parallel() {
        programs naive sleep
        configure "slow: { ready: { on = \"listen\"; };
                        command = $(list "$BIN/naive" -a "$T/go"); };
                behind: { after = [ \"slow\" ]; command = $(list "$BIN/sleep" infinity); };
                free: { command = $(list "$BIN/sleep" infinity); };"
        start
        wait_for 10 has_count sleep 1
        wait_for 10 logged 'free: ready'
        expect_not logged 'behind: '
        touch "$T/go"
        ready
        expect has_count sleep 2
        stop
}

case_after_and_requires_of_a_failed_one() {
        programs sleep
        configure "bad: { command = $(list /bin/false); restart: { policy = \"never\"; };
                        ready: { on = \"listen\"; }; };
                after_bad: { after = [ \"bad\" ]; command = $(list "$BIN/sleep" 1001); };
                needs_bad: { requires = [ \"bad\" ]; command = $(list "$BIN/sleep" 1002); };
                needs_that: { requires = [ \"needs_bad\" ]; command = $(list "$BIN/sleep" 1003); };"
        start_ready
        expect has_count sleep 1
        expect logged 'bad: .*exited with status 1'
        expect logged 'needs_bad: .*bad'
        expect_not logged 'needs_bad: starting'
        expect_not logged 'needs_that: starting'
        stop
}

case_never_ready() {
        programs notifier
        configure "a: { type = \"notify\"; command = $(list "$BIN/notifier" -n);
                ready: { timeout = \"1s\"; }; restart: { policy = \"never\"; }; };"
        start_ready
        expect logged 'a: .*not ready within 1s'
        expect logged 'a: given up'
        expect has_count notifier 0
        expect told 'STATUS=.*failed'
        stop
}

case_first_process_fails() {
        programs forker
        configure "a: { type = \"forking\"; restart: { policy = \"never\"; };
                command = $(list "$BIN/forker" -s 3); };"
        start_ready
        expect logged 'a: .*status 3'
        expect has_count forker 0
        stop
}

case_first_process_stays() {
        programs sleep
        configure "a: { type = \"forking\"; restart: { policy = \"never\"; };
                ready: { timeout = \"300ms\"; }; command = $(list "$BIN/sleep" infinity); };"
        start_ready
        expect logged 'a: .*first process did not exit within 300ms'
        expect has_count sleep 0
        stop
}

# Exit status 0, and nobody stays behind: eight real daemons do this when they fail.
case_first_process_leaves_nobody() {
        programs forker
        configure "a: { type = \"forking\"; restart: { policy = \"never\"; };
                        command = $(list "$BIN/forker" -n); };
                b: { type = \"forking\"; restart: { policy = \"never\"; };
                        ready: { on = \"listen\"; };
                        command = $(list "$BIN/forker" -t 100); };"
        start_ready
        expect logged 'a: .*nothing of it is left'
        expect logged 'b: start failed'
        expect told 'STATUS=.*failed'
        stop
}

case_program_cannot_be_executed() {
        printf 'no program\n' >"$T/text"
        printf '#!/no/such/interpreter\n' >"$T/script"
        chmod 755 "$T/text" "$T/script"
        configure "text: { command = $(list "$T/text"); restart: { policy = \"never\"; }; };
                script: { command = $(list "$T/script"); restart: { policy = \"never\"; }; };"
        start_ready
        expect logged 'text: .*Exec format error'
        expect logged 'script: .*No such file'
        stop
}

case_directory_vanishes() {
        mkdir "$T/work"
        programs sleep
        configure "gone: { command = $(list "$BIN/sleep" infinity); directory = \"$T/work\";
                restart: { policy = \"always\"; delay = \"10ms\"; limit = 1; }; };"
        start_ready
        rmdir "$T/work"
        kill -KILL "$(processes_of sleep)"
        wait_for 10 logged 'gone: .*directory'
        wait_for 10 logged 'gone: given up'
        stop
}

run_cases "$@"
