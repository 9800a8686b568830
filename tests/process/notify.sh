#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What comes to the notify socket of a daemon: wrong datagrams, and those of strangers.

# shellcheck source=tests/process/lib.bash
. "$(dirname "$0")/lib.bash"

not_told() {
        ! told "$1"
}

# waiting_daemon OPTION…: a notifier that says READY=1 when the test allows it.
waiting_daemon() {
        programs notifier
        configure "a: { type = \"notify\";
                command = $(list "$BIN/notifier" -s "$T/socket" -a "$T/go" "$@"); };"
        start
        wait_for 10 exists "$T/socket"
}

ready_only_now() {
        holds 1 not_told READY=1
        touch "$T/go"
        ready
        stop
}

case_stranger() {
        waiting_daemon
        "$BIN/notifier" -S "$(content "$T/socket")"
        wait_for 10 logged 'a: .*notify|a: .*datagram'
        ready_only_now
}

case_stranger_by_the_thousand() {
        local before
        waiting_daemon
        before=$(memory_of "$SUP")
        timeout 60 "$BIN/notifier" -S "$(content "$T/socket")" -c 5000
        touch "$T/go"
        ready
        diag "resident memory before and after: $before and $(memory_of "$SUP") KiB," \
                "lines in the log: $(wc -l <"$T/log")"
        is_sanitized || [ "$(memory_of "$SUP")" -le $((before + 1024)) ] || fail "it grew"
        [ "$(wc -l <"$T/log")" -lt 1000 ] || fail "a stranger can fill the log"
        stop
}

case_daemon_of_another_daemon() {
        programs notifier
        cat >"$T/meddler" <<SCRIPT
#!/bin/sh
while ! [ -e "$T/socket" ]; do sleep 0.05; done
"$BIN/notifier" -S "\$(cat "$T/socket")"
touch "$T/meddled"
exec sleep 1000
SCRIPT
        chmod 755 "$T/meddler"
        configure "a: { type = \"notify\";
                        command = $(list "$BIN/notifier" -s "$T/socket" -a "$T/go"); };
                b: { command = $(list "$T/meddler"); };"
        start
        wait_for 10 exists "$T/meddled"
        ready_only_now
}

case_too_long() {
        waiting_daemon -w long
        wait_for 10 logged 'a: .*notify|a: .*datagram'
        ready_only_now
}

case_malformed() {
        waiting_daemon -w malformed
        ready_only_now
}

case_empty() {
        waiting_daemon -w empty
        ready_only_now
}

case_with_a_nul_byte() {
        waiting_daemon -w nul
        ready_only_now
}

case_with_a_number_that_is_none() {
        waiting_daemon -w number
        ready_only_now
}

case_with_descriptors() {
        local before
        waiting_daemon -w descriptor -c 50
        touch "$T/go"
        ready
        before=$(find "/proc/$SUP/fd" -lname /dev/null | wc -l)
        [ "$before" -lt 10 ] || fail "it keeps descriptors that somebody sent"
        stop
}

case_main_process_is_a_stranger() {
        waiting_daemon -t "MAINPID=1"
        touch "$T/go"
        ready
        expect is_running 1
        kill -KILL "$(processes_of notifier)"
        wait_for 10 logged 'a: main process killed by SIGKILL'
        stop
}

case_status_with_escapes() {
        waiting_daemon -t 'STATUS=red [31mtext'
        touch "$T/go"
        ready
        kill -USR1 "$SUP"
        wait_for 10 logged 'a: .*running'
        ! grep -q "$(printf '\033')" "$T/log" || fail "an escape character went into the log"
        stop
}

run_cases "$@"
