#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Maintenance: daemons that know nothing of it are taken out of service and put back, while clients
# come and go.

# shellcheck source=tests/process/lib.bash
. "$(dirname "$0")/lib.bash"

CLIENTS=()

# serving NAME [SETTINGS-OF-DRAIN [SETTINGS]]: a daemon that answers once there is $T/answer. It is
# silent until then, for longer than an idle one may be by default.
serving() {
        echo "$1: { ready: { on = \"listen\"; }; ${3-}
                drain: { quiet = \"60s\"; ${2-timeout = \"60s\";} };
                command = $(list "$BIN/naive" -A "$T/answer" -P "$T/port.$1"); };"
}

# one_daemon [SETTINGS-OF-DRAIN [SETTINGS]]
one_daemon() {
        needs_root # for sockets that are opened again
        programs naive client
        touch "$T/answer"
        configure "$(serving a "$@")"
        start_ready
        PID=$(pid_of a)
}

pid_of() {
        "$SUPERVISORCTL" -s "$T/run/control" pid "$1"
}

# Begins so many requests of a, and waits until it has taken all of them. `answer` ends them.
requests() {
        rm -f "$T/flight" "$T/answer"
        "$BIN/client" -p "$(content "$T/port.a")" -n "$1" -f "$T/flight" >>"$T/answers" &
        CLIENTS+=($!)
        wait_for 20 exists "$T/flight"
}

# Every request gets its whole answer.
answer() {
        local client
        touch "$T/answer"
        for client in "${CLIENTS[@]}"; do
                wait_for 30 has_ended "$client"
                wait "$client" || fail "lost: $(cat "$T/answers")"
        done
        CLIENTS=()
}

# What becomes of one more client: "answered" or "refused".
one_client() {
        "$BIN/client" -p "$(content "$T/port.${1-a}")" >"$T/one"
        sed -nE 's/.*(answered|cut|refused) 1.*/\1/p' "$T/one"
}

expect_client() {
        expect_equal "$(one_client "${2-a}")" "$1" "what becomes of a client"
}

# Beside `ctl`, whose output stays.
state_of() {
        "$SUPERVISORCTL" -s "$T/run/control" status "$1" | sed -nE 's/^ *state +([a-z]+) .*/\1/p'
}

is_state() {
        [ "$(state_of "$1")" = "$2" ]
}

# shows_work WORK: of a daemon that an operator drains.
shows_work() {
        ctl 3 status && said "by an operator: $1"
}

# Lines of JSON, whatever stands between.
json() {
        tr -d '\n' <"$T/out" | tr -s ' ' | grep -Eq -- "$1"
}

# supervisorctl in the background: $CTL, and what it says in $T/ctl.out.
ctl_begin() {
        "$SUPERVISORCTL" -s "$T/run/control" "$@" >"$T/ctl.out" 2>&1 &
        CTL=$!
}

ctl_ended() {
        wait_for 30 has_ended "$CTL"
        wait "$CTL"
        expect_equal $? "$1" "the status of supervisorctl, which said $(head -n 3 "$T/ctl.out")"
}

case_freeze_and_thaw() {
        one_daemon
        requests 5
        ctl 0 freeze a
        expect said '^a: frozen$'
        expect_client refused
        answer
        ctl 3 status
        expect said '^a  *frozen  *[0-9]+ .*by an operator$'
        ctl 3 status a
        expect said 'state  *frozen for .*, by an operator$'
        ctl 0 freeze a # it is already
        ctl 0 thaw a
        expect said '^a: running$'
        expect_client answered
        ctl 0 status a
        expect_equal "$(pid_of a)" "$PID" "the process"
        expect logged 'a: back to work'
        stop
}

case_drain_tells_when_the_work_is_done() {
        one_daemon
        requests 10
        ctl_begin drain a
        wait_for 10 is_state a draining
        wait_for 10 shows_work '0 waiting, 10 busy'
        expect is_state a draining
        expect is_running "$CTL"
        answer
        ctl_ended 0
        expect grep -qx 'a: drained' "$T/ctl.out"
        expect_equal "$(cat "$T/answers")" 'requests 10 answered 10 cut 0 refused 0' answers
        expect_client refused
        ctl 3 status
        expect said '^a  *drained .*by an operator$'
        expect_equal "$(pid_of a)" "$PID" "the process"
        ctl 0 thaw a
        expect_client answered
        ctl 0 history
        expect said 'drain of a.*uid 0 \(process [0-9]+\)'
        stop
}

case_progress_is_shown() {
        one_daemon
        requests 3
        ctl_begin drain a
        wait_for 10 is_state a draining
        wait_for 10 shows_work '0 waiting, 3 busy, 0 idle, [0-9]+ s left'
        ctl 3 status a
        expect said 'work  *0 waiting, 3 busy, 0 idle'
        expect said 'deadline  *[0-9]+ s left'
        ctl 3 status --json
        expect json '"by_operator": true,.*"left_seconds": [0-9]'
        answer
        ctl_ended 0
        stop
}

case_drain_that_is_cut_names_who_was_busy() {
        one_daemon 'timeout = "500ms";'
        requests 2
        ctl 1 drain a
        expect said_error \
                '^a: drained: drain forced after (0\.[5-9]|[1-9])[0-9.]* s: 0 waiting, 2 busy, 0 idle \(127\.0\.0\.1:'
        expect_equal "$(pid_of a)" "$PID" "the process"
        ctl 3 status
        expect said '^a  *drained .*by an operator: drain forced after'
        ctl 1 drain a --json
        expect json '"state": "drained", "reason": "drain forced.*"ok": false'
        answer # they are none the worse for it
        ctl 0 drain a
        expect said '^a: drained$'
        ctl 0 thaw a
        expect_client answered
        stop
}

case_thaw_during_a_drain() {
        one_daemon
        requests 1
        ctl_begin drain a
        wait_for 10 is_state a draining
        ctl 0 thaw a
        ctl_ended 1
        expect grep -q 'a thaw called it off' "$T/ctl.out"
        ctl 0 status a
        requests 1
        answer
        stop
}

case_stop_and_restart_of_what_is_out() {
        one_daemon
        ctl 0 drain a
        ctl 0 stop a
        expect has_ended "$PID"
        ctl 0 start a
        requests 3
        ctl_begin drain a
        wait_for 10 is_state a draining
        ctl 0 stop --no-wait a # after the drain
        answer
        ctl_ended 0
        wait_for 10 is_state a stopped
        ctl 0 start a
        ctl 0 freeze a
        PID=$(pid_of a)
        ctl 0 restart a
        expect has_ended "$PID"
        expect_client answered
        PID=$(pid_of a)
        ctl 0 freeze a
        ctl 0 start a
        expect said '^a: running$'
        expect_equal "$(pid_of a)" "$PID" "the process"
        expect_client answered
        stop
}

case_who_dies_while_it_is_out() {
        one_daemon
        ctl 0 drain a
        kill -KILL "$PID"
        wait_for 10 is_state a ended
        ctl 3 status
        expect said '^a  *ended .*by an operator: main process killed by SIGKILL while it was drained$'
        holds 1 is_state a ended
        ctl 0 thaw a
        expect said '^a: running$'
        [ "$(pid_of a)" != "$PID" ] || fail "it is the same process"
        expect_client answered
        stop
}

# A drain that ends the daemon; back is a new process.
case_drain_until_its_exit() {
        one_daemon 'until = "exit"; timeout = "60s";' 'freeze: { signal = "USR1"; };'
        requests 3
        ctl_begin drain a
        wait_for 10 is_state a draining
        answer
        ctl_ended 0
        expect grep -qx 'a: ended' "$T/ctl.out"
        expect has_ended "$PID"
        ctl 0 thaw a
        expect said '^a: running$'
        expect_client answered
        stop
}

case_no_way_back() {
        programs slowdrain
        configure "a: { command = $(list "$BIN/slowdrain" -m 60000 -f "$T/mark");
                freeze: { signal = \"USR1\"; }; drain: { until = \"none\"; }; };"
        start_ready
        wait_for 10 exists "$T/mark"
        ctl 1 thaw a
        expect said_error 'a is running, not frozen or drained'
        ctl 0 freeze a
        ctl 1 thaw a
        expect said_error 'freeze\.signal.*restart it'
        ctl 1 thaw a --no-wait
        expect said_error 'restart it'
        rm "$T/mark"
        ctl 0 restart a
        wait_for 10 exists "$T/mark"
        stop
}

case_several_and_patterns() {
        needs_root
        programs naive client sleep
        touch "$T/answer"
        configure "$(serving web-1) $(serving web-2 '' 'requires = [ "db" ];')
                db: { command = [ \"$BIN/sleep\", \"infinity\" ]; };"
        start_ready
        ctl 1 thaw all
        expect said_error 'none of these daemons is frozen or drained'
        ctl 0 drain 'web-*'
        expect_equal "$(cat "$T/out")" $'web-1: drained\nweb-2: drained' "what it said"
        expect_client refused web-1
        expect_client refused web-2
        ctl 0 status db
        ctl 0 stop web-1
        ctl 0 thaw all
        expect_equal "$(cat "$T/out")" 'web-2: running' "what it said"
        expect_client answered web-2
        ctl 1 freeze web-1 web-2
        expect said_error 'web-1 is stopped, not running'
        ctl 0 status web-2
        ctl 1 drain 'web-1*'
        expect said_error 'none of these daemons is running'
        ctl 0 freeze web-2 db
        ctl 4 thaw web-2 dbb
        expect said_error "did you mean 'db'"
        ctl 0 thaw web-2 db
        # those that require it are not concerned
        ctl 0 drain db
        ctl 0 status web-2
        stop
}

case_busy() {
        programs notifier sleep
        configure "a: { command = [ \"$BIN/sleep\", \"infinity\" ]; };"
        start_ready
        configure "a: { command = [ \"$BIN/sleep\", \"infinity\" ]; };
                late: { type = \"notify\"; command = $(list "$BIN/notifier" -a "$T/go"); };"
        ctl_begin reload
        wait_for 10 has_count notifier 1
        ctl 1 freeze a
        expect said_error 'supervisord is reloading; try again later'
        ctl 1 drain a
        ctl 1 drain a --no-wait
        expect said_error 'supervisord is reloading'
        touch "$T/go"
        ctl_ended 0
        ctl 0 freeze a
        ctl 0 thaw a
        stop
}

case_whoever_asked_is_gone() {
        one_daemon
        requests 2
        ctl_begin drain a
        wait_for 10 is_state a draining
        kill -KILL "$CTL"
        wait "$CTL" 2>/dev/null
        answer
        wait_for 10 is_state a drained
        ctl 0 thaw a
        requests 2
        ctl_begin drain a
        wait_for 10 is_state a draining
        kill -TERM "$CTL"
        ctl_ended 75
        expect grep -q 'The drain goes on' "$T/ctl.out"
        expect is_state a draining
        answer
        wait_for 10 is_state a drained
        stop
}

case_the_waiting_has_an_end() {
        one_daemon
        requests 2
        ctl 75 drain a --timeout 200ms
        expect said_error "The drain goes on; .*'supervisorctl thaw' calls it off"
        expect is_state a draining
        ctl_begin drain a # the second one waits for the end of the first
        wait_for 10 eval '[ "$(log_count "drain of a asked for")" = 2 ]'
        expect is_running "$CTL"
        answer
        ctl_ended 0
        ctl 0 thaw a
        ctl 0 drain --no-wait a
        wait_for 10 is_state a drained
        stop
}

# supervisorctl with a terminal for its errors; what it wrote there, in $T/terminal.
on_a_terminal() {
        python3 - "$T/terminal" "$SUPERVISORCTL" -s "$T/run/control" "$@" <<'PYTHON'
import fcntl, os, pty, struct, subprocess, sys, termios

master, slave = pty.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
child = subprocess.Popen(sys.argv[2:], stdout=subprocess.DEVNULL, stderr=slave)
os.close(slave)
with open(sys.argv[1], "wb", buffering=0) as out:
    while True:
        try:
            data = os.read(master, 4096)
        except OSError:
            break
        if not data:
            break
        out.write(data)
sys.exit(child.wait())
PYTHON
}

case_live_lines() {
        local terminal
        needs_root
        programs naive client
        configure "$(serving a) $(serving longer-name 'timeout = "60s";' 'requires = [ "a" ];')"
        start_ready
        requests 3
        on_a_terminal drain all &
        terminal=$!
        wait_for 20 grep -aEqs \
                '  a            draining   0 waiting, 3 busy, 0 idle, [0-9]+ s left' "$T/terminal"
        wait_for 20 grep -aqs '  longer-name  drained' "$T/terminal"
        answer
        wait "$terminal" || fail "status $?"
        # nothing of it stays
        tail -c 4 "$T/terminal" | cat -v | grep -qF '^M^[[J' || fail "$(cat -v "$T/terminal")"
        stop
}

run_cases "$@"
